// SPDX-License-Identifier: MIT
// The scales of SSIM: their extents, and how an image's value follows from the means at each of them.
#pragma once

#include <array>

#include "backend/ssim.hpp"
#include "metrics/metrics.hpp"
#include "values/ssim.h"

namespace iqa {

struct level_extents {
    int64_t depth, height, width;
};

// The scales of images of one shape. The first may already be smaller than the images.
struct level_plan {
    int downsample; // factor before the first level; 1 for none
    std::array<level_extents, IQA_MOST_SCALES> extents;
};

// Fails where a level is smaller than its window, and says what would be enough.
level_plan plan_levels(const iqa_ssim_options &options, const image_view &shape);

// How images shrink by a factor: z, y, x.
std::array<shrink_axis, 3> shrink_axes(const iqa_ssim_options &options, const level_extents &image, int factor);

border_mode border_at(const iqa_ssim_options &options, int level);
level_extents map_extents(const iqa_ssim_options &options, int level, const level_extents &image);

// Whether values are plain means: no powers, no rule for negative ones.
bool plain_mean(const iqa_ssim_options &options);

level_rule rule_of(const iqa_ssim_options &options);

} // namespace iqa
