# SPDX-License-Identifier: MIT
"""Plain arrays take a quick way from the second call on, with the results of the other."""

import threading

import numpy as np
import pytest

import iqa
from iqa import _measure
from iqa._library import library


class Other(np.ndarray):
    """An array like NumPy's own, but for the quick way, which it never takes."""

    __module__ = "numpy"


def outcome(function, *arguments, **options):
    """The value of a call, or class and text of its error."""
    try:
        return function(*arguments, **options)
    except Exception as problem:
        return type(problem), str(problem)


def noisy(dtype, shape=(20, 24)):
    random = np.random.default_rng(3)
    x = random.integers(0, 200, shape)
    return x.astype(dtype), (x + random.integers(0, 20, shape)).astype(dtype)


FUNCTIONS = (iqa.ssim, iqa.psnr, iqa.mae, iqa.snr)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f2", "f4", "f8", "i8", "?", ">f4", ">u2"])
def test_values_and_errors_are_the_same_for_every_type(function, dtype):
    x, y = noisy(dtype)
    for arguments in ({}, {"data_range": 255.0}, {"data_range": np.float32(255)}):
        expected = outcome(function, x.view(Other), y.view(Other), **arguments)
        for _ in range(3):
            assert outcome(function, x, y, **arguments) == expected


def unaligned(x):
    memory = np.zeros(x.nbytes + 1, np.uint8)
    view = memory[1:].view(x.dtype).reshape(x.shape)
    view[:] = x
    assert not view.flags.aligned
    return view


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "change",
    [
        lambda x: x[::-1, ::2],
        lambda x: x.T,
        unaligned,
        lambda x: x[:5, :5],
        lambda x: x[None],
        lambda x: x[0, 0],
        lambda x: np.broadcast_to(x[:1], (30, x.shape[1])),
        lambda x: np.where(x > 100, np.nan, x),
        lambda x: x.astype(object),
        lambda x: np.ma.masked_greater(x, 100),
        lambda x: np.zeros(x.shape, "f4,f4"),
    ],
)
def test_views_and_what_is_refused_too(function, change):
    x, y = map(change, noisy("f4"))
    plain = [array if type(array) is not np.ndarray else array.view(Other) for array in (x, y)]
    data_range = 255.0 if function is iqa.ssim else None
    expected = outcome(function, *plain, data_range=data_range)
    for _ in range(3):
        assert outcome(function, x, y, data_range=data_range) == expected


def torch_pair():
    """PyTorch, a subclass that never takes the quick way, and a pair."""
    torch = pytest.importorskip("torch")
    plain = {"__torch_function__": torch._C._disabled_torch_function_impl}
    other = type("Other", (torch.Tensor,), plain)
    return torch, other, [torch.from_numpy(array) for array in noisy("f4")]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "change",
    [
        lambda _, x: x.to("cpu"),
        lambda _, x: x.byte(),
        lambda _, x: x.half(),
        lambda _, x: x.bfloat16(),
        lambda _, x: x.double(),
        lambda _, x: x.long(),
        lambda _, x: x > 100,
        lambda torch, x: torch.complex(x, x),
        lambda torch, x: torch.complex(x, x).conj().imag,
        lambda torch, x: x.to(torch.float8_e4m3fn),
        lambda _, x: x.T,
        lambda _, x: x.flip(0)[::2, 1::3],
        lambda _, x: x[:1].expand(30, -1),
        lambda _, x: x[None],
        lambda _, x: x[None, None],
        lambda _, x: x[None, None].to(memory_format=__import__("torch").channels_last),
        lambda _, x: x[None, :, :12, None].expand(-1, -1, -1, 3),
        lambda _, x: x[0, 0],
        lambda _, x: x[:0],
        lambda _, x: x.clone().requires_grad_(),
        lambda _, x: x.to_sparse(),
        lambda _, x: x.to("meta"),
        lambda torch, x: torch.where(x > 100, torch.nan, x),
        lambda torch, x: torch.quantize_per_tensor(x, 1.0, 0, torch.quint8),
        lambda torch, _: torch._efficientzerotensor((16, 16)),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_tensors_of_pytorch_too(function, change):
    torch, other, pair = torch_pair()
    x, y = (change(torch, tensor) for tensor in pair)
    try:
        slow = [tensor.as_subclass(other) for tensor in (x, y)]
    except Exception:  # PyTorch has no such subclass
        slow = [x, y]
    for arguments in ({"data_range": 255.0}, {"data_range": 255.0, "layout": "NCHW"}):
        expected = outcome(function, *slow, **arguments)
        assert not isinstance(expected, tuple) or issubclass(expected[0], iqa.Error)
        for _ in range(3):
            assert outcome(function, x, y, **arguments) == expected
        kind = {iqa.ssim: iqa.SSIM, iqa.psnr: iqa.PSNR}.get(function)
        if kind is not None:
            metrics = [kind(**arguments), kind(**arguments)]
            for _ in range(3):
                assert outcome(metrics[0].update, *slow) == outcome(metrics[1].update, x, y)
            assert outcome(metrics[0].compute) == outcome(metrics[1].compute)


def test_tensors_of_pytorch_take_the_quick_way():
    torch, other, (x, y) = torch_pair()
    if not hasattr(torch.Tensor, "__dlpack_c_exchange_api__"):
        pytest.skip("this PyTorch has no exchange table")
    for pair in ((x, y), (x[None, None], y[None, None])):
        value = iqa.ssim(*pair, 255.0)
        assert _measure.try_value(iqa.SSIM, *pair, 255.0, None, {}) == value
    metric = iqa.SSIM(255.0)
    assert metric._try_update(x, y)
    assert not metric._try_update(x.as_subclass(other), y)


def test_read_only_arrays_are_read():
    x, y = noisy("u1")
    expected = iqa.ssim(x, y)
    x.flags.writeable = y.flags.writeable = False
    assert iqa.ssim(x, y) == expected == iqa.ssim(x, y)


def test_a_failed_call_leaves_nothing_behind():
    x, y = noisy("f4")
    expected = iqa.psnr(x, y, 255.0)
    for _ in range(2):
        with pytest.raises(iqa.NumericError, match="non-finite"):
            iqa.psnr(x, np.where(x > 100, np.nan, y), 255.0)
        with pytest.raises(iqa.ShapeError):
            iqa.psnr(x, y[1:], 255.0)
        assert iqa.psnr(x, y, 255.0) == expected


def test_what_is_asked_for_besides_is_given():
    x, y = noisy("u1")
    for _ in range(2):
        value = iqa.ssim(x, y)
        assert iqa.ssim(x, y, per_image=True).per_image == [value]
        assert iqa.ssim(x, y, parts=True).value == value
        assert iqa.ssim(x, y, weights=np.ones(x.shape, bool)) == pytest.approx(value)
        assert iqa.ssim(x, y, per_image=None, map=None) == value
        with pytest.raises(iqa.DtypeError, match="weights"):
            iqa.ssim(x, y, weights=False)
        with pytest.raises(iqa.InvalidArgumentError, match="no option"):
            iqa.ssim(x, y, wide=3)


def test_the_quick_way_is_taken():
    x, y = noisy("u1")
    for _ in range(2):
        iqa.ssim(x, y, sigma=1.25)
    key = (iqa.SSIM, None, None, None, ("sigma", 1.25))
    (kept,) = _measure._of_thread.kept[key]
    assert _measure.try_value(iqa.SSIM, x, y, None, None, {"sigma": 1.25}) is not None
    assert _measure._of_thread.kept[key] == [kept]
    metric = kept.metric
    assert metric.images == 0
    assert metric._try_update(x, y)
    assert metric.images == 1
    assert not metric._try_update(x.view(Other), y)
    metric.reset()


@pytest.mark.parametrize("dtype", ["u1", "i4", "i8", "?", "f4", ">i4", "u8"])
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_labels_have_the_same_counts(dtype, library):
    x, y = (array % 3 for array in noisy("i8"))
    x, y, wrong = (array.astype(dtype) for array in (x, y, np.where(y == 1, 7, y)))
    slow = [array.view(Other) for array in (x, y, wrong)]
    if library == "torch":
        torch = pytest.importorskip("torch")
        if dtype.startswith(">"):
            pytest.skip("PyTorch has one byte order")
        x, y, wrong = (torch.from_numpy(array) for array in (x, y, wrong))
    metrics = [iqa.ConfusionMatrix(3), iqa.ConfusionMatrix(3)]
    for _ in range(3):
        assert outcome(metrics[0].update, slow[0], slow[1]) == outcome(metrics[1].update, x, y)
        expected = outcome(metrics[0].update, slow[0], slow[2])
        assert outcome(metrics[1].update, x, wrong) == expected
    assert metrics[0].to_bytes() == metrics[1].to_bytes()
    assert metrics[1].update(x, y, counts=True).counts is not None


def test_updates_count_and_closed_metrics_say_so():
    x, y = noisy("u1")
    metric = iqa.SSIM()
    for count in range(1, 4):
        assert metric.update(x, y) is metric.update(x.view(Other), y)
        assert metric.images == 2 * count
    assert metric.compute() == pytest.approx(iqa.ssim(x, y), abs=1e-15)
    metric.close()
    with pytest.raises(iqa.InvalidArgumentError, match="the metric is closed"):
        metric.update(x, y)


def test_callbacks_hear_once_of_an_update_that_fails():
    x, y = noisy("f4")
    y[3, 3] = np.nan
    heard = []
    context = iqa.Context(progress=lambda done, total: heard.append(done))
    metric = iqa.PSNR(255.0, context=context)
    counts = []
    for pair in ((x.view(Other), y.view(Other)), (x, y), (x, y)):
        heard.clear()
        with pytest.raises(iqa.NumericError):
            metric.update(*pair)
        counts.append(len(heard))
    assert counts[0] > 0
    assert counts == [counts[0]] * 3


def test_a_context_in_use_is_refused():
    x, y = noisy("u1")
    metric = iqa.SSIM()
    metric.update(x, y)
    with metric._context._lock, pytest.raises(iqa.InUseError, match="give each thread its own"):
        metric.update(x, y)


def test_threads_have_metrics_of_their_own():
    pairs = [noisy("u1", (16 + n, 16)) for n in range(4)]
    expected = [iqa.ssim(*pair) for pair in pairs]
    wrong = []

    def measure(number):
        for _ in range(200):
            if iqa.ssim(*pairs[number]) != expected[number]:
                wrong.append(number)

    threads = [threading.Thread(target=measure, args=(n % 4,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_call_inside_of_a_call_has_another_metric(monkeypatch):
    """As from a signal handler or a finalizer, which run where they like."""
    x, y = noisy("u1")
    first, second = iqa.ssim(x, y), iqa.ssim(y[:, ::-1], x)
    measuring, found = library.iqa_metric_measure, []

    def interrupted(*arguments):
        monkeypatch.setattr(library, "iqa_metric_measure", measuring)
        found.append(iqa.ssim(y[:, ::-1], x))
        return measuring(*arguments)

    monkeypatch.setattr(library, "iqa_metric_measure", interrupted)
    assert iqa.ssim(x, y) == first != second
    assert found == [second]
