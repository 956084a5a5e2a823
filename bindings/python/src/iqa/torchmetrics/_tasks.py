# SPDX-License-Identifier: MIT
"""The classes that take `task` and give one of the binary, multiclass and multilabel classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from . import _classification as of
from ._base import ExactMetric, one_of


class _Task(ExactMetric):
    """Makes a metric of a task; there are no instances of its own."""

    classes: ClassVar[dict[str, type[ExactMetric]]]

    @classmethod
    def _of(
        cls, task: str, num_classes: Any, num_labels: Any, top_k: Any = None
    ) -> Callable[..., ExactMetric]:
        """The class for the task."""
        one_of("task", task, tuple(cls.classes))
        needed = {
            "multiclass": ("num_classes", num_classes),
            "multilabel": ("num_labels", num_labels),
        }
        if task in needed:
            name, count = needed[task]
            if not isinstance(count, int):
                raise ValueError(f"{name} is {count!r}, expected an integer for task={task!r}")
        if task == "multiclass" and top_k is not None and not isinstance(top_k, int):
            raise ValueError(f"top_k is {top_k!r}, expected an integer")
        return cls.classes[task]


class _ScoreTask(_Task):
    """What accuracy, precision, recall and specificity share.

    Args:
        task: "binary", "multiclass" or "multilabel".
        threshold: above which a score is class 1, or a yes.
        num_classes: of a multiclass task.
        num_labels: of a multilabel task.
        average: "micro", "macro", "weighted", or "none" (or None) for all values.
        multidim_average: "global", or "samplewise" for a value of each sample.
        top_k: of a multiclass task: a target among the k largest scores is a hit.
        ignore_index: a label of the target to leave out.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: zero_division, 0 or 1; others of torchmetrics.Metric.
    """

    def __new__(  # type: ignore[misc]
        cls,
        task: str,
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str | None = "global",
        top_k: int | None = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> ExactMetric:
        made = cls._of(task, num_classes, num_labels, top_k)
        last = (multidim_average, ignore_index, validate_args)
        if task == "binary":
            return made(threshold, *last, **kwargs)
        if task == "multiclass":
            return made(num_classes, top_k, average, *last, **kwargs)
        return made(num_labels, threshold, average, *last, **kwargs)


class Accuracy(_ScoreTask):
    """Accuracy of a task; the arguments are those of torchmetrics.Accuracy."""

    classes: ClassVar = {
        "binary": of.BinaryAccuracy,
        "multiclass": of.MulticlassAccuracy,
        "multilabel": of.MultilabelAccuracy,
    }


class Precision(_ScoreTask):
    """Precision of a task; the arguments are those of torchmetrics.Precision."""

    classes: ClassVar = {
        "binary": of.BinaryPrecision,
        "multiclass": of.MulticlassPrecision,
        "multilabel": of.MultilabelPrecision,
    }


class Recall(_ScoreTask):
    """Recall of a task; the arguments are those of torchmetrics.Recall."""

    classes: ClassVar = {
        "binary": of.BinaryRecall,
        "multiclass": of.MulticlassRecall,
        "multilabel": of.MultilabelRecall,
    }


class Specificity(_ScoreTask):
    """Specificity of a task; the arguments are those of torchmetrics.Specificity."""

    classes: ClassVar = {
        "binary": of.BinarySpecificity,
        "multiclass": of.MulticlassSpecificity,
        "multilabel": of.MultilabelSpecificity,
    }


class FBetaScore(_Task):
    """F score of a task; the arguments are those of torchmetrics.FBetaScore."""

    classes: ClassVar = {
        "binary": of.BinaryFBetaScore,
        "multiclass": of.MulticlassFBetaScore,
        "multilabel": of.MultilabelFBetaScore,
    }

    def __new__(  # type: ignore[misc]
        cls,
        task: str,
        beta: float = 1.0,
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str | None = "global",
        top_k: int | None = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> ExactMetric:
        made = cls._of(task, num_classes, num_labels, top_k)
        last = (multidim_average, ignore_index, validate_args, zero_division)
        if task == "binary":
            return made(beta, threshold, *last, **kwargs)
        if task == "multiclass":
            return made(beta, num_classes, top_k, average, *last, **kwargs)
        return made(beta, num_labels, threshold, average, *last, **kwargs)


class F1Score(_Task):
    """F1 score of a task; the arguments are those of torchmetrics.F1Score."""

    classes: ClassVar = {
        "binary": of.BinaryF1Score,
        "multiclass": of.MulticlassF1Score,
        "multilabel": of.MultilabelF1Score,
    }

    def __new__(  # type: ignore[misc]
        cls,
        task: str,
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str | None = "global",
        top_k: int | None = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> ExactMetric:
        made = cls._of(task, num_classes, num_labels, top_k)
        last = (multidim_average, ignore_index, validate_args, zero_division)
        if task == "binary":
            return made(threshold, *last, **kwargs)
        if task == "multiclass":
            return made(num_classes, top_k, average, *last, **kwargs)
        return made(num_labels, threshold, average, *last, **kwargs)


class JaccardIndex(_Task):
    """Intersection over union of a task; the arguments are those of torchmetrics.JaccardIndex."""

    classes: ClassVar = {
        "binary": of.BinaryJaccardIndex,
        "multiclass": of.MulticlassJaccardIndex,
        "multilabel": of.MultilabelJaccardIndex,
    }

    def __new__(  # type: ignore[misc]
        cls,
        task: str,
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> ExactMetric:
        made = cls._of(task, num_classes, num_labels)
        if task == "binary":
            return made(threshold, ignore_index, validate_args, **kwargs)
        if task == "multiclass":
            return made(num_classes, average, ignore_index, validate_args, **kwargs)
        return made(num_labels, threshold, average, ignore_index, validate_args, **kwargs)


class ConfusionMatrix(_Task):
    """Counts of a task; the arguments are those of torchmetrics.ConfusionMatrix."""

    classes: ClassVar = {
        "binary": of.BinaryConfusionMatrix,
        "multiclass": of.MulticlassConfusionMatrix,
        "multilabel": of.MultilabelConfusionMatrix,
    }

    def __new__(  # type: ignore[misc]
        cls,
        task: str,
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        normalize: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> ExactMetric:
        made = cls._of(task, num_classes, num_labels)
        last = (ignore_index, normalize, validate_args)
        if task == "binary":
            return made(threshold, *last, **kwargs)
        if task == "multiclass":
            return made(num_classes, *last, **kwargs)
        return made(num_labels, threshold, *last, **kwargs)


class MatthewsCorrCoef(_Task):
    """Matthews correlation of a task; the arguments are those of torchmetrics.MatthewsCorrCoef."""

    classes: ClassVar = {
        "binary": of.BinaryMatthewsCorrCoef,
        "multiclass": of.MulticlassMatthewsCorrCoef,
        "multilabel": of.MultilabelMatthewsCorrCoef,
    }

    def __new__(  # type: ignore[misc]
        cls,
        task: str,
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> ExactMetric:
        made = cls._of(task, num_classes, num_labels)
        if task == "binary":
            return made(threshold, ignore_index, validate_args, **kwargs)
        if task == "multiclass":
            return made(num_classes, ignore_index, validate_args, **kwargs)
        return made(num_labels, threshold, ignore_index, validate_args, **kwargs)


class CohenKappa(_Task):
    """Cohen's kappa of a task; the arguments are those of torchmetrics.CohenKappa."""

    classes: ClassVar = {
        "binary": of.BinaryCohenKappa,
        "multiclass": of.MulticlassCohenKappa,
    }

    def __new__(  # type: ignore[misc]
        cls,
        task: str,
        threshold: float = 0.5,
        num_classes: int | None = None,
        weights: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> ExactMetric:
        made = cls._of(task, num_classes, None)
        if task == "binary":
            return made(threshold, ignore_index, weights, validate_args, **kwargs)
        return made(num_classes, ignore_index, weights, validate_args, **kwargs)
