# SPDX-License-Identifier: MIT
"""Arrays for what an update also gives: values per image and per channel, and the map."""

from __future__ import annotations

import ctypes
import math
from collections import namedtuple

from . import _abi
from ._errors import InvalidArgumentError, ShapeError
from ._tensor import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Details = namedtuple("Details", ("per_image", "per_channel", "map"))
Details.__doc__ = "What one update gave besides: float64 [N], float64 [N, C], and the map; None where not asked for."

Result = namedtuple("Result", ("value", "per_image", "per_channel", "map"))
Result.__doc__ = "A metric's value with its details; None where not asked for."


def empty(dtype: str, shape: tuple[int, ...]) -> Any:
    """A new array: NumPy's where NumPy is installed, else a memoryview with that shape."""
    try:
        import numpy  # noqa: PLC0415: here alone, so that importing iqa does not import it
    except ImportError:
        letter, size = {"float64": ("d", 8), "float32": ("f", 4), "int64": ("q", 8)}[dtype]
        return memoryview(bytearray(math.prod(shape) * size)).cast(letter, shape)
    return numpy.empty(shape, dtype)


class Outputs:
    """The arrays of one update, made where True was asked for and borrowed where an array was given."""

    def __init__(self, wanted: dict[str, Any], reference: int, options: Any) -> None:
        self.extras = _abi.UpdateExtras(ctypes.sizeof(_abi.UpdateExtras))
        self._arrays: dict[str, Any] = {}
        self._keep = []
        for name, array in wanted.items():
            if array is None or array is False:
                continue
            if array is True:
                tensor = _abi.Tensor.from_address(reference)
                if tensor.device_type != _abi.CPU:
                    raise InvalidArgumentError(f"{name} is True, expected an array on the images' device")
                array = empty(*_SPECIFICATIONS[name](tensor, options))
            keep, address = borrow(array, name, writable=True)
            self._arrays[name] = array
            self._keep.append(keep)
            setattr(self.extras, name, address)

    @property
    def details(self) -> Details:
        """The arrays, once the update has filled them."""
        return Details(*map(self._arrays.get, Details._fields))


def _axes(tensor: Any, options: Any) -> dict[str, int]:
    layout = next(word for word, number in _abi.LAYOUTS.items() if number == options.layout)
    if tensor.ndim != len(layout):
        raise ShapeError(f"reference has {tensor.ndim} axes, but the layout {layout} has {len(layout)}")
    return dict(zip(layout, tensor.shape[: tensor.ndim]))


def _per_image(tensor: Any, options: Any) -> tuple[str, tuple[int, ...]]:
    return "float64", (_axes(tensor, options).get("N", 1),)


def _per_channel(tensor: Any, options: Any) -> tuple[str, tuple[int, ...]]:
    axes = _axes(tensor, options)
    return "float64", (axes.get("N", 1), axes.get("C", 1))


def _map(tensor: Any, options: Any) -> tuple[str, tuple[int, ...]]:
    axes = _axes(tensor, options)
    if options.border == _abi.BORDERS["valid"]:
        for axis, taps, sigma in (("H", options.size_y, options.sigma_y), ("W", options.size_x, options.sigma_x)):
            if taps == _abi.SIZE_AUTO:
                taps = 2 * math.floor(options.truncate * sigma + 0.5) + 1
            axes[axis] = max(axes[axis] - taps + 1, 1)  # an image that is too small is the library's to refuse
    double = tensor.dtype_bits == 64 or options.arithmetic == _abi.ARITHMETICS["float64"]
    return "float64" if double else "float32", tuple(axes.values())


_SPECIFICATIONS = {"per_image": _per_image, "per_channel": _per_channel, "map": _map}
