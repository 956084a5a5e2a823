# SPDX-License-Identifier: MIT
"""Makes the pictures and clips of this folder from photographs that scikit-image bundles.

    python tests/data/make_data.py [FOLDER]

The pictures in the repository were made with scikit-image 0.26.0, NumPy 2.4.6, SciPy 1.17.1 and
Pillow 13.0.0. Other versions of Pillow may compress the JPEG files to other bytes. README.md states
where each photograph comes from and its licence.
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage import data

JPEG_QUALITIES = (10, 30, 50, 75, 90)
BLUR_SIGMA = 1.5
NOISE_SIGMA = 12.0  # of 255
SEED = 20040401


def noise(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Normal noise with standard deviation 1, the same on every run."""
    return np.random.default_rng(SEED).standard_normal(shape)


def blur(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blurs height and width, not the channels."""
    sigma = (BLUR_SIGMA, BLUR_SIGMA) + (0.0,) * (picture.ndim - 2)
    return ndimage.gaussian_filter(picture, sigma, mode="nearest")


def save_8bit(path: Path, picture: NDArray[np.float64]) -> None:
    """Rounds, clips and writes a grey or RGB PNG."""
    samples = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(samples).save(path, optimize=True)


def chunk(kind: bytes, content: bytes) -> bytes:
    """One PNG chunk."""
    check = zlib.crc32(kind + content)
    return len(content).to_bytes(4, "big") + kind + content + check.to_bytes(4, "big")


def save_16bit(path: Path, picture: NDArray[np.float64]) -> None:
    """Rounds, clips and writes a 16-bit RGB PNG, which Pillow cannot write."""
    samples = np.clip(np.rint(picture), 0, 65535).astype(np.uint16)
    height, width, channels = samples.shape
    assert channels == 3
    rows = samples.astype(">u2").view(np.uint8).reshape(height, -1).astype(np.int16)
    above = np.zeros_like(rows)
    above[1:] = rows[:-1]
    filtered = ((rows - above) % 256).astype(np.uint8)  # the "up" filter, number 2
    lines = np.concatenate([np.full((height, 1), 2, np.uint8), filtered], axis=1)
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, 2, 0, 0, 0])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines.tobytes(), 9))
        + chunk(b"IEND", b"")
    )


def make_8bit(folder: Path, name: str, photograph: NDArray[np.uint8]) -> None:
    """One photograph and its distortions."""
    picture = photograph.astype(np.float64)
    save_8bit(folder / "reference" / f"{name}.png", picture)
    for quality in JPEG_QUALITIES:
        target = folder / f"jpeg_q{quality}"
        target.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photograph).save(target / f"{name}.jpg", quality=quality)
    save_8bit(folder / "blur" / f"{name}.png", blur(picture))
    save_8bit(folder / "noise" / f"{name}.png", picture + NOISE_SIGMA * noise(picture.shape))


def make_16bit(folder: Path, name: str, photograph: NDArray[np.uint8]) -> None:
    """A 16-bit picture: 2x2 means of the photograph, which lie between the 8-bit levels."""
    height, width, channels = photograph.shape
    blocks = photograph.reshape(height // 2, 2, width // 2, 2, channels).astype(np.float64)
    picture = 257.0 * blocks.mean(axis=(1, 3))
    save_16bit(folder / "reference_16bit" / f"{name}.png", picture)
    save_16bit(folder / "blur_16bit" / f"{name}.png", blur(picture))
    noisy = picture + 257.0 * NOISE_SIGMA / 8 * noise(picture.shape)
    save_16bit(folder / "noise_16bit" / f"{name}.png", noisy)


def luma_and_chroma(picture: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """RGB as Y, U and V of BT.601 in the full range, the last two halved in both directions."""
    red, green, blue = np.moveaxis(picture, -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    chroma = (128 + (blue - luma) / 1.772, 128 + (red - luma) / 1.402)
    height, width = luma.shape
    return [luma] + [c.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) for c in chroma]


def make_clips(folder: Path, photograph: NDArray[np.uint8]) -> None:
    """A camera that moves over the photograph, and the same blurred more from frame to frame."""
    frames, height, width = 6, 64, 96
    header = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg XCOLORRANGE=FULL\n".encode()
    clips = {"reference": header, "blur": header}
    for frame in range(frames):
        top, left = 70 + 3 * frame, 120 + 5 * frame
        part = photograph[top : top + height, left : left + width].astype(np.float64)
        blurred = ndimage.gaussian_filter(part, (0.3 * frame, 0.3 * frame, 0), mode="nearest")
        for name, picture in (("reference", part), ("blur", blurred)):
            clips[name] += b"FRAME\n"
            for plane in luma_and_chroma(picture):
                clips[name] += np.clip(np.rint(plane), 0, 255).astype(np.uint8).tobytes()
    for name, content in clips.items():
        path = folder / "clips" / f"{name}.y4m"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def main() -> None:
    """Writes every picture."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    make_8bit(folder, "camera", data.camera())
    make_8bit(folder, "chelsea", data.chelsea())
    make_16bit(folder, "coffee", data.coffee())
    make_clips(folder, data.chelsea())


if __name__ == "__main__":
    main()
