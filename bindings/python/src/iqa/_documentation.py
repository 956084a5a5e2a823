# SPDX-License-Identifier: MIT
"""What the library says of an option, for those that a docstring has no words of its own for."""

from __future__ import annotations

from ._tables import FLAG, Option, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Documented = TypeVar("Documented", bound=Any)

_WIDTH = 92  # without the indentation of a docstring


def documented(kind: str) -> Callable[[Documented], Documented]:
    """Ends the Args of a docstring with the options of a kind that they do not name."""

    def complete(thing: Documented) -> Documented:
        if not thing.__doc__:  # python -OO
            return thing
        head, arguments, text = thing.__doc__.partition("Args:\n")
        text, gap, rest = text.partition("\n\n")
        named = {word for line in text.splitlines() for word in _named(line)}
        indent = " " * (len(text) - len(text.lstrip()))
        for keyword, options in table(kind).keywords.items():
            if keyword not in named:
                lines = _wrapped(f"{keyword}: {_sentence(options[0])}")
                text += "".join(f"\n{indent}{line}" for line in lines)
        thing.__doc__ = head + arguments + text + gap + rest
        return thing

    return complete


def _named(line: str) -> list[str]:
    return line.partition(":")[0].strip().split(", ")


def _sentence(option: Option) -> str:
    """Such as: pixels that are taken off each edge first; by default 0."""
    text = option.help[:1].lower() + option.help[1:]
    if option.type == FLAG:
        return f"{text}; by default {bool(option.default)}."
    said = {
        number: f'"{word}"' if isinstance(word, str) else f"{word}"
        for word, number in option.constants.values()
    }
    if option.default not in said:
        return f"{text}; by default {option.default:g}."
    said[option.default] += " (the default)"
    *others, last = said.values()
    return f"{text}: {', '.join(others)} or {last}." if others else f"{text}; {last}."


def _wrapped(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1].strip() and len(lines[-1]) + 1 + len(word) > _WIDTH:
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines
