# SPDX-License-Identifier: MIT
"""Folders of pictures."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import DATA, PATIENCE, Program
from numpy.typing import NDArray
from PIL import Image
from writers import write_png

COLUMNS = (
    "reference,test,images,height,width,channels,dtype,ssim,psnr,mse,out_of_range,nonfinite,error"
)


def rows_of(text: str) -> list[dict[str, str]]:
    """The lines of a CSV file."""
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def folders(tmp_path: Path, camera: NDArray) -> tuple[Path, Path]:
    """Twelve pairs, each worse than the one before; the last one is equal."""
    reference, test = tmp_path / "reference", tmp_path / "test"
    reference.mkdir()
    test.mkdir()
    random = np.random.default_rng(11)
    for index in range(12):
        part = camera[20 * index : 20 * index + 64, 200:280]
        noise = random.normal(0, 11 - index, part.shape)
        write_png(reference / f"{index:02}.png", part)
        noisy = np.clip(np.rint(part + noise), 0, 255).astype(np.uint8)
        write_png(test / f"{index:02}.png", part if index == 11 else noisy)
    return reference, test


def test_values_are_those_of_compare(
    iqa: Program, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    table, report = tmp_path / "out.csv", tmp_path / "out.json"
    text = iqa.fine("batch", *folders, "--csv", table, "--json", report)
    assert table.read_text().splitlines()[0] == COLUMNS
    rows = rows_of(table.read_text())
    found = json.loads(report.read_text())
    assert [row["reference"] for row in rows] == [f"{index:02}.png" for index in range(12)]
    for row, pair in zip(rows, found["pairs"], strict=True):
        wanted = iqa.compare(folders[0] / row["reference"], folders[1] / row["test"])
        for key in ("ssim", "psnr", "mse"):
            assert float(row[key]) == float(wanted[key]) == float(pair[key])
            assert row[key] == (
                pair[key] if isinstance(pair[key], str) else f"{pair[key]!r}".removesuffix(".0")
            )
        assert (row["height"], row["width"], row["channels"]) == ("64", "80", "1")
        assert row["dtype"] == "uint8" and row["error"] == ""
    assert rows[11]["psnr"] == "inf" and found["pairs"][11]["ssim"] == 1

    ssim = np.array([pair["ssim"] for pair in found["pairs"]])
    mse = np.array([pair["mse"] for pair in found["pairs"]])
    summary = found["summary"]
    assert summary["ssim"] == pytest.approx(ssim.mean(), abs=1e-12)
    assert summary["mse"] == pytest.approx(mse.mean(), rel=1e-13)
    assert summary["psnr_of_mean_mse"] == pytest.approx(10 * np.log10(255**2 / mse.mean()))
    assert summary["mean_psnr"] == "inf" and summary["infinite_images"] == 1
    assert (summary["measured"], summary["failed"], summary["unmatched"]) == (12, 0, 0)
    assert summary["images"] == 12 and not found["interrupted"]
    assert f"{ssim.mean():.6f}" in text and "12 pairs measured" in text

    order = np.argsort(ssim)[:10]
    assert [pair["reference"] for pair in found["worst"]] == [f"{index:02}.png" for index in order]
    listed = text[text.index("worst 10") :].splitlines()[1:]
    assert len(listed) == 10
    for line, index in zip(listed, order, strict=True):
        assert line.split()[0] == f"{ssim[index]:.6f}" and line.endswith(f"{index:02}.png")


def test_threads_give_the_same_output(iqa: Program, folders: tuple[Path, Path]) -> None:
    outputs = set()
    for threads in (1, 2, 7, 40):
        found = json.loads(iqa("batch", *folders, "--json", "-", "--threads", threads).stdout)
        del found["library"]
        outputs.add(json.dumps(found))
    assert len(outputs) == 1


def test_shipped_folders(iqa: Program) -> None:
    done = iqa("batch", DATA / "reference", DATA / "jpeg_q50", "--csv", "-")
    assert done.returncode == 0
    assert [(row["reference"], row["test"]) for row in rows_of(done.stdout)] == [
        ("camera.png", "camera.jpg"),
        ("chelsea.png", "chelsea.jpg"),
    ]
    assert "2 pairs measured" in done.stderr


def make_names(folder: Path, names: list[str]) -> Path:
    """A folder of files that all hold the same picture."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DATA / "jpeg_q10" / "camera.jpg", folder / name)
    return folder


def test_pairing(iqa: Program, tmp_path: Path) -> None:
    reference = make_names(
        tmp_path / "r",
        ["a.png", "b.png", "c.png", "d.PNG", "e.png", "e.jpg", "f.png", "g.tar.png", "only.png"],
    )
    test = make_names(
        tmp_path / "t",
        ["a.png", "a.jpg", "b.jpg", "c.tif", "c.jpg", "d.JPEG", "e.tif", "f.png", "g.tar.jpg"],
    )
    for ignored in (".hidden.png", "notes.txt", "a.webp"):
        (reference / ignored).write_text("not a picture")
    (reference / "folder.png").mkdir()
    done = iqa("batch", reference, test, "--json", "-")
    found = json.loads(done.stdout)
    assert [(pair["reference"], pair["test"]) for pair in found["pairs"]] == [
        ("a.png", "a.png"),
        ("b.png", "b.jpg"),
        ("d.PNG", "d.JPEG"),
        ("f.png", "f.png"),
        ("g.tar.png", "g.tar.jpg"),
    ]
    assert found["unmatched"] == {
        "reference": ["c.png", "e.jpg", "e.png", "only.png"],
        "test": ["a.jpg", "c.jpg", "c.tif", "e.tif"],
    }
    assert done.returncode == 2
    for name in ("c.png", "e.jpg", "e.png", "only.png"):
        assert f"iqa: {reference}/{name}: has no partner in {test}\n" in done.stderr
    for name in ("a.jpg", "c.jpg", "c.tif", "e.tif"):
        assert f"iqa: {test}/{name}: has no partner in {reference}\n" in done.stderr
    assert "5 pairs measured, 8 files without a partner" in done.stderr
    assert iqa("batch", reference, test, "--ignore-unmatched").returncode == 0


def test_recursive(iqa: Program, tmp_path: Path) -> None:
    names = ["a.png", "x/a.png", "x/y/b.png"]
    reference, test = (make_names(tmp_path / name, names) for name in "rt")
    done = iqa("batch", reference, test, "-r", "--csv", "-")
    assert done.returncode == 0
    assert [row["reference"] for row in rows_of(done.stdout)] == names
    assert len(rows_of(iqa("batch", reference, test, "--csv", "-").stdout)) == 1


def test_unreadable_files_are_listed_and_counted(
    iqa: Program, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    reference, test = folders
    whole = (test / "03.png").read_bytes()
    (test / "03.png").write_bytes(whole[: len(whole) // 2])
    (reference / "05.png").write_bytes(b"")
    (test / "07.png").unlink()
    (test / "07.png").symlink_to("nowhere")
    table, report = tmp_path / "out.csv", tmp_path / "out.json"
    done = iqa("batch", reference, test, "--csv", table, "--json", report)
    assert done.returncode == 2
    assert "9 pairs measured, 3 failed" in done.stdout
    errors = {row["reference"]: row["error"] for row in rows_of(table.read_text()) if row["error"]}
    assert list(errors) == ["03.png", "05.png", "07.png"]
    assert errors["03.png"].startswith(f"{test}/03.png: cannot be decoded")
    assert errors["05.png"] == f"{reference}/05.png: is empty"
    assert "No such file" in errors["07.png"]
    assert done.stderr == "".join(f"iqa: {error}\n" for error in errors.values())
    found = json.loads(report.read_text())
    assert [pair["error"] for pair in found["failed"]] == list(errors.values())
    assert len(found["pairs"]) == 9
    assert found["summary"]["failed"] == 3 and found["summary"]["images"] == 9


def test_nothing_to_do(iqa: Program, tmp_path: Path) -> None:
    empty, other = tmp_path / "empty", make_names(tmp_path / "other", ["a.png"])
    empty.mkdir()
    done = iqa("batch", empty, other)
    assert done.returncode == 2 and "no picture has a partner" in done.stderr
    assert "No such file" in iqa.error("batch", tmp_path / "missing", other)
    assert "Not a directory" in iqa.error("batch", other / "a.png", other)


def test_fail_under(iqa: Program, folders: tuple[Path, Path]) -> None:
    found = json.loads(iqa("batch", *folders, "--json", "-").stdout)
    values = sorted(pair["ssim"] for pair in found["pairs"])
    assert iqa("batch", *folders, "--fail-under", f"ssim={values[0]!r}").returncode == 0
    done = iqa("batch", *folders, "--fail-under", f"ssim={values[2]!r}")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 2 and done.stderr.count("is below") == 2


def test_options_reach_every_pair(iqa: Program, folders: tuple[Path, Path]) -> None:
    arguments = ("--window", "uniform", "--size", 7, "--border", "reflect", "--data-range", 300)
    done = iqa("batch", *folders, "--csv", "-", *arguments)
    row = rows_of(done.stdout)[2]
    wanted = iqa.compare(folders[0] / "02.png", folders[1] / "02.png", *arguments)
    assert float(row["ssim"]) == wanted["ssim"] and float(row["psnr"]) == wanted["psnr"]
    assert "size" in iqa.error("batch", *folders, "--size", 4)


def test_grey_colour_and_deep_pictures_in_one_batch(
    iqa: Program, tmp_path: Path, camera: NDArray, chelsea: NDArray
) -> None:
    for name, seed in (("r", 1), ("t", 2)):
        folder = tmp_path / name
        folder.mkdir()
        noise = np.random.default_rng(seed).integers(0, 9, (60, 70, 3), dtype=np.uint8)
        write_png(folder / "grey.png", camera[:60, :70] // 2 + noise[..., 0])
        write_png(folder / "colour.png", chelsea[:60, :70] // 2 + noise)
        write_png(folder / "deep.png", chelsea[:60, :70].astype(np.uint16) * 200 + noise)
    done = iqa("batch", tmp_path / "r", tmp_path / "t", "--json", "-")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and len(found["pairs"]) == 3
    mean = np.mean([pair["ssim"] for pair in found["pairs"]])
    assert found["summary"]["ssim"] == pytest.approx(mean, abs=1e-12)
    # 8- and 16-bit pictures have no peak value in common.
    assert found["summary"]["psnr_of_mean_mse"] == "nan"
    assert found["summary"]["mean_psnr"] == pytest.approx(
        np.mean([pair["psnr"] for pair in found["pairs"]]), abs=1e-9
    )


def test_names_with_commas_quotes_and_control_characters(iqa: Program, tmp_path: Path) -> None:
    names = ['a, "b".png', "c\nd.png", "é.png", "\x1b[31m.png"]
    reference, test = (make_names(tmp_path / name, names) for name in "rt")
    os.mkdir(reference / "x")
    done = iqa("batch", reference, test, "--csv", "-")
    assert sorted(row["reference"] for row in rows_of(done.stdout)) == sorted(names)
    assert "\x1b" not in iqa("batch", reference, test).stdout
    found = json.loads(iqa("batch", reference, test, "--json", "-").stdout)
    assert sorted(pair["reference"] for pair in found["pairs"]) == sorted(names)


def test_name_that_is_not_utf8(iqa: Program, tmp_path: Path) -> None:
    for folder in ("r", "t"):
        (tmp_path / folder).mkdir()
        target = os.fsencode(tmp_path / folder) + b"/\xff.jpg"
        shutil.copy(os.fsencode(DATA / "jpeg_q10" / "camera.jpg"), target)
    report = tmp_path / "out.json"
    subprocess.run(
        [iqa.path, "batch", tmp_path / "r", tmp_path / "t", "--json", report],
        check=True,
        capture_output=True,
    )
    assert json.loads(report.read_text())["pairs"][0]["reference"] == "\ufffd.jpg"


def test_outputs_that_cannot_be_written(iqa: Program, folders: tuple[Path, Path]) -> None:
    for option in ("--csv", "--json"):
        assert "cannot be written" in iqa.error("batch", *folders, option, "/nowhere/out")
        done = iqa("batch", *folders, option, "/dev/full")
        assert done.returncode == 2 and "/dev/full: cannot be written" in done.stderr
    assert "both" in iqa.error("batch", *folders, "--csv", "-", "--json", "-")


@pytest.fixture
def many(tmp_path: Path, camera: NDArray) -> tuple[Path, Path, int]:
    """Many pairs, which are links to one pair of large pictures."""
    count = 600
    for name, shift in (("r", 0), ("t", 1)):
        folder = tmp_path / name
        folder.mkdir()
        np.save(tmp_path / f"{name}.npy", np.tile(np.roll(camera, shift), (3, 3)))
        for index in range(count):
            (folder / f"{index:04}.npy").symlink_to(tmp_path / f"{name}.npy")
    return tmp_path / "r", tmp_path / "t", count


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_writes_what_is_done(
    iqa: Program, many: tuple[Path, Path, int], tmp_path: Path, number: signal.Signals
) -> None:
    reference, test, count = many
    table, report = tmp_path / "out.csv", tmp_path / "out.json"
    arguments = ["batch", reference, test, "--csv", table, "--json", report]
    with subprocess.Popen(
        [iqa.path, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while not any(part.read_text().count("\n") > 5 for part in tmp_path.glob("out.csv.part*")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(number)
        output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert errors == "iqa: interrupted\n"
    rows = rows_of(table.read_text())
    found = json.loads(report.read_text())
    assert 5 <= len(rows) < count
    assert found["interrupted"] is True
    assert [pair["reference"] for pair in found["pairs"]] == [row["reference"] for row in rows]
    assert found["summary"]["measured"] == len(rows) == found["summary"]["images"]
    assert found["summary"]["not_done"] == count - len(rows)
    assert not found["failed"] and not any(row["error"] for row in rows)
    assert f"{len(rows)} pairs measured, {count - len(rows)} not done" in output
    assert len({row["ssim"] for row in rows}) == 1
    assert found["summary"]["ssim"] == pytest.approx(found["pairs"][0]["ssim"], abs=1e-12)


def run_on_terminal(arguments: list[str]) -> tuple[int, str, str]:
    """Runs with a terminal as stderr; returns the exit code, stdout and what the terminal got."""
    master, slave = pty.openpty()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=slave, text=True)
    os.close(slave)
    shown = b""
    while True:
        readable, _, _ = select.select([master], [], [], PATIENCE)
        assert readable
        try:
            part = os.read(master, 65536)
        except OSError:  # Linux's answer when the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(master)
    output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, output, shown.decode()


def test_progress_on_a_terminal_only(iqa: Program, many: tuple[Path, Path, int]) -> None:
    reference, test, count = many
    for index in range(60, count):
        (reference / f"{index:04}.npy").unlink()
        (test / f"{index:04}.npy").unlink()
    arguments = [iqa.path, "batch", str(reference), str(test), "--threads", "1"]
    code, output, shown = run_on_terminal(arguments)
    assert code == 0
    frames = shown.split("\r")[1:]
    assert len(frames) >= 3
    assert frames[-1] == "\x1b[K", "the bar is removed at the end"
    numbers = []
    for frame in frames[:-1]:
        assert frame.startswith("[") and "/60 " in frame and "%" in frame
        assert len(frame.removesuffix("\x1b[K")) < 80
        numbers.append(int(frame.split("]")[1].split("/")[0]))
    assert numbers == sorted(numbers)
    assert "pairs/s" in frames[-2] and "left" in frames[-2]
    assert "\x1b" not in output and "60 pairs measured" in output
    done = iqa("batch", reference, test)
    assert done.stderr == "" and done.stdout == output


def test_memory_stays_bounded(iqa: Program, many: tuple[Path, Path, int]) -> None:
    reference, test, _ = many
    np.save(reference.parent / "r.npy", np.zeros((3000, 3000), np.uint16))
    np.save(reference.parent / "t.npy", np.ones((3000, 3000), np.uint16))
    for index in range(60, 600):
        (reference / f"{index:04}.npy").unlink()
        (test / f"{index:04}.npy").unlink()
    pair = 2 * 18_000_000
    script = (
        "import resource, subprocess, sys;"
        "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
    )
    done = subprocess.run(
        ["python3", "-c", script, iqa.path, "batch", reference, test, "--threads", "2"],
        capture_output=True,
        text=True,
        check=True,
    )
    peak = int(done.stdout) * 1024
    assert pair < peak < 2 * pair + 60_000_000


def test_address_space_is_not_needed_for_all_pictures(
    iqa: Program, folders: tuple[Path, Path]
) -> None:
    assert iqa("batch", *folders, "--threads", "2", preexec_fn=iqa.limit_memory).returncode == 0


def test_locale_changes_nothing(iqa: Program, folders: tuple[Path, Path], tmp_path: Path) -> None:
    locales = tmp_path / "locales"
    locales.mkdir()
    if shutil.which("localedef") is None or not Path("/usr/share/i18n/locales/de_DE").exists():
        pytest.skip("localedef or the sources of the German locale are not installed")
    subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "UTF-8", locales / "de_DE.UTF-8"],
        check=False,  # it warns
        capture_output=True,
    )
    assert (locales / "de_DE.UTF-8" / "LC_NUMERIC").exists()
    german = dict(os.environ, LOCPATH=str(locales), LC_ALL="de_DE.UTF-8")
    check = subprocess.run(
        ["python3", "-c", "import locale; locale.setlocale(locale.LC_ALL, ''); print(f'{1.5:n}')"],
        env=german,
        capture_output=True,
        text=True,
        check=True,
    )
    assert check.stdout == "1,5\n"
    for arguments in (
        ("batch", *folders),
        ("batch", *folders, "--csv", "-", "--k1", "0.25"),
        ("compare", folders[0] / "00.png", folders[1] / "00.png", "--json", "--sigma", "1.25"),
        ("info",),
    ):
        assert iqa(*arguments, env=german).stdout == iqa(*arguments).stdout
        assert iqa(*arguments, env=german).returncode == 0


def test_picture_of_another_size_is_a_failed_pair(iqa: Program, folders: tuple[Path, Path]) -> None:
    Image.new("L", (30, 30)).save(folders[1] / "04.png")
    done = iqa("batch", *folders)
    assert done.returncode == 2
    assert done.stderr.startswith(f"iqa: {folders[1]}/04.png: has 30 x 30 pixels, but")
