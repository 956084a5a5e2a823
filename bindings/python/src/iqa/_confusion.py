# SPDX-License-Identifier: MIT
"""Labels compared: the confusion matrix and what is read from it."""

from __future__ import annotations

import ctypes
import math
from collections import namedtuple
from functools import partial

from . import _abi
from ._copies import Copies, as_float_weights, as_labels, as_scores, joined, piece_of
from ._cuda import owner_of
from ._documentation import documented
from ._errors import DtypeError, Error, InvalidArgumentError
from ._kind import STATE_HEADER, Kind
from ._library import library
from ._metric import Metric
from ._names import named, unknown
from ._objects import label_map, pairs_of_pictures
from ._options import choose, made
from ._outputs import empty
from ._reading import NAMES, make_reading
from ._report import ScoreTable, class_names, or_none
from ._tables import table, unpack, words
from ._tensor import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from typing_extensions import Unpack

    from ._context import Context
    from ._option_types import ConfusionOptions, Reading

SampleDetails = namedtuple("SampleDetails", ("per_sample", "per_class", "counts"))
SampleDetails.__doc__ = """What an update gave for each sample; None for what was not asked for.

per_sample is float64 [N], per_class float64 [N, C], counts int64 (float64 with weights) [N, C, 4]:
true positives, false positives, false negatives, true negatives.
"""

_SCORES = words("confusion", "score")
_ALIASES = {"f1": "dice"}
_KEYWORDS = tuple(table("confusion").keywords)

_OF_CONVENTIONS = ("over", "empty", "zero_division")
"""What every convention says. An average is the caller's where the tool asks for it."""


@documented("confusion")
class ConfusionMatrix(Metric):
    """Counts pairs of labels exactly, and gives every score of them.

    The counts are integers (with weights: exact sums), so results have the same bits whatever the
    threads, batches, order of merges, instruction set, element types or strides. Memory is fixed.

    Args:
        classes: C.
        task: "multiclass" (the default; binary is C = 2 with class 1 as the positive one) or
            "multilabel": a yes or a no for each class, along an axis of classes.
        reference: what the reference's elements are: "index" (the default), class numbers of any
            integer type or bool; "one_hot", an axis of classes with one 1; "argmax", an axis of
            scores whose largest wins, the lowest class of equal ones; "threshold", a score that
            is class 1 above the threshold. Never guessed.
        candidate: the same of the prediction.
        class_axis: the axis of classes of tensors that have one; 1, or -1 for the last.
        batched: True where axis 0 counts samples; else an update is one sample.
        counts: "matrix" (the default), or "per_class" where the matrix would be too large.
        ignore: a label, inside or outside the classes: elements whose *reference* has it are
            dropped. None for none.
        out_of_range: what other labels outside the classes do: "error" (the default) names their
            number, value and place; "drop" leaves them out, "wrong" counts them against the valid
            label on the other side, and both count them as invalid.
        threshold: in the unit of the scores: 0.5 for probabilities, 0 for logits.
        top_k: for candidate="argmax": a reference among the k largest scores is a hit.
        weighted: True where every update has weights.
        keep_samples: True to also sum the scores of each sample, for over="samples" and
            average="pairs".
        score: what compute() and per_sample give, such as "iou"; None (the default) for the matrix.
        context: threads, instruction set, progress; None for one of the metric's own.
        average: "none" (or None), "micro", "macro", "weighted", "binary" (class 1 of 2) or "pairs"
            (all defined sample-class pairs). There is no default.
        over: "elements" (the default): the score of all data; "samples": the mean of the samples'.
        empty: what a class counts that occurs on neither side: "skip" (the default), "zero",
            "one", "nan", "as_ratio", "skip_in_averages", "one_else_zero", "skip_unreferenced",
            "skip_ignored_in_iou".
        zero_division: the value of 0 / 0: "zero" (the default), "one", "nan" or "skip".
        generalized_weights: of generalized_dice: "square" (the default), "simple" or "linear".
        beta: of the F score.
        excluded: classes to leave out of averages; their elements stay counted.
        convention: the rules of a tool: "scikit_learn", "torchmetrics",
            "torchmetrics_multilabel", "torchmetrics_dice", "torchmetrics_mean_iou", "monai",
            "monai_keep_empty" or "mmsegmentation".

    The arguments from `average` on are the defaults of every score read later, which may state
    others.

    Example:
        >>> matrix = iqa.ConfusionMatrix(19, ignore=255)
        >>> for truth, prediction in maps:
        ...     matrix.update(truth, prediction)
        >>> matrix.iou(average="macro"), matrix.f1(average="none"), matrix.mcc()
    """

    __slots__ = ("_reading",)

    _kind = Kind("confusion", 32)

    @named
    def __init__(
        self,
        classes: int,
        *,
        context: Context | None = None,
        **options: Unpack[ConfusionOptions],
    ) -> None:
        for word in options:
            if word not in (*_KEYWORDS, *NAMES):
                raise unknown(word, (*_KEYWORDS, "context", *NAMES))
        self._begin(context)
        stated: dict[str, Any] = {"classes": classes, **options}
        self._reading = {word: stated.pop(word) for word in NAMES if word in stated}
        filled = made("confusion", stated)
        how, _mask = make_reading(max(filled.classes, 0), self._reading)
        filled.reading = ctypes.addressof(how)
        self._create(filled)

    @named
    def update(  # type: ignore[override]
        self,
        reference: Any,
        candidate: Any,
        *,
        weights: Any = None,
        per_sample: Any = False,
        per_class: Any = False,
        counts: Any = False,
    ) -> SampleDetails:
        """Adds labels.

        Args:
            reference: the truth: an array with any strides and number of axes, of bool, integers
                or whole floating-point numbers; scores may be other numbers too. Floating-point
                labels are copied, as are lists and foreign byte orders. Of a Pillow image with a
                palette the indices are taken. A path is the picture in that file; a list of paths
                or of Pillow images, of any sizes, is a sample each.
            candidate: the prediction: the same shape, less the axis of classes of the one that
                has it.
            weights: float32 or float64, one weight for each element, 0 or 2^-76 to 2^64.
            per_sample: True for `score` of each sample, or a float64 array [N] for it.
            per_class: True for `score` of each sample and class, or a float64 array [N, C].
            counts: True for the counts of each sample and class, or an int64 array [N, C, 4].

        Returns:
            A named tuple (per_sample, per_class, counts) with the arrays asked for.
        """
        if (
            weights is None
            and per_sample is per_class is counts is False
            and self._try_update(reference, candidate)
        ):
            return SampleDetails(None, None, None)
        wanted = {"per_sample": per_sample, "per_class": per_class, "counts": counts}
        pairs = pairs_of_pictures(reference, candidate)
        if pairs is not None:
            return self._update_each(pairs, wanted, weights=weights)  # type: ignore[no-any-return]
        reference = label_map(reference, "reference")
        candidate = label_map(candidate, "candidate")
        try:
            return self._update_labels(reference, candidate, weights, wanted)
        except DtypeError:
            if owner_of(reference) or owner_of(candidate):
                raise
        return self._update_by_copies(reference, candidate, weights, wanted)

    def _update_labels(
        self, reference: Any, candidate: Any, weights: Any, wanted: dict[str, Any]
    ) -> SampleDetails:
        loan = self._lend(reference, candidate)
        x, y = loan.borrow(reference, "reference"), loan.borrow(candidate, "candidate")
        extras = _abi.UpdateExtras(ctypes.sizeof(_abi.UpdateExtras))
        if weights is not None:
            extras.weights = loan.borrow(weights, "weights")
        samples = self._samples_in(x)
        count_type = "float64" if self._options.weighted else "int64"
        arrays: list[Any] = []
        for name, field, dtype, shape in (
            ("per_sample", "per_image", "float64", (samples,)),
            ("per_class", "per_channel", "float64", (samples, self._options.classes)),
            ("counts", "counts", count_type, (samples, self._options.classes, 4)),
        ):
            value = wanted[name]
            if value is None or value is False:
                arrays.append(None)
                continue
            array = loan.empty(name, dtype, shape) if value is True else value
            setattr(extras, field, loan.borrow(array, name, writable=True))
            arrays.append(array)
        try:
            self._queue(loan, x, y, ctypes.byref(extras))
        except Error as problem:
            text = str(problem).replace("per_image", "per_sample")
            problem.args = (text.replace("per_channel", "per_class"),)
            raise
        return SampleDetails(*arrays)

    def _update_by_copies(  # type: ignore[override]
        self, reference: Any, candidate: Any, weights: Any, wanted: dict[str, Any]
    ) -> SampleDetails:
        """The update with copies that have a type of the library, where there is such a type."""
        index = words("confusion", "reference")["index"]
        kinds = {"reference": self._options.reference, "candidate": self._options.candidate}
        converters = {
            name: as_labels if kind == index else as_scores for name, kind in kinds.items()
        }
        converters["weights"] = as_float_weights

        def convert(given: dict[str, Any]) -> dict[str, Any]:
            return {name: converters[name](numbers, name) for name, numbers in given.items()}

        arguments = {"reference": reference, "candidate": candidate, "weights": weights}
        given = {name: array for name, array in arguments.items() if array is not None}
        copies = Copies(given, convert, bool(self._options.batched))
        if self._options.batched:
            copies.check_shapes("candidate", "reference", 1)
        found: list[SampleDetails] = []

        def update(metric: ConfusionMatrix, part: slice | None) -> None:
            taken = copies.piece(part)
            labels = taken["reference"], taken["candidate"]
            some = {name: piece_of(value, part) for name, value in wanted.items()}
            found.append(metric._update_labels(*labels, taken.get("weights"), some))

        self._all_or_none(copies.parts, update)
        return SampleDetails(*map(joined, zip(*found), wanted.values()))

    def __call__(  # type: ignore[override]
        self, reference: Any, candidate: Any, *, weights: Any = None
    ) -> Any:
        """Adds labels, and gives what compute() would of them alone. They are counted once."""
        return self._of_batch(
            lambda batch, _details: batch.compute(), reference, candidate, weights=weights
        )

    def compute(self) -> Any:
        """The `score` of all labels added so far; the matrix where none was stated."""
        if self._options.score == table("confusion").options["score"].none:
            return self.matrix
        return super().compute()

    def _wait(self) -> None:
        self._field("samples", False)

    def _samples_in(self, address: int) -> int:
        tensor = _abi.Tensor.from_address(address)
        return int(tensor.shape[0]) if self._options.batched and tensor.ndim else 1

    def score(self, name: str, **reading: Unpack[Reading]) -> Any:
        """A score by name, such as "iou": a number, or C of them for average="none".

        Args:
            name: "accuracy", "precision", "recall", "specificity", "f", "dice", "iou",
                "balanced_accuracy", "frequency_weighted_iou", "generalized_dice", "mcc",
                "kappa", "kappa_linear" or "kappa_quadratic".
            **reading: average, over, empty, zero_division, beta, excluded and so on; what is not
                stated is as the metric was created with.
        """
        which = choose("score", name, _SCORES)
        stated = dict(self._reading)
        if "convention" in reading:  # its rules, whatever the metric was created with
            stated = {word: said for word, said in stated.items() if word not in _OF_CONVENTIONS}
        how, _mask = make_reading(self._options.classes, {**stated, **reading})
        call = (library.iqa_confusion_score, self._open(), which, ctypes.byref(how))
        none = words("confusion_reading", "average")["none"]
        if how.average == none and which <= _SCORES["iou"]:
            return self._array(call, (self._options.classes,))
        value = ctypes.c_double()
        self._context.call(*call, ctypes.byref(value), 1, None)
        return value.value

    def accuracy(self, **reading: Unpack[Reading]) -> Any:
        """The share of correct elements; of a class: tp / (tp + fn), multilabel (tp + tn) / all."""
        return self.score("accuracy", **reading)

    def precision(self, **reading: Unpack[Reading]) -> Any:
        """Precision: tp / (tp + fp)."""
        return self.score("precision", **reading)

    def recall(self, **reading: Unpack[Reading]) -> Any:
        """Recall: tp / (tp + fn)."""
        return self.score("recall", **reading)

    def specificity(self, **reading: Unpack[Reading]) -> Any:
        """Specificity: tn / (tn + fp)."""
        return self.score("specificity", **reading)

    def f(self, **reading: Unpack[Reading]) -> Any:
        """F score of `beta`."""
        return self.score("f", **reading)

    def f1(self, **reading: Unpack[Reading]) -> Any:
        """F score with beta 1, which is Dice."""
        return self.score("dice", **reading)

    def dice(self, **reading: Unpack[Reading]) -> Any:
        """Dice score: 2 tp / (2 tp + fp + fn)."""
        return self.score("dice", **reading)

    def iou(self, **reading: Unpack[Reading]) -> Any:
        """Intersection over union, the Jaccard index: tp / (tp + fp + fn)."""
        return self.score("iou", **reading)

    def balanced_accuracy(self, **reading: Unpack[Reading]) -> float:
        """Mean recall of the classes that occur in the reference."""
        return float(self.score("balanced_accuracy", **reading))

    def frequency_weighted_iou(self, **reading: Unpack[Reading]) -> float:
        """Mean IoU weighted by support."""
        return float(self.score("frequency_weighted_iou", **reading))

    def generalized_dice(self, **reading: Unpack[Reading]) -> float:
        """Generalised Dice score, its weights as `generalized_weights` says."""
        return float(self.score("generalized_dice", **reading))

    def mcc(self, **reading: Unpack[Reading]) -> float:
        """Matthews correlation coefficient."""
        return float(self.score("mcc", **reading))

    def kappa(self, weights: str | None = None, **reading: Unpack[Reading]) -> float:
        """Cohen's kappa; `weights` is None, "linear" or "quadratic"."""
        return float(self.score("kappa" if weights is None else f"kappa_{weights}", **reading))

    def _array(self, call: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
        """What a call writes, in an array of that shape."""
        array = empty("float64", shape)
        _keep, address = borrow(array, "values", writable=True)
        data = ctypes.cast(_abi.Tensor.from_address(address).data, ctypes.POINTER(ctypes.c_double))
        self._context.call(*call, data, math.prod(shape), None)
        return array

    def _field(self, name: str, integers: bool) -> Any:
        count = ctypes.c_size_t()
        call = (library.iqa_metric_read, self._open(), _abi.CONFUSION_FIELDS[name])
        self._context.call(*call, None, 0, ctypes.byref(count))
        shape: tuple[int, ...] = (count.value,)
        if name.startswith("matrix"):
            classes = self._options.classes
            multilabel = self._options.task == words("confusion", "task")["multilabel"]
            shape = (classes, 2, 2) if multilabel else (classes, classes)
        array = self._array(call, shape)
        return array.astype("int64") if integers and hasattr(array, "astype") else array

    @property
    def classes(self) -> int:
        """C."""
        return int(self._options.classes)

    @property
    def matrix(self) -> Any:
        """C x C counts: a row for each class of the reference, a column for the candidate's.

        Multilabel: C x 2 x 2, [[tn, fp], [fn, tp]] of each class. int64; float64 with weights.
        """
        return self._field("matrix", not self._options.weighted)

    def normalized(self, by: str) -> Any:
        """The matrix divided by the sums of "row", "column" or "all"; 0 where the sum is 0."""
        if by not in ("row", "column", "all"):
            raise InvalidArgumentError(f"by is {by!r}, expected one of 'row', 'column', 'all'")
        return self._field(f"matrix_by_{by}", False)

    @property
    def true_positives(self) -> Any:
        """Of each class."""
        return self._field("true_positives", not self._options.weighted)

    @property
    def false_positives(self) -> Any:
        """Of each class."""
        return self._field("false_positives", not self._options.weighted)

    @property
    def false_negatives(self) -> Any:
        """Of each class."""
        return self._field("false_negatives", not self._options.weighted)

    @property
    def true_negatives(self) -> Any:
        """Of each class."""
        return self._field("true_negatives", not self._options.weighted)

    @property
    def support(self) -> Any:
        """Elements of each class in the reference."""
        return self._field("support", not self._options.weighted)

    @property
    def presence(self) -> Any:
        """Of each class: 0 it occurs nowhere, 1 in the reference, 2 in the candidate, 3 in both."""
        return self._field("presence", True)

    @property
    def samples(self) -> int:
        """How many samples were added."""
        return int(self._field("samples", False)[0])

    @property
    def elements(self) -> int:
        """How many elements were added."""
        return int(self._field("elements", False)[0])

    @property
    def ignored(self) -> int:
        """How many of them were dropped because the reference has the ignored label."""
        return int(self._field("ignored", False)[0])

    @property
    def invalid(self) -> int:
        """How many of them had a label outside the classes."""
        return int(self._field("invalid", False)[0])

    def table(
        self,
        *,
        names: Any = None,
        scores: Sequence[str] = ("precision", "recall", "dice", "iou"),
        averages: Sequence[Literal["micro", "macro", "weighted"]] = ("micro", "macro", "weighted"),
        digits: int = 4,
    ) -> ScoreTable:
        """Scores of each class, and their averages.

        Args:
            names: of the classes; None for their numbers.
            scores: those with an average that score() knows; "f1" is "dice".
            averages: rows behind those of the classes.
            digits: behind the decimal point.
        """
        titles = class_names(names, self.classes)
        of_classes = [
            self.score(_ALIASES.get(one, one), average="none").tolist()  # as for scikit-learn
            for one in scores
        ]
        support = self.support.tolist()
        rows = [list(row) for row in zip(titles, *of_classes, support)]
        for average in averages:
            values = [self.score(_ALIASES.get(one, one), average=average) for one in scores]
            rows.append([average, *values, sum(support)])
        return ScoreTable(("class", *scores, "support"), rows, digits)

    def to_dict(self, *, names: Any = None) -> dict[str, Any]:
        """Counts and scores as plain numbers and lists, which JSON has too.

        Args:
            names: of the classes; None for their numbers.

        Returns:
            classes (the names), elements, ignored, invalid, samples, matrix (lists of rows; None
            with counts="per_class"), scores (the table() by rows), and accuracy, mcc and kappa.
        """
        return {
            "classes": class_names(names, self.classes),
            **{n: getattr(self, n) for n in ("elements", "ignored", "invalid", "samples")},
            "matrix": or_none(lambda: list(self.matrix.tolist())),
            "scores": or_none(lambda: self.table(names=names).to_dict()),
            "accuracy": or_none(lambda: self.accuracy(average="micro")),
            "mcc": or_none(self.mcc),
            "kappa": or_none(self.kappa),
        }

    def plot(  # type: ignore[override]
        self,
        ax: Any = None,
        *,
        names: Any = None,
        normalized: str | None = None,
        colors: Any = "Blues",
    ) -> Any:
        """Draws the matrix with matplotlib.

        Args:
            ax: axes to draw on; None for new ones.
            names: of the classes; None for their numbers.
            normalized: "row", "column" or "all"; None (the default) for counts.
            colors: a colour map of matplotlib.

        Returns:
            The axes.
        """
        from ._plot import plot_confusion  # noqa: PLC0415 needs matplotlib

        return plot_confusion(self, ax, names, normalized, colors)

    @classmethod
    def from_bytes(cls, state: bytes, *, context: Context | None = None) -> ConfusionMatrix:
        """The metric that wrote the bytes; they are checked before use."""
        metric = super().from_bytes(state, context=context)
        state = bytes(state)
        confusion, reading = metric._kind.table, table("confusion_reading")
        # The narrow fields of both stand before the wide ones.
        both = [*confusion.in_state, *reading.in_state]
        both.sort(key=lambda option: ctypes.sizeof(option.ctype))
        found, position = unpack(both, state, STATE_HEADER.size)
        mask = state[position + 8 :][: int.from_bytes(state[position : position + 8], "little")]
        metric._options = confusion.structure(
            **{option.field: found[option.field] for option in confusion.in_state}
        )
        metric._reading = {"beta": found["beta"]}
        for name, option in reading.options.items():
            for word, value in option.words.items():  # an unstated average is none of them
                if value == found.get(name):
                    metric._reading[name] = word
        if mask:
            metric._reading["excluded"] = [label for label, out in enumerate(mask) if out]
        return metric

    def __repr__(self) -> str:
        if not self._handle:
            return "<iqa.ConfusionMatrix, closed>"
        return f"<iqa.ConfusionMatrix, {self._options.classes} classes, {self.elements} elements>"


_ONE_CALL = (
    *("classes", "weights", "reference_labels", "candidate_labels", "context"),
    *(word for word in _KEYWORDS if word not in ("classes", "reference", "candidate", "weighted")),
)
"""What a function takes that measures at once, beside the arrays and how a score is read."""


def _measure(
    read: Callable[[ConfusionMatrix], Any],
    reference: Any,
    candidate: Any,
    classes: int,
    weights: Any,
    options: dict[str, Any],
    *own: str,
) -> Any:
    words = (*own, *_ONE_CALL, *NAMES)
    for word in options:
        if word not in words:
            raise unknown(word, words)
    reading = {word: options.pop(word) for word in NAMES if word in options}
    kinds = {name: options.pop(f"{name}_labels", "index") for name in ("reference", "candidate")}
    metric = ConfusionMatrix(classes, weighted=weights is not None, **kinds, **options, **reading)
    with metric:
        metric.update(reference, candidate, weights=weights)
        return read(metric)


def _one_shot(name: str, score: str, what: str) -> Any:
    has_average = _SCORES[score] <= _SCORES["iou"]
    options = "those of ConfusionMatrix" + ("; `average` has no default" if has_average else "")
    result = 'A number, or one for each class with average="none"' if has_average else "A number"

    @named
    def measure(
        reference: Any, candidate: Any, classes: int, *, weights: Any = None, **options: Any
    ) -> Any:
        options.setdefault("keep_samples", True)
        read = partial(ConfusionMatrix.score, name=score)
        return _measure(read, reference, candidate, classes, weights, options)

    measure.__name__ = measure.__qualname__ = name
    measure.__doc__ = f"""{what} of two arrays of labels.

    Args:
        reference: the truth, as for ConfusionMatrix.update().
        candidate: the prediction.
        classes: how many there are.
        weights: one for each element, or None.
        **options: {options}. What the arrays hold, if not class numbers, is said by
            reference_labels and candidate_labels: "one_hot", "argmax" or "threshold".

    Returns:
        {result}.
    """
    return measure


accuracy = _one_shot("accuracy", "accuracy", "Accuracy")
precision = _one_shot("precision", "precision", "Precision")
recall = _one_shot("recall", "recall", "Recall")
f1 = _one_shot("f1", "dice", "F1 score")
dice = _one_shot("dice", "dice", "Dice score")
iou = _one_shot("iou", "iou", "Intersection over union")
specificity = _one_shot("specificity", "specificity", "Specificity")
balanced_accuracy = _one_shot("balanced_accuracy", "balanced_accuracy", "Mean recall")
generalized_dice = _one_shot("generalized_dice", "generalized_dice", "Generalised Dice score")
mcc = _one_shot("mcc", "mcc", "Matthews correlation")
kappa = _one_shot("kappa", "kappa", "Cohen's kappa")


@named
def fbeta(
    reference: Any,
    candidate: Any,
    classes: int,
    *,
    beta: float,
    weights: Any = None,
    **options: Any,
) -> Any:
    """F score of two arrays of labels; recall counts `beta` times as much as precision.

    Args:
        reference: the truth, as for ConfusionMatrix.update().
        candidate: the prediction.
        classes: how many there are.
        beta: 0 or more; 1 is f1().
        weights: one for each element, or None.
        **options: those of f1().

    Returns:
        A number, or one for each class with average="none".
    """
    options = {"keep_samples": True, **options, "beta": beta}
    return _measure(ConfusionMatrix.f, reference, candidate, classes, weights, options)


@named
def confusion_matrix(
    reference: Any,
    candidate: Any,
    classes: int,
    *,
    normalized: str | None = None,
    weights: Any = None,
    **options: Any,
) -> Any:
    """The confusion matrix of two arrays of labels.

    Args:
        reference: the truth, as for ConfusionMatrix.update(): the rows.
        candidate: the prediction: the columns.
        classes: how many there are.
        normalized: what counts are divided by: the sum of their "row", their "column" or of
            "all"; None (the default) for the counts.
        weights: one for each element, or None.
        **options: those of ConfusionMatrix, and reference_labels and candidate_labels as in f1().

    Returns:
        An array [classes, classes]; of task="multilabel" [classes, 2, 2].
    """

    def read(metric: ConfusionMatrix) -> Any:
        return metric.matrix if normalized is None else metric.normalized(normalized)

    return _measure(read, reference, candidate, classes, weights, options, "normalized")
