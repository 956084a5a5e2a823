# SPDX-License-Identifier: MIT
"""Counts of samples outside the range, and of those that are not finite, against NumPy's."""

import numpy as np
import pytest

import iqa

RANGE = (0.1, 0.8)


@pytest.mark.parametrize("weights", [None, "bool", "uint8", "float32", "float64"])
@pytest.mark.parametrize("layout", ["CHW", "HWC"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float16", "float32", "float64"])
def test_counts_are_those_of_a_comparison(dtype, layout, weights):
    random = np.random.default_rng(len(dtype) * 10 + len(layout))
    shape = [{"C": 3, "H": 40, "W": 277}[axis] for axis in layout]
    scale = np.dtype(dtype).type(200 if dtype == "uint8" else 20000 if "int" in dtype else 1)
    sides = [(random.random(shape) * scale).astype(dtype) for _ in range(2)]
    low, high = (float(bound * scale) for bound in RANGE)
    floating = "float" in dtype
    if floating:
        for side in sides:
            side.flat[random.integers(0, side.size, 5)] = [np.nan, np.inf, -np.inf, np.nan, 2]
    drawn = None
    counted = np.ones(shape, bool)
    if weights is not None:
        drawn = random.integers(0, 2, shape).astype(weights)
        if "float" in weights:
            drawn *= random.random(shape).astype(weights)
        counted = drawn > 0
    finite = np.isfinite(sides[0]) & np.isfinite(sides[1])

    def expected(chosen):
        wide = [side[chosen].astype("float64") for side in sides]
        return (
            sum(int(np.sum(~((side >= low) & (side <= high)))) for side in wide),
            sum(int(np.sum(~np.isfinite(side))) for side in wide),
        )

    for metric in (iqa.SSIM, iqa.PSNR):
        for nonfinite in ("propagate", "mask") if floating else ("propagate",):
            for instruction_set in ("baseline", "avx2", "avx512"):
                context = iqa.Context(threads=2, instruction_set=instruction_set)
                measured = metric(
                    layout=layout, data_range=(low, high), nonfinite=nonfinite, context=context
                )
                measured.update(*sides, weights=drawn)
                chosen = counted & finite if nonfinite == "mask" else counted
                found = measured.out_of_range, measured.nonfinite
                assert found == expected(chosen), (metric, nonfinite, instruction_set)


@pytest.mark.parametrize("layout", ["NHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float16", "float32", "float64"])
def test_one_sample_alone_is_counted_wherever_it_is(dtype, layout):
    height, width = 70, 140  # four tiles of the map
    places = [(row, column) for row in (0, 35, height - 1) for column in range(0, width, 3)]
    places += [(row, column) for row in range(height) for column in (0, 127, width - 1)]
    channels = 3 if layout == "NHWC" else 1
    wrong = [9, 201] if "int" in dtype else [9, 201, np.nan, np.inf]
    pictures = np.full((len(places), height, width, channels), 100, dtype)
    clean = pictures.copy()
    for i, place in enumerate(places):
        pictures[(i, *place, i % channels)] = np.array(wrong[i % len(wrong)], dtype)
    if channels == 1:
        pictures, clean = pictures[..., 0], clean[..., 0]
    for instruction_set, options in (
        ("baseline", {}),
        ("avx2", {}),
        ("avx512", {}),
        ("avx512", {"border": "reflect"}),
        ("avx512", {"border": "zero"}),
        ("avx2", {"size": 7}),
    ):
        context = iqa.Context(threads=2, instruction_set=instruction_set)
        for pair in ((pictures, clean), (clean, pictures)):
            measured = iqa.SSIM(
                layout=layout,
                data_range=(10, 200),
                nonfinite="propagate",
                context=context,
                **options,
            )
            measured.update(*pair)
            assert measured.out_of_range == len(places), (options, instruction_set)
