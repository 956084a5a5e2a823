# SPDX-License-Identifier: MIT
"""The tutorial: every block runs, and prints what its comments say."""

import contextlib
import io
import re

import pytest
from conftest import REPOSITORY

TUTORIAL = REPOSITORY / "docs" / "guide" / "python.md"


def blocks():
    return re.findall(r"^```python\n(.*?)^```$", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL)


def test_the_tutorial(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    names = {}
    assert len(blocks()) >= 10
    for block in blocks():
        expected = re.findall(r"^ *print\(.*\)  # (.*)$", block, re.MULTILINE)
        assert len(expected) == block.count("print("), block
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(block, str(TUTORIAL), "exec"), names)
        assert output.getvalue().splitlines() == expected, block


@pytest.mark.parametrize(
    "name", ["ssim", "psnr", "SSIM", "PSNR", "ConfusionMatrix", "iou", "f1", "Context", "Error"]
)
def test_the_tutorial_tells_of(name):
    assert f"iqa.{name}" in TUTORIAL.read_text()
