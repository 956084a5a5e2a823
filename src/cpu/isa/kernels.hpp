// SPDX-License-Identifier: MIT
// The CPU kernels as one table of functions, filled in once for each instruction set (README.md). Only plain structs
// cross this line.
#pragma once

#include "cpu/confusion/kernels.hpp"
#include "cpu/images/kernels.hpp"
#include "cpu/psnr/kernels.hpp"
#include "cpu/ssim/kernels.hpp"

namespace iqa {

struct cpu_kernels {
    const char *name;
    void (*ssim_float)(const ssim_tile &tile, ssim_tile_result &result);
    void (*ssim_double)(const ssim_tile &tile, ssim_tile_result &result);
    int128 (*ssim_blocks)(const ssim_block_tile &tile); // the sum over blocks, in units of 2^-ssim_double_bits
    void (*ssim_box_float)(const ssim_box &box, ssim_box_result &result);
    void (*ssim_box_double)(const ssim_box &box, ssim_box_result &result);
    // False: the spread is too large for float (arith/ssim_doubt.h), and the stored derivatives may be wrong.
    bool (*ssim_gradient_float)(const ssim_gradient_tile &tile);
    bool (*ssim_gradient_double)(const ssim_gradient_tile &tile);
    void (*finish_derivatives)(const derivatives_of_sum &run);
    void (*shrink_float)(const shrink_row &row);
    void (*shrink_double)(const shrink_row &row);
    void (*count_samples)(const sample_run &run, data_range range, sample_counts &counts);
    void (*count_chosen)(const sample_run &run, const sample_choice &choice, data_range range, sample_counts &counts);
    // Samples `step` apart as dense doubles.
    void (*widen)(element_type type, const void *samples, int64_t step, int64_t count, double *out);
    // Copies samples `step` apart into dense memory; the 16-bit floating-point types become float32.
    void (*gather)(element_type type, const void *samples, int64_t step, int64_t count, void *dense);
    // Dense runs (steps of 1) of all types except the 16-bit floating-point types.
    void (*sums_of_pairs)(error_term term, const sample_run &run, double gain, pair_total &total);

    // True if each is from 0 to 1; of float32 or float64.
    bool (*are_weights)(weight_type type, const void *data, int64_t step, int64_t count);
    // The kernels of samples below take dense runs of the same types.
    void (*gather_weights)(weight_type type, const void *data, int64_t step, int64_t count, float *weights);
    void (*mask_nonfinite)(element_type type, const void *samples, int64_t count, float *weights);
    weight_survey (*survey_weights)(const float *weights, int64_t count);
    // Copies samples, where they are not `replaced` themselves, with another one in the place of each of weight 0.
    void (*replace_masked)(element_type type, const void *samples, const float *weights, int64_t count, const void *by,
                           void *replaced);
    // One channel as doubles, or the luma of three.
    void (*to_double)(element_type type, const void *const *channels, const luma_rule *luma, int64_t count,
                      double *samples);
    // The derivative by each sample of the candidate; `weights` may be NULL.
    void (*error_derivatives)(const error_slope &slope, element_type type, const void *reference, const void *candidate,
                              const float *weights, int64_t count, double *derivatives);
    // Times a factor.
    void (*store_derivatives)(const double *derivatives, double factor, int64_t count, const derivative_place &to);

    void (*code_labels_in_bytes)(const label_run &run, uint8_t *codes);    // up to most_byte_classes
    void (*code_labels_in_16_bits)(const label_run &run, uint16_t *codes); // up to most_16_bit_classes
    void (*code_labels)(const label_run &run, uint32_t *codes);
    void (*label_scores)(const score_run &run, int32_t *labels);
    // The class in `targets` becomes the label if it is among the k largest scores.
    void (*prefer_target)(const score_run &run, const uint32_t *targets, int64_t k, int32_t *labels);
    // Codes are bytes.
    void (*count_byte_pairs)(const code_pairs &pairs, const count_tables &tables);
    // Codes are uint16.
    void (*count_pairs)(const code_pairs &pairs, carrying_table &table);
    // Stores the sums of sums[0 ... 1] and the first weights behind them. False if a weight is no sum of two parts: the
    // sums are then unspecified.
    bool (*sum_weights)(const weight_run &run, int64_t *sums);
    // Codes are bytes. Returns how many pairs are ignored, and how many of the others are invalid.
    code_counters (*add_weights)(const code_pairs &pairs, const weight_tables &tables);
};

} // namespace iqa
