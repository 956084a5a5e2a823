// SPDX-License-Identifier: MIT
// The FID kernels, compiled once for each instruction set. The including file defines IQA_INSTRUCTION_SET and, in the
// namespace of that name, the lane types, `digit_lanes` (32-bit sums of products of 16-bit digit pairs) and
// `product_columns` (the width of the register tile of the matrix product). See cpu/isa/README.md.
#pragma once

#include "cpu/features/class_scores.inl"
#include "cpu/features/digits.inl"
#include "cpu/features/instruction_set.h"
#include "cpu/features/kernels.hpp"
#include "cpu/features/linear.inl"
#include "cpu/features/products.inl"

namespace iqa::IQA_INSTRUCTION_SET {

#define IQA_NAME_OF(set) #set
#define IQA_NAME(set) IQA_NAME_OF(set)

extern const fid_kernels fid;
constexpr fid_kernels fid = {
    .tile_rows = product_rows,
    .tile_columns = product_columns,
    .multiply_tile = multiply_tile,
    .subtract_combination = subtract_combination,
    .dot = dot,
    .dot_pair = dot_pair,
    .add_pair = add_pair,
    .bisect = bisect,
    .any_within = any_within,
    .add_kernel_values = add_kernel_values,
    .softmax_weights = softmax_weights,
    .entropy_terms = entropy_terms,
    .add_probabilities = add_probabilities,
};

extern const moment_kernels moments;
constexpr moment_kernels moments = moment_table<digit_cut>(IQA_NAME(IQA_INSTRUCTION_SET), multiply_digits<digit_lanes>);

} // namespace iqa::IQA_INSTRUCTION_SET
