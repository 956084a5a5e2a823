# SPDX-License-Identifier: MIT
"""PSNR with masks, weights, luma, shaved edges and gradients, beside NumPy's sums."""

import math

import numpy as np
import pytest

import iqa

RANDOM = np.random.default_rng(5)


def images(dtype, shape=(2, 20, 31, 3)):
    if np.issubdtype(dtype, np.integer):
        return tuple(RANDOM.integers(0, 256, shape).astype(dtype) for _ in range(2))
    return tuple(RANDOM.random(shape).astype(dtype) for _ in range(2))


def error(x, y, weights):
    squares = (x.astype(np.float64) - y.astype(np.float64)) ** 2
    weights = np.broadcast_to(weights, squares.shape)
    return math.fsum((weights * squares).ravel()) / math.fsum(weights.ravel())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_masks_and_weights(dtype):
    x, y = images(dtype)
    peak = 255.0 if np.issubdtype(dtype, np.integer) else 1.0
    grid = np.round(RANDOM.random((2, 20, 31, 1)) * 2**24) / 2**24
    for weights in (grid, grid > 0.3, (grid > 0.5).astype(np.uint8), grid[:1].astype(np.float32)):
        metric = iqa.PSNR(peak, "NHWC")
        details = metric.update(x, y, weights=weights, per_image=True)
        full = np.broadcast_to(weights, x.shape).astype(np.float64)
        assert metric.samples == math.fsum(full.ravel())
        assert metric.mse == pytest.approx(error(x, y, full), rel=1e-14)
        for image, value in enumerate(details.per_image):
            mse = error(x[image], y[image], full[image])
            assert value == pytest.approx(10 * math.log10(peak**2 / mse), rel=1e-13)
    whole = iqa.psnr(x, y, peak, "NHWC")
    assert iqa.psnr(x, y, peak, "NHWC", weights=np.ones((2, 20, 31), bool)) == whole


def test_nan_under_the_mask():
    x, y = images(np.float32)
    mask = RANDOM.random((2, 20, 31)) < 0.8
    holes = np.where(mask[..., None], x, np.nan)
    expected = iqa.psnr(x, y, 1.0, "NHWC", weights=mask)
    assert iqa.psnr(holes, y, 1.0, "NHWC", weights=mask) == expected
    assert iqa.psnr(holes, y, 1.0, "NHWC", nonfinite="mask") == expected
    with pytest.raises(iqa.NumericError, match="image 0 is masked"):
        iqa.psnr(x, y, 1.0, "NHWC", weights=np.zeros((2, 20, 31), bool))
    weights = np.ones((20, 31))
    weights[3, 4] = 1.5
    text = r"weights has 1 values .* 1.5 for .* \[0, 3, 4, 0\]"
    with pytest.raises(iqa.NumericError, match=text):
        iqa.psnr(x, y, 1.0, "NHWC", weights=np.broadcast_to(weights, (2, 20, 31)))


def test_luma_and_shaved_edges():
    x, y = images(np.uint8)
    weights = np.array([65.481, 128.553, 24.966]) / 255
    luma_x, luma_y = (16 + image.astype(np.float64) @ weights for image in (x, y))
    shaved = (slice(None), slice(4, -4), slice(4, -4))
    result = iqa.psnr(
        x, y, layout="NHWC", luma="bt601_studio", shave=4, per_channel=True, candidate_gradient=True
    )
    mse = np.mean((luma_x[shaved] - luma_y[shaved]) ** 2)
    assert result.value == pytest.approx(10 * math.log10(65025 / mse), rel=1e-12)
    assert result.per_channel.shape == (2, 1)
    assert result.candidate_gradient.shape == x.shape
    assert not result.candidate_gradient[:, :4].any()
    assert result.candidate_gradient[shaved].all()


@pytest.mark.parametrize("of", ["psnr", "mse"])
def test_gradients(of):
    x, y = images(np.float64, (3, 9, 11))
    weights = np.round(RANDOM.random((3, 9, 11)) * 2**24) / 2**24
    details = iqa.PSNR(1.0, "NHW", gradient=of).update(
        x, y, weights=weights, candidate_gradient=True, reference_gradient=True
    )
    sums = [np.sum(part, axis=(1, 2), keepdims=True) for part in (weights * (y - x) ** 2, weights)]
    factor = 2 / sums[1] if of == "mse" else -20 / (math.log(10) * sums[0])
    np.testing.assert_allclose(details.candidate_gradient, factor * weights * (y - x), rtol=1e-13)
    np.testing.assert_array_equal(details.reference_gradient, -details.candidate_gradient)
