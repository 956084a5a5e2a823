# SPDX-License-Identifier: MIT
"""What sources alone do not tell of the Python API, from the imported package: functions that are made by calls, and
docstrings that an import completes with the options that the library describes."""

import inspect
import re
import sys

import griffe
import iqa  # noqa: F401

# Names in prose, which a docstring writes without marks; lines of examples stay as they are.
NAME = re.compile(
    r"^ *(?:>>>|\.\.\.).*$"
    r"|(?<![`\w.\"'])(?:__\w+__|iqa(?:\.\w+)+|docs/[\w/]+\.md|[A-Z]\w+\.[a-z]\w+)(?:\(\))?(?![`\w])",
    re.MULTILINE,
)


def marked(match):
    is_example = match[0].lstrip().startswith((">>>", "..."))
    return match[0] if is_example else f"`{match[0]}`"


def function_of(name, made):
    """The function that a call made, as if it had been written."""

    def said(value):
        return None if value is inspect.Parameter.empty else value if isinstance(value, str) else repr(value)

    signature = inspect.signature(made)
    parameters = [
        griffe.Parameter(
            parameter.name,
            annotation=said(parameter.annotation),
            kind=griffe.ParameterKind(parameter.kind.description),
            default=said(parameter.default),
        )
        for parameter in signature.parameters.values()
    ]
    returns = said(signature.return_annotation)
    return griffe.Function(name, parameters=griffe.Parameters(*parameters), returns=returns)


class RuntimeDocstrings(griffe.Extension):
    def on_module_members(self, *, mod, **_):
        module = sys.modules.get(mod.path)
        for name, member in list(mod.members.items()):
            value = getattr(module, name, None)
            if not member.is_alias and member.is_attribute and inspect.isfunction(value):
                mod.set_member(name, function_of(name, value))
            if not member.is_alias and (inspect.isfunction(value) or inspect.isclass(value)):
                mod.members[name].docstring = self.docstring(mod.members[name], inspect.getdoc(value))

    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring = self.docstring(obj, obj.docstring.value)

    def docstring(self, obj, text):
        text = NAME.sub(marked, text or "").replace("Example:\n", "Examples:\n")  # griffe's word for code
        old = obj.docstring
        place = {"lineno": old.lineno, "endlineno": old.endlineno} if old else {}
        return griffe.Docstring(text, parent=obj, parser="google", **place)
