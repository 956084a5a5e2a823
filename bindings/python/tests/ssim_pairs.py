# SPDX-License-Identifier: MIT
"""The pairs of images that values of other programs are of, as float64.

make_ssim_values.py imports this where iqa is not installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

DATA = Path(__file__).resolve().parents[3] / "tests" / "data"


class Pair(NamedTuple):
    """Two images of one layout, and L."""

    x: np.ndarray
    y: np.ndarray
    data_range: float
    layout: str


def _formula(height: int, width: int) -> Pair:
    i, j = np.mgrid[0:height, 0:width]
    x = (37 * i + 101 * j + 17 * ((i * j) % 13)) % 256
    y = np.clip(x + ((7 * i + 3 * j + ((i * j) % 5)) % 41) - 20, 0, 255)
    return Pair(x.astype(float), y.astype(float), 255, "HW")


def _volume(depth: int, height: int, width: int) -> Pair:
    k, i, j = np.mgrid[0:depth, 0:height, 0:width]
    x = (29 * k + 37 * i + 101 * j + 17 * ((i * j + k) % 13)) % 256
    y = np.clip(x + ((5 * k + 7 * i + 3 * j + ((i * j) % 5)) % 41) - 20, 0, 255)
    return Pair(x.astype(float), y.astype(float), 255, "DHW")


def _photograph(reference: str, test: str) -> Pair:
    x, y = (np.asarray(Image.open(DATA / name)).astype(float) for name in (reference, test))
    return Pair(x, y, 255, "HWC" if x.ndim == 3 else "HW")


def pairs() -> dict[str, Pair]:
    """All of them."""
    cat = _photograph("reference/chelsea.png", "jpeg_q30/chelsea.jpg")
    negative = _photograph("reference/chelsea.png", "noise/chelsea.png")
    return {
        "camera": _photograph("reference/camera.png", "noise/camera.png"),
        "camera blurred": _photograph("reference/camera.png", "blur/camera.png"),
        "chelsea": cat,
        "chelsea, odd": Pair(cat.x[:195, :207], cat.y[:195, :207], 255, "HWC"),
        "chelsea, negative": negative._replace(y=0.6 * (255 - negative.y) + 0.4 * negative.x),
        "chelsea, unequal channels": cat._replace(y=cat.y * (1, 0.5, 0.1) + (0, 60, 110)),
        "formula 64": _formula(64, 64),
        "formula 181 x 179": _formula(181, 179),
        "formula 192": _formula(192, 192),
        "formula 512": _formula(512, 512),
        "volume": _volume(16, 20, 24),
        "larger volume": _volume(24, 29, 33),
    }
