# SPDX-License-Identifier: MIT
"""The pictures that --map and --side-by-side write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import DATA, Program
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity
from writers import write_png

REFERENCE = DATA / "reference" / "chelsea.png"
TEST = DATA / "jpeg_q10" / "chelsea.jpg"


def to_oklab(srgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Colours as lightness, a, b."""
    encoded = srgb / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    to_cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.cbrt(linear @ to_cones.T) @ to_lab.T


def find_picture(drawing: NDArray, picture: NDArray) -> tuple[int, int] | None:
    """Where a picture lies in a drawing, exactly."""
    height, width = picture.shape[:2]
    rows, columns = np.nonzero((drawing == picture[0, 0]).all(axis=2))
    for row, column in zip(rows, columns, strict=True):
        if np.array_equal(drawing[row : row + height, column : column + width], picture):
            return int(row), int(column)
    return None


@pytest.fixture(scope="module")
def maps(iqa: Program, tmp_path_factory: pytest.TempPathFactory) -> tuple[NDArray, NDArray]:
    """The heat map of two colour pictures, and its numbers."""
    folder = tmp_path_factory.mktemp("maps")
    iqa.fine("compare", REFERENCE, TEST, "--map", folder / "map.png", "--map-low", 0)
    iqa.fine("compare", REFERENCE, TEST, "--map", folder / "map.npy")
    return np.asarray(Image.open(folder / "map.png")), np.load(folder / "map.npy")


def colour_bar(drawing: NDArray, map_shape: tuple[int, ...]) -> tuple[NDArray, int]:
    """The colours of the bar from the top down, and the row where it starts."""
    height = map_shape[0] + 10
    # The bar's columns are equal to each other and have many colours.
    for column in range(drawing.shape[1] - 1, 0, -1):
        line = drawing[:, column]
        if len(np.unique(line, axis=0)) > 100 and (line == drawing[:, column - 1]).all():
            frame = np.nonzero((line != line[0]).any(axis=1))[0][0]
            return line[frame + 1 : frame + 1 + height], int(frame + 1)
    raise AssertionError("no colour bar")


def test_numbers_of_the_map(maps: tuple[NDArray, NDArray]) -> None:
    _, numbers = maps
    x, y = (np.asarray(Image.open(path)).astype(float) for path in (REFERENCE, TEST))
    _, wanted = structural_similarity(
        x,
        y,
        data_range=255,
        channel_axis=2,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
    )
    assert numbers.dtype == np.float32
    assert numbers.shape == (290, 441, 3)
    # Single pixels of a dark, flat place feel the float arithmetic; their mean does not.
    np.testing.assert_allclose(numbers, wanted[5:-5, 5:-5], rtol=0, atol=2e-4)
    assert numbers.mean(dtype=np.float64) == pytest.approx(wanted[5:-5, 5:-5].mean(), abs=2e-7)


def test_numbers_in_double(
    iqa: Program, tmp_path: Path, camera: NDArray, noisy_camera: NDArray
) -> None:
    np.save(tmp_path / "x.npy", camera.astype(float))
    np.save(tmp_path / "y.npy", noisy_camera.astype(float))
    arguments = ("--data-range", 255, "--border", "symmetric", "--map", tmp_path / "map.npy")
    found = iqa.compare(tmp_path / "x.npy", tmp_path / "y.npy", *arguments)
    _, wanted = structural_similarity(
        camera.astype(float),
        noisy_camera.astype(float),
        data_range=255,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
    )
    numbers = np.load(tmp_path / "map.npy")
    assert numbers.dtype == np.float64 and numbers.shape == camera.shape
    np.testing.assert_allclose(numbers, wanted, atol=1e-10)
    assert numbers.mean() == pytest.approx(found["ssim"], abs=1e-12)


def test_colours_follow_the_numbers(maps: tuple[NDArray, NDArray]) -> None:
    drawing, numbers = maps
    bar, top = colour_bar(drawing, numbers.shape)
    mean = numbers.mean(axis=2, dtype=np.float64)
    # Grey fills the five pixels around the map for which no window fits.
    is_grey = (drawing[top + 100] == [208, 208, 214]).all(axis=1)
    (left,) = np.nonzero(is_grey[4:441] & ~is_grey[5:442] & is_grey[0:437])[0] + 5
    shown = drawing[top + 5 : top + 295, left : left + 441]
    lightness = to_oklab(shown)[..., 0]
    assert spearmanr(lightness.ravel(), mean.ravel()).statistic < -0.999
    position = np.clip(1 - mean, 0, 1) * (len(bar) - 1)
    wanted = bar[np.rint(position).astype(int)].astype(int)
    assert np.abs(wanted - shown).max() <= 6


def test_colours_are_perceptually_uniform(maps: tuple[NDArray, NDArray]) -> None:
    drawing, numbers = maps
    bar, _ = colour_bar(drawing, numbers.shape)
    lab = to_oklab(bar)
    assert lab[0, 0] < 0.2 and lab[-1, 0] > 0.95
    is_new = np.append(True, (bar[1:] != bar[:-1]).any(axis=1))
    colours = lab[is_new]
    assert len(colours) == 256
    coarse = colours[::15]
    assert (np.diff(coarse[:, 0]) > 0).all()
    steps = np.linalg.norm(np.diff(coarse, axis=0), axis=1)
    assert len(steps) == 17 and steps.max() / steps.min() < 1.1


def test_equal_pictures_are_dark(iqa: Program, tmp_path: Path) -> None:
    iqa.fine("compare", REFERENCE, REFERENCE, "--map", tmp_path / "map.png")
    drawing = np.asarray(Image.open(tmp_path / "map.png"))
    middle = drawing[100:200, 100:300].reshape(-1, 3)
    assert len(np.unique(middle, axis=0)) == 1
    assert to_oklab(middle[:1])[0, 0] < 0.2


def test_side_by_side_shows_both_pictures(iqa: Program, tmp_path: Path) -> None:
    iqa.fine("compare", REFERENCE, TEST, "--side-by-side", tmp_path / "out.png")
    drawing = np.asarray(Image.open(tmp_path / "out.png"))
    places = [find_picture(drawing, np.asarray(Image.open(path))) for path in (REFERENCE, TEST)]
    assert places[0] and places[1]
    assert places[0][0] == places[1][0] and places[0][1] + 451 < places[1][1]


def test_deep_grey_and_small_pictures(iqa: Program, tmp_path: Path, camera: NDArray) -> None:
    small = camera[100:150, 200:260]
    write_png(tmp_path / "a.png", small.astype(np.uint16) * 257)
    np.save(tmp_path / "a.npy", small / 255)
    for arguments in (
        (tmp_path / "a.png", tmp_path / "a.png"),
        (tmp_path / "a.npy", tmp_path / "a.npy", "--data-range", 1),
    ):
        iqa.fine("compare", *arguments, "--side-by-side", tmp_path / "out.png")
        drawing = np.asarray(Image.open(tmp_path / "out.png"))
        enlarged = np.repeat(np.repeat(small, 5, axis=0), 5, axis=1)
        assert find_picture(drawing, np.stack([enlarged] * 3, axis=2))


def test_batches_have_no_picture(iqa: Program, tmp_path: Path, camera: NDArray) -> None:
    np.save(tmp_path / "a.npy", np.stack([camera, camera]))
    arguments = (tmp_path / "a.npy", tmp_path / "a.npy", "--layout", "nhw")
    assert "2 images" in iqa.error("compare", *arguments, "--map", tmp_path / "map.png")


def test_pictures_are_the_same_on_every_run(iqa: Program, tmp_path: Path) -> None:
    contents = set()
    for threads in (1, 2, 3):
        out = tmp_path / f"{threads}.png"
        iqa.fine("compare", REFERENCE, TEST, "--side-by-side", out, "--threads", threads)
        contents.add(out.read_bytes())
    assert len(contents) == 1
