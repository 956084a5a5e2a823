// SPDX-License-Identifier: MIT
// The table of kernels of one instruction set: see README.md.
#pragma once

#include "cpu/confusion/labels.inl"
#include "cpu/confusion/scores.inl"
#include "cpu/confusion/weights.inl"
#include "cpu/images/count.inl"
#include "cpu/images/gather.inl"
#include "cpu/images/weighted_samples.inl"
#include "cpu/isa/instruction_set.h"
#include "cpu/isa/kernels.hpp"
#include "cpu/psnr/gradient.inl"
#include "cpu/psnr/squared_error.inl"
#include "cpu/ssim/blocks.inl"
#include "cpu/ssim/boxes.inl"
#include "cpu/ssim/finish.inl"
#include "cpu/ssim/gradient.inl"
#include "cpu/ssim/shrink.inl"
#include "cpu/ssim/tiles.inl"

namespace iqa::IQA_INSTRUCTION_SET {

#define IQA_NAME_OF(set) #set
#define IQA_NAME(set) IQA_NAME_OF(set)

extern const cpu_kernels kernels;
const cpu_kernels kernels = {
    .name = IQA_NAME(IQA_INSTRUCTION_SET),
    .ssim_float = ssim_of_tile<float>,
    .ssim_double = ssim_of_tile<double>,
    .ssim_blocks = ssim_blocks,
    .ssim_box_float = ssim_of_box<float>,
    .ssim_box_double = ssim_of_box<double>,
    .ssim_gradient_float = ssim_gradient<float>,
    .ssim_gradient_double = ssim_gradient<double>,
    .finish_derivatives = finish_derivatives,
    .shrink_float = shrink_one_row<float>,
    .shrink_double = shrink_one_row<double>,
    .count_samples = count_samples,
    .count_chosen = count_chosen,
    .widen = widen_samples,
    .gather = gather,
    .sums_of_pairs = sums_of_pairs,
    .are_weights = are_weights,
    .gather_weights = gather_weights,
    .mask_nonfinite = mask_nonfinite,
    .survey_weights = survey_weights,
    .replace_masked = replace_masked,
    .to_double = to_double,
    .error_derivatives = error_derivatives,
    .store_derivatives = store_derivatives,
    .code_labels_in_bytes = code_labels_in<uint8_t>,
    .code_labels_in_16_bits = code_labels_in<uint16_t>,
    .code_labels = code_labels_in<uint32_t>,
    .label_scores = label_scores,
    .prefer_target = prefer_target,
    .count_byte_pairs = count_byte_pairs,
    .count_pairs = count_pairs,
    .sum_weights = sum_weights,
    .add_weights = add_weights,
};

} // namespace iqa::IQA_INSTRUCTION_SET
