# SPDX-License-Identifier: MIT
"""The verbs that every metric has."""

from __future__ import annotations

import contextlib
import ctypes
from array import array
from functools import partial

from . import _abi, _options
from ._context import Context, context_of
from ._copies import Copies, as_images, as_weights, joined, piece_of
from ._cuda import Loan, owner_of
from ._errors import (
    ArgumentTypeError,
    DtypeError,
    Error,
    IncompatibleError,
    InvalidArgumentError,
)
from ._kind import Kind
from ._library import library
from ._names import named
from ._objects import LAYOUTS_OF_OBJECTS, layout_of, pairs_of_pictures, picture
from ._outputs import NOTHING, Details, Extras, Result, empty
from ._report import Reported, of_values, or_none
from ._tables import words
from ._tensor import borrow, borrow_quickly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeVar

    from ._report import ScoreTable

    AnyMetric = TypeVar("AnyMetric", bound="Metric")


class Metric(Reported):
    """An accumulating metric; the base of SSIM and PSNR.

    A metric is used by one thread at a time. Without a context of the caller it has one of its
    own, so different metrics may be used by different threads at once, and CUDA arrays are
    measured on their library's current stream.
    """

    __slots__ = (
        "__weakref__",
        "_batch",
        "_context",
        "_handle",
        "_has_own_context",
        "_layout_is_open",
        "_options",
        "_resolved_options",
    )

    _handle: ctypes.c_void_p
    _kind: Kind
    _readable: tuple[str, ...] = ("images", "out_of_range", "nonfinite")
    _destroy = library.iqa_metric_destroy

    def __new__(cls: type[AnyMetric], *_: Any, **__: Any) -> AnyMetric:
        """A closed metric, so that one whose arguments are refused can be finalized too."""
        metric = super().__new__(cls)
        metric._handle = ctypes.c_void_p()
        return metric

    def __init__(
        self,
        data_range: float | tuple[float, float] | None = None,
        layout: str | None = None,
        *,
        context: Context | None = None,
        **options: Any,
    ) -> None:
        self._begin(context)
        self._layout_is_open = layout is None
        self._create(self._kind.options(data_range, layout, options))

    def _begin(self, context: Context | None) -> None:
        self._has_own_context = context is None
        self._context = context_of(context)
        self._resolved_options: Any = None
        self._layout_is_open = "layout" in self._kind.table.options
        self._batch: Any = None

    def _create(self, options: Any) -> None:
        self._options = options
        self._context.call(
            self._kind.create,
            self._context.handle,
            ctypes.byref(options),
            ctypes.byref(self._handle),
        )

    @named
    def update(
        self,
        reference: Any,
        candidate: Any,
        *,
        data_range: float | tuple[float, float] | None = None,
        per_image: Any = False,
        per_channel: Any = False,
        map: Any = False,
        weights: Any = None,
        candidate_gradient: Any = False,
        reference_gradient: Any = False,
    ) -> Details:
        """Adds one pair of images, or one batch of pairs.

        Args:
            reference: an array of uint8, uint16, int16, float16, bfloat16, float32 or float64,
                with any strides: whatever has __dlpack__, __array_interface__,
                __cuda_array_interface__ or the buffer protocol. It is borrowed, not copied. Other
                integers, lists, objects with __array__ alone and foreign byte orders are copied,
                as docs/guide/python.md has it, which also tells of Pillow images, masks and units.
                A path is the picture in that file, as Pillow reads it. A list of paths or of
                Pillow images, of any sizes, is a batch.
            candidate: the same shape and device, and an element type of which one holds the other.
            data_range: L, or a pair (low, high), of this update alone: for metrics that were
                created without one.
            per_image: True for one value per image, or a float64 array [N] to write them into.
            per_channel: True for one value per image and channel, or a float64 array [N, C].
            map: SSIM only: True for the map, or a float32 or float64 array of its shape, which
                is that of the images, less the window size plus 1 in depth, height and width for
                border="valid". With several scales it is that of the first.
            weights: a mask of bool or uint8, where 0 leaves a pixel out, or float32 or float64
                weights from 0 to 1: an array of the images' shape, where the axes of batch and
                channels may be 1, or without the axis of channels.
            candidate_gradient: True for the derivative of each image's value with respect to
                the samples of the candidate, or a float32 or float64 array of the images' shape.
            reference_gradient: the same with respect to the reference.

        Arrays on a CUDA device are measured there: the call only queues the work, on the current
        stream of their library, and the arrays that it gives are ready in the order of that
        stream. compute() waits for it. For arrays of libraries other than PyTorch and CuPy the
        update waits too.

        Returns:
            A named tuple (per_image, per_channel, map, candidate_gradient, reference_gradient)
            with the arrays asked for, where the images are.
        """
        if (
            weights is data_range is None
            and per_image is per_channel is map is False
            and candidate_gradient is reference_gradient is False
            and self._try_update(reference, candidate)
        ):
            return NOTHING
        wanted = {
            "per_image": per_image,
            "per_channel": per_channel,
            "map": map,
            "candidate_gradient": candidate_gradient,
            "reference_gradient": reference_gradient,
        }
        pairs = pairs_of_pictures(reference, candidate)
        if pairs is not None:
            for name in ("map", "candidate_gradient", "reference_gradient"):
                asked = wanted.pop(name)
                if asked is not None and asked is not False:
                    raise InvalidArgumentError(f"{name} is of one pair, expected no lists")
            stated = {"weights": weights, "data_range": data_range}
            return self._update_each(pairs, wanted, **stated)  # type: ignore[no-any-return]
        reference, candidate = picture(reference, "reference"), picture(candidate, "candidate")
        self._take_layout(reference, candidate)
        try:
            return self._update(reference, candidate, weights, data_range, wanted)
        except DtypeError:
            if owner_of(reference) or owner_of(candidate):
                raise
        return self._update_by_copies(reference, candidate, weights, data_range, wanted)

    def _try_update(self, reference: Any, candidate: Any) -> bool:
        """What is usual, quickly; False where nothing has happened and a closer look is needed."""
        pair = borrow_quickly(reference, candidate)
        if pair is None:
            return False
        (_, x), (_, y) = pair
        return self._context.try_update(self._handle, x, y)

    def _update(
        self,
        reference: Any,
        candidate: Any,
        weights: Any,
        data_range: Any,
        wanted: dict[str, Any],
    ) -> Details:
        loan = self._lend(reference, candidate)
        x, y = loan.borrow(reference, "reference"), loan.borrow(candidate, "candidate")
        try:
            plain = weights is None and data_range is None
            if plain and not any(value is not False for value in wanted.values()):
                self._queue(loan, x, y, None)
                return NOTHING
            extras = Extras(wanted, weights, data_range, x, self._resolved(), loan)
            self._queue(loan, x, y, ctypes.byref(extras.structure))
        except Error as problem:
            raise self._kind.explain(problem, x, self._resolved()) from None
        return extras.details

    def _update_each(
        self, pairs: list[tuple[Any, Any]], wanted: dict[str, Any], **arguments: Any
    ) -> Any:
        """Adds pictures of any sizes, all or none."""
        found: list[Any] = []

        def update(metric: Any, part: slice | None) -> None:
            index = 0 if part is None else part.start
            some = {name: piece_of(value, part) for name, value in wanted.items()}
            found.append(metric.update(*pairs[index], **arguments, **some))

        self._all_or_none([slice(index, index + 1) for index in range(len(pairs))], update)
        if found[0] is NOTHING:
            return NOTHING
        columns = dict(zip(found[0]._fields, zip(*found)))
        return type(found[0])(**{n: joined(columns[n], value) for n, value in wanted.items()})

    def _update_by_copies(
        self,
        reference: Any,
        candidate: Any,
        weights: Any,
        data_range: Any,
        wanted: dict[str, Any],
    ) -> Details:
        """The update with copies that have a type of the library, where there is such a type."""
        options = self._resolved()
        range_is_stated = data_range is not None or options.data_low < options.data_high

        def convert(given: dict[str, Any]) -> dict[str, Any]:
            masks = {"weights": as_weights(given.pop("weights"), "weights")} if masked else {}
            return {**as_images(given, range_is_stated), **masks}

        masked = weights is not None
        arguments = {"reference": reference, "candidate": candidate}
        layout = tuple(words("ssim", "layout"))[options.layout]
        copies = Copies(
            {**arguments, "weights": weights} if masked else arguments, convert, layout[0] == "N"
        )
        copies.check_shapes("candidate", "reference")
        found: list[Details] = []

        def update(metric: Metric, part: slice | None) -> None:
            taken = copies.piece(part)
            images = taken["reference"], taken["candidate"]
            some = {name: piece_of(value, part) for name, value in wanted.items()}
            found.append(metric._update(*images, taken.get("weights"), data_range, some))

        self._all_or_none(copies.parts, update)
        if found[0] is NOTHING:
            return NOTHING
        return Details(*map(joined, zip(*found), wanted.values()))

    def _all_or_none(
        self: AnyMetric,
        parts: Sequence[slice | None],
        update: Callable[[AnyMetric, slice | None], None],
    ) -> None:
        """Updates with the parts of a batch as one: where one fails the metric stays as it was."""
        if len(parts) == 1:
            update(self, parts[0])
            return
        together = self.from_bytes(self.to_bytes(), context=self._context)
        together._layout_is_open = self._layout_is_open
        together.reset()
        for part in parts:
            try:
                update(together, part)
            except Error as problem:
                if part is not None and part.start and problem.status > 0:
                    problem.args = (f"{problem}, counted from entry {part.start} of the batch",)
                raise
        self.merge(together)

    def _lend(self, reference: Any, candidate: Any) -> Loan:
        """For the arrays of an update: on the stream of the first that is on a CUDA device."""
        owner = owner_of(reference) or owner_of(candidate)
        if owner is not None and self._has_own_context:
            self._move_to(owner.stream, owner.stream_object)
        return Loan(self._context.cuda_stream, owner)

    def _move_to(self, stream: int | None, stream_object: Any) -> None:
        """Continues on another CUDA stream, in a context for it, when the old one is done."""
        if stream == self._context.cuda_stream:
            self._context.stream_object = stream_object
            return
        context = Context(cuda_stream=stream)
        context.stream_object = stream_object
        moved = self.from_bytes(self.to_bytes(), context=context)
        self._context, moved._context = moved._context, self._context
        self._handle, moved._handle = moved._handle, self._handle

    def _queue(self, loan: Loan, reference: Any, candidate: Any, extras: Any) -> None:
        """The update itself, of borrowed arrays."""
        update = library.iqa_metric_update
        try:
            self._context.call(update, self._open(), reference, candidate, extras)
            loan.queued()
            if loan.must_wait:
                self._wait()
        finally:
            if loan.stream_may_end and self._has_own_context:
                self._move_to(None, None)

    def _wait(self) -> None:
        """Waits until all updates are complete."""
        self._read("images")

    def _take_layout(self, reference: Any, candidate: Any) -> None:
        """That of arrays whose kind says what their axes are, where none was stated."""
        if self._layout_is_open:
            layout = layout_of(reference, candidate)
            if layout is not None and self._has_no_layout():
                self._become(layout)

    def _take_layout_of(self, other: Metric) -> None:
        """That of another metric, where none was stated and there are no images yet."""
        if self._may_take_layout(other):
            self._become(tuple(words("ssim", "layout"))[other._resolved().layout])

    def _may_take_layout(self, other: Metric) -> bool:
        if not self._layout_is_open or self._kind is not other._kind:
            return False
        theirs = tuple(words("ssim", "layout"))[other._resolved().layout]
        return theirs in LAYOUTS_OF_OBJECTS and self._has_no_layout()

    def _take_layout_by(self, fingerprint: int) -> None:
        """The one with which this metric's fingerprint would be another's."""
        if not self._layout_is_open or not self._has_no_layout():
            return
        for layout in LAYOUTS_OF_OBJECTS:
            trial = self.copy()
            trial._become(layout)
            if trial.fingerprint == fingerprint:
                self._become(layout)

    def _has_no_layout(self) -> bool:
        """Whether it has still the default one, and no images that have it."""
        return self._has_default_layout() and self.images == 0

    def _has_default_layout(self) -> bool:
        return bool(self._resolved().layout == words("ssim", "layout")["HW"])

    def _has_layout(self, stated: str | None) -> bool:
        """Whether it has the layout that it was made with, and took no other."""
        return stated is not None or not self._layout_is_open or self._has_default_layout()

    def _become(self, layout: str) -> None:
        """An empty metric of another layout."""
        options = self._kind.options_in(self.to_bytes())
        options.layout = words("ssim", "layout")[layout]
        before, self._handle = self._handle, ctypes.c_void_p()
        self._create(options)
        self._destroy(before)
        self._resolved_options = None

    def compute(self) -> float:
        """The value of all images added so far. A pure read: any time, any number of times."""
        value = ctypes.c_double()
        self._context.call(library.iqa_metric_compute, self._open(), ctypes.byref(value))
        return value.value

    @property
    def images(self) -> int:
        """How many images were added."""
        return int(self._read("images"))

    @property
    def out_of_range(self) -> int:
        """How many samples, of either image, lay outside the data range, or were not finite."""
        return int(self._read("out_of_range"))

    @property
    def nonfinite(self) -> int:
        """How many samples, of either image, were NaN or infinite."""
        return int(self._read("nonfinite"))

    def _read(self, field: str) -> float:
        value = ctypes.c_double()
        number = _abi.FIELDS[field]
        self._context.call(
            library.iqa_metric_read, self._open(), number, ctypes.byref(value), 1, None
        )
        return value.value

    def to_dict(self) -> dict[str, Any]:
        """What can be read of the metric, as plain numbers that JSON has too.

        None stands for what has no value, such as that of a metric without images.
        """
        read = {"value": self.compute}
        read |= {name: partial(getattr, self, name) for name in self._readable}
        return {name: or_none(one) for name, one in read.items()}

    def table(self, *, digits: int = 4) -> ScoreTable:
        """What can be read of the metric, a row for each."""
        self._open()
        values = self.to_dict()
        return of_values({n: value for n, value in values.items() if value is not None}, digits)

    def plot(self, values: Any = None, ax: Any = None) -> Any:
        """Draws values with matplotlib: see iqa.plot_values.

        Args:
            values: what compute() gave before, or per_image of an update; None for the present
                value.
            ax: axes to draw on; None for new ones.

        Returns:
            The axes.
        """
        from ._plot import plot_values  # noqa: PLC0415 needs matplotlib

        name = type(self).__name__
        return plot_values({name: self.compute()} if values is None else values, ax, label=name)

    def reset(self) -> None:
        """Forgets all data; the options stay."""
        self._context.call(library.iqa_metric_reset, self._open())

    def merge(self, other: Metric) -> None:
        """Adds the data of another metric with the same options.

        The order and grouping of merges change no bit of the result.
        """
        if not isinstance(other, Metric):
            raise ArgumentTypeError(f"other is {type(other).__name__}, expected a metric")
        self._take_layout_of(other)
        if other._may_take_layout(self):
            other = other.copy()
            other._take_layout_of(self)
        merge = (library.iqa_metric_merge, self._open(), other._open())
        if other._context is self._context:
            self._context.call(*merge)
        else:  # inside a call of the other context, so that both are held
            other._context.call(self._context.call, *merge)

    def lanes(self) -> Any:
        """The state as int64 numbers whose merge is addition, lane by lane.

        A NumPy array, or a memoryview where NumPy is not installed. The sums of the lanes of
        many metrics, by NumPy, MPI, all_reduce or SQL, go back into a metric by add_lanes().
        """
        count = ctypes.c_size_t()
        function = library.iqa_metric_lanes
        self._context.call(function, self._open(), None, 0, ctypes.byref(count))
        lanes = empty("int64", (count.value,))
        keep, tensor = borrow(lanes, "lanes", writable=True)
        memory = _abi.Tensor.from_address(tensor).data
        self._context.call(function, self._open(), memory, count.value, None)
        del keep
        return lanes

    @property
    def fingerprint(self) -> int:
        """64 bits that stand for kind and options, which lanes do not carry.

        Metrics that may be merged have equal ones, others differ. It is an int64 number, so that
        it can travel beside the lanes, where it is compared instead of summed.
        """
        value = ctypes.c_uint64()
        self._context.call(library.iqa_metric_fingerprint, self._open(), ctypes.byref(value))
        return ctypes.c_int64(value.value).value

    def add_lanes(self, lanes: Iterable[int], *, fingerprint: int | None = None) -> None:
        """Adds lanes, of one metric or summed over many.

        Args:
            lanes: what lanes() gave, or its sums.
            fingerprint: of the metrics that gave them: lanes of others are refused. None where
                it is known that they have the options of this one.
        """
        if fingerprint is not None:
            theirs = _options.integer("fingerprint", fingerprint, 65)
            self._take_layout_by(theirs)
            mine = self.fingerprint
            if (mine - theirs) % 2**64:
                raise IncompatibleError(
                    f"fingerprint is {theirs}, but this metric's is {mine}: the lanes are those of"
                    " another kind of metric, or of other options"
                )
        memory, count, _keep = _int64(lanes)
        self._context.call(library.iqa_metric_add_lanes, self._open(), memory, count)

    def to_bytes(self) -> bytes:
        """Kind, options and state: the same bytes on every machine, with a checksum."""
        size = ctypes.c_size_t()
        function = library.iqa_metric_serialize
        self._context.call(function, self._open(), None, 0, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self._context.call(function, self._open(), buffer, size, None)
        return buffer.raw

    @classmethod
    def from_bytes(
        cls: type[AnyMetric], state: bytes, *, context: Context | None = None
    ) -> AnyMetric:
        """The metric that wrote the bytes.

        They may come from anywhere: they are checked before use.
        """
        metric = cls.__new__(cls)
        metric._begin(context)
        metric._options = None
        try:
            state = bytes(memoryview(state))
        except TypeError:
            raise ArgumentTypeError(
                f"state is {type(state).__name__}, expected what to_bytes() gave"
            ) from None
        metric._context.call(
            library.iqa_metric_deserialize,
            metric._context.handle,
            state,
            len(state),
            ctypes.byref(metric._handle),
        )
        if not cls._kind.wrote(state):
            raise IncompatibleError(f"the bytes hold another metric than {cls.__name__}")
        return metric

    def copy(self: AnyMetric) -> AnyMetric:
        """An independent metric with the same options and data."""
        context = None if self._has_own_context else self._context
        metric = self.from_bytes(self.to_bytes(), context=context)
        metric._layout_is_open = self._layout_is_open
        return metric

    def __call__(self, reference: Any, candidate: Any, **arguments: Any) -> float | Result:
        """Adds a pair or batch of images, and gives its value alone.

        The images are measured once: by an empty metric, which is then merged into this one.

        Args:
            reference: see update(), as the others.
            candidate: the same shape and device.
            **arguments: data_range, weights, per_image and the others of update().

        Returns:
            The value; where more is asked for a named tuple, as of the function for one pair.
        """
        return self._of_batch(_result, reference, candidate, **arguments)  # type: ignore[no-any-return]

    def _of_batch(
        self: AnyMetric, read: Callable[[AnyMetric, Any], Any], *images: Any, **arguments: Any
    ) -> Any:
        """What is read of an update's images alone, which are then added."""
        batch = self._empty_batch()
        try:
            result = read(batch, batch.update(*images, **arguments))
            self.merge(batch)
        finally:
            batch.reset()
        return result

    def _empty_batch(self: AnyMetric) -> AnyMetric:
        """A metric for one batch, kept for the next; it takes a layout only where this one may."""
        batch: AnyMetric | None = self._batch
        has_other_layout = (
            batch is not None
            and self._layout_is_open
            and batch._resolved().layout != self._resolved().layout
        )
        if batch is None or has_other_layout:
            batch = self._batch = self.copy()
            batch.reset()
        batch._layout_is_open = self._layout_is_open and self._has_no_layout()
        return batch

    def __add__(self: AnyMetric, other: Any) -> AnyMetric:
        if not isinstance(other, Metric):
            return NotImplemented
        both = self.copy()
        both.merge(other)
        return both

    def __radd__(self: AnyMetric, other: Any) -> AnyMetric:
        """What sum() begins with, which is 0."""
        if isinstance(other, int) and other == 0:
            return self.copy()
        return NotImplemented

    def __iadd__(self: AnyMetric, other: Any) -> AnyMetric:
        if not isinstance(other, Metric):
            return NotImplemented
        self.merge(other)
        return self

    def __copy__(self: AnyMetric) -> AnyMetric:
        return self.copy()

    def __deepcopy__(self: AnyMetric, _: object) -> AnyMetric:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_bytes, (self.to_bytes(),)

    def _resolved(self) -> Any:
        """The options without automatic ones, which the state bytes have."""
        if self._resolved_options is None:
            self._resolved_options = self._kind.options_in(self.to_bytes())
        return self._resolved_options

    def _open(self) -> ctypes.c_void_p:
        if not self._handle:
            raise InvalidArgumentError("the metric is closed")
        return self._handle

    def close(self) -> None:
        """Frees the metric's memory. It cannot be used afterwards."""
        address, self._handle.value = self._handle.value, None
        self._destroy(address)

    def __enter__(self: AnyMetric) -> AnyMetric:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()  # a cycle's finalizers run in any order: a later one may still use this metric

    def __repr__(self) -> str:
        name = f"iqa.{type(self).__name__}"
        return f"<{name}, {self.images} images>" if self._handle else f"<{name}, closed>"


def _result(metric: Metric, details: Details | None) -> float | Result:
    value = metric.compute()
    return value if details is None or details is NOTHING else Result(value, *details, None)


def merge(metrics: Iterable[AnyMetric]) -> AnyMetric:
    """A new metric with the data of several that have the same options.

    Neither order nor grouping change a bit of the result, and the metrics stay as they are.

    Args:
        metrics: one or more, of one kind; an iterator is read once.

    Example:
        >>> iqa.merge(pool.map(measure, shards)).compute()
    """
    whole = None
    for number, metric in enumerate(metrics):
        if not hasattr(metric, "merge"):
            raise ArgumentTypeError(
                f"metrics[{number}] is {type(metric).__name__}, expected a metric"
            )
        if whole is None:
            whole = metric.copy()
        else:
            whole.merge(metric)
    if whole is None:
        raise InvalidArgumentError("metrics is empty, expected at least one")
    return whole


def _int64(lanes: Any) -> tuple[int, int, Any]:
    """Address and number of int64 numbers, and what keeps them alive."""
    with contextlib.suppress(Error):  # a list, say, which is copied below
        keep, address = borrow(lanes, "lanes")
        tensor = _abi.Tensor.from_address(address)
        kind = (tensor.device_type, tensor.dtype_code, tensor.dtype_bits, tensor.ndim)
        if kind == (_abi.CPU, 0, 64, 1) and (not tensor.strides or tensor.strides[0] == 1):
            return (tensor.data or 0) + tensor.byte_offset, tensor.shape[0], keep
    try:
        numbers = array("q", lanes)
    except (TypeError, OverflowError) as problem:
        raise ArgumentTypeError(f"lanes has what is no int64 number: {problem}") from None
    return *numbers.buffer_info(), numbers
