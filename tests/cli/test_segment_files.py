# SPDX-License-Identifier: MIT
"""Label maps as files: what is read and how, what is refused in which words, and many of them."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import DATA, PATIENCE, Program
from label_maps import close, random_pairs, report, write_maps
from sklearn import metrics
from writers import PNG_MAGIC, png_chunk, png_header, png_lines, write_png


def test_labels_outside_the_classes(iqa: Program, tmp_path: Path) -> None:
    truth = np.zeros((4, 5), np.uint8)
    prediction = truth.copy()
    prediction[2, 3] = 9
    prediction[3, 0] = 7
    truth[0, 1] = 255
    folders = write_maps(tmp_path, [(prediction, truth)])
    one = folders[0] / "000.png", folders[1] / "000.png"
    arguments = ("segment", *one, "--classes", 3)
    line = iqa.error(*arguments)
    assert line.startswith(f"iqa: {one[1]}: has the label 255 at row 0, column 1, but the classes")
    assert "(3 such pixels in the pair)" in line and "--ignore" in line
    line = iqa.error(*arguments, "--ignore", 255)
    assert line.startswith(
        f"iqa: {one[0]}: has the label 9 at row 2, column 3, but the classes are"
    )
    assert "0 to 2 (2 such pixels in the pair)" in line

    dropped = report(iqa, *one, "--classes", 3, "--ignore", 255, "--invalid", "drop")
    assert (dropped["summary"]["ignored"], dropped["summary"]["invalid"]) == (1, 2)
    assert dropped["matrix"][0][0] == 17 and dropped["scores"]["accuracy"] == 1
    wrong = report(iqa, *one, "--classes", 3, "--ignore", 255, "--invalid", "wrong")
    assert wrong["summary"]["invalid"] == 2 and wrong["matrix"] == dropped["matrix"]
    assert close(wrong["scores"]["accuracy"], 17 / 19)

    done = iqa("segment", *folders, "--classes", 3, "--ignore", 255)
    assert done.returncode == 2 and f"{one[0]}: has the label 9" in done.stderr
    assert "0 pairs measured, 1 failed" in done.stdout


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("colour_type", [0, 3], ids=["grey", "palette"])
def test_few_bits_and_palettes_are_labels_as_stored(
    iqa: Program, tmp_path: Path, bits: int, colour_type: int
) -> None:
    classes = min(1 << bits, 200)
    random = np.random.default_rng(bits)
    truth, prediction = random.integers(0, classes, (2, 21, 37))
    colours = bytes(random.integers(0, 256, 3 * (1 << bits), np.uint8))
    paths = []
    for name, labels in (("p", prediction), ("r", truth)):
        packed = [
            np.packbits((row[:, None] >> np.arange(bits - 1, -1, -1) & 1).astype(np.uint8).ravel())
            for row in labels
        ]
        lines = zlib.compress(png_lines(np.array(packed)))
        paths.append(tmp_path / f"{name}.png")
        paths[-1].write_bytes(
            PNG_MAGIC
            + png_header(37, 21, bits, colour_type)
            + (png_chunk(b"PLTE", colours) + png_chunk(b"tRNS", b"\0") if colour_type else b"")
            + png_chunk(b"IDAT", lines)
            + png_chunk(b"IEND", b"")
        )
    found = report(iqa, *paths, "--classes", classes)
    wanted = metrics.confusion_matrix(truth.ravel(), prediction.ravel(), labels=range(classes))
    assert found["matrix"] == wanted.tolist()


def test_a_short_palette_does_not_matter(iqa: Program, tmp_path: Path) -> None:
    """Indices without a colour are labels too: many writers cut the palette."""
    labels = np.array([[0, 1, 2, 255]], np.uint8)
    path = tmp_path / "short.png"
    path.write_bytes(
        PNG_MAGIC
        + png_header(4, 1, 8, 3)
        + png_chunk(b"PLTE", bytes(9))
        + png_chunk(b"IDAT", zlib.compress(png_lines(labels)))
        + png_chunk(b"IEND", b"")
    )
    found = report(iqa, path, path, "--classes", 3, "--ignore", 255)
    assert found["matrix"] == np.eye(3, dtype=int).tolist()


def test_16_bits_beside_8_bits_and_many_classes(iqa: Program, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    truth = random.integers(0, 65536, (50, 60)).astype(np.uint16)
    prediction = np.where(random.random(truth.shape) < 0.5, truth, 7).astype(np.uint16)
    folders = write_maps(tmp_path, [(prediction, truth)])
    found = report(iqa, *folders, "--classes", 65536)
    assert found["matrix"] is None
    assert close(found["scores"]["accuracy"], (truth == prediction).mean())
    iou = metrics.jaccard_score(truth.ravel(), prediction.ravel(), average="macro")
    assert close(found["scores"]["mean_iou"], iou)
    assert "65536 classes are too many" in iqa.error(
        "segment", *folders, "--classes", 65536, "--matrix", tmp_path / "m.png"
    )


@pytest.mark.parametrize(
    "channels, what",
    [(2, "grey pixels with alpha"), (3, "RGB pixels"), (4, "RGB pixels with alpha")],
)
def test_pictures_are_no_label_maps(iqa: Program, tmp_path: Path, channels: int, what: str) -> None:
    path = tmp_path / "picture.png"
    write_png(path, np.zeros((4, 4, channels), np.uint8))
    line = iqa.error("segment", path, path, "--classes", 2)
    assert line.startswith(f"iqa: {path}: holds {what}, not labels")


def test_what_is_refused(iqa: Program, tmp_path: Path) -> None:
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    write_png(small, np.zeros((4, 6), np.uint8))
    write_png(large, np.zeros((5, 6), np.uint8))
    missing = tmp_path / "missing.png"
    text = tmp_path / "text.png"
    text.write_text("no picture")
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(small.read_bytes()[:-20])
    jpeg = DATA / "jpeg_q10" / "camera.jpg"
    for arguments, wanted in (
        ((large, small, "--classes", 2), f"{large}: has 5 x 6 pixels, but the reference has 4 x 6"),
        ((small, missing, "--classes", 2), f"{missing}: No such file"),
        ((text, small, "--classes", 2), f"{text}: is not a PNG file"),
        ((jpeg, jpeg, "--classes", 2), f"{jpeg}: is not a PNG file, which a label map has to be"),
        ((damaged, small, "--classes", 2), f"{damaged}: cannot be decoded"),
        ((tmp_path, small, "--classes", 2), f"{small}: is no folder, but {tmp_path} is one"),
        ((small, tmp_path, "--classes", 2), f"{tmp_path}: is a folder, but {small} is none"),
        ((small, small), "state the number of classes"),
        ((small, small, "--classes", 0), "--classes: must be from 1 to 65536"),
        ((small, small, "--classes", "two"), '--classes: expects COUNT, not "two"'),
        ((small, small, "--classes", 2, "--average", "mean"), "--average: expects macro|micro"),
        ((small, small, "--classes", 2, "--exclude", "2"), '--exclude: "2" is no class'),
        ((small, small, "--classes", 2, "--preset", "none"), "--preset: expects scikit-learn|"),
        ((small, small, "--classes", 2, "--matrix", "m.jpg"), "does not end with .png or .csv"),
        ((small, small, "--classes", 2, "--names", missing), f"{missing}: No such file"),
        ((small, small, "--classes", 2, "--csv", "-", "--json", "-"), "cannot both go to"),
        ((small, small, "--classes", 2, "--max-pixels", 23), f"{small}: "),
    ):
        line = iqa.error("segment", *arguments)
        assert wanted in line, line


def test_names(iqa: Program, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    path = tmp_path / "labels.png"
    write_png(path, np.array([[0, 1, 2]], np.uint8))

    def found(text: str, *options: object) -> list[str]:
        names.write_text(text)
        classes = report(iqa, path, path, "--names", names, *options)["classes"]
        return [each["name"] for each in classes]

    assert found("sky\nroad, wet\n\n tree \n") == ["sky", "road, wet", "tree"]
    assert found('id,name\r\n2,tree\r\n0,"a, ""b"""\r\n1,c\r\n') == ['a, "b"', "c", "tree"]
    assert found("0,a\n1,b\n2,c\n255,void\n", "--ignore", 255) == ["a", "b", "c"]
    assert found("0,a\n", "--classes", 3) == ["a", "", ""]
    for text, wanted in (
        ("0,a\n0,b\n", ":2: the class 0 has a name already: a"),
        ("0,a\nb\n", ':2: expected "id,name" as on other lines, not "b"'),
        ("-1,a\n", ":1: the class -1 is not from 0 to 65535"),
        ("\n", ": has no names of classes"),
    ):
        names.write_text(text)
        assert iqa.error("segment", path, path, "--names", names) == f"iqa: {names}{wanted}"
    names.write_text("a\nb\nc\n")
    line = iqa.error("segment", path, path, "--names", names, "--classes", 2)
    assert line == f"iqa: {names}: has a name for the class 2, but --classes is 2"


def test_missing_partners_and_bad_files(iqa: Program, tmp_path: Path) -> None:
    folders = write_maps(tmp_path, random_pairs(8, 4, 4))
    (folders[0] / "000.png").unlink()
    (folders[1] / "001.png").unlink()
    (folders[0] / "002.png").write_text("no picture")
    (folders[0] / "notes.txt").write_text("not looked at")
    done = iqa("segment", *folders, "--classes", 4, "--json", "-")
    found = json.loads(done.stdout)
    assert done.returncode == 2
    assert found["unmatched"] == {"prediction": ["001.png"], "reference": ["000.png"]}
    assert [pair["reference"] for pair in found["pairs"]] == ["003.png"]
    assert found["failed"][0]["error"].startswith(f"{folders[0]}/002.png: is not a PNG")
    for line in (
        f"{folders[1]}/000.png: has no partner in {folders[0]}",
        f"{folders[0]}/001.png: has no partner in {folders[1]}",
    ):
        assert f"iqa: {line}\n" in done.stderr
    assert "1 pairs measured, 1 failed, 2 files without a partner" in done.stderr
    (folders[0] / "002.png").unlink()
    assert iqa("segment", *folders, "--classes", 4, "--ignore-unmatched").returncode == 0
    (tmp_path / "empty").mkdir()
    done = iqa("segment", tmp_path / "empty", folders[1], "--classes", 4)
    assert done.returncode == 2
    assert done.stderr.endswith(f"no PNG file has a partner in {folders[1]}\n")


def test_recursive(iqa: Program, tmp_path: Path) -> None:
    folders = write_maps(tmp_path, random_pairs(8, 4, 2))
    for folder in folders:
        (folder / "city").mkdir()
        (folder / "001.png").rename(folder / "city" / "a.png")
    assert report(iqa, *folders, "--classes", 4)["summary"]["measured"] == 1
    found = report(iqa, *folders, "--classes", 4, "-r")
    assert [pair["reference"] for pair in found["pairs"]] == ["000.png", "city/a.png"]


def test_a_hostile_header_takes_no_memory(iqa: Program, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(PNG_MAGIC + png_header(1 << 30, 1 << 30, 8, 3) + png_chunk(b"PLTE", bytes(3)))
    line = iqa.error("segment", path, path, "--classes", 2, preexec_fn=iqa.limit_memory)
    assert line.startswith(f"iqa: {path}: ")


def test_memory_does_not_grow_with_the_number_of_files(iqa: Program, tmp_path: Path) -> None:
    if iqa.is_sanitized:
        pytest.skip("AddressSanitizer keeps freed memory")
    random = np.random.default_rng(1)
    labels = random.integers(0, 19, (500, 1000)).astype(np.uint8)
    peaks = []
    for count in (4, 64):
        folder = tmp_path / str(count)
        folder.mkdir()
        for index in range(count):
            if index == 0:
                write_png(folder / "0.png", labels)
            else:
                os.link(folder / "0.png", folder / f"{index}.png")
        arguments = [iqa.path, "segment", folder, folder, "--classes", "19", "--threads", "2"]
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss)
    assert peaks[1] < peaks[0] + 4 * 1024  # kilobytes; 60 more pairs are 60 MB of labels


def test_progress_on_a_terminal_and_interrupt(iqa: Program, tmp_path: Path) -> None:
    labels = np.random.default_rng(1).integers(0, 19, (1000, 2000)).astype(np.uint8)
    folder = tmp_path / "many"
    folder.mkdir()
    write_png(folder / "0.png", labels)
    for index in range(1, 2000):
        os.link(folder / "0.png", folder / f"{index}.png")
    master, slave = pty.openpty()
    table = tmp_path / "out.csv"
    arguments = [iqa.path, "segment", str(folder), str(folder), "--classes", "19", "--csv", table]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=slave) as process:
        os.close(slave)
        shown = b""
        while b"pairs/s" not in shown:
            shown += os.read(master, 4096)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    os.close(master)
    assert b"/2000" in shown
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert 1 <= len(rows) < 2000 and all(row["accuracy"] == "1" for row in rows)
