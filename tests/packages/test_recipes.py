# SPDX-License-Identifier: MIT
"""Recipes, metadata and the citation say what the tree says; tools that read them are asked."""

import json
import pathlib
import re
import subprocess
import sys

import pytest
import yaml
from tree import ROOT, VERSION

PACKAGING = ROOT / "packaging"
CMAKE = "".join(
    path.read_text()
    for path in (ROOT / "CMakeLists.txt", *sorted((ROOT / "cmake").glob("*.cmake")))
)
# Each dependency under the names that packagers have for it, and how CMake asks for it.
DEPENDENCIES = {
    "Eigen3": ("eigen", "eigen3", "eigen"),
    "PNG": ("libpng", "libpng", "libpng"),
    "JPEG": ("libjpeg-turbo", "libjpeg-turbo", "libjpeg-turbo"),
    "TIFF": ("libtiff", "tiff", "libtiff"),
    "CLI11": ("cli11", "cli11", "cli11"),
    "nlohmann_json": ("nlohmann_json", "nlohmann-json", "nlohmann_json"),
    "libzip": ("libzip", "libzip", "libzip"),
}


def options() -> set:
    return set(re.findall(r"\b(?:option|set)\((IQA_[A-Z_]+|BUILD_SHARED_LIBS)\b", CMAKE))


def stated_options(text: str) -> set:
    return set(re.findall(r"\b(IQA_(?!PROGRAM|VERSION)[A-Z_]+|BUILD_SHARED_LIBS)\b", text))


def minimum(name: str) -> str:
    """The version that CMake asks for, or an empty text."""
    found = re.search(rf"find_package\({name} ([\d.]+)|IMPORTED_TARGET {name}>=([\d.]+)", CMAKE)
    return next(filter(None, found.groups()), "") if found else ""


@pytest.fixture(scope="module")
def conda() -> dict:
    return yaml.safe_load((PACKAGING / "conda" / "recipe.yaml").read_text())


@pytest.fixture(scope="module")
def conan() -> dict:
    recipe = PACKAGING / "conan" / "conanfile.py"
    done = subprocess.run(
        [sys.executable, "-m", "conans.conan", "inspect", str(recipe), "--format=json"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_conda_has_the_trees_version_and_dependencies(conda: dict) -> None:
    assert conda["schema_version"] == 1
    assert conda["context"]["version"] == VERSION
    library, python = conda["outputs"]
    host = dict(
        re.match(r"(\S+)(?: >=)?(.*)", text).groups() for text in library["requirements"]["host"]
    )
    assert host == {names[0]: minimum(name) for name, names in DEPENDENCIES.items()}
    assert stated_options(library["build"]["script"]) <= options()
    assert any("pin_subpackage('libiqa'" in text for text in python["requirements"]["run"])
    for output in conda["outputs"]:
        assert (ROOT / output["about"]["license_file"]).is_file()


def test_conda_tells_files_that_are_installed(conda: dict) -> None:
    contents = conda["outputs"][0]["tests"][1]["package_contents"]
    for header in contents["include"]:
        assert re.search(rf"install\(FILES [^)]*/{re.escape(header)}", CMAKE)


def test_vcpkg_has_the_trees_version_and_dependencies() -> None:
    port = json.loads((PACKAGING / "vcpkg" / "ports" / "libiqa" / "vcpkg.json").read_text())
    assert port["version"] == VERSION
    needed = [name if isinstance(name, str) else name["name"] for name in port["dependencies"]]
    everything = {*needed, *port["features"]["tools"]["dependencies"]}
    assert {names[1] for names in DEPENDENCIES.values()} <= everything
    text = (PACKAGING / "vcpkg" / "ports" / "libiqa" / "portfile.cmake").read_text()
    assert stated_options(text) <= options()
    for feature in port["features"]:
        assert re.search(rf"\b{feature} IQA_[A-Z_]+", text)


def test_vcpkg_runs_the_port(tmp_path: pathlib.Path) -> None:
    # vcpkg is not here: its functions print how they are called.
    port = PACKAGING / "vcpkg" / "ports" / "libiqa" / "portfile.cmake"
    functions = sorted(set(re.findall(r"^ *(vcpkg_\w+)", port.read_text(), re.MULTILINE)))
    stand_ins = "".join(
        f'function({name})\n  message("{name} ${{ARGN}}")\nendfunction()\n' for name in functions
    )
    script = tmp_path / "port.cmake"
    script.write_text(
        f'cmake_minimum_required(VERSION 3.22)\n{stand_ins}set(CURRENT_PORT_DIR "{port.parent}")\n'
        f'set(CURRENT_PACKAGES_DIR "{tmp_path}")\n'
        f'set(VCPKG_LIBRARY_LINKAGE static)\nset(FEATURES tools)\ninclude("{port}")\n'
    )
    done = subprocess.run(["cmake", "-P", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"vcpkg_cmake_configure SOURCE_PATH;{ROOT};OPTIONS" in done.stderr
    assert "-DBUILD_SHARED_LIBS=OFF" in done.stderr
    assert "vcpkg_copy_tools TOOL_NAMES;iqa" in done.stderr
    assert f"vcpkg_install_copyright FILE_LIST;{ROOT / 'LICENSE'}" in done.stderr


def test_conan_reads_the_recipe(conan: dict) -> None:
    assert conan["name"] == "libiqa"
    assert conan["version"] == VERSION
    assert set(conan["options"]) == {"shared", "tools", "cuda"}
    text = (PACKAGING / "conan" / "conanfile.py").read_text()
    asked = dict(re.findall(r'requires\("([\w-]+)/\[>=([\d.]+)', text))
    for name, names in DEPENDENCIES.items():
        assert asked[names[2]].startswith(minimum(name)), name
    assert stated_options(text) <= options()


def test_conan_exports_all_that_cmake_reads(tmp_path: pathlib.Path) -> None:
    home = {"CONAN_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run(
        [sys.executable, "-m", "conans.conan", "export", str(PACKAGING / "conan")],
        env=home, capture_output=True, check=True,
    )  # fmt: skip
    (sources,) = tmp_path.glob("p/*/es")
    done = subprocess.run(
        ["cmake", f"-S{sources}", f"-B{tmp_path}/build", "-DIQA_BUILD_TESTS=OFF", "-DIQA_CUDA=OFF"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_citation_is_valid_and_of_this_version() -> None:
    path = ROOT / "CITATION.cff"
    citation = yaml.safe_load(path.read_text())
    assert citation["version"] == VERSION
    done = subprocess.run(
        [sys.executable, "-m", "cffconvert.cli.cli", "--validate", "-i", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_cibuildwheel_reads_its_settings() -> None:
    for machine in ("x86_64", "aarch64"):
        where = ("--platform", "linux", "--archs", machine)
        done = subprocess.run(
            [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers", *where, str(ROOT)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.split() == [f"cp312-manylinux_{machine}"], done.stderr


def test_pages_that_a_project_has() -> None:
    for name in ("SECURITY.md", "CODE_OF_CONDUCT.md", "LICENSE", "CHANGELOG.md"):
        assert (ROOT / name).read_text().strip()
