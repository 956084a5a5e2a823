# SPDX-License-Identifier: MIT
"""Structural similarity."""

from __future__ import annotations

import ctypes

from . import _abi
from ._documentation import documented
from ._kind import Kind
from ._library import library
from ._measure import measure, try_value
from ._metric import Metric
from ._names import named
from ._options import with_scales
from ._outputs import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Unpack

    from ._context import Context
    from ._option_types import SSIMOptions, as_ssim
    from ._outputs import Result
else:
    as_ssim = named


@documented("ssim")
class SSIM(Metric):
    """The mean structural similarity of image pairs (Wang, Bovik, Sheikh, Simoncelli 2004).

    1.0 for equal images, and never above 1 or below -1. The value is the mean over images of
    each image's mean over pixels and channels. Results have the same bits whatever the threads,
    batches, order of merges, instruction set or strides.

    With several scales it is multi-scale SSIM (Wang, Simoncelli, Bovik 2003); see MS_SSIM.

    Args:
        data_range: L, the peak value, or a pair (low, high) with L = high - low. Required for
            floating-point images; 8- and 16-bit integers have the span of their type.
        layout: what the axes are: "HW" (the default, for two axes), "HWC", "CHW", "NHW", "NHWC"
            or "NCHW"; for volumes "DHW", "DHWC", "CDHW", "NDHW", "NDHWC" or "NCDHW". Required
            from three axes on, where an array does not tell; tensors of PyTorch with four axes
            are "NCHW", pictures of Pillow and in files "HWC".
        context: threads, instruction set, progress; None for one of the metric's own.
        preset: whose SSIM it shall be: one of iqa.SSIM_PRESETS, such as "matlab" or
            "skimage_default"; docs/guide/presets.md tells of each. Other options override it.
        window: "gaussian" (the default), "uniform", which needs a size, or "blocks": those of
            8 x 8 pixels that FFmpeg's filter has.
        sigma: standard deviation of the Gaussian in pixels, a pair (down, across), or for volumes
            three (depth, down, across); 1.5.
        spacing: distance of pixels or voxels, in the unit of sigma, by axis like sigma; 1.
        truncate: radius of the Gaussian in sigmas where no size is given; 3.5.
        size: odd number of pixels of the window, by axis like sigma; "auto" (the default) and
            "auto_ceiling" follow from sigma, by rounding and by rounding up.
        border: "valid" (the default): only windows inside the image; or how samples beyond the
            edge are made: "reflect" (d c b | a b c d), "symmetric" (c b a | a b c d),
            "replicate" (a a a | a b c d) or "zero".
        k1, k2: the constants C1 = (k1 L)^2 and C2 = (k2 L)^2; 0.01 and 0.03.
        arithmetic: "auto": float64 for float64 images and float32 for others; or "float64".
        nonfinite: "error" (the default) refuses NaN and infinite samples; "propagate" makes
            the value NaN; "mask" leaves them out.
        luma: colour images as one channel: "bt601_full" (the Y of YIQ too), "bt601_studio" (16 to
            235, as MATLAB's rgb2ycbcr), "bt709_full", "bt709_studio" or "none" (the default).
        downsample: images shrink by this factor first; "auto" makes the smaller side about 256.
        shrink: how, here and from scale to scale: "symmetric" (the default; extents are rounded
            up), "floor", "zero" or "replicate".
        scales: 1 (the default), or 5 with the weights of the paper, or as many as scale_weights.
        scale_weights: the exponent of each scale, from the full size on; their sum is 1.
        product: over scales, of each "channel" (the default) or of the "image".
        negative: what becomes of negative means: "keep" (the default, with several scales an
            error), "relu" (0), "simple" ((m + 1) / 2), or "relu_map" (0 at each pixel).
        contrast_border: the border of all scales but the last; "valid" is the default.
        mask_mode: what the weights of an update mean: "convolution" (the default): pixels that
            are masked have no influence; or "map": they only do not count themselves.
        coverage: of a window that has to be unmasked for its pixel to count, 0 to 1; 0.
        parts: True to read `parts` later, which costs time.

    Example:
        >>> metric = iqa.SSIM(data_range=1.0, layout="NCHW")
        >>> for reference, candidate in batches:
        ...     metric.update(reference, candidate)
        >>> metric.compute()
    """

    __slots__ = ()

    _kind = Kind("ssim", 1, with_scales)

    if TYPE_CHECKING:

        def __init__(
            self,
            data_range: float | tuple[float, float] | None = None,
            layout: str | None = None,
            *,
            context: Context | None = None,
            **options: Unpack[SSIMOptions],
        ) -> None: ...

    @property
    def parts(self) -> Parts:
        """What the value is made of, where the option `parts` is set.

        A named tuple (luminance, contrast_structure, ssim); each has one number for each scale:
        the mean over images of the factor's mean.
        """
        fields = ("luminance", "contrast_structure", "ssim_of_scales")
        return Parts(*map(self._read_scales, fields))

    def _read_scales(self, field: str) -> tuple[float, ...]:
        values = self._kind.table.options["scale_weights"].ctype()
        count = ctypes.c_size_t()
        self._context.call(
            library.iqa_metric_read,
            self._open(),
            _abi.FIELDS[field],
            values,
            len(values),
            ctypes.byref(count),
        )
        return tuple(values[: count.value])


class MS_SSIM(SSIM):
    """Multi-scale structural similarity (Wang, Simoncelli, Bovik 2003).

    SSIM with the preset "ms_ssim_wang2003": five scales with the weights of the paper, negative
    means taken for 0. Every argument of SSIM, other presets too, may be given.

    Example:
        >>> iqa.MS_SSIM(data_range=1.0, layout="NCHW")
        >>> iqa.MS_SSIM(layout="HWC", preset="ms_ssim_torchmetrics")
        >>> iqa.MS_SSIM(layout="HWC", scale_weights=(0.2, 0.3, 0.5))
    """

    __slots__ = ()

    def __init__(
        self,
        data_range: float | tuple[float, float] | None = None,
        layout: str | None = None,
        *,
        context: Context | None = None,
        **options: Unpack[SSIMOptions],
    ) -> None:
        stated: SSIMOptions = {"preset": "ms_ssim_wang2003", **options}
        super().__init__(data_range, layout, context=context, **stated)


@as_ssim
def ssim(
    reference: Any,
    candidate: Any,
    data_range: float | tuple[float, float] | None = None,
    layout: str | None = None,
    *,
    context: Context | None = None,
    per_image: Any = False,
    per_channel: Any = False,
    map: Any = False,
    weights: Any = None,
    candidate_gradient: Any = False,
    reference_gradient: Any = False,
    **options: Any,
) -> float | Result:
    """The mean structural similarity of two images, or of two batches of images.

    Args:
        reference: an array of uint8, uint16, int16, float16, bfloat16, float32 or float64, with
            any strides: whatever has __dlpack__, __array_interface__ or the buffer protocol.
            Others are copied: see SSIM.update.
        candidate: the same shape and device, and an element type of which one holds the other.
        data_range: L, or a pair (low, high); required for floating-point images.
        layout: such as "HWC", "NCHW" or "DHW", see SSIM; from three axes on arrays do not tell.
        context: threads, instruction set, progress; None for those of a Context().
        per_image: True for one value per image, or a float64 array [N] to write them into.
        per_channel: True for one value per image and channel, or a float64 array [N, C].
        map: True for the map of values, or an array of its shape; see SSIM.update.
        weights: a mask or weights of pixels: see SSIM.update.
        candidate_gradient: True for the gradient of each image's value, or an array for it.
        reference_gradient: the same with respect to the reference.
        **options: preset, window, sigma, size, border, scales, luma, parts and others; see SSIM.

    Returns:
        The value; with per_image, per_channel, map, a gradient or parts=True a named tuple with
        the fields value, per_image, per_channel, map, candidate_gradient, reference_gradient and
        parts.

    Example:
        >>> iqa.ssim(photo, decoded)
        >>> iqa.ssim(x, y, data_range=1.0, layout="HWC", map=True).map
        >>> iqa.ssim(x, y, layout="HWC", preset="matlab")
    """
    if (
        context is weights is None
        and per_image is per_channel is map is False
        and candidate_gradient is reference_gradient is False
    ):
        value = try_value(SSIM, reference, candidate, data_range, layout, options)
        if value is not None:
            return value
    extras = {
        "per_image": per_image,
        "per_channel": per_channel,
        "map": map,
        "weights": weights,
        "candidate_gradient": candidate_gradient,
        "reference_gradient": reference_gradient,
    }
    return measure(SSIM, reference, candidate, data_range, layout, context, extras, options)


@named
def ms_ssim(
    reference: Any,
    candidate: Any,
    data_range: float | tuple[float, float] | None = None,
    layout: str | None = None,
    **arguments: Any,
) -> float | Result:
    """The multi-scale structural similarity of two images, or of two batches of images.

    ssim() with the preset "ms_ssim_wang2003": five scales with the weights of the paper, for
    images of at least 161 pixels on each side. Everything else is as in ssim().

    Example:
        >>> iqa.ms_ssim(photo, decoded, layout="HWC")
        >>> iqa.ms_ssim(x, y, data_range=1.0, layout="NCHW", preset="ms_ssim_torchmetrics")
    """
    stated = {"preset": "ms_ssim_wang2003", **arguments}
    result: float | Result = ssim(reference, candidate, data_range, layout, **stated)
    return result
