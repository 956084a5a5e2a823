# SPDX-License-Identifier: MIT
"""Reads a state file with the program in docs/reference/abi.md, as it stands there."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_reader_of_the_page_reads_a_golden_state() -> None:
    page = (ROOT / "docs" / "reference" / "abi.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    state = ROOT / "tests" / "golden" / "state_v1_ssim_uint8.bin"
    done = subprocess.run(
        [sys.executable, "-c", code, str(state)], check=True, capture_output=True, text=True
    )
    assert float(done.stdout) == 0.37881478001839097


def test_the_page_has_the_lanes_of_the_sources() -> None:
    page = (ROOT / "docs" / "reference" / "abi.md").read_text()
    formats = (ROOT / "src" / "arith" / "exact_sum.h").read_text()
    numbers = dict(
        (name, (int(digits), int(lowest)))
        for name, digits, lowest in re.findall(
            r"exact_format (\w+)_format = \{(\d+), (-\d+)\}", formats
        )
    )
    units = {
        (int(last) - int(first) + 1, int(unit))
        for first, last, unit in re.findall(r"^\| (\d+) \.\.\. (\d+) .*unit 2\^(-\d+) \|$", page, re.M)
    }
    assert units == set(numbers.values())


def test_the_page_has_the_options_in_the_order_of_the_tables() -> None:
    page = (ROOT / "docs" / "reference" / "abi.md").read_text()
    tables = (ROOT / "docs" / "reference" / "options.md").read_text()
    for kind in ("SSIM", "PSNR", "FID"):
        (row,) = re.findall(rf"^\| {kind}, \d+ bytes \| (.*) \|$", page, re.MULTILINE)
        (section,) = re.findall(
            rf"^## {kind.lower()}\n(.*?)(?=^## |\Z)", tables, re.MULTILINE | re.DOTALL
        )
        names = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        assert re.findall(r"`(\w+)`", row) == [name for name in names if name != "preset"]
