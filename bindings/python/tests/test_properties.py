# SPDX-License-Identifier: MIT
"""Equal images give exactly 1, and nothing leaves the interval -1 ... 1."""

import numpy as np
import pytest

import iqa

DTYPES = ["uint8", "uint16", "int16", "float16", "float32", "float64"]
BORDERS = ["valid", "reflect", "symmetric", "replicate", "zero"]
SHAPES = [(11, 11), (11, 64), (37, 11), (33, 129), (127, 255), (64, 2049)]


def samples(dtype, shape, kind, offset, seed):
    random = np.random.default_rng(seed)
    if kind == "constant":
        image = np.full(shape, random.random())
    elif kind == "step":
        image = (np.arange(shape[-1]) > shape[-1] // 2) * np.ones(shape)
    else:
        image = random.random(shape)
    if np.issubdtype(dtype, np.integer):
        span = np.iinfo(dtype)
        return (span.min + image * (float(span.max) - span.min)).astype(dtype)
    return (image + offset).astype(dtype)


def mirrored(x):
    """About its mean, as far as its type can show it."""
    mirror = 2 * np.mean(x, dtype=np.float64) - x.astype(np.float64)
    return (np.maximum(mirror, 0) if x.dtype.kind == "u" else mirror).astype(x.dtype)


def cases():
    """One of each dtype, kind and border, with the rest in turn."""
    number = 0
    for dtype in DTYPES:
        for kind in ("noise", "constant", "step"):
            for border in BORDERS:
                offsets = [0.0, 1e3, 1e5, 1e7] if dtype in ("float32", "float64") else [0.0]
                number += 1
                offset = offsets[number % len(offsets)]
                yield pytest.param(
                    dtype,
                    kind,
                    border,
                    offset,
                    SHAPES[number % len(SHAPES)],
                    [1e-3, 1.0, 255.0, 65535.0][number % 4],
                    number,
                    id=f"{dtype}-{kind}-{border}-{offset:g}",
                )


@pytest.mark.parametrize(
    ("dtype", "kind", "border", "offset", "shape", "data_range", "seed"), list(cases())
)
def test_the_interval(dtype, kind, border, offset, shape, data_range, seed):
    x = samples(dtype, shape, kind, offset, seed)
    equal = iqa.ssim(x, x.copy(), data_range, border=border, map=True)
    assert equal.value == 1.0
    assert (equal.map == 1.0).all()
    candidates = [
        samples(dtype, shape, kind, offset, seed + 1),
        samples(dtype, shape, "noise", offset, seed),
        np.nextafter(x, np.inf, dtype=x.dtype) if x.dtype.kind == "f" else x ^ 1,
        x[::-1, ::-1],
        mirrored(x),
    ]
    for y in candidates:
        for window in ({}, {"window": "uniform", "size": 7, "covariance": "sample"}):
            result = iqa.ssim(x, y, data_range, border=border, map=True, **window)
            assert -1.0 <= result.value <= 1.0
            assert result.map.max() <= 1.0
            assert result.map.min() >= -1.0


@pytest.mark.parametrize("size", [1, 3, 11, 255])
def test_every_window_size(size):
    random = np.random.default_rng(size)
    x = random.random((300, 260), np.float32)
    for window in ("gaussian", "uniform"):
        result = iqa.ssim(x, x, 1.0, window=window, size=size, map=True)
        assert result.value == 1.0
        assert result.map.shape == (301 - size, 261 - size)
        assert -1.0 <= iqa.ssim(x, 1 - x, 1.0, window=window, size=size) <= 1.0


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_4k(dtype):
    x = samples(dtype, (2160, 3840), "noise", 0.0, 1)
    assert iqa.ssim(x, x, 255.0) == 1.0
    assert -1.0 <= iqa.ssim(x, x[::-1], 255.0) <= 1.0


def test_the_value_is_the_mean_of_the_map():
    random = np.random.default_rng(0)
    x, y = random.random((2, 4, 50, 60, 3))
    result = iqa.ssim(x, y, 1.0, "NHWC", map=True, per_image=True, per_channel=True)
    assert result.value == pytest.approx(result.map.mean(), abs=1e-12)
    np.testing.assert_allclose(result.per_image, result.map.mean(axis=(1, 2, 3)), atol=1e-12)
    np.testing.assert_allclose(result.per_channel, result.map.mean(axis=(1, 2)), atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_psnr_of_equal_images_is_infinite(dtype):
    x = samples(dtype, (31, 45), "noise", 0.0, 4)
    assert iqa.psnr(x, x.copy(), 1.0) == np.inf
