# SPDX-License-Identifier: MIT
"""iqa.torch, where PyTorch is installed, against automatic differentiation of a plain SSIM."""

import subprocess
import sys

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
