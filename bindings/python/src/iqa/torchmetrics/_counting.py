# SPDX-License-Identifier: MIT
"""What the classification metrics of each task share: how tensors become counts and values."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .._confusion import ConfusionMatrix as Counts
from .._errors import InvalidArgumentError, ShapeError
from .._metric import Metric
from ._base import ExactMetric, check_same_shape, one_of, own_words, whole

AVERAGES = ("micro", "macro", "weighted", "none", None)
_LARGEST_MATRIX = 256
"""With more classes than this, a score that needs no matrix counts per class."""


class Counting(ExactMetric):
    """Counts of labels, and a score of them.

    A subclass says in `_score` what is read, and in `_needs_matrix` whether pairs of classes
    matter for it. All scores of one task and classes have the same lanes: a collection counts once.
    """

    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    _score = ""
    _needs_matrix = False
    _task = "multiclass"
    _samplewise = False
    _each = False
    """Whether there is a value for each class."""

    def _count(
        self,
        classes: int,
        ignore_index: int | None,
        reading: dict[str, Any],
        *meaning: Any,
        form: str = "index",
    ) -> None:
        """Begins to count.

        Args:
            classes: C.
            ignore_index: a label of the target to leave out.
            reading: how the score is read.
            meaning: what else the lanes have to agree in.
            form: of the predictions: "index", or "argmax" for scores of classes.
        """
        if ignore_index is not None and not isinstance(ignore_index, int):
            raise InvalidArgumentError(
                f"ignore_index is {ignore_index!r}, expected None or an integer"
            )
        self._classes = classes
        self._reading = reading
        per_class = not self._needs_matrix and classes > _LARGEST_MATRIX
        self._options: dict[str, Any] = {"task": self._task, "ignore": ignore_index}
        if self._task == "multiclass" and per_class:
            self._options["counts"] = "per_class"
        if self._samplewise:
            self._options |= {"batched": True, "score": self._score, **reading}
            self.add_state("values", [], dist_reduce_fx="cat")
            meaning = (*meaning, self._score, reading)
        self._begin(form, *meaning)

    def _made(self, form: str) -> list[Metric]:
        options = dict(self._options)
        if form == "argmax":
            options |= {"candidate": form, "top_k": self._top_k}
        return [Counts(self._classes, **options)]

    _top_k = 1

    def _add(self, preds: Tensor, target: Tensor, form: str = "index") -> None:
        (metric,) = self._in_form(form)
        with own_words():
            if not self._samplewise:
                metric.update(target, preds)
                return
            shape = (target.shape[0], self._classes) if self._each else (target.shape[0],)
            values = target.new_empty(shape, dtype=torch.float64)
            metric.update(target, preds, **{"per_class" if self._each else "per_sample": values})
        self.values.append(values.to(self.dtype))

    def compute(self) -> Tensor:
        """The score, or one for each class, or for each sample."""
        if self._samplewise:
            return self._joined("values")
        shape = (self._classes,) if self._each else ()
        score, reading = self._score, self._reading
        return self._read(lambda: self._metric.score(score, **reading), shape, self._of_nothing())

    def _of_nothing(self) -> float:
        """The score without data, as TorchMetrics has it."""
        average = self._reading.get("average")
        if average == "weighted" or (average == "macro" and self._task == "multiclass"):
            return math.nan if self._score == "iou" else 0.0  # a mean over no class
        if self._score == "mcc":
            return 0.0
        return {"zero": 0.0, "one": 1.0}.get(self._reading.get("zero_division", ""), math.nan)


def stated(average: str | None) -> str:
    """The word of this library for an average of TorchMetrics."""
    return average or "none"


def check_average(average: str | None) -> None:
    """The average has to be one that TorchMetrics has."""
    one_of("average", average, AVERAGES)


def check_multidim_average(multidim_average: str | None) -> None:
    """The word has to be one that TorchMetrics has."""
    one_of("multidim_average", multidim_average, ("global", "samplewise"))


def check_threshold(threshold: Any) -> None:
    """The threshold has to be a probability."""
    if not isinstance(threshold, float) or not 0 <= threshold <= 1:
        raise InvalidArgumentError(f"threshold is {threshold!r}, expected a float from 0 to 1")


def word_of(zero_division: Any, skipped: str = "nan") -> str:
    """The word of this library for what 0 / 0 is."""
    if isinstance(zero_division, float) and math.isnan(zero_division):
        return skipped
    one_of("zero_division", zero_division, (0, 1))
    return "one" if zero_division else "zero"


def decided(preds: Tensor, threshold: float) -> Tensor:
    """A yes or a no for each score; all are logits where one of them is no probability."""
    if not preds.is_floating_point():
        return preds
    if preds.numel():
        low, high = torch.aminmax(preds)
        if low < 0 or high > 1:
            preds = preds.sigmoid()
    return preds > threshold


def labels(values: Tensor) -> Tensor:
    """Class numbers, also where they are stored as floating-point numbers."""
    values = values.detach()
    return values.long() if values.is_floating_point() else values


def flat(values: Tensor, kept: int) -> Tensor:
    """The axes behind the first ones in a row."""
    return values.reshape(*values.shape[:kept], -1)


class BinaryCounting(Counting):
    """Labels 0 and 1."""

    def _binary(
        self,
        threshold: float,
        ignore_index: int | None,
        reading: dict[str, Any],
        multidim_average: str | None = "global",
    ) -> None:
        check_threshold(threshold)
        check_multidim_average(multidim_average)
        self.threshold = threshold
        self.multidim_average = multidim_average
        self.ignore_index = ignore_index
        self._samplewise = multidim_average == "samplewise"
        self._count(2, ignore_index, reading, "binary", threshold)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds predictions, labels or scores of class 1, and their truth, [N, ...]."""
        check_same_shape(preds, target)
        preds, target = decided(preds.detach(), self.threshold), labels(target)
        if self._samplewise:
            if preds.ndim < 2:
                raise ShapeError(
                    f"preds has shape {list(preds.shape)}, expected [N, ...] with at least 2 axes"
                    " for multidim_average='samplewise'"
                )
            preds, target = flat(preds, 1), flat(target, 1)
        self._add(preds, target)


class MulticlassCounting(Counting):
    """Labels 0 to C - 1."""

    plot_legend_name = "Class"

    def _multiclass(
        self,
        num_classes: int | None,
        ignore_index: int | None,
        reading: dict[str, Any],
        multidim_average: str | None = "global",
        top_k: int = 1,
    ) -> None:
        if num_classes is not None:
            whole("num_classes", num_classes, 2)
        check_multidim_average(multidim_average)
        whole("top_k", top_k, 1)
        if top_k > (num_classes or 1):
            raise InvalidArgumentError(
                f"top_k is {top_k}, expected at most num_classes, {num_classes}"
            )
        self.num_classes = num_classes
        self.top_k = self._top_k = top_k
        self.multidim_average = multidim_average
        self.ignore_index = ignore_index
        self._samplewise = multidim_average == "samplewise"
        average = reading.get("average")
        if top_k > 1 and average == "macro" and self._score in ("accuracy", "precision", "recall"):
            reading = {**reading, "empty": "skip_unreferenced"}
        self._each = average == "none"
        # Without the number of classes there are hits and misses: the classes 1 and 0 of 2.
        ignored = None if num_classes is None else ignore_index
        self._count(num_classes or 2, ignored, reading, num_classes, top_k, ignore_index)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds predictions, labels [N, ...] or scores [N, C, ...], and their truth [N, ...]."""
        scored = preds.ndim == target.ndim + 1
        if scored:
            shape = (*preds.shape[:1], *preds.shape[2:])
            if not preds.is_floating_point():
                raise ShapeError(
                    f"preds has shape {list(preds.shape)} and holds {preds.dtype}, but target has"
                    f" {list(target.shape)}: expected scores, which are floating-point, or labels"
                    " of target's shape"
                )
            if self.num_classes is not None and preds.shape[1] != self.num_classes:
                raise ShapeError(
                    f"preds has shape {list(preds.shape)}, expected {self.num_classes} scores"
                    " along axis 1, as num_classes has it"
                )
        else:
            shape = tuple(preds.shape)
        if shape != tuple(target.shape):
            raise ShapeError(
                f"preds has shape {list(preds.shape)} and target {list(target.shape)}, expected"
                " one shape [N, ...], or preds [N, C, ...]"
            )
        if self._top_k > 1 and not scored:
            raise ShapeError(
                f"preds holds labels, expected scores [N, C, ...] for top_k={self._top_k}"
            )
        if self._samplewise and target.ndim < 2:
            raise ShapeError(
                f"target has shape {list(target.shape)}, expected [N, ...] with at least 2 axes for"
                " multidim_average='samplewise'"
            )
        preds, target = preds.detach() if scored else labels(preds), labels(target)
        if self.num_classes is None:
            preds, target = self._hits(preds.argmax(dim=1) if scored else preds, target)
            scored = False
        if self._samplewise:
            preds, target = flat(preds, 2 if scored else 1), flat(target, 1)
        self._add(preds, target, "argmax" if scored else "index")

    def _hits(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        hits = preds == target
        if self.ignore_index is not None and not self._samplewise:
            hits = hits[target != self.ignore_index]
        return hits, torch.ones_like(hits)


class MultilabelCounting(Counting):
    """A 0 or a 1 for each of L labels."""

    plot_legend_name = "Label"

    _task = "multilabel"

    def _multilabel(
        self,
        num_labels: int,
        threshold: float,
        ignore_index: int | None,
        reading: dict[str, Any],
        multidim_average: str | None = "global",
    ) -> None:
        whole("num_labels", num_labels, 2)
        check_threshold(threshold)
        check_multidim_average(multidim_average)
        self.num_labels = num_labels
        self.threshold = threshold
        self.multidim_average = multidim_average
        self.ignore_index = ignore_index
        self._samplewise = multidim_average == "samplewise"
        self._each = reading.get("average") == "none"
        self._count(num_labels, ignore_index, reading, threshold)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds predictions, labels or scores, and their truth, [N, L, ...]."""
        check_same_shape(preds, target)
        if preds.ndim < 2 or preds.shape[1] != self.num_labels:
            raise ShapeError(
                f"preds has shape {list(preds.shape)}, expected [N, {self.num_labels}, ...]"
            )
        if self._samplewise and preds.ndim < 3:
            raise ShapeError(
                f"preds has shape {list(preds.shape)}, expected [N, L, ...] with at least 3 axes"
                " for multidim_average='samplewise'"
            )
        preds, target = decided(preds.detach(), self.threshold), labels(target)
        self._add(flat(preds, 2), flat(target, 2))
