# SPDX-License-Identifier: MIT
"""Writes torchmetrics_values.json: random labels and what TorchMetrics makes of them.

Only what TorchMetrics gets right is in it; docs/guide/confusion.md lists the rest. Needs torch and
torchmetrics:

    python make_torchmetrics_values.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchmetrics
from torchmetrics.functional import classification as tm
from torchmetrics.functional import segmentation as seg
from torchmetrics.segmentation import DiceScore, MeanIoU

CASES = 24
CLASSIFICATION = {
    "accuracy": tm.multiclass_accuracy,
    "precision": tm.multiclass_precision,
    "recall": tm.multiclass_recall,
    "specificity": tm.multiclass_specificity,
    "dice": tm.multiclass_f1_score,
    "iou": tm.multiclass_jaccard_index,
}


def numbers(value: torch.Tensor) -> Any:
    """A tensor as nested lists; NaN as null."""
    values = value.double().numpy()
    return np.where(np.isnan(values), None, values).tolist()


def classification(*labels: torch.Tensor, **own: int) -> dict[str, Any]:
    """Every score and average of multiclass labels."""
    return {
        f"{name} {average}": numbers(score(*labels, average=average, **own))
        for name, score in CLASSIFICATION.items()
        for average in ("none", "micro", "macro", "weighted")
    }


def multiclass(rng: np.random.Generator) -> dict[str, Any]:
    """Index labels; the ignored label lies outside the classes."""
    classes = int(rng.integers(3, 7))
    count = int(rng.integers(8, 30))
    target = rng.integers(0, classes, count)
    preds = np.where(rng.random(count) < 0.6, target, rng.integers(0, classes, count))
    target[rng.random(count) < 0.15] = -1
    labels = (torch.tensor(preds), torch.tensor(target))
    own = {"num_classes": classes, "ignore_index": -1}
    values = classification(*labels, **own)
    for name, weights in (
        ("kappa", None),
        ("kappa_linear", "linear"),
        ("kappa_quadratic", "quadratic"),
    ):
        values[f"{name} micro"] = numbers(
            tm.multiclass_cohen_kappa(*labels, weights=weights, **own)
        )
    values["mcc micro"] = numbers(tm.multiclass_matthews_corrcoef(*labels, **own))
    return {
        "classes": classes,
        "target": target.tolist(),
        "preds": preds.tolist(),
        "matrix": tm.multiclass_confusion_matrix(*labels, **own).tolist(),
        "values": values,
    }


def ignored_inside(rng: np.random.Generator) -> dict[str, Any]:
    """Index labels; the ignored label is one of the classes, and not all there is."""
    classes = int(rng.integers(3, 7))
    count = int(rng.integers(8, 30))
    target = rng.integers(0, classes, count)
    preds = np.where(rng.random(count) < 0.6, target, rng.integers(0, classes, count))
    ignore = int(rng.choice(np.setdiff1d(np.arange(classes), target[:1])))
    labels = (torch.tensor(preds), torch.tensor(target))
    return {
        "classes": classes,
        "ignore": ignore,
        "target": target.tolist(),
        "preds": preds.tolist(),
        "values": classification(*labels, num_classes=classes, ignore_index=ignore),
    }


def multilabel(rng: np.random.Generator) -> dict[str, Any]:
    """Probabilities above 0.5 against masks."""
    classes = int(rng.integers(2, 5))
    shape = (int(rng.integers(3, 12)), classes)
    target = rng.integers(0, 2, shape)
    preds = rng.integers(0, 21, shape) / 20  # with 0.5 itself
    labels = (torch.tensor(preds), torch.tensor(target))
    scores = {
        "accuracy": tm.multilabel_accuracy,
        "precision": tm.multilabel_precision,
        "recall": tm.multilabel_recall,
        "specificity": tm.multilabel_specificity,
        "dice": tm.multilabel_f1_score,
        "iou": tm.multilabel_jaccard_index,
    }
    return {
        "classes": classes,
        "target": target.tolist(),
        "preds": preds.tolist(),
        "matrix": tm.multilabel_confusion_matrix(*labels, num_labels=classes).tolist(),
        "values": {
            f"{name} {average}": numbers(score(*labels, num_labels=classes, average=average))
            for name, score in scores.items()
            for average in ("none", "micro", "macro", "weighted")
        },
    }


def segmentation(rng: np.random.Generator) -> dict[str, Any]:
    """Index maps N x H x W, sample by sample."""
    classes = int(rng.integers(3, 6))
    shape = (int(rng.integers(2, 5)), 4, 5)
    target = rng.integers(0, rng.choice([2, classes], (shape[0], 1, 1)), shape)
    preds = np.where(rng.random(shape) < 0.7, target, rng.integers(0, classes, shape))
    labels = (torch.tensor(preds), torch.tensor(target))
    own = {"num_classes": classes, "input_format": "index"}
    dice = {
        average: seg.dice_score(*labels, average=average, include_background=True, **own)
        for average in ("micro", "macro", "weighted")
    }
    mean_iou = MeanIoU(**own)
    mean_iou.update(*labels)
    generalized = [  # of one sample, and with every class in it: the rest is wrong
        [index, float(seg.generalized_dice_score(p[None], t[None], include_background=True, **own))]
        for index, (p, t) in enumerate(zip(*labels))
        if len(t.unique()) == classes
    ]
    return {
        "classes": classes,
        "target": target.tolist(),
        "preds": preds.tolist(),
        "dice per sample": {average: numbers(value) for average, value in dice.items()},
        "iou per sample": numbers(seg.mean_iou(*labels, **own)),
        "iou of pairs": numbers(mean_iou.compute()),
        "generalized dice of samples": generalized,
    }


def foreground(rng: np.random.Generator) -> dict[str, Any]:
    """Index maps without the background; some samples have nothing else on one side or both."""
    classes = int(rng.integers(2, 6))
    shape = (int(rng.integers(3, 7)), 4, 5)
    target = rng.integers(0, classes, shape)
    preds = np.where(rng.random(shape) < 0.7, target, rng.integers(0, classes, shape))
    only = rng.integers(0, 4, shape[0])  # the background in neither, one of them, or both
    target[only % 2 == 1] = 0
    preds[only // 2 == 1] = 0
    labels = (torch.tensor(preds), torch.tensor(target))
    own = {"num_classes": classes, "input_format": "index", "include_background": False}

    def dice(average: str, level: str) -> dict[str, Any]:
        score = DiceScore(average=average, aggregation_level=level, **own)
        score.update(*labels)
        return numbers(score.compute())

    averages = ("micro", "macro", "weighted")
    mean_iou = MeanIoU(**own)
    mean_iou.update(*labels)
    return {
        "classes": classes,
        "target": target.tolist(),
        "preds": preds.tolist(),
        "dice per sample": {
            average: numbers(seg.dice_score(*labels, average=average, **own))
            for average in averages
        },
        "dice samplewise": {average: dice(average, "samplewise") for average in averages},
        "dice global": {average: dice(average, "global") for average in averages},
        "iou of pairs": numbers(mean_iou.compute()),
    }


def main() -> None:
    """Writes the file beside this one."""
    rng = np.random.default_rng(1)
    cases = {
        "torchmetrics": torchmetrics.__version__,
        "torch": torch.__version__,
        "multiclass": [multiclass(rng) for _ in range(CASES)],
        "multilabel": [multilabel(rng) for _ in range(CASES)],
        "segmentation": [segmentation(rng) for _ in range(CASES)],
        "ignored_inside": [ignored_inside(rng) for _ in range(CASES)],
        "foreground": [foreground(rng) for _ in range(CASES)],
    }
    path = Path(__file__).with_name("torchmetrics_values.json")
    path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
