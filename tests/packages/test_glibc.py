# SPDX-License-Identifier: MIT
"""What the library and the program ask of a C library later than the wheel's 2.28."""

import os
import pathlib
import re
import subprocess

import pytest
from tree import ROOT

NEWEST = (2, 28)
# Functions whose version is later for they moved or changed their form: Debian 11 has older.
MOVED = re.compile(r"(pthread|sem|shm|dl)_?(?!\w*clock)\w+|[fl]?stat|hypot|__libc_start_main")


def later_symbols(path: pathlib.Path) -> set:
    """Of glibc, later than NEWEST."""
    listing = subprocess.run(["objdump", "-T", path], check=True, capture_output=True, text=True)
    assert "GLIBC_2.2.5" in listing.stdout or "GLIBC_2.17" in listing.stdout
    found = re.findall(r"\*UND\*.*\(?GLIBC_(\d+)\.(\d+)[.\d]*\)?\s+(\w+)$", listing.stdout, re.M)
    return {name for major, minor, name in found if (int(major), int(minor)) > NEWEST}


@pytest.mark.parametrize("name", ["libiqa_c.so", "tools/iqa"])
def test_wheel_sh_has_all_of_them(name: str) -> None:
    sources = ROOT / "packaging" / "wheel"
    provided = re.findall(r"^OLD\((\w+)\)", (sources / "old_math.c").read_text(), re.MULTILINE)
    later = (sources / "later_symbols.c").read_text()
    provided += ["pow", *re.findall(r"^(?:int|char|uint32_t) (\w+)(?:\(| =)", later, re.MULTILINE)]
    assert {"exp", "pow", "arc4random", "pthread_cond_clockwait"} <= set(provided)
    found = later_symbols(pathlib.Path(os.environ["IQA_BUILD_DIR"]) / name)
    assert {name for name in found if not MOVED.fullmatch(name)} - set(provided) == set()
    assert found, "an ordinary build asks for some: pthread_create"


def test_wheel_sh_wraps_the_functions_of_libm() -> None:
    script = (ROOT / "scripts" / "wheel.sh").read_text()
    old = (ROOT / "packaging" / "wheel" / "old_math.c").read_text()
    names = {*re.findall(r"^OLD\((\w+)\)", old, re.MULTILINE), "pow"}
    assert set(re.findall(r"--wrap=(\w+)", script)) == names
