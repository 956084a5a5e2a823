// SPDX-License-Identifier: MIT
// SSIM over blocks, IQA_WINDOW_BLOCKS: checks, constants, means.
#pragma once

#include "core/backend.hpp"

namespace iqa {

// The mean over blocks of each image and channel, in units of unit_format (2^-80), into means[images * channels]; and
// the samples outside the range of each image, into counts[images]. Throws for element types and extents that blocks
// do not take.
void measure_blocks(const backend &device, context &where, workspace &memory, const iqa_ssim_options &options,
                    const image_pair &images, int128 *means, sample_counts *counts);

// Throws for extras that blocks do not have.
void refuse_extras_of_pixels(const iqa_update_extras &extras);

} // namespace iqa
