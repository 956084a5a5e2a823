# SPDX-License-Identifier: MIT
"""Pictures that are stored otherwise than they are shown. Pillow and OpenCV say how they are shown."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from conftest import DATA, Program
from numpy.typing import NDArray
from PIL import Image, ImageOps
from writers import png_chunk, write_png

TAG = 274
FORMATS = ("png", "jpg", "tif", "palette.tif", "palette.png")


@pytest.fixture(scope="module")
def picture(chelsea: NDArray) -> NDArray[np.uint8]:
    """A picture that no turn leaves as it is."""
    return np.ascontiguousarray(chelsea[80:151, 100:203])


def write(path: Path, picture: NDArray, orientation: int) -> NDArray[np.uint8]:
    """A file with the tag; returns the pixels as they are stored."""
    image = Image.fromarray(picture)
    if "palette" in path.name:
        image = image.quantize(50)
    if path.suffix == ".tif":
        image.save(path, tiffinfo={TAG: orientation})
    else:
        exif = Image.Exif()
        exif[TAG] = orientation
        image.save(path, exif=exif.tobytes())
    # Pillow itself turns TIFF files upright, and the others not.
    return np.asarray((image if path.suffix == ".tif" else Image.open(path)).convert("RGB"))


def transposed(picture: NDArray, orientation: int) -> NDArray[np.uint8]:
    """As Pillow shows pixels that have the tag."""
    image = Image.fromarray(picture)
    image.getexif()[TAG] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", FORMATS)
def test_apply_turns_upright(
    iqa: Program, tmp_path: Path, picture: NDArray, name: str, orientation: int
) -> None:
    path = tmp_path / f"a.{name}"
    np.save(tmp_path / "stored.npy", write(path, picture, orientation))
    shown = transposed(np.load(tmp_path / "stored.npy"), orientation)
    np.save(tmp_path / "shown.npy", shown)
    for policy in ("apply", "stored"):
        exact = tmp_path / ("shown.npy" if policy == "apply" else "stored.npy")
        for pair in ((path, exact), (exact, path)):
            found = iqa.compare(*pair, "--layout", "hwc", "--orientation", policy)
            assert (found["mse"], found["ssim"]) == (0, 1)
            assert found["options"]["orientation"] == policy
    if name == "jpg":  # OpenCV turns these by itself, with a reader of EXIF of its own
        upright = cv2.imread(str(path))[..., ::-1]
        assert upright.shape == shown.shape
        assert np.abs(upright.astype(int) - shown).max() <= 2  # two decoders
    # Where nothing is said, a difference is told and no number is given.
    write_png(tmp_path / "plain.png", picture)
    if orientation == 1:
        iqa.fine("compare", tmp_path / "plain.png", path)
    else:
        message = iqa.error("compare", tmp_path / "plain.png", path)
        assert f"(orientation {orientation})" in message
        assert "--orientation apply" in message and "--orientation stored" in message


@pytest.mark.parametrize("orientation", range(1, 9))
def test_equal_orientations_change_nothing(
    iqa: Program, tmp_path: Path, picture: NDArray, orientation: int
) -> None:
    noisy = np.clip(picture + np.random.default_rng(0).normal(0, 9, picture.shape), 0, 255).astype(
        np.uint8
    )
    plain = []
    for name, samples in (("x", picture), ("y", noisy)):
        write_png(tmp_path / f"{name}.png", samples)
        write(tmp_path / f"{name}.tif", samples, orientation)
        plain.append(tmp_path / f"{name}.png")
    found = iqa.compare(tmp_path / "x.tif", tmp_path / "y.tif")
    wanted = iqa.compare(*plain)
    for key in ("ssim", "psnr", "mse", "channels"):
        assert found[key] == wanted[key]
    # A window that looks the same from all sides gives nearly the same number upright.
    upright = iqa.compare(tmp_path / "x.tif", tmp_path / "y.tif", "--orientation", "apply")
    assert upright["mse"] == wanted["mse"]
    assert upright["ssim"] == pytest.approx(wanted["ssim"], abs=1e-6)
    sides = (picture.shape[1], picture.shape[0]) if orientation > 4 else picture.shape[:2]
    assert (upright["test"]["height"], upright["test"]["width"]) == tuple(sides)


def test_both_orders_of_bytes_and_places(iqa: Program, tmp_path: Path, picture: NDArray) -> None:
    """EXIF of either order, in a PNG before and behind the pixels, in a JPEG behind other blocks."""
    write_png(tmp_path / "a.png", picture)
    write_png(tmp_path / "turned.png", np.ascontiguousarray(picture[::-1, ::-1]))
    data = (tmp_path / "a.png").read_bytes()
    for order, magic in (("<", b"II"), (">", b"MM")):
        for kind in (3, 4):  # SHORT and LONG
            value = struct.pack(order + "HH" if kind == 3 else order + "I", *(3, 0)[: 5 - kind])
            exif = magic + struct.pack(order + "HIHHHI", 42, 8, 1, TAG, kind, 1) + value + bytes(4)
            for place in (data.index(b"IDAT") - 4, len(data) - 12):
                (tmp_path / "b.png").write_bytes(
                    data[:place] + png_chunk(b"eXIf", exif) + data[place:]
                )
                pair = (
                    tmp_path / "b.png",
                    tmp_path / "turned.png",
                    "--orientation",
                    "apply",
                )
                assert iqa.compare(*pair)["mse"] == 0


DAMAGED = {
    "nothing": b"",
    "no directory": b"II*\0",
    "far away": b"II*\0\xff\xff\xff\xff",
    "huge count": b"II*\0\x08\0\0\0\xff\xff",
    "cut off": b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0",
    "value 0": b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0",
    "value 9": b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0",
    "two values": b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x02\0\0\0\x03\0\x03\0",
    "text": b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x01\0\0\0\x03\0\0\0",
    "other magic": b"IM*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_exif_says_nothing(
    iqa: Program, tmp_path: Path, picture: NDArray, name: str
) -> None:
    Image.fromarray(picture).save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    content = b"Exif\0\0" + DAMAGED[name]
    block = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    (tmp_path / "b.jpg").write_bytes(data[:2] + block + data[2:])
    assert iqa.compare(tmp_path / "a.jpg", tmp_path / "b.jpg")["mse"] == 0


def test_batch(iqa: Program, tmp_path: Path, picture: NDArray) -> None:
    for folder, orientation in (("a", 1), ("b", 3)):
        (tmp_path / folder).mkdir()
        turned = picture[::-1, ::-1] if orientation == 3 else picture
        write(tmp_path / folder / "x.png", np.ascontiguousarray(turned), orientation)
    folders = ("batch", tmp_path / "a", tmp_path / "b")
    done = iqa(*folders)
    assert done.returncode == 2 and "--orientation apply" in done.stderr
    assert "mean SSIM          1.000000" in iqa.fine(*folders, "--orientation", "apply")
    assert "mean SSIM          1.000000" not in iqa.fine(*folders, "--orientation", "stored")


def test_masks_and_regions(iqa: Program, tmp_path: Path, picture: NDArray) -> None:
    """They are of the picture that is compared: of the upright one, where pictures are turned."""
    other = picture.copy()
    other[5:20, 10:40] //= 2
    for name, samples in (("x", picture), ("y", other)):
        np.save(tmp_path / f"{name}.npy", np.ascontiguousarray(np.rot90(samples)))
        write(tmp_path / f"{name}.png", samples, 8)
    upright = (tmp_path / "x.npy", tmp_path / "y.npy", "--layout", "hwc")
    turned = (tmp_path / "x.png", tmp_path / "y.png", "--orientation", "apply")
    region = ("--roi", "50,0,40x40")
    wanted = iqa.compare(*upright, *region)
    assert 0 < wanted["mse"] != iqa.compare(*upright)["mse"]
    assert iqa.compare(*turned, *region)["mse"] == wanted["mse"]

    mask = np.zeros(picture.shape[:2], np.uint8)
    mask[:, :30] = 255
    write(tmp_path / "mask.png", mask, 8)
    write_png(tmp_path / "upright.png", np.ascontiguousarray(np.rot90(mask)))
    wanted = iqa.compare(*upright, "--mask", tmp_path / "upright.png")
    assert 0 < wanted["mse"] != iqa.compare(*upright)["mse"]
    for name in ("mask", "upright"):
        assert iqa.compare(*turned, "--mask", tmp_path / f"{name}.png")["mse"] == wanted["mse"]
    write_png(tmp_path / "plain.png", mask)
    message = iqa.error("compare", *turned[:2], "--mask", tmp_path / "plain.png")
    assert "--orientation" in message


@pytest.mark.parametrize("orientation", range(1, 9))
def test_label_maps(iqa: Program, tmp_path: Path, orientation: int) -> None:
    labels = np.random.default_rng(orientation).integers(0, 3, (20, 31), dtype=np.uint8)
    write(tmp_path / "stored.png", labels, orientation)
    shown = transposed(labels, orientation)
    write_png(tmp_path / "shown.png", shown)
    files = ("segment", tmp_path / "stored.png", tmp_path / "shown.png", "--classes", 3)
    if orientation > 1:
        assert "--orientation apply" in iqa.error(*files)
    assert "accuracy                  1.0000" in iqa.fine(*files, "--orientation", "apply")
    if 1 < orientation < 5:
        assert "accuracy                  1.0000" not in iqa.fine(*files, "--orientation", "stored")
    # Where a label is outside the classes, the row and column are those of the upright map.
    wrong = shown.copy()
    wrong[3, 7] = 200
    write_png(tmp_path / "wrong.png", wrong)
    files = ("segment", tmp_path / "stored.png", tmp_path / "wrong.png", "--classes", 3)
    assert "at row 3, column 7" in iqa.error(*files, "--orientation", "apply")


def test_heat_map_is_upright(iqa: Program, tmp_path: Path, picture: NDArray) -> None:
    other = picture.copy()
    other[5:20, 10:40] //= 2
    for name, samples in (("x", picture), ("y", other)):
        write_png(tmp_path / f"{name}.png", np.ascontiguousarray(np.rot90(samples)))
        write(tmp_path / f"{name}.tif", samples, 8)
    for kind, options in (
        ("png", ("--orientation", "apply")),
        ("tif", ("--orientation", "apply")),
    ):
        iqa.fine(
            "compare",
            tmp_path / f"x.{kind}",
            tmp_path / f"y.{kind}",
            *options,
            "--map",
            tmp_path / f"{kind}.npy",
            "--arithmetic",
            "float64",
        )
        iqa.fine(
            "compare",
            tmp_path / f"x.{kind}",
            tmp_path / f"y.{kind}",
            *options,
            "--map",
            tmp_path / f"{kind}.png",
            "--map-low",
            0,
        )
    upright, turned = (np.load(tmp_path / f"{kind}.npy") for kind in ("png", "tif"))
    assert (upright == turned).all()
    sizes = {Image.open(tmp_path / f"{kind}.png").size for kind in ("png", "tif")}
    assert len(sizes) == 1


def test_tags_of_tifffile(iqa: Program, tmp_path: Path, picture: NDArray) -> None:
    """Float samples have an orientation too."""
    samples = (picture / 255).astype(np.float32)
    tifffile.imwrite(
        tmp_path / "a.tif",
        samples,
        photometric="rgb",
        extratags=[(TAG, "H", 1, 6, True)],
    )
    np.save(tmp_path / "a.npy", np.rot90(samples, -1))
    found = iqa.compare(
        tmp_path / "a.tif",
        tmp_path / "a.npy",
        "--layout",
        "hwc",
        "--data-range",
        1,
        "--orientation",
        "apply",
    )
    assert found["mse"] == 0


def test_clips_have_none(iqa: Program) -> None:
    clips = [DATA / "clips" / f"{name}.y4m" for name in ("reference", "blur")]
    for option in (("--orientation", "apply"), ("--page", "1")):
        assert f"{option[0]} is for pictures" in iqa.error("compare", *clips, *option)
