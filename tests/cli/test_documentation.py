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
