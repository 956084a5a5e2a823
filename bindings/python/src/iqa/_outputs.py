# SPDX-License-Identifier: MIT
"""What an update may also be given and give: weights; values per image, the map, gradients."""

from __future__ import annotations

import ctypes
import math
from collections import namedtuple

from . import _abi
from ._errors import InvalidArgumentError, ShapeError
from ._library import library
from ._options import put_range
from ._tables import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._cuda import Loan

Details = namedtuple(
    "Details",
    ("per_image", "per_channel", "map", "candidate_gradient", "reference_gradient"),
    defaults=(None, None, None, None, None),
)
Details.__doc__ = """What an update gave besides; None for what was not asked for.

per_image is float64 [N], per_channel float64 [N, C]; the map and the gradients have the layout of
the images.
"""

Parts = namedtuple("Parts", ("luminance", "contrast_structure", "ssim"))
Parts.__doc__ = "What an SSIM is made of: for each scale the means of its factors and of itself."

NOTHING = Details()

Result = namedtuple(
    "Result",
    (
        "value",
        "per_image",
        "per_channel",
        "map",
        "candidate_gradient",
        "reference_gradient",
        "parts",
    ),
)
Result.__doc__ = "The value and, as in Details and Parts, what else was asked for."


def empty(dtype: str, shape: tuple[int, ...]) -> Any:
    """A new array: NumPy's where NumPy is installed, else a memoryview of that shape."""
    try:
        import numpy as np  # noqa: PLC0415 importing iqa does not import it
    except ImportError:
        letter, size = {"float64": ("d", 8), "float32": ("f", 4), "int64": ("q", 8)}[dtype]
        memory: Any = memoryview(bytearray(math.prod(shape) * size))
        return memory.cast(letter, shape)
    return np.empty(shape, dtype)


class Extras:
    """The arrays of one update: new where True was asked for, else the caller's, borrowed.

    Args:
        wanted: True, False, None or an array for each name.
        weights: of the pixels, or None.
        data_range: of this update alone, or None.
        reference: address of the tensor of the reference images.
        options: the metric's, without automatic ones.
        loan: of the images.
    """

    def __init__(
        self,
        wanted: dict[str, Any],
        weights: Any,
        data_range: Any,
        reference: int,
        options: Any,
        loan: Loan,
    ) -> None:
        self.structure = _abi.UpdateExtras(ctypes.sizeof(_abi.UpdateExtras))
        if data_range is not None:
            put_range(self.structure, "data_range", data_range)
        self._arrays: dict[str, Any] = {}
        if weights is not None:
            self.structure.weights = loan.borrow(weights, "weights")
        tensor = _abi.Tensor.from_address(reference)
        for name, value in wanted.items():
            if value is None or value is False:
                continue
            array = loan.empty(name, *_form(name, tensor, options)) if value is True else value
            setattr(self.structure, name, loan.borrow(array, name, writable=True))
            self._arrays[name] = array

    @property
    def details(self) -> Details:
        """The arrays, for after the update that fills them."""
        return Details(*map(self._arrays.get, Details._fields)) if self._arrays else NOTHING


def _form(name: str, tensor: Any, options: Any) -> tuple[str, tuple[int, ...]]:
    """Element type and shape of an output."""
    layout = tuple(words("ssim", "layout"))[options.layout]
    if tensor.ndim != len(layout):
        raise ShapeError(
            f"reference has {tensor.ndim} axes, but the layout {layout!r} has {len(layout)}"
        )
    axes = dict(zip(layout, tensor.shape[: tensor.ndim]))
    if name == "per_image":
        return "float64", (axes.get("N", 1),)
    if name == "per_channel":
        of_luma = options.luma != words("ssim", "luma")["none"]
        return "float64", (axes.get("N", 1), 1 if of_luma else axes.get("C", 1))
    shape = _map_shape(tensor, options) if name == "map" else tuple(axes.values())
    in_double = words("ssim", "arithmetic")["float64"] == getattr(options, "arithmetic", None)
    double = tensor.dtype_bits == 64 or in_double
    return "float64" if double else "float32", shape


def _map_shape(tensor: Any, options: Any) -> tuple[int, ...]:
    """That of the map; of images that are too small the library says so when it measures them."""
    if not hasattr(options, "border"):
        raise InvalidArgumentError("map is True, but this metric has no map")
    found = (ctypes.c_int64 * tensor.ndim)(*tensor.shape[: tensor.ndim])
    library.iqa_ssim_map_shape(None, ctypes.byref(options), tensor.ndim, tensor.shape, found, None)
    return tuple(found)
