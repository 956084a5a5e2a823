# SPDX-License-Identifier: MIT
"""The structures and numbers of iqa_c.h as ctypes sees them.

tests/test_abi.py compares every size and offset with what a C compiler says.
"""

from __future__ import annotations

import ctypes

VERSION = (0, 2)
"""Major and minor number of the header that this package was written for."""

SONAME = f"libiqa_c.so.0.{VERSION[1]}" if VERSION[0] == 0 else f"libiqa_c.so.{VERSION[0]}"
"""The name by which programs load the library of that version."""

CPU = 1
CUDA = 2
CUDA_MANAGED = 13

FLOAT = 2
BFLOAT = 4

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
    "luminance": 10,
    "contrast_structure": 11,
    "ssim_of_scales": 12,
    "mae": 13,
    "rmse": 14,
    "nrmse_euclidean": 15,
    "nrmse_min_max": 16,
    "nrmse_mean": 17,
    "snr": 18,
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
    "fid_rounding": 114,
}

FID_RANK_DEFICIENT = 1

CONFUSION_FIELDS = {
    "samples": 200,
    "elements": 201,
    "ignored": 202,
    "invalid": 203,
    "matrix": 204,
    "matrix_by_row": 205,
    "matrix_by_column": 206,
    "matrix_by_all": 207,
    "true_positives": 208,
    "false_positives": 209,
    "false_negatives": 210,
    "true_negatives": 211,
    "support": 212,
    "presence": 213,
}

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
        ("candidate_gradient", ctypes.c_void_p),
        ("reference_gradient", ctypes.c_void_p),
        ("data_low", ctypes.c_double),
        ("data_high", ctypes.c_double),
    ]


class NamedTensor(ctypes.Structure):
    """iqa_named_tensor."""

    _fields_ = [("name", ctypes.c_char_p), ("tensor", ctypes.c_void_p)]


class LayerFeatures(ctypes.Structure):
    """iqa_layer_features."""

    _fields_ = [("layer", ctypes.c_int32), ("features", ctypes.c_void_p)]


class OptionWord(ctypes.Structure):
    """iqa_option_word."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("constant", ctypes.c_char_p),
        ("value", ctypes.c_double),
    ]


class OptionInfo(ctypes.Structure):
    """iqa_option_info."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("count", ctypes.c_int32),
        ("name", ctypes.c_char_p),
        ("group", ctypes.c_char_p),
        ("words", ctypes.POINTER(OptionWord)),
        ("word_count", ctypes.c_int32),
        ("type", ctypes.c_int32),
        ("length", ctypes.c_int32),
        ("offset", ctypes.c_int32),
        ("default_value", ctypes.c_double),
        ("least", ctypes.c_double),
        ("most", ctypes.c_double),
        ("least_is_open", ctypes.c_int32),
        ("most_is_open", ctypes.c_int32),
        ("odd", ctypes.c_int32),
        ("in_state", ctypes.c_int32),
        ("since", ctypes.c_char_p),
        ("help", ctypes.c_char_p),
    ]
