# SPDX-License-Identifier: MIT
"""Mean squared and mean absolute error."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .._errors import ShapeError
from .._mean_errors import MeanErrors
from .._metric import Metric
from .._psnr import PSNR
from ._base import ExactMetric, check_same_shape, flag, own_words, whole
from ._images import measured_pair, rows_of


class _MeanError(ExactMetric):
    """One exact sum of errors, or one for each output."""

    higher_is_better = False
    plot_lower_bound = 0.0

    def _one(self, form: str) -> Metric:
        raise NotImplementedError

    def _mean(self, metric: Any) -> float:
        raise NotImplementedError

    def _start(self, num_outputs: int) -> None:
        whole("num_outputs", num_outputs, 1)
        self.num_outputs = num_outputs
        self._begin("NHW")

    def _made(self, form: str) -> list[Metric]:
        return [self._one(form) for _ in range(self.num_outputs)]

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds samples; with several outputs [N, num_outputs]."""
        check_same_shape(preds, target)
        if self.num_outputs > 1 and (preds.ndim != 2 or preds.shape[1] != self.num_outputs):
            raise ShapeError(
                f"preds has shape {list(preds.shape)}, expected [N, {self.num_outputs}], for"
                f" num_outputs is {self.num_outputs}"
            )
        preds, target = measured_pair(preds, target)
        with own_words():
            if self.num_outputs == 1:
                self._metric.update(rows_of(target), rows_of(preds))
                return
            for metric, *pair in zip(self._held.metrics, target.T, preds.T):
                metric.update(*map(rows_of, pair))

    def compute(self) -> Tensor:
        """The mean over all samples added, of each output."""
        values = [self._read(lambda m=m: self._mean(m)) for m in self._held.metrics]  # type: ignore[misc]
        return values[0] if self.num_outputs == 1 else torch.stack(values)


class MeanSquaredError(_MeanError):
    """Mean squared error as torchmetrics.MeanSquaredError has it.

    Args:
        squared: False for its root.
        num_outputs: how many columns have a value of their own.
        **kwargs: of torchmetrics.Metric.
    """

    def __init__(self, squared: bool = True, num_outputs: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        flag("squared", squared)
        self.squared = squared
        self._start(num_outputs)

    def _one(self, form: str) -> Metric:
        # PSNR sums squares alone; its range plays no part in them.
        return PSNR(1.0, form, nonfinite="propagate")

    def _mean(self, metric: Any) -> float:
        return float(metric.mse if self.squared else math.sqrt(metric.mse))


class MeanAbsoluteError(_MeanError):
    """Mean absolute error as torchmetrics.MeanAbsoluteError has it.

    Args:
        num_outputs: how many columns have a value of their own.
        **kwargs: of torchmetrics.Metric.
    """

    def __init__(self, num_outputs: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._start(num_outputs)

    def _one(self, form: str) -> Metric:
        return MeanErrors(layout=form, nonfinite="propagate", alone=True)

    def _mean(self, metric: Any) -> float:
        return float(metric.mae)
