# SPDX-License-Identifier: MIT
"""Every relative link of every page leads to a file, and to a heading where it names one.

Every page that a source, script or message names is there, and every source that a page or a
comment names."""

import functools
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")
NAMED = re.compile(r"(?<![\w./])docs/[\w./-]*\w\.(?:md|png)\b")
FOLDERS = "bench|bindings|cmake|cuda|fuzz|include|scripts|src|tests|tools"
SOURCE = re.compile(rf"`((?:{FOLDERS})/[\w./*-]*)`")
IN_COMMENT = re.compile(r"(?<![\w./<*-])\w[\w./]*\.(?:h|hpp|cpp|inl|cu)\b(?!\()")


def tracked(*patterns: str) -> list:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns],
        cwd=ROOT, check=True, text=True, capture_output=True,
    )
    return sorted(name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


PAGES = tracked("*.md")


@functools.cache
def anchors(page: pathlib.Path) -> set:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {name.strip().replace(" ", "-") for name in plain}


def broken_links(page: pathlib.Path, text: str) -> list:
    broken = []
    for link in LINK.findall(FENCE.sub("", text)):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def test_broken_links_are_found() -> None:
    page = ROOT / "docs" / "guide" / "fid.md"
    good = "[a](cli.md) [b](cli.md#fid) [c](https://nowhere.invalid/x) [d](#the-grid)"
    assert broken_links(page, good) == []
    assert broken_links(page, "[a](clip.md) [b](cli.md#fidd) [c](#grid) [d](../guide)") == [
        "clip.md", "cli.md#fidd", "#grid", "../guide",  # the site has no pages of folders
    ]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    assert broken_links(path, path.read_text()) == []


def test_pages_that_are_named_exist() -> None:
    missing = []
    seen = set()
    for name in tracked():
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            continue
        for page in NAMED.findall(text):
            seen.add(page)
            if not (ROOT / page).is_file():
                missing.append(f"{name}: {page}")
    assert missing == []
    assert len(seen) > 10


def test_sources_that_pages_name_exist() -> None:
    missing = []
    seen = set()
    for page in PAGES:
        for source in SOURCE.findall((ROOT / page).read_text()):
            seen.add(source)
            if not any(ROOT.glob(source)):
                missing.append(f"{page}: {source}")
    assert missing == []
    assert len(seen) > 50


def test_files_that_comments_name_exist() -> None:
    endings = set()
    for name in tracked():
        parts = name.split("/")
        endings |= {"/".join(parts[i:]) for i in range(len(parts))}
    missing = []
    seen = set()
    for name in tracked("*.h", "*.hpp", "*.cpp", "*.inl", "*.cu"):
        for line in (ROOT / name).read_text().splitlines():
            for named in IN_COMMENT.findall(line.partition("//")[2]):
                seen.add(named)
                if named not in endings:
                    missing.append(f"{name}: {named}")
    assert missing == []
    assert len(seen) > 50


def test_the_index_has_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {
        (index.parent / link.partition("#")[0]).resolve()
        for link in LINK.findall(index.read_text()) if "://" not in link
    }
    for page in tracked("docs/guide/*.md", "docs/reference/*.md", "docs/design/README.md"):
        assert (ROOT / page) in linked, page


def test_each_family_of_kernels_says_what_each_file_does() -> None:
    lists = tracked("src/cpu/*/CMakeLists.txt", "cuda/*/CMakeLists.txt")
    assert len(lists) > 10
    for folder in ((ROOT / name).parent for name in lists):
        files = {path.name for path in folder.iterdir()} - {"README.md", "CMakeLists.txt"}
        named = set(re.findall(r"`([\w.]+)`", (folder / "README.md").read_text()))
        assert files <= named, folder
