# SPDX-License-Identifier: MIT
"""Reads the C header for its reference: sections, and in them comments and declarations in their order.

The header is laid out by clang-format and commented by the rules of CONTRIBUTING.md; this reader knows no more of C.
What it does not understand is an error, so that nothing of the header is missing from the reference.
"""

import dataclasses
import re
import textwrap

SECTION = re.compile(r"^/\* ---- (.+?) -+ \*/$", re.MULTILINE)
COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
NAME = {
    "function": re.compile(r"^IQA_API [\w ]+?\*?(iqa_\w+)\("),
    "inline": re.compile(r"^static inline \w+ (iqa_\w+)\("),
    "enum": re.compile(r"^typedef enum (iqa_\w+) \{"),
    "struct": re.compile(r"^typedef struct (iqa_\w+) \{"),
    "handle": re.compile(r"^typedef struct (iqa_\w+) \1;"),
    "callback": re.compile(r"^typedef [\w *]+?\(\*(iqa_\w+)\)\("),
    "type": re.compile(r"^typedef \w+ (iqa_\w+);"),
    "macro": re.compile(r"^#define (IQA_\w+)"),
}


@dataclasses.dataclass
class Member:
    """A constant of an enum, a field of a struct, or a remark between them."""

    name: str
    value: str  # of the constant; the field's type
    comment: str


@dataclasses.dataclass
class Item:
    """A declaration with the comment before it; or a comment alone, of kind "text"."""

    kind: str
    name: str
    code: str
    comment: str
    members: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Section:
    title: str
    items: list


def unwrapped(comment, margin=2):
    """The lines of a comment without its frame; lines of text begin at column 0, formulas and code further right."""
    first, *others = comment.strip("*\n ").split("\n")
    others = [re.sub(rf"^ ?\* {{0,{margin}}}", "", line).rstrip() for line in others]
    return "\n".join([first, *others]).strip()


def one_line(comment):
    return " ".join(comment.replace("\n", " ").split())


def end_of_declaration(text):
    """How many characters the declaration at the start of a text has."""
    if text.startswith("#"):
        return re.match(r"(.*\\\n)*.*", text).end()
    depth = 0
    for token in re.finditer(r"/\*.*?\*/|[{};]", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        closes_body = token[0] == "}" and text.startswith("static inline")
        if depth == 0 and (token[0] == ";" or closes_body):
            return token.end()
    raise ValueError(f"a declaration without an end: {text[:80]!r}")


def members_of(kind, code):
    body = code[code.index("{") + 1 : code.rindex("}")]
    if kind == "enum":
        declared = r"(?P<name>IQA_\w+) = (?P<value>[^,/\s]+),?"
    else:
        declared = r"(?P<value>[\w ]+?\**) ?(?P<name>\w+)(?P<array>\[\w+\])?;"
    member = re.compile(rf"\s*{declared}(?:[ ]*/\*(?P<comment>.*?)\*/)?", re.DOTALL)
    remark = re.compile(r"\s*/\*(.*?)\*/", re.DOTALL)
    found = []
    at = 0
    while body[at:].strip():
        match = member.match(body, at)
        if match:
            parts = match.groupdict(default="")
            value = " ".join((parts["value"] + parts.get("array", "")).split())
            found.append(Member(parts["name"], value, one_line(parts["comment"])))
        else:
            match = remark.match(body, at)
            if not match:
                raise ValueError(f"neither a member nor a comment: {body[at : at + 80]!r}")
            found.append(Member("", "", one_line(match[1])))
        at = match.end()
    return found


def item_of(code, comment):
    for kind, pattern in NAME.items():
        match = pattern.match(code)
        if match:
            members = members_of(kind, code) if kind in ("enum", "struct") else []
            return Item(kind, match[1], code, comment, members)
    raise ValueError(f"a declaration of no known kind: {code[:80]!r}")


def items_of(text):
    items = []
    comment = ""
    at = 0
    while True:
        at += len(text) - at - len(text[at:].lstrip())
        if at == len(text):
            break
        if text.startswith("/*", at):
            match = COMMENT.match(text, at)
            if comment:
                items.append(Item("text", "", "", comment))
            comment = unwrapped(match[1])
            if not match[1].startswith("*"):
                items.append(Item("text", "", "", comment))
                comment = ""
            at = match.end()
            continue
        end = at + end_of_declaration(text[at:])
        items.append(item_of(text[at:end], comment))
        comment = ""
        at = end
    return items


def read(header):
    """The opening comment of the header, and its sections."""
    opening = unwrapped(COMMENT.match(header)[1], margin=1)
    titles = list(SECTION.finditer(header))
    ends = [title.start() for title in titles[1:]] + [header.index("#ifdef __cplusplus\n}")]
    sections = [Section(t[1], items_of(header[t.end() : end])) for t, end in zip(titles, ends, strict=True)]
    return opening, sections


def defaults(sections):
    """Of each struct with a macro ..._INIT, what that says of each field."""
    found = {}
    items = {item.name: item for section in sections for item in section.items if item.name}
    for item in items.values():
        struct = items.get(item.name.lower().removesuffix("_init")) if item.kind == "macro" else None
        if struct is None or struct.kind != "struct":
            continue
        body = item.code[item.code.index("{") + 1 : item.code.rindex("}")].replace("\\\n", " ")
        values = [" ".join(value.split()) for value in re.split(r",(?![^{]*\})", body)]
        names = [member.name for member in struct.members if member.name]
        found[struct.name] = dict(zip(names, values, strict=True))
    return found


def blocks_of(comment):
    """Paragraphs and preformatted text of a comment, as pairs (is preformatted, text)."""
    found = []
    for line in comment.split("\n"):
        indented = line.startswith("  ")
        if not line.strip():
            found.append((None, ""))
        elif found and found[-1][0] == indented:
            found[-1] = (indented, f"{found[-1][1]}\n{line}")
        else:
            found.append((indented, line))
    return [(is_code, textwrap.dedent(text)) for is_code, text in found if is_code is not None]
