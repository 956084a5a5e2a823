# SPDX-License-Identifier: MIT
"""Several metrics of the same images or labels."""

from __future__ import annotations

from collections.abc import Mapping

from ._abi import Tensor
from ._confusion import ConfusionMatrix
from ._copies import MOST, Copies, as_images, as_labels
from ._cuda import owner_of
from ._errors import ArgumentTypeError, Error, IncompatibleError, InvalidArgumentError, Misfit
from ._mean_errors import MeanErrors
from ._metric import Metric
from ._names import named
from ._objects import label_map, pairs_of_pictures, picture, resolve
from ._psnr import PSNR
from ._report import Reported, of_values, or_none
from ._tables import words
from ._tensor import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ._report import ScoreTable

_READINGS = {"psnr": ("aggregate",), "errors": ("measure",), "confusion": ("score",)}
"""Options that say which value is read of the sums, and not what is summed."""

_NAMES = {PSNR._kind: "psnr", MeanErrors._kind: "errors", ConfusionMatrix._kind: "confusion"}


class MetricCollection(Mapping, Reported):  # type: ignore[type-arg]
    """Several metrics of the same images, or of the same labels, by name.

    What they have in common is done once for all of them: files are read and decoded once; what
    has to be copied to be measured, such as Pillow's images, lists and other element types, is
    converted once; and metrics that differ only in the value that they read of their sums share
    these. So all scores of labels come from one set of counts, and all mean errors from one set
    of sums. SSIM, PSNR and mean errors have no sums in common: each reads the pixels itself, which
    takes the time of three calls.

    An update adds to all metrics or, where one of them refuses it, to none.

    Args:
        metrics: a dictionary of names and metrics, or metrics, whose names are then their classes'.

    Example:
        >>> metrics = iqa.MetricCollection([iqa.SSIM(layout="NCHW"), iqa.PSNR(layout="NCHW")])
        >>> for reference, candidate in batches:
        ...     metrics.update(reference, candidate)
        >>> metrics.compute()
        {'SSIM': 0.9, 'PSNR': 31.2}
    """

    __slots__ = ("_groups", "_members")

    @named
    def __init__(self, metrics: Mapping[str, Metric] | Iterable[Metric]) -> None:
        self._members: dict[str, Metric] = dict(_by_name(metrics))
        if not self._members:
            raise InvalidArgumentError("metrics is empty, expected at least one")
        for name, metric in self._members.items():
            if not isinstance(metric, Metric):
                raise ArgumentTypeError(
                    f"metrics[{name!r}] is {type(metric).__name__}, expected a metric that merges"
                )
        if len({id(metric) for metric in self._members.values()}) < len(self._members):
            raise InvalidArgumentError("metrics has the same metric twice: expected a copy() of it")
        groups: dict[Any, list[Metric]] = {}
        for metric in self._members.values():
            groups.setdefault(_what_is_summed(metric), []).append(metric)
        self._groups = [_Group(members) for members in groups.values()]

    @named
    def update(
        self, reference: Any, candidate: Any, *, weights: Any = None, data_range: Any = None
    ) -> None:
        """Adds a pair or batch of images, or labels, to every metric.

        Args:
            reference: as for the update() of the metrics.
            candidate: the same.
            weights: for every metric.
            data_range: of this update alone, for the metrics that were created without one.
        """
        self._check_range(data_range)
        if owner_of(reference) or owner_of(candidate):
            self._queue(reference, candidate, weights, data_range)
            return
        self._measure(reference, candidate, weights, data_range)
        self._commit()

    def __call__(
        self, reference: Any, candidate: Any, *, weights: Any = None, data_range: Any = None
    ) -> dict[str, Any]:
        """Adds images or labels as update() does, and gives the values of these alone by name."""
        self._check_range(data_range)
        self._measure(reference, candidate, weights, data_range)
        try:
            values = {
                id(metric): value for group in self._groups for metric, value in group.values()
            }
        except Error:
            self._discard()
            raise
        self._commit()
        return {name: values[id(metric)] for name, metric in self._members.items()}

    def _check_range(self, data_range: Any) -> None:
        if data_range is not None and not any(group.takes_range for group in self._groups):
            raise InvalidArgumentError(
                "data_range is given, but no metric is of images and was created without one"
            )

    def _measure(self, reference: Any, candidate: Any, weights: Any, data_range: Any) -> None:
        """Adds to the batch of each group, from where nothing has been added to a metric yet."""
        shared = _Shared(reference, candidate)
        try:
            for group in self._groups:
                group.measure(shared, weights, data_range)
        except BaseException:
            self._discard()
            raise

    def _commit(self) -> None:
        for group in self._groups:
            group.commit()

    def _discard(self) -> None:
        for group in self._groups:
            group.discard()

    def _queue(self, reference: Any, candidate: Any, weights: Any, data_range: Any) -> None:
        """Adds arrays on a CUDA device, and waits for it only where there is something to undo."""
        done: list[_Group] = []
        arguments = (reference, candidate, weights, data_range)
        try:
            for group in self._groups:
                group.queue(*arguments)
                done.append(group)
        except BaseException:
            for group in done:
                group.undo(*arguments)
            raise

    def compute(self) -> dict[str, Any]:
        """The value of every metric by its name."""
        return {name: metric.compute() for name, metric in self.items()}

    def reset(self) -> None:
        """Forgets all data; the options stay."""
        for metric in self.values():
            metric.reset()

    def merge(self, other: MetricCollection) -> None:
        """Adds the data of a collection that has metrics of the same names and options."""
        if not isinstance(other, MetricCollection):
            raise ArgumentTypeError(f"other is {type(other).__name__}, expected a collection")
        if set(self) != set(other):
            raise IncompatibleError(
                f"other has the metrics {', '.join(other)}, but this collection {', '.join(self)}"
            )
        sums = {name: metric + other[name] for name, metric in self.items()}  # all, or an error
        for name, metric in self.items():
            metric.reset()
            metric.merge(sums[name])

    def copy(self) -> MetricCollection:
        """An independent collection with the same options and data."""
        return MetricCollection({name: metric.copy() for name, metric in self.items()})

    def __add__(self, other: Any) -> MetricCollection:
        if not isinstance(other, MetricCollection):
            return NotImplemented
        both = self.copy()
        both.merge(other)
        return both

    def __radd__(self, other: Any) -> MetricCollection:
        if isinstance(other, int) and other == 0:  # what sum() begins with
            return self.copy()
        return NotImplemented

    def __copy__(self) -> MetricCollection:
        return self.copy()

    def __deepcopy__(self, _: object) -> MetricCollection:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return MetricCollection, (dict(self.items()),)

    def __getitem__(self, name: str) -> Metric:
        metric = self._members[name]
        for group in self._groups:
            group.settle()
        return metric

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def to_dict(self) -> dict[str, Any]:
        """The values by name as plain numbers; None for a metric without a value."""
        values = {name: or_none(metric.compute) for name, metric in self.items()}
        return {n: v.tolist() if hasattr(v, "tolist") else v for n, v in values.items()}

    def table(self, *, digits: int = 4) -> ScoreTable:
        """The values, a row for each metric that has one number."""
        numbers = {n: v for n, v in self.to_dict().items() if isinstance(v, (int, float))}
        return of_values(numbers, digits)

    def plot(self, values: Any = None, ax: Any = None) -> Any:
        """Draws the values with matplotlib: see iqa.plot_values.

        Args:
            values: what compute() or a call gave before, such as a list of these; None for the
                present values.
            ax: axes to draw on; None for new ones.
        """
        from ._plot import plot_values  # noqa: PLC0415 needs matplotlib

        return plot_values(self.compute() if values is None else values, ax)

    def __repr__(self) -> str:
        return f"<iqa.MetricCollection, {', '.join(self._members)}>"


def _by_name(metrics: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(metrics, Mapping):
        yield from metrics.items()
        return
    if isinstance(metrics, Metric) or not hasattr(metrics, "__iter__"):
        raise ArgumentTypeError(
            f"metrics is {type(metrics).__name__}, expected a list of metrics, or a dictionary of"
            " names and metrics"
        )
    seen = set()
    for metric in metrics:
        name = type(metric).__name__
        if name in seen:
            raise InvalidArgumentError(
                f"metrics has {name} twice, expected a dictionary that gives each a name"
            )
        seen.add(name)
        yield name, metric


def _what_is_summed(metric: Metric) -> Any:
    """Equal for metrics that have the same lanes after the same updates."""
    kind = _NAMES.get(metric._kind)
    if kind is None or (isinstance(metric, ConfusionMatrix) and metric._options.keep_samples):
        return id(metric)
    options = metric._options if isinstance(metric, ConfusionMatrix) else metric._resolved()
    context = None if metric._has_own_context else id(metric._context)
    fields = [one.field for one in metric._kind.table.in_state if one.field not in _READINGS[kind]]
    return (kind, context, metric._layout_is_open, *(getattr(options, field) for field in fields))


class _Group:
    """Metrics with the same sums, which are made once.

    Sums of several metrics are kept apart until one of them is asked for.
    """

    def __init__(self, members: list[Metric]) -> None:
        self._members = members
        self._sums: Metric | None = None  # of updates that the members do not have yet
        self._batch: Metric | None = None  # of one update, that no one has yet
        first = members[0]
        self._has_range = "data_low" in first._kind.table.options
        options = first._resolved() if self._has_range else None
        self.takes_range = options is not None and not options.data_low < options.data_high

    def _target(self) -> Metric:
        if len(self._members) == 1:
            return self._members[0]
        if self._sums is None:
            self._sums = _emptied(self._members[0])
            self._sums._layout_is_open = all(
                member._layout_is_open and member._has_no_layout() for member in self._members
            )
        return self._sums

    def _arguments(self, weights: Any, data_range: Any) -> dict[str, Any]:
        given = {} if weights is None else {"weights": weights}
        return {**given, "data_range": data_range} if self.takes_range else given

    def measure(self, shared: _Shared, weights: Any, data_range: Any) -> None:
        """Adds to the batch."""
        self._batch = self._target()._empty_batch()
        if isinstance(self._batch, ConfusionMatrix):
            images = shared.labels(self._batch._options)
        elif self._has_range:
            self._batch._take_layout(*shared.given)
            images = shared.images(not self.takes_range or data_range is not None)
        else:
            images = shared.given
        self._batch.update(*images, **self._arguments(weights, data_range))

    def values(self) -> Iterator[tuple[Metric, Any]]:
        """Each member, and its value of the batch."""
        if self._batch is not None and len(self._members) == 1:
            yield self._members[0], self._batch.compute()
        elif self._batch is not None:
            for member in self._members:
                part = _emptied(member)
                _add(part, self._batch)
                yield member, part.compute()

    def commit(self) -> None:
        """Adds the batch."""
        if self._batch is not None:
            self._target().merge(self._batch)
            self._batch.reset()

    def discard(self) -> None:
        """Forgets the batch."""
        if self._batch is not None:
            self._batch.reset()

    def queue(self, reference: Any, candidate: Any, weights: Any, data_range: Any) -> None:
        """Adds at once."""
        self._target().update(reference, candidate, **self._arguments(weights, data_range))

    def undo(self, reference: Any, candidate: Any, weights: Any, data_range: Any) -> None:
        """Takes away what queue() has added: the same update again, which is subtracted."""
        target = self._target()
        part = _emptied(target)
        part.update(reference, candidate, **self._arguments(weights, data_range))
        rest = [a - b for a, b in zip(target.lanes().tolist(), part.lanes().tolist())]
        target.reset()
        target.add_lanes(rest)

    def settle(self) -> None:
        """Gives the members the sums that they do not have yet."""
        if self._sums is not None:
            for member in self._members:
                _add(member, self._sums)
            self._sums = None


def _emptied(metric: Metric) -> Metric:
    empty = metric.copy()
    empty.reset()
    return empty


def _add(metric: Metric, other: Metric) -> None:
    """Adds the sums of one that may read them in another way."""
    metric._take_layout_of(other)
    if metric._layout_is_open and metric._resolved().layout != other._resolved().layout:
        raise IncompatibleError("a metric was updated outside its collection, with another layout")
    metric.add_lanes(other.lanes())


class _Shared:
    """The arrays of an update: read once, and converted once for all that take them so.

    What is larger than a piece of _copies.py is converted by each metric, piece by piece, so that
    memory stays bounded.
    """

    def __init__(self, reference: Any, candidate: Any) -> None:
        pairs = pairs_of_pictures(reference, candidate)
        self._are_lists = pairs is not None
        if pairs is not None:
            reference, candidate = ([picture(a, n) for a in s] for s, n in zip(zip(*pairs), _SIDES))
        self.given = (picture(reference, "reference"), picture(candidate, "candidate"))
        self._made: dict[Any, tuple[Any, Any]] = {}

    def images(self, range_is_stated: bool) -> tuple[Any, Any]:
        """For metrics of images, whose range is stated or not."""
        if self._are_lists:
            return self.given
        key = ("images", range_is_stated)
        if key not in self._made:
            read = tuple(_read(resolve(a, n)) for a, n in zip(self.given, _SIDES))
            self._made[key] = _converted(
                read, _IMAGES, lambda pair: as_images(pair, range_is_stated)
            )
        return self._made[key]

    def labels(self, options: Any) -> tuple[Any, Any]:
        """For metrics of labels."""
        index = words("confusion", "reference")["index"]
        if self._are_lists or (options.reference, options.candidate) != (index, index):
            return self.given
        if "labels" not in self._made:
            read = tuple(_read(label_map(a, n)) for a, n in zip(self.given, _SIDES))
            self._made["labels"] = _converted(
                read,
                _LABELS,
                lambda pair: {name: as_labels(numbers, name) for name, numbers in pair.items()},
            )
        return self._made["labels"]


_SIDES = ("reference", "candidate")


def _read(array: Any) -> Any:
    """The array; of an image of Pillow, which gives its memory as a copy each time, a copy."""
    if not type(array).__module__.startswith("PIL."):
        return array
    try:
        import numpy as np  # noqa: PLC0415 importing iqa does not import it
    except ImportError:
        return array
    return np.asarray(array)


_IMAGES = {(1, 8), (1, 16), (0, 16), (2, 16), (4, 16), (2, 32), (2, 64)}
_LABELS = {(code, bits) for code in (0, 1) for bits in (8, 16, 32, 64)} | {(6, 8)}
"""Element types that need no copy, as codes and bits of DLPack."""


def _converted(
    pair: Any,
    taken: set[tuple[int, int]],
    convert: Callable[[dict[str, Any]], Mapping[str, Any]],
) -> Any:
    """The pair as the library takes it, where it is not too large to be converted as a whole."""
    try:
        tensors = [borrow(array, name) for array, name in zip(pair, _SIDES)]
    except Misfit:
        pass
    else:
        one, two = (Tensor.from_address(address) for _, address in tensors)
        types = {(tensor.dtype_code, tensor.dtype_bits) for tensor in (one, two)}
        if types <= taken and (len(types) == 1 or taken is _LABELS):
            return pair
    copies = Copies(dict(zip(_SIDES, pair)), convert, batched=False)
    return tuple(copies.piece(None).values()) if copies.elements <= MOST else pair
