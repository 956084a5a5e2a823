# SPDX-License-Identifier: MIT
"""SSIM, MS-SSIM and PSNR."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Union

import torch
from torch import Tensor

from .._errors import InvalidArgumentError, ShapeError
from .._metric import Metric
from .._psnr import PSNR
from .._ssim import MS_SSIM, SSIM
from ._base import ExactMetric, check_same_shape, one_of, own_words

REDUCTIONS = ("elementwise_mean", "sum", "none", None)
_WIDE = (torch.float32, torch.float64)
_MEASURED = (*_WIDE, torch.float16, torch.bfloat16, torch.uint8, torch.int16)

DataRange = Union[float, tuple[float, float]]


class _Similarity(ExactMetric):
    """What SSIM and MS-SSIM share: images or volumes, one value for each."""

    plot_lower_bound = 0.0
    plot_upper_bound = 1.0

    def _start(
        self,
        how: dict[str, Any],
        sigma: float | Sequence[float],
        reduction: str | None,
        data_range: DataRange | None,
    ) -> None:
        one_of("reduction", reduction, REDUCTIONS)
        self.sigma = sigma
        self.reduction = reduction
        self.data_range = data_range
        self._low_high = low_high(data_range)
        self._how = {**how, "sigma": _by_axis(sigma), "nonfinite": "propagate"}
        self._keeps_values = reduction in ("none", None)
        if self._keeps_values:
            self.add_state("values", [], dist_reduce_fx="cat")
        deep = 3 in (_axes(sigma), _axes(how.get("size")))
        self._begin("NCDHW" if deep else "NCHW", self._low_high, data_range is None)

    def _kind(self) -> type[SSIM]:
        return SSIM

    def _made(self, form: str) -> list[Metric]:
        data_range = 1.0 if self.data_range is None else self._low_high or self.data_range
        return [self._kind()(data_range, form, **self._how)]

    def _images(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Both as they are measured."""
        check_same_shape(preds, target)
        if preds.ndim not in (4, 5):
            raise ShapeError(
                f"preds has shape {list(preds.shape)}, expected [N, C, H, W] or [N, C, D, H, W]"
            )
        preds, target = preds.detach(), target.detach().to(preds.dtype)
        if self._low_high is not None:
            preds, target = preds.clamp(*self._low_high), target.clamp(*self._low_high)
        if preds.dtype not in _MEASURED:
            preds, target = preds.double(), target.double()
        if self.data_range is None:
            if preds.dtype not in _WIDE:
                preds, target = preds.float(), target.float()
            ends = [torch.aminmax(image) for image in (preds, target)]
            span = max((end.max - end.min).item() for end in ends)
            if span == 0:
                raise InvalidArgumentError(
                    "data_range is None, and all samples of this batch are the same, so that it"
                    " has no range: state one, such as data_range=1.0"
                )
            preds, target = preds / span, target / span  # SSIM does not depend on the unit
        return preds, target

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds a batch of pairs, [N, C, H, W] or [N, C, D, H, W]."""
        self._update(*self._images(preds, target))

    def _update(self, preds: Tensor, target: Tensor, **outputs: Tensor) -> None:
        if self._keeps_values:
            outputs["per_image"] = target.new_empty(target.shape[0], dtype=torch.float64)
        (metric,) = self._in_form("NCHW" if preds.ndim == 4 else "NCDHW")
        with own_words():
            metric.update(target, preds, **outputs)
        if self._keeps_values:
            self.values.append(outputs["per_image"].to(kind_of(preds)))

    def compute(self) -> Any:
        """The mean over images, their sum, or the value of each."""
        if self._keeps_values:
            return self._joined("values")
        if self.reduction == "sum":
            return self._read(lambda: self._metric.compute() * self._metric.images)
        return self._read(self._metric.compute)


def kind_of(images: Tensor) -> torch.dtype:
    """The element type of values and maps."""
    return images.dtype if images.dtype in _WIDE else torch.float32


def low_high(data_range: Any) -> tuple[float, float] | None:
    """The ends between which samples are cut, where a range has two."""
    if not isinstance(data_range, (tuple, list)):
        return None
    low, high = data_range
    return float(low), float(high)


def _axes(value: Any) -> int:
    return len(value) if isinstance(value, Sequence) and not isinstance(value, str) else 0


def _by_axis(value: Any) -> Any:
    return tuple(value) if isinstance(value, Sequence) else value


def _window(gaussian_kernel: bool, kernel_size: int | Sequence[int]) -> dict[str, Any]:
    """Options of the window; a Gaussian's size follows from its sigma."""
    for size in kernel_size if isinstance(kernel_size, Sequence) else (kernel_size,):
        if not isinstance(size, int) or size < 1 or size % 2 == 0:
            raise InvalidArgumentError(
                f"kernel_size is {kernel_size!r}, expected an odd positive integer, or one for"
                " each axis"
            )
    return {} if gaussian_kernel else {"window": "uniform", "size": _by_axis(kernel_size)}


class StructuralSimilarityIndexMeasure(_Similarity):
    """Structural similarity as torchmetrics.image.StructuralSimilarityIndexMeasure has it.

    Args:
        gaussian_kernel: a Gaussian window, else a uniform one.
        sigma: standard deviation of the Gaussian, or one for each axis; its size follows from it.
        kernel_size: of the uniform window, or one for each axis.
        reduction: "elementwise_mean" over images, "sum", or "none" (or None) for all values.
        data_range: L, or (low, high), between which samples are cut. None is the range of each
            batch: what an image's value is then depends on the others.
        k1, k2: the constants (k1 L)^2 and (k2 L)^2.
        return_full_image: the maps of all images too, which are kept.
        return_contrast_sensitivity: refused where True; iqa.SSIM has `parts`.
        **kwargs: of torchmetrics.Metric.
    """

    def __init__(
        self,
        gaussian_kernel: bool = True,
        sigma: float | Sequence[float] = 1.5,
        kernel_size: int | Sequence[int] = 11,
        reduction: str | None = "elementwise_mean",
        data_range: DataRange | None = None,
        k1: float = 0.01,
        k2: float = 0.03,
        return_full_image: bool = False,
        return_contrast_sensitivity: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if return_contrast_sensitivity:
            raise InvalidArgumentError(
                "return_contrast_sensitivity is True, but the term of each image is not kept; its"
                " mean over images is iqa.SSIM(..., parts=True).parts.contrast_structure"
            )
        self.gaussian_kernel = gaussian_kernel
        self.kernel_size = kernel_size
        self.k1 = k1
        self.k2 = k2
        self.return_full_image = return_full_image
        self.return_contrast_sensitivity = return_contrast_sensitivity
        if return_full_image:
            self.add_state("image_return", [], dist_reduce_fx="cat")
        window = _window(gaussian_kernel, kernel_size)
        how = {"preset": "torchmetrics", "k1": k1, "k2": k2, **window}
        self._start(how, sigma, reduction, data_range)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds a batch of pairs, [N, C, H, W] or [N, C, D, H, W]."""
        preds, target = self._images(preds, target)
        outputs = {}
        if self.return_full_image:
            outputs["map"] = torch.empty(preds.shape, dtype=kind_of(preds), device=preds.device)
        self._update(preds, target, **outputs)
        if outputs:
            self.image_return.append(outputs["map"])

    def compute(self) -> Any:
        """The value, and with return_full_image the maps."""
        value = super().compute()
        return (value, self._joined("image_return")) if self.return_full_image else value


class MultiScaleStructuralSimilarityIndexMeasure(_Similarity):
    """Multi-scale SSIM as torchmetrics.image.MultiScaleStructuralSimilarityIndexMeasure has it.

    Args:
        gaussian_kernel: a Gaussian window, else a uniform one.
        kernel_size: of the uniform window, or one for each axis.
        sigma: standard deviation of the Gaussian, or one for each axis; its size follows from it.
        reduction: "elementwise_mean" over images, "sum", or "none" (or None) for all values.
        data_range: L, or (low, high), between which samples are cut. None is refused: it would
            be another range at each scale.
        k1, k2: the constants (k1 L)^2 and (k2 L)^2.
        betas: the exponent of each scale, from the full size on.
        normalize: what becomes of negative means: "relu", "simple", or None for an error.
        **kwargs: of torchmetrics.Metric.
    """

    def __init__(
        self,
        gaussian_kernel: bool = True,
        kernel_size: int | Sequence[int] = 11,
        sigma: float | Sequence[float] = 1.5,
        reduction: str | None = "elementwise_mean",
        data_range: DataRange | None = None,
        k1: float = 0.01,
        k2: float = 0.03,
        betas: tuple[float, ...] = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333),
        normalize: str | None = "relu",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if data_range is None:
            raise InvalidArgumentError(
                "data_range is None, which would be another range at each scale: state one, such"
                " as data_range=1.0"
            )
        if not isinstance(betas, tuple) or not all(isinstance(beta, float) for beta in betas):
            raise InvalidArgumentError(f"betas is {betas!r}, expected a tuple of floats")
        one_of("normalize", normalize, ("relu", "simple", None))
        self.gaussian_kernel = gaussian_kernel
        self.kernel_size = kernel_size
        self.k1 = k1
        self.k2 = k2
        self.betas = betas
        self.normalize = normalize
        how = {
            "preset": "ms_ssim_torchmetrics",
            "k1": k1,
            "k2": k2,
            "scale_weights": betas,
            "negative": normalize or "keep",
            **_window(gaussian_kernel, kernel_size),
        }
        self._start(how, sigma, reduction, data_range)

    def _kind(self) -> type[SSIM]:
        return MS_SSIM


class PeakSignalNoiseRatio(ExactMetric):
    """Peak signal-to-noise ratio as torchmetrics.image.PeakSignalNoiseRatio has it.

    Args:
        data_range: L, or (low, high), between which samples are cut.
        base: of the logarithm.
        reduction: with `dim`: "elementwise_mean", "sum", or "none" (or None) for all values.
        dim: the axes over which there is one value; None for one value of all samples.
        **kwargs: of torchmetrics.Metric.
    """

    plot_lower_bound = 0.0

    def __init__(
        self,
        data_range: DataRange,
        base: float = 10.0,
        reduction: str | None = "elementwise_mean",
        dim: int | tuple[int, ...] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        one_of("reduction", reduction, REDUCTIONS)
        if dim is None and reduction != "elementwise_mean":
            warnings.warn(
                f"The `reduction={reduction}` will not have any effect when `dim` is None.",
                stacklevel=2,
            )
        self.base = base
        self.reduction = reduction
        self.dim = tuple(dim) if isinstance(dim, Sequence) else dim
        self.data_range = data_range
        self._low_high = low_high(data_range)
        self._keeps_values = dim is not None and reduction in ("none", None)
        if self._keeps_values:
            self.add_state("values", [], dist_reduce_fx="cat")
        self._begin("NHW", self._low_high, self.dim, self._keeps_values)

    def _made(self, form: str) -> list[Metric]:
        how: dict[str, Any] = {
            "aggregate": "psnr_of_mean_mse" if self.dim is None else "mean_of_psnr",
            "log_base": self.base,
            "nonfinite": "propagate",
        }
        return [PSNR(self._low_high or self.data_range, form, **how)]

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds samples."""
        check_same_shape(preds, target)
        if self._low_high is not None:
            preds, target = preds.clamp(*self._low_high), target.clamp(*self._low_high)
        preds, target = measured_pair(preds, target)
        if self.dim is None:
            images = rows_of(preds), rows_of(target)
        else:
            images = self._apart(preds), self._apart(target)
        (metric,) = self._in_form("NHW")
        with own_words():
            if not self._keeps_values:
                metric.update(images[1], images[0])
                return
            values = target.new_empty(images[0].shape[0], dtype=torch.float64)
            metric.update(images[1], images[0], per_image=values)
        self.values.append(values.to(kind_of(preds)))

    def _apart(self, samples: Tensor) -> Tensor:
        """One image for each value: the other axes first, those of `dim` in a row."""
        dim: Any = self.dim if isinstance(self.dim, tuple) else (self.dim,)
        inner = [axis % samples.ndim for axis in dim] or list(range(samples.ndim))
        outer = [axis for axis in range(samples.ndim) if axis not in inner]
        count = 1
        for axis in outer:
            count *= samples.shape[axis]
        return samples.permute(outer + inner).reshape(count, 1, -1)

    def compute(self) -> Tensor:
        """The value of all samples, or what `reduction` makes of the values."""
        if self._keeps_values:
            return self._joined("values")
        if self.dim is not None and self.reduction == "sum":
            return self._read(lambda: self._metric.compute() * self._metric.images)
        return self._read(self._metric.compute)


_ROW = 256


def rows_of(samples: Tensor) -> Tensor:
    """The samples as images [N, H, W] of which threads can each take some."""
    if samples.ndim < 3:
        return samples.reshape(1, 1 if samples.ndim < 2 else samples.shape[0], -1)
    width = 1
    for extent in reversed(samples.shape[1:]):
        width *= extent
        if width >= _ROW:
            break
    return samples.reshape(samples.shape[0], -1, width)


def measured_pair(preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both without a graph, in element types that are measured together without a copy."""
    preds, target = preds.detach(), target.detach()
    if preds.dtype == target.dtype and preds.dtype in _MEASURED:
        return preds, target
    kind = torch.promote_types(preds.dtype, target.dtype)
    if kind not in _MEASURED:
        kind = torch.float64
    return preds.to(kind), target.to(kind)
