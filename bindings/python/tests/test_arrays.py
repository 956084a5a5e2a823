# SPDX-License-Identifier: MIT
"""Arrays of every protocol are borrowed, not copied."""

import array
import sys

import numpy as np
import pytest
from capsules import CUDA, OlderArray, UnversionedArray, VersionedArray
from pictures import batch, formula_pair
from PIL import Image

import iqa

EXPECTED = 0.9874162293236853


class Interface:
    """Has __array_interface__ and nothing else."""

    def __init__(self, source, **changes):
        self.source = source
        self.__array_interface__ = {**source.__array_interface__, **changes}


class CudaInterface:
    """Has __cuda_array_interface__ and nothing else."""

    def __init__(self, source):
        self.source = source
        self.__cuda_array_interface__ = {**source.__array_interface__, "version": 3}


@pytest.mark.parametrize("kind", [VersionedArray, OlderArray, UnversionedArray])
def test_capsules(pair, kind):
    for _ in range(2):  # the second time the kind of capsule is known
        shown = [kind(image, 2, 64) for image in pair]
        assert iqa.ssim(*shown, data_range=255) == EXPECTED


@pytest.mark.parametrize("kind", [VersionedArray, OlderArray])
def test_byte_offsets(pair, kind):
    shown = [kind(image, 2, 64, offset=48) for image in pair]
    assert iqa.ssim(*shown, data_range=255) == EXPECTED


def test_the_newest_known_version_is_asked_for(pair):
    shown = [VersionedArray(image, 2, 64) for image in pair]
    iqa.ssim(*shown, data_range=255)
    assert shown[0].asked == {"stream": None, "max_version": (1, 0)}


def test_bfloat16():
    wide = [np.round(image) for image in formula_pair(64)]  # below 256: 8 bits are enough
    upper = [image.astype(np.float32).view(np.uint32) >> 16 for image in wide]
    shown = [VersionedArray(image.astype(np.uint16), 4, 16) for image in upper]
    exact = iqa.ssim(*[image.astype(np.float32) for image in wide], data_range=255)
    assert iqa.ssim(*shown, data_range=255) == exact
    assert iqa.psnr(*shown, data_range=255) == iqa.psnr(*wide, data_range=255)


def test_bfloat16_of_numpy():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x, y = (image.astype(bfloat16) for image in formula_pair(64))
    assert iqa.psnr(x, y, 255.0) == iqa.psnr(*formula_pair(64), data_range=255)


def test_array_interface(pair):
    assert iqa.ssim(*map(Interface, pair), data_range=255) == EXPECTED
    x, y = (np.repeat(image, 2, axis=1)[:, ::2] for image in pair)
    assert iqa.ssim(Interface(x), Interface(y), 255) == EXPECTED
    x, y = (image[::-1, ::-1] for image in pair)
    assert Interface(x).__array_interface__["strides"][0] < 0
    assert iqa.ssim(Interface(x), Interface(y), 255) == pytest.approx(EXPECTED, abs=1e-12)


def test_array_interface_over_bytes(pair8):
    x, y = (Interface(image, data=image.tobytes(), strides=None) for image in pair8)
    assert iqa.psnr(x, y) == iqa.psnr(*pair8)
    x, y = (Interface(image, data=b"abc" + image.tobytes(), offset=3) for image in pair8)
    assert iqa.psnr(x, y) == iqa.psnr(*pair8)


def test_pillow(pair8):
    x, y = map(Image.fromarray, pair8)
    assert iqa.ssim(x, y) == iqa.ssim(*pair8)
    x, y = (np.stack([image] * 3, axis=-1) for image in pair8)
    assert iqa.ssim(Image.fromarray(x), Image.fromarray(y), layout="HWC") == iqa.ssim(*pair8)


@pytest.mark.parametrize("letter", ["B", "H", "h", "f", "d"])
def test_buffers(pair, letter):
    numbers = [array.array(letter, map(int, image.ravel())) for image in pair]
    x, y = (memoryview(one).cast("B").cast(letter, (64, 64)) for one in numbers)
    assert iqa.ssim(x, y, 255) == pytest.approx(EXPECTED, abs=2e-7, rel=0)
    assert iqa.ssim(x[::-1], y[::-1], 255) == pytest.approx(EXPECTED, abs=2e-7, rel=0)
    constant = memoryview(bytes(x)).cast(letter, (64, 64))
    assert iqa.ssim(constant, y, 255) == iqa.ssim(x, y, 255)


def test_read_only_arrays(pair):
    x, y = pair
    x.flags.writeable = False
    assert iqa.ssim(x, y, 255) == EXPECTED


def test_memory_is_borrowed_and_released():
    buffer = bytearray(64 * 64)
    shown = memoryview(buffer).cast("B", (64, 64))
    iqa.ssim(shown, shown)
    shown.release()
    buffer.extend(b"x")  # would raise BufferError if somebody still held it


def test_arrays_are_not_kept(pair):
    x, y = pair
    before = sys.getrefcount(x)
    metric = iqa.SSIM(255)
    metric.update(x, y)
    iqa.ssim(x, y, 255, map=True)
    assert sys.getrefcount(x) == before


@pytest.mark.parametrize(
    "thing", [3.5, None, {"a": 1}, object()], ids=lambda thing: str(type(thing))
)
def test_what_is_no_array(pair, thing):
    with pytest.raises(iqa.DtypeError, match=r"candidate is builtins.*, expected an array"):
        iqa.ssim(pair[0], thing, 255)


def test_records_are_refused():
    x = np.zeros((16, 16), [("a", "f4"), ("b", "f4")])
    with pytest.raises(iqa.DtypeError):
        iqa.ssim(x, x, 1.0)
    assert iqa.ssim(x["a"], x["b"], 1.0) == 1.0


@pytest.mark.parametrize("kind", ["interface", "capsule"])
def test_cuda_without_a_device(pair, kind):
    def on_device(image):
        return CudaInterface(image) if kind == "interface" else VersionedArray(image, 2, 64, CUDA)

    with pytest.raises(iqa.DeviceError, match="candidate"):
        iqa.ssim(pair[0], on_device(pair[1]), 255)
    if iqa.cuda_state().startswith("unavailable"):
        with pytest.raises(iqa.UnavailableError):
            iqa.ssim(on_device(pair[0]), on_device(pair[1]), 255)
    with pytest.raises(iqa.InvalidArgumentError, match="map is True, expected an array on"):
        iqa.ssim(on_device(pair[0]), on_device(pair[1]), 255, map=True)


def test_the_stream_is_told_to_cuda_arrays_alone(pair):
    context = iqa.Context(cuda_stream=64)
    shown = [VersionedArray(image, 2, 64) for image in pair]
    assert iqa.ssim(*shown, data_range=255, context=context) == EXPECTED
    assert shown[0].asked["stream"] is None
    shown = [VersionedArray(image, 2, 64, CUDA) for image in pair]
    if iqa.cuda_state().startswith("unavailable"):
        with pytest.raises(iqa.UnavailableError):
            iqa.ssim(*shown, data_range=255, context=context)
        assert shown[0].asked["stream"] == 64


class TestOutputs:
    """Arrays of the caller for the map and the values per image and channel."""

    def test_they_are_filled(self):
        x, y = batch(3)
        asked = iqa.ssim(x, y, 1.0, "NCHW", map=True, per_image=True, per_channel=True)
        given = iqa.Details(np.zeros(3), np.zeros((3, 3)), np.zeros((3, 3, 38, 46), np.float32))
        metric = iqa.SSIM(1.0, "NCHW")
        found = metric.update(x, y, **given._asdict())
        for ours, mine, expected in zip(found, given, asked[1:]):
            assert ours is mine
            np.testing.assert_array_equal(mine, expected)

    def test_strides(self):
        x, y = batch(2)
        expected = iqa.ssim(x, y, 1.0, "NCHW", map=True).map
        wide = np.zeros((2, 38, 46, 3, 2))
        shown = np.moveaxis(wide[..., 0], 3, 1)[:, :, ::-1]
        iqa.ssim(x, y, 1.0, "NCHW", map=shown)
        np.testing.assert_allclose(shown, expected, atol=1e-7)
        assert not wide[..., 1].any()

    def test_layouts_and_types(self, pair, pair8):
        assert iqa.ssim(*pair, data_range=255, map=True).map.dtype == np.float64
        assert iqa.ssim(*pair8, map=True).map.dtype == np.float32
        assert iqa.ssim(*pair8, map=True, arithmetic="float64").map.dtype == np.float64
        x, y = (image[None, :, :50, None] for image in pair)
        details = iqa.ssim(x, y, 255, "NHWC", map=True, border="zero", per_channel=True)
        assert details.map.shape == (1, 64, 50, 1)
        assert details.per_channel.shape == (1, 1)
        assert iqa.ssim(x, y, 255, "NHWC", map=True, size=(5, 9)).map.shape == (1, 60, 42, 1)
        assert iqa.ssim(x, y, 255, "NHWC", map=True, sigma=(2, 0.5)).map.shape == (1, 50, 46, 1)

    def test_buffers(self, pair):
        memory = bytearray(54 * 54 * 8)
        shown = memoryview(memory).cast("d", (54, 54))
        expected = iqa.ssim(*pair, data_range=255, map=True)
        found = iqa.ssim(*pair, data_range=255, map=shown)
        assert found.map is shown
        np.testing.assert_array_equal(np.asarray(shown), expected.map)

    def test_wrong_ones(self, pair):
        with pytest.raises(iqa.ShapeError, match=r"map has shape \[64, 64\]; expected \[54, 54\]"):
            iqa.ssim(*pair, data_range=255, map=np.zeros((64, 64)))
        with pytest.raises(iqa.DtypeError, match="per_image has element type float32"):
            iqa.ssim(*pair, data_range=255, per_image=np.zeros(1, np.float32))
        constant = np.zeros((54, 54))
        constant.flags.writeable = False
        for shown in (
            constant,
            Interface(constant),
            memoryview(bytes(constant)).cast("d", (54, 54)),
            VersionedArray(constant, 2, 64, read_only=True),
        ):
            with pytest.raises(iqa.InvalidArgumentError, match="map is read-only"):
                iqa.ssim(*pair, data_range=255, map=shown)
        with pytest.raises(iqa.InvalidArgumentError, match="this metric has no map"):
            iqa.PSNR(255).update(*pair, map=True)
        with pytest.raises(iqa.InvalidArgumentError, match="PSNR has no map"):
            iqa.PSNR(255).update(*pair, map=np.zeros((64, 64)))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float16", "bfloat16", "float32", "float64"])
def test_torch(dtype):
    torch = pytest.importorskip("torch")
    x, y = (torch.from_numpy(image).to(getattr(torch, dtype)) for image in formula_pair(64))
    value = iqa.ssim(x, y, 255.0)
    assert value == pytest.approx(EXPECTED, abs=2e-7, rel=0)
    assert iqa.ssim(x.t().contiguous().t(), y, 255.0) == value
    details = iqa.ssim(x, y, 255.0, map=torch.empty(54, 54))
    assert float(details.map.mean()) == pytest.approx(EXPECTED, abs=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float16", "bfloat16", "float32"])
def test_jax(dtype):
    jax = pytest.importorskip("jax")
    x, y = (jax.numpy.asarray(image, dtype=dtype) for image in formula_pair(64))
    assert iqa.ssim(x, y, 255.0) == pytest.approx(EXPECTED, abs=2e-7, rel=0)
