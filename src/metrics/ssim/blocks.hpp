// SPDX-License-Identifier: MIT
// SSIM over blocks, IQA_WINDOW_BLOCKS: checks and constants.
#pragma once

#include "backend/ssim.hpp"

namespace iqa {

// The data range. Throws for element types and extents that blocks do not take.
void check_blocks(const image_view &shape);

ssim_block_constants constants_of_blocks(const iqa_ssim_options &options, data_range range);

// Throws for extras that blocks do not support.
void refuse_extras_of_pixels(const iqa_update_extras &extras);

} // namespace iqa
