/* SPDX-License-Identifier: MIT
 * The binary layout that bindings and old callers rely on: iqa_tensor is DLPack's DLTensor field by field, and no field
 * of an options struct ever moves. */
#include <dlpack/dlpack.h>
#include <stddef.h>
#include <stdio.h>

#include "iqa_c.h"

#define SAME_FIELD(ours, theirs)                                                                                       \
    _Static_assert(offsetof(iqa_tensor, ours) == offsetof(DLTensor, theirs) &&                                         \
                       sizeof(((iqa_tensor *)0)->ours) == sizeof(((DLTensor *)0)->theirs),                             \
                   #ours " is DLTensor's " #theirs)

SAME_FIELD(data, data);
SAME_FIELD(device_type, device.device_type);
SAME_FIELD(device_id, device.device_id);
SAME_FIELD(ndim, ndim);
SAME_FIELD(dtype_code, dtype.code);
SAME_FIELD(dtype_bits, dtype.bits);
SAME_FIELD(dtype_lanes, dtype.lanes);
SAME_FIELD(shape, shape);
SAME_FIELD(strides, strides);
SAME_FIELD(byte_offset, byte_offset);
_Static_assert(sizeof(iqa_tensor) == sizeof(DLTensor) && sizeof(iqa_tensor) == 48, "a DLTensor may be passed as it is");

_Static_assert((int)IQA_CPU == (int)kDLCPU && (int)IQA_CUDA == (int)kDLCUDA && (int)IQA_CUDA_HOST == (int)kDLCUDAHost &&
                   (int)IQA_CUDA_MANAGED == (int)kDLCUDAManaged,
               "DLPack's device numbers");

#define SAME_TYPE(ours, code, bits) _Static_assert((ours) == ((int)(code) << 8 | (bits)), #ours)

SAME_TYPE(IQA_INT8, kDLInt, 8);
SAME_TYPE(IQA_INT16, kDLInt, 16);
SAME_TYPE(IQA_INT32, kDLInt, 32);
SAME_TYPE(IQA_INT64, kDLInt, 64);
SAME_TYPE(IQA_UINT8, kDLUInt, 8);
SAME_TYPE(IQA_UINT16, kDLUInt, 16);
SAME_TYPE(IQA_FLOAT16, kDLFloat, 16);
SAME_TYPE(IQA_FLOAT32, kDLFloat, 32);
SAME_TYPE(IQA_FLOAT64, kDLFloat, 64);
SAME_TYPE(IQA_BFLOAT16, kDLBfloat, 16);
SAME_TYPE(IQA_BOOL, 6, 8); /* kDLBool, which DLPack has since version 1.0 */

/* Fields may be added behind the last one; then a line is added here and the size grows. */
#define AT(type, field, offset, size)                                                                                  \
    _Static_assert(offsetof(type, field) == (offset) && sizeof(((type *)0)->field) == (size), #type "." #field)

AT(iqa_context_options, struct_size, 0, 4);
AT(iqa_context_options, threads, 4, 4);
AT(iqa_context_options, instruction_set, 8, 4);
AT(iqa_context_options, cuda_stream, 16, 8);
AT(iqa_context_options, allocate, 24, 8);
AT(iqa_context_options, deallocate, 32, 8);
AT(iqa_context_options, allocator_user, 40, 8);
AT(iqa_context_options, parallel, 48, 8);
AT(iqa_context_options, parallel_user, 56, 8);
AT(iqa_context_options, progress, 64, 8);
AT(iqa_context_options, progress_user, 72, 8);
AT(iqa_context_options, log, 80, 8);
AT(iqa_context_options, log_user, 88, 8);
_Static_assert(sizeof(iqa_context_options) == 96, "iqa_context_options");

AT(iqa_update_extras, struct_size, 0, 4);
AT(iqa_update_extras, per_image, 8, 8);
AT(iqa_update_extras, per_channel, 16, 8);
AT(iqa_update_extras, map, 24, 8);
AT(iqa_update_extras, weights, 32, 8);
AT(iqa_update_extras, counts, 40, 8);
AT(iqa_update_extras, candidate_gradient, 48, 8);
AT(iqa_update_extras, reference_gradient, 56, 8);
AT(iqa_update_extras, data_low, 64, 8);
AT(iqa_update_extras, data_high, 72, 8);
_Static_assert(sizeof(iqa_update_extras) == 80, "iqa_update_extras");

AT(iqa_ssim_options, struct_size, 0, 4);
AT(iqa_ssim_options, layout, 4, 4);
AT(iqa_ssim_options, data_low, 8, 8);
AT(iqa_ssim_options, data_high, 16, 8);
AT(iqa_ssim_options, window, 24, 4);
AT(iqa_ssim_options, border, 28, 4);
AT(iqa_ssim_options, size_y, 32, 4);
AT(iqa_ssim_options, size_x, 36, 4);
AT(iqa_ssim_options, sigma_y, 40, 8);
AT(iqa_ssim_options, sigma_x, 48, 8);
AT(iqa_ssim_options, truncate, 56, 8);
AT(iqa_ssim_options, k1, 64, 8);
AT(iqa_ssim_options, k2, 72, 8);
AT(iqa_ssim_options, covariance, 80, 4);
AT(iqa_ssim_options, arithmetic, 84, 4);
AT(iqa_ssim_options, nonfinite, 88, 4);
AT(iqa_ssim_options, size_z, 92, 4);
AT(iqa_ssim_options, sigma_z, 96, 8);
AT(iqa_ssim_options, spacing_z, 104, 8);
AT(iqa_ssim_options, spacing_y, 112, 8);
AT(iqa_ssim_options, spacing_x, 120, 8);
AT(iqa_ssim_options, luma, 128, 4);
AT(iqa_ssim_options, luma_rounded, 132, 4);
AT(iqa_ssim_options, shave, 136, 4);
AT(iqa_ssim_options, downsample, 140, 4);
AT(iqa_ssim_options, shrink, 144, 4);
AT(iqa_ssim_options, scales, 148, 4);
AT(iqa_ssim_options, scale_weights, 152, 96);
AT(iqa_ssim_options, product, 248, 4);
AT(iqa_ssim_options, negative, 252, 4);
AT(iqa_ssim_options, contrast_border, 256, 4);
AT(iqa_ssim_options, mask, 260, 4);
AT(iqa_ssim_options, coverage, 264, 8);
AT(iqa_ssim_options, parts, 272, 4);
AT(iqa_ssim_options, reserved, 276, 4);
_Static_assert(sizeof(iqa_ssim_options) == 280, "iqa_ssim_options");

AT(iqa_psnr_options, struct_size, 0, 4);
AT(iqa_psnr_options, layout, 4, 4);
AT(iqa_psnr_options, data_low, 8, 8);
AT(iqa_psnr_options, data_high, 16, 8);
AT(iqa_psnr_options, log_base, 24, 8);
AT(iqa_psnr_options, cap, 32, 8);
AT(iqa_psnr_options, aggregate, 40, 4);
AT(iqa_psnr_options, nonfinite, 44, 4);
AT(iqa_psnr_options, luma, 48, 4);
AT(iqa_psnr_options, luma_rounded, 52, 4);
AT(iqa_psnr_options, shave, 56, 4);
AT(iqa_psnr_options, gradient, 60, 4);
_Static_assert(sizeof(iqa_psnr_options) == 64, "iqa_psnr_options");

AT(iqa_errors_options, struct_size, 0, 4);
AT(iqa_errors_options, layout, 4, 4);
AT(iqa_errors_options, data_low, 8, 8);
AT(iqa_errors_options, data_high, 16, 8);
AT(iqa_errors_options, measure, 24, 4);
AT(iqa_errors_options, nonfinite, 28, 4);
AT(iqa_errors_options, luma, 32, 4);
AT(iqa_errors_options, luma_rounded, 36, 4);
AT(iqa_errors_options, shave, 40, 4);
AT(iqa_errors_options, alone, 44, 4);
_Static_assert(sizeof(iqa_errors_options) == 48, "iqa_errors_options");

AT(iqa_fid_options, struct_size, 0, 4);
AT(iqa_fid_options, features, 4, 4);
AT(iqa_fid_options, fraction_bits, 8, 4);
AT(iqa_fid_options, word_bits, 12, 4);
AT(iqa_fid_options, weights, 16, 8);
AT(iqa_fid_options, layer, 24, 4);
AT(iqa_fid_options, resize, 28, 4);
_Static_assert(sizeof(iqa_fid_options) == 32, "iqa_fid_options");

AT(iqa_kid_options, struct_size, 0, 4);
AT(iqa_kid_options, degree, 4, 4);
AT(iqa_kid_options, gamma, 8, 8);
AT(iqa_kid_options, coef0, 16, 8);
AT(iqa_kid_options, estimator, 24, 4);
AT(iqa_kid_options, subsets, 28, 4);
AT(iqa_kid_options, subset_size, 32, 8);
AT(iqa_kid_options, seed, 40, 8);
AT(iqa_kid_options, draw_by, 48, 4);
AT(iqa_kid_options, reserved, 52, 4);
_Static_assert(sizeof(iqa_kid_options) == 56, "iqa_kid_options");

AT(iqa_prdc_options, struct_size, 0, 4);
AT(iqa_prdc_options, ball, 4, 4);
AT(iqa_prdc_options, k, 8, 8);
_Static_assert(sizeof(iqa_prdc_options) == 16, "iqa_prdc_options");

AT(iqa_inception_score_options, struct_size, 0, 4);
AT(iqa_inception_score_options, scores, 4, 4);
AT(iqa_inception_score_options, splits, 8, 4);
AT(iqa_inception_score_options, shuffle, 12, 4);
AT(iqa_inception_score_options, seed, 16, 8);
AT(iqa_inception_score_options, draw_by, 24, 4);
AT(iqa_inception_score_options, reserved, 28, 4);
_Static_assert(sizeof(iqa_inception_score_options) == 32, "iqa_inception_score_options");

AT(iqa_network_options, struct_size, 0, 4);
AT(iqa_network_options, layout, 4, 4);
AT(iqa_network_options, resize, 8, 4);
AT(iqa_network_options, at_once, 12, 4);
AT(iqa_network_options, data_low, 16, 8);
AT(iqa_network_options, data_high, 24, 8);
_Static_assert(sizeof(iqa_network_options) == 32, "iqa_network_options");

AT(iqa_named_tensor, name, 0, 8);
AT(iqa_named_tensor, tensor, 8, 8);
_Static_assert(sizeof(iqa_named_tensor) == 16, "iqa_named_tensor");

AT(iqa_layer_features, layer, 0, 4);
AT(iqa_layer_features, features, 8, 8);
_Static_assert(sizeof(iqa_layer_features) == 16, "iqa_layer_features");

AT(iqa_confusion_reading, struct_size, 0, 4);
AT(iqa_confusion_reading, average, 4, 4);
AT(iqa_confusion_reading, over, 8, 4);
AT(iqa_confusion_reading, empty, 12, 4);
AT(iqa_confusion_reading, zero_division, 16, 4);
AT(iqa_confusion_reading, generalized_weights, 20, 4);
AT(iqa_confusion_reading, beta, 24, 8);
AT(iqa_confusion_reading, excluded, 32, 8);
AT(iqa_confusion_reading, excluded_count, 40, 8);
_Static_assert(sizeof(iqa_confusion_reading) == 48, "iqa_confusion_reading");

AT(iqa_confusion_options, struct_size, 0, 4);
AT(iqa_confusion_options, classes, 4, 4);
AT(iqa_confusion_options, task, 8, 4);
AT(iqa_confusion_options, reference, 12, 4);
AT(iqa_confusion_options, candidate, 16, 4);
AT(iqa_confusion_options, class_axis, 20, 4);
AT(iqa_confusion_options, batched, 24, 4);
AT(iqa_confusion_options, counts, 28, 4);
AT(iqa_confusion_options, out_of_range, 32, 4);
AT(iqa_confusion_options, ignore, 36, 4);
AT(iqa_confusion_options, ignore_label, 40, 8);
AT(iqa_confusion_options, threshold, 48, 8);
AT(iqa_confusion_options, top_k, 56, 4);
AT(iqa_confusion_options, weighted, 60, 4);
AT(iqa_confusion_options, keep_samples, 64, 4);
AT(iqa_confusion_options, score, 68, 4);
AT(iqa_confusion_options, reading, 72, 8);
_Static_assert(sizeof(iqa_confusion_options) == 80, "iqa_confusion_options");

AT(iqa_option_word, name, 0, 8);
AT(iqa_option_word, constant, 8, 8);
AT(iqa_option_word, value, 16, 8);
_Static_assert(sizeof(iqa_option_word) == 24, "iqa_option_word");

AT(iqa_option_info, struct_size, 0, 4);
AT(iqa_option_info, count, 4, 4);
AT(iqa_option_info, name, 8, 8);
AT(iqa_option_info, group, 16, 8);
AT(iqa_option_info, words, 24, 8);
AT(iqa_option_info, word_count, 32, 4);
AT(iqa_option_info, type, 36, 4);
AT(iqa_option_info, length, 40, 4);
AT(iqa_option_info, offset, 44, 4);
AT(iqa_option_info, default_value, 48, 8);
AT(iqa_option_info, least, 56, 8);
AT(iqa_option_info, most, 64, 8);
AT(iqa_option_info, least_is_open, 72, 4);
AT(iqa_option_info, most_is_open, 76, 4);
AT(iqa_option_info, odd, 80, 4);
AT(iqa_option_info, in_state, 84, 4);
AT(iqa_option_info, since, 88, 8);
AT(iqa_option_info, help, 96, 8);
_Static_assert(sizeof(iqa_option_info) == 104, "iqa_option_info");

/* What the asserts cannot say: a tensor made by a framework is read as it was meant. */
int main(void)
{
    static float pixels[15 * 20 + 3] = {0};
    int64_t shape[2] = {15, 20};
    int64_t strides[2] = {20, 1};
    DLTensor theirs;
    iqa_context *context = NULL;
    iqa_metric *metric = NULL;
    iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
    double samples = 0.0;
    options.data_low = 0.0;
    options.data_high = 1.0;
    theirs.data = pixels;
    theirs.device.device_type = kDLCPU;
    theirs.device.device_id = 0;
    theirs.ndim = 2;
    theirs.dtype.code = kDLFloat;
    theirs.dtype.bits = 32;
    theirs.dtype.lanes = 1;
    theirs.shape = shape;
    theirs.strides = strides;
    theirs.byte_offset = 3 * sizeof(float);
    if (iqa_context_create(NULL, &context) != IQA_OK || iqa_psnr_create(context, &options, &metric) != IQA_OK ||
        iqa_metric_update(metric, (const iqa_tensor *)&theirs, (const iqa_tensor *)&theirs, NULL) != IQA_OK ||
        iqa_metric_read(metric, IQA_FIELD_SAMPLES, &samples, 1, NULL) != IQA_OK || samples != 300.0) {
        fprintf(stderr, "a DLTensor was not taken: %s\n", iqa_context_error(context));
        return 1;
    }
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);
    return 0;
}
