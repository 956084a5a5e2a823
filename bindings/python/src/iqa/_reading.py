# SPDX-License-Identifier: MIT
"""How the scores of a confusion metric are read from its counts."""

from __future__ import annotations

import ctypes

from ._errors import InvalidArgumentError
from ._options import choose, fill, integer, sequence
from ._tables import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

NAMES = tuple(table("confusion_reading").keywords)


def make_reading(classes: int, given: Mapping[str, Any]) -> tuple[Any, Any]:
    """The structure, and the memory that it points into.

    Args:
        classes: how many there are.
        given: what is stated; the rest is the convention's, or the library's default.
    """
    kind = table("confusion_reading")
    stated = {name: value for name, value in given.items() if value is not None}
    if "average" in given and given["average"] is None:
        stated["average"] = "none"
    convention, excluded = stated.get("convention"), stated.pop("excluded", None)
    if convention is not None:
        convention = choose("convention", convention, kind.options["preset"].words)
    reading = fill(kind, kind.standard(convention), stated)
    mask = _mask(classes, excluded)
    if mask is not None:
        reading.excluded = ctypes.addressof(mask)
        reading.excluded_count = classes
    return reading, mask


def _mask(classes: int, excluded: Any) -> Any:
    if excluded is None:
        return None
    mask = (ctypes.c_uint8 * classes)()
    for label in sequence("excluded", excluded, f"classes below {classes}"):
        if not 0 <= integer("excluded", label) < classes:
            raise InvalidArgumentError(f"excluded has {label}, expected classes below {classes}")
        mask[label] = 1
    return mask
