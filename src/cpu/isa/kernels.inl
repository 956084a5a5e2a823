// SPDX-License-Identifier: MIT
// The kernel bodies, compiled once for each instruction set. The including file defines IQA_INSTRUCTION_SET, the
// namespace with its lane types. No header but those of src/arith may come in here: an inline function that another
// file shares would be compiled for this instruction set, and the linker may keep that copy for all.
#include "arith/half.h"
#include "arith/labels.h"
#include "arith/ssim.h"
#include "cpu/isa/kernels.hpp"

#define IQA_UNROLL _Pragma("GCC unroll 16")
// For loops of much work. clang gives each copy variables of its own in the frame, where sanitizers keep them.
#if defined(__clang__)
#define IQA_UNROLL_MUCH
#else
#define IQA_UNROLL_MUCH IQA_UNROLL
#endif
// For loops whose arrays do not overlap. clang looks for itself, and takes a hint that it cannot use for an error.
#if defined(__clang__)
#define IQA_NO_OVERLAP
#else
#define IQA_NO_OVERLAP _Pragma("GCC ivdep")
#endif

namespace iqa::IQA_INSTRUCTION_SET {

#include "cpu/confusion/labels.inl"
#include "cpu/images/samples.inl"

#include "cpu/images/weighted_samples.inl"
#include "cpu/ssim/tiles.inl"

#include "cpu/ssim/statistics.inl"

#include "cpu/ssim/blocks.inl"
#include "cpu/ssim/boxes.inl"
#include "cpu/ssim/gradient.inl"

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
    .shrink_float = shrink_one_row<float>,
    .shrink_double = shrink_one_row<double>,
    .count_samples = count_samples,
    .widen = widen_samples,
    .gather = gather,
    .squared_error = squared_error,
    .gather_weights = gather_weights,
    .mask_nonfinite = mask_nonfinite,
    .survey_weights = survey_weights,
    .keep_weighted = keep_weighted,
    .to_double = to_double,
    .error_derivatives = error_derivatives,
    .code_labels_in_bytes = code_labels_in<uint8_t>,
    .code_labels = code_labels_in<uint32_t>,
    .label_scores = label_scores,
    .prefer_target = prefer_target,
    .count_byte_pairs = count_byte_pairs,
    .count_pairs = count_pairs,
};

} // namespace iqa::IQA_INSTRUCTION_SET
