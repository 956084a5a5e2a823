# SPDX-License-Identifier: MIT
"""iqa.torch, where PyTorch is installed, against automatic differentiation of a plain SSIM."""

import gc
import subprocess
import sys
import weakref

import pytest

torch = pytest.importorskip("torch")

import iqa.torch  # noqa: E402
from iqa._library import library  # noqa: E402

FUNCTIONS = [
    (iqa.torch.ssim, {}),
    (iqa.torch.ssim, {"border": "reflect", "covariance": "sample"}),
    (iqa.torch.ms_ssim, {"scale_weights": (0.4, 0.6)}),
    (iqa.torch.psnr, {}),
]


def images(seed=0, shape=(2, 3, 26, 29), kind=torch.float64):
    """A pair in 0 ... 1 with some distance."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(shape, generator=generator, dtype=torch.float64)
    y = (x + 0.2 * torch.rand(shape, generator=generator, dtype=torch.float64)) / 1.2
    return x.to(kind), y.to(kind)


def plain_ssim(x, y):
    """Windows inside the image, from the textbook."""
    taps = torch.exp(-((torch.arange(11, dtype=x.dtype) - 5) ** 2) / (2 * 1.5**2))
    taps = taps / taps.sum()
    channels = x.shape[1]
    window = torch.outer(taps, taps).expand(channels, 1, 11, 11)

    def mean(image):
        return torch.nn.functional.conv2d(image, window, groups=channels)

    mean_x, mean_y = mean(x), mean(y)
    xx, yy = mean(x * x) - mean_x**2, mean(y * y) - mean_y**2
    xy = mean(x * y) - mean_x * mean_y
    upper = (2 * mean_x * mean_y + 1e-4) * (2 * xy + 9e-4)
    return (upper / ((mean_x**2 + mean_y**2 + 1e-4) * (xx + yy + 9e-4))).mean((1, 2, 3))


def gradients(function, x, y):
    """The value and its gradients, where the images weigh differently."""
    x, y = x.clone().requires_grad_(), y.clone().requires_grad_()
    values = function(x, y)
    weights = torch.arange(1.0, len(values) + 1, dtype=values.dtype)
    (values * weights).sum().backward()
    return values.detach(), x.grad, y.grad


def test_ssim_against_automatic_differentiation():
    x, y = images()
    found = gradients(lambda a, b: iqa.torch.ssim(a, b, 1.0, reduction="none"), x, y)
    expected = gradients(plain_ssim, x, y)
    for one, other in zip(found, expected):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("function", "options"), FUNCTIONS)
def test_central_differences(function, options):
    x, y = images(1, (2, 1, 24, 25))

    def of(a, b):
        return function(a, b, 1.0, reduction="none", **options)

    x, y = x.requires_grad_(), y.requires_grad_()
    assert torch.autograd.gradcheck(of, (x, y), eps=1e-5, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("function", "options"), FUNCTIONS)
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32])
def test_element_types(function, options, kind):
    x, y = images(2)
    x, y = x.to(kind), y.to(kind)
    found = gradients(lambda a, b: function(a, b, 1.0, reduction="none", **options), x, y)
    wide = gradients(
        lambda a, b: function(a, b, 1.0, reduction="none", **options), x.double(), y.double()
    )
    assert found[0].dtype == torch.float32
    assert found[1].dtype == found[2].dtype == kind
    tolerance = {torch.float16: 2e-3, torch.bfloat16: 2e-2, torch.float32: 1e-4}[kind]
    for one, other in zip(found, wide):
        assert torch.allclose(one.double(), other, rtol=tolerance, atol=1e-2 * tolerance)


def test_mean_and_layouts():
    x, y = images(3)
    mean = iqa.torch.ssim(x, y, 1.0)
    assert mean.ndim == 0
    assert mean.item() == pytest.approx(iqa.torch.ssim(x, y, 1.0, reduction="none").mean().item())
    last = iqa.torch.ssim(x.permute(0, 2, 3, 1), y.permute(0, 2, 3, 1), 1.0, "NHWC")
    assert last == mean
    one = iqa.torch.ssim(x[0, 0], y[0, 0], 1.0, "HW", reduction="none")
    assert one.shape == (1,)
    with pytest.raises(ValueError, match="reduction is 'sum', expected one of 'mean', 'none'"):
        iqa.torch.ssim(x, y, 1.0, reduction="sum")


def test_weights_and_volumes():
    x, y = images(4, (1, 1, 14, 15, 16))
    mask = torch.ones(1, 14, 15, 16, dtype=torch.uint8)
    mask[:, :7] = 0
    y.requires_grad_()
    value = iqa.torch.ssim(x, y, 1.0, "NCDHW", weights=mask, sigma=0.8)
    value.backward()
    assert (y.grad[0, 0, :7] == 0).all()
    assert (y.grad[0, 0, 7:] != 0).any()


@pytest.mark.parametrize(("function", "options"), FUNCTIONS)
def test_nothing_is_read_back(function, options, monkeypatch):
    """Each of these would wait for a GPU."""
    x, y = images(7)
    y.requires_grad_()
    function(x, y, 1.0, **options)
    for name in ("compute", "read", "serialize", "lanes"):
        monkeypatch.setattr(library, f"iqa_metric_{name}", None)
    function(x, y, 1.0, **options).backward()
    assert y.grad.abs().sum() > 0


def test_loss():
    x, y = images(8)
    assert iqa.torch.ssim_loss(x, x, 1.0) == 0
    loss = iqa.torch.ssim_loss(x, y, 1.0, sigma=1.0, reduction="none")
    assert torch.equal(loss, 1 - iqa.torch.ssim(x, y, 1.0, sigma=1.0, reduction="none"))


def test_only_what_is_needed():
    x, y = images(5)
    assert not iqa.torch.ssim(x, y, 1.0).requires_grad
    x.requires_grad_()
    iqa.torch.ssim(x, y, 1.0).backward()
    assert y.grad is None
    assert torch.isfinite(x.grad).all()


def test_a_descent_raises_ssim():
    x, y = images(6, kind=torch.float32)
    y.requires_grad_()
    optimizer = torch.optim.Adam([y], lr=0.02)
    before = iqa.torch.ssim(x, y, 1.0).item()
    for _ in range(20):
        optimizer.zero_grad()
        (1 - iqa.torch.ssim(x, y, 1.0)).backward()
        optimizer.step()
    assert before < 0.98
    assert iqa.torch.ssim(x, y, 1.0).item() > 0.99


def test_importing_iqa_does_not_import_pytorch():
    code = "import sys, iqa; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("function", "options"), FUNCTIONS)
def test_compiled(function, options):
    """One graph, with the value and the gradient of the plain call."""
    x, y = images(9)

    def of(a, b):
        return function(a * 1, b * 1, 1.0, reduction="none", **options)

    plain = gradients(of, x, y)
    torch._dynamo.reset()
    compiled = gradients(torch.compile(of, fullgraph=True, backend="aot_eager"), x, y)
    for one, other in zip(compiled, plain):
        assert torch.equal(one, other)


def test_the_operator_keeps_its_promises():
    """Shapes, types and strides of the stand-in that torch.compile asks are the operator's."""
    number = iqa.torch._number_of("ssim", "NCHW", None, {})
    for kind in (torch.float64, torch.float32, torch.bfloat16):
        for needed in ((False, False), (True, False), (True, True)):
            arguments = (*images(kind=kind), None, 0.0, 1.0, number, *needed)
            torch.library.opcheck(torch.ops.iqa.per_image.default, arguments)


@pytest.mark.parametrize(("function", "options"), FUNCTIONS)
def test_functional_gradients(function, options):
    x, y = images(10)
    expected = gradients(lambda a, b: function(a, b, 1.0, reduction="none", **options), x, y)
    weights = torch.arange(1.0, 3.0, dtype=torch.float64)
    found = torch.func.grad(
        lambda a, b: (function(a, b, 1.0, reduction="none", **options) * weights).sum(), (0, 1)
    )(x, y)
    assert torch.equal(found[0], expected[1])
    assert torch.equal(found[1], expected[2])


@pytest.mark.parametrize(("function", "options"), FUNCTIONS)
def test_second_derivatives_are_refused(function, options):
    x, y = images(11)
    y.requires_grad_()
    value = function(x, y, 1.0, **options)
    (first,) = torch.autograd.grad(value, y, create_graph=True)
    assert first.requires_grad
    (plain,) = torch.autograd.grad(function(x, y, 1.0, **options), y)
    assert torch.equal(first, plain)
    with pytest.raises(iqa.InvalidArgumentError, match="first derivatives alone"):
        first.square().sum().backward()
    # One whose second derivative nobody asks for is in nobody's way.
    other = (y**3).sum() + function(x, y, 1.0, **options).detach()
    (slope,) = torch.autograd.grad(other, y, create_graph=True)
    slope.sum().backward()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("function", "options"), FUNCTIONS)
def test_mixed_types(function, options, kind):
    """A float32 target beside the output of a network under autocast."""
    x, y = images(12, kind=torch.float32)
    low = y.to(kind)
    expected = gradients(
        lambda a, b: function(a, b, 1.0, reduction="none", **options), x, low.float()
    )
    found = gradients(lambda a, b: function(a, b, 1.0, reduction="none", **options), x, low)
    assert found[0].dtype == found[1].dtype == torch.float32
    assert found[2].dtype == kind
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])
    assert torch.equal(found[2], expected[2].to(kind))
    with pytest.raises(iqa.DtypeError, match="uint8"):
        function((x * 255).byte(), y, 1.0, **options)


def test_autocast():
    x, y = images(13, kind=torch.float32)
    network = torch.nn.Conv2d(3, 3, 1)
    with torch.autocast("cpu", torch.bfloat16):
        output = network(y)
        assert output.dtype == torch.bfloat16
        iqa.torch.ssim_loss(x, output, 1.0).backward()
    assert torch.isfinite(network.weight.grad).all()
    assert network.weight.grad.abs().sum() > 0


LOSSES = [
    (iqa.torch.SSIMLoss, {"sigma": 1.0}, lambda *a, **o: 1 - iqa.torch.ssim(*a, **o)),
    (
        iqa.torch.MSSSIMLoss,
        {"scale_weights": [0.4, 0.6]},
        lambda *a, **o: 1 - iqa.torch.ms_ssim(*a, **o),
    ),
    (iqa.torch.PSNRLoss, {"cap": 60.0}, lambda *a, **o: -iqa.torch.psnr(*a, **o)),
]


class TestLosses:
    @pytest.mark.parametrize(("kind", "options", "function"), LOSSES)
    def test_they_are_the_functions(self, kind, options, function):
        x, y = images(14)
        mask = torch.ones(2, 1, 26, 29, dtype=torch.uint8)
        mask[:, :, :4] = 0
        for reduction in ("mean", "none"):
            loss = kind(1.0, reduction=reduction, **options)
            expected = function(x, y, 1.0, reduction=reduction, **options)
            assert torch.equal(loss(x, y), expected)
        masked = function(x, y, 1.0, weights=mask, **options)
        assert kind(1.0, **options)(x, y, weights=mask) == masked
        assert f"{kind.__name__}(data_range=1.0, layout='NCHW'" in repr(loss)
        assert not list(loss.parameters())

    @pytest.mark.parametrize(("kind", "options", "function"), LOSSES)
    def test_compiled(self, kind, options, function):
        x, y = images(15)
        loss = kind(1.0, **options)
        torch._dynamo.reset()
        assert torch.compile(loss, fullgraph=True, backend="aot_eager")(x, y) == loss(x, y)

    @pytest.mark.parametrize("kind", [kind for kind, *_ in LOSSES])
    def test_options_are_checked_at_once(self, kind):
        with pytest.raises(iqa.ArgumentTypeError, match="no option 'windw'"):
            kind(1.0, windw=3)
        with pytest.raises(iqa.InvalidArgumentError, match="reduction is 'sum', expected one of"):
            kind(1.0, reduction="sum")
        with pytest.raises(iqa.InvalidArgumentError, match="nonfinite is 'x'"):
            kind(1.0, nonfinite="x")


def test_contexts_are_not_kept():
    x, y = images(16)
    context = iqa.Context(threads=1)
    alive = weakref.ref(context)
    assert iqa.torch.ssim(x, y, 1.0, context=context) == iqa.torch.ssim(x, y, 1.0)
    del context
    gc.collect()
    assert alive() is None


RANK = """
import sys
import torch
import torch.distributed as dist
import iqa
folder, rank = sys.argv[1], int(sys.argv[2])
dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)


def reduced(metric):
    ends = torch.tensor([metric.fingerprint, ~metric.fingerprint])
    dist.all_reduce(ends, dist.ReduceOp.MIN)
    lowest, highest = ends[0].item(), ~ends[1].item()
    lanes = torch.from_numpy(metric.lanes())
    dist.all_reduce(lanes)
    if lowest != highest:
        return "different"
    metric.reset()
    metric.add_lanes(lanes, fingerprint=lowest)
    return metric.compute().hex()


generator = torch.Generator().manual_seed(0)
x, y = torch.rand(2, 5, 1, 20, 20, generator=generator)
part = slice(0, 2) if rank == 0 else slice(2, 5)  # unequal shards
metric = iqa.SSIM(1.0, "NCHW")
metric.update(x[part], y[part])
other = iqa.SSIM(1.0, "NCHW", sigma=1 + rank)
print(reduced(metric), iqa.ssim(x, y, 1.0, "NCHW").hex(), reduced(other))
dist.destroy_process_group()
"""


def test_all_reduce(tmp_path):
    """Two processes of gloo: the bits of one, and different options are noticed."""
    ranks = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", RANK, str(tmp_path), str(rank)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    for rank in ranks:
        output, _ = rank.communicate(timeout=120)
        value, expected, other = output.split()
        assert value == expected
        assert other == "different"
