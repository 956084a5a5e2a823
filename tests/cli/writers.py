# SPDX-License-Identifier: MIT
"""Writers and one reader for files that Pillow and tifffile cannot write or read."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
ADAM7 = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk with its check sum."""
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png_header(width: int, height: int, bits: int, colour_type: int, interlace: int = 0) -> bytes:
    """The IHDR chunk."""
    return png_chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, interlace)
    )


def png_lines(samples: NDArray[np.uint8]) -> bytes:
    """Unfiltered lines, as bytes."""
    return b"".join(b"\0" + line.tobytes() for line in samples)


def write_png(path: Path, array: NDArray[np.integer], interlaced: bool = False) -> None:
    """8 or 16 bits; grey, grey and alpha, RGB, RGBA."""
    height, width = array.shape[:2]
    samples = array.reshape(height, width, -1)
    colour_type = PNG_COLOUR_TYPES[samples.shape[2]]
    big_endian = samples.astype(samples.dtype.newbyteorder(">"))
    if interlaced:
        lines = b"".join(
            png_lines(np.ascontiguousarray(big_endian[y::dy, x::dx]))
            for y, x, dy, dx in ADAM7
            if big_endian[y::dy, x::dx].size
        )
    else:
        lines = png_lines(big_endian)
    path.write_bytes(
        PNG_MAGIC
        + png_header(width, height, 8 * array.dtype.itemsize, colour_type, int(interlaced))
        + png_chunk(b"IDAT", zlib.compress(lines))
        + png_chunk(b"IEND", b"")
    )


def read_png_16bit(path: Path) -> NDArray[np.uint16]:
    """A 16-bit RGB file of tests/data, whose lines use filter 2 ("up")."""
    data = path.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    start = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[start - 4 : start])
    lines = np.frombuffer(zlib.decompress(data[start + 4 : start + 4 + length]), np.uint8).reshape(
        height, -1
    )
    assert (lines[:, 0] == 2).all()
    samples = np.cumsum(lines[:, 1:], axis=0, dtype=np.uint8)
    return samples.view(">u2").reshape(height, width, 3).astype(np.uint16)


def write_pnm(path: Path, array: NDArray[np.integer], maximum: int, text: bool = False) -> None:
    """PGM or PPM with a comment in the header."""
    height, width = array.shape[:2]
    colour = array.ndim == 3
    kind = (3 if colour else 2) + (0 if text else 3)
    header = f"P{kind}\n# made by a test\n{width} {height}\n{maximum}\n".encode()
    if text:
        path.write_bytes(
            header
            + "\n".join(" ".join(map(str, row)) for row in array.reshape(height, -1)).encode()
        )
    else:
        path.write_bytes(header + array.astype(">u2" if maximum > 255 else "u1").tobytes())


def write_pfm(path: Path, array: NDArray[np.float32], order: str = "<") -> None:
    """Rows from the bottom up."""
    height, width = array.shape[:2]
    kind = "PF" if array.ndim == 3 else "Pf"
    header = f"{kind}\n{width} {height}\n{'-1.0' if order == '<' else '1.0'}\n".encode()
    path.write_bytes(header + array[::-1].astype(order + "f4").tobytes())
