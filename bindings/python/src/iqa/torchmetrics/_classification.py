# SPDX-License-Identifier: MIT
"""Scores of labels, for binary, multiclass and multilabel tasks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._errors import InvalidArgumentError
from ._base import one_of
from ._counting import (
    BinaryCounting,
    Counting,
    MulticlassCounting,
    MultilabelCounting,
    check_average,
    stated,
    word_of,
)

_MULTICLASS = {"convention": "torchmetrics"}
_MULTILABEL = {"convention": "torchmetrics_multilabel"}


class _BinaryScore(BinaryCounting):
    """Accuracy, precision, recall, specificity.

    Args:
        threshold: above which a score is class 1.
        multidim_average: "global", or "samplewise" for a value of each sample.
        ignore_index: a label of the target to leave out.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: zero_division, 0 or 1; others of torchmetrics.Metric.
    """

    def __init__(
        self,
        threshold: float = 0.5,
        multidim_average: str | None = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        self._begin_binary(threshold, multidim_average, ignore_index, validate_args, kwargs)

    def _begin_binary(
        self,
        threshold: float,
        multidim_average: str | None,
        ignore_index: int | None,
        validate_args: bool,
        kwargs: dict[str, Any],
        **reading: Any,
    ) -> None:
        zero_division = kwargs.pop("zero_division", 0)
        super().__init__(**kwargs)
        self.validate_args = validate_args
        self.zero_division = zero_division
        average = "micro" if self._score == "accuracy" else "binary"
        reading |= {"average": average, "zero_division": word_of(zero_division), **_MULTICLASS}
        self._binary(threshold, ignore_index, reading, multidim_average)


class _MulticlassScore(MulticlassCounting):
    """Accuracy, precision, recall, specificity.

    Args:
        num_classes: C.
        top_k: a target among the k largest scores is a hit.
        average: "micro", "macro", "weighted", or "none" (or None) for a value of each class.
        multidim_average: "global", or "samplewise" for a value of each sample.
        ignore_index: a label of the target to leave out.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: zero_division, 0 or 1; others of torchmetrics.Metric.
    """

    def __init__(
        self,
        num_classes: int | None = None,
        top_k: int = 1,
        average: str | None = "macro",
        multidim_average: str | None = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        self._begin_multiclass(
            num_classes, top_k, average, multidim_average, ignore_index, validate_args, kwargs
        )

    def _begin_multiclass(
        self,
        num_classes: int | None,
        top_k: int,
        average: str | None,
        multidim_average: str | None,
        ignore_index: int | None,
        validate_args: bool,
        kwargs: dict[str, Any],
        **reading: Any,
    ) -> None:
        zero_division = kwargs.pop("zero_division", 0)
        super().__init__(**kwargs)
        check_average(average)
        if num_classes is None and (average != "micro" or self._score == "specificity"):
            raise InvalidArgumentError(
                "num_classes is None, which average='micro' alone can do without, and specificity"
                " not at all: state how many classes there are"
            )
        self.average = average
        self.validate_args = validate_args
        self.zero_division = zero_division
        reading |= {"average": stated(average), "zero_division": word_of(zero_division)}
        reading |= _MULTICLASS
        self._multiclass(num_classes, ignore_index, reading, multidim_average, top_k)


class _MultilabelScore(MultilabelCounting):
    """Accuracy, precision, recall, specificity.

    Args:
        num_labels: L.
        threshold: above which a score is a yes.
        average: "micro", "macro", "weighted", or "none" (or None) for a value of each label.
        multidim_average: "global", or "samplewise" for a value of each sample.
        ignore_index: a label of the target to leave out.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: zero_division, 0 or 1; others of torchmetrics.Metric.
    """

    def __init__(
        self,
        num_labels: int,
        threshold: float = 0.5,
        average: str | None = "macro",
        multidim_average: str | None = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        self._begin_multilabel(
            num_labels, threshold, average, multidim_average, ignore_index, validate_args, kwargs
        )

    def _begin_multilabel(
        self,
        num_labels: int,
        threshold: float,
        average: str | None,
        multidim_average: str | None,
        ignore_index: int | None,
        validate_args: bool,
        kwargs: dict[str, Any],
        **reading: Any,
    ) -> None:
        zero_division = kwargs.pop("zero_division", 0)
        super().__init__(**kwargs)
        check_average(average)
        self.average = average
        self.validate_args = validate_args
        self.zero_division = zero_division
        reading |= {"average": stated(average), "zero_division": word_of(zero_division)}
        reading |= _MULTILABEL
        self._multilabel(num_labels, threshold, ignore_index, reading, multidim_average)


def _check_beta(beta: Any) -> None:
    if not isinstance(beta, float) or not beta > 0:
        raise InvalidArgumentError(f"beta is {beta!r}, expected a float above 0")


class BinaryFBetaScore(_BinaryScore):
    """F score of `beta` of class 1; the other arguments are those of BinaryAccuracy."""

    _score = "f"

    def __init__(
        self,
        beta: float,
        threshold: float = 0.5,
        multidim_average: str | None = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> None:
        _check_beta(beta)
        kwargs["zero_division"] = zero_division
        self._begin_binary(
            threshold, multidim_average, ignore_index, validate_args, kwargs, beta=beta
        )
        self.beta = beta


class BinaryF1Score(BinaryFBetaScore):
    """F1 score of class 1, which is Dice; the arguments are those of BinaryAccuracy."""

    def __init__(
        self,
        threshold: float = 0.5,
        multidim_average: str | None = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            1.0, threshold, multidim_average, ignore_index, validate_args, zero_division, **kwargs
        )


class MulticlassFBetaScore(_MulticlassScore):
    """F score of `beta`; the other arguments are those of MulticlassAccuracy."""

    _score = "f"

    def __init__(
        self,
        beta: float,
        num_classes: int,
        top_k: int = 1,
        average: str | None = "macro",
        multidim_average: str | None = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> None:
        _check_beta(beta)
        kwargs["zero_division"] = zero_division
        first = (num_classes, top_k, average, multidim_average, ignore_index, validate_args)
        self._begin_multiclass(*first, kwargs, beta=beta)
        self.beta = beta


class MulticlassF1Score(MulticlassFBetaScore):
    """F1 score, which is Dice; the arguments are those of MulticlassAccuracy."""

    def __init__(
        self,
        num_classes: int,
        top_k: int = 1,
        average: str | None = "macro",
        multidim_average: str | None = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> None:
        first = (num_classes, top_k, average, multidim_average, ignore_index, validate_args)
        super().__init__(1.0, *first, zero_division, **kwargs)


class MultilabelFBetaScore(_MultilabelScore):
    """F score of `beta`; the other arguments are those of MultilabelAccuracy."""

    _score = "f"

    def __init__(
        self,
        beta: float,
        num_labels: int,
        threshold: float = 0.5,
        average: str | None = "macro",
        multidim_average: str | None = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> None:
        _check_beta(beta)
        kwargs["zero_division"] = zero_division
        first = (num_labels, threshold, average, multidim_average, ignore_index, validate_args)
        self._begin_multilabel(*first, kwargs, beta=beta)
        self.beta = beta


class MultilabelF1Score(MultilabelFBetaScore):
    """F1 score, which is Dice; the arguments are those of MultilabelAccuracy."""

    def __init__(
        self,
        num_labels: int,
        threshold: float = 0.5,
        average: str | None = "macro",
        multidim_average: str | None = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> None:
        first = (num_labels, threshold, average, multidim_average, ignore_index, validate_args)
        super().__init__(1.0, *first, zero_division, **kwargs)


class BinaryAccuracy(_BinaryScore):
    """Share of right labels."""

    _score = "accuracy"


class MulticlassAccuracy(_MulticlassScore):
    """Share of right labels; of a class, of those that have it in the target."""

    _score = "accuracy"


class MultilabelAccuracy(_MultilabelScore):
    """Share of right answers, of each label."""

    _score = "accuracy"


class BinaryPrecision(_BinaryScore):
    """Share of the predictions of class 1 that are right."""

    _score = "precision"


class MulticlassPrecision(_MulticlassScore):
    """Share of the predictions of a class that are right."""

    _score = "precision"


class MultilabelPrecision(_MultilabelScore):
    """Share of the predictions of a label that are right."""

    _score = "precision"


class BinaryRecall(_BinaryScore):
    """Share of class 1's targets that are found."""

    _score = "recall"


class MulticlassRecall(_MulticlassScore):
    """Share of a class's targets that are found."""

    _score = "recall"


class MultilabelRecall(_MultilabelScore):
    """Share of a label's targets that are found."""

    _score = "recall"


class BinarySpecificity(_BinaryScore):
    """Share of the targets of class 0 that are not taken for class 1."""

    higher_is_better = None
    _score = "specificity"


class MulticlassSpecificity(_MulticlassScore):
    """Share of the targets of other classes that are not taken for a class."""

    higher_is_better = None
    _score = "specificity"


class MultilabelSpecificity(_MultilabelScore):
    """Share of the targets of no that are not taken for a label."""

    higher_is_better = None
    _score = "specificity"


class BinaryJaccardIndex(BinaryCounting):
    """Intersection over union of class 1.

    Args:
        threshold: above which a score is class 1.
        ignore_index: a label of the target to leave out.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        zero_division: the value of 0 / 0: 0 or 1.
        **kwargs: of torchmetrics.Metric.
    """

    _score = "iou"

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.validate_args = validate_args
        self.zero_division = zero_division
        reading = {"average": "binary", "zero_division": word_of(zero_division), **_MULTICLASS}
        self._binary(threshold, ignore_index, reading)


class MulticlassJaccardIndex(MulticlassCounting):
    """Intersection over union.

    Args:
        num_classes: C.
        average: "micro", "macro", "weighted", or "none" (or None) for a value of each class.
        ignore_index: a label of the target to leave out; a class that it is stays out of averages.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        zero_division: the value of 0 / 0: 0 or 1.
        **kwargs: of torchmetrics.Metric.
    """

    _score = "iou"

    def __init__(
        self,
        num_classes: int,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_average(average)
        self.average = average
        self.validate_args = validate_args
        self.zero_division = zero_division
        reading = {"average": stated(average), "zero_division": word_of(zero_division)}
        self._multiclass(num_classes, ignore_index, {**reading, **_MULTICLASS})


class MultilabelJaccardIndex(MultilabelCounting):
    """Intersection over union.

    Args:
        num_labels: L.
        threshold: above which a score is a yes.
        average: "micro", "macro", "weighted", or "none" (or None) for a value of each label.
        ignore_index: a label of the target to leave out.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        zero_division: the value of 0 / 0: 0 or 1.
        **kwargs: of torchmetrics.Metric.
    """

    _score = "iou"

    def __init__(
        self,
        num_labels: int,
        threshold: float = 0.5,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_average(average)
        self.average = average
        self.validate_args = validate_args
        self.zero_division = zero_division
        reading = {"average": stated(average), "zero_division": word_of(zero_division)}
        self._multilabel(num_labels, threshold, ignore_index, {**reading, **_MULTILABEL})


_NORMALIZED = {"true": "row", "pred": "column", "all": "all"}


class _Matrix(Counting):
    """The counts of pairs of classes themselves."""

    higher_is_better = None
    plot_lower_bound = plot_upper_bound = plot_legend_name = None  # type: ignore[assignment]

    _needs_matrix = True

    def _normalized(self, normalize: str | None) -> None:
        one_of("normalize", normalize, ("true", "pred", "all", "none", None))
        self.normalize = normalize

    def compute(self) -> Tensor:
        """A row for each class of the target, a column for each predicted one."""
        if self.normalize in _NORMALIZED:
            return self._value(self._metric.normalized(_NORMALIZED[self.normalize]))
        return torch.as_tensor(self._metric.matrix).to(self.device)

    def plot(
        self,
        val: Any = None,
        ax: Any = None,
        add_text: bool = True,
        labels: list[str] | None = None,
        cmap: Any = None,
    ) -> Any:
        """The matrix as TorchMetrics draws it.

        Args:
            val: what compute() gave; None to call it.
            ax: axes of matplotlib to draw into.
            add_text: False to leave out the numbers.
            labels: names of the classes.
            cmap: colour map of matplotlib.
        """
        from torchmetrics.utilities.plot import plot_confusion_matrix  # noqa: PLC0415 optional

        matrix = self.compute() if val is None else val
        return plot_confusion_matrix(matrix, ax=ax, add_text=add_text, labels=labels, cmap=cmap)


class BinaryConfusionMatrix(_Matrix, BinaryCounting):
    """Counts int64 [2, 2], a row for each class of the target.

    Args:
        threshold: above which a score is class 1.
        ignore_index: a label of the target to leave out.
        normalize: divide by the sums of the target's classes, "true", of the predicted ones,
            "pred", or by the sum of "all"; "none" or None for counts.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: of torchmetrics.Metric.
    """

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        normalize: str | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.validate_args = validate_args
        self._normalized(normalize)
        self._binary(threshold, ignore_index, {})


class MulticlassConfusionMatrix(_Matrix, MulticlassCounting):  # type: ignore[misc]
    """Counts int64 [C, C], a row for each class of the target.

    Args:
        num_classes: C.
        ignore_index: a label of the target to leave out.
        normalize: as BinaryConfusionMatrix has it.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: of torchmetrics.Metric.
    """

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        normalize: str | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.validate_args = validate_args
        self._normalized(normalize)
        self._multiclass(num_classes, ignore_index, {})


class MultilabelConfusionMatrix(_Matrix, MultilabelCounting):  # type: ignore[misc]
    """Counts int64 [L, 2, 2], [[tn, fp], [fn, tp]] of each label.

    Args:
        num_labels: L.
        threshold: above which a score is a yes.
        ignore_index: a label of the target to leave out.
        normalize: as BinaryConfusionMatrix has it.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: of torchmetrics.Metric.
    """

    def __init__(
        self,
        num_labels: int,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        normalize: str | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.validate_args = validate_args
        self._normalized(normalize)
        self._multilabel(num_labels, threshold, ignore_index, {})


class BinaryMatthewsCorrCoef(BinaryCounting):
    """Matthews correlation coefficient, 0 where it is not defined.

    Args:
        threshold: above which a score is class 1.
        ignore_index: a label of the target to leave out.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: of torchmetrics.Metric.
    """

    _score = "mcc"
    _needs_matrix = True

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.validate_args = validate_args
        self._binary(threshold, ignore_index, {})


class MulticlassMatthewsCorrCoef(MulticlassCounting):
    """Matthews correlation coefficient, 0 where it is not defined.

    Args:
        num_classes: C.
        ignore_index: a label of the target to leave out.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: of torchmetrics.Metric.
    """

    _score = "mcc"
    _needs_matrix = True

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.validate_args = validate_args
        self._multiclass(num_classes, ignore_index, {})


class MultilabelMatthewsCorrCoef(MultilabelCounting):
    """Matthews correlation coefficient of all labels' counts in one, 0 where it is not defined.

    Args:
        num_labels: L.
        threshold: above which a score is a yes.
        ignore_index: a label of the target to leave out.
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: of torchmetrics.Metric.
    """

    _score = "mcc"

    def __init__(
        self,
        num_labels: int,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.validate_args = validate_args
        self._multilabel(num_labels, threshold, ignore_index, {})


def _kappa(weights: str | None) -> str:
    one_of("weights", weights, ("linear", "quadratic", "none", None))
    return "kappa" if weights in (None, "none") else f"kappa_{weights}"


class BinaryCohenKappa(BinaryCounting):
    """Cohen's kappa.

    Args:
        threshold: above which a score is class 1.
        ignore_index: a label of the target to leave out.
        weights: of the distance of classes: "linear", "quadratic", or "none" (or None).
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: of torchmetrics.Metric.
    """

    _needs_matrix = True

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int | None = None,
        weights: str | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.validate_args = validate_args
        self.weights = weights
        self._score = _kappa(weights)
        self._binary(threshold, ignore_index, {"zero_division": "nan"})


class MulticlassCohenKappa(MulticlassCounting):
    """Cohen's kappa.

    Args:
        num_classes: C.
        ignore_index: a label of the target to leave out.
        weights: of the distance of classes: "linear", "quadratic", or "none" (or None).
        validate_args: labels and shapes are checked in any case, which costs nothing here.
        **kwargs: of torchmetrics.Metric.
    """

    _needs_matrix = True

    def __init__(
        self,
        num_classes: int,
        ignore_index: int | None = None,
        weights: str | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.validate_args = validate_args
        self.weights = weights
        self._score = _kappa(weights)
        self._multiclass(num_classes, ignore_index, {"zero_division": "nan"})
