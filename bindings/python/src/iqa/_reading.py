# SPDX-License-Identifier: MIT
"""How the scores of a confusion metric are read from its counts."""

from __future__ import annotations

import ctypes

from . import _abi, _options
from ._errors import InvalidArgumentError, error
from ._library import library
from ._names import unknown
from ._options import choose, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Literal, TypedDict

    class Reading(TypedDict, total=False):
        """What ConfusionMatrix's documentation says of each."""

        average: Literal["none", "micro", "macro", "weighted", "binary", "pairs"] | None
        over: Literal["elements", "samples"]
        empty: Literal[
            "skip",
            "zero",
            "one",
            "nan",
            "as_ratio",
            "skip_in_averages",
            "one_else_zero",
            "skip_unreferenced",
            "skip_ignored_in_iou",
        ]
        zero_division: Literal["zero", "one", "nan", "skip"]
        generalized_weights: Literal["square", "simple", "linear"]
        beta: float
        excluded: Iterable[int]
        convention: str


READING_WORDS = {
    "average": _abi.AVERAGES,
    "over": _abi.OVERS,
    "empty": _abi.EMPTIES,
    "zero_division": _abi.ZERO_DIVISIONS,
    "generalized_weights": _abi.WEIGHTS,
}

NAMES = (*READING_WORDS, "beta", "excluded", "convention")


def make_reading(classes: int, words: Mapping[str, Any]) -> tuple[Any, Any]:
    """The structure, and the memory that it points into.

    Args:
        classes: how many there are.
        words: what is stated; the rest is the convention's, or the library's default.
    """
    for name in words:
        if name not in NAMES:
            raise unknown(name, NAMES)
    reading = _abi.ConfusionReading()
    size = ctypes.sizeof(reading)
    convention = words.get("convention")
    if convention is None:
        status = library.iqa_confusion_reading_init(ctypes.byref(reading), size)
    else:
        which = choose("convention", convention, _abi.CONVENTIONS)
        status = library.iqa_confusion_reading_preset(ctypes.byref(reading), size, which)
    if status:
        raise error(status, "the reading cannot be made")
    if "average" in words and words["average"] is None:
        words = {**words, "average": "none"}
    for name, numbers in READING_WORDS.items():
        if words.get(name) is not None:
            setattr(reading, name, choose(name, words[name], numbers))
    if words.get("beta") is not None:
        reading.beta = number("beta", words["beta"])
    mask = _mask(classes, words.get("excluded"))
    if mask is not None:
        reading.excluded = ctypes.addressof(mask)
        reading.excluded_count = classes
    return reading, mask


def _mask(classes: int, excluded: Any) -> Any:
    if excluded is None:
        return None
    mask = (ctypes.c_uint8 * classes)()
    for label in _options.sequence("excluded", excluded, f"classes below {classes}"):
        if not 0 <= _options.integer("excluded", label) < classes:
            raise InvalidArgumentError(f"excluded has {label}, expected classes below {classes}")
        mask[label] = 1
    return mask
