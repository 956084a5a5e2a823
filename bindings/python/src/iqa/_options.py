# SPDX-License-Identifier: MIT
"""How keyword arguments get into the option structures."""

from __future__ import annotations

import ctypes
import operator

from ._errors import InvalidArgumentError
from ._names import unknown
from ._tables import FLAG, REAL, WORD, table, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._tables import Option, Table

_EXPECTED = {
    "shave": "a number of pixels",
    "size": "an odd number of taps",
    "downsample": "a factor of at least 1, or 'auto'",
    "scales": "the number of scales",
    "scale_weights": "1 to 12 numbers whose sum is 1",
    "gamma": "a number above 0, or None",
    "threads": "1 or more, or None for all",
}
"""What a wrong value should have been, where that can be said better than by what an option is."""

_WANG_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the paper on multi-scale SSIM, from the full size on."""


def choose(name: str, value: object, numbers: Mapping[str, int]) -> int:
    """The number of a word, or an error that lists the words."""
    if isinstance(value, str) and value in numbers:
        return numbers[value]
    listed = ", ".join(repr(word) for word in numbers)
    raise InvalidArgumentError(f"{name} is {value!r}, expected one of {listed}")


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


def fill(kind: Table, options: Any, given: Mapping[str, Any]) -> Any:
    """The structure with the values of keywords; a layout stands before what depends on it."""
    for name, value in given.items():
        if name not in kind.keywords:
            raise unknown(name, kind.keywords)
        fields = kind.keywords[name]
        if name == "data_range":
            put_range(options, name, value)
        elif name == "ignore":
            options.ignore = value is not None
            options.ignore_label = 0 if value is None else converted(fields[1], name, value)
        elif fields[0].group:
            _put_axes(fields, options, name, value)
        elif fields[0].length > 1:
            setattr(options, fields[0].field, _array(fields[0], name, value))
        elif fields[0].offset >= 0:  # a preset has been seen to before
            setattr(options, fields[0].field, converted(fields[0], name, value))
    return options


def made(kind: str, given: Mapping[str, Any]) -> Any:
    """The structure of a kind: the defaults, and over them the values of keywords."""
    return fill(table(kind), table(kind).standard(), given)


def converted(option: Option, name: str, value: Any) -> Any:
    """The number that stands for a value, or an error."""
    if value is None and option.none is not None:
        return option.none
    if option.type == WORD or (option.words and isinstance(value, str)):
        return choose(name, value, option.words)
    if option.type == FLAG:
        if value not in (True, False):
            raise InvalidArgumentError(f"{name} is {value!r}, expected True or False")
        return int(value)
    expected = _EXPECTED.get(name)
    try:
        if option.type == REAL:
            found = number(name, value)
        else:
            unsigned = option.ctype is ctypes.c_uint64
            found = integer(name, value, 8 * ctypes.sizeof(option.ctype), not unsigned)
    except InvalidArgumentError:
        if option.type == REAL or not expected:
            raise
        raise InvalidArgumentError(f"{name} is {value!r}, expected {expected}") from None
    fits = found > option.least if option.least_is_open else found >= option.least
    if not fits and (expected or option.words):  # a word may stand for such a number
        expected = expected or f"{option.least:g} or more, or one of {', '.join(option.words)}"
        raise InvalidArgumentError(f"{name} is {value!r}, expected {expected}")
    return found


def _array(option: Option, name: str, value: Any) -> Any:
    """The numbers of an array, with zeros behind them."""
    expected = _EXPECTED.get(name, f"1 to {option.length} numbers")
    numbers = sequence(name, value, expected)
    if not 1 <= len(numbers) <= option.length:
        raise InvalidArgumentError(f"{name} is {value!r}, expected {expected}")
    return option.ctype(*(number(name, part) for part in numbers))


def _put_axes(fields: list[Option], options: Any, name: str, value: Any) -> None:
    """One value for all axes of a window, or one for each."""
    deep = options.layout >= words("ssim", "layout")["DHW"]
    if not isinstance(value, (tuple, list)):
        value = (value,) * 3
    elif len(value) == 2 and not deep:
        value = (value[0], *value)  # an image has no depth: nothing reads it
    elif len(value) != 3 or not deep:
        expected = "three (depth, down, across)" if deep else "a pair (down, across)"
        raise InvalidArgumentError(f"{name} has {len(value)} values, expected {expected}")
    for field, part in zip(fields, value):
        setattr(options, field.field, converted(field, name, part))


def put_range(options: Any, name: str, value: Any) -> None:
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


def with_scales(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options where of `scales` and `scale_weights` both are stated, or neither."""
    scales, weights = options.get("scales"), options.get("scale_weights")
    if scales is None and weights is None:
        return options
    if weights is None:
        count = _count_of_scales(scales)
        weights = {1: (1.0,), len(_WANG_WEIGHTS): _WANG_WEIGHTS}.get(count)
        if weights is None:
            raise InvalidArgumentError(
                f"scales is {count}, expected scale_weights too: {count} numbers whose sum is 1"
            )
    weights = sequence("scale_weights", weights, _EXPECTED["scale_weights"])
    if scales is not None and len(weights) != _count_of_scales(scales):
        raise InvalidArgumentError(
            f"scales is {scales}, but scale_weights has {len(weights)} numbers"
        )
    # The weights first: an empty list is told of as such.
    return {**options, "scale_weights": weights, "scales": len(weights)}


def _count_of_scales(scales: Any) -> int:
    return int(converted(table("ssim").options["scales"], "scales", scales))
