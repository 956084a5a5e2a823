# SPDX-License-Identifier: MIT
"""Objects that say more than their memory: masks, units, palettes, alpha, pending operations.

What they add is applied where that is exact and has one meaning, as the program iqa does with
files, and refused in words elsewhere. No library is imported for it.
"""

from __future__ import annotations

import os
import sys

from ._errors import DtypeError, InvalidArgumentError, ShapeError

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
    array = picture(array, name)
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


LAYOUTS_OF_OBJECTS = ("NCHW", "HWC")
"""What layout_of() finds."""


def layout_of(reference: Any, candidate: Any) -> str | None:
    """What the axes of a pair are, where the library that its arrays are of leaves no choice."""
    for array, name in ((reference, "reference"), (candidate, "candidate")):
        kind = type(array)
        if kind.__module__ == "numpy":  # the quick answer
            continue
        tensor = getattr(sys.modules.get("torch"), "Tensor", None)
        if (
            tensor is not None
            and isinstance(array, tensor)
            and len(getattr(array, "shape", ())) == 4
        ):
            _check_channels_first(tuple(array.shape), name)
            return "NCHW"
        image = getattr(sys.modules.get("PIL.Image"), "Image", None)
        if image is not None and isinstance(array, image) and array.mode in _COLOURS:
            return "HWC"
    return None


_COLOURS = ("RGB", "RGBX", "YCbCr", "P", "PA", "RGBA", "RGBa")

_MOST_CHANNELS_OF_PICTURES = 4


def _check_channels_first(shape: tuple[int, ...], name: str) -> None:
    if shape[3] <= _MOST_CHANNELS_OF_PICTURES < shape[1]:
        raise ShapeError(
            f"{name} has shape {shape}, which looks like NHWC, though PyTorch's tensors of four"
            " axes are NCHW: expected layout='NHWC' or layout='NCHW'"
        )


def picture(array: Any, name: str) -> Any:
    """The array; of a path the picture in that file."""
    if not isinstance(array, (str, os.PathLike)):
        return array
    from ._files import opened  # noqa: PLC0415 needs Pillow

    return opened(os.fspath(array), name)


def pairs_of_pictures(reference: Any, candidate: Any) -> list[tuple[Any, Any]] | None:
    """The pairs in two lists of paths or of Pillow images; None where there are no such lists."""
    sides = {"reference": reference, "candidate": candidate}
    if not any(_is_list_of_pictures(side) for side in sides.values()):
        return None
    for name, side in sides.items():
        if not _is_list_of_pictures(side):
            raise DtypeError(
                f"{name} is {type(side).__name__}, expected a list of paths or pictures like the"
                " other one"
            )
    if len(reference) != len(candidate):
        raise ShapeError(
            f"candidate has {len(candidate)} pictures but reference has {len(reference)}"
        )
    return list(zip(reference, candidate))


def _is_list_of_pictures(side: Any) -> bool:
    if not isinstance(side, (list, tuple)) or not side:
        return False
    image = getattr(sys.modules.get("PIL.Image"), "Image", ())
    return all(isinstance(one, (str, os.PathLike, image)) for one in side)


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
    check_bits(array, name)
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


def check_bits(image: Any, name: str) -> None:
    """Refuses a picture whose file has more bits than Pillow gives; only grey keeps its 16."""
    if image.mode[0] in "IF":
        return
    for tile in getattr(image, "tile", ()):  # what is still to be read from the file
        arguments = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        raw, deepest = [*arguments, None, None][:2]
        packed = str(raw).startswith("BGR;")  # 5 or 6 bits of a colour
        deep = str(raw).partition(";")[2].startswith("16") and not packed
        if deep or (image.format == "PPM" and isinstance(deepest, int) and deepest > 255):
            raise DtypeError(
                f"{name} is a picture of which Pillow reads 8 of 16 bits of a sample: expected an"
                " array from a reader that keeps them, such as imageio, OpenCV or tifffile"
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
