# SPDX-License-Identifier: MIT
"""SSIM, MS-SSIM and PSNR as differentiable functions of PyTorch tensors.

    >>> import iqa.torch
    >>> loss = iqa.torch.ssim_loss(target, output, data_range=1.0)
    >>> loss.backward()

The gradients are the library's analytic ones, computed with the value in one pass; no graph of
filters is kept. CUDA tensors are measured on PyTorch's current stream, forward and backward
without a copy to the host and without waiting for the device. `import iqa` does not import this
module, nor PyTorch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from ._metric import Metric, measure_by
from ._psnr import PSNR
from ._ssim import MS_SSIM, SSIM

__all__ = ["ms_ssim", "psnr", "ssim", "ssim_loss"]

_WIDE = (torch.float32, torch.float64)


class _PerImage(Function):
    """The value of each image, and the gradients with respect to the images."""

    @staticmethod
    def forward(
        ctx: Any,
        reference: torch.Tensor,
        candidate: torch.Tensor,
        metric: type[Metric],
        settings: dict[str, Any],
    ) -> torch.Tensor:
        x, y = reference.detach(), candidate.detach()
        images = x.shape[0] if settings["layout"].startswith("N") else 1
        kind = x.dtype if x.dtype in _WIDE else torch.float32
        values = torch.empty(images, dtype=torch.float64, device=x.device)
        gradients = [
            torch.empty(x.shape, dtype=kind, device=x.device) if needed else None
            for needed in ctx.needs_input_grad[:2]
        ]
        extras = {
            "per_image": values,
            "weights": settings["weights"],
            "reference_gradient": gradients[0],
            "candidate_gradient": gradients[1],
        }
        measure_by(
            metric,
            (x, y),
            settings["data_range"],
            settings["layout"],
            settings["context"],
            extras,
            settings["options"],
            lambda *_: None,  # the values are in the tensor: on a GPU nobody waits for them
        )
        ctx.save_for_backward(*gradients)
        ctx.kind = x.dtype
        return values.to(kind)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[Any, ...]:
        def chain(gradient: torch.Tensor | None) -> torch.Tensor | None:
            if gradient is None:
                return None
            factors = upstream.reshape(-1, *[1] * (gradient.ndim - 1))
            return (gradient * factors).to(ctx.kind)

        return *map(chain, ctx.saved_tensors), None, None


def _differentiable(
    metric: type[Metric],
    reference: torch.Tensor,
    candidate: torch.Tensor,
    data_range: float | tuple[float, float] | None,
    layout: str,
    context: Any,
    weights: Any,
    reduction: str,
    options: dict[str, Any],
) -> torch.Tensor:
    if reduction not in ("mean", "none"):
        raise ValueError(f"reduction is {reduction!r}, expected one of 'mean', 'none'")
    settings = {
        "data_range": data_range,
        "layout": layout,
        "context": context,
        "weights": weights,
        "options": options,
    }
    values: torch.Tensor = _PerImage.apply(reference, candidate, metric, settings)
    return values.mean() if reduction == "mean" else values


def ssim(
    reference: torch.Tensor,
    candidate: torch.Tensor,
    data_range: float | tuple[float, float] | None = None,
    layout: str = "NCHW",
    *,
    context: Any = None,
    weights: Any = None,
    reduction: str = "mean",
    **options: Any,
) -> torch.Tensor:
    """The structural similarity of batches of images, differentiable in both.

    Args:
        reference: float16, bfloat16, float32 or float64, of any strides.
        candidate: the same shape, element type and device.
        data_range: L, or a pair (low, high).
        layout: of the tensors; see iqa.SSIM.
        context: threads, instruction set; None for those of an iqa.Context().
        weights: a mask or weights of pixels; see iqa.SSIM.update. Not differentiable.
        reduction: "mean" over the images, or "none" for one value per image.
        **options: of iqa.SSIM.

    Returns:
        A tensor of the images' element type, or float32 for the 16-bit ones.
    """
    return _differentiable(
        SSIM, reference, candidate, data_range, layout, context, weights, reduction, options
    )


def ssim_loss(
    reference: torch.Tensor,
    candidate: torch.Tensor,
    data_range: float | tuple[float, float] | None = None,
    layout: str = "NCHW",
    **arguments: Any,
) -> torch.Tensor:
    """1 - ssim(), with the same arguments: 0 for equal images."""
    return 1 - ssim(reference, candidate, data_range, layout, **arguments)


def ms_ssim(
    reference: torch.Tensor,
    candidate: torch.Tensor,
    data_range: float | tuple[float, float] | None = None,
    layout: str = "NCHW",
    *,
    context: Any = None,
    weights: Any = None,
    reduction: str = "mean",
    **options: Any,
) -> torch.Tensor:
    """The multi-scale structural similarity; see ssim() and iqa.MS_SSIM."""
    return _differentiable(
        MS_SSIM, reference, candidate, data_range, layout, context, weights, reduction, options
    )


def psnr(
    reference: torch.Tensor,
    candidate: torch.Tensor,
    data_range: float | tuple[float, float] | None = None,
    layout: str = "NCHW",
    *,
    context: Any = None,
    weights: Any = None,
    reduction: str = "mean",
    **options: Any,
) -> torch.Tensor:
    """The mean of the images' peak signal-to-noise ratios in dB; see ssim() and iqa.PSNR.

    Equal images are infinite, or what the option `cap` says, and have a gradient of 0; so have all
    images whose value is the cap.
    """
    if options.get("gradient", "psnr") != "psnr":
        raise ValueError(f"gradient is {options['gradient']!r}, expected 'psnr': it is the value's")
    return _differentiable(
        PSNR, reference, candidate, data_range, layout, context, weights, reduction, options
    )
