# SPDX-License-Identifier: MIT
"""Objects that say more than their memory: masks, units, palettes, alpha, pending operations.

What they add is applied where that is exact and has one meaning, as the program iqa does with
files, and refused in words elsewhere. No library is imported for it.
"""

from __future__ import annotations

import sys

from ._errors import DtypeError, InvalidArgumentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_UNITLESS = ("", "dimensionless", "1")


def resolve(array: Any, name: str) -> Any:
    """The array that is meant: itself, unless its memory alone would be another one."""
    kind = type(array)
    if kind.__module__ == "numpy":  # the quick answer
        return array
    for module, type_name, meaning in _MEANINGS:
        known = getattr(sys.modules.get(module), type_name, None)
        if known is not None and isinstance(array, known):
            return meaning(array, name)
    for unit, value in (("unit", "value"), ("units", "magnitude"), ("units", "value")):
        if hasattr(kind, unit) and hasattr(kind, value):
            return _without_unit(array, str(getattr(array, unit)), value, name)
    return array


def label_map(array: Any, name: str) -> Any:
    """The array, or the labels of a Pillow image: a palette's indices, the levels of grey."""
    image = getattr(sys.modules.get("PIL.Image"), "Image", None)
    if image is None or not isinstance(array, image):
        return array
    if array.mode == "1":
        return array.convert("L").point(lambda level: level // 255)
    if array.mode == "P":
        indices = array.copy()
        indices.putpalette([level // 3 for level in range(768)])
        indices.info.pop("transparency", None)
        return indices.convert("L")
    if array.mode not in ("L", "I", "F") and not array.mode.startswith("I;16"):
        raise DtypeError(
            f"{name} is a Pillow image of mode {array.mode!r}, whose colours are no labels:"
            " expected a palette or one channel"
        )
    return array


def _unmasked(array: Any, name: str) -> Any:
    """The data of a NumPy masked array of which nothing is masked."""
    count = int(array.mask.sum())
    if count:
        raise InvalidArgumentError(
            f"{name} is a masked array, of which {count} elements are masked: expected its data,"
            f" with the mask as weights=~numpy.ma.getmaskarray({name}) or another value in the gaps"
        )
    return array.data


def _materialized(array: Any, name: str) -> Any:
    """A PyTorch tensor without a gradient and without operations that its memory awaits."""
    if hasattr(array, "get_mask"):
        raise InvalidArgumentError(
            f"{name} is a masked tensor: expected {name}.get_data(), with {name}.get_mask() as"
            " weights"
        )
    if array.is_quantized:
        array = array.dequantize()
    if array.requires_grad:
        array = array.detach()
    if array.is_conj():
        array = array.resolve_conj()
    return array.resolve_neg() if array.is_neg() else array


def _as_samples(array: Any, name: str) -> Any:
    """A Pillow image as the program reads such a file."""
    mode = array.mode
    if mode in ("L", "RGB", "I", "F") or mode.startswith("I;16"):
        return array
    if mode == "1":
        return array.convert("L")
    if mode in ("RGBX", "YCbCr") or (mode == "P" and "transparency" not in array.info):
        return array.convert("RGB")
    if mode in ("LA", "La", "PA", "P", "RGBA", "RGBa"):
        return _opaque(array, name)
    raise DtypeError(
        f"{name} is a Pillow image of mode {mode!r}, which is not compared as it is stored:"
        f" expected one of grey or RGB, such as {name}.convert('RGB')"
    )


def _opaque(array: Any, name: str) -> Any:
    grey = array.mode in ("LA", "La")
    full = array.convert("LA" if grey else "RGBA")
    if full.getchannel("A").getextrema() != (255, 255):
        raise InvalidArgumentError(
            f"{name} is a Pillow image with transparent pixels: drop its alpha by"
            f" {name}.convert({'L' if grey else 'RGB'!r}), or put it on a background by"
            " PIL.Image.alpha_composite() first"
        )
    return full.convert("L" if grey else "RGB")


def _without_unit(array: Any, unit: str, value: str, name: str) -> Any:
    if unit not in _UNITLESS:
        raise InvalidArgumentError(
            f"{name} has the unit {unit!r}: expected plain numbers, such as {name}.{value}, of one"
            " unit throughout"
        )
    return getattr(array, value)


_MEANINGS = (
    ("torch", "Tensor", _materialized),
    ("PIL.Image", "Image", _as_samples),
    ("numpy.ma", "MaskedArray", _unmasked),
)
