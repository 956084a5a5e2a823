# SPDX-License-Identifier: MIT
"""Values that other programs or pencil and paper give."""

import math

import numpy as np
import pytest
from pictures import SMALL, formula_pair

import iqa

EXACT = 1e-12
SINGLE = 2e-7
SIXTH_DECIMAL = 1e-6

# The pair of formula_pair(64), L = 255.
FORMULA = [
    ({}, 0.9874162293236853),
    ({"border": "reflect"}, 0.9873493091582206),
    ({"border": "symmetric"}, 0.9872323585625431),
    ({"border": "replicate"}, 0.9871217439923439),
    ({"border": "zero"}, 0.9881558707061693),
    ({"covariance": "sample"}, 0.9874156265777747),
    ({"window": "uniform", "size": 7, "covariance": "sample"}, 0.9876171074545104),
    ({"window": "uniform", "size": 7}, 0.9876184922214606),
    ({"window": "uniform", "size": 11, "covariance": "sample"}, 0.9877934684565111),
    ({"window": "uniform", "size": 11}, 0.9877940080763788),
    ({"sigma": 0.5}, 0.9801868960505983),
    ({"sigma": 0.5, "border": "reflect"}, 0.9796941072476788),
    ({"sigma": 1.0}, 0.9868124303676177),
    ({"sigma": 1.0, "border": "reflect"}, 0.9866395765058398),
    ({"sigma": 2.0}, 0.9876043486309082),
    ({"sigma": 2.0, "border": "reflect"}, 0.9875418180140898),
]


@pytest.mark.parametrize(("options", "expected"), FORMULA)
def test_formula_pair_in_double(pair, options, expected):
    assert iqa.ssim(*pair, data_range=255, **options) == pytest.approx(expected, abs=EXACT, rel=0)


@pytest.mark.parametrize(("options", "expected"), FORMULA)
def test_formula_pair_of_8_bits(pair8, options, expected):
    assert iqa.ssim(*pair8, **options) == pytest.approx(expected, abs=SINGLE, rel=0)
    assert iqa.ssim(*pair8, arithmetic="float64", **options) == pytest.approx(
        expected, abs=EXACT, rel=0
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint16, np.int16])
@pytest.mark.parametrize(("options", "expected"), FORMULA)
def test_formula_pair_of_other_types(pair, dtype, options, expected):
    x, y = (image.astype(dtype) for image in pair)
    assert iqa.ssim(x, y, data_range=255, **options) == pytest.approx(expected, abs=SINGLE, rel=0)


@pytest.mark.parametrize(
    ("options", "single_precision_peer"),
    [
        ({}, 0.9874162317),
        ({"border": "reflect"}, 0.98734927),
        ({"sigma": 0.5, "size": 11}, 0.98021625),
        ({"sigma": 1.0, "size": 11}, 0.98676710),
        ({"sigma": 2.0, "size": 11}, 0.98760501),
    ],
)
def test_single_precision_peers(pair, options, single_precision_peer):
    x, y = (image.astype(np.float32) for image in pair)
    value = iqa.ssim(x, y, data_range=255, **options)
    assert value == pytest.approx(single_precision_peer, abs=SIXTH_DECIMAL, rel=0)


def test_16_bits(pair):
    x, y = (257 * image.astype(np.uint16) for image in pair)
    assert iqa.ssim(x, y) == pytest.approx(0.9874162293236853, abs=SINGLE, rel=0)
    assert iqa.ssim(x, y, arithmetic="float64") == pytest.approx(
        0.9874162293236853, abs=EXACT, rel=0
    )


@pytest.mark.parametrize(
    ("data_range", "expected"), [(65535, 0.9999666006908825), (255, 0.9875702357390872)]
)
def test_data_far_from_zero(pair, data_range, expected):
    x, y = (image + 40000 for image in pair)
    assert iqa.ssim(x, y, data_range) == pytest.approx(expected, abs=EXACT, rel=0)
    x, y = x.astype(np.uint16), y.astype(np.uint16)
    assert iqa.ssim(x, y, data_range) == pytest.approx(expected, abs=SINGLE, rel=0)
    x, y = x.astype(np.float32), y.astype(np.float32)
    assert iqa.ssim(x, y, data_range) == pytest.approx(expected, abs=SINGLE, rel=0)


def test_512_pixels():
    x, y = formula_pair(512)
    assert iqa.ssim(x, y, 255) == pytest.approx(0.9872774137984976, abs=EXACT, rel=0)
    x, y = x.astype(np.uint8), y.astype(np.uint8)
    assert iqa.ssim(x, y) == pytest.approx(0.9872774137984976, abs=SINGLE, rel=0)
    assert iqa.psnr(x, y) == pytest.approx(26.856494, abs=1e-6, rel=0)


@pytest.mark.parametrize(
    ("options", "expected", "tolerance"),
    [
        ({"sigma": (0.25, 0.5), "border": "reflect"}, 0.20977394, 1.5 * SIXTH_DECIMAL),
        ({"sigma": (0.5, 0.25), "border": "reflect"}, 0.13884821, SIXTH_DECIMAL),
        ({"window": "uniform", "size": (3, 5), "border": "reflect"}, 0.05032664, SIXTH_DECIMAL),
        ({"window": "uniform", "size": (5, 3), "border": "reflect"}, 0.03472072, SIXTH_DECIMAL),
        ({"window": "uniform", "size": 3}, 0.047452313632, EXACT),
        ({"window": "uniform", "size": 3, "covariance": "sample"}, 0.047282323543, EXACT),
        ({"window": "uniform", "size": 7}, 0.072548391018, EXACT),
        ({"sigma": (0.25, 0.5)}, 0.088695497621, EXACT),
    ],
)
def test_small_binary_pair(options, expected, tolerance):
    target, prediction = SMALL[1], SMALL[0]
    value = iqa.ssim(target, prediction, 1.0, **options)
    assert value == pytest.approx(expected, abs=tolerance, rel=0)


def test_psnr_of_the_small_binary_pair():
    assert iqa.psnr(*SMALL, data_range=1.0) == pytest.approx(3.284682440, abs=5e-10, rel=0)


@pytest.mark.parametrize("border", ["valid", "reflect", "symmetric", "replicate"])
@pytest.mark.parametrize("window", [{}, {"window": "uniform", "size": 7}])
def test_constants(border, window):
    expected = (2 * 0.5 * 0.25 + 0.0001) / (0.5**2 + 0.25**2 + 0.0001)
    x, y = np.full((16, 20), 0.5), np.full((16, 20), 0.25)
    assert iqa.ssim(x, y, 1.0, border=border, **window) == pytest.approx(expected, abs=EXACT, rel=0)


@pytest.mark.parametrize(
    ("covariance", "expected"),
    [("population", -0.9891244620039931), ("sample", -0.9903270107278626)],
)
def test_nine_pixels(covariance, expected):
    x = np.arange(1.0, 10.0).reshape(3, 3)
    value = iqa.ssim(x, 10 - x, 9.0, window="uniform", size=3, covariance=covariance)
    assert value == pytest.approx(expected, abs=EXACT, rel=0)


def test_pairs_on_which_peers_leave_the_interval():
    zeros = np.zeros((16, 16), np.float16)
    assert iqa.ssim(zeros, zeros, 1.0) == 1.0
    assert iqa.ssim(zeros + 1, zeros + 1, 1.0) == 1.0
    x = np.full((11, 11), 0.6, np.float32)
    value = iqa.ssim(x, x + np.float32(1e-7), 1.0)
    assert 0.999999 < value <= 1.0


@pytest.mark.parametrize("border", ["reflect", "symmetric", "replicate", "zero"])
def test_a_changed_border_row_is_seen(pair, border):
    x = pair[0] + 1
    y = x.copy()
    y[0] = 0
    assert iqa.ssim(x, y, 255, border=border) < 1.0


def test_psnr_of_the_formula_pair(pair, pair8):
    expected = 26.834689749243946
    assert iqa.psnr(*pair, data_range=255) == pytest.approx(expected, abs=1e-12, rel=0)
    assert iqa.psnr(*pair8) == pytest.approx(expected, abs=1e-12, rel=0)
    metric = iqa.PSNR()
    metric.update(*pair8)
    assert metric.mse == 134.775634765625
    assert metric.samples == 64 * 64


def test_psnr_in_two_bases():
    prediction, target = np.array([[0.0, 1], [2, 3]]), np.array([[3.0, 2], [1, 0]])
    expected = 10 * math.log10(9 / 5)
    assert iqa.psnr(target, prediction, 3.0) == pytest.approx(expected, abs=EXACT, rel=0)
    assert expected == pytest.approx(2.5527, abs=5e-5)
    natural = iqa.psnr(target, prediction, 3.0, log_base=math.e)
    assert natural == pytest.approx(10 * math.log(9 / 5), abs=EXACT, rel=0)
    assert natural == pytest.approx(5.877867222, abs=SIXTH_DECIMAL, rel=0)


def test_the_two_average_psnrs():
    metric = iqa.PSNR(1.0)
    for error in (0.5, 0.1):
        metric.update(np.zeros((1, 1)), np.full((1, 1), math.sqrt(error)))
    assert metric.psnr_of_mean_mse == pytest.approx(10 * math.log10(1 / 0.3), abs=EXACT)
    assert metric.mean_psnr == pytest.approx(-5 * (math.log10(0.5) + math.log10(0.1)), abs=EXACT)
    assert metric.psnr_of_mean_mse == pytest.approx(5.22879, abs=5e-6)
    assert metric.mean_psnr == pytest.approx(6.50515, abs=5e-6)
    assert metric.compute() == metric.psnr_of_mean_mse


def test_the_largest_error_of_16_bits():
    x = np.zeros((32, 40), np.uint16)
    metric = iqa.PSNR()
    metric.update(x, ~x)
    assert metric.mse == 4294836225
    assert metric.compute() == pytest.approx(0.0, abs=EXACT)


def test_psnr_of_equal_images(pair8):
    x, _ = pair8
    assert iqa.psnr(x, x) == math.inf
    assert iqa.psnr(x, x, cap=80) == 80
    metric = iqa.PSNR(aggregate="mean_of_psnr", cap=80)
    metric.update(x, x)
    metric.update(*pair8)
    assert metric.infinite_images == 1
    assert metric.compute() == pytest.approx((80 + 26.834689749243946) / 2, abs=EXACT)
    assert metric.mean_psnr_of_finite == pytest.approx(26.834689749243946, abs=EXACT)
