# SPDX-License-Identifier: MIT
"""Pages of the C reference, made from the header: one for each of its sections, and one with its opening words.

Names are code here; what becomes of the pages makes links of all code that is a name."""

import re

import c_header

TOKEN = re.compile(
    r"(?P<code>`[^`]+`)"
    r"|\bdocs/(?P<page>(?:guide|reference)/\w+\.md)"
    r"|(?P<name>\b[a-z_]+\(\)|\w*_\w*(?:\(\)|\.\.\.)?)"
    r"|(?P<markup>[*<>\[\]|\\])"
)


def escaped(token):
    if token["name"]:
        return f"`{token[0]}`"
    if token["page"]:
        return f"[{token['page']}](../../{token['page']})"
    return "\\" + token[0] if token["markup"] else token[0]


def text_of(text):
    """Prose of a comment as Markdown."""
    return TOKEN.sub(escaped, text)


def prose(comment):
    for is_code, text in c_header.blocks_of(comment):
        yield f"```text\n{text}\n```" if is_code else text_of(text)


def table(columns, rows):
    lines = [f"| {' | '.join(row)} |" for row in [columns, *rows]]
    lines.insert(1, "|---" * len(columns) + "|")
    return "\n".join(lines)


def comment_blocks(comment):
    """Text, and the tags @param and @return, each up to the next tag or an empty line."""
    arguments = []
    for part in re.split(r"(?=^@)|\n\n", comment, flags=re.MULTILINE):
        tag = re.match(r"@(?:param +(?P<name>\w+)|return)\s+(?P<text>.*)", part, re.DOTALL)
        if tag and tag["name"]:
            arguments.append((f"`{tag['name']}`", text_of(c_header.one_line(tag["text"]))))
            continue
        if arguments:
            yield table(("argument", ""), arguments)
            arguments = []
        if tag:
            yield f"**Returns** {text_of(c_header.one_line(tag['text']))}"
        else:
            yield from prose(part.strip("\n"))
    if arguments:
        yield table(("argument", ""), arguments)


def anchor(name):
    return f'<span id="{name}">`{name}`</span>' if name else ""


def enum_blocks(item):
    yield from comment_blocks(item.comment)
    yield table(
        ("constant", "value", ""),
        [(anchor(member.name), member.value, text_of(member.comment)) for member in item.members],
    )


def struct_blocks(item, defaults):
    yield from comment_blocks(item.comment)
    if defaults:
        yield f"{anchor(item.name.upper() + '_INIT')} has the defaults."
    rows = []
    text = ""
    for member in item.members:
        text = text_of(member.comment) or text  # an empty comment stands for the one above
        value = defaults.get(member.name, "")
        default = "its size" if value.startswith("sizeof") else f"`{value}`"
        rows.append((f"`{member.name}`", f"`{member.value}`", *([default] if defaults else []), text))
    yield table(("field", "type", *(["default"] if defaults else []), ""), rows)


def item_blocks(item, defaults):
    if item.kind == "text":
        yield from prose(item.comment)
        return
    yield f"## `{item.name}` {{ #{item.name} }}"
    if item.kind == "enum":
        yield from enum_blocks(item)
    elif item.kind == "struct":
        yield from struct_blocks(item, defaults)
    else:
        code = item.code.partition("\n{")[0] + ";" if item.kind == "inline" else item.code
        yield f"```c\n{code.removeprefix('IQA_API ').replace(chr(10) + ' ' * 8, chr(10))}\n```"
        yield from comment_blocks(item.comment)


def file_of(section):
    return section.title.partition(":")[0].lower().replace(" ", "_") + ".md"


def front_blocks(opening, sections):
    yield "# The C API"
    yield "Made from [the header](../../../include/iqa_c.h), which has the same words in the same order."
    rows = []
    for section in sections:
        functions = [f"`{item.name}`" for item in section.items if item.kind in ("function", "inline")]
        rows.append((f"[{section.title}]({file_of(section)})", ", ".join(functions)))
    yield table(("section", "functions"), rows)
    for chapter in re.split(r"\n\n(?=.+\n-+\n)", opening)[1:]:
        title, _, text = chapter.split("\n", 2)
        if title != "Contents":
            yield f"## {title}"
            yield from prose(text)


def pages(header):
    """Files of the reference with their Markdown, and the file in which each name of the header is."""
    opening, sections = c_header.read(header)
    defaults = c_header.defaults(sections)
    found = {"README.md": "\n\n".join(front_blocks(opening, sections))}
    places = {}
    for section in sections:
        blocks = [f"# {section.title}"]
        for item in section.items:
            constants = [member.name for member in item.members if item.kind == "enum"]
            places.update((name, file_of(section)) for name in (item.name, *constants) if name)
            if item.kind != "macro" or item.name.lower().removesuffix("_init") not in defaults:
                blocks += item_blocks(item, defaults.get(item.name, {}))
        found[file_of(section)] = "\n\n".join(blocks) + "\n"
    return found, places
