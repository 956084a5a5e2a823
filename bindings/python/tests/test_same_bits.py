# SPDX-License-Identifier: MIT
"""The same bits for every thread count, instruction set, layout, stride, batch split and merge."""

import random

import numpy as np
import pytest
from pictures import batch

import iqa

IMAGES = 7
INSTRUCTION_SETS = ("baseline", "avx2", "avx512")
METRICS = [
    (iqa.SSIM, {}),
    (iqa.SSIM, {"border": "reflect", "sigma": (1.0, 2.0)}),
    (iqa.SSIM, {"window": "uniform", "size": 7, "covariance": "sample"}),
    (iqa.PSNR, {}),
    (iqa.MeanErrors, {}),
    (iqa.PSNR, {"aggregate": "mean_of_psnr", "log_base": 2}),
]
DTYPES = ["uint8", "uint16", "int16", "float16", "float32", "float64"]

pytestmark = pytest.mark.parametrize(
    ("kind", "options", "dtype"),
    [(kind, options, dtype) for kind, options in METRICS for dtype in DTYPES],
    ids=[
        f"{kind.__name__}-{'-'.join(options) or 'defaults'}-{dtype}"
        for kind, options in METRICS
        for dtype in DTYPES
    ],
)


def data_range(dtype):
    return 1.0 if dtype.startswith("float") else None


def pictures(dtype):
    return batch(IMAGES, 61, 333, 2, np.dtype(dtype))


def state(kind, options, dtype, pairs, layout="NCHW", context=None):
    """The state after a batch for each pair of arrays, and what one more update also gives."""
    metric = kind(data_range(dtype), layout, context=context, **options)
    for x, y in pairs:
        metric.update(x, y)
    return metric


def everything(metric):
    return metric.to_bytes(), metric.compute(), metric.lanes().tolist()


def test_threads_and_instruction_sets(kind, options, dtype):
    x, y = pictures(dtype)
    details = {"per_image": True, "per_channel": True}
    if kind is iqa.SSIM:
        details["map"] = True
    expected = None
    for instruction_set in INSTRUCTION_SETS:
        for threads in (1, 2, 3, 8):
            context = iqa.Context(threads, instruction_set)
            metric = kind(data_range(dtype), "NCHW", context=context, **options)
            arrays = metric.update(x, y, **details)
            found = (everything(metric), [a.tobytes() for a in arrays if a is not None])
            expected = expected or found
            assert found == expected, (instruction_set, threads)


def test_strides(kind, options, dtype):
    x, y = pictures(dtype)
    expected = everything(state(kind, options, dtype, [(x, y)]))

    def check(change, layout="NCHW"):
        found = state(kind, options, dtype, [(change(x), change(y))], layout)
        if layout == "NCHW":
            assert everything(found) == expected
        else:
            assert found.compute() == expected[1]
            assert found.lanes().tolist() == expected[2]

    check(lambda image: image.copy(order="F"))
    check(lambda image: np.repeat(image, 2, axis=3)[..., ::2])
    check(lambda image: np.ascontiguousarray(image[:, :, ::-1])[:, :, ::-1])
    check(lambda image: np.ascontiguousarray(image[..., ::-1])[..., ::-1])
    check(lambda image: np.ascontiguousarray(image[::-1, ::-1])[::-1, ::-1])
    check(lambda image: np.pad(image, ((0, 0), (0, 0), (3, 1), (5, 2)))[:, :, 3:-1, 5:-2])
    check(lambda image: np.moveaxis(image, 1, -1), "NHWC")
    check(lambda image: np.ascontiguousarray(np.moveaxis(image, 1, -1)), "NHWC")


def test_broadcast_strides(kind, options, dtype):
    x, y = pictures(dtype)
    shown = np.broadcast_to(x[:, :1], x.shape)
    assert shown.strides[1] == 0
    found = state(kind, options, dtype, [(shown, y)])
    assert everything(found) == everything(state(kind, options, dtype, [(shown.copy(), y)]))


def test_batches_and_merges(kind, options, dtype):
    x, y = pictures(dtype)
    expected = everything(state(kind, options, dtype, [(x, y)]))
    chance = random.Random(1)
    for _ in range(6):
        cuts = sorted(chance.sample(range(1, IMAGES), chance.randint(1, IMAGES - 1)))
        parts = [(x[a:b], y[a:b]) for a, b in zip([0, *cuts], [*cuts, IMAGES])]
        assert everything(state(kind, options, dtype, parts)) == expected
        chance.shuffle(parts)
        assert everything(state(kind, options, dtype, parts)) == expected
        metrics = [state(kind, options, dtype, [part]) for part in parts]
        while len(metrics) > 1:  # a random tree
            into = metrics.pop(chance.randrange(len(metrics)))
            into.merge(metrics.pop(chance.randrange(len(metrics))))
            metrics.append(into)
        assert everything(metrics[0]) == expected


def test_lanes_add_by_numpy(kind, options, dtype):
    x, y = pictures(dtype)
    expected = everything(state(kind, options, dtype, [(x, y)]))
    parts = [state(kind, options, dtype, [(x[i : i + 1], y[i : i + 1])]) for i in range(IMAGES)]
    total = np.sum([part.lanes() for part in parts], axis=0)
    whole = kind(data_range(dtype), "NCHW", **options)
    whole.add_lanes(total)
    assert everything(whole) == expected


def test_single_images_and_batches(kind, options, dtype):
    x, y = pictures(dtype)
    expected = state(kind, options, dtype, [(x, y)])
    single = state(kind, options, dtype, zip(x, y), "CHW")
    assert single.lanes().tolist() == expected.lanes().tolist()
    assert single.compute() == expected.compute()
