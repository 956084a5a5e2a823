# SPDX-License-Identifier: MIT
"""How keyword arguments get into the option structures."""

from __future__ import annotations

import operator

from . import _abi
from ._errors import InvalidArgumentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Setter = Callable[[Any, str, Any], None]


def choose(name: str, value: object, numbers: Mapping[str, int]) -> int:
    """The number of a word, or an error that lists the words."""
    if isinstance(value, str) and value in numbers:
        return numbers[value]
    words = ", ".join(repr(word) for word in numbers)
    raise InvalidArgumentError(f"{name} is {value!r}, expected one of {words}")


def integer(name: str, value: Any, bits: int = 32, signed: bool = True) -> int:
    """An integer that fits, or an error: ctypes would take the lower bits without a word."""
    try:
        number = operator.index(value)
    except TypeError:
        raise InvalidArgumentError(f"{name} is {value!r}, expected an integer") from None
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    if not low <= number < high:
        raise InvalidArgumentError(f"{name} is {number}, which is far out of its range")
    return number


def number(name: str, value: Any) -> float:
    """A number, or an error."""
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise InvalidArgumentError(f"{name} is {value!r}, expected a number") from None


def _word(field: str, numbers: Mapping[str, int]) -> Setter:
    def put(options: Any, name: str, value: Any) -> None:
        setattr(options, field, choose(name, value, numbers))

    return put


def _real(field: str) -> Setter:
    def put(options: Any, name: str, value: Any) -> None:
        setattr(options, field, number(name, value))

    return put


def _integer(name: str, value: Any, expected: str, least: int = 0) -> int:
    try:
        found = operator.index(value)
    except TypeError:
        found = least - 1
    if not least <= found < 2**31:  # ctypes would take the lower 32 bits without a word
        raise InvalidArgumentError(f"{name} is {value!r}, expected {expected}")
    return found


def _count(field: str, expected: str, least: int, words: Mapping[str, int] | None = None) -> Setter:
    """An integer, or one of some words."""

    def put(options: Any, name: str, value: Any) -> None:
        if words and isinstance(value, str):
            setattr(options, field, choose(name, value, words))
        else:
            setattr(options, field, _integer(name, value, expected, least))

    return put


def _flag(field: str) -> Setter:
    def put(options: Any, name: str, value: Any) -> None:
        if value not in (True, False):
            raise InvalidArgumentError(f"{name} is {value!r}, expected True or False")
        setattr(options, field, int(value))

    return put


def _by_axis(prefix: str, convert: Callable[[str, Any], Any]) -> Setter:
    """One value for all axes of a window, or one for each: the layout comes before."""

    def put(options: Any, name: str, value: Any) -> None:
        deep = options.layout >= _abi.LAYOUTS["DHW"]
        if not isinstance(value, (tuple, list)):
            value = (value,) * 3
        elif len(value) == 2 and not deep:
            value = (value[0], *value)  # an image has no depth: nothing reads it
        elif len(value) != 3 or not deep:
            expected = "three (depth, down, across)" if deep else "a pair (down, across)"
            raise InvalidArgumentError(f"{name} has {len(value)} values, expected {expected}")
        for axis, part in zip("zyx", value):
            setattr(options, f"{prefix}_{axis}", convert(name, part))

    return put


def _taps(name: str, value: Any) -> int:
    if isinstance(value, str):
        return choose(name, value, _abi.SIZES)
    return _integer(name, value, "an odd number of taps", 1)


def _put_range(options: Any, name: str, value: Any) -> None:
    """L, or (low, high)."""
    try:
        low, high = value if isinstance(value, (tuple, list)) else (0.0, value)
        options.data_low, options.data_high = number(name, low), number(name, high)
    except ValueError:
        options.data_low, options.data_high = 0.0, 0.0
    if not options.data_low < options.data_high:  # the library reads low > high as "not stated"
        raise InvalidArgumentError(
            f"{name} is {value!r}, expected a number above 0 or a pair (low, high) with low < high"
        )


def sequence(name: str, value: Any, expected: str) -> tuple[Any, ...]:
    """The numbers of a list, a tuple, an array or a tensor."""
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        return tuple(value.tolist() if hasattr(value, "tolist") else value)
    except TypeError:
        raise InvalidArgumentError(f"{name} is {value!r}, expected {expected}") from None


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options without arrays and tensors, whose content may change."""
    return {
        name: value.tolist() if hasattr(value, "tolist") else value
        for name, value in options.items()
    }


_WEIGHTS_EXPECTED = f"1 to {_abi.MOST_SCALES} numbers whose sum is 1"

_WANG_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the paper on multi-scale SSIM, from the full size on."""


def with_scale_weights(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options with `scale_weights` that stand for `scales` too."""
    if options.get("scales") is None:
        return options
    weights = options.get("scale_weights")
    count = _integer("scales", options["scales"], "the number of scales", 1)
    if weights is None:
        weights = {1: (1.0,), len(_WANG_WEIGHTS): _WANG_WEIGHTS}.get(count)
        if weights is None:
            raise InvalidArgumentError(
                f"scales is {count}, expected scale_weights too: {count} numbers whose sum is 1"
            )
    weights = sequence("scale_weights", weights, _WEIGHTS_EXPECTED)
    if len(weights) != count:
        raise InvalidArgumentError(
            f"scales is {count}, but scale_weights has {len(weights)} numbers"
        )
    return {**options, "scale_weights": weights}


def _put_scale_weights(options: Any, name: str, value: Any) -> None:
    weights = sequence(name, value, _WEIGHTS_EXPECTED)
    if not 1 <= len(weights) <= _abi.MOST_SCALES:
        raise InvalidArgumentError(f"{name} is {value!r}, expected {_WEIGHTS_EXPECTED}")
    options.scales = len(weights)
    rest = (0.0,) * (_abi.MOST_SCALES - len(weights))
    options.scale_weights[:] = (*(number(name, weight) for weight in weights), *rest)


def _nothing(options: Any, name: str, value: Any) -> None:
    """An option that has been seen to before."""


_PIXELS = "a number of pixels"

_SHARED: dict[str, Setter] = {
    "layout": _word("layout", _abi.LAYOUTS),
    "data_range": _put_range,
    "nonfinite": _word("nonfinite", _abi.NONFINITES),
    "luma": _word("luma", _abi.LUMAS),
    "luma_rounded": _flag("luma_rounded"),
    "shave": _count("shave", _PIXELS, 0),
}

SSIM: dict[str, Setter] = {
    "preset": _nothing,
    **_SHARED,
    "window": _word("window", _abi.WINDOWS),
    "border": _word("border", _abi.BORDERS),
    "size": _by_axis("size", _taps),
    "sigma": _by_axis("sigma", number),
    "spacing": _by_axis("spacing", number),
    "truncate": _real("truncate"),
    "k1": _real("k1"),
    "k2": _real("k2"),
    "covariance": _word("covariance", _abi.COVARIANCES),
    "arithmetic": _word("arithmetic", _abi.ARITHMETICS),
    "downsample": _count(
        "downsample", "a factor of at least 1, or 'auto'", 1, {"auto": _abi.DOWNSAMPLE_AUTO}
    ),
    "shrink": _word("shrink", _abi.SHRINKS),
    "scales": _nothing,
    "scale_weights": _put_scale_weights,
    "product": _word("product", _abi.PRODUCTS),
    "negative": _word("negative", _abi.NEGATIVES),
    "contrast_border": _word("contrast_border", _abi.BORDERS),
    "mask_mode": _word("mask", _abi.MASKS),
    "coverage": _real("coverage"),
    "parts": _flag("parts"),
}

PSNR: dict[str, Setter] = {
    **_SHARED,
    "log_base": _real("log_base"),
    "cap": _real("cap"),
    "aggregate": _word("aggregate", _abi.AGGREGATES),
    "gradient": _word("gradient", _abi.GRADIENTS),
}
