# SPDX-License-Identifier: MIT
"""What the library says of its options, and what Python spells in a way of its own."""

from __future__ import annotations

import ctypes
import functools
import struct

from . import _abi
from ._errors import error
from ._library import library, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

FLAG, INT32, REAL, WORD, CLASSES = 0, 1, 4, 5, 6
_CTYPES = (
    *(ctypes.c_int32, ctypes.c_int32, ctypes.c_int64, ctypes.c_uint64),
    *(ctypes.c_double, ctypes.c_int32, ctypes.c_void_p),
)
_LETTERS = "iiqQdi"  # struct's, of the same types

_KEYWORDS = {
    ("ssim", "mask"): "mask_mode",
    ("confusion_reading", "preset"): "convention",
    ("confusion", "ignore_label"): "ignore",
    ("inception_score", "scores"): "kind",
}
"""Options with another name in Python."""

_NONE = (
    *("IQA_PSNR_NO_CAP", "IQA_KID_GAMMA_AUTO", "IQA_THREADS_ALL"),
    *("IQA_SCORE_NONE", "IQA_AVERAGE_UNSTATED"),
)
"""Constants that are None in Python."""

_BEHIND = {
    "confusion": (("reading", ctypes.c_void_p),),
    "confusion_reading": (("excluded_count", ctypes.c_int64),),
}
"""Fields that are no options, at the end of a structure."""


class Option:
    """A field of a structure, or the preset of its kind."""

    def __init__(self, kind: str, info: _abi.OptionInfo) -> None:
        self.field = info.name.decode()
        self.group = info.group.decode()
        self.keyword = _KEYWORDS.get((kind, self.field)) or self.group or self.field
        self.type = info.type
        self.length = info.length
        self.offset = info.offset
        self.least = info.least
        self.least_is_open = bool(info.least_is_open)
        number: Any = _CTYPES[self.type]
        self.ctype = number * self.length if self.length > 1 else number
        self.in_state = bool(info.in_state) and self.offset >= 0 and self.type != CLASSES
        self.constants: dict[str, tuple[Any, Any]] = {}  # what Python says, and its number
        for word in info.words[: info.word_count] if self.type != FLAG else ():
            constant = word.constant.decode()
            value = word.value if self.type == REAL else int(word.value)
            self.constants[constant] = self._said(word.name.decode(), constant, value), value
        if any(isinstance(said, int) for said, _ in self.constants.values()):
            self.type = INT32
        self.words = {s: number for s, number in self.constants.values() if isinstance(s, str)}
        self.none = next((number for said, number in self.constants.values() if said is None), None)
        self.default = info.default_value
        self.help = info.help.decode()

    def _said(self, word: str, constant: str, value: Any) -> str | int | None:
        if constant in _NONE:
            return None
        if word == str(value):
            return int(word)
        return word.upper() if self.field == "layout" else word


class Table:
    """The options of a kind.

    Attributes:
        options: by the name of the field, in the order of the state bytes.
        keywords: the options that a keyword sets.
        structure: the ctypes class.
    """

    def __init__(self, kind: str) -> None:
        self._prefix = f"iqa_{kind}" if kind.endswith("_reading") else f"iqa_{kind}_options"
        self._behind = _BEHIND.get(kind, ())
        self.options: dict[str, Option] = {}
        self.keywords: dict[str, list[Option]] = {}
        info = _abi.OptionInfo(ctypes.sizeof(_abi.OptionInfo), count=1)
        while len(self.options) < info.count:
            where = (kind.encode(), len(self.options), ctypes.byref(info))
            _check(library.iqa_option_describe(*where))
            option = Option(kind, info)
            self.options[option.field] = option
            self.keywords.setdefault(option.keyword, []).append(option)

    @functools.cached_property
    def structure(self) -> Any:
        placed = sorted(self.options.values(), key=lambda option: option.offset)
        fields = [(option.field, option.ctype) for option in placed if option.offset >= 0]
        fields = [("struct_size", ctypes.c_uint32), *fields, *self._behind]
        return type(self._prefix, (ctypes.Structure,), {"_fields_": fields})

    def standard(self, preset: int | None = None) -> Any:
        """A structure with the defaults, or with what a preset stands for."""
        made = self.structure()
        where = (ctypes.byref(made), ctypes.sizeof(made))
        if preset is None:
            _check(getattr(library, f"{self._prefix}_init")(*where))
        else:
            _check(getattr(library, f"{self._prefix}_preset")(*where, preset))
        return made

    @property
    def in_state(self) -> list[Option]:
        """Those in the state bytes, in that order."""
        return [option for option in self.options.values() if option.in_state]


@functools.cache
def table(kind: str) -> Table:
    """The options of a kind, such as "ssim"."""
    return Table(kind)


def kinds() -> Iterable[str]:
    """All kinds."""
    return names(library.iqa_option_kind)


def words(kind: str, field: str) -> dict[str, Any]:
    """The number of each word of an option."""
    return table(kind).options[field].words


def word_for(kind: str, field: str, number: int) -> str:
    """The word that stands for a number of an option."""
    return next(word for word, other in words(kind, field).items() if other == number)


def unpack(options: Iterable[Option], state: bytes, position: int) -> tuple[dict[str, Any], int]:
    """The values of options in state bytes, and where they end."""
    found: dict[str, Any] = {}
    for option in options:
        form = f"<{option.length}{_LETTERS[option.type]}"
        values = struct.unpack_from(form, state, position)
        found[option.field] = values if option.length > 1 else values[0]
        position += struct.calcsize(form)
    return found, position


def _check(status: int) -> None:
    if status:
        raise error(status, library.iqa_context_error(None).decode(errors="replace"))
