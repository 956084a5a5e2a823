// SPDX-License-Identifier: MIT
// The options of SSIM: checks, automatic values, and their bytes in a state file.
#pragma once

#include "metrics/metrics.hpp"

namespace iqa {

constexpr size_t ssim_option_bytes = 20 * sizeof(int32_t) + (12 + IQA_MOST_SCALES) * sizeof(double);

// Checks every field and puts numbers in place of automatic sizes.
iqa_ssim_options resolve(iqa_ssim_options options);

void write_options(const iqa_ssim_options &options, std::span<std::byte> out);
iqa_ssim_options read_ssim_options(byte_reader bytes);

} // namespace iqa
