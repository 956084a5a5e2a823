# SPDX-License-Identifier: MIT
"""Writes src/iqa/_option_types.pyi, which type checkers and editors read, from the option tables.

The package is to be importable: PYTHONPATH=bindings/python/src, IQA_LIBRARY=build/libiqa_c.so.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import iqa
from iqa._tables import CLASSES, FLAG, REAL, WORD, Option, table

STUB = Path(__file__).parent / "src" / "iqa" / "_option_types.pyi"

HEAD = '''\
# SPDX-License-Identifier: MIT
"""The types of options: written by make_option_types.py, so that nobody has to edit them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, Protocol, TypedDict, overload

from typing_extensions import Unpack

from ._context import Context
from ._outputs import Result
'''

KINDS = (
    ("SSIMOptions", "TypedDict", "ssim", ("layout", "data_range")),
    ("PSNROptions", "TypedDict", "psnr", ("layout", "data_range")),
    ("ErrorsOptions", "TypedDict", "errors", ("layout", "data_range")),
    ("FIDOptions", "TypedDict", "fid", ("features",)),
    ("KIDOptions", "TypedDict", "kid", ()),
    ("PRDCOptions", "TypedDict", "prdc", ()),
    ("InceptionScoreOptions", "TypedDict", "inception_score", ()),
    ("NetworkOptions", "TypedDict", "network", ("layout", "data_range")),
    ("Reading", "TypedDict", "confusion_reading", ()),
    ("ConfusionOptions", "Reading", "confusion", ("classes", "ignore")),
)
"""Name, base, kind and the keywords that are no options in Python, or none like the others."""

LONG = 80

MORE = {"ConfusionOptions": ["    ignore: int | None"]}


def literal(words: list[str]) -> str:
    """One of some values; on many lines where they are many."""
    if len(", ".join(words)) < LONG:
        return f"Literal[{', '.join(words)}]"
    return "".join(["Literal[\n", *(f"        {word},\n" for word in words), "    ]"])


def type_of(option: Option) -> str:
    """The type of one value, as Python writes it."""
    words = [f'"{word}"' for word in option.words]
    if option.type == WORD and option.offset >= 0:
        return literal([*words, "None"] if option.none is not None else words)
    if option.type == WORD:  # a preset, whose name may come out of a list
        one = "str"
    elif option.type == CLASSES:
        one = "Iterable[int]"
    else:
        one = {FLAG: "bool", REAL: "float"}.get(option.type, "int")
        one += f" | {literal(words)}" if words else ""
    return f"{one} | None" if option.none is not None else one


def field(keyword: str, options: list[Option]) -> str:
    """The line of a keyword."""
    one = type_of(options[0])
    if options[0].length > 1:
        one = f"Sequence[{one}]"
    elif len(options) > 1:
        one = f"{one} | tuple[{one}, ...]"
    return f"    {keyword}: {one}"


def options_class(name: str, base: str, kind: str, others: tuple[str, ...]) -> str:
    """The class of a kind's keywords."""
    lines = [
        field(keyword, options)
        for keyword, options in table(kind).keywords.items()
        if keyword not in others
    ]
    return "\n".join([f"class {name}({base}, total=False):", *lines, *MORE.get(name, ())])


def overloads(name: str) -> str:
    """A function that gives a number, or a Result where an array is asked for."""
    function = getattr(iqa, name)
    text = f"class {name.upper()}Function(Protocol):"
    for asks, result in (("Literal[False]", "float"), ("Any", "Result")):
        text += "\n    @overload\n    def __call__(\n        self,"
        starred = False
        for parameter in inspect.signature(function).parameters.values():
            kind = parameter.annotation
            if parameter.kind is parameter.KEYWORD_ONLY and not starred:
                text, starred = f"{text}\n        *,", True
            if parameter.kind is parameter.VAR_KEYWORD:
                text += f"\n        **options: Unpack[{name.upper()}Options],"
            elif parameter.default is False:
                text += f"\n        {parameter.name}: {asks} = False,"
            else:
                end = " = None" if parameter.default is None else ""
                text += f"\n        {parameter.name}: {kind}{end},"
        text += f"\n    ) -> {result}: ..."
    return f"{text}\n\ndef as_{name}(function: Callable[..., Any]) -> {name.upper()}Function: ..."


def stub() -> str:
    """The whole file."""
    parts = [*(options_class(*kind) for kind in KINDS), overloads("ssim"), overloads("psnr")]
    return "\n".join([HEAD, *(f"{part}\n" for part in parts)])


if __name__ == "__main__":
    STUB.write_text(stub())
