# SPDX-License-Identifier: MIT
"""The library's messages in Python's words: "propagate" for IQA_NONFINITE_PROPAGATE."""

from __future__ import annotations

import re

from ._tables import WORD, kinds, table

_SAID = {
    constant: said
    for kind in kinds()
    for option in table(kind).options.values()
    for constant, (said, _) in option.constants.items()
}
"""What Python says for a constant."""

_FAMILIES: dict[str, list[str]] = {}
"""The words that stand for a family of constants."""

for _constant, _said in _SAID.items():
    if isinstance(_said, str):
        _family_of, _, _rest = _constant[4:].rpartition(f"_{_said.upper()}")
        if _family_of and not _rest:
            _FAMILIES.setdefault(_family_of, []).append(_said)

_PHRASES = (
    ("iqa_confusion_score()", "a method such as iou()"),
    ("needs mask to be", "needs mask_mode to be"),
    ("set mask to", "set mask_mode to"),
    ("NULL", "None"),
    ("`reading`", "the options"),
    ("the options' reading", "the options"),
    ("`", ""),
)

_NUMBERED = {
    option.field: {number: repr(said) for said, number in option.constants.values()}
    for option in (
        *table("confusion_reading").options.values(),
        *(table("confusion").options[field] for field in ("counts", "out_of_range", "score")),
    )
    if option.type == WORD
}

_CONSTANT = r"IQA_([A-Z0-9_]+[A-Z0-9])"
_RANGE = re.compile(rf"{_CONSTANT} to {_CONSTANT}")
_LIST = re.compile(rf"{_CONSTANT}((?:(?:, | or )_[A-Z0-9_]+)*)")
_ANY = re.compile(rf"\b(an|another) {_CONSTANT}_(?: or {_CONSTANT}_)? constant")
_SHORT = re.compile(r"_([A-Z0-9_]+)")
_SETTING = re.compile(r"\bset (\w+) to ('\w+'|None|\d+)")
_NUMBER = re.compile(rf"\b({'|'.join(_NUMBERED)})((?: of the options)?(?: is)? )(-?\d+)\b")


def _family(constant: str) -> str:
    fitting = (name for name in _FAMILIES if constant.startswith(f"{name}_") or constant == name)
    return max(fitting, key=len, default="")


def _word(constant: str) -> str:
    """Of those that are no option's, such as a later version's, the end of the name."""
    family, name = _family(constant), f"IQA_{constant}"
    if name in _SAID or not family:
        return repr(_SAID[name]) if name in _SAID else name
    return repr(constant[len(family) + 1 :].lower())


def _some(found: re.Match[str]) -> str:
    words = list(_FAMILIES[_family(found[1])])
    first, last = (_word(constant).strip("'") for constant in found.groups())
    return "one of " + ", ".join(map(repr, words[words.index(first) : words.index(last) + 1]))


def _listed(found: re.Match[str]) -> str:
    prefix = f"{_family(found[1])}_"
    return _word(found[1]) + _SHORT.sub(lambda short: _word(prefix + short[1]), found[2])


def _any(found: re.Match[str]) -> str:
    words = ", ".join(map(repr, _FAMILIES.get(found[2], ())))
    return f"{'another' if found[1] == 'another' else 'one'} of {words}" if words else "a name"


def _named(found: re.Match[str]) -> str:
    return found[1] + found[2] + _NUMBERED[found[1]].get(int(found[3]), found[3])


def in_python(text: str) -> str:
    """A message of the library as Python's users know its options."""
    text = _ANY.sub(_any, text)
    text = _RANGE.sub(_some, text)
    text = _LIST.sub(_listed, text)
    for phrase, ours in _PHRASES:
        text = text.replace(phrase, ours)
    return _NUMBER.sub(_named, _SETTING.sub(r"set \1=\2", text))
