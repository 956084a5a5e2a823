# SPDX-License-Identifier: MIT
"""The value of one pair or batch of images, by metrics that are kept for the next one."""

from __future__ import annotations

import ctypes
import threading

from . import _options
from ._abi import Tensor
from ._cuda import owner_of
from ._library import library
from ._objects import layout_of, picture
from ._outputs import NOTHING, Details, Result
from ._tensor import borrow_quickly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._context import Context
    from ._metric import Metric

_MOST_KEPT = 8

_of_thread = threading.local()
"""Has `kept`, of each call's arguments the idle metrics."""


class _Kept:
    """A metric without data, idle, and where its next value goes.

    While it is in use nobody else has it, nor its context, which therefore needs no lock.
    """

    __slots__ = ("handle", "metric", "out", "value")

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.handle = metric._handle.value
        self.value = ctypes.c_double()
        self.out = ctypes.addressof(self.value)


def measure(
    metric: type[Metric],
    reference: Any,
    candidate: Any,
    data_range: Any,
    layout: str | None,
    context: Context | None,
    extras: dict[str, Any],
    options: dict[str, Any],
) -> float | Result:
    """One pair or batch of images: the value, with what else the extras of an update ask for."""
    images = (picture(reference, "reference"), picture(candidate, "candidate"))
    if layout is None:
        layout = layout_of(*images)
    result: float | Result = measure_by(
        metric, images, data_range, layout, context, extras, options, _value
    )
    return result


def try_value(
    metric: type[Metric],
    reference: Any,
    candidate: Any,
    data_range: Any,
    layout: str | None,
    options: dict[str, Any],
) -> float | None:
    """The quick way of measure(), where nothing but the value is asked for.

    None where it has to be asked: without a metric that is kept, for what is not usual, and for
    what fails.
    """
    pair = borrow_quickly(reference, candidate)
    if pair is None or "parts" in options:
        return None
    (owner, x), (_, y) = pair
    if layout is None and type(owner) is Tensor:
        layout = layout_of(reference, candidate)
    try:
        idle = _of_thread.kept[(metric, None, data_range, layout, *options.items())]
        kept = idle.pop()
    except (AttributeError, LookupError, TypeError):  # a list among the options cannot be hashed
        return None
    status = library.iqa_metric_measure(kept.handle, x, y, None, kept.out)
    value: float = kept.value.value
    idle.append(kept)
    return None if status else value


def _value(accumulator: Metric, details: Details, options: dict[str, Any]) -> float | Result:
    result = accumulator.compute()
    parts = getattr(accumulator, "parts", None) if options.get("parts") else None
    return result if details is NOTHING and parts is None else Result(result, *details, parts)


def measure_by(
    metric: type[Metric],
    images: tuple[Any, Any],
    data_range: Any,
    layout: str | None,
    context: Context | None,
    extras: dict[str, Any],
    options: dict[str, Any],
    read: Callable[[Metric, Details, dict[str, Any]], Any],
) -> Any:
    """What `read` makes of a metric that has one pair or batch of images.

    A metric and its working memory take longer to make than a small image to measure, so each
    thread keeps its last few, for each CUDA stream its own. While one is used it is taken out, so
    that a signal handler or a finalizer which measures too gets another.
    """
    owner = owner_of(images[0])
    options = _options.plain(options)
    if hasattr(data_range, "tolist"):
        data_range = data_range.tolist()
    key = (metric, owner and owner.stream, data_range, layout, *options.items())
    accumulator = _take(key) if context is None else None
    if accumulator is None:
        accumulator = metric(data_range, layout, context=context, **options)
    result = read(accumulator, accumulator.update(*images, **extras), options)
    if context is None:
        accumulator.reset()
        if accumulator._has_layout(layout):
            _put_back(key, accumulator)
    return result


def _take(key: tuple[Any, ...]) -> Metric | None:
    try:
        metric: Metric = _of_thread.kept[key].pop().metric
    except (AttributeError, LookupError, TypeError):
        return None
    return metric


def _put_back(key: tuple[Any, ...], metric: Metric) -> None:
    kept = _of_thread.__dict__.setdefault("kept", {})
    try:
        if key not in kept and len(kept) >= _MOST_KEPT:
            kept.clear()
        kept.setdefault(key, []).append(_Kept(metric))
    except TypeError:  # an option that cannot be hashed, such as a list
        return
