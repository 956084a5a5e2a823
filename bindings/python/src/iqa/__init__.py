# SPDX-License-Identifier: MIT
"""Image-quality metrics on the arrays of NumPy, PyTorch, CuPy, JAX and others, without copies.

    >>> import iqa
    >>> iqa.ssim(photo, decoded, layout="HWC")
    >>> iqa.psnr(x, y, data_range=1.0)
    >>> iqa.iou(truth, prediction, 19, ignore=255, average="macro")

`ssim`, `ms_ssim` and `psnr` measure one pair or batch of images, or of volumes; `SSIM`, `MS_SSIM`
and `PSNR` accumulate many; `ssim_all` says what other libraries would. `mae`, `rmse`, `nrmse`,
`snr` and `MeanErrors` are mean errors. `ConfusionMatrix` compares labels; `f1`, `dice`, `iou` and
their like do so in one call. `fid` and `FID` are the Frechet distance of two sets of features,
`kid` and `KID` their kernel distance, `prdc` and `PRDC` precision, recall, density and coverage;
`inception_score` takes logits. `Inception` makes features of pictures, and `fid_of_images` does
both. `MetricCollection` updates several metrics as one.

The module `iqa.torch` has differentiable functions of PyTorch tensors, `iqa.torchmetrics` the
classes of TorchMetrics. The same input gives the same bits for any threads, batches, order of
merges and instruction set.
"""

from ._collection import MetricCollection
from ._confusion import (
    ConfusionMatrix,
    SampleDetails,
    accuracy,
    balanced_accuracy,
    confusion_matrix,
    dice,
    f1,
    fbeta,
    generalized_dice,
    iou,
    kappa,
    mcc,
    precision,
    recall,
    specificity,
)
from ._context import Context
from ._errors import (
    ArgumentTypeError,
    BufferSizeError,
    CancelledError,
    CorruptError,
    CudaError,
    DeviceError,
    DtypeError,
    Error,
    IncompatibleError,
    InternalError,
    InUseError,
    InvalidArgumentError,
    NoDataError,
    NumericError,
    OutOfMemoryError,
    ShapeError,
    UnavailableError,
)
from ._fid import (
    FID,
    FIDEstimate,
    FIDLine,
    FIDParts,
    fid,
    fid_extrapolate,
    fid_from_statistics,
    fid_jackknife,
)
from ._inception import Inception, fid_of_images
from ._kid import KID, MeanStd, inception_score, kid
from ._library import cuda_state, library_version
from ._mean_errors import MeanErrors, mae, nrmse, rmse, snr
from ._metric import Metric, merge
from ._outputs import Details, Parts, Result
from ._plot import plot_map, plot_values
from ._prdc import PRDC, PRDCValues, prdc
from ._presets import SSIM_PRESETS, PresetValues, ssim_all
from ._psnr import PSNR, psnr
from ._report import ScoreTable
from ._ssim import MS_SSIM, SSIM, ms_ssim, ssim

__version__ = library_version()

__all__ = [
    "FID",
    "KID",
    "MS_SSIM",
    "PRDC",
    "PSNR",
    "SSIM",
    "SSIM_PRESETS",
    "ArgumentTypeError",
    "BufferSizeError",
    "CancelledError",
    "ConfusionMatrix",
    "Context",
    "CorruptError",
    "CudaError",
    "Details",
    "DeviceError",
    "DtypeError",
    "Error",
    "FIDEstimate",
    "FIDLine",
    "FIDParts",
    "InUseError",
    "Inception",
    "IncompatibleError",
    "InternalError",
    "InvalidArgumentError",
    "MeanErrors",
    "MeanStd",
    "Metric",
    "MetricCollection",
    "NoDataError",
    "NumericError",
    "OutOfMemoryError",
    "PRDCValues",
    "Parts",
    "PresetValues",
    "Result",
    "SampleDetails",
    "ScoreTable",
    "ShapeError",
    "UnavailableError",
    "accuracy",
    "balanced_accuracy",
    "confusion_matrix",
    "cuda_state",
    "dice",
    "f1",
    "fbeta",
    "fid",
    "fid_extrapolate",
    "fid_from_statistics",
    "fid_jackknife",
    "fid_of_images",
    "generalized_dice",
    "inception_score",
    "iou",
    "kappa",
    "kid",
    "library_version",
    "mae",
    "mcc",
    "merge",
    "ms_ssim",
    "nrmse",
    "plot_map",
    "plot_values",
    "prdc",
    "precision",
    "psnr",
    "recall",
    "rmse",
    "snr",
    "specificity",
    "ssim",
    "ssim_all",
]
