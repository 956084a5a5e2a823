#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the finished site: every link leads to a page and its anchor, nothing is loaded from elsewhere, and every name
of both APIs has its place.

    docs/site/check.py FOLDER

Exit status 1 with a line for each fault.
"""

import html.parser
import pathlib
import re
import sys
import urllib.parse

import iqa

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "link": "href"}


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.anchors = set()
        self.links = []
        self.loaded = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found.get("id"), found.get("name") if tag == "a" else None}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if found.get(LOADED.get(tag)):
            self.loaded.append(found[LOADED[tag]])


def is_elsewhere(url):
    return bool(re.match(r"(https?:)?//", url))


def target_of(folder, path, url):
    """The file that a link of a page leads to, and the anchor in it."""
    where, _, anchor = urllib.parse.unquote(url).partition("#")
    target = (folder / where.lstrip("/") if where.startswith("/") else path.parent / where) if where else path
    return (target / "index.html" if target.is_dir() else target).resolve(), anchor


def faults(folder):
    pages = {path.resolve(): Page(path.read_text()) for path in folder.rglob("*.html")}
    for path, page in pages.items():
        name = path.relative_to(folder)
        for url in page.links + page.loaded:
            if is_elsewhere(url) or re.match(r"(mailto|data|javascript):", url):
                continue
            target, anchor = target_of(folder, path, url)
            if not target.is_file():
                yield f"{name}: {url} leads nowhere"
            elif anchor and target in pages and anchor not in pages[target].anchors:
                yield f"{name}: {url} leads to no heading"
        yield from (f"{name}: loads {url}" for url in page.loaded if is_elsewhere(url))
    for sheet in folder.rglob("*.css"):
        urls = re.findall(r"url\(['\"]?((?:https?:)?//[^)]+)", sheet.read_text())
        yield from (f"{sheet.name}: loads {url}" for url in urls)

    anchors = {anchor for page in pages.values() for anchor in page.anchors}
    names = (ROOT / "tests" / "abi" / "symbols.txt").read_text().split() + [f"iqa.{name}" for name in iqa.__all__]
    header = (ROOT / "include" / "iqa_c.h").read_text()
    names += re.findall(r"\bIQA_\w+(?= = )|(?<=^#define )IQA_\w+_INIT", header, re.MULTILINE)
    yield from (f"{name} is in no reference" for name in names if name not in anchors)


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    found = sorted(set(faults(folder)))
    print("\n".join(found) or f"{len(list(folder.rglob('*.html')))} pages: every link leads to its place")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
