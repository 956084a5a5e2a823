# SPDX-License-Identifier: MIT
"""Damaged and hostile files: one clear line, exit code 2, little memory, no crash."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from conftest import DATA, Program
from numpy.typing import NDArray
from PIL import Image
from writers import PNG_MAGIC, png_chunk, png_header, write_pfm, write_png, write_pnm


def make_files(folder: Path, grey: NDArray, colour: NDArray) -> dict[str, bytes]:
    """One small file of each kind."""
    files = {}

    def keep(name: str) -> None:
        files[name] = (folder / "x").read_bytes()

    write_png(folder / "x", colour)
    keep("png")
    write_png(folder / "x", grey.astype(np.uint16), interlaced=True)
    keep("interlaced 16-bit png")
    Image.fromarray(colour).quantize(9).save(folder / "x", format="png")
    keep("palette png")
    Image.fromarray(colour).save(folder / "x", format="jpeg")
    keep("jpeg")
    Image.fromarray(grey).save(folder / "x", format="jpeg", progressive=True)
    keep("progressive jpeg")
    tifffile.imwrite(folder / "x", colour, photometric="rgb", rowsperstrip=5)
    keep("tiff")
    tifffile.imwrite(folder / "x", grey / np.float32(255), tile=(16, 16), compression="zlib")
    keep("tiled float tiff")
    Image.fromarray(colour).save(folder / "x", format="tiff", compression="tiff_lzw")
    keep("lzw tiff")
    Image.fromarray(colour).quantize(9).save(folder / "x", format="tiff")
    keep("palette tiff")
    Image.fromarray(colour).save(folder / "x", format="tiff", compression="jpeg")
    keep("jpeg tiff")
    write_pnm(folder / "x", colour, 255)
    keep("ppm")
    write_pnm(folder / "x", grey, 255, text=True)
    keep("text pgm")
    write_pfm(folder / "x", (grey / 255).astype(np.float32))
    keep("pfm")
    (folder / "x").write_bytes(b"P4\n32 24\n" + bytes(4 * 24))
    keep("pbm")
    content = io.BytesIO()
    np.save(content, grey)
    files["npy"] = content.getvalue()
    return files


KINDS = (
    "png",
    "interlaced 16-bit png",
    "palette png",
    "jpeg",
    "progressive jpeg",
    "tiff",
    "tiled float tiff",
    "lzw tiff",
    "palette tiff",
    "jpeg tiff",
    "ppm",
    "text pgm",
    "pfm",
    "pbm",
    "npy",
)


@pytest.fixture(scope="module")
def files(
    tmp_path_factory: pytest.TempPathFactory, camera: NDArray, chelsea: NDArray
) -> dict[str, bytes]:
    """One small file of each kind, which the program reads."""
    return make_files(
        tmp_path_factory.mktemp("files"), camera[100:124, 200:232], chelsea[80:104, 100:132]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_at_many_lengths(
    iqa: Program, tmp_path: Path, files: dict[str, bytes], kind: str
) -> None:
    whole = files[kind]
    path = tmp_path / "file"
    path.write_bytes(whole)
    arguments = ("compare", path, path, "--data-range", 255)
    found = iqa.fine(*arguments)
    # The end of a TIFF may hold tags that no reader needs, and the last digit of a text is a
    # number too: those cuts may be read, but only as pictures of the same size.
    may_be_read = "tiff" in kind or kind == "text pgm"
    lengths = {0, 1, 2, 3, 4, 8, 9, 16, len(whole) - 1, len(whole) - 2, len(whole) - 9}
    lengths |= {int(length) for length in np.linspace(5, len(whole) - 1, 40)}
    errors = 0
    for length in sorted(lengths):
        path.write_bytes(whole[:length])
        done = iqa(*arguments)
        if done.returncode == 0:
            assert may_be_read and done.stdout == found, length
            continue
        errors += 1
        assert done.returncode == 2, (length, done)
        assert done.stderr.startswith(f"iqa: {path}: ") and done.stderr.count("\n") == 1, length
    assert errors >= 0.8 * len(lengths)


@pytest.mark.parametrize("kind", KINDS)
def test_random_damage(iqa: Program, tmp_path: Path, files: dict[str, bytes], kind: str) -> None:
    random = np.random.default_rng(zlib.crc32(kind.encode()))
    path = tmp_path / "file"
    refused = 0
    for _ in range(60):
        damaged = bytearray(files[kind])
        # Half of the damage goes to the first bytes, where the headers are.
        reach = len(damaged) if random.integers(2) else min(len(damaged), 200)
        for position in random.integers(0, reach, random.integers(1, 6)):
            damaged[position] = random.integers(0, 256)
        path.write_bytes(damaged)
        done = iqa("compare", path, path, "--data-range", 255, "--alpha", "drop", "--layout", "hw")
        assert done.returncode in (0, 2), done
        assert done.stderr.count("\n") == (done.returncode == 2), done
        refused += done.returncode == 2
    assert refused > 0


def tiff_with(width: int, height: int, **changes: int) -> bytes:
    """A little-endian TIFF of one strip, whose tags say anything."""
    tags = {
        256: width,
        257: height,
        258: 8,
        259: 1,
        262: 1,
        273: 8,
        277: 1,
        278: height,
        279: 16,
        284: 1,
    }
    tags.update({int(tag[1:]): value for tag, value in changes.items()})
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return (
        b"II*\0"
        + struct.pack("<I", 24)
        + bytes(16)
        + struct.pack("<H", len(tags))
        + body
        + bytes(4)
    )


def npy_with(header: str) -> bytes:
    """A version 1 file with this header and 16 bytes of samples."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(16)


def npy_shape(shape: str, descr: str = "<f8") -> bytes:
    """A header with this text as shape."""
    return npy_with(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")


def jpeg_with_size(height: int, width: int) -> bytes:
    """A real JPEG whose frame header states another size."""
    data = bytearray((DATA / "jpeg_q10" / "camera.jpg").read_bytes())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


MANY = 2**31 - 1
HOSTILE = {
    "png of 2^31 x 2^31": PNG_MAGIC + png_header(MANY, MANY, 16, 6) + png_chunk(b"IDAT", b""),
    "png of 2^31 x 1": PNG_MAGIC + png_header(MANY, 1, 16, 6) + png_chunk(b"IDAT", b""),
    "png of 0 x 5": PNG_MAGIC + png_header(0, 5, 8, 2) + png_chunk(b"IDAT", b""),
    "png of 16000 x 16000 without data": PNG_MAGIC
    + png_header(16000, 16000, 8, 0)
    + png_chunk(b"IDAT", zlib.compress(b"")),
    "png with a bomb of a text": PNG_MAGIC
    + png_header(16, 16, 8, 0)
    + png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000))),
    "jpeg of 65500 x 65500": jpeg_with_size(65500, 65500),
    "jpeg of 65500 x 0": jpeg_with_size(0, 65500),
    "tiff of 2^32 x 2^32": tiff_with(2**32 - 1, 2**32 - 1),
    "tiff of 60000 x 4000 in one strip": tiff_with(60000, 4000),
    "tiff of 0 rows a strip": tiff_with(4, 4, t278=0),
    "tiff with 65535 samples": tiff_with(4, 4, t277=65535),
    "tiff with a huge tile": tiff_with(16, 16, t322=2**31, t323=2**31, t324=8, t325=16),
    "tiff with tiles of 0": tiff_with(16, 16, t322=0, t323=0, t324=8, t325=16),
    "tiff of 3 bits": tiff_with(16, 16, t258=3),
    "tiff of float 8": tiff_with(4, 4, t339=3),
    "tiff of unknown compression": tiff_with(4, 4, t259=4711),
    "tiff of a strip beyond the end": tiff_with(4, 4, t273=10**9),
    "tiff without directory": b"II*\0" + struct.pack("<I", 2**31),
    "pgm of huge size": b"P5 99999999 99999999 255\n",
    "pgm of overflowing size": b"P5 99999999999999999999 1 255\n",
    "pgm of negative size": b"P5 -5 5 255\n",
    "pgm of 0 x 0": b"P5 0 0 255\n",
    "pgm with maximum 0": b"P5 4 4 0\n" + bytes(16),
    "pgm with maximum 70000": b"P5 4 4 70000\n" + bytes(32),
    "pgm with a sample above the maximum": b"P5 4 4 9\n" + bytes(15) + b"\x0a",
    "text pgm with a sample above the maximum": b"P2 2 2 9\n1 2 3 10",
    "pgm with more than a picture": b"P5 2 2 255\n" + bytes(5),
    "pgm with half a second picture": b"P5 2 2 255\n" + bytes(4) + b"P5 2 2 255\n" + bytes(3),
    "pbm text with a 2": b"P1 2 2\n0 1 2 1",
    "pbm of 16000 x 16000 without data": b"P4 16000 16000\n",
    "pnm with an endless comment": b"P5 #" + bytes(1000),
    "pfm with scale 0": b"Pf 2 2 0\n" + bytes(16),
    "pfm with scale nan": b"Pf 2 2 nan\n" + bytes(16),
    "npy of huge shape": npy_shape("(1000000000000000000, 1000000000000000000)"),
    "npy of overflowing shape": npy_shape("(99999999999999999999, 1)"),
    "npy of shape beyond 2^64 bytes": npy_shape("(4294967296, 4294967296)"),
    "npy of negative shape": npy_shape("(-1, 2)"),
    "npy with more channels than bytes": npy_shape("(1, 1, 9223372036854775807)", "|u1"),
    "npy of no axes": npy_shape("()"),
    "npy with a string for a shape": npy_shape("'x'"),
    "npy with nothing": npy_with(""),
    "npy with an open header": npy_with("{'descr': '<f8"),
    "npy with code": npy_with("__import__('os').system('true')"),
    "npy with an empty descr": npy_shape("(2, 2)", ""),
    "npy with a descr of one letter": npy_shape("(2, 2)", "<"),
    "npy without fortran_order": npy_with("{'descr': '<f8', 'shape': (1, 2)}"),
    "npy of version 9": b"\x93NUMPY\x09\x00\x10\x00" + bytes(40),
    "npy with a header of 4 GiB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(40),
    "nothing known": b"GIF89a" + bytes(100),
    "one byte": b"P",
    "two bytes": b"P5",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_header(iqa: Program, tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(HOSTILE[name])
    layout = ("--layout", "hwc") if "channels" in name else ()
    message = iqa.error(
        "compare", path, path, "--data-range", 1, *layout, preexec_fn=iqa.limit_memory
    )
    assert message.startswith(f"iqa: {path}: ")
    assert "out of memory" not in message


def test_jpeg_with_endless_scans(iqa: Program, tmp_path: Path, camera: NDArray) -> None:
    Image.fromarray(camera[:64, :64]).save(tmp_path / "a.jpg", progressive=True)
    data = (tmp_path / "a.jpg").read_bytes()
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    (tmp_path / "a.jpg").write_bytes(data[:-2] + scan * 3000 + b"\xff\xd9")
    iqa.error("compare", tmp_path / "a.jpg", tmp_path / "a.jpg")


def test_pixel_limit(iqa: Program) -> None:
    pictures = [DATA / folder / "camera.png" for folder in ("reference", "noise")]
    iqa.fine("compare", *pictures, "--max-pixels", 512 * 512)
    message = iqa.error("compare", *pictures, "--max-pixels", 512 * 512 - 1)
    assert "512 x 512" in message and "--max-pixels" in message


def test_files_that_are_none(iqa: Program, tmp_path: Path) -> None:
    picture = DATA / "reference" / "camera.png"
    for path, words in (
        (tmp_path / "missing.png", "No such file"),
        (tmp_path, "folder"),
        (Path("/dev/null"), "no regular file"),
        (Path("/dev/zero"), "no regular file"),
    ):
        message = iqa.error(
            "compare", picture, path, "--max-pixels", 10**6, preexec_fn=iqa.limit_memory
        )
        assert message.startswith(f"iqa: {path}: ") and words in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_file_without_permission(iqa: Program, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes((DATA / "reference" / "camera.png").read_bytes())
    path.chmod(0)
    assert "Permission denied" in iqa.error("compare", path, path)


def test_output_that_cannot_be_written(iqa: Program, tmp_path: Path) -> None:
    pictures = [DATA / folder / "camera.png" for folder in ("reference", "noise")]
    missing = tmp_path / "missing" / "map.png"
    for option in ("--map", "--side-by-side"):
        done = iqa("compare", *pictures, option, missing)
        assert done.returncode == 2
        assert done.stderr.startswith(f"iqa: {missing}: cannot be written")
    (tmp_path / "full.png").symlink_to("/dev/full")
    (tmp_path / "full.npy").symlink_to("/dev/full")
    for name in ("full.png", "full.npy"):
        assert "cannot be written" in iqa.error("compare", *pictures, "--map", tmp_path / name)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [iqa.path, "compare", *map(str, pictures)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2 and "cannot be written" in done.stderr
