# SPDX-License-Identifier: MIT
"""Presets, multi-scale SSIM, luma, regions and masks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import DATA, Program
from numpy.typing import NDArray
from PIL import Image

REFERENCE = DATA / "reference" / "chelsea.png"
TEST = DATA / "jpeg_q30" / "chelsea.jpg"


def save(path: Path, array: NDArray[np.generic]) -> Path:
    """A .npy or .png file of the array."""
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        Image.fromarray(array).save(path)
    return path


@pytest.fixture(scope="session")
def jpeg() -> NDArray[np.uint8]:
    """The colour photograph as JPEG."""
    return np.asarray(Image.open(TEST))


@pytest.fixture
def presets(iqa: Program) -> dict[str, dict]:
    """What --all-presets says of the photograph."""
    return iqa.compare(REFERENCE, TEST, "--all-presets")["presets"]


def test_all_presets_are_what_each_preset_is(iqa: Program, presets: dict[str, dict]) -> None:
    assert len(presets) == 23
    for name, entry in presets.items():
        assert entry["ssim"] == iqa.compare(REFERENCE, TEST, "--preset", name)["ssim"], name
        assert entry["meaning"]


def test_the_table_of_all_presets(iqa: Program, presets: dict[str, dict]) -> None:
    lines = iqa.fine("compare", REFERENCE, TEST, "--all-presets").splitlines()
    assert [line.split()[0] for line in lines] == list(presets)
    for line, entry in zip(lines, presets.values()):
        assert f" {entry['ssim']:.6f} " in line
        assert line.endswith(entry["meaning"])


def test_presets_say_what_they_cannot_do(iqa: Program, tmp_path: Path) -> None:
    small = save(tmp_path / "small.png", np.arange(1600, dtype=np.uint8).reshape(40, 40))
    found = iqa.compare(small, small, "--all-presets")["presets"]
    assert found["wang2004"]["ssim"] == 1
    assert found["ms_ssim_wang2003"]["ssim"] is None
    assert "40" in found["ms_ssim_wang2003"]["error"]
    assert "  -  " in iqa.fine("compare", small, small, "--all-presets")


def test_options_change_a_preset_wherever_they_stand(iqa: Program) -> None:
    first = iqa.compare(REFERENCE, TEST, "--sigma", 2, "--preset", "torchmetrics")
    second = iqa.compare(REFERENCE, TEST, "--preset", "torchmetrics", "--sigma", 2)
    third = iqa.compare(REFERENCE, TEST, "--border", "reflect", "--sigma", 2)
    assert first["ssim"] == second["ssim"] == third["ssim"]
    assert first["options"]["ssim"]["border"] == "reflect"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--preset", "Wang"], "expects wang2004|wang_auto|"),
        (["--all-presets", "--preset", "piq"], "--all-presets excludes --preset"),
        (["--scales", "3"], "3 needs as many --scale-weights"),
        (["--scales", "2", "--scale-weights", "0.2,0.3,0.5"], "2 needs as many"),
        (["--scale-weights", "0.5,"], "expects W1,W2"),
        (["--scale-weights", "0.5,0.1"], "sum to 0.6"),
        (["--roi", "1,2,3"], "expects Y,X,HEIGHTxWIDTH"),
        (["--roi", "-1,2,3x4"], "expects Y,X,HEIGHTxWIDTH"),
        (["--roi", "200,0,101x5"], "has 300 x 451 pixels, which do not hold the rectangle"),
        (["--shave", "-1"], "shave is -1"),
        (["--downsample", "0"], "downsample is 0"),
        (["--luma", "yuv"], "expects none|bt601-full"),
        (["--coverage", "2"], "coverage is 2"),
        (["--mask", "missing.png"], "missing.png"),
        (["--mask", str(REFERENCE)], "has 3 channels; a mask has one"),
        (["--mask", str(DATA / "reference" / "camera.png")], "the mask has 512 x 512"),
    ],
)
def test_mistakes(iqa: Program, arguments: list[str], words: str) -> None:
    assert words in iqa.error("compare", REFERENCE, TEST, *arguments)


def test_a_region_is_the_cut_out_picture(
    iqa: Program, tmp_path: Path, chelsea: NDArray[np.uint8], jpeg: NDArray[np.uint8]
) -> None:
    part = (slice(20, 150), slice(100, 321))
    files = [save(tmp_path / f"{i}.png", x[part]) for i, x in enumerate((chelsea, jpeg))]
    found = iqa.compare(REFERENCE, TEST, "--roi", "20,100,130x221")
    expected = iqa.compare(*files)
    for key in ("ssim", "psnr", "mse", "channels"):
        assert found[key] == expected[key]
    assert found["reference"]["height"] == 130
    assert found["options"]["roi"] == [20, 100, 130, 221]
    picture = tmp_path / "out.png"
    iqa.fine("compare", REFERENCE, TEST, "--roi", "20,100,130x221", "--side-by-side", picture)
    assert Image.open(picture).width > 3 * 221


def test_shaved_edges(iqa: Program) -> None:
    found = iqa.compare(REFERENCE, TEST, "--shave", 7)
    expected = iqa.compare(REFERENCE, TEST, "--roi", "7,7,286x437")
    assert (found["ssim"], found["psnr"]) == (expected["ssim"], expected["psnr"])


def test_luma_of_both_metrics(
    iqa: Program, tmp_path: Path, chelsea: NDArray[np.uint8], jpeg: NDArray[np.uint8]
) -> None:
    files = [
        save(tmp_path / f"{i}.npy", x.astype(np.float64) @ np.array([0.2126, 0.7152, 0.0722]))
        for i, x in enumerate((chelsea, jpeg))
    ]
    found = iqa.compare(REFERENCE, TEST, "--luma", "bt709-full")
    expected = iqa.compare(*files, "--data-range", 255)
    assert found["ssim"] == pytest.approx(expected["ssim"], abs=1e-6)
    assert found["psnr"] == pytest.approx(expected["psnr"], abs=1e-6)
    assert found["channels"] == []


def test_five_scales(iqa: Program) -> None:
    found = iqa.compare(REFERENCE, TEST, "--scales", 5, "--negative", "relu", "--parts")
    assert found["ssim"] == iqa.compare(REFERENCE, TEST, "--preset", "ms_ssim_wang2003")["ssim"]
    weights = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    assert found["options"]["ssim"]["scale_weights"] == list(weights)
    assert len(found["parts"]["luminance"]) == len(found["parts"]["ssim"]) == 5
    stated = iqa.compare(
        REFERENCE, TEST, "--scale-weights", ",".join(map(str, weights)), "--negative", "relu"
    )
    assert stated["ssim"] == found["ssim"]
    text = iqa.fine("compare", REFERENCE, TEST, "--preset", "ms_ssim_piq", "--parts")
    assert text.count("scale ") == 5


def test_parts_multiply(iqa: Program) -> None:
    grey = (DATA / "reference" / "camera.png", DATA / "noise" / "camera.png")
    parts = iqa.compare(*grey, "--parts")["parts"]
    ((luminance,), (contrast,), (ssim,)) = parts.values()
    assert 0.9 < luminance < 1
    assert ssim == pytest.approx(luminance * contrast, abs=0.01)


@pytest.mark.parametrize("mode", ["convolution", "map"])
def test_masks_of_every_kind_are_equal(iqa: Program, tmp_path: Path, mode: str) -> None:
    mask = np.zeros((300, 451), np.uint8)
    mask[50:260, 40:400] = 1
    found = [
        iqa.compare(REFERENCE, TEST, "--mask", save(tmp_path / name, kind), "--mask-mode", mode)
        for name, kind in (
            ("m.png", 255 * mask),
            ("m.npy", mask),
            ("w.npy", mask.astype(np.float32)),
            ("d.npy", mask.astype(np.float64)),
            ("i.npy", -300 * mask.astype(np.int16)),
        )
    ]
    assert len({(each["ssim"], each["psnr"]) for each in found}) == 1
    inside = iqa.compare(REFERENCE, TEST, "--roi", "50,40,210x360")
    assert found[0]["psnr"] == inside["psnr"]
    assert found[0]["ssim"] != inside["ssim"]
    assert found[0]["ssim"] == pytest.approx(inside["ssim"], abs=0.01)


def test_a_mask_is_cut_out_too(iqa: Program, tmp_path: Path) -> None:
    mask = (np.add.outer(np.arange(300), np.arange(451)) % 7 > 2).astype(np.uint8)
    whole = save(tmp_path / "whole.npy", mask)
    part = save(tmp_path / "part.npy", mask[10:110, 20:220])
    region = ("--roi", "10,20,100x200")
    found = iqa.compare(REFERENCE, TEST, *region, "--mask", whole)
    cut = [tmp_path / "x.png", tmp_path / "y.png"]
    for path, source in zip(cut, (REFERENCE, TEST)):
        save(path, np.asarray(Image.open(source))[10:110, 20:220])
    expected = iqa.compare(*cut, "--mask", part)
    assert (found["ssim"], found["psnr"]) == (expected["ssim"], expected["psnr"])


def test_an_empty_mask(iqa: Program, tmp_path: Path) -> None:
    empty = save(tmp_path / "empty.npy", np.zeros((300, 451), np.uint8))
    assert "mask" in iqa.error("compare", REFERENCE, TEST, "--mask", empty)


def test_nonfinite_samples_can_be_masked(iqa: Program, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    x = random.random((40, 50))
    y = x + 0.1 * random.standard_normal(x.shape)
    mask = np.ones(x.shape, np.uint8)
    mask[10:13, 20:30] = 0
    hole = np.where(mask == 1, y, np.nan)
    files = [save(tmp_path / f"{name}.npy", a) for name, a in (("x", x), ("y", y), ("hole", hole))]
    stated = ("--data-range", 1, "--mask", save(tmp_path / "mask.npy", mask))
    found = iqa.compare(files[0], files[2], "--data-range", 1, "--nonfinite", "mask")
    expected = iqa.compare(files[0], files[1], *stated)
    assert (found["ssim"], found["psnr"]) == (expected["ssim"], expected["psnr"])


def test_batches_take_presets_regions_and_masks(iqa: Program, tmp_path: Path) -> None:
    mask = np.zeros((100, 120), np.uint8)
    mask[:, 30:] = 1
    arguments = ["--preset", "torchmetrics", "--roi", "0,10,100x110"]
    arguments += ["--mask", str(save(tmp_path / "mask.npy", mask))]
    out = tmp_path / "out.json"
    iqa.fine("batch", DATA / "reference", DATA / "jpeg_q50", "--json", out, *arguments)
    for pair in json.loads(out.read_text())["pairs"]:
        files = (DATA / "reference" / pair["reference"], DATA / "jpeg_q50" / pair["test"])
        assert iqa.compare(*files, *arguments)["ssim"] == pair["ssim"]


def test_the_map_of_a_downsampled_picture(iqa: Program, tmp_path: Path) -> None:
    files = (DATA / "reference" / "camera.png", DATA / "noise" / "camera.png")
    arguments = ("--preset", "piq", "--border", "reflect")
    iqa.fine("compare", *files, *arguments, "--map", tmp_path / "map.npy")
    found = np.load(tmp_path / "map.npy")
    assert found.shape == (256, 256)
    assert found.mean() == pytest.approx(iqa.compare(*files, *arguments)["ssim"], abs=1e-6)
    iqa.fine("compare", *files, *arguments, "--map", tmp_path / "map.png")
    assert Image.open(tmp_path / "map.png").height > 512
