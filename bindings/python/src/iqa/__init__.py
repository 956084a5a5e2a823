# SPDX-License-Identifier: MIT
"""Image-quality metrics on the arrays of NumPy, PyTorch, CuPy, JAX and others, without copies.

    >>> import iqa
    >>> iqa.ssim(photo, decoded, layout="HWC")
    >>> iqa.psnr(x, y, data_range=1.0)

`ssim` and `psnr` measure one pair or batch of images; `SSIM` and `PSNR` accumulate many. `fid`
and `FID` do the same for the Frechet distance of two sets of features. The same input gives the
same bits for any threads, batches, order of merges and instruction set.
"""

from ._context import Context
from ._errors import (
    BufferSizeError,
    CancelledError,
    CorruptError,
    CudaError,
    DeviceError,
    DtypeError,
    Error,
    IncompatibleError,
    InternalError,
    InvalidArgumentError,
    NoDataError,
    NumericError,
    OutOfMemoryError,
    ShapeError,
    UnavailableError,
)
from ._fid import FID, FIDParts, fid, fid_from_statistics
from ._library import cuda_state, library_version
from ._metric import Metric
from ._outputs import Details, Result
from ._psnr import PSNR, psnr
from ._ssim import SSIM, ssim

__version__ = library_version()

__all__ = [
    "FID",
    "PSNR",
    "SSIM",
    "BufferSizeError",
    "CancelledError",
    "Context",
    "CorruptError",
    "CudaError",
    "Details",
    "DeviceError",
    "DtypeError",
    "Error",
    "FIDParts",
    "IncompatibleError",
    "InternalError",
    "InvalidArgumentError",
    "Metric",
    "NoDataError",
    "NumericError",
    "OutOfMemoryError",
    "Result",
    "ShapeError",
    "UnavailableError",
    "cuda_state",
    "fid",
    "fid_from_statistics",
    "library_version",
    "psnr",
    "ssim",
]
