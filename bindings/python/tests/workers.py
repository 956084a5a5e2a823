# SPDX-License-Identifier: MIT
"""What the tests run in other processes."""

import numpy as np
from pictures import batch

import iqa


def partial_state(seeds):
    """A metric over the images of some seeds."""
    metric = iqa.SSIM(1.0, "NCHW", context=iqa.Context(threads=2))
    for seed in seeds:
        metric.update(*batch(2, 130, 257, seed=seed))
    return metric


def lanes_and_error(seed):
    """Lanes of one batch, after a failure whose exception travels back."""
    try:
        iqa.ssim(np.zeros((3, 3)), np.zeros((3, 3)), 1.0)
    except iqa.ShapeError as problem:
        return partial_state([seed]).lanes(), problem
    raise AssertionError("a 3 x 3 image was measured")
