# SPDX-License-Identifier: MIT
"""The source distribution holds all that builds the package, and nothing that only tests need."""

import os
import pathlib
import re
import subprocess
import sys
import tarfile

import pytest
from scikit_build_core.build import build_sdist
from tree import ROOT, VERSION

PROJECT = ["CMakeLists.txt", "pyproject.toml", "LICENSE", "cmake"]
BUILT_FROM = [*PROJECT, "include", "src", "cuda", "tools", "bindings"]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> dict:
    directory = tmp_path_factory.mktemp("sdist")
    here = os.getcwd()
    os.chdir(ROOT)
    try:
        name = build_sdist(str(directory))
    finally:
        os.chdir(here)
    with tarfile.open(directory / name) as archive:
        return {member.name.partition("/")[2]: member.size for member in archive.getmembers()}


def tracked() -> set:
    listing = subprocess.run(
        ["git", "ls-files", "--", *BUILT_FROM], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return {name for name in listing.stdout.splitlines() if (ROOT / name).exists()}


def test_it_holds_all_sources(members: dict) -> None:
    wanted = {name for name in tracked() if not name.startswith("bindings/python/tests/")}
    assert len(wanted) > 300
    assert wanted - set(members) == set()


def test_it_holds_no_tests_and_nothing_built(members: dict) -> None:
    unwanted = ("tests/", "fuzz/", "bench/", "bindings/python/tests/", "build", ".git")
    assert [name for name in members if name.startswith(unwanted)] == []
    assert [name for name in members if name.endswith((".so", ".o", ".pyc"))] == []
    assert sum(members.values()) < 10e6


@pytest.mark.parametrize(("variable", "suffix"), [("", ""), ("cu130", "+cu130")])
def test_a_wheel_with_cuda_has_another_version(
    tmp_path: pathlib.Path, variable: str, suffix: str
) -> None:
    code = (
        "import sys, scikit_build_core.build as b; b.prepare_metadata_for_build_wheel(sys.argv[1])"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "IQA_WHEEL": variable},
        cwd=ROOT,
        check=True,
    )
    (metadata,) = tmp_path.glob("*.dist-info/METADATA")
    text = metadata.read_text()
    assert f"\nVersion: {VERSION}{suffix}\n" in text
    assert "\nLicense-Expression: MIT\n" in text
    assert {"torch", "plot", "fid"} <= set(re.findall(r"^Provides-Extra: (\w+)$", text, re.M))
