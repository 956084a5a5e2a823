# SPDX-License-Identifier: MIT
"""Scores beside scikit-learn, live: random labels, absent classes, ignored labels, weights."""

from __future__ import annotations

import warnings
from fractions import Fraction
from math import isnan, isqrt

import numpy as np
import pytest

import iqa

sklearn_metrics = pytest.importorskip("sklearn.metrics")

CASES = {False: 2000, True: 500}
TOLERANCE = 1e-15
INTEGERS = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64]
# What 0 / 0 is: scikit-learn's NaN leaves classes out of averages. Its Jaccard score takes 0 and 1.
ZERO_DIVISIONS = {"zero": 0, "one": 1, "skip": np.nan}


def close(ours: float, theirs: float) -> bool:
    """Equal to 1e-15 relative; NaN equals NaN."""
    if isnan(theirs) or isnan(ours):
        return isnan(theirs) and isnan(ours)
    return abs(ours - theirs) <= TOLERANCE * abs(theirs)


def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int, int | None]:
    """Labels, the number of classes (some are absent), and the ignored label if there is one."""
    classes = int(rng.integers(2, 12))
    count = int(rng.integers(1, 200))
    used = rng.permutation(classes)[: rng.integers(1, classes + 1)]
    reference = rng.choice(used, count)
    candidate = np.where(
        rng.random(count) < rng.random(), reference, rng.integers(0, classes, count)
    )
    ignore = [None, 100, -1, int(rng.integers(0, classes))][rng.integers(0, 4)]
    if ignore is not None:
        reference = np.where(rng.random(count) < 0.2, ignore, reference)
    types = [INTEGERS[i] for i in rng.integers(0, len(INTEGERS), 2)]
    if ignore is not None and ignore < 0:
        types[0] = np.int16
    return reference.astype(types[0]), candidate.astype(types[1]), classes, ignore


def kept(reference: np.ndarray, ignore: int | None) -> np.ndarray:
    """Where scikit-learn gets to see the labels."""
    return (
        np.ones(reference.shape, bool) if ignore is None else reference.astype(np.int64) != ignore
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_random_cases(weighted: bool) -> None:
    """All that scikit-learn has: the matrix, its normalisations, every score, every average."""
    rng = np.random.default_rng(20 + weighted)
    compared = 0
    for _ in range(CASES[weighted]):
        reference, candidate, classes, ignore = draw(rng)
        keep = kept(reference, ignore)
        # Multiples of 1/64: scikit-learn's own sums are then exact, and fit to compare with.
        weights = rng.integers(1, 1024, reference.size) / 64 if weighted else None
        metric = iqa.ConfusionMatrix(classes, ignore=ignore, weighted=weighted)
        metric.update(reference, candidate, weights=weights)
        if not keep.any():
            assert metric.ignored == reference.size
            continue
        own_weights = None if weights is None else weights[keep]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compared += compare(metric, reference[keep], candidate[keep], classes, own_weights, rng)
    assert compared > 50 * CASES[weighted]


def compare(
    metric: iqa.ConfusionMatrix,
    y_true: np.ndarray,
    y_pred: np.ndarray,
    classes: int,
    weights: np.ndarray | None,
    rng: np.random.Generator,
) -> int:
    """Compares everything; returns the number of comparisons."""
    y_true, y_pred = y_true.astype(np.int64), y_pred.astype(np.int64)
    labels = np.arange(classes)
    own = {"sample_weight": weights}
    compared = 0

    def same(ours: float, theirs: float, what: str) -> None:
        nonlocal compared
        assert close(float(ours), float(theirs)), (
            what,
            float(ours),
            float(theirs),
            y_true,
            y_pred,
            weights,
        )
        compared += 1

    matrix = sklearn_metrics.confusion_matrix(y_true, y_pred, labels=labels, **own)
    assert np.array_equal(metric.matrix, matrix)
    if matrix.sum() == 0:
        return 0
    for ours, theirs in (("row", "true"), ("column", "pred"), ("all", "all")):
        normal = sklearn_metrics.confusion_matrix(
            y_true, y_pred, labels=labels, normalize=theirs, **own
        )
        for a, b in zip(metric.normalized(ours).ravel(), normal.ravel()):
            same(a, b, "normalised by " + theirs)

    beta = float(rng.choice([0.0, 0.5, 1.0, 2.0]))
    zero = str(rng.choice(list(ZERO_DIVISIONS)))
    average = str(rng.choice(["none", "micro", "macro", "weighted"]))
    # labels=some: those count even where they are absent; labels=None: only the labels that occur.
    everywhere = average == "none" or rng.random() < 0.7
    averaged = labels
    if everywhere and rng.integers(0, 2):
        averaged = np.sort(rng.permutation(classes)[: rng.integers(1, classes)])
    how = {
        "average": average,
        "empty": "as_ratio" if everywhere else "skip_in_averages",
        "zero_division": zero,
        "beta": beta,
        "excluded": np.setdiff1d(labels, averaged),
    }
    rules = {
        "labels": averaged if everywhere else None,
        "average": None if average == "none" else average,
        "zero_division": ZERO_DIVISIONS[zero],
    }
    for score, theirs in scores_of_scikit_learn(y_true, y_pred, beta, rules, own).items():
        ours = metric.score(score, **how)
        ours = ours[averaged] if average == "none" else [ours]
        for a, b in zip(ours, np.atleast_1d(theirs)):
            same(a, b, f"{score} {average} of {averaged}, {everywhere}, beta={beta} zero={zero}")

    same(
        metric.accuracy(average="micro"),
        sklearn_metrics.accuracy_score(y_true, y_pred, **own),
        "accuracy",
    )
    same(
        metric.balanced_accuracy(),
        sklearn_metrics.balanced_accuracy_score(y_true, y_pred, **own),
        "balanced accuracy",
    )
    correlation, kappas = exact_agreement(matrix)
    same(metric.mcc(), correlation, "mcc")
    theirs_mcc = sklearn_metrics.matthews_corrcoef(y_true, y_pred, **own)
    assert abs(metric.mcc() - theirs_mcc) <= 4e-16 + 1e-14 * abs(theirs_mcc)
    for weights_of in (None, "linear", "quadratic"):
        ours = metric.kappa(weights_of, zero_division="nan")
        same(ours, kappas[weights_of], f"kappa {weights_of}")
        theirs_kappa = sklearn_metrics.cohen_kappa_score(
            y_true, y_pred, labels=labels, weights=weights_of, **own
        )
        assert (isnan(ours) and isnan(theirs_kappa)) or abs(ours - theirs_kappa) < 1e-14
    return compared


def scores_of_scikit_learn(
    y_true: np.ndarray, y_pred: np.ndarray, beta: float, rules: dict, own: dict
) -> dict[str, np.ndarray]:
    """Precision, recall, F and the Jaccard score by the same rules."""
    scores = sklearn_metrics.precision_recall_fscore_support(
        y_true, y_pred, beta=beta, **rules, **own
    )
    named = dict(zip(("precision", "recall", "f"), scores))
    if not isnan(rules["zero_division"]):
        named["iou"] = sklearn_metrics.jaccard_score(y_true, y_pred, **rules, **own)
    return named


def exact_agreement(matrix: np.ndarray) -> tuple[float, dict[str | None, float]]:
    """MCC and kappas in rational arithmetic: near 0 scikit-learn's floats cancel."""
    cells = [[Fraction(float(v)) for v in row] for row in matrix]
    size = range(len(cells))
    total = sum(map(sum, cells))
    rows = [sum(row) for row in cells]
    columns = [sum(cells[i][j] for i in size) for j in size]
    agreement = sum(cells[i][i] for i in size)
    numerator = agreement * total - sum(r * c for r, c in zip(rows, columns))
    spread = (total**2 - sum(c * c for c in columns)) * (total**2 - sum(r * r for r in rows))
    correlation = 0.0
    if spread:
        square = numerator**2 / spread
        scaled = int(square * Fraction(4) ** 160)
        correlation = float(Fraction(isqrt(scaled), 2**160)) * (1 if numerator >= 0 else -1)
    kappas: dict[str | None, float] = {}
    for name, power in ((None, 0), ("linear", 1), ("quadratic", 2)):
        weight = [[Fraction(abs(i - j) ** power if i != j else 0) for j in size] for i in size]
        observed = sum(weight[i][j] * cells[i][j] for i in size for j in size)
        expected = sum(weight[i][j] * rows[i] * columns[j] for i in size for j in size)
        kappas[name] = float(1 - observed * total / expected) if expected else float("nan")
    return correlation, kappas


def test_nan_zero_division() -> None:
    """scikit-learn leaves undefined classes out of means when zero_division is NaN."""
    rng = np.random.default_rng(5)
    for _ in range(300):
        reference, candidate, classes, _ = draw(rng)
        reference = np.where(
            (reference < 0) | (reference >= classes), 0, reference.astype(np.int64)
        )
        metric = iqa.ConfusionMatrix(classes)
        metric.update(reference, candidate)
        for average in ("none", "macro", "weighted"):
            name = None if average == "none" else average
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = sklearn_metrics.precision_recall_fscore_support(
                    reference,
                    candidate,
                    labels=np.arange(classes),
                    average=name,
                    zero_division=np.nan,
                )
            for score, value in zip(("precision", "recall", "f"), theirs):
                ours = metric.score(score, average=average, empty="as_ratio", zero_division="skip")
                for a, b in zip(np.atleast_1d(ours), np.atleast_1d(value)):
                    assert close(float(a), float(b)), (score, average, a, b, reference, candidate)


@pytest.mark.parametrize("zero", ZERO_DIVISIONS)
@pytest.mark.parametrize("average", ["none", "micro", "macro", "weighted"])
def test_multilabel(average: str, zero: str) -> None:
    """Masks N x C, some of them empty, and the matrices of each label; some labels excluded."""
    rng = np.random.default_rng(6)
    name = None if average == "none" else average
    for _ in range(200):
        labels = int(rng.integers(2, 7))
        shape = (int(rng.integers(1, 40)), labels)
        densities = rng.random((2, labels)) * (rng.random((2, labels)) < 0.6)
        reference = (rng.random(shape) < densities[0]).astype(np.uint8)
        candidate = (rng.random(shape) < densities[1]).astype(bool)
        averaged = np.sort(rng.permutation(labels)[: rng.integers(1, labels + 1)])
        metric = iqa.ConfusionMatrix(labels, task="multilabel")
        metric.update(reference, candidate)
        matrices = sklearn_metrics.multilabel_confusion_matrix(reference, candidate)
        assert np.array_equal(metric.matrix, matrices)
        how = {"convention": "torchmetrics_multilabel", "average": average, "zero_division": zero}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rules = {"labels": averaged, "average": name, "zero_division": ZERO_DIVISIONS[zero]}
            theirs = scores_of_scikit_learn(reference, candidate, 1.0, rules, {})
        for score, value in theirs.items():
            ours = metric.score(score, excluded=np.setdiff1d(np.arange(labels), averaged), **how)
            ours = ours[averaged] if average == "none" else [ours]
            for a, b in zip(ours, np.atleast_1d(value)):
                assert close(float(a), float(b)), (score, a, b, reference, candidate, averaged)


@pytest.mark.parametrize("zero", ZERO_DIVISIONS)
def test_samplewise(zero: str) -> None:
    """The mean over samples of the micro average is scikit-learn's average='samples'."""
    rng = np.random.default_rng(8)
    for _ in range(100):
        shape = (int(rng.integers(1, 30)), 2, int(rng.integers(1, 9)))
        empty = rng.random((2, shape[0], 1, 1)) < 0.3
        reference, candidate = rng.integers(0, 2, (2, *shape)) * ~empty
        metric = iqa.ConfusionMatrix(
            2,
            task="multilabel",
            batched=True,
            keep_samples=True,
            average="micro",
            over="samples",
            empty="as_ratio",
            zero_division=zero,
        )
        metric.update(reference, candidate)
        flat = [a.reshape(shape[0], -1) for a in (reference, candidate)]
        theirs = sklearn_metrics.f1_score(
            *flat, average="samples", zero_division=ZERO_DIVISIONS[zero]
        )
        ours = metric.f1()
        assert abs(ours - theirs) <= 1e-15 or (isnan(ours) and isnan(theirs))


def test_top_k() -> None:
    """Hits among the k largest scores."""
    rng = np.random.default_rng(9)
    for _ in range(200):
        classes = int(rng.integers(3, 9))
        count = int(rng.integers(1, 50))
        scores = rng.random((count, classes))
        reference = rng.integers(0, classes, count)
        k = int(rng.integers(1, classes))
        metric = iqa.ConfusionMatrix(classes, candidate="argmax", top_k=k)
        metric.update(reference, scores)
        theirs = sklearn_metrics.top_k_accuracy_score(
            reference, scores, k=k, labels=np.arange(classes)
        )
        assert close(metric.accuracy(average="micro"), theirs)
