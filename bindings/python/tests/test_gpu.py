# SPDX-License-Identifier: MIT
"""The same on a GPU, where there is one, as on the CPU: bits, streams, graphs, other libraries."""

import numpy as np
import pytest
from pictures import batch

torch = pytest.importorskip("torch")

import iqa  # noqa: E402
import iqa.torch  # noqa: E402

if not torch.cuda.is_available() or not iqa.cuda_state().startswith("available"):
    pytest.skip("no GPU that this library can use", allow_module_level=True)

OUTPUTS = ("per_image", "per_channel", "map", "candidate_gradient", "reference_gradient")
TYPES = ["uint8", "int16", "float16", "bfloat16", "float32", "float64"]


def tensors(count=3, kind="float32", seed=0):
    """A pair of batches on the CPU."""
    x, y = (torch.from_numpy(np.array(image)) for image in batch(count, seed=seed))
    scale = 255 if kind in ("uint8", "int16") else 1
    return [(scale * image).to(getattr(torch, kind)) for image in (x, y)], scale


def on_gpu(*given):
    return [tensor.cuda() for tensor in given]


def late(*given):
    """The same on the GPU, but written there only after a while."""
    found = [torch.zeros_like(tensor, device="cuda") for tensor in given]
    torch.cuda.synchronize()
    torch.cuda._sleep(100_000_000)
    for target, source in zip(found, on_gpu(*given)):
        target.copy_(source)
    return found


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("measure", [iqa.ssim, iqa.psnr])
def test_bits(measure, kind):
    images, peak = tensors(kind=kind)
    names = [name for name in OUTPUTS if name != "map" or measure is iqa.ssim]
    wanted = dict.fromkeys(names, True)
    expected = measure(*images, peak, "NCHW", **wanted)
    found = measure(*on_gpu(*images), peak, "NCHW", **wanted)
    assert found.value == expected.value
    for name in names:
        ours = getattr(found, name)
        assert ours.is_cuda
        np.testing.assert_array_equal(ours.cpu().numpy(), getattr(expected, name), name)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_strides(layout):
    images, peak = tensors(2)
    axes = (0, 2, 3, 1) if layout == "NHWC" else (0, 1, 2, 3)
    shown = [image.flip(2).permute(axes) for image in on_gpu(*images)]
    shown = [image[:, ::2] for image in shown]
    expected = iqa.ssim(*(image.cpu().contiguous() for image in shown), peak, layout)
    assert iqa.ssim(*shown, peak, layout) == expected


def test_states():
    images, peak = tensors(4)
    for create in (iqa.SSIM, iqa.PSNR):
        here, there = create(peak, "NCHW"), create(peak, "NCHW")
        here.update(*images)
        there.update(*on_gpu(*images))
        assert there.to_bytes() == here.to_bytes()


@pytest.mark.parametrize("classes", [2, 19, 3000])
def test_confusion(classes):
    generator = torch.Generator().manual_seed(classes)
    labels = [torch.randint(classes, (3, 97, 101), generator=generator) for _ in range(2)]
    here, there = iqa.ConfusionMatrix(classes), iqa.ConfusionMatrix(classes)
    here.update(*labels)
    there.update(*on_gpu(*labels))
    assert there.to_bytes() == here.to_bytes()


def test_fid():
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.rand(rows, 48, generator=generator) for rows in (200, 300))
    here, there = iqa.FID(48), iqa.FID(48)
    here.update(x, y)
    there.update(*on_gpu(x, y))
    assert there.to_bytes() == here.to_bytes()
    assert there.compute() == pytest.approx(here.compute(), rel=1e-11)


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
def test_kid_prdc_and_inception_score(kind):
    generator = torch.Generator().manual_seed(1)
    x, y = (
        torch.rand(rows, 290, generator=generator).to(getattr(torch, kind)) for rows in (700, 500)
    )
    few = {"subsets": 5, "subset_size": 200}
    for options in ({"subsets": 0}, few):
        assert iqa.kid(*on_gpu(x, y), **options) == iqa.kid(x, y, **options)
    assert iqa.prdc(*on_gpu(x, y)) == iqa.prdc(x, y)
    assert iqa.inception_score(*on_gpu(8 * x)) == iqa.inception_score(8 * x)
    for stream in (torch.cuda.default_stream(), torch.cuda.Stream()):
        metric = iqa.KID(**few)
        with torch.cuda.stream(stream):
            for batch in late(*x.split(200)):
                metric.update(reference=batch)
                batch.zero_()
            metric.update(candidate=late(y)[0])
            assert metric.compute() == iqa.kid(x, y, **few)


def contexts():
    """A context, and the stream that is PyTorch's current one meanwhile."""
    side = torch.cuda.Stream()
    yield None, torch.cuda.default_stream()
    yield None, side
    yield iqa.Context(), side
    yield iqa.Context(cuda_stream=side.cuda_stream), torch.cuda.default_stream()
    yield iqa.Context(cuda_stream=side.cuda_stream), torch.cuda.Stream()


def test_streams():
    """Inputs that are not ready yet, outputs that are used and inputs that are gone at once."""
    for context, stream in contexts():
        images, peak = tensors(3, seed=7)
        metric = iqa.SSIM(peak, "NCHW", context=context)
        expected = iqa.ssim(*images, peak, "NCHW", map=True)
        with torch.cuda.stream(stream):
            shown = late(*images)
            made = metric.update(*shown, map=True).map
            total = made.sum(dtype=torch.float64) + 0
            for image in shown:
                image.zero_()
            del shown, made
            torch.full((3, 3, 64, 64), torch.nan, device="cuda")
        assert metric.compute() == expected.value
        stream.synchronize()
        assert total.item() == pytest.approx(expected.map.sum(dtype=np.float64), rel=1e-12)


def test_memory_that_is_used_again():
    here, there = iqa.PSNR(1.0, "NCHW"), iqa.PSNR(1.0, "NCHW")
    for seed in range(40):
        images, _ = tensors(2, seed=seed)
        here.update(*images)
        there.update(*on_gpu(*images))
    assert there.to_bytes() == here.to_bytes()


def test_a_stream_after_another():
    here, there = iqa.SSIM(1.0, "NCHW"), iqa.SSIM(1.0, "NCHW")
    for seed in range(4):
        images, _ = tensors(1, seed=seed)
        here.update(*images)
        with torch.cuda.stream(torch.cuda.Stream()):
            there.update(*late(*images))
    assert there.to_bytes() == here.to_bytes()


def test_an_update_in_a_graph():
    stream = torch.cuda.Stream()
    images, peak = tensors(2)
    here = iqa.SSIM(peak, "NCHW")
    there = iqa.SSIM(peak, "NCHW", context=iqa.Context(cuda_stream=stream.cuda_stream))
    with torch.cuda.stream(stream):
        x, y = on_gpu(*images)
        there.update(x, y)
    here.update(*images)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        there.update(x, y)
    for seed in (3, 4):
        images, _ = tensors(2, seed=seed)
        here.update(*images)
        with torch.cuda.stream(stream):
            x.copy_(images[0])
            y.copy_(images[1])
            graph.replay()
    assert there.lanes().tolist() == here.lanes().tolist()


@pytest.mark.parametrize("function", [iqa.torch.ssim_loss, iqa.torch.psnr])
def test_training(function):
    """Forward and backward, as they are and in a graph, which could neither copy nor wait."""
    (x, y), _ = tensors(2)

    def step(x, y):
        y.grad = None
        value = function(x, y, 1.0)
        value.backward()
        return value.detach(), y.grad

    expected = step(x, y.clone().requires_grad_())
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        x, y = on_gpu(x, y)
        y.requires_grad_()
        found = step(x, y)
        for ours, theirs in zip(found, expected):
            torch.testing.assert_close(ours.cpu(), theirs, rtol=1e-6, atol=0)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        captured = step(x, y)
    graph.replay()
    torch.cuda.synchronize()
    for ours, theirs in zip(captured, expected):
        torch.testing.assert_close(ours.cpu(), theirs, rtol=1e-6, atol=0)


def test_cupy():
    cupy = pytest.importorskip("cupy")
    images, peak = tensors(2)
    expected = iqa.ssim(*images, peak, "NCHW", map=True)
    with cupy.cuda.Stream(non_blocking=True):
        found = iqa.ssim(*(cupy.asarray(i.numpy()) for i in images), peak, "NCHW", map=True)
        assert isinstance(found.map, cupy.ndarray)
        np.testing.assert_array_equal(found.map.get(), expected.map)
        rows = np.random.default_rng(0).random((300, 20))
        metric = iqa.KID(subsets=0)
        for half in (rows[:100], rows[100:]):
            metric.update(cupy.asarray(half), cupy.asarray(half * half))
        assert metric.compute() == iqa.kid(rows, rows * rows, subsets=0)
        assert iqa.inception_score(cupy.asarray(rows)) == iqa.inception_score(rows)
    assert found.value == expected.value


def test_jax(monkeypatch):
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    jax = pytest.importorskip("jax")
    images, peak = tensors(2)
    x, y = (jax.device_put(image.numpy(), jax.devices("gpu")[0]) for image in images)
    assert iqa.ssim(x + 0, y + 0, peak, "NCHW") == iqa.ssim(*images, peak, "NCHW")
    with pytest.raises(iqa.InvalidArgumentError, match="map is True, expected an array"):
        iqa.ssim(x, y, peak, "NCHW", map=True)
    here, there = iqa.PSNR(peak, "NCHW"), iqa.PSNR(peak, "NCHW")
    for seed in range(20):
        images, _ = tensors(2, seed=seed)
        here.update(*images)
        there.update(*(jax.device_put(image.numpy()) + 0 for image in images))
    assert there.to_bytes() == here.to_bytes()
    rows = np.random.default_rng(0).random((300, 20), "float32")
    metric = iqa.KID(subsets=0)
    for half in (rows[:100], rows[100:]):
        metric.update(jax.device_put(half) + 0, jax.device_put(half * half) + 0)
    assert metric.compute() == iqa.kid(rows, rows * rows, subsets=0)
    assert iqa.inception_score(jax.device_put(rows) + 0) == iqa.inception_score(rows)
