# SPDX-License-Identifier: MIT
"""iqa fid of folders of pictures: the Python package's number, and what is said of bad files."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import DATA, Program
from PIL import Image
from safetensors.numpy import save_file

import iqa as package
from iqa import weights


@pytest.fixture(scope="module")
def tensors() -> dict[str, np.ndarray]:
    return weights.random(5)


@pytest.fixture(scope="module")
def file(tensors: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_file(tensors, path)
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Crops of photographs of two sizes, and copies through JPEG; a grey one and one in a folder."""
    root = tmp_path_factory.mktemp("pictures")
    real, generated = root / "real", root / "generated"
    (real / "more").mkdir(parents=True)
    generated.mkdir()
    photo = Image.open(DATA / "reference" / "chelsea.png")
    for i in range(5):
        crop = photo.crop((20 * i, 10 * i, 20 * i + 90 + i % 2, 10 * i + 80))
        crop.save(real / f"{i}.png")
        crop.save(generated / f"{i}.jpg", quality=20)
    photo.convert("L").crop((0, 0, 60, 60)).save(generated / "grey.png")
    photo.crop((0, 0, 70, 60)).save(real / "more" / "inside.png")
    return real, generated


def fid(iqa: Program, *arguments: object) -> dict:
    return json.loads(iqa.fine("fid", "--json", *arguments))


@pytest.mark.parametrize("resize", ["tensorflow", "clean"])
def test_the_value_is_the_packages(
    iqa: Program, file: Path, folders: tuple[Path, Path], resize: str
) -> None:
    network = package.Inception(file, resize=resize)
    sets = [[path] for folder in folders for path in [sorted(folder.glob("*.*"))]]
    expected = package.fid_of_images(*sets, network)
    options = ("--weights", file, "--resize", resize)
    for threads in (1, 3):
        report = fid(iqa, *folders, *options, "--threads", threads)
        assert report["fid"] == expected
    assert report["network"] == {"weights": network.digest, "resize": resize}
    assert (report["reference"]["rows"], report["candidate"]["rows"]) == (5, 6)
    assert fid(iqa, *folders, *options, "-r")["reference"]["rows"] == 6


def test_statistics_stand_for_pictures(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    state = tmp_path / "real.iqa"
    expected = fid(iqa, *folders, "--weights", file, "--stats-out", state)["fid"]
    assert fid(iqa, state, folders[1], "--weights", file)["fid"] == expected


def test_bad_pictures_are_listed(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    for path in folders[1].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "2.jpg").write_bytes(b"no picture")
    Image.new("RGBA", (30, 30), (1, 2, 3, 4)).save(tmp_path / "alpha.png")
    done = iqa("fid", folders[0], tmp_path, "--weights", file, "--json")
    assert done.returncode == 2
    report = json.loads(done.stdout)
    assert report["candidate"]["rows"] == 5
    assert len(report["refused"]) == 2
    assert "2.jpg" in done.stderr and "alpha.png" in done.stderr
    assert "iqa: 2 pictures were left out" in done.stderr


def test_words_where_something_is_missing(
    iqa: Program, file: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    assert "--weights FILE makes them of pictures" in iqa.error("fid", *folders)
    assert "--recursive is of folders of pictures" in iqa.error("fid", *folders, "-r")
    (tmp_path / "a.webp").touch()
    text = iqa.error("fid", tmp_path, folders[1], "--weights", file)
    assert "holds no picture, but 1 .webp file" in text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda data: b"short", "has 5 bytes"),
        (lambda data: data[:-1], "at an impossible place"),
        (lambda data: struct.pack("<Q", 1 << 40) + data[8:], "its header would have"),
        (lambda data: struct.pack("<Q", 2) + b"[]" + data, "is not as that format has it"),
        (lambda data: data.replace(b'"F32"', b'"F8_"', 1), "of type F8_"),
        (lambda data: data.replace(b"Mixed_5b.branch1x1.conv", b"Mixed_5b.branch1x2.conv", 1), "Inception v3"),
    ],
)
def test_wrong_weights(
    iqa: Program,
    file: Path,
    folders: tuple[Path, Path],
    tmp_path: Path,
    change: Callable[[bytes], bytes],
    text: str,
) -> None:
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(change(file.read_bytes()))
    assert re.search(text, iqa.error("fid", *folders, "--weights", path))
