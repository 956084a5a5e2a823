# SPDX-License-Identifier: MIT
"""Files that hold more than one picture: the only full one is taken, of several the chosen one."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from conftest import Program
from numpy.typing import NDArray
from PIL import Image
from test_formats import expect_samples
from writers import PNG_MAGIC, png_chunk, write_png, write_pnm


@pytest.fixture(scope="module")
def pictures(chelsea: NDArray) -> list[NDArray[np.uint8]]:
    """Three colour pictures of one size."""
    return [np.ascontiguousarray(chelsea[y : y + 48, 100:164]) for y in (0, 60, 120)]


def set_kinds(path: Path, kinds: list[int]) -> None:
    """Writes NewSubfileType, also such as tifffile refuses to write."""
    with tifffile.TiffFile(path, mode="r+b") as file:
        first = file.pages[0]
        pages = [*file.pages] if len(file.pages) > 1 else [first, *(first.pages or [])]
        for page, kind in zip(pages, kinds, strict=True):
            page.tags["NewSubfileType"].overwrite(kind)


def write_tiff(path: Path, pictures: list[NDArray], kinds: list[int]) -> None:
    """A directory for each picture with its NewSubfileType."""
    with tifffile.TiffWriter(path) as writer:
        for picture in pictures:
            writer.write(picture, photometric="rgb", subfiletype=1)
    set_kinds(path, kinds)


def write_tiff_below(path: Path, pictures: list[NDArray], kinds: list[int]) -> None:
    """The same, but the others are in SubIFDs of the first one."""
    with tifffile.TiffWriter(path) as writer:
        writer.write(pictures[0], photometric="rgb", subifds=len(pictures) - 1, subfiletype=1)
        for picture in pictures[1:]:
            writer.write(picture, photometric="rgb", subfiletype=1)
    set_kinds(path, kinds)


def write_mpo(path: Path, pictures: list[NDArray]) -> None:
    """JPEG files with an index of Multi-Picture Format."""
    first, *others = (Image.fromarray(picture) for picture in pictures)
    first.save(path, "MPO", save_all=True, append_images=others)


def encode(picture: NDArray, kind: str) -> bytes:
    """One file."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, kind)
    return content.getvalue()


def join(kind: str) -> Callable[[Path, list[NDArray]], None]:
    """One file behind the other, as FFmpeg's image2pipe writes them."""

    def write(path: Path, pictures: list[NDArray]) -> None:
        path.write_bytes(b"".join(encode(picture, kind) for picture in pictures))

    return write


SEVERAL = {
    "tiff": lambda path, pictures: write_tiff(path, pictures, [0] * len(pictures)),
    "tiff pages": lambda path, pictures: write_tiff(path, pictures, [2] * len(pictures)),
    "tiff SubIFDs": lambda path, pictures: write_tiff_below(path, pictures, [0] * len(pictures)),
    "mpo": write_mpo,
    "jpeg": join("jpeg"),
    "png": join("png"),
    "ppm": join("ppm"),
}


@pytest.mark.parametrize("kind", SEVERAL)
def test_several_pictures_are_refused_or_chosen(
    iqa: Program, tmp_path: Path, pictures: list[NDArray], kind: str
) -> None:
    path = tmp_path / "many"
    SEVERAL[kind](path, pictures)
    assert "holds 3 pictures: choose one with --page 1 to 3" in iqa.error("compare", path, path)
    for page, picture in enumerate(pictures, 1):
        if kind in ("mpo", "jpeg"):
            picture = np.asarray(Image.open(io.BytesIO(encode(picture, "jpeg"))))
            if kind == "mpo":
                opened = Image.open(path)
                opened.seek(page - 1)
                picture = np.asarray(opened)
        file_format = {"mpo": "JPEG", "ppm": "PNM"}.get(kind, kind.split()[0].upper())
        expect_samples(iqa, path, picture, file_format, "--page", page)
    assert "holds 3 pictures, but --page is 4" in iqa.error("compare", path, path, "--page", 4)
    # The last one differs: without a look at all of them these would be equal.
    other = tmp_path / "other"
    SEVERAL[kind](other, [*pictures[:2], pictures[0]])
    assert "choose one" in iqa.error("compare", path, other)
    assert iqa.compare(path, other, "--page", 2)["mse"] == 0
    assert iqa.compare(path, other, "--page", 3)["mse"] > 1


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("kind", [1, 4, 5])
def test_tiff_thumbnails_and_masks_are_skipped_wherever_they_stand(
    iqa: Program, tmp_path: Path, pictures: list[NDArray], kind: int, place: int
) -> None:
    smaller = np.ascontiguousarray(pictures[1][::2, ::2])
    content = [smaller, smaller, smaller]
    content[place] = pictures[0]
    kinds = [kind] * 3
    kinds[place] = 0
    for write in (write_tiff, write_tiff_below):
        write(tmp_path / "a.tif", content, kinds)
        expect_samples(iqa, tmp_path / "a.tif", pictures[0], "TIFF")


def test_tiff_with_nothing_but_a_reduced_picture(
    iqa: Program, tmp_path: Path, pictures: list[NDArray]
) -> None:
    write_tiff(tmp_path / "a.tif", pictures[:1], [1])
    expect_samples(iqa, tmp_path / "a.tif", pictures[0], "TIFF")


def test_tiff_whose_directories_form_a_circle(
    iqa: Program, tmp_path: Path, pictures: list[NDArray]
) -> None:
    """A SubIFD that is its own parent, or leads back, is one picture seen once."""
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder="<") as writer:
        writer.write(pictures[0], photometric="rgb", subifds=1)
        writer.write(pictures[1], photometric="rgb", subfiletype=1)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        page = file.pages[0]
        place, first = page.tags["SubIFDs"].valueoffset, page.offset
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[place : place + 4] = struct.pack("<I", first)
    (tmp_path / "a.tif").write_bytes(data)
    expect_samples(iqa, tmp_path / "a.tif", pictures[0], "TIFF")
    assert struct.unpack_from("<I", data, 4)[0] == first
    entries = struct.unpack_from("<H", data, first)[0]
    data[place : place + 4] = struct.pack("<I", 0)
    data[first + 2 + 12 * entries : first + 6 + 12 * entries] = struct.pack("<I", first)
    (tmp_path / "a.tif").write_bytes(data)
    iqa.error("compare", tmp_path / "a.tif", tmp_path / "a.tif")


def test_jpeg_index_tells_thumbnails_from_pictures(
    iqa: Program, tmp_path: Path, pictures: list[NDArray]
) -> None:
    write_mpo(tmp_path / "a.jpg", pictures[:2])
    samples = np.asarray(Image.open(tmp_path / "a.jpg"))
    data = bytearray((tmp_path / "a.jpg").read_bytes())
    # The first entry is the baseline primary picture, the second one of no stated kind.
    first = data.index(struct.pack("<I", 0x030000), data.index(b"MPF\0") + 54)
    for kind in (0x010001, 0x010002):
        data[first + 16 : first + 20] = struct.pack("<I", kind)
        (tmp_path / "a.jpg").write_bytes(data)
        expect_samples(iqa, tmp_path / "a.jpg", samples, "JPEG")
    for kind in (0x000000, 0x020001, 0x020002, 0x020003):
        data[first + 16 : first + 20] = struct.pack("<I", kind)
        (tmp_path / "a.jpg").write_bytes(data)
        assert "--page 1 to 2" in iqa.error("compare", tmp_path / "a.jpg", tmp_path / "a.jpg")
    # Editors keep the index and drop what it is of.
    (tmp_path / "a.jpg").write_bytes(data[: data.index(b"\xff\xd9\xff\xd8") + 2])
    expect_samples(iqa, tmp_path / "a.jpg", samples, "JPEG")


def test_jpeg_thumbnail_of_exif_is_no_picture(
    iqa: Program, tmp_path: Path, pictures: list[NDArray]
) -> None:
    thumbnail = encode(pictures[1][::2, ::2], "jpeg")
    exif = Image.Exif()
    exif[0x010E] = "x"
    content = b"Exif\0\0" + exif.tobytes() + thumbnail
    whole = encode(pictures[0], "jpeg")
    block = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    (tmp_path / "a.jpg").write_bytes(whole[:2] + block + whole[2:])
    expect_samples(iqa, tmp_path / "a.jpg", np.asarray(Image.open(io.BytesIO(whole))), "JPEG")


@pytest.mark.parametrize("default_image", [False, True])
def test_animated_png(
    iqa: Program, tmp_path: Path, pictures: list[NDArray], default_image: bool
) -> None:
    first, *others = (Image.fromarray(picture) for picture in pictures)
    first.save(
        tmp_path / "a.png",
        save_all=True,
        append_images=others,
        default_image=default_image,
    )
    assert Image.open(tmp_path / "a.png").n_frames == 3
    for arguments in ((), ("--page", 2)):
        message = iqa.error("compare", tmp_path / "a.png", tmp_path / "a.png", *arguments)
        assert "animation of 3 pictures" in message and "--page 1" in message
    expect_samples(iqa, tmp_path / "a.png", pictures[0], "PNG", "--page", 1)


def test_png_animation_of_one_frame(iqa: Program, tmp_path: Path, pictures: list[NDArray]) -> None:
    """Which is a still, unless the picture itself is not that frame."""
    write_png(tmp_path / "a.png", pictures[0])
    data = (tmp_path / "a.png").read_bytes()
    start = data.index(b"IDAT") - 4
    control = png_chunk(b"acTL", struct.pack(">II", 1, 0))
    frame = png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 64, 48, 0, 0, 1, 10, 0, 0))
    assert data.startswith(PNG_MAGIC)
    (tmp_path / "a.png").write_bytes(data[:start] + control + frame + data[start:])
    expect_samples(iqa, tmp_path / "a.png", pictures[0], "PNG")
    (tmp_path / "a.png").write_bytes(data[:start] + control + data[start:-12] + frame + data[-12:])
    assert "of 2 pictures" in iqa.error("compare", tmp_path / "a.png", tmp_path / "a.png")


def test_label_maps_in_an_animation(iqa: Program, tmp_path: Path) -> None:
    grey = [Image.fromarray(np.full((8, 8), label, np.uint8)) for label in (0, 1)]
    grey[0].save(tmp_path / "a.png", save_all=True, append_images=grey[1:])
    files = ("segment", tmp_path / "a.png", tmp_path / "a.png", "--classes", 2)
    assert "animation of 2 pictures" in iqa.error(*files)
    assert "64 pixels" in iqa.fine(*files, "--page", 1)


@pytest.mark.parametrize("kind", ["P4", "P5", "P6", "16 bits"])
def test_pnm_pictures_of_different_sizes(iqa: Program, tmp_path: Path, kind: str) -> None:
    random = np.random.default_rng(5)
    shapes = [(20, 31), (24, 17), (16, 16)]
    content, samples = b"", []
    for shape in shapes:
        if kind == "P4":
            black = random.integers(0, 2, shape, dtype=np.uint8)
            content += b"P4 %d %d\n" % shape[::-1] + np.packbits(black, axis=1).tobytes()
            samples.append((1 - black) * np.uint8(255))
            continue
        dtype, maximum = (np.uint16, 65535) if kind == "16 bits" else (np.uint8, 255)
        picture = random.integers(0, maximum, (*shape, 3)[: 3 if kind == "P6" else 2], dtype)
        write_pnm(tmp_path / "one", picture, maximum)
        content += (tmp_path / "one").read_bytes()
        samples.append(picture)
    path = tmp_path / "many.pnm"
    path.write_bytes(content)
    assert "holds 3 pictures" in iqa.error("compare", path, path)
    for page, picture in enumerate(samples, 1):
        expect_samples(iqa, path, picture, "PNM", "--page", page)
    path.write_bytes(content[:-1])  # the last one is damaged, and so no picture but refuse
    message = iqa.error("compare", path, path, "--page", 2)
    assert "more after the picture" in message


def test_one_picture_has_every_page(iqa: Program, tmp_path: Path, pictures: list[NDArray]) -> None:
    """So that a page of one file can be compared with a picture."""
    write_tiff(tmp_path / "many.tif", pictures, [0] * 3)
    write_png(tmp_path / "one.png", pictures[2])
    assert iqa.compare(tmp_path / "many.tif", tmp_path / "one.png", "--page", 3)["mse"] == 0
    assert iqa.compare(tmp_path / "one.png", tmp_path / "many.tif", "--page", 3)["mse"] == 0


def test_page_in_a_batch(iqa: Program, tmp_path: Path, pictures: list[NDArray]) -> None:
    for folder, order in (
        ("a", pictures),
        ("b", [pictures[1], pictures[1], pictures[2]]),
    ):
        (tmp_path / folder).mkdir()
        write_tiff(tmp_path / folder / "x.tif", order, [0] * 3)
    done = iqa("batch", tmp_path / "a", tmp_path / "b")
    assert done.returncode == 2 and "--page 1 to 3" in done.stderr
    assert "mean SSIM          1.000000" in iqa.fine(
        "batch", tmp_path / "a", tmp_path / "b", "--page", 2
    )
    assert "must be 1 or more" in iqa.error("batch", tmp_path, tmp_path, "--page", 0)
