# SPDX-License-Identifier: MIT
"""The library that the program uses, called directly, to compare what the program prints."""

from __future__ import annotations

import ctypes
import re
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class Tensor(ctypes.Structure):
    """iqa_tensor"""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("dtype_code", ctypes.c_uint8),
        ("dtype_bits", ctypes.c_uint8),
        ("dtype_lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class SsimOptions(ctypes.Structure):
    """iqa_ssim_options"""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("layout", ctypes.c_int32),
        ("data_low", ctypes.c_double),
        ("data_high", ctypes.c_double),
        ("window", ctypes.c_int32),
        ("border", ctypes.c_int32),
        ("size_y", ctypes.c_int32),
        ("size_x", ctypes.c_int32),
        ("sigma_y", ctypes.c_double),
        ("sigma_x", ctypes.c_double),
        ("truncate", ctypes.c_double),
        ("k1", ctypes.c_double),
        ("k2", ctypes.c_double),
        ("covariance", ctypes.c_int32),
        ("arithmetic", ctypes.c_int32),
        ("nonfinite", ctypes.c_int32),
    ]


class PsnrOptions(ctypes.Structure):
    """iqa_psnr_options"""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("layout", ctypes.c_int32),
        ("data_low", ctypes.c_double),
        ("data_high", ctypes.c_double),
        ("log_base", ctypes.c_double),
        ("cap", ctypes.c_double),
        ("aggregate", ctypes.c_int32),
        ("nonfinite", ctypes.c_int32),
    ]


DTYPE_CODES = {"i": 0, "u": 1, "f": 2}


def tensor(array: NDArray[np.generic]) -> Tensor:
    """A view of a C-ordered array; keeps the shape alive."""
    assert array.flags.c_contiguous
    shape = (ctypes.c_int64 * array.ndim)(*array.shape)
    view = Tensor(
        array.ctypes.data,
        1,
        0,
        array.ndim,
        DTYPE_CODES[array.dtype.kind],
        8 * array.dtype.itemsize,
        1,
    )
    view.shape = ctypes.cast(shape, ctypes.POINTER(ctypes.c_int64))
    view._shape = shape
    return view


def library_path(program: str) -> Path:
    """The shared library that the program was linked with."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
    path = re.search(r"libiqa_c\S* => (\S+)", done.stdout)
    assert path, done.stdout
    return Path(path.group(1))


class Library:
    """The shared library that the program was linked with."""

    def __init__(self, program: str) -> None:
        self._library = ctypes.CDLL(str(library_path(program)))
        self._library.iqa_context_error.restype = ctypes.c_char_p
        self._context = ctypes.c_void_p()
        self._check(self._library.iqa_context_create(None, ctypes.byref(self._context)))

    def _check(self, status: int) -> None:
        assert status == 0, self._library.iqa_context_error(self._context)

    def _measure(
        self,
        name: str,
        options: ctypes.Structure,
        x: NDArray[np.generic],
        y: NDArray[np.generic],
        fields: dict,
    ) -> float:
        self._check(
            getattr(self._library, f"iqa_{name}_options_init")(
                ctypes.byref(options), ctypes.sizeof(options)
            )
        )
        for field, value in fields.items():
            setattr(options, field, value)
        value = ctypes.c_double()
        reference, candidate = tensor(x), tensor(y)
        self._check(
            getattr(self._library, f"iqa_measure_{name}")(
                self._context,
                ctypes.byref(options),
                ctypes.byref(reference),
                ctypes.byref(candidate),
                ctypes.byref(value),
            )
        )
        return value.value

    def ssim(self, x: NDArray[np.generic], y: NDArray[np.generic], **fields: float) -> float:
        """iqa_measure_ssim"""
        return self._measure("ssim", SsimOptions(), x, y, fields)

    def psnr(self, x: NDArray[np.generic], y: NDArray[np.generic], **fields: float) -> float:
        """iqa_measure_psnr"""
        return self._measure("psnr", PsnrOptions(), x, y, fields)
