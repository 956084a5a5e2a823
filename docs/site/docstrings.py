# SPDX-License-Identifier: MIT
"""Docstrings as the imported package has them, since its import adds the options that the library describes."""

import inspect
import re
import sys

import griffe
import iqa  # noqa: F401

# Names in prose, which a docstring writes without marks; lines of examples stay as they are.
NAME = re.compile(
    r"^ *(?:>>>|\.\.\.).*$"
    r"|(?<![`\w.\"'])(?:__\w+__|iqa(?:\.\w+)+|docs/[\w/]+\.md|[A-Z]\w+\.[a-z]\w+)(?![`\w])",
    re.MULTILINE,
)


def marked(match):
    is_example = match[0].lstrip().startswith((">>>", "..."))
    return match[0] if is_example else f"`{match[0]}`"


class RuntimeDocstrings(griffe.Extension):
    def on_object(self, *, obj, **_):
        module = sys.modules.get(obj.module.path) if obj.docstring and not obj.is_module else None
        text = inspect.getdoc(getattr(module, obj.name, None)) if module and obj.parent is obj.module else None
        if text:
            obj.docstring.value = text
        if obj.docstring:
            text = NAME.sub(marked, obj.docstring.value)
            obj.docstring.value = text.replace("Example:\n", "Examples:\n")  # griffe's word for code
