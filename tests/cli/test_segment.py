# SPDX-License-Identifier: MIT
"""Label maps: every number beside scikit-learn and NumPy on the same files, and what is refused."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import pty
import re
import signal
import subprocess
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DATA, Program
from numpy.typing import NDArray
from PIL import Image
from sklearn import metrics
from writers import PNG_MAGIC, png_chunk, png_header, png_lines, write_png

LABELS = DATA / "labels"
NAMES = ["shadow", "dark", "middle", "bright", "light"]
IGNORED = 255
SHIPPED = (LABELS / "prediction", LABELS / "reference", "--names", LABELS / "names.csv")
CLASS_SCORES = ("iou", "dice", "precision", "recall", "specificity")


def read(path: Path) -> NDArray[np.int64]:
    """The labels of a file, by Pillow."""
    return np.asarray(Image.open(path)).astype(np.int64)


def report(iqa: Program, *arguments: object) -> dict[str, Any]:
    """The JSON of a comparison."""
    done = iqa("segment", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def close(ours: Any, theirs: Any) -> bool:
    """Equal but for the last bits; a NaN of ours is a string."""
    ours = np.array([float(value) for value in np.ravel(ours)])
    return bool(np.allclose(ours, np.ravel(theirs), rtol=1e-14, atol=0, equal_nan=True))


def all_counted(folders: tuple[Path, Path], ignored: int | None) -> tuple[NDArray, NDArray]:
    """The labels of all files that count: true ones, predicted ones."""
    truth = [read(path).ravel() for path in sorted(folders[1].glob("*.png"))]
    prediction = [read(path).ravel() for path in sorted(folders[0].glob("*.png"))]
    x, y = np.concatenate(truth), np.concatenate(prediction)
    kept = np.ones(x.shape, bool) if ignored is None else x != ignored
    return x[kept], y[kept]


def expected_classes(matrix: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """The scores of each class by their definitions; 0 / 0 is 0, an empty class NaN."""
    hits = np.diag(matrix).astype(float)
    false_positives = matrix.sum(0) - hits
    false_negatives = matrix.sum(1) - hits
    true_negatives = matrix.sum() - hits - false_positives - false_negatives
    ratios = {
        "iou": (hits, hits + false_positives + false_negatives),
        "dice": (2 * hits, 2 * hits + false_positives + false_negatives),
        "precision": (hits, hits + false_positives),
        "recall": (hits, hits + false_negatives),
        "specificity": (true_negatives, true_negatives + false_positives),
    }
    empty = matrix.sum(0) + matrix.sum(1) == 0
    return {
        name: np.where(empty, np.nan, over / np.where(under == 0, 1, under))
        for name, (over, under) in ratios.items()
    }


def check_everything(
    found: dict[str, Any], truth: NDArray, prediction: NDArray, classes: int
) -> None:
    """Every number of a report that is not of one file."""
    labels = list(range(classes))
    matrix = metrics.confusion_matrix(truth, prediction, labels=labels)
    assert found["matrix"] == matrix.tolist()
    own = expected_classes(matrix)
    for name in CLASS_SCORES:
        assert close([each[name] for each in found["classes"]], own[name]), name
    for each, counts in zip(
        found["classes"], metrics.multilabel_confusion_matrix(truth, prediction, labels=labels)
    ):
        names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
        assert [each[name] for name in names] == counts.ravel().tolist()
    support = matrix.sum(1)
    assert [each["support"] for each in found["classes"]] == support.tolist()

    occurring = np.union1d(truth, prediction)
    scores = {
        "iou": metrics.jaccard_score,
        "dice": metrics.f1_score,
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
    }
    for average, values in found["averages"].items():
        for name, score in scores.items():
            wanted = score(truth, prediction, average=average, labels=occurring, zero_division=0)
            assert close(values[name], wanted), (average, name)
    present = ~np.isnan(own["specificity"])
    assert close(found["averages"]["macro"]["specificity"], own["specificity"][present].mean())

    assert close(found["scores"]["accuracy"], metrics.accuracy_score(truth, prediction))
    assert close(found["scores"]["mean_iou"], np.nanmean(own["iou"]))
    assert close(found["scores"]["mean_dice"], np.nanmean(own["dice"]))
    recall = np.diag(matrix)[support > 0] / support[support > 0]
    assert close(found["scores"]["balanced_accuracy"], recall.mean())
    weighted = np.nansum(own["iou"] * support) / support.sum()
    assert close(found["scores"]["frequency_weighted_iou"], weighted)
    kappa = metrics.cohen_kappa_score(truth, prediction)
    assert float(found["scores"]["kappa"]) == pytest.approx(kappa, rel=1e-12)
    mcc = metrics.matthews_corrcoef(truth, prediction)
    assert float(found["scores"]["mcc"]) == pytest.approx(mcc, rel=1e-12)
    weights = 1 / np.where(support > 0, support, 1).astype(float) ** 2
    weights[support == 0] = weights[support > 0].max()
    predicted = matrix.sum(0)
    dice = (weights * 2 * np.diag(matrix)).sum() / (weights * (support + predicted)).sum()
    assert float(found["scores"]["generalized_dice"]) == pytest.approx(dice, rel=1e-12)


def test_shipped_label_maps(iqa: Program, tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    found = report(iqa, *SHIPPED, "--ignore", IGNORED, "--csv", table)
    truth, prediction = all_counted(SHIPPED[:2], IGNORED)
    check_everything(found, truth, prediction, 5)
    assert [each["name"] for each in found["classes"]] == NAMES
    assert found["summary"]["measured"] == len(found["pairs"]) == 3
    everything = sum(read(path).size for path in (LABELS / "reference").glob("*.png"))
    assert found["summary"]["pixels"] == everything
    assert found["summary"]["ignored"] == everything - truth.size
    assert found["summary"]["invalid"] == 0

    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert [row["prediction"] for row in rows] == ["camera.png", "chelsea.png", "coffee.png"]
    for row, pair in zip(rows, found["pairs"], strict=True):
        x, y = (read(LABELS / side / row["reference"]) for side in ("reference", "prediction"))
        kept = x != IGNORED
        own = expected_classes(metrics.confusion_matrix(x[kept], y[kept], labels=range(5)))
        for key, wanted in (
            ("accuracy", (x == y)[kept].mean()),
            ("mean_iou", np.nanmean(own["iou"])),
            ("mean_dice", np.nanmean(own["dice"])),
        ):
            assert close(row[key], wanted) and float(row[key]) == pair[key]
        assert [int(row[key]) for key in ("height", "width", "pixels", "ignored", "invalid")] == [
            *x.shape,
            x.size,
            (~kept).sum(),
            0,
        ]
        assert row["error"] == ""


def test_the_table_shows_the_same_numbers(iqa: Program) -> None:
    found = report(iqa, *SHIPPED, "--ignore", IGNORED)
    text = iqa.fine("segment", *SHIPPED, "--ignore", IGNORED)
    lines = text.splitlines()
    assert lines[0] == "3 pairs measured"
    assert lines[1] == "457444 pixels, 49697 ignored, 0 invalid"
    for each in found["classes"]:
        numbers = [f"{each[name]:.4f}" for name in CLASS_SCORES]
        wanted = [str(each["id"]), each["name"], str(each["support"]), *numbers]
        assert wanted in [line.split() for line in lines]
    for average, values in found["averages"].items():
        wanted = [average, *(f"{values[name]:.4f}" for name in CLASS_SCORES)]
        assert wanted in [line.split() for line in lines]
    for title, key in (
        ("accuracy", "accuracy"),
        ("mean IoU (macro)", "mean_iou"),
        ("mean Dice (macro)", "mean_dice"),
        ("balanced accuracy", "balanced_accuracy"),
        ("frequency-weighted IoU", "frequency_weighted_iou"),
        ("generalised Dice", "generalized_dice"),
        ("Cohen's kappa", "kappa"),
        ("MCC", "mcc"),
    ):
        assert re.search(rf"^{re.escape(title)} +{found['scores'][key]:.4f}$", text, re.M), title
    assert max(len(line) for line in lines) <= 100


def write_maps(folder: Path, pairs: list[tuple[NDArray, NDArray]]) -> tuple[Path, Path]:
    """Folders of grey label maps: predictions and references."""
    folders = folder / "prediction", folder / "reference"
    for side, maps in zip(folders, zip(*pairs, strict=True), strict=True):
        side.mkdir()
        for index, labels in enumerate(maps):
            write_png(side / f"{index:03}.png", labels)
    return folders


def random_pairs(
    seed: int, classes: int, count: int, dtype: type = np.uint8
) -> list[tuple[NDArray, NDArray]]:
    """Predictions and references that agree in two pixels of three; some classes never occur."""
    random = np.random.default_rng(seed)
    known = random.choice(classes, max(2, classes * 3 // 4), replace=False)
    pairs = []
    for _ in range(count):
        shape = tuple(random.integers(1, 60, 2))
        truth = random.choice(known, shape)
        other = random.choice(known, shape)
        pairs.append((np.where(random.random(shape) < 0.67, truth, other).astype(dtype), truth))
    return [(prediction, truth.astype(dtype)) for prediction, truth in pairs]


@pytest.mark.parametrize(
    "classes, dtype", [(2, np.uint8), (19, np.uint8), (256, np.uint8), (700, np.uint16)]
)
def test_random_label_maps(iqa: Program, tmp_path: Path, classes: int, dtype: type) -> None:
    folders = write_maps(tmp_path, random_pairs(classes, classes, 5, dtype))
    truth, prediction = all_counted(folders, None)
    check_everything(report(iqa, *folders, "--classes", classes), truth, prediction, classes)
    inside = int(truth[0])
    kept = truth != inside
    found = report(iqa, *folders, "--classes", classes, "--ignore", inside)
    check_everything(found, truth[kept], prediction[kept], classes)


def test_threads_and_instruction_sets_give_the_same_output(iqa: Program, tmp_path: Path) -> None:
    folders = write_maps(tmp_path, random_pairs(3, 19, 9))
    outputs = set()
    for threads, instructions in itertools.product((1, 2, 5), ("baseline", "best")):
        found = report(
            iqa,
            *folders,
            "--classes",
            19,
            "--threads",
            threads,
            "--instruction-set",
            instructions,
            "--average",
            "macro,pairs",
        )
        del found["library"]
        outputs.add(json.dumps(found))
    assert len(outputs) == 1


def test_two_files(iqa: Program) -> None:
    paths = [LABELS / side / "coffee.png" for side in ("prediction", "reference")]
    found = report(iqa, *paths, "--classes", 5, "--ignore", IGNORED)
    y, x = (read(path) for path in paths)
    check_everything(found, x[x != IGNORED], y[x != IGNORED], 5)
    text = iqa.fine("segment", *paths, "--classes", 5, "--ignore", IGNORED)
    assert text.startswith("60000 pixels, 10192 ignored, 0 invalid\n")


def test_means_over_files_and_pairs(iqa: Program, tmp_path: Path) -> None:
    pairs = random_pairs(5, 6, 7)
    folders = write_maps(tmp_path, pairs)
    own = [
        expected_classes(metrics.confusion_matrix(x.ravel(), y.ravel(), labels=range(6)))
        for y, x in pairs
    ]
    found = report(iqa, *folders, "--classes", 6, "--over", "files")
    for name in CLASS_SCORES:
        with np.errstate(all="ignore"):
            of_files = np.mean([np.nanmean(each[name]) for each in own])
            each = [
                np.nanmean([one[name][label] for one in own])
                if any(not np.isnan(one[name][label]) for one in own)
                else np.nan
                for label in range(6)
            ]
        assert float(found["averages"]["macro"][name]) == pytest.approx(of_files, rel=1e-13)
        values = [float(one[name]) for one in found["classes"]]
        assert np.allclose(values, each, rtol=1e-13, atol=0, equal_nan=True)
    text = iqa.fine("segment", *folders, "--classes", 6, "--over", "files")
    assert "scores are means of the files' scores" in text

    found = report(iqa, *folders, "--classes", 6, "--average", "pairs,macro")
    pair_mean = np.nanmean([each["iou"] for each in own])
    assert float(found["averages"]["pairs"]["iou"]) == pytest.approx(pair_mean, rel=1e-13)
    assert found["scores"]["mean_iou"] == found["averages"]["pairs"]["iou"]
    preset = report(iqa, *folders, "--classes", 6, "--preset", "torchmetrics-mean-iou")
    assert preset["averages"]["pairs"] == found["averages"]["pairs"]
    assert list(preset["averages"]) == ["pairs"]


def test_empty_classes_and_presets(iqa: Program, tmp_path: Path) -> None:
    truth = np.array([[0, 0, 1, 1]], np.uint8)
    prediction = np.array([[0, 1, 1, 1]], np.uint8)
    folders = write_maps(tmp_path, [(prediction, truth)])

    def mean(*options: object) -> float:
        return float(report(iqa, *folders, "--classes", 3, *options)["scores"]["mean_iou"])

    own = np.array([1 / 2, 2 / 3])
    assert mean() == own.mean()
    assert mean("--empty", "zero") == pytest.approx(own.sum() / 3, rel=1e-15)
    assert mean("--empty", "one") == pytest.approx((own.sum() + 1) / 3, rel=1e-15)
    assert np.isnan(mean("--empty", "nan"))
    assert mean("--preset", "monai-keep-empty") == mean("--empty", "one")
    assert mean("--empty", "skip", "--preset", "monai-keep-empty") == mean()
    assert mean("--preset", "mmsegmentation") == mean()
    assert mean("--exclude", "0") == own[1]
    text = iqa.fine("segment", *folders, "--classes", 3, "--exclude", "0")
    assert "0 (excluded)" in text and "1 class occurs nowhere" in text


def test_excluded_classes(iqa: Program) -> None:
    by_number = report(iqa, *SHIPPED, "--ignore", IGNORED, "--exclude", "0,3")
    by_name = report(iqa, *SHIPPED, "--ignore", IGNORED, "--exclude", "bright,shadow")
    assert by_number["averages"] == by_name["averages"]
    assert by_number["options"]["excluded"] == [0, 3]
    truth, prediction = all_counted(SHIPPED[:2], IGNORED)
    for average in ("macro", "micro", "weighted"):
        wanted = metrics.f1_score(truth, prediction, labels=[1, 2, 4], average=average)
        assert close(by_number["averages"][average]["dice"], wanted)
    everything = report(iqa, *SHIPPED, "--ignore", IGNORED)
    assert everything["matrix"] == by_number["matrix"]  # their pixels stay counted


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


def test_matrix_as_numbers(iqa: Program, tmp_path: Path) -> None:
    matrix = np.array(report(iqa, *SHIPPED, "--ignore", IGNORED)["matrix"], float)
    for normalise, divisor in (
        ("row", matrix.sum(1, keepdims=True)),
        ("column", matrix.sum(0, keepdims=True)),
        ("all", matrix.sum()),
        ("none", 1),
    ):
        path = tmp_path / f"{normalise}.csv"
        iqa.fine(
            "segment", *SHIPPED, "--ignore", IGNORED, "--matrix", path, "--normalise", normalise
        )
        rows = list(csv.reader(io.StringIO(path.read_text())))
        assert rows[0] == ["reference", *NAMES] and [row[0] for row in rows[1:]] == NAMES
        assert close([row[1:] for row in rows[1:]], matrix / divisor)


def cells_of(path: Path, classes: int) -> NDArray[np.uint8]:
    """The colour in the upper left corner of each cell: the frame around the matrix finds it."""
    picture = np.asarray(Image.open(path)).astype(int)
    is_frame = (picture == (120, 120, 130)).all(axis=2)
    row = int(np.argmax(is_frame.sum(axis=1)))
    edges = np.diff(is_frame[row], prepend=False, append=False).nonzero()[0].reshape(-1, 2)
    left, right = edges[np.argmax(edges[:, 1] - edges[:, 0])] - (0, 1)
    cell = (right - left - 1) // classes
    assert cell * classes == right - left - 1
    at = 1 + cell * np.arange(classes)
    return picture[np.ix_(row + at, left + at)].astype(np.uint8)


@pytest.mark.parametrize("classes", [1, 2, 5, 19, 60, 100, 300])
def test_matrix_picture(iqa: Program, tmp_path: Path, classes: int) -> None:
    """Darker is more; white is nothing; a class without pixels is grey."""
    truth, prediction = np.random.default_rng(classes).integers(0, classes, (2, 40, 50))
    truth[truth == 3] = 4
    pair = (np.where(truth < classes / 2, truth, prediction), truth)
    dtype = np.uint16 if classes > 256 else np.uint8
    folders = write_maps(tmp_path, [(pair[0].astype(dtype), pair[1].astype(dtype))])
    path = tmp_path / "matrix.png"
    iqa.fine("segment", *folders, "--classes", classes, "--matrix", path)
    assert Image.open(path).size[0] < 1300 and Image.open(path).size[1] < 1300
    colours = cells_of(path, classes).reshape(-1, 3).astype(float)
    matrix = np.array(report(iqa, *folders, "--classes", classes)["matrix"], float)
    shares = (matrix / np.maximum(matrix.sum(1, keepdims=True), 1)).ravel()
    support = np.repeat(matrix.sum(1), classes)
    assert (colours[support == 0] == (208, 208, 214)).all()
    assert (colours[(support > 0) & (shares == 0)] == 255).all()
    counted = shares > 0
    brightness = colours[counted] @ (0.3, 0.59, 0.11)
    order = np.argsort(shares[counted], kind="stable")
    assert (np.diff(brightness[order]) <= 1).all()
    assert brightness.min() < 30  # the sure classes are darkest


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
        start = time.monotonic()
        assert process.wait(60) == 130
        assert time.monotonic() - start < 30
    os.close(master)
    assert b"/2000" in shown
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert 1 <= len(rows) < 2000 and all(row["accuracy"] == "1" for row in rows)


def test_a_hostile_header_takes_no_memory(iqa: Program, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(PNG_MAGIC + png_header(1 << 30, 1 << 30, 8, 3) + png_chunk(b"PLTE", bytes(3)))
    line = iqa.error("segment", path, path, "--classes", 2, preexec_fn=iqa.limit_memory)
    assert line.startswith(f"iqa: {path}: ")
