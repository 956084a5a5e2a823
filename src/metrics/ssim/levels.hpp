// SPDX-License-Identifier: MIT
// The levels of SSIM: their extents, and the rule that makes an image's value from the means of its levels.
#pragma once

#include <array>

#include "backend/ssim.hpp"
#include "metrics/metrics.hpp"
#include "values/ssim.h"

namespace iqa {

struct level_extents {
    int64_t depth, height, width;
};

// The levels of images of one shape. The first may already be smaller than the images.
struct level_plan {
    int downsample; // factor before the first level; 1: none
    std::array<level_extents, IQA_MOST_SCALES> extents;
};

// Throws if a level is smaller than its window; the text has the smallest sufficient extent.
level_plan plan_levels(const iqa_ssim_options &options, const image_view &shape);

// Shrinking by a factor, along z, y, x.
std::array<shrink_axis, 3> shrink_axes(const iqa_ssim_options &options, const level_extents &image, int factor);

border_mode border_at(const iqa_ssim_options &options, int level);
level_extents map_extents(const iqa_ssim_options &options, int level, const level_extents &image);

// Whether values are plain means: no powers, no rule for negative ones.
bool plain_mean(const iqa_ssim_options &options);

level_rule rule_of(const iqa_ssim_options &options);

} // namespace iqa
