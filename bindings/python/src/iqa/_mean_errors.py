# SPDX-License-Identifier: MIT
"""Mean absolute error and its kin."""

from __future__ import annotations

from ._documentation import documented
from ._errors import InvalidArgumentError
from ._kind import Kind
from ._measure import measure, try_value
from ._metric import Metric
from ._names import named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Unpack

    from ._context import Context
    from ._option_types import ErrorsOptions
    from ._outputs import Result


@documented("errors")
class MeanErrors(Metric):
    """Mean absolute error, root mean square error, normalised errors, signal-to-noise ratio.

    Sums of integer images are exact integers; of floating-point images exact sums of the rounded
    terms. Results have the same bits whatever the threads, batches, order of merges, instruction
    set or strides. The first three are over all samples, the others the mean of the images'.

    Args:
        data_range: L, or a pair (low, high): samples outside are counted. Required for luma of
            floating-point images alone.
        layout: what the axes are: see SSIM; from three axes on arrays do not tell.
        context: threads, instruction set, progress; None for one of the metric's own.
        measure: what compute(), per_image and per_channel give: "mean_absolute_error" (the
            default), "mean_squared_error", "root_mean_squared_error", "nrmse_euclidean",
            "nrmse_min_max", "nrmse_mean" or "signal_to_noise_ratio". The first three have
            gradients.
        nonfinite: "error" (the default) refuses NaN and infinite samples; "propagate" makes
            the value NaN; "mask" leaves them out.
        luma: colour images as one channel: see SSIM.
        alone: True keeps what `measure` needs alone, in a fraction of the time: other measures are
            refused then, but for the mean squared error and its root, which go together.

    Example:
        >>> metric = iqa.MeanErrors(layout="HWC")
        >>> for reference, candidate in pairs:
        ...     metric.update(reference, candidate)
        >>> metric.mae, metric.rmse, metric.nrmse_min_max, metric.snr
    """

    __slots__ = ()

    _kind = Kind("errors", 3)
    _readable = (
        *("mae", "mse", "rmse", "nrmse_euclidean", "nrmse_min_max", "nrmse_mean", "snr"),
        *("images", "samples", "out_of_range", "nonfinite"),
    )

    if TYPE_CHECKING:

        def __init__(
            self,
            data_range: float | tuple[float, float] | None = None,
            layout: str | None = None,
            *,
            context: Context | None = None,
            **options: Unpack[ErrorsOptions],
        ) -> None: ...

    @property
    def mae(self) -> float:
        """The mean absolute error over all samples added."""
        return self._read("mae")

    @property
    def mse(self) -> float:
        """The mean squared error over all samples added."""
        return self._read("mse")

    @property
    def rmse(self) -> float:
        """The root of the mean squared error over all samples added."""
        return self._read("rmse")

    @property
    def nrmse_euclidean(self) -> float:
        """The mean of the images' errors, each divided by its reference's root mean square."""
        return self._read("nrmse_euclidean")

    @property
    def nrmse_min_max(self) -> float:
        """The mean of the images' errors, each divided by its reference's range."""
        return self._read("nrmse_min_max")

    @property
    def nrmse_mean(self) -> float:
        """The mean of the images' errors, each divided by its reference's mean."""
        return self._read("nrmse_mean")

    @property
    def snr(self) -> float:
        """The mean of the images' signal-to-noise ratios in dB."""
        return self._read("snr")

    @property
    def samples(self) -> float:
        """How many samples were added, pixels times channels, or the sum of their weights."""
        samples = self._read("samples")
        return int(samples) if samples.is_integer() else samples


_EXTRAS = {
    "per_image": False,
    "per_channel": False,
    "weights": None,
    "candidate_gradient": False,
    "reference_gradient": False,
}


def _measured(
    quantity: str, reference: Any, candidate: Any, layout: str | None, options: dict[str, Any]
) -> float | Result:
    data_range, context = options.pop("data_range", None), options.pop("context", None)
    options |= {"measure": quantity, "alone": True}
    if context is None and options.keys().isdisjoint(_EXTRAS):
        value = try_value(MeanErrors, reference, candidate, data_range, layout, options)
        if value is not None:
            return value
    extras = {name: options.pop(name, otherwise) for name, otherwise in _EXTRAS.items()}
    return measure(MeanErrors, reference, candidate, data_range, layout, context, extras, options)


@named
def mae(
    reference: Any, candidate: Any, layout: str | None = None, **options: Any
) -> float | Result:
    """The mean absolute error of two images, or of two batches of images.

    Args:
        reference: an array as psnr() takes it, of any element type.
        candidate: the same shape and device.
        layout: such as "HWC", see SSIM; from three axes on arrays do not tell.
        **options: data_range, context, nonfinite, luma, luma_rounded and shave, see MeanErrors;
            per_image, per_channel, weights, candidate_gradient and reference_gradient, see psnr().

    Returns:
        The value, or what psnr() returns where more than the value is asked for.
    """
    return _measured("mean_absolute_error", reference, candidate, layout, options)


@named
def rmse(
    reference: Any, candidate: Any, layout: str | None = None, **options: Any
) -> float | Result:
    """The root mean square error of two images; arguments and result are those of mae()."""
    return _measured("root_mean_squared_error", reference, candidate, layout, options)


_NORMALIZATIONS = {
    "euclidean": "nrmse_euclidean",
    "min-max": "nrmse_min_max",
    "mean": "nrmse_mean",
}


@named
def nrmse(
    reference: Any,
    candidate: Any,
    layout: str | None = None,
    normalization: str = "euclidean",
    **options: Any,
) -> float | Result:
    """The normalised root mean square error, as scikit-image's normalized_root_mse().

    Args:
        reference: as in mae(); the error is divided by what it is.
        candidate: the same shape and device.
        layout: such as "HWC", see SSIM; from three axes on arrays do not tell.
        normalization: by the reference's root mean square, "euclidean" (the default), its range,
            "min-max", or its "mean".
        **options: those of mae() but for gradients.

    Returns:
        The mean of the images' values, or what psnr() returns where more is asked for.
    """
    if normalization not in _NORMALIZATIONS:
        listed = ", ".join(repr(word) for word in _NORMALIZATIONS)
        raise InvalidArgumentError(f"normalization is {normalization!r}, expected one of {listed}")
    return _measured(_NORMALIZATIONS[normalization], reference, candidate, layout, options)


@named
def snr(
    reference: Any, candidate: Any, layout: str | None = None, **options: Any
) -> float | Result:
    """The signal-to-noise ratio in dB: arguments and result are those of mae(), without gradients.

    It is 10 log10(sum x^2 / sum (x - y)^2) of each image, x the reference, and the mean of those.
    """
    return _measured("signal_to_noise_ratio", reference, candidate, layout, options)
