# SPDX-License-Identifier: MIT
"""Mean errors against scikit-image and TorchMetrics, run live, and against NumPy's sums."""

import math

import numpy as np
import pytest
import skimage.data
from skimage.metrics import mean_squared_error, normalized_root_mse

import iqa

NORMALIZATIONS = ("euclidean", "min-max", "mean")
TOLERANCE = 1e-12
DTYPES = ("uint8", "uint16", "int16", "float16", "float32", "float64")


def pair(dtype, shape=(3, 41, 57)):
    random = np.random.default_rng(11)
    x, y = (random.integers(0, 200, shape).astype(dtype) for _ in range(2))
    if dtype in ("float32", "float64"):
        x, y = (a + random.random(shape).astype(dtype) for a in (x, y))
    return x, y


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_of_numpy(dtype):
    x, y = pair(dtype)
    with iqa.MeanErrors(layout="NHW") as metric:
        metric.update(x, y)
        x, y = x.astype(np.float64), y.astype(np.float64)
        assert metric.mae == pytest.approx(np.abs(x - y).mean(), rel=TOLERANCE)
        assert metric.compute() == metric.mae
        assert metric.mse == pytest.approx(((x - y) ** 2).mean(), rel=TOLERANCE)
        assert metric.rmse == math.sqrt(metric.mse)
        assert (metric.images, metric.samples) == (3, x.size)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_scikit_image(dtype, normalization):
    x, y = pair(dtype)
    found = iqa.nrmse(x, y, "NHW", normalization, per_image=True)
    # In float64, where scikit-image would take the squares of float16 and float32 as they are.
    peers = [
        normalized_root_mse(a.astype(np.float64), b.astype(np.float64), normalization=normalization)
        for a, b in zip(x, y)
    ]
    assert found.per_image == pytest.approx(peers, rel=TOLERANCE)
    assert found.value == pytest.approx(np.mean(peers), rel=TOLERANCE)


def test_photographs_of_scikit_image():
    x = skimage.data.chelsea()
    y = np.clip(x.astype(np.int16) + np.random.default_rng(3).integers(-9, 10, x.shape), 0, 255)
    y = y.astype(np.uint8)
    for normalization in NORMALIZATIONS:
        peer = normalized_root_mse(x, y, normalization=normalization)
        assert iqa.nrmse(x, y, "HWC", normalization) == pytest.approx(peer, rel=TOLERANCE)
    assert iqa.rmse(x, y, "HWC") == pytest.approx(math.sqrt(mean_squared_error(x, y)))
    difference = np.abs(x.astype(np.int64) - y)
    assert iqa.mae(x, y, "HWC") == difference.sum() / difference.size


def test_torchmetrics():
    torch = pytest.importorskip("torch")
    audio = pytest.importorskip("torchmetrics.functional.audio")
    regression = pytest.importorskip("torchmetrics.functional.regression")
    x, y = pair("float64")
    target, preds = torch.from_numpy(x), torch.from_numpy(y)
    peer = regression.mean_absolute_error(preds, target).item()
    assert iqa.mae(target, preds, "NHW") == pytest.approx(peer, rel=TOLERANCE)
    # Its epsilon is 2.2e-16, beside sums of some 10^7.
    peers = audio.signal_noise_ratio(preds.flatten(1), target.flatten(1))
    found = iqa.snr(target, preds, "NHW", per_image=True)
    assert found.per_image == pytest.approx(peers.numpy(), rel=TOLERANCE)
    assert found.value == pytest.approx(peers.mean().item(), rel=TOLERANCE)
    # One image, since it takes extremes and means over all. Its "l2" is no mean: the root of how
    # many samples there are lies between.
    one, other = target[0].flatten(), preds[0].flatten()
    for ours, theirs, factor in (
        ("min-max", "range", 1.0),
        ("mean", "mean", 1.0),
        ("euclidean", "l2", math.sqrt(one.numel())),
    ):
        peer = regression.normalized_root_mean_squared_error(other, one, normalization=theirs)
        expected = peer.item() * factor
        assert iqa.nrmse(target[0], preds[0], None, ours) == pytest.approx(expected, rel=TOLERANCE)


def test_the_gradient_is_that_of_torch():
    torch = pytest.importorskip("torch")
    x, y = pair("float64", (2, 9, 11))
    y[0, 3, 4] = x[0, 3, 4]  # torch.abs has the slope 0 there too
    preds = torch.from_numpy(y).requires_grad_()
    for image, loss in enumerate((torch.from_numpy(x) - preds).abs().mean((1, 2))):
        (expected,) = torch.autograd.grad(loss, preds, retain_graph=True)
        found = iqa.mae(x, y, "NHW", candidate_gradient=True, reference_gradient=True)
        assert np.allclose(found.candidate_gradient[image], expected[image].numpy(), rtol=1e-15)
        assert np.array_equal(found.reference_gradient, -found.candidate_gradient)


def test_weights_and_what_is_refused():
    x, y = pair("float32", (9, 11))
    weights = np.random.default_rng(5).random((9, 11)).astype(np.float32)
    weights = np.round(weights * 2**24) / np.float32(2**24)
    expected = np.average(np.abs(x.astype(np.float64) - y), weights=weights)
    assert iqa.mae(x, y, weights=weights) == pytest.approx(expected, rel=TOLERANCE)
    with pytest.raises(iqa.InvalidArgumentError, match="normalization is 'max', expected one of"):
        iqa.nrmse(x, y, normalization="max")
    with pytest.raises(iqa.InvalidArgumentError, match="candidate_gradient is wanted with measure"):
        iqa.snr(x, y, candidate_gradient=True)
    with pytest.raises(TypeError, match="shaved"):
        iqa.mae(x, y, shaved=1)
    assert iqa.snr(x, x) == math.inf
    assert iqa.mae(x, x) == 0
