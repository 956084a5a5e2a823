# SPDX-License-Identifier: MIT
"""The values of TorchMetrics where it is right: see make_torchmetrics_values.py."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import iqa

CASES = json.loads(Path(__file__).with_name("torchmetrics_values.json").read_text())
TOLERANCE = 2e-6  # TorchMetrics divides in float32


def same(ours, theirs):
    theirs = np.array(theirs, dtype=float)  # null is NaN
    return np.allclose(ours, theirs, rtol=0, atol=TOLERANCE, equal_nan=True)


def test_of_which_version_they_are():
    assert CASES["torchmetrics"] == "1.9.0"
    assert min(len(cases) for cases in CASES.values() if isinstance(cases, list)) >= 20
    assert sum(len(case["generalized dice of samples"]) for case in CASES["segmentation"]) >= 20


@pytest.mark.parametrize("case", CASES["multiclass"])
def test_multiclass(case):
    metric = iqa.ConfusionMatrix(case["classes"], ignore=-1, convention="torchmetrics")
    metric.update(np.array(case["target"]), np.array(case["preds"]))
    assert metric.matrix.tolist() == case["matrix"]
    for name, value in case["values"].items():
        score, average = name.split()
        assert same(metric.score(score, average=average), value), name


@pytest.mark.parametrize("case", CASES["ignored_inside"])
def test_ignored_label_inside_the_classes(case):
    metric = iqa.ConfusionMatrix(case["classes"], ignore=case["ignore"], convention="torchmetrics")
    metric.update(np.array(case["target"]), np.array(case["preds"]))
    for name, value in case["values"].items():
        score, average = name.split()
        assert same(metric.score(score, average=average), value), name


@pytest.mark.parametrize("case", CASES["multilabel"])
def test_multilabel(case):
    metric = iqa.ConfusionMatrix(
        case["classes"],
        task="multilabel",
        candidate="threshold",
        convention="torchmetrics_multilabel",
    )
    metric.update(np.array(case["target"]), np.array(case["preds"]))
    assert metric.matrix.tolist() == case["matrix"]
    for name, value in case["values"].items():
        score, average = name.split()
        assert same(metric.score(score, average=average), value), name


@pytest.mark.parametrize("case", CASES["segmentation"])
def test_segmentation(case):
    target, preds = np.array(case["target"]), np.array(case["preds"])

    def of(score, average):
        metric = iqa.ConfusionMatrix(
            case["classes"],
            batched=True,
            keep_samples=True,
            score=score,
            average=average,
            convention="torchmetrics_dice",
        )
        details = metric.update(target, preds, per_sample=True)
        return metric, details.per_sample

    for average, theirs in case["dice per sample"].items():
        metric, ours = of("dice", average)
        assert same(ours, theirs), average
        assert same(metric.compute(), np.nanmean(np.array(theirs, float)))
    metric, ours = of("iou", "macro")
    assert same(ours, case["iou per sample"])
    pairs = metric.iou(convention="torchmetrics_mean_iou", average="pairs")
    assert same(pairs, case["iou of pairs"])
    _, ours = of("generalized_dice", "macro")
    for sample, theirs in case["generalized dice of samples"]:
        assert same(ours[sample], theirs)


@pytest.mark.parametrize("case", CASES["foreground"])
def test_without_background(case):
    """include_background=False: samples without anything else on either side are left out."""
    target, preds = np.array(case["target"]), np.array(case["preds"])
    for average, theirs in case["dice per sample"].items():
        metric = iqa.ConfusionMatrix(
            case["classes"],
            batched=True,
            keep_samples=True,
            score="dice",
            average=average,
            convention="torchmetrics_dice",
            excluded=[0],
        )
        details = metric.update(target, preds, per_sample=True)
        assert same(details.per_sample, theirs), average
        assert same(metric.compute(), case["dice samplewise"][average]), average
        assert same(metric.dice(over="elements"), case["dice global"][average]), average
    pairs = metric.iou(convention="torchmetrics_mean_iou", average="pairs")
    assert same(pairs, case["iou of pairs"])
