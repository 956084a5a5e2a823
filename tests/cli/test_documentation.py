# SPDX-License-Identifier: MIT
"""The examples of docs/guide/cli.md print what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from conftest import Program

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = re.findall(
    r"```console\n\$ (.*?)\n(.*?)```", (ROOT / "docs" / "guide" / "cli.md").read_text(), re.S
)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("command, output", EXAMPLES, ids=lambda text: text.split("\n")[0][:50])
def test_example(iqa: Program, command: str, output: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == "iqa"
    assert iqa.fine(*arguments, cwd=ROOT) == output


def test_every_option_is_in_the_page_or_explained_by_help(iqa: Program) -> None:
    page = (ROOT / "docs" / "guide" / "cli.md").read_text()
    helps = [iqa.fine(name, "--help") for name in set(re.findall(r"\| `iqa (\w+)", page))]
    assert len(helps) >= 4
    for option in set(re.findall(r"`(--[a-z0-9-]+)", page)):
        assert any(f"{option} " in text for text in helps), option


def test_the_words_of_options_are_those_of_the_library(iqa: Program) -> None:
    page = (ROOT / "docs" / "reference" / "options.md").read_text()
    text = iqa.fine("compare", "--help")
    kinds = re.split(r"^## ", page, flags=re.M)
    used = "".join(kind for kind in kinds if kind.startswith(("ssim", "psnr", "context")))
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ((?:`\w+`(?:, )?)+) \| `(\w+)` \|", used, re.M)
    checked = 0
    for name, words, standard in rows:
        # Files have no depth, comparisons no gradient, and flags no words.
        if name in ("layout", "gradient") or "`true`" in words:
            continue
        shown = "|".join(re.findall(r"`(\w+)`", words)).replace("_", "-")
        option = "--mask-mode" if name == "mask" else "--" + name.replace("_", "-")
        found = re.search(rf"  {option} {re.escape(shown)}\s(.*?)\n  -", text, re.S)
        assert found and f"[{standard.replace('_', '-')}]" in found[1], name
        checked += 1
    assert checked >= 12
