# SPDX-License-Identifier: MIT
"""What happens with alpha channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from conftest import Program
from numpy.typing import NDArray
from PIL import Image
from writers import write_png


@pytest.fixture(params=["grey", "colour"])
def colours(request: pytest.FixtureRequest, camera: NDArray, chelsea: NDArray) -> NDArray[np.uint8]:
    """A small picture with a channel axis."""
    return camera[100:140, 200:250, None] if request.param == "grey" else chelsea[80:120, 100:150]


def with_alpha(colours: NDArray, alpha: NDArray) -> NDArray:
    """Adds a channel."""
    return np.concatenate([colours, alpha[..., None].astype(colours.dtype)], axis=2)


def mse(iqa: Program, file: Path, wanted: NDArray, *arguments: object) -> float:
    """The error of the file against an array, both seen as height x width x channels."""
    np.save(file.parent / "wanted.npy", wanted)
    found = iqa.compare(file, file.parent / "wanted.npy", "--layout", "hwc", *arguments)
    return found["mse"]


def test_opaque_alpha_is_dropped(iqa: Program, tmp_path: Path, colours: NDArray) -> None:
    write_png(tmp_path / "a.png", with_alpha(colours, np.full(colours.shape[:2], 255)))
    assert mse(iqa, tmp_path / "a.png", colours) == 0
    deep = colours.astype(np.uint16) * 257
    write_png(tmp_path / "b.png", with_alpha(deep, np.full(colours.shape[:2], 65535)))
    assert mse(iqa, tmp_path / "b.png", deep) == 0


def test_transparent_pixels_need_a_policy(iqa: Program, tmp_path: Path, colours: NDArray) -> None:
    alpha = np.full(colours.shape[:2], 255)
    alpha[3, 4] = 254
    write_png(tmp_path / "a.png", with_alpha(colours, alpha))
    assert "--alpha" in iqa.error("compare", tmp_path / "a.png", tmp_path / "a.png")
    assert mse(iqa, tmp_path / "a.png", colours, "--alpha", "drop") == 0
    assert mse(iqa, tmp_path / "a.png", with_alpha(colours, alpha), "--alpha", "channel") == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("background", ["black", "white"])
def test_backgrounds(
    iqa: Program, tmp_path: Path, colours: NDArray, background: str, dtype: type
) -> None:
    opaque = int(np.iinfo(dtype).max)
    samples = colours.astype(dtype) * dtype(opaque // 255)
    alpha = np.random.default_rng(7).integers(0, opaque + 1, colours.shape[:2])
    write_png(tmp_path / "a.png", with_alpha(samples, alpha))
    below = opaque if background == "white" else 0
    share = alpha[..., None]
    exact = (samples.astype(np.int64) * share + below * (opaque - share) + opaque // 2) // opaque
    assert mse(iqa, tmp_path / "a.png", exact.astype(dtype), "--alpha", background) == 0


def test_transparent_colour_of_a_palette(iqa: Program, tmp_path: Path, chelsea: NDArray) -> None:
    palette = Image.fromarray(chelsea[:64, :64]).quantize(16)
    palette.save(tmp_path / "a.png", transparency=3)
    assert "--alpha" in iqa.error("compare", tmp_path / "a.png", tmp_path / "a.png")
    colours = np.asarray(palette.convert("RGB"))
    assert mse(iqa, tmp_path / "a.png", colours, "--alpha", "drop") == 0
    visible = np.asarray(palette)[..., None] != 3
    assert mse(iqa, tmp_path / "a.png", colours * visible, "--alpha", "black") == 0


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
def test_tiff_alpha(iqa: Program, tmp_path: Path, chelsea: NDArray, kind: str) -> None:
    colours = (chelsea[:40, :50] / 255).astype(np.float32)
    alpha = np.random.default_rng(8).random(colours.shape[:2], dtype=np.float32)[..., None]
    stored = colours * alpha if kind == "assocalpha" else colours
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.concatenate([stored, alpha], axis=2),
        photometric="rgb",
        extrasamples=[kind],
    )
    wanted = (colours * alpha) + (np.float32(1) - alpha)
    for background, picture in (("black", colours * alpha), ("white", wanted)):
        error = mse(iqa, tmp_path / "a.tif", picture, "--alpha", background, "--data-range", 1)
        assert error < 1e-13
