# SPDX-License-Identifier: MIT
"""Dice, generalised Dice and mean IoU of label maps."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .._confusion import ConfusionMatrix as Counts
from .._errors import InvalidArgumentError, ShapeError
from .._metric import Metric
from ._base import ExactMetric, check_same_shape, flag, one_of, own_words, whole
from ._counting import check_average, flat, labels, stated

_FORMATS = ("one-hot", "index", "mixed")


class _Segmentation(ExactMetric):
    """Counts of each sample's classes.

    Maps of class numbers are counted as they are. Where one side has an axis of classes, both are
    a yes or a no for each class: a pixel may have several classes, or none.
    """

    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def _start(self, num_classes: int | None, include_background: bool, input_format: str) -> None:
        flag("include_background", include_background)
        one_of("input_format", input_format, _FORMATS)
        if num_classes is not None:
            whole("num_classes", num_classes, 1)
        elif input_format == "index":
            raise InvalidArgumentError(
                "num_classes is None, expected an integer for input_format='index'"
            )
        self.num_classes = num_classes
        self.include_background = include_background
        self.input_format = input_format
        if num_classes is not None:
            self._begin(input_format)

    def _excluded(self) -> list[int]:
        """The classes that no value is made of."""
        several = self.num_classes is not None and self.num_classes > 1
        return [0] if several and not self.include_background else []

    def _made(self, form: str) -> list[Metric]:
        return self._counts(form, convention="torchmetrics_dice")

    def _counts(self, form: str, **reading: Any) -> list[Metric]:
        how: dict[str, Any] = {
            "task": "multiclass" if form == "index" else "multilabel",
            "excluded": self._excluded(),
            **reading,
        }
        return [Counts(self.num_classes or 0, batched=True, keep_samples=True, **how)]

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds samples: class numbers [N, ...], or with an axis of classes [N, C, ...]."""
        preds, target = preds.detach(), target.detach()
        if self.input_format == "index":
            preds, target = self._maps(preds, target)
        else:
            preds, target = self._masks(preds, target)
        with own_words():
            self._metric.update(target, preds)

    def _maps(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        check_same_shape(preds, target)
        if preds.ndim < 2:
            raise ShapeError(f"preds has shape {list(preds.shape)}, expected [N, ...]")
        return flat(labels(preds), 1), flat(labels(target), 1)

    def _masks(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        shapes = [list(side.shape) for side in (preds, target)]
        longer = shapes[0] if len(shapes[0]) >= len(shapes[1]) else shapes[1]
        expected = [longer] if self.input_format == "one-hot" else [longer, longer[:1] + longer[2:]]
        # Of two sides that are mixed, one has the axis of classes.
        if len(longer) < 3 or sorted(shapes, key=len, reverse=True) != (expected * 2)[:2]:
            text = "one shape [N, C, ...]" if len(expected) == 1 else "[N, C, ...] and [N, ...]"
            raise ShapeError(f"preds has shape {shapes[0]} and target {shapes[1]}, expected {text}")
        if self.num_classes is None:
            self.num_classes = longer[1]
            self._begin(self.input_format)
        if longer[1] != self.num_classes:
            raise ShapeError(
                f"the axis of classes has {longer[1]} entries, expected num_classes,"
                f" {self.num_classes}"
            )
        return self._mask(preds, len(longer)), self._mask(target, len(longer))

    def _mask(self, side: Tensor, axes: int) -> Tensor:
        """A yes or a no for each class; of scores the largest is it."""
        if side.ndim == axes and side.is_floating_point():
            side = side.argmax(dim=1)
        if side.ndim < axes:
            classes = torch.arange(self.num_classes or 0, device=side.device)
            return flat(side, 1).unsqueeze(1) == classes.view(1, -1, 1)
        return flat(side, 2)

    def _values(self, score: str, **reading: Any) -> Tensor:
        shape = (self.num_classes or 0,) if reading.get("average") == "none" else ()
        values = self._read(lambda: self._metric.score(score, **reading), shape)
        return values[len(self._excluded()) :] if shape else values


class DiceScore(_Segmentation):
    """Dice score as torchmetrics.segmentation.DiceScore has it.

    Args:
        num_classes: C.
        include_background: False to leave out class 0.
        average: "micro", "macro", "weighted", or "none" (or None) for a value of each class.
        aggregation_level: the mean of the samples' scores, "samplewise", or the score of the
            counts of all, "global".
        input_format: "one-hot": [N, C, ...]; "index": class numbers [N, ...]; "mixed": one each.
        **kwargs: of torchmetrics.Metric.
    """

    def __init__(
        self,
        num_classes: int,
        include_background: bool = True,
        average: str | None = "macro",
        aggregation_level: str | None = "samplewise",
        input_format: str = "one-hot",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        whole("num_classes", num_classes, 1)
        check_average(average)
        one_of("aggregation_level", aggregation_level, ("samplewise", "global"))
        self.average = average
        self.aggregation_level = aggregation_level
        self._start(num_classes, include_background, input_format)

    def compute(self) -> Tensor:
        """The score, or one for each class."""
        over = "elements" if self.aggregation_level == "global" else "samples"
        return self._values("dice", average=stated(self.average), over=over)


class GeneralizedDiceScore(_Segmentation):
    """Generalised Dice score as torchmetrics.segmentation.GeneralizedDiceScore has it.

    A class that a sample lacks has the largest weight within the sample, where TorchMetrics takes
    the largest of the batch.

    Args:
        num_classes: C.
        include_background: False to leave out class 0.
        per_class: True for a value of each class.
        weight_type: "square", "simple" or "linear".
        input_format: "one-hot": [N, C, ...]; "index": class numbers [N, ...]; "mixed": one each.
        **kwargs: of torchmetrics.Metric.
    """

    def __init__(
        self,
        num_classes: int,
        include_background: bool = True,
        per_class: bool = False,
        weight_type: str = "square",
        input_format: str = "one-hot",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        whole("num_classes", num_classes, 1)
        flag("per_class", per_class)
        one_of("weight_type", weight_type, ("square", "simple", "linear"))
        self.per_class = per_class
        self.weight_type = weight_type
        self._start(num_classes, include_background, input_format)

    def _made(self, form: str) -> list[Metric]:
        return self._counts(
            form,
            generalized_weights=self.weight_type,
            empty="zero",
            average="none" if self.per_class else "macro",
            score="dice" if self.per_class else "generalized_dice",
        )

    def compute(self) -> Tensor:
        """The mean of the samples' scores, or one for each class."""
        if self.per_class:  # of one class alone the weight is in numerator and denominator
            return self._values("dice", average="none", over="samples", empty="zero")
        weights = self.weight_type
        return self._values("generalized_dice", over="samples", generalized_weights=weights)


class MeanIoU(_Segmentation):
    """Mean IoU as torchmetrics.segmentation.MeanIoU has it.

    The mean over all pairs of a sample and a class that one of its sides has.

    Args:
        num_classes: C; None for that of the first tensors.
        include_background: False to leave out class 0.
        per_class: True for a value of each class, -1 where it occurs nowhere.
        input_format: "one-hot": [N, C, ...]; "index": class numbers [N, ...]; "mixed": one each.
        **kwargs: of torchmetrics.Metric.
    """

    def __init__(
        self,
        num_classes: int | None = None,
        include_background: bool = True,
        per_class: bool = False,
        input_format: str = "one-hot",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        flag("per_class", per_class)
        self.per_class = per_class
        self._start(num_classes, include_background, input_format)

    def _maps(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        if preds.ndim <= 2:  # one sample, in TorchMetrics' other segmentation metrics N
            preds, target = preds.unsqueeze(0), target.unsqueeze(0)
        return super()._maps(preds, target)

    def compute(self) -> Tensor:
        """The mean, or one for each class."""
        if self._metric is None:  # nothing has told how many classes there are
            return self._value(math.nan)
        if self.per_class:
            values = self._values("iou", average="none", over="samples")
            return values.nan_to_num(-1.0)
        return self._values("iou", average="pairs", convention="torchmetrics_mean_iou")
