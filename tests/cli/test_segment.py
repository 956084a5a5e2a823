# SPDX-License-Identifier: MIT
"""Label maps compared: every number beside scikit-learn and NumPy on the same files."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DATA, Program
from label_maps import LABELS, SHIPPED, close, random_pairs, read, report, write_maps
from numpy.typing import NDArray
from PIL import Image
from sklearn import metrics

NAMES = ["shadow", "dark", "middle", "bright", "light"]
IGNORED = 255
CLASS_SCORES = ("iou", "dice", "precision", "recall", "specificity")


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


def test_the_script_makes_the_shipped_label_maps(tmp_path: Path) -> None:
    subprocess.run([sys.executable, DATA / "make_labels.py", tmp_path], check=True)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.glob("*/*.png"))
    assert made == sorted(path.relative_to(LABELS) for path in LABELS.glob("*/*.png"))
    for name in made:
        assert np.array_equal(read(tmp_path / name), read(LABELS / name)), name
    assert (tmp_path / "names.csv").read_text() == (LABELS / "names.csv").read_text()


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
