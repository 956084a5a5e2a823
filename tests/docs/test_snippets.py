# SPDX-License-Identifier: MIT
"""Compiles and runs every C and Python block of the README and the tutorial, from their own text."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("IQA_BUILD_DIR", ROOT / "build"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list:
    found = []
    for page in ("README.md", "docs/guide/tutorial.md"):
        text = (ROOT / page).read_text()
        matches = [m.group(2) for m in BLOCK.finditer(text) if m.group(1) == language]
        found += [pytest.param(code, id=f"{page}-{i}") for i, code in enumerate(matches)]
    return found


@pytest.mark.parametrize("code", blocks("c"))
def test_c_block_compiles_and_runs(code: str, tmp_path: pathlib.Path) -> None:
    source = tmp_path / "program.c"
    source.write_text(code)
    subprocess.run(
        ["cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT}/include",
         str(source), "-o", str(tmp_path / "program"), f"-L{BUILD}", "-liqa_c",
         f"-Wl,-rpath,{BUILD}"],
        check=True,
    )
    done = subprocess.run([tmp_path / "program"], check=True, capture_output=True, text=True)
    assert re.search(r"SSIM 0\.\d+|all 0\.\d+", done.stdout)
    assert done.stderr == ""


@pytest.mark.parametrize("code", blocks("python"))
def test_python_block_runs(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    numbers = [float(word) for word in done.stdout.split()]
    assert len(numbers) == 3 and 0 < numbers[0] < 1


def test_the_blocks_are_as_short_as_promised() -> None:
    text = (ROOT / "README.md").read_text()
    lengths = {m.group(1): len(m.group(2).splitlines()) for m in BLOCK.finditer(text)}
    assert lengths["c"] <= 25 and lengths["python"] <= 7
