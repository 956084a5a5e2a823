# SPDX-License-Identifier: MIT
"""Every format gives the samples that were written."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from conftest import DATA, Program
from numpy.typing import NDArray
from PIL import Image
from writers import (
    PNG_MAGIC,
    png_chunk,
    png_header,
    png_lines,
    write_pfm,
    write_png,
    write_pnm,
)

Writer = Callable[[Path, NDArray], None]


def expect_samples(
    iqa: Program, file: Path, samples: NDArray, file_format: str, *arguments: object
) -> None:
    """The file holds these samples: no error against them, the right error against others."""
    layout = ("--layout", "hw" if samples.ndim == 2 else "hwc")
    if samples.dtype.kind == "f":
        arguments += ("--data-range", 1)
    exact = file.parent / "exact.npy"
    other = file.parent / "other.npy"
    np.save(exact, samples)
    np.save(other, np.roll(samples, 1, axis=0))
    found = iqa.compare(file, exact, *layout, *arguments)
    assert found["mse"] == 0 and found["ssim"] == 1
    assert found["reference"]["format"] == file_format
    assert found["reference"]["dtype"] == str(samples.dtype)
    assert (found["reference"]["height"], found["reference"]["width"]) == samples.shape[:2]
    wanted = np.mean((samples.astype(float) - np.roll(samples, 1, axis=0).astype(float)) ** 2)
    assert wanted > 0
    assert iqa.compare(file, other, *layout, *arguments)["mse"] == pytest.approx(wanted, rel=1e-13)


def sixteen_bit(picture: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """16-bit samples whose low bytes matter."""
    noise = np.random.default_rng(1).integers(0, 256, picture.shape, dtype=np.uint16)
    return picture.astype(np.uint16) * 256 + noise


@pytest.fixture(params=["grey", "colour"])
def picture(request: pytest.FixtureRequest, camera: NDArray, chelsea: NDArray) -> NDArray[np.uint8]:
    """A part of a photograph, of odd size."""
    return camera[100:171, 200:303] if request.param == "grey" else chelsea[80:151, 100:203]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
def test_png(iqa: Program, tmp_path: Path, picture: NDArray, bits: int, interlaced: bool) -> None:
    samples = picture if bits == 8 else sixteen_bit(picture)
    write_png(tmp_path / "a.png", samples, interlaced)
    expect_samples(iqa, tmp_path / "a.png", samples, "PNG")


def test_png_palette_becomes_rgb(iqa: Program, tmp_path: Path, chelsea: NDArray) -> None:
    palette = Image.fromarray(chelsea[:64, :64]).quantize(37)
    palette.save(tmp_path / "a.png")
    expect_samples(iqa, tmp_path / "a.png", np.asarray(palette.convert("RGB")), "PNG")


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_with_few_bits_spans_8_bits(iqa: Program, tmp_path: Path, bits: int) -> None:
    levels = np.random.default_rng(bits).integers(0, 2**bits, (24, 32), dtype=np.uint8)
    each_bit = np.unpackbits(levels[..., None], axis=2)[..., 8 - bits :]
    packed = np.packbits(each_bit.reshape(24, -1), axis=1)
    (tmp_path / "a.png").write_bytes(
        PNG_MAGIC
        + png_header(32, 24, bits, 0)
        + png_chunk(b"IDAT", zlib.compress(png_lines(packed)))
        + png_chunk(b"IEND", b"")
    )
    expect_samples(iqa, tmp_path / "a.png", levels * np.uint8(255 // (2**bits - 1)), "PNG")


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 3}])
def test_jpeg(iqa: Program, tmp_path: Path, picture: NDArray, options: dict) -> None:
    Image.fromarray(picture).save(tmp_path / "a.jpg", **options)
    expect_samples(iqa, tmp_path / "a.jpg", np.asarray(Image.open(tmp_path / "a.jpg")), "JPEG")


def test_jpeg_cmyk_is_refused(iqa: Program, tmp_path: Path, chelsea: NDArray) -> None:
    Image.fromarray(chelsea).convert("CMYK").save(tmp_path / "a.jpg")
    assert "CMYK" in iqa.error("compare", tmp_path / "a.jpg", tmp_path / "a.jpg")


TIFF_TYPES = ("uint8", "uint16", "int16", "float16", "float32", "float64")


def typed(picture: NDArray[np.uint8], dtype: str) -> NDArray:
    """The picture as another element type; floats span 0 to 1."""
    if dtype == "uint16":
        return sixteen_bit(picture)
    if dtype == "int16":
        return (sixteen_bit(picture).astype(np.int32) - 32768).astype(np.int16)
    return (picture / 255).astype(dtype) if dtype.startswith("float") else picture


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", TIFF_TYPES)
def test_tiff_types(iqa: Program, tmp_path: Path, picture: NDArray, dtype: str, order: str) -> None:
    samples = typed(picture, dtype)
    photometric = "minisblack" if picture.ndim == 2 else "rgb"
    tifffile.imwrite(tmp_path / "a.tif", samples, byteorder=order, photometric=photometric)
    expect_samples(iqa, tmp_path / "a.tif", samples, "TIFF")


@pytest.mark.parametrize(
    "options",
    [
        {"rowsperstrip": 7},
        {"tile": (16, 32)},
        {"planar": True},
        {"planar": True, "tile": (32, 16)},
        {"planar": True, "rowsperstrip": 10},
        {"bigtiff": True},
        {"compression": "zlib", "predictor": False, "rowsperstrip": 20},
    ],
    ids=str,
)
def test_tiff_arrangements(iqa: Program, tmp_path: Path, chelsea: NDArray, options: dict) -> None:
    samples = sixteen_bit(chelsea[80:151, 100:203])
    options = dict(options)
    planar = options.pop("planar", False)
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.ascontiguousarray(samples.transpose(2, 0, 1)) if planar else samples,
        photometric="rgb",
        planarconfig="separate" if planar else "contig",
        **options,
    )
    expect_samples(iqa, tmp_path / "a.tif", samples, "TIFF")


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiff_compressions(
    iqa: Program, tmp_path: Path, picture: NDArray, compression: str
) -> None:
    Image.fromarray(picture).save(tmp_path / "a.tif", compression=compression)
    expect_samples(iqa, tmp_path / "a.tif", picture, "TIFF")


def test_tiff_that_counts_from_white(iqa: Program, tmp_path: Path, camera: NDArray) -> None:
    for samples in (camera[:50, :60], sixteen_bit(camera[:50, :60])):
        tifffile.imwrite(
            tmp_path / "a.tif", np.iinfo(samples.dtype).max - samples, photometric="miniswhite"
        )
        expect_samples(iqa, tmp_path / "a.tif", samples, "TIFF")


def test_tiff_palette_and_bits(iqa: Program, tmp_path: Path, chelsea: NDArray) -> None:
    palette = Image.fromarray(chelsea[:64, :70]).quantize(50)
    palette.save(tmp_path / "a.tif")
    expect_samples(iqa, tmp_path / "a.tif", np.asarray(palette.convert("RGB")), "TIFF")
    bits = Image.fromarray(chelsea[:64, :70]).convert("1")
    bits.save(tmp_path / "b.tif")
    expect_samples(iqa, tmp_path / "b.tif", np.asarray(bits.convert("L")), "TIFF")


def write_tiff_samples(
    path: Path, samples: NDArray, bits: int, sample_format: int, **tags: int
) -> None:
    """One strip of grey samples, or of what the tags say, that have any number of bits."""
    height, width = samples.shape
    each_bit = np.unpackbits(samples.astype(np.uint8)[..., None], axis=2)[..., 8 - bits :]
    packed = np.packbits(each_bit.reshape(height, -1), axis=1).tobytes()
    fields = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 277: 1, 278: height}
    fields |= {279: len(packed), 339: sample_format}
    fields |= {int(tag[1:]): value for tag, value in tags.items()}
    fields[273] = 8 + 2 + 12 * (len(fields) + 1) + 4
    body = b"".join(struct.pack("<HHII", tag, 4, 1, fields[tag]) for tag in sorted(fields))
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(fields)) + body + bytes(4) + packed)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("sample_format", range(1, 7))
def test_tiff_samples_of_few_bits(
    iqa: Program, tmp_path: Path, bits: int, sample_format: int
) -> None:
    """Unsigned and untyped ones span 0 to 255; all others are refused, not taken for unsigned."""
    levels = np.random.default_rng(bits).integers(0, 2**bits, (24, 32), dtype=np.uint8)
    write_tiff_samples(tmp_path / "a.tif", levels, bits, sample_format)
    if sample_format in (1, 4):
        expect_samples(iqa, tmp_path / "a.tif", levels * np.uint8(255 // (2**bits - 1)), "TIFF")
        write_tiff_samples(tmp_path / "a.tif", levels, bits, sample_format, t262=0)
        expect_samples(
            iqa, tmp_path / "a.tif", 255 - levels * np.uint8(255 // (2**bits - 1)), "TIFF"
        )
        return
    kind = {2: "signed", 3: "floating-point", 5: "complex integer", 6: "complex"}[sample_format]
    message = iqa.error("compare", tmp_path / "a.tif", tmp_path / "a.tif")
    assert f"holds 1 {kind} sample of {bits} bits" in message and "not read" in message


def test_tiff_signed_samples_of_8_bits(iqa: Program, tmp_path: Path) -> None:
    """Samples of -1 and 0 differ by 1, not by 255."""
    for name, value in (("a", -1), ("b", 0)):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.full((16, 16), value, np.int8))
    assert "signed" in iqa.error("compare", tmp_path / "a.tif", tmp_path / "b.tif")
    for name, value in (("a", -1), ("b", 0)):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.full((16, 16), value, np.int16))
    assert iqa.compare(tmp_path / "a.tif", tmp_path / "b.tif")["mse"] == 1


@pytest.mark.parametrize("compression", [None, "jpeg"])
def test_tiff_ycbcr(
    iqa: Program, tmp_path: Path, chelsea: NDArray, compression: str | None
) -> None:
    """Pillow reads it through the same library, but not by the same function."""
    samples = chelsea[64:128, 64:128]
    if compression is None:
        image = Image.fromarray(samples).convert("YCbCr")
        tifffile.imwrite(
            tmp_path / "a.tif",
            np.asarray(image),
            photometric="ycbcr",
            extratags=[(530, "H", 2, (1, 1), True)],
        )
        wanted = np.asarray(image.convert("RGB"))
    else:
        Image.fromarray(samples).save(tmp_path / "a.tif", compression="jpeg", quality=95)
        wanted = np.asarray(Image.open(tmp_path / "a.tif").convert("RGB"))
    np.save(tmp_path / "a.npy", wanted)
    # They round otherwise; a channel that is missing or in another place is far beyond this.
    assert iqa.compare(tmp_path / "a.tif", tmp_path / "a.npy", "--layout", "hwc")["mse"] < 1


@pytest.mark.parametrize(
    "tags",
    [
        {"t262": 1, "t277": 2, "t258": 4},  # grey of 4 bits and alpha
        {"t262": 2, "t277": 1},  # RGB of one sample
        {"t262": 5, "t277": 3},  # CMY
        {"t262": 8, "t277": 3},  # Lab
        {"t262": 9, "t277": 3},
        {"t262": 32803, "t277": 1},  # a sensor's mosaic
        {"t258": 12},
        {"t258": 24, "t339": 3},
        {"t258": 32},
        {"t258": 64, "t339": 2},
    ],
    ids=str,
)
def test_tiff_kinds_that_a_conversion_would_change(
    iqa: Program, tmp_path: Path, tags: dict[str, int]
) -> None:
    write_tiff_samples(tmp_path / "a.tif", np.zeros((16, 128), np.uint8), 8, 1, **tags)
    assert "not read" in iqa.error("compare", tmp_path / "a.tif", tmp_path / "a.tif")


def test_tiff_palette_with_alpha(iqa: Program, tmp_path: Path, chelsea: NDArray) -> None:
    Image.fromarray(chelsea[:64, :64]).quantize(50).convert("PA").save(tmp_path / "a.tif")
    assert "2 unsigned samples" in iqa.error("compare", tmp_path / "a.tif", tmp_path / "a.tif")


def test_tiff_that_is_not_read(iqa: Program, tmp_path: Path, chelsea: NDArray) -> None:
    for name, samples, options in (
        ("uint32", chelsea.astype(np.uint32), {"photometric": "rgb"}),
        ("five", np.dstack([chelsea, chelsea[..., :2]]), {"photometric": "rgb"}),
        ("complex", chelsea[..., 0].astype(np.complex64), {"photometric": "minisblack"}),
    ):
        tifffile.imwrite(tmp_path / f"{name}.tif", samples, **options)
        message = iqa.error("compare", tmp_path / f"{name}.tif", tmp_path / f"{name}.tif")
        assert "not read" in message
    Image.fromarray(chelsea).convert("CMYK").save(tmp_path / "cmyk.tif")
    assert "not read" in iqa.error("compare", tmp_path / "cmyk.tif", tmp_path / "cmyk.tif")


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("maximum", [255, 65535])
def test_pgm_and_ppm(
    iqa: Program, tmp_path: Path, picture: NDArray, maximum: int, text: bool
) -> None:
    samples = picture if maximum == 255 else sixteen_bit(picture)
    write_pnm(tmp_path / "a.pnm", samples, maximum, text)
    expect_samples(iqa, tmp_path / "a.pnm", samples, "PNM")


@pytest.mark.parametrize("maximum", [100, 1023])
def test_pnm_with_another_maximum_needs_the_range(
    iqa: Program, tmp_path: Path, camera: NDArray, maximum: int
) -> None:
    samples = (camera[:50, :60].astype(np.uint32) * maximum // 255).astype(
        np.uint8 if maximum < 256 else np.uint16
    )
    write_pnm(tmp_path / "a.pgm", samples, maximum)
    message = iqa.error("compare", tmp_path / "a.pgm", tmp_path / "a.pgm")
    assert str(maximum) in message and "--data-range" in message
    expect_samples(iqa, tmp_path / "a.pgm", samples, "PNM", "--data-range", maximum)


def test_pbm(iqa: Program, tmp_path: Path) -> None:
    black = np.random.default_rng(5).integers(0, 2, (40, 37), dtype=np.uint8)
    packed = np.packbits(black, axis=1).tobytes()
    (tmp_path / "a.pbm").write_bytes(b"P4 37 40\n" + packed)
    expect_samples(iqa, tmp_path / "a.pbm", (1 - black) * np.uint8(255), "PNM")
    digits = "\n".join("".join(map(str, row)) for row in black)
    (tmp_path / "b.pbm").write_text("P1\n#comment\n37 40\n" + digits)
    expect_samples(iqa, tmp_path / "b.pbm", (1 - black) * np.uint8(255), "PNM")


@pytest.mark.parametrize("order", ["<", ">"])
def test_pfm(iqa: Program, tmp_path: Path, picture: NDArray, order: str) -> None:
    samples = (picture / 255).astype(np.float32)
    write_pfm(tmp_path / "a.pfm", samples, order)
    expect_samples(iqa, tmp_path / "a.pfm", samples, "PFM")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("dtype", TIFF_TYPES)
def test_npy(
    iqa: Program, tmp_path: Path, picture: NDArray, dtype: str, endian: str, order: str
) -> None:
    samples = typed(picture, dtype)
    foreign = np.asarray(samples.astype(np.dtype(dtype).newbyteorder(endian)), order=order)
    np.save(tmp_path / "a.npy", foreign)
    expect_samples(iqa, tmp_path / "a.npy", samples, "NPY")


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_versions(
    iqa: Program, tmp_path: Path, camera: NDArray, version: tuple[int, int]
) -> None:
    content = io.BytesIO()
    np.lib.format.write_array(content, camera[:40, :50], version=version)
    (tmp_path / "a.npy").write_bytes(content.getvalue())
    expect_samples(iqa, tmp_path / "a.npy", camera[:40, :50], "NPY")


LAYOUTS = {
    "hw": lambda batch: batch[0, :, :, 0],
    "hwc": lambda batch: batch[0],
    "chw": lambda batch: batch[0].transpose(2, 0, 1),
    "nhw": lambda batch: batch[..., 0],
    "nhwc": lambda batch: batch,
    "nchw": lambda batch: batch.transpose(0, 3, 1, 2),
}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_npy_layouts(
    iqa: Program,
    tmp_path: Path,
    chelsea: NDArray,
    noisy_chelsea: NDArray,
    layout: str,
    order: str,
) -> None:
    x = np.stack([chelsea[:60, :70], chelsea[50:110, 60:130]])
    y = np.stack([noisy_chelsea[:60, :70], noisy_chelsea[50:110, 60:130]])
    plain, taken = [], []
    for name, batch in (("x", x), ("y", y)):
        chosen = LAYOUTS[layout](batch)
        np.save(tmp_path / f"{name}.npy", np.asarray(chosen, order=order))
        taken.append(tmp_path / f"{name}.npy")
        reduced = batch[: 2 if "n" in layout else 1, ..., : 3 if "c" in layout else 1]
        np.save(tmp_path / f"{name}_plain.npy", np.ascontiguousarray(reduced))
        plain.append(tmp_path / f"{name}_plain.npy")
    found = iqa.compare(*taken, "--layout", layout)
    wanted = iqa.compare(*plain, "--layout", "nhwc")
    for key in ("ssim", "psnr", "mse", "channels", "ssim_per_image", "psnr_per_image"):
        assert found[key] == wanted[key]


def test_npy_axes_are_never_guessed(iqa: Program, tmp_path: Path, chelsea: NDArray) -> None:
    np.save(tmp_path / "a.npy", chelsea)
    files = ("compare", tmp_path / "a.npy", tmp_path / "a.npy")
    assert "--layout" in iqa.error(*files)
    assert "axes" in iqa.error(*files, "--layout", "nchw")
    np.save(tmp_path / "a.npy", chelsea[0, 0])
    assert "axes" in iqa.error(*files)


def test_npy_types_that_are_not_read(iqa: Program, tmp_path: Path) -> None:
    for array in (
        np.zeros((16, 16), np.int32),
        np.zeros((16, 16), bool),
        np.zeros((16, 16), np.complex64),
        np.zeros((16, 16), "U3"),
        np.zeros((16, 16), [("a", "f4"), ("b", "f4")]),
        np.zeros((0, 16), np.uint8),
    ):
        np.save(tmp_path / "a.npy", array)
        iqa.error("compare", tmp_path / "a.npy", tmp_path / "a.npy")


def test_floating_point_needs_the_range(iqa: Program, tmp_path: Path, camera: NDArray) -> None:
    np.save(tmp_path / "a.npy", camera / 255)
    assert "--data-range" in iqa.error("compare", tmp_path / "a.npy", tmp_path / "a.npy")


def test_standard_input(iqa: Program) -> None:
    picture = DATA / "reference" / "camera.png"
    with picture.open("rb") as file:
        done = iqa("compare", "-", DATA / "noise" / "camera.png", stdin=file)
    assert done.stdout == iqa.fine("compare", picture, DATA / "noise" / "camera.png")
    with picture.open("rb") as file:
        assert iqa("compare", picture, "-", stdin=file).stdout.startswith("SSIM  1.000000")


def test_content_decides_the_format(iqa: Program, tmp_path: Path) -> None:
    (tmp_path / "really_png.jpg").write_bytes((DATA / "reference" / "camera.png").read_bytes())
    found = iqa.compare(tmp_path / "really_png.jpg", DATA / "noise" / "camera.png")
    assert found["reference"]["format"] == "PNG"


def test_pictures_that_do_not_fit(
    iqa: Program, tmp_path: Path, camera: NDArray, chelsea: NDArray
) -> None:
    write_png(tmp_path / "grey.png", camera[:40, :50])
    for name, other, words in (
        ("size", camera[:41, :50], "41 x 50"),
        ("colour", chelsea[:40, :50], "3 channels"),
        ("depth", sixteen_bit(camera[:40, :50]), "uint16"),
    ):
        write_png(tmp_path / f"{name}.png", other)
        message = iqa.error("compare", tmp_path / "grey.png", tmp_path / f"{name}.png")
        assert message.startswith(f"iqa: {tmp_path}/{name}.png: ") and words in message
    write_png(tmp_path / "tiny.png", camera[:7, :50])
    message = iqa.error("compare", tmp_path / "tiny.png", tmp_path / "tiny.png")
    assert "7" in message and "11" in message
