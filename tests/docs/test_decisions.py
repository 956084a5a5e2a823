# SPDX-License-Identifier: MIT
"""Decisions are numbered without gaps, have the same four parts, and stand in their list."""

import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs" / "design" / "decisions"
STATUS = re.compile(
    r"^Status: (accepted|superseded by \[\d{4}\]\(\d{4}-[\w-]+\.md\)), \d{4}-\d\d-\d\d\b", re.M
)


def pages() -> list:
    return sorted(FOLDER.glob("[0-9]*.md"))


def test_numbers_have_no_gaps() -> None:
    numbers = [int(page.name[:4]) for page in pages()]
    assert len(numbers) > 30
    assert numbers == list(range(1, len(numbers) + 1))


def test_each_has_status_context_decision_and_cost() -> None:
    for page in pages():
        text = page.read_text()
        assert text.startswith(f"# {page.name[:4]} "), page.name
        assert STATUS.search(text), page.name
        assert re.findall(r"^## (.*)$", text, re.M) == ["Context", "Decision", "Cost"], page.name


def test_the_list_has_their_titles() -> None:
    expected = []
    for page in pages():
        title = page.read_text().splitlines()[0].removeprefix("# ")
        expected.append(f"- [{title[:4]}]({page.name}){title[4:]}")
    listed = [line for line in (FOLDER / "README.md").read_text().splitlines() if line[:3] == "- ["]
    assert listed == expected
