# SPDX-License-Identifier: MIT
"""The formula of the textbook, filtered by SciPy, for every window and border."""

import numpy as np
import pytest
import skimage.data
from pictures import SMALL, formula_pair
from scipy.ndimage import correlate1d

import iqa

SCIPY_MODES = {
    "reflect": "mirror",
    "symmetric": "reflect",
    "replicate": "nearest",
    "zero": "constant",
    "valid": "constant",
}


def taps(sigma, size):
    offsets = np.arange(size) - size // 2
    weights = np.ones(size) if sigma is None else np.exp(-0.5 * (offsets / sigma) ** 2)
    return weights / weights.sum()


def textbook(x, y, peak, weights_y, weights_x, border, sample=False, k1=0.01, k2=0.03):
    def mean(image):
        rows = correlate1d(image, weights_y, axis=0, mode=SCIPY_MODES[border])
        return correlate1d(rows, weights_x, axis=1, mode=SCIPY_MODES[border])

    count = len(weights_y) * len(weights_x)
    correction = count / (count - 1) if sample else 1.0
    mean_x, mean_y = mean(x), mean(y)
    variances = correction * (mean(x * x) + mean(y * y) - mean_x**2 - mean_y**2)
    covariance = correction * (mean(x * y) - mean_x * mean_y)
    c1, c2 = (k1 * peak) ** 2, (k2 * peak) ** 2
    values = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    values /= (mean_x**2 + mean_y**2 + c1) * (variances + c2)
    if border == "valid":
        top, left = len(weights_y) // 2, len(weights_x) // 2
        height, width = values.shape
        values = values[top : height - top, left : width - left]
    return values


def windows():
    """Options, and taps down and across."""
    yield {}, taps(1.5, 11), taps(1.5, 11)
    yield {"sigma": (0.25, 0.5)}, taps(0.25, 3), taps(0.5, 5)
    yield {"sigma": (0.5, 0.25)}, taps(0.5, 5), taps(0.25, 3)
    yield {"sigma": (1.0, 1.4), "truncate": 2.0}, taps(1.0, 5), taps(1.4, 7)
    yield {"sigma": 0.8, "size": (7, 3)}, taps(0.8, 7), taps(0.8, 3)
    yield {"window": "uniform", "size": 7}, taps(None, 7), taps(None, 7)
    yield {"window": "uniform", "size": (3, 5)}, taps(None, 3), taps(None, 5)
    yield {"window": "uniform", "size": (5, 3)}, taps(None, 5), taps(None, 3)
    yield {"window": "uniform", "size": (1, 7)}, taps(None, 1), taps(None, 7)


PAIRS = {
    "small": (*SMALL, 1.0),
    "formula": (*formula_pair(64), 255.0),
    "photograph": (
        skimage.data.camera()[200:283, 150:251] / 255,
        skimage.data.camera()[201:284, 150:251] / 255,
        1.0,
    ),
}


@pytest.mark.parametrize("border", SCIPY_MODES)
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("covariance", ["population", "sample"])
def test_value_and_map(name, border, covariance):
    x, y, peak = PAIRS[name]
    for options, weights_y, weights_x in windows():
        if len(weights_y) > len(x) and border != "symmetric":
            continue  # a window larger than the image is a case of its own, below
        expected = textbook(x, y, peak, weights_y, weights_x, border, covariance == "sample")
        ours = iqa.ssim(x, y, peak, border=border, covariance=covariance, map=True, **options)
        assert ours.value == pytest.approx(expected.mean(), abs=1e-12, rel=0)
        np.testing.assert_allclose(ours.map, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("border", ["reflect", "symmetric", "replicate", "zero"])
@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (2, 3), (4, 4), (5, 12), (1, 1)])
def test_images_smaller_than_the_window(border, shape):
    random = np.random.default_rng(2)
    x, y = random.random((2, *shape))
    expected = textbook(x, y, 1.0, taps(1.5, 11), taps(1.5, 11), border)
    ours = iqa.ssim(x, y, 1.0, border=border, map=True)
    assert ours.value == pytest.approx(expected.mean(), abs=1e-12, rel=0)
    np.testing.assert_allclose(ours.map, expected, rtol=0, atol=1e-11)


def test_constants_with_a_zero_border():
    x, y = np.full((16, 20), 0.5), np.full((16, 20), 0.25)
    expected = textbook(x, y, 1.0, taps(1.5, 11), taps(1.5, 11), "zero")
    assert iqa.ssim(x, y, 1.0, border="zero") == pytest.approx(expected.mean(), abs=1e-12)


def test_the_map_in_single_precision():
    x, y, peak = PAIRS["photograph"]
    for options, weights_y, weights_x in windows():
        single = [image.astype(np.float32) for image in (x, y)]
        rounded = [image.astype(np.float64) for image in single]
        expected = textbook(*rounded, peak, weights_y, weights_x, "reflect")
        ours = iqa.ssim(*single, peak, border="reflect", map=True, **options)
        assert ours.map.dtype == np.float32
        np.testing.assert_allclose(ours.map, expected, rtol=0, atol=1e-4)
        assert ours.value == pytest.approx(expected.mean(), abs=1e-7, rel=0)
