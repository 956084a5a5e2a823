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
        return _number(value)
    except (TypeError, ValueError):
        raise InvalidArgumentError(f"{name} is {value!r}, expected a number") from None


def _word(field: str, numbers: Mapping[str, int]) -> Setter:
    def put(options: Any, name: str, value: Any) -> None:
        setattr(options, field, choose(name, value, numbers))

    return put


def _real(*fields: str) -> Setter:
    """A number; where there are two fields, also a pair (down, across)."""

    def put(options: Any, name: str, value: Any) -> None:
        for field, part in zip(fields, _parts(name, value, len(fields))):
            setattr(options, field, number(name, part))

    return put


def _number(value: Any) -> float:
    if isinstance(value, (str, bytes)):
        raise TypeError
    return float(value)


def _taps(*fields: str) -> Setter:
    def put(options: Any, name: str, value: Any) -> None:
        for field, part in zip(fields, _parts(name, value, len(fields))):
            try:
                taps = operator.index(part)
            except TypeError:
                taps = 0
            if not 1 <= taps < 2**31:  # ctypes would take the lower 32 bits without a word
                raise InvalidArgumentError(f"{name} is {value!r}, expected an odd number of taps")
            setattr(options, field, taps)

    return put


def _parts(name: str, value: Any, count: int) -> tuple[Any, ...]:
    if not isinstance(value, (tuple, list)):
        return (value,) * count
    if len(value) != count:
        expected = "a pair (down, across)" if count == 2 else "one value"
        raise InvalidArgumentError(f"{name} has {len(value)} values, expected {expected}")
    return tuple(value)


def _put_range(options: Any, name: str, value: Any) -> None:
    """L, or (low, high)."""
    try:
        low, high = value if isinstance(value, (tuple, list)) else (0.0, value)
        options.data_low, options.data_high = _number(low), _number(high)
    except (TypeError, ValueError):
        options.data_low, options.data_high = 0.0, 0.0
    if not options.data_low < options.data_high:  # the library reads low > high as "not stated"
        raise InvalidArgumentError(
            f"{name} is {value!r}, expected a number above 0 or a pair (low, high) with low < high"
        )


_SHARED: dict[str, Setter] = {
    "layout": _word("layout", _abi.LAYOUTS),
    "data_range": _put_range,
    "nonfinite": _word("nonfinite", _abi.NONFINITES),
}

SSIM: dict[str, Setter] = {
    **_SHARED,
    "window": _word("window", _abi.WINDOWS),
    "border": _word("border", _abi.BORDERS),
    "size": _taps("size_y", "size_x"),
    "sigma": _real("sigma_y", "sigma_x"),
    "truncate": _real("truncate"),
    "k1": _real("k1"),
    "k2": _real("k2"),
    "covariance": _word("covariance", _abi.COVARIANCES),
    "arithmetic": _word("arithmetic", _abi.ARITHMETICS),
}

PSNR: dict[str, Setter] = {
    **_SHARED,
    "log_base": _real("log_base"),
    "cap": _real("cap"),
    "aggregate": _word("aggregate", _abi.AGGREGATES),
}
