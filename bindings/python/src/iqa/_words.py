# SPDX-License-Identifier: MIT
"""The library's messages in Python's words: "propagate" for IQA_NONFINITE_PROPAGATE."""

from __future__ import annotations

import re

from . import _abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_FAMILIES: dict[str, Mapping[str, int]] = {
    "LAYOUT": _abi.LAYOUTS,
    "WINDOW": _abi.WINDOWS,
    "SIZE": _abi.SIZES,
    "BORDER": _abi.BORDERS,
    "COVARIANCE": _abi.COVARIANCES,
    "ARITHMETIC": _abi.ARITHMETICS,
    "NONFINITE": _abi.NONFINITES,
    "LUMA": _abi.LUMAS,
    "SHRINK": _abi.SHRINKS,
    "PRODUCT_OF": _abi.PRODUCTS,
    "NEGATIVE": _abi.NEGATIVES,
    "MASK": _abi.MASKS,
    "GRADIENT_OF": _abi.GRADIENTS,
    "ISA": _abi.INSTRUCTION_SETS,
    "KID": _abi.ESTIMATORS,
    "SCORES": _abi.SCORES_OF_ROWS,
    "TASK": _abi.TASKS,
    "LABELS": _abi.LABELS,
    "COUNTS": _abi.COUNTS,
    "OUT_OF_RANGE": _abi.OUT_OF_RANGES,
    "SCORE": _abi.SCORES,
    "AVERAGE": _abi.AVERAGES,
    "OVER": _abi.OVERS,
    "EMPTY": _abi.EMPTIES,
    "ZERO_DIVISION": _abi.ZERO_DIVISIONS,
    "WEIGHTS": _abi.WEIGHTS,
    "CONVENTION": _abi.CONVENTIONS,
}
"""The words that stand for a family of constants."""

_OTHERS = {
    "PSNR_OF_MEAN_MSE": "'psnr_of_mean_mse'",
    "MEAN_OF_PSNR": "'mean_of_psnr'",
    "PSNR_NO_CAP": "None",
    "KID_GAMMA_AUTO": "None",
    "THREADS_ALL": "None",
    "DOWNSAMPLE_AUTO": "'auto'",
    "FID_WORD_24": "24",
    "FID_WORD_32": "32",
}

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
    name: {number: repr(word) for word, number in _FAMILIES[name.upper()].items()}
    for name in ("average", "over", "empty", "zero_division", "score", "counts", "out_of_range")
}
_NUMBERED["generalized_weights"] = {n: repr(word) for word, n in _abi.WEIGHTS.items()}
_NUMBERED["score"][_abi.SCORE_NONE] = "None"

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
    family = _family(constant)
    if constant in _OTHERS or not family:
        return _OTHERS.get(constant, f"IQA_{constant}")
    short = constant[len(family) + 1 :]
    return repr(next((word for word in _FAMILIES[family] if word.upper() == short), short.lower()))


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
