# SPDX-License-Identifier: MIT
"""CUDA arrays of other libraries: streams, order, outputs. No GPU is needed.

The arrays pretend to be on a CUDA device, and just before the library computes they are said to
be on the CPU: everything before and after that is as it is with a GPU.
"""

import ctypes
import gc
import sys
from itertools import groupby

import numpy as np
import pytest
from capsules import CUDA, OlderArray, VersionedArray
from pictures import batch, formula_pair
from pretended import CuPy, Torch, show

import iqa
from iqa import _abi
from iqa._library import library

SSIM = 0.9874162293236853
OUTPUTS = [name for name, _ in _abi.UpdateExtras._fields_ if name != "struct_size"]


class Jax(VersionedArray):
    __module__ = "jaxlib._jax"


class Numba:
    """Has __cuda_array_interface__ and nothing else."""

    def __init__(self, source, **more):
        interface = {**source.__array_interface__, "version": 3, **more}
        self.source, self.__cuda_array_interface__ = source, interface


@pytest.fixture
def calls(monkeypatch):
    """What reaches the library: (function, devices of what it was given) of each call."""
    found = []
    update, read = library.iqa_metric_update, library.iqa_metric_read

    def updating(handle, x, y, extras):
        addresses = [x, y]
        if extras is not None:
            addresses += [getattr(extras._obj, name) for name in OUTPUTS]
        tensors = [_abi.Tensor.from_address(address) for address in addresses if address]
        found.append(("update", [tensor.device_type for tensor in tensors]))
        for tensor in tensors:
            tensor.device_type = _abi.CPU
        try:
            return update(handle, x, y, extras)
        finally:
            for tensor, device in zip(tensors, found[-1][1]):
                tensor.device_type = device

    def reading(*arguments):
        found.append(("read", []))
        return read(*arguments)

    monkeypatch.setattr(library, "iqa_metric_update", updating)
    monkeypatch.setattr(library, "iqa_metric_read", reading)
    return found


@pytest.fixture(params=[Torch, CuPy])
def arrays(request, monkeypatch):
    """A library whose current stream is known."""
    it = request.param()
    monkeypatch.setitem(sys.modules, it.module.__name__, it.module)
    return it


@pytest.fixture
def measured(monkeypatch):
    """The devices of the tables that functions over tables are given, and the context's stream."""
    found = []

    def on_cpu(function, count):
        def measuring(context, options, *arguments):
            tensors = [_abi.Tensor.from_address(address) for address in arguments[:count]]
            found.append([tensor.device_type for tensor in tensors])
            for tensor in tensors:
                tensor.device_type = _abi.CPU
            try:
                return function(context, options, *arguments)
            finally:
                for tensor, device in zip(tensors, found[-1]):
                    tensor.device_type = device

        return measuring

    for name, count in (("iqa_measure_kid", 2), ("iqa_measure_inception_score", 1)):
        monkeypatch.setattr(library, name, on_cpu(getattr(library, name), count))
    return found


@pytest.fixture
def streams(monkeypatch):
    """The streams of the contexts that are made."""
    create, found = library.iqa_context_create, []

    def creating(options, handle):
        found.append(options._obj.cuda_stream)
        return create(options, handle)

    monkeypatch.setattr(library, "iqa_context_create", creating)
    return found


def asked(*shown):
    return [one.asked["stream"] for one in shown]


class TestCurrentStream:
    """A metric without a context goes where the library works."""

    def test_it_is_followed(self, arrays, calls, pair):
        x, y = map(arrays.show, pair)
        metric = iqa.SSIM(255)
        metric.update(x, y)
        assert calls == [("update", [CUDA, CUDA])]
        assert asked(x, y) == [-1, -1]
        assert metric._context.cuda_stream == 0x70
        assert arrays.waited() == []
        assert metric.compute() == SSIM

    def test_the_library_gets_it(self, arrays, calls, pair, streams):
        iqa.PSNR(255).update(*map(arrays.show, pair))
        assert streams[-1] == 0x70

    @pytest.mark.parametrize("number", [0, 1])
    def test_legacy_default(self, arrays, calls, pair, number):
        arrays.current = number
        metric = iqa.SSIM(255)
        own = metric._context
        x, y = map(arrays.show, pair)
        metric.update(x, y)
        assert metric._context is own
        assert own.cuda_stream is None
        assert asked(x, y) == [-1, -1]

    def test_another_one_takes_the_data_along(self, arrays, calls, pair):
        metric, expected = iqa.SSIM(255), iqa.SSIM(255)
        for stream, images in ((0, pair), (0x70, pair[::-1]), (0x90, pair), (0x90, pair)):
            arrays.current = stream
            metric.update(*map(arrays.show, images), per_image=True)
            expected.update(*images)
            assert (metric._context.cuda_stream or 0) == stream
        assert metric.to_bytes() == expected.to_bytes()
        assert metric.copy().lanes().tolist() == expected.lanes().tolist()

    def test_it_lives_as_long_as_the_metric(self, arrays, calls, pair):
        def alive():
            gc.collect()
            found = (ref() for ref in arrays.streams)
            return {stream.address for stream in found if stream is not None} - {0}

        x, y = map(arrays.show, pair)
        metric = iqa.SSIM(255)
        metric.update(x, y)
        assert alive() == {0x70}
        arrays.current = 0x90
        metric.update(x, y)
        assert alive() == {0x90}
        metric.close()
        del metric
        assert alive() == set()
        iqa.ssim(x, y, 255, k1=0.013)  # its metric is kept for the next call
        assert alive() == {0x90}

    def test_options_are_read_once(self, arrays, calls, pair, monkeypatch):
        metric = iqa.SSIM(255)
        metric.update(*map(arrays.show, pair), map=True)
        monkeypatch.setattr(library, "iqa_metric_serialize", None)  # it would wait for the device
        metric.update(*map(arrays.show, pair), map=True)

    def test_functions_keep_a_metric_for_each(self, arrays, calls, pair, monkeypatch):
        x, y = map(arrays.show, pair)
        for arrays.current in (0x1070, 0x1090, 0x1070, 0x1090):
            assert iqa.ssim(x, y, 255, k1=0.011) == iqa.ssim(*pair, data_range=255, k1=0.011)
        monkeypatch.setattr(library, "iqa_context_create", None)  # no more are needed
        for arrays.current in (0x1070, 0x1090):
            iqa.ssim(x, y, 255, k1=0.011)

    def test_confusion_and_fid(self, arrays, calls):
        labels = np.arange(60, dtype=np.uint8).reshape(2, 30) % 4
        x, y = arrays.show(labels), arrays.show(labels // 2)
        weights = arrays.show(np.ones((2, 30)))
        matrix = iqa.ConfusionMatrix(4, batched=True, weighted=True)
        counts = matrix.update(x, y, weights=weights, counts=True).counts
        assert isinstance(counts, arrays.array)
        assert counts.memory.shape == (2, 4, 4)
        assert counts.memory[:, :, 0].sum() == (labels == labels // 2).sum()
        features = np.random.default_rng(0).random((40, 3))
        metric = iqa.FID(3)
        metric.update(candidate=arrays.show(features))
        assert asked(x, y, weights, counts) == [-1] * 4
        assert metric._context.cuda_stream == matrix._context.cuda_stream == 0x70
        assert metric.rows == (0, 40)
        assert iqa.fid(arrays.show(features), arrays.show(features + 1)) == pytest.approx(3)


class TestContexts:
    """A context has a stream, which waits for the library's, and for which the library waits."""

    def test_another_stream(self, arrays, calls, pair):
        x, y = map(arrays.show, pair)
        found = iqa.ssim(x, y, 255, context=iqa.Context(cuda_stream=0x90), map=True)
        assert asked(x, y, found.map) == [0x90] * 3
        assert arrays.waited() == [(0x70, 0x90)] * 3
        assert found.value == SSIM

    def test_the_legacy_default(self, arrays, calls, pair):
        x, y = map(arrays.show, pair)
        iqa.PSNR(255, context=iqa.Context()).update(x, y)
        assert asked(x, y) == [1, 1]
        assert arrays.waited() == [(0x70, 0)] * 2

    def test_the_same_stream(self, arrays, calls, pair):
        x, y = map(arrays.show, pair)
        iqa.PSNR(255, context=iqa.Context(cuda_stream=0x70)).update(x, y)
        assert asked(x, y) == [-1, -1]
        assert arrays.waited() == []

    @pytest.mark.parametrize(("stream", "address"), [(None, None), (0, None), (1, None), (2, 2)])
    def test_numbers(self, stream, address):
        assert iqa.Context(cuda_stream=stream).cuda_stream == address

    @pytest.mark.parametrize("stream", [-1, 2**64])
    def test_no_addresses(self, stream):
        with pytest.raises(iqa.InvalidArgumentError, match=f"cuda_stream is {stream}, expected"):
            iqa.Context(cuda_stream=stream)


class TestOutputs:
    """Arrays of the images' library, on their device."""

    def test_images(self, arrays, calls):
        images = batch(2)
        names = ("per_image", "per_channel", "map", "candidate_gradient", "reference_gradient")
        wanted = dict.fromkeys(names, True)
        expected = iqa.ssim(*images, data_range=1.0, layout="NCHW", **wanted)
        shown = map(arrays.show, images)
        found = iqa.ssim(*shown, data_range=1.0, layout="NCHW", **wanted)
        assert calls[-1] == ("update", [CUDA] * 7)
        assert found.value == expected.value
        for ours, host in zip(found[1:6], expected[1:6]):
            assert isinstance(ours, arrays.array)
            np.testing.assert_array_equal(ours.memory, host)

    def test_the_callers(self, arrays, calls, pair):
        ours = arrays.show(np.zeros(1))
        assert iqa.ssim(*map(arrays.show, pair), 255, per_image=ours).per_image is ours
        assert ours.memory[0] == SSIM
        assert not any(call[0] == "empty" for call in arrays.calls)

    @pytest.mark.parametrize("kind", [VersionedArray, OlderArray, Jax])
    def test_none_can_be_made(self, calls, pair, kind):
        x, y = (show(kind, image) for image in pair)
        with pytest.raises(iqa.InvalidArgumentError, match=r"map is True, expected .* PyTorch's"):
            iqa.ssim(x, y, 255, map=True)

    @pytest.mark.parametrize("kind", [Jax, VersionedArray, Numba])
    def test_read_only(self, calls, pair, kind):
        memory = np.zeros(1)
        if kind is Numba:
            memory.flags.writeable = False
            output = Numba(memory)
        else:
            output = show(kind, memory, read_only=kind is VersionedArray)
        with pytest.raises(iqa.InvalidArgumentError, match="per_image is read-only"):
            iqa.ssim(*(show(Jax, image) for image in pair), 255, per_image=output)


def test_pytorch_works_on_the_device_of_the_array(calls, pair, monkeypatch):
    torch = Torch()
    monkeypatch.setitem(sys.modules, "torch", torch.module)
    iqa.PSNR(255).update(*map(torch.show, pair))
    assert [call for call in torch.calls if call[0] == "device"] == [("device", 1)] * 2
    torch.calls.clear()
    torch.module.cuda.current_device = lambda: 1
    iqa.PSNR(255).update(*map(torch.show, pair))
    assert torch.calls == []


@pytest.mark.parametrize("kind", [Jax, VersionedArray])
class TestUnknownStreams:
    """Others put their work before the call's stream; the update waits until they may go on."""

    @pytest.mark.parametrize(("stream", "number"), [(None, 1), (2, 2), (0x90, 0x90)])
    def test_contexts(self, calls, pair, kind, stream, number):
        x, y = (show(kind, image) for image in pair)
        metric = iqa.SSIM(255, context=iqa.Context(cuda_stream=stream))
        metric.update(x, y)
        assert asked(x, y) == [number] * 2
        assert [name for name, _ in calls] == ["update", "read"]

    def test_without(self, calls, pair, kind):
        x, y = (show(kind, image) for image in pair)
        assert iqa.ssim(x, y, 255) == SSIM
        assert asked(x, y) == [1, 1]
        matrix = iqa.ConfusionMatrix(4)
        matrix.update(*(show(kind, np.zeros(3, np.uint8)) for _ in range(2)))
        features = show(kind, np.ones((4, 3)))
        iqa.FID(3).update(features)
        assert [name for name, _ in groupby(name for name, _ in calls)] == ["update", "read"] * 3


class TestInterface:
    """__cuda_array_interface__, version 3."""

    @pytest.mark.parametrize(
        ("more", "stream"),
        [
            ({}, None),
            ({"stream": None}, None),
            ({"stream": 1}, None),
            ({"stream": 2}, 2),
            ({"stream": 0x90}, 0x90),
        ],
    )
    def test_its_stream(self, calls, pair, monkeypatch, more, stream):
        metric = iqa.SSIM(255)
        streams = []
        wait = iqa.SSIM._wait

        def waiting(self):
            streams.append(self._context.cuda_stream)
            wait(self)

        monkeypatch.setattr(iqa.SSIM, "_wait", waiting)
        metric.update(*(Numba(image, **more) for image in pair))
        assert streams == [stream]
        # Other streams may end with the arrays.
        assert metric._context.cuda_stream == (2 if stream == 2 else None)
        assert calls == [("update", [CUDA, CUDA]), ("read", [])]
        assert metric.compute() == SSIM

    def test_a_context_has_to_have_it(self, calls, pair):
        x, y = (Numba(image, stream=0x90) for image in pair)
        metric = iqa.SSIM(255, context=iqa.Context(cuda_stream=0x70))
        problem = "reference is written on CUDA stream 144, but the context has cuda_stream=112"
        with pytest.raises(iqa.InvalidArgumentError, match=problem):
            metric.update(x, y)
        assert calls == []
        assert iqa.ssim(x, y, 255, context=iqa.Context(cuda_stream=0x90)) == SSIM
        x, y = (Numba(image, stream=1) for image in pair)
        assert iqa.ssim(x, y, 255, context=iqa.Context()) == SSIM

    def test_what_is_refused(self, calls, pair):
        x, y = pair
        with pytest.raises(iqa.InvalidArgumentError, match="has stream 0, expected None, 1"):
            iqa.ssim(Numba(x, stream=0), Numba(y), 255)
        with pytest.raises(iqa.InvalidArgumentError, match="candidate has a mask, expected one in"):
            iqa.ssim(Numba(x), Numba(y, mask=Numba(x)), 255)

    def test_strides(self, calls, pair):
        x, y = (np.repeat(image, 2, axis=1)[:, ::2] for image in pair)
        assert iqa.ssim(Numba(x), Numba(y), 255) == SSIM


def test_both_sides_have_their_own_library(calls, pair, monkeypatch):
    torch, cupy = Torch(), CuPy()
    monkeypatch.setitem(sys.modules, "torch", torch.module)
    monkeypatch.setitem(sys.modules, "cupy", cupy.module)
    cupy.current = 0x90
    x, y = torch.show(pair[0]), cupy.show(pair[1])
    metric = iqa.SSIM(255)
    metric.update(x, y)
    assert metric._context.cuda_stream == 0x70
    assert asked(x, y) == [-1, 0x70]
    assert (torch.waited(), cupy.waited()) == ([], [(0x90, 0x70)])


def test_a_refusal_of_dlpack_is_told(calls, pair):
    class Refuses(VersionedArray):
        @property
        def __cuda_array_interface__(self):
            raise AssertionError("it says nothing of streams")

        def __dlpack__(self, **_):
            raise BufferError("per-thread default stream is not supported")

    x, y = (show(Refuses, image) for image in pair)
    with pytest.raises(iqa.InvalidArgumentError, match="per-thread default stream"):
        iqa.ssim(x, y, 255, context=iqa.Context(cuda_stream=2))


def test_mixed_devices(pair):
    for x, y in ((show(Jax, pair[0]), pair[1]), (pair[0], show(Jax, pair[1]))):
        with pytest.raises(iqa.DeviceError, match="candidate is on device"):
            iqa.ssim(x, y, 255)


def test_pinned_and_managed_memory(calls, monkeypatch):
    """Device 3 is the host's memory; device 13 has streams."""
    x, y = formula_pair(64)
    pinned = [VersionedArray(image, 2, 64, 3) for image in (x, y)]
    assert iqa.ssim(*pinned, 255, per_image=True).per_image.tolist() == [SSIM]
    managed = [VersionedArray(image, 2, 64, 13) for image in (x, y)]
    assert iqa.ssim(*managed, 255) == SSIM
    assert asked(*pinned, *managed) == [None, None, 1, 1]


def test_addresses_arrive(monkeypatch, pair):
    """What the library is given are the arrays themselves."""
    seen = []

    def updating(handle, x, y, extras):
        seen.extend(ctypes.cast(_abi.Tensor.from_address(t).data, ctypes.c_void_p) for t in (x, y))
        return 0

    monkeypatch.setattr(library, "iqa_metric_update", updating)
    iqa.SSIM(255).update(*map(Numba, pair))
    assert [pointer.value for pointer in seen] == [image.ctypes.data for image in pair]


FEW = {"subsets": 3, "subset_size": 20}


class TestTables:
    """KID and the Inception Score, which are calls and keep no metric."""

    @staticmethod
    def rows(seed, count=40):
        return np.random.default_rng(seed).random((count, 3))

    def test_the_current_stream(self, arrays, measured, streams):
        x, y = map(arrays.show, (self.rows(1), self.rows(2)))
        assert iqa.kid(x, y, **FEW) == iqa.kid(self.rows(1), self.rows(2), **FEW)
        assert iqa.inception_score(x) == iqa.inception_score(self.rows(1))
        assert measured == [[CUDA, CUDA], [_abi.CPU, _abi.CPU], [CUDA], [_abi.CPU]]
        assert streams == [0x70, None, 0x70, None]
        assert asked(x, y) == [-1, -1]

    def test_the_stream_of_a_context(self, arrays, measured, streams):
        x, y = map(arrays.show, (self.rows(1), self.rows(2)))
        iqa.kid(x, y, **FEW, context=iqa.Context(cuda_stream=0x90))
        iqa.inception_score(x, context=iqa.Context())
        assert streams == [0x90, None]
        assert asked(x, y) == [1, 0x90]

    @pytest.mark.parametrize("kind", [Jax, VersionedArray])
    def test_unknown_streams(self, measured, streams, kind):
        x, y = (show(kind, self.rows(seed)) for seed in (1, 2))
        assert iqa.kid(x, y, **FEW) == iqa.kid(self.rows(1), self.rows(2), **FEW)
        assert asked(x, y) == [1, 1]
        metric = iqa.KID()
        with pytest.raises(iqa.UnavailableError, match="reference cannot be kept for later"):
            metric.update(x, y)
        assert metric.rows == (0, 0)

    def test_batches_stay_there(self, arrays, measured, streams):
        metric = iqa.KID(**FEW)
        parts = [self.rows(seed) for seed in range(4)]
        for memory, arrays.current in zip(parts, (0x70, 0x80, 0x90, 0x90)):
            shown = arrays.show(memory.copy())
            metric.update(reference=shown)
            shown.memory[:] = np.nan  # it is not needed any more
        metric.update(candidate=arrays.show(self.rows(7)))
        assert metric.rows == (160, 40)
        expected = iqa.kid(np.concatenate(parts), self.rows(7), **FEW)
        arrays.calls.clear()
        assert metric.compute() == metric.compute() == expected
        assert sorted(arrays.waited()) == [(0x90, 0x70), (0x90, 0x80)]
        assert [call for call in arrays.calls if call[0] == "joined"] == [("joined", 4)]
        assert measured[-1] == [CUDA, CUDA]
        assert streams[-1] == 0x90
        with pytest.raises(iqa.DeviceError, match="candidate is on another device than the first"):
            metric.update(candidate=self.rows(7))
        metric.reset("candidate")
        with pytest.raises(iqa.NoDataError, match="candidate set has 0 rows"):
            metric.compute()

    def test_jax_keeps_its_arrays(self, measured, monkeypatch):
        module = type(sys)("jax")
        module.Array = Jax
        module.numpy = type(sys)("jax.numpy")
        module.numpy.concatenate = lambda batches: show(
            Jax, np.concatenate([batch.memory for batch in batches])
        )
        monkeypatch.setitem(sys.modules, "jax", module)
        metric = iqa.KID(**FEW)
        for seed in (1, 2):
            metric.update(show(Jax, self.rows(seed)), show(Jax, self.rows(seed + 2)))
        sides = (np.concatenate([self.rows(seed) for seed in pair]) for pair in ((1, 2), (3, 4)))
        assert metric.compute() == iqa.kid(*sides, **FEW)
