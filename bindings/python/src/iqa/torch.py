# SPDX-License-Identifier: MIT
"""SSIM, MS-SSIM and PSNR as differentiable functions of PyTorch tensors, and as losses.

    >>> import iqa.torch
    >>> loss = iqa.torch.SSIMLoss(data_range=1.0)
    >>> loss(target, output).backward()

The gradients are the library's analytic ones, computed with the value in one pass; no graph of
filters is kept. CUDA tensors are measured on PyTorch's current stream, forward and backward
without a copy to the host and without waiting for the device. The functions are one operator of
PyTorch, so torch.compile keeps its graph whole. `import iqa` does not import this module, nor
PyTorch.
"""

from __future__ import annotations

import math
import weakref
from typing import Any

import torch
from torch.autograd import Function

from ._errors import InvalidArgumentError
from ._measure import measure_by
from ._metric import Metric
from ._names import named
from ._options import plain
from ._psnr import PSNR
from ._ssim import MS_SSIM, SSIM

__all__ = ["MSSSIMLoss", "PSNRLoss", "SSIMLoss", "ms_ssim", "psnr", "ssim", "ssim_loss"]

_METRICS: dict[str, type[Metric]] = {"ssim": SSIM, "ms_ssim": MS_SSIM, "psnr": PSNR}
_WIDE = (torch.float32, torch.float64)

_settings: dict[tuple[Any, ...], int] = {}
"""A number for each metric, layout, context and options that were asked for: what an operator can
take, which knows no dictionaries."""
_numbered: list[tuple[Any, ...]] = []


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _number_of(metric: str, layout: str, context: Any, options: dict[str, Any]) -> int:
    values = ((k, tuple(v) if isinstance(v, list) else v) for k, v in plain(options).items())
    where = None if context is None else weakref.ref(context)
    key = (metric, layout, where, *values)
    if key not in _settings:
        _settings[key] = len(_numbered)
        _numbered.append(key)
    return _settings[key]


def _new_outputs(
    reference: torch.Tensor, number: int, needed: tuple[bool, ...]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Memory for the value of each image, and for the gradients or, in their place, nothing."""
    kind = reference.dtype if reference.dtype in _WIDE else torch.float32
    images = reference.shape[0] if _numbered[number][1].startswith("N") else 1
    values = reference.new_empty(images, dtype=torch.float64)
    of_reference, of_candidate = (
        reference.new_empty(reference.shape if one else (0,), dtype=kind) for one in needed
    )
    return values, of_reference, of_candidate


# Stated, since older releases do not read annotations that are text.
_SCHEMA = (
    "(Tensor reference, Tensor candidate, Tensor? weights, float low, float high, int number,"
    " bool reference_needed, bool candidate_needed) -> (Tensor, Tensor, Tensor)"
)


@torch.library.custom_op("iqa::per_image", mutates_args=(), schema=_SCHEMA)
def _per_image(
    reference: torch.Tensor,
    candidate: torch.Tensor,
    weights: torch.Tensor | None,
    low: float,
    high: float,
    number: int,
    reference_needed: bool,
    candidate_needed: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The value of each image, and its gradients with respect to the images."""
    metric, layout, where, *options = _numbered[number]
    needed = reference_needed, candidate_needed
    outputs = _new_outputs(reference, number, needed)
    extras = {
        "per_image": outputs[0],
        "weights": weights,
        "reference_gradient": outputs[1] if needed[0] else None,
        "candidate_gradient": outputs[2] if needed[1] else None,
    }
    measure_by(
        _METRICS[metric],
        (reference, candidate),
        None if math.isnan(low) else (low, high),
        layout,
        where and where(),
        extras,
        dict(options),
        lambda *_: None,  # the values are in the tensor: on a GPU nobody waits for them
    )
    return outputs


@_per_image.register_fake
def _(
    reference: Any, candidate: Any, weights: Any, low: Any, high: Any, number: int, *needed: bool
) -> Any:
    return _new_outputs(reference, number, needed)


class _First(Function):
    """A first derivative that says so when it is differentiated again."""

    @staticmethod
    def forward(gradient: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return gradient.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *_: torch.Tensor) -> Any:
        raise InvalidArgumentError(
            "iqa.torch has first derivatives alone, and a second one was asked for, as of a"
            " gradient made with create_graph=True"
        )


class _PerImage(Function):
    """The operator with its derivatives, for torch.autograd and torch.func."""

    @staticmethod
    def forward(*inputs: Any) -> Any:
        return _per_image(*inputs)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
        ctx.save_for_backward(*inputs[:2], *output[1:])
        ctx.needed = inputs[-2:]
        ctx.mark_non_differentiable(*output[1:])

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor, *_: Any) -> tuple[Any, ...]:
        *images, reference_gradient, candidate_gradient = ctx.saved_tensors
        found: list[Any] = []
        for gradient, needed in zip((reference_gradient, candidate_gradient), ctx.needed):
            if not needed:
                found.append(None)
                continue
            factors = upstream.reshape(-1, *[1] * (gradient.ndim - 1))
            one = (gradient * factors.detach()).to(images[0].dtype)
            found.append(_First.apply(one, upstream, *images) if torch.is_grad_enabled() else one)
        return *found, *[None] * 6


def _check_reduction(reduction: str) -> None:
    if reduction not in ("mean", "none"):
        raise InvalidArgumentError(f"reduction is {reduction!r}, expected one of 'mean', 'none'")


def _differentiable(
    metric: str,
    reference: torch.Tensor,
    candidate: torch.Tensor,
    data_range: float | tuple[float, float] | None,
    layout: str,
    context: Any,
    weights: Any,
    reduction: str,
    options: dict[str, Any],
) -> torch.Tensor:
    _check_reduction(reduction)
    if reference.is_floating_point() and candidate.is_floating_point():  # as under autocast
        kind = torch.promote_types(reference.dtype, candidate.dtype)
        reference, candidate = reference.to(kind), candidate.to(kind)
    if data_range is None:
        low, high = math.nan, math.nan
    else:
        low, high = data_range if isinstance(data_range, (tuple, list)) else (0.0, data_range)
    needed = [torch.is_grad_enabled() and x.requires_grad for x in (reference, candidate)]
    number = _number_of(metric, layout, context, options)
    values: torch.Tensor = _PerImage.apply(
        reference, candidate, weights, float(low), float(high), number, *needed
    )[0]
    values = values.to(reference.dtype if reference.dtype in _WIDE else torch.float32)
    return values.mean() if reduction == "mean" else values


@named
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
        candidate: the same shape and device. Of two element types the wider one is compared, and
            each gradient has its image's type, as under torch.autocast.
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
        "ssim", reference, candidate, data_range, layout, context, weights, reduction, options
    )


@named
def ssim_loss(
    reference: torch.Tensor,
    candidate: torch.Tensor,
    data_range: float | tuple[float, float] | None = None,
    layout: str = "NCHW",
    **arguments: Any,
) -> torch.Tensor:
    """1 - ssim(), with the same arguments: 0 for equal images."""
    return 1 - ssim(reference, candidate, data_range, layout, **arguments)


@named
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
        "ms_ssim", reference, candidate, data_range, layout, context, weights, reduction, options
    )


@named
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
        raise InvalidArgumentError(
            f"gradient is {options['gradient']!r}, expected 'psnr': it is the value's"
        )
    return _differentiable(
        "psnr", reference, candidate, data_range, layout, context, weights, reduction, options
    )


class _Loss(torch.nn.Module):
    """What the losses have in common.

    Args:
        data_range: L, or a pair (low, high).
        layout: of the tensors; see iqa.SSIM.
        context: threads, instruction set; None for those of an iqa.Context().
        reduction: "mean" over the images, or "none" for one value per image.
        **options: of the metric; they are checked here.
    """

    _metric = ""

    def __init__(
        self,
        data_range: float | tuple[float, float] | None = None,
        layout: str = "NCHW",
        *,
        context: Any = None,
        reduction: str = "mean",
        **options: Any,
    ) -> None:
        super().__init__()
        _check_reduction(reduction)
        _METRICS[self._metric](data_range, layout, context=context, **options).close()
        self._arguments = {
            "data_range": data_range,
            "layout": layout,
            "context": context,
            "reduction": reduction,
            "options": options,
        }

    def _value(
        self, reference: torch.Tensor, candidate: torch.Tensor, weights: Any
    ) -> torch.Tensor:
        arguments = {"weights": weights, **self._arguments}
        return _differentiable(self._metric, reference, candidate, **arguments)

    def extra_repr(self) -> str:
        """The arguments, for the printed module."""
        stated = {**self._arguments, **self._arguments["options"]}
        del stated["options"]
        return ", ".join(f"{name}={value!r}" for name, value in stated.items() if value is not None)


class SSIMLoss(_Loss):
    """1 - SSIM as a module; the arguments are those of ssim()."""

    _metric = "ssim"

    def forward(
        self, reference: torch.Tensor, candidate: torch.Tensor, weights: Any = None
    ) -> torch.Tensor:
        """0 for equal images; `weights` as in iqa.SSIM.update."""
        return 1 - self._value(reference, candidate, weights)


class MSSSIMLoss(SSIMLoss):
    """1 - MS-SSIM as a module; the arguments are those of ms_ssim()."""

    _metric = "ms_ssim"


class PSNRLoss(_Loss):
    """The negative PSNR as a module; the arguments are those of psnr()."""

    _metric = "psnr"

    def forward(
        self, reference: torch.Tensor, candidate: torch.Tensor, weights: Any = None
    ) -> torch.Tensor:
        """In -dB: minus infinity, or -cap, for equal images."""
        return -self._value(reference, candidate, weights)
