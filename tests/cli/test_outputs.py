# SPDX-License-Identifier: MIT
"""Files that are written: whole or not at all, whatever ends the program."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import DATA, PATIENCE, Program
from numpy.typing import NDArray
from writers import write_png

OLD = "what was there before\n"
REFERENCE = DATA / "reference" / "camera.png"
NOISE = DATA / "noise" / "camera.png"
LABELS = DATA / "labels"
FEATURES = DATA / "features"
PAIRS = 200


@pytest.fixture(scope="module")
def folders(
    tmp_path_factory: pytest.TempPathFactory, camera: NDArray[np.uint8]
) -> tuple[Path, Path]:
    """Two folders of many pairs, which take some seconds."""
    top = tmp_path_factory.mktemp("many")
    for side, shift in (("a", 0), ("b", 1)):
        (top / side).mkdir()
        write_png(
            top / f"{side}.picture",
            np.kron(camera, np.ones((3, 3), np.uint8)) + np.uint8(shift),
        )
        for number in range(PAIRS):
            (top / side / f"{number:03}.png").symlink_to(top / f"{side}.picture")
    return top / "a", top / "b"


def outputs_of(folder: Path) -> dict[str, tuple[object, ...]]:
    """A command for each kind of file that is written."""
    pair = ("compare", REFERENCE, NOISE)
    clips = [DATA / "clips" / f"{name}.y4m" for name in ("reference", "blur")]
    batch = ("batch", DATA / "reference", DATA / "noise")
    segment = ("segment", LABELS / "prediction", LABELS / "reference", "--classes", 5)
    segment = (*segment, "--ignore", 255)
    fid = ("fid", FEATURES / "first_half.npz")
    return {
        "map.png": (*pair, "--map", folder / "map.png"),
        "map.npy": (*pair, "--map", folder / "map.npy"),
        "side.png": (*pair, "--side-by-side", folder / "side.png"),
        "frames.csv": ("compare", *clips, "--csv", folder / "frames.csv"),
        "batch.csv": (*batch, "--csv", folder / "batch.csv"),
        "batch.json": (*batch, "--json", folder / "batch.json"),
        "segment.csv": (*segment, "--csv", folder / "segment.csv"),
        "segment.json": (*segment, "--json", folder / "segment.json"),
        "matrix.png": (*segment, "--matrix", folder / "matrix.png"),
        "matrix.csv": (*segment, "--matrix", folder / "matrix.csv"),
        "stats.npz": (*fid, "--stats-out", folder / "stats.npz"),
        "stats.iqa": (*fid, "--stats-out", folder / "stats.iqa"),
    }


KINDS = tuple(outputs_of(Path()))


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_replaced_or_stays(iqa: Program, tmp_path: Path, name: str) -> None:
    command = outputs_of(tmp_path)[name]
    path = tmp_path / name
    iqa.fine(*command)
    wanted = path.read_bytes()
    assert len(wanted) > 200 and os.listdir(tmp_path) == [name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~os.umask(os.umask(0o22))

    # The rights and the link stay, and the bytes are the same.
    path.rename(tmp_path / "real")
    path.symlink_to(tmp_path / "real")
    (tmp_path / "real").write_text(OLD)
    (tmp_path / "real").chmod(0o640)
    iqa.fine(*command)
    assert path.is_symlink() and (tmp_path / "real").read_bytes() == wanted
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o640

    # No room: a line, and the old file is whole.
    (tmp_path / "real").write_text(OLD)

    def leave_no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    done = iqa(*command, preexec_fn=leave_no_room)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"iqa: {path}: cannot be written")
    assert (tmp_path / "real").read_text() == OLD
    assert sorted(os.listdir(tmp_path)) == sorted([name, "real"])


@pytest.mark.parametrize("name", KINDS)
def test_pipes_and_devices_are_written_directly(iqa: Program, tmp_path: Path, name: str) -> None:
    command = outputs_of(tmp_path)[name]
    iqa.fine(*command)
    wanted = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / name).read_bytes()))
    reader.start()
    iqa.fine(*command)
    reader.join()
    assert read == [wanted] and os.listdir(tmp_path) == [name]
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/full")
    assert "cannot be written" in iqa(*command).stderr
    assert os.listdir(tmp_path) == [name]


def test_standard_output_by_its_name(iqa: Program, tmp_path: Path) -> None:
    """Also where it is a file, which must not be replaced under the shell that opened it."""
    command = [
        iqa.path,
        "batch",
        DATA / "reference",
        DATA / "noise",
        "--csv",
        "/dev/stdout",
    ]
    with (tmp_path / "out").open("a") as file:
        inode = os.fstat(file.fileno()).st_ino
        subprocess.run(command, stdout=file, check=True)
    assert (tmp_path / "out").stat().st_ino == inode and os.listdir(tmp_path) == ["out"]
    text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "camera.png,camera.png,1,512" in text and "mean SSIM" in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write every file")
def test_files_that_may_not_be_written(iqa: Program, tmp_path: Path) -> None:
    command = outputs_of(tmp_path)["map.png"]
    (tmp_path / "map.png").write_text(OLD)
    (tmp_path / "map.png").chmod(0o444)
    assert "Permission denied" in iqa.error(*command)
    (tmp_path / "map.png").chmod(0o644)
    tmp_path.chmod(0o555)  # nothing can be made beside it
    iqa.fine(*command)
    tmp_path.chmod(0o755)
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def start(iqa: Program, *arguments: object, **keywords: object) -> subprocess.Popen[str]:
    """The program in the background."""
    return subprocess.Popen(
        [iqa.path, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **keywords,
    )


def wait_for(condition: object, process: subprocess.Popen[str]) -> None:
    """Until it holds while the program runs."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


CODES = {
    signal.SIGINT: 130,
    signal.SIGTERM: 143,
    signal.SIGHUP: 129,
    signal.SIGKILL: -9,
}


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("command", ["batch", "segment"])
def test_signals_in_runs_over_folders(
    iqa: Program,
    tmp_path: Path,
    folders: tuple[Path, Path],
    command: str,
    number: signal.Signals,
) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup programs inherit that it is ignored
    for name in ("a.csv", "a.json"):
        (tmp_path / name).write_text(OLD)
    options = ("--classes", 256) if command == "segment" else ()
    files = ("--csv", tmp_path / "a.csv", "--json", tmp_path / "a.json", "--threads", 1)
    process = start(iqa, command, *folders, *options, *files)
    # A first row is there: the run has begun.
    wait_for(
        lambda: any(p.stat().st_size > 150 for p in tmp_path.glob("a.csv.part*")),
        process,
    )
    assert (tmp_path / "a.csv").read_text() == OLD and (tmp_path / "a.json").read_text() == OLD
    process.send_signal(number)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == CODES[number], (output, errors)
    if number in (signal.SIGINT, signal.SIGTERM):  # what is done is written
        rows = list(csv.reader((tmp_path / "a.csv").open()))
        assert 1 < len(rows) < PAIRS
        report = json.loads((tmp_path / "a.json").read_text())
        assert report["interrupted"] is True and len(report["pairs"]) == len(rows) - 1
        assert "iqa: interrupted" in errors
    else:
        assert (tmp_path / "a.csv").read_text() == OLD
        assert (tmp_path / "a.json").read_text() == OLD
    if number != signal.SIGKILL:
        assert sorted(os.listdir(tmp_path)) == ["a.csv", "a.json"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_in_other_commands(iqa: Program, tmp_path: Path, number: signal.Signals) -> None:
    """Each waits for something when the signal comes."""
    clip = DATA / "clips" / "reference.y4m"
    rows = np.lib.format.open_memmap(
        tmp_path / "rows.npy", mode="w+", dtype=np.float32, shape=(10**6, 2048)
    )
    del rows  # a sparse file of 8 GB
    (tmp_path / "state.iqa").write_text(OLD)
    (tmp_path / "frames.csv").write_text(OLD)
    commands = {
        "picture": ("compare", "-", REFERENCE, "--map", tmp_path / "map.png"),
        "header": ("compare", "-", clip),
        "frame": ("compare", clip, "-", "--csv", tmp_path / "frames.csv"),
        "fid": ("fid", tmp_path / "rows.npy", "--stats-out", tmp_path / "state.iqa"),
    }
    first = clip.read_bytes()
    sent = {"header": first[:20], "frame": first[: len(first) // 2]}
    for name, command in commands.items():
        process = start(iqa, *command, stdin=subprocess.PIPE)
        process.stdin.buffer.write(sent.get(name, b""))
        process.stdin.flush()
        if name == "frame":
            wait_for(lambda: list(tmp_path.glob("frames.csv.part*")), process)
        time.sleep(0.5)
        process.send_signal(number)
        assert process.wait(timeout=PATIENCE) == CODES[number], name
        output, errors = process.communicate()
        if name == "frame":
            assert "iqa: interrupted" in errors and "frames        2" in output
            assert len((tmp_path / "frames.csv").read_text().splitlines()) == 3
        else:
            assert output == "", name
    assert (tmp_path / "state.iqa").read_text() == OLD
    assert sorted(os.listdir(tmp_path)) == ["frames.csv", "rows.npy", "state.iqa"]


def test_second_signal_ends_at_once(
    iqa: Program, tmp_path: Path, folders: tuple[Path, Path]
) -> None:
    process = start(iqa, "batch", *folders, "--csv", tmp_path / "a.csv", "--preset", "matlab")
    wait_for(lambda: list(tmp_path.glob("a.csv.part*")), process)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE) in (130, 143)
    process.communicate()
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.parametrize("closed", ["0", "1", "2", "012"])
def test_closed_standard_descriptors(
    iqa: Program, tmp_path: Path, folders: tuple[Path, Path], closed: str
) -> None:
    """Files get other numbers, and what goes nowhere is an error where it was wanted."""
    small = [tmp_path / side for side in "ab"]
    for folder, source in zip(small, folders, strict=True):
        folder.mkdir()
        for number in range(20):
            (folder / f"{number:03}.png").symlink_to(source.with_name(f"{source.name}.picture"))
    files = [tmp_path / "a.csv", tmp_path / "a.json"]
    redirections = " ".join(f"{number}>&-" for number in closed)
    command = f'"$0" batch {small[0]} {small[1]} --csv {files[0]} --json {files[1]} {redirections}'
    done = subprocess.run(["sh", "-c", command, iqa.path], capture_output=True, text=True)
    assert done.returncode == (2 if "1" in closed else 0), done
    assert len(files[0].read_text().splitlines()) == 21
    assert len(json.loads(files[1].read_text())["pairs"]) == 20
    if closed == "1":
        assert "the standard output cannot be written" in done.stderr
    if "0" in closed:
        command = f'"$0" compare - {REFERENCE} 0>&-'
        done = subprocess.run(["sh", "-c", command, iqa.path], capture_output=True, text=True)
        assert done.returncode == 2 and "Bad file descriptor" in done.stderr
