# SPDX-License-Identifier: MIT
"""Structural similarity."""

from __future__ import annotations

from . import _abi, _options
from ._kind import Kind
from ._metric import Metric, measure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, TypedDict, overload

    from typing_extensions import Unpack

    from ._context import Context
    from ._outputs import Result

    class SSIMOptions(TypedDict, total=False):
        """What SSIM's documentation says of each."""

        window: Literal["gaussian", "uniform"]
        sigma: float | tuple[float, float]
        truncate: float
        size: int | tuple[int, int]
        border: Literal["valid", "reflect", "symmetric", "replicate", "zero"]
        k1: float
        k2: float
        covariance: Literal["population", "sample"]
        arithmetic: Literal["auto", "float64"]
        nonfinite: Literal["error", "propagate"]


class SSIM(Metric):
    """The mean structural similarity of image pairs (Wang, Bovik, Sheikh, Simoncelli 2004).

    1.0 for equal images, and never above 1 or below -1. The value is the mean over images of
    each image's mean over pixels and channels. Results have the same bits whatever the threads,
    batches, order of merges, instruction set or strides.

    Args:
        data_range: L, the peak value, or a pair (low, high) with L = high - low. Required for
            floating-point images; 8- and 16-bit integers have the span of their type.
        layout: what the axes are: "HW" (the default, for two axes), "HWC", "CHW", "NHW", "NHWC"
            or "NCHW". Never guessed: required from three axes on.
        context: threads, instruction set, progress; None for one of the metric's own.
        window: "gaussian" (the default) or "uniform", which needs a size.
        sigma: standard deviation of the Gaussian in pixels, or a pair (down, across); 1.5.
        truncate: radius of the Gaussian in sigmas where no size is given; 3.5.
        size: odd number of pixels of the window, or a pair (down, across).
        border: "valid" (the default): only windows inside the image; or how samples beyond the
            edge are made: "reflect" (d c b | a b c d), "symmetric" (c b a | a b c d),
            "replicate" (a a a | a b c d) or "zero".
        k1, k2: the constants C1 = (k1 L)^2 and C2 = (k2 L)^2; 0.01 and 0.03.
        covariance: "population" (the default) or "sample", which divides by N - 1.
        arithmetic: "auto": float64 for float64 images and float32 for others; or "float64".
        nonfinite: "error" (the default) refuses NaN and infinite samples; "propagate" makes
            the value NaN.

    Example:
        >>> metric = iqa.SSIM(data_range=1.0, layout="NCHW")
        >>> for reference, candidate in batches:
        ...     metric.update(reference, candidate)
        >>> metric.compute()
    """

    __slots__ = ()

    _kind = Kind(
        "ssim",
        1,
        _abi.SSIMOptions,
        _options.SSIM,
        (
            ("i", ("layout", "window", "border", "size_y", "size_x")),
            ("d", ("data_low", "data_high", "sigma_y", "sigma_x", "truncate", "k1", "k2")),
            ("i", ("covariance", "arithmetic", "nonfinite")),
        ),
    )

    if TYPE_CHECKING:

        def __init__(
            self,
            data_range: float | tuple[float, float] | None = None,
            layout: str | None = None,
            *,
            context: Context | None = None,
            **options: Unpack[SSIMOptions],
        ) -> None: ...


if TYPE_CHECKING:

    @overload
    def ssim(
        reference: Any,
        candidate: Any,
        data_range: float | tuple[float, float] | None = None,
        layout: str | None = None,
        *,
        context: Context | None = None,
        per_image: Literal[False] = False,
        per_channel: Literal[False] = False,
        map: Literal[False] = False,
        **options: Unpack[SSIMOptions],
    ) -> float: ...

    @overload
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
        **options: Unpack[SSIMOptions],
    ) -> Result: ...


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
    **options: Any,
) -> float | Result:
    """The mean structural similarity of two images, or of two batches of images.

    Args:
        reference: an array of uint8, uint16, int16, float16, bfloat16, float32 or float64, with
            any strides: whatever has __dlpack__, __array_interface__ or the buffer protocol.
        candidate: the same shape, element type and device.
        data_range: L, or a pair (low, high); required for floating-point images.
        layout: "HW", "HWC", "CHW", "NHW", "NHWC" or "NCHW"; required from three axes on.
        context: threads, instruction set, progress; None for those of a Context().
        per_image: True for one value per image, or a float64 array [N] to write them into.
        per_channel: True for one value per image and channel, or a float64 array [N, C].
        map: True for the map of values, or an array of its shape; see SSIM.update.
        **options: window, sigma, truncate, size, border, k1, k2, covariance, arithmetic and
            nonfinite; see SSIM.

    Returns:
        The value; with per_image, per_channel or map a named tuple (value, per_image,
        per_channel, map).

    Example:
        >>> iqa.ssim(photo, decoded)
        >>> iqa.ssim(x, y, data_range=1.0, layout="HWC", map=True).map
    """
    wanted = None
    if not (per_image is False and per_channel is False and map is False):
        wanted = {"per_image": per_image, "per_channel": per_channel, "map": map}
    return measure(SSIM, reference, candidate, data_range, layout, context, wanted, options)
