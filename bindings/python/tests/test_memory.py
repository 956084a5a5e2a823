# SPDX-License-Identifier: MIT
"""Memory stays where it is over many calls."""

import gc
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from pictures import batch

import iqa

ROUNDS = 10_000


def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def use_metric(metric, x, y):
    metric.update(x, y)


def use_outputs(metric, x, y):
    metric.update(x, y, map=True, per_image=True, per_channel=True)


def use_functions(metric, x, y):
    iqa.ssim(x, y, 1.0, "NCHW")
    iqa.psnr(x, y, 1.0, "NCHW", per_image=True)


def use_states(metric, x, y):
    pickle.loads(pickle.dumps(metric)).merge(metric)


def use_errors(metric, x, y):
    with pytest.raises(iqa.ShapeError):
        metric.update(x, y[:, :, 1:])


def use_buffers(metric, x, y):
    metric.update(memoryview(x), memoryview(y))


@pytest.mark.parametrize(
    "use", [use_metric, use_outputs, use_functions, use_states, use_errors, use_buffers]
)
def test_memory_does_not_grow(use):
    x, y = batch(1, 16, 16, 1, np.float32)
    metric = iqa.SSIM(1.0, "NCHW")
    metric.update(x, y)
    for _ in range(ROUNDS // 10):
        use(metric, x, y)
    gc.collect()
    before = resident()
    for _ in range(ROUNDS):
        use(metric, x, y)
    gc.collect()
    assert resident() - before < 512 * 1024  # a leak of one small object for each call is 600 kB


def test_a_large_image_takes_little_more_memory():
    x = np.zeros((2160, 3840, 3), np.uint8)
    iqa.ssim(x[:64, :64], x[:64, :64], layout="HWC")
    x[:] = 7
    before = resident()
    metric = iqa.SSIM(layout="HWC")
    metric.update(x, x)
    assert resident() - before < 8 * 2**20
