# SPDX-License-Identifier: MIT
"""The Debian packages of scripts/deb.sh: installed into a root of their own, used, removed."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from tree import ROOT, VERSION

ABI = ".".join(VERSION.split(".")[:2])
NAMES = {f"libiqa{ABI}": "amd64", "libiqa-dev": "amd64", "iqa": "amd64", "python3-iqa": "all"}


def run(*command: object, **options: object) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict:
    directory = tmp_path_factory.mktemp("deb")
    run(ROOT / "scripts" / "deb.sh", directory)
    return {path.name.partition("_")[0]: path for path in directory.glob("*.deb")}


@pytest.fixture(scope="module")
def installed(packages: dict, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    root = tmp_path_factory.mktemp("root")
    (root / "var/lib/dpkg/updates").mkdir(parents=True)
    (root / "var/lib/dpkg/info").mkdir()
    (root / "var/lib/dpkg/status").touch()
    # The root holds nothing else; test_dependencies looks at what they need.
    run("dpkg", f"--root={root}", "--force-depends,script-chrootless", "-i", *packages.values())
    return root


def environment(root: pathlib.Path) -> dict:
    (library,) = root.glob("usr/lib/*/libiqa_c.so.*.*.*")
    names = {"LD_LIBRARY_PATH": library.parent, "PATH": f"{root}/usr/bin:{os.environ['PATH']}"}
    names["PYTHONPATH"] = root / "usr/lib/python3/dist-packages"
    mine = {"IQA_LIBRARY", "IQA_CLI"}
    others = {name: value for name, value in os.environ.items() if name not in mine}
    return {**others, **{name: str(value) for name, value in names.items()}}


def test_names_versions_architectures(packages: dict) -> None:
    here = run("dpkg", "--print-architecture").strip()
    found = {
        name: run("dpkg-deb", "-f", path, "Version", "Architecture")
        for name, path in packages.items()
    }
    assert found == {
        name: f"Version: {VERSION}\nArchitecture: {'all' if kind == 'all' else here}\n"
        for name, kind in NAMES.items()
    }


def test_dependencies(packages: dict) -> None:
    # apt knows whether all of it can be had together.
    plan = run(
        "apt-get", "--simulate", "install", *packages.values(), env={**os.environ, "LC_ALL": "C"}
    )
    assert set(NAMES) <= set(re.findall(r"^Inst (\S+)", plan, re.MULTILINE))
    needs = {name: run("dpkg-deb", "-f", path, "Depends") for name, path in packages.items()}
    for library in ("libc6", "libgomp1", "libstdc++6"):
        assert re.search(rf"\b{re.escape(library)} \(>= ", needs[f"libiqa{ABI}"]), needs
    for library in ("libpng16-16", "libtiff6", "libzip4", "libjpeg62-turbo"):
        assert library in needs["iqa"]
    for name in ("iqa", "libiqa-dev", "python3-iqa"):
        assert f"libiqa{ABI} (= {VERSION})" in needs[name]


def test_program(installed: pathlib.Path) -> None:
    assert run("iqa", "--version", env=environment(installed)) == f"iqa {VERSION}\n"
    assert (installed / "usr/share/man/man1/iqa.1").exists()


def test_python(installed: pathlib.Path) -> None:
    python = shutil.which("python3", path="/usr/bin") or "python3"
    code = "import iqa; print(iqa.__version__, iqa.__file__)"
    version, path = run(python, "-c", code, env=environment(installed)).split()
    assert version == VERSION
    assert path.startswith(str(installed))
    assert run(python, "-m", "iqa", "--version", env=environment(installed)) == f"iqa {VERSION}\n"


@pytest.mark.parametrize(("compiler", "source"), [("cc", "main.c"), ("c++", "main.cpp")])
def test_development(
    installed: pathlib.Path, tmp_path: pathlib.Path, compiler: str, source: str
) -> None:
    (module,) = installed.glob("usr/lib/*/pkgconfig/iqa_c.pc")
    names = {**environment(installed), "PKG_CONFIG_PATH": str(module.parent)}
    flags = run("pkg-config", "--cflags", "--libs", "iqa_c", env=names).split()
    source = ROOT / "tests" / "consumer" / source
    run(compiler, source, "-o", tmp_path / "program", *flags, env=names)
    assert run(tmp_path / "program", env=names).startswith("SSIM ")


def test_removal_leaves_nothing(installed: pathlib.Path) -> None:
    assert list(installed.glob("usr/**/*iqa*"))
    run("dpkg", f"--root={installed}", "--force-script-chrootless", "--purge", *NAMES)
    left = [path for path in installed.glob("usr/**/*") if not path.is_dir()]
    assert [path for path in left if "__pycache__" not in path.parts] == []
