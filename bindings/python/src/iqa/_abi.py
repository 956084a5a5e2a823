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
CUDA_MANAGED = 13

FLOAT = 2
BFLOAT = 4

LAYOUTS = {
    "HW": 0,
    "HWC": 1,
    "CHW": 2,
    "NHW": 3,
    "NHWC": 4,
    "NCHW": 5,
    "DHW": 6,
    "CDHW": 7,
    "DHWC": 8,
    "NDHW": 9,
    "NCDHW": 10,
    "NDHWC": 11,
}
LAYOUT_WORDS = tuple(LAYOUTS)
WINDOWS = {"gaussian": 0, "uniform": 1, "blocks": 2}
SIZES = {"auto": -1, "auto_ceiling": -2}
BORDERS = {"valid": 0, "reflect": 1, "symmetric": 2, "replicate": 3, "zero": 4}
COVARIANCES = {"population": 0, "sample": 1}
ARITHMETICS = {"auto": 0, "float64": 1}
NONFINITES = {"error": 0, "propagate": 1, "mask": 2}
LUMAS = {
    "none": 0,
    "bt601_full": 1,
    "bt601_studio": 2,
    "bt709_full": 3,
    "bt709_studio": 4,
}
SHRINKS = {"symmetric": 0, "floor": 1, "zero": 2, "replicate": 3}
PRODUCTS = {"channel": 0, "image": 1}
NEGATIVES = {"keep": 0, "relu": 1, "simple": 2, "relu_map": 3}
MASKS = {"convolution": 0, "map": 1}
GRADIENTS = {"psnr": 0, "mse": 1}
AGGREGATES = {"psnr_of_mean_mse": 0, "mean_of_psnr": 1}
INSTRUCTION_SETS = {"baseline": 0, "avx2": 1, "avx512": 2, "best": 255}

THREADS_ALL = -1
DOWNSAMPLE_AUTO = -1
MOST_SCALES = 12

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
KID_GAMMA_AUTO = -1.0
ESTIMATORS = {"unbiased": 0, "biased": 1}
SCORES_OF_ROWS = {"logits": 0, "probabilities": 1}
TASKS = {"multiclass": 0, "multilabel": 1}
LABELS = {"index": 0, "one_hot": 1, "argmax": 2, "threshold": 3}
COUNTS = {"matrix": 0, "per_class": 1}
OUT_OF_RANGES = {"error": 0, "drop": 1, "wrong": 2}
SCORES = {
    "accuracy": 0,
    "precision": 1,
    "recall": 2,
    "specificity": 3,
    "f": 4,
    "dice": 5,
    "iou": 6,
    "balanced_accuracy": 7,
    "frequency_weighted_iou": 8,
    "generalized_dice": 9,
    "mcc": 10,
    "kappa": 11,
    "kappa_linear": 12,
    "kappa_quadratic": 13,
}
SCORE_NONE = -1
AVERAGES = {"none": 0, "micro": 1, "macro": 2, "weighted": 3, "binary": 4, "pairs": 5}
OVERS = {"elements": 0, "samples": 1}
ZERO_DIVISIONS = {"zero": 0, "one": 1, "nan": 2, "skip": 3}
EMPTIES = {
    "skip": 0,
    "zero": 1,
    "one": 2,
    "nan": 3,
    "as_ratio": 4,
    "skip_in_averages": 5,
    "one_else_zero": 6,
    "skip_unreferenced": 7,
    "skip_ignored_in_iou": 8,
}
WEIGHTS = {"square": 0, "simple": 1, "linear": 2}
CONVENTIONS = {
    "scikit_learn": 0,
    "torchmetrics": 1,
    "torchmetrics_multilabel": 2,
    "torchmetrics_dice": 3,
    "torchmetrics_mean_iou": 4,
    "monai": 5,
    "monai_keep_empty": 6,
    "mmsegmentation": 7,
}
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
        ("size_z", ctypes.c_int32),
        ("sigma_z", ctypes.c_double),
        ("spacing_z", ctypes.c_double),
        ("spacing_y", ctypes.c_double),
        ("spacing_x", ctypes.c_double),
        ("luma", ctypes.c_int32),
        ("luma_rounded", ctypes.c_int32),
        ("shave", ctypes.c_int32),
        ("downsample", ctypes.c_int32),
        ("shrink", ctypes.c_int32),
        ("scales", ctypes.c_int32),
        ("scale_weights", ctypes.c_double * MOST_SCALES),
        ("product", ctypes.c_int32),
        ("negative", ctypes.c_int32),
        ("contrast_border", ctypes.c_int32),
        ("mask", ctypes.c_int32),
        ("coverage", ctypes.c_double),
        ("parts", ctypes.c_int32),
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
        ("luma", ctypes.c_int32),
        ("luma_rounded", ctypes.c_int32),
        ("shave", ctypes.c_int32),
        ("gradient", ctypes.c_int32),
    ]


class FIDOptions(ctypes.Structure):
    """iqa_fid_options."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("features", ctypes.c_int32),
        ("fraction_bits", ctypes.c_int32),
        ("word_bits", ctypes.c_int32),
    ]


class KIDOptions(ctypes.Structure):
    """iqa_kid_options."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("degree", ctypes.c_int32),
        ("gamma", ctypes.c_double),
        ("coef0", ctypes.c_double),
        ("estimator", ctypes.c_int32),
        ("subsets", ctypes.c_int32),
        ("subset_size", ctypes.c_int64),
        ("seed", ctypes.c_uint64),
    ]


class InceptionScoreOptions(ctypes.Structure):
    """iqa_inception_score_options."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("scores", ctypes.c_int32),
        ("splits", ctypes.c_int32),
        ("shuffle", ctypes.c_int32),
        ("seed", ctypes.c_uint64),
    ]


class ConfusionReading(ctypes.Structure):
    """iqa_confusion_reading; `excluded` is an address of bytes."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("average", ctypes.c_int32),
        ("over", ctypes.c_int32),
        ("empty", ctypes.c_int32),
        ("zero_division", ctypes.c_int32),
        ("generalized_weights", ctypes.c_int32),
        ("beta", ctypes.c_double),
        ("excluded", ctypes.c_void_p),
        ("excluded_count", ctypes.c_int64),
    ]


class ConfusionOptions(ctypes.Structure):
    """iqa_confusion_options; `reading` is an address."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("classes", ctypes.c_int32),
        ("task", ctypes.c_int32),
        ("reference", ctypes.c_int32),
        ("candidate", ctypes.c_int32),
        ("class_axis", ctypes.c_int32),
        ("batched", ctypes.c_int32),
        ("counts", ctypes.c_int32),
        ("out_of_range", ctypes.c_int32),
        ("ignore", ctypes.c_int32),
        ("ignore_label", ctypes.c_int64),
        ("threshold", ctypes.c_double),
        ("top_k", ctypes.c_int32),
        ("weighted", ctypes.c_int32),
        ("keep_samples", ctypes.c_int32),
        ("score", ctypes.c_int32),
        ("reading", ctypes.c_void_p),
    ]
