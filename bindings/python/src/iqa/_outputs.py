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

    Specification = tuple[str, tuple[int, ...]]

Details = namedtuple("Details", ("per_image", "per_channel", "map"))
Details.__doc__ = """What an update gave besides; None for what was not asked for.

per_image is float64 [N], per_channel float64 [N, C], map has the layout of the images.
"""

Result = namedtuple("Result", ("value", "per_image", "per_channel", "map"))
Result.__doc__ = "The value and, as in Details, what else was asked for."


def empty(dtype: str, shape: tuple[int, ...]) -> Any:
    """A new array: NumPy's where NumPy is installed, else a memoryview of that shape."""
    try:
        import numpy as np  # noqa: PLC0415 importing iqa does not import it
    except ImportError:
        letter, size = {"float64": ("d", 8), "float32": ("f", 4), "int64": ("q", 8)}[dtype]
        memory: Any = memoryview(bytearray(math.prod(shape) * size))
        return memory.cast(letter, shape)
    return np.empty(shape, dtype)


class Outputs:
    """The arrays of one update: new where True was asked for, else the caller's, borrowed.

    Args:
        wanted: True, False, None or an array for each name.
        reference: address of the tensor of the reference images.
        options: the metric's, without automatic ones.
    """

    def __init__(self, wanted: dict[str, Any], reference: int, options: Any) -> None:
        self.extras = _abi.UpdateExtras(ctypes.sizeof(_abi.UpdateExtras))
        self._arrays: dict[str, Any] = {}
        self._keep = []
        tensor = _abi.Tensor.from_address(reference)
        for name, value in wanted.items():
            if value is None or value is False:
                continue
            array = _new(name, tensor, options) if value is True else value
            keep, address = borrow(array, name, writable=True)
            setattr(self.extras, name, address)
            self._arrays[name] = array
            self._keep.append(keep)

    @property
    def details(self) -> Details:
        """The arrays, for after the update that fills them."""
        return Details(*map(self._arrays.get, Details._fields))


def _new(name: str, tensor: Any, options: Any) -> Any:
    if tensor.device_type != _abi.CPU:
        raise InvalidArgumentError(f"{name} is True, expected an array on the images' device")
    layout = next(word for word, number in _abi.LAYOUTS.items() if number == options.layout)
    if tensor.ndim != len(layout):
        raise ShapeError(
            f"reference has {tensor.ndim} axes, but the layout {layout!r} has {len(layout)}"
        )
    axes = dict(zip(layout, tensor.shape[: tensor.ndim]))
    if name == "per_image":
        return empty("float64", (axes.get("N", 1),))
    if name == "per_channel":
        return empty("float64", (axes.get("N", 1), axes.get("C", 1)))
    return _new_map(axes, tensor, options)


def _new_map(axes: dict[str, int], tensor: Any, options: Any) -> Any:
    if not hasattr(options, "border"):
        raise InvalidArgumentError("map is True, but this metric has no map")
    if options.border == _abi.BORDERS["valid"]:  # where the image is too small the library says so
        axes["H"] = max(axes["H"] - options.size_y + 1, 1)
        axes["W"] = max(axes["W"] - options.size_x + 1, 1)
    double = tensor.dtype_bits == 64 or options.arithmetic == _abi.ARITHMETICS["float64"]
    return empty("float64" if double else "float32", tuple(axes.values()))
