// SPDX-License-Identifier: MIT
// The scales of SSIM: their extents, and how an image's value follows from the means at each of them.
#pragma once

#include <array>

#include "backend/ssim.hpp"
#include "metrics/metrics.hpp"
#include "values/ssim.h"

namespace iqa {

struct scale_extents {
    int64_t depth, height, width;
};

// The scales of images of one shape. The first may already be smaller than the images.
struct scale_plan {
    int downsample; // factor before the first scale; 1 for none
    std::array<scale_extents, IQA_MOST_SCALES> extents;
};

// Fails where a scale is smaller than its window, and says what would be enough.
scale_plan plan_scales(const iqa_ssim_options &options, const image_view &shape);

// How images shrink by a factor: z, y, x.
std::array<shrink_axis, 3> shrink_axes(const iqa_ssim_options &options, const scale_extents &image, int factor);

border_mode border_at(const iqa_ssim_options &options, int scale);
scale_extents map_extents(const iqa_ssim_options &options, int scale, const scale_extents &image);

// Whether values are plain means: no powers, no rule for negative ones.
bool plain_mean(const iqa_ssim_options &options);

scale_rule rule_of(const iqa_ssim_options &options);

} // namespace iqa
