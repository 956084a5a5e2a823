# SPDX-License-Identifier: MIT
"""Peak signal-to-noise ratio."""

from __future__ import annotations

from ._documentation import documented
from ._kind import Kind
from ._measure import measure, try_value
from ._metric import Metric
from ._names import named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Unpack

    from ._context import Context
    from ._option_types import PSNROptions, as_psnr
    from ._outputs import Result
else:
    as_psnr = named


@documented("psnr")
class PSNR(Metric):
    """Peak signal-to-noise ratio, 10 log(L^2 / MSE), infinite for equal images.

    The squared error of integer images is an exact integer; of floating-point images an exact
    sum of the rounded squares. Results have the same bits whatever the threads, batches, order
    of merges, instruction set or strides.

    Args:
        data_range: L, the peak value, or a pair (low, high) with L = high - low. Required for
            floating-point images; 8- and 16-bit integers have the span of their type.
        layout: what the axes are: "HW" (the default, for two axes), "HWC", "CHW", "NHW", "NHWC"
            or "NCHW"; for volumes the same with "DHW" in place of "HW". Required from three axes
            on, as for SSIM.
        context: threads, instruction set, progress; None for one of the metric's own.
        aggregate: what compute() gives: "psnr_of_mean_mse" (the default), the value of the mean
            squared error over all samples, or "mean_of_psnr", the mean of the images' values.
        cap: values above, infinity too, are given as this; None for no cap.
        nonfinite: "error" (the default) refuses NaN and infinite samples; "propagate" makes
            the value NaN; "mask" leaves them out.
        luma: colour images as one channel: see SSIM.
        gradient: what the gradients of an update are of: "psnr" (the default), in the base of
            the logarithm, or "mse".

    Example:
        >>> metric = iqa.PSNR(layout="HWC", aggregate="mean_of_psnr")
        >>> for reference, candidate in pairs:
        ...     metric.update(reference, candidate)
        >>> metric.compute(), metric.mse, metric.infinite_images
    """

    __slots__ = ()

    _kind = Kind("psnr", 2)
    _readable = (
        *("psnr_of_mean_mse", "mean_psnr", "mean_psnr_of_finite", "mse"),
        *("images", "infinite_images", "samples", "out_of_range", "nonfinite"),
    )

    if TYPE_CHECKING:

        def __init__(
            self,
            data_range: float | tuple[float, float] | None = None,
            layout: str | None = None,
            *,
            context: Context | None = None,
            **options: Unpack[PSNROptions],
        ) -> None: ...

    @property
    def mse(self) -> float:
        """The mean squared error over all samples added."""
        return self._read("mse")

    @property
    def samples(self) -> float:
        """How many samples were added, pixels times channels, or the sum of their weights."""
        samples = self._read("samples")
        return int(samples) if samples.is_integer() else samples

    @property
    def infinite_images(self) -> int:
        """How many images had no error at all."""
        return int(self._read("infinite_images"))

    @property
    def psnr_of_mean_mse(self) -> float:
        """The value of the mean squared error, whatever the aggregate option says."""
        return self._read("psnr_of_mean_mse")

    @property
    def mean_psnr(self) -> float:
        """The mean of the images' values."""
        return self._read("mean_psnr")

    @property
    def mean_psnr_of_finite(self) -> float:
        """The mean of the values of the images with an error."""
        return self._read("mean_psnr_of_finite")


@as_psnr
def psnr(
    reference: Any,
    candidate: Any,
    data_range: float | tuple[float, float] | None = None,
    layout: str | None = None,
    *,
    context: Context | None = None,
    per_image: Any = False,
    per_channel: Any = False,
    weights: Any = None,
    candidate_gradient: Any = False,
    reference_gradient: Any = False,
    **options: Any,
) -> float | Result:
    """The peak signal-to-noise ratio of two images, or of two batches of images, in dB.

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
        weights: a mask or weights of pixels: see PSNR.update.
        candidate_gradient: True for the gradient of each image's value, or an array for it.
        reference_gradient: the same with respect to the reference.
        **options: aggregate, log_base, cap, nonfinite, luma, luma_rounded, shave and gradient;
            see PSNR.

    Returns:
        The value; with per_image, per_channel or a gradient a named tuple with the fields value,
        per_image, per_channel, map (None), candidate_gradient, reference_gradient and parts (None).
    """
    if (
        context is weights is None
        and per_image is per_channel is False
        and candidate_gradient is reference_gradient is False
    ):
        value = try_value(PSNR, reference, candidate, data_range, layout, options)
        if value is not None:
            return value
    extras = {
        "per_image": per_image,
        "per_channel": per_channel,
        "weights": weights,
        "candidate_gradient": candidate_gradient,
        "reference_gradient": reference_gradient,
    }
    return measure(PSNR, reference, candidate, data_range, layout, context, extras, options)
