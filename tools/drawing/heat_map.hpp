// SPDX-License-Identifier: MIT
// Pictures of where two pictures differ.
#pragma once

#include "drawing/canvas.hpp"
#include "files/image.hpp"

#include <string>

namespace iqa_tool {

// The data of a picture of a comparison.
struct comparison_view {
    const image &reference;
    const image &test;
    const image &map; // SSIM; smaller than the pictures where the border is "valid"
    int64_t shave;    // pixels cut off each edge before shrinking
    int64_t factor;   // this many pixels become one
    std::string reference_name, test_name;
    double ssim; // mean
    double psnr;
    std::string psnr_unit;
    double low;                 // SSIM of the colour for "different"
    double data_low, data_high; // black and white of the pictures
};

// The highest of a few round values, at least 0, with at most one pixel in a thousand below it.
double automatic_low(const image &map);

// The heat map with a colour bar.
canvas draw_heat_map(const comparison_view &view);

// Reference, test and heat map beside each other.
canvas draw_side_by_side(const comparison_view &view);

} // namespace iqa_tool
