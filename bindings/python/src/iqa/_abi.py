# SPDX-License-Identifier: MIT
"""The structures and numbers of iqa_c.h as ctypes sees them.

tests/test_abi.py compares every size and offset with what a C compiler says.
"""

from __future__ import annotations

import ctypes

VERSION = (0, 1)
"""Major and minor number of the header that this package was written for."""

CPU = 1
CUDA = 2

FLOAT = 2
BFLOAT = 4

LAYOUTS = {"HW": 0, "HWC": 1, "CHW": 2, "NHW": 3, "NHWC": 4, "NCHW": 5}
WINDOWS = {"gaussian": 0, "uniform": 1}
BORDERS = {"valid": 0, "reflect": 1, "symmetric": 2, "replicate": 3, "zero": 4}
COVARIANCES = {"population": 0, "sample": 1}
ARITHMETICS = {"auto": 0, "float64": 1}
NONFINITES = {"error": 0, "propagate": 1}
AGGREGATES = {"psnr_of_mean_mse": 0, "mean_of_psnr": 1}
INSTRUCTION_SETS = {"baseline": 0, "avx2": 1, "avx512": 2, "best": 255}

THREADS_ALL = -1
SIZE_AUTO = -1

FIELDS = {
    "value": 0,
    "images": 1,
    "out_of_range": 2,
    "nonfinite": 3,
    "mse": 4,
    "samples": 5,
    "infinite_images": 6,
    "psnr_of_mean_mse": 7,
    "mean_psnr": 8,
    "mean_psnr_of_finite": 9,
    "fid_raw": 100,
    "fid_mean_term": 101,
    "fid_trace_reference": 102,
    "fid_trace_candidate": 103,
    "fid_trace_term": 104,
    "fid_rank_reference": 105,
    "fid_rank_candidate": 106,
    "fid_rows_reference": 107,
    "fid_rows_candidate": 108,
    "fid_flags": 109,
    "fid_mean_reference": 110,
    "fid_mean_candidate": 111,
    "fid_covariance_reference": 112,
    "fid_covariance_candidate": 113,
}

FID_RANK_DEFICIENT = 1

ProgressFunction = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
LogFunction = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


class Tensor(ctypes.Structure):
    """iqa_tensor, which is DLPack's DLTensor."""

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


class ContextOptions(ctypes.Structure):
    """iqa_context_options."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("threads", ctypes.c_int32),
        ("instruction_set", ctypes.c_int32),
        ("cuda_stream", ctypes.c_void_p),
        ("allocate", ctypes.c_void_p),
        ("deallocate", ctypes.c_void_p),
        ("allocator_user", ctypes.c_void_p),
        ("parallel", ctypes.c_void_p),
        ("parallel_user", ctypes.c_void_p),
        ("progress", ProgressFunction),
        ("progress_user", ctypes.c_void_p),
        ("log", LogFunction),
        ("log_user", ctypes.c_void_p),
    ]


class UpdateExtras(ctypes.Structure):
    """iqa_update_extras; the pointers are addresses of tensors."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("per_image", ctypes.c_void_p),
        ("per_channel", ctypes.c_void_p),
        ("map", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("counts", ctypes.c_void_p),
    ]


class SSIMOptions(ctypes.Structure):
    """iqa_ssim_options."""

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
        ("reserved", ctypes.c_int32),
    ]


class PSNROptions(ctypes.Structure):
    """iqa_psnr_options."""

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


class FIDOptions(ctypes.Structure):
    """iqa_fid_options."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("features", ctypes.c_int32),
        ("fraction_bits", ctypes.c_int32),
        ("word_bits", ctypes.c_int32),
    ]
