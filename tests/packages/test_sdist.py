# SPDX-License-Identifier: MIT
"""The source distribution holds all that builds the package, and nothing that only tests need."""

import os
import pathlib
import subprocess
import tarfile

import pytest
from scikit_build_core.build import build_sdist

ROOT = pathlib.Path(__file__).resolve().parents[2]
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
