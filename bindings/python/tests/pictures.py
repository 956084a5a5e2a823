# SPDX-License-Identifier: MIT
"""Pictures for the tests and for the processes that they start."""

import numpy as np


def formula_pair(size):
    """Integers 0 to 255 by a formula, so that any program can make the same pair."""
    i, j = np.mgrid[0:size, 0:size]
    x = (37 * i + 101 * j + 17 * ((i * j) % 13)) % 256
    y = np.clip(x + ((7 * i + 3 * j + ((i * j) % 5)) % 41) - 20, 0, 255)
    return x.astype(np.float64), y.astype(np.float64)


def batch(images, height=48, width=56, channels=3, dtype=np.float32, seed=0):
    """Random images and noisy copies, in NCHW: in 0 ... 1, or over the span of an integer type."""
    random = np.random.default_rng(seed)
    x = random.random((images, channels, height, width))
    y = np.clip(x + 0.1 * random.standard_normal(x.shape), 0, 1)
    if np.issubdtype(dtype, np.integer):
        span = np.iinfo(dtype)
        scale = span.max - span.min
        x, y = np.round(x * scale + span.min), np.round(y * scale + span.min)
    return x.astype(dtype), y.astype(dtype)


def _bits(rows):
    return np.array([[int(bit) for bit in row] for row in rows.split()], np.float64)


SMALL = (
    _bits("1101101 1011000 1000000 0010001 0010010 0100111 1101101"),
    _bits("1101101 0001110 1110101 1000101 1111011 0010100 0100110"),
)
"""Two binary 7 x 7 pictures: a prediction and its target."""
