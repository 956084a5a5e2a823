# SPDX-License-Identifier: MIT
"""The SSIM of bench/plain_ssim.cpp, where it was built: in IQA_BUILD_DIR, or in build."""

import ctypes
import os
from pathlib import Path

import numpy as np

_ROOT = Path(__file__).resolve().parents[2]
_PATH = Path(os.environ.get("IQA_BUILD_DIR", _ROOT / "build")) / "bench" / "libplain_ssim.so"

try:
    _library = ctypes.CDLL(str(_PATH))
except OSError as error:
    raise ImportError(str(error)) from error

_library.plain_ssim_compiler.restype = ctypes.c_char_p
__version__ = f"by compiler {_library.plain_ssim_compiler().decode()}"


def mean_ssim(x, y, layout, data_range):
    """The mean over the channels of images of uint8 or float32."""
    function = getattr(_library, f"plain_ssim_{x.dtype}")
    function.restype = ctypes.c_double
    function.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_size_t] * 4 + [ctypes.c_double]
    channels = x.shape[2] if layout == "HWC" else 1
    planes = x.reshape(-1, *x.shape[-2:]) if layout == "NCHW" else x[None]
    others = y.reshape(planes.shape)
    height, width = planes.shape[1:3]
    values = [
        function(
            a.ctypes.data + channel * x.itemsize,
            b.ctypes.data + channel * x.itemsize,
            height,
            width,
            channels,
            width * channels,
            data_range,
        )
        for a, b in zip(planes, others)
        for channel in range(channels)
    ]
    return float(np.mean(values))
