// SPDX-License-Identifier: MIT
//
// Pictures of where two pictures differ.
#pragma once

#include "drawing/canvas.hpp"
#include "files/image.hpp"

#include <string>

namespace iqa_tool {

/** What a picture of a comparison needs. */
struct comparison_view {
    const image &reference;
    const image &test;
    const image &map; // SSIM; smaller than the pictures where the border is "valid"
    int64_t shave;    // pixels at each edge that the map leaves out, before
    int64_t factor;   // this many pixels become one
    std::string reference_name, test_name;
    double ssim; // mean
    double psnr;
    std::string psnr_unit;
    double low;                 // SSIM of the colour for "different"
    double data_low, data_high; // black and white of the pictures
};

/** The highest of a few round values that at most one pixel in a thousand is below; 0 at the lowest. */
double automatic_low(const image &map);

/** The heat map with a colour bar. */
canvas draw_heat_map(const comparison_view &view);

/** Reference, test and heat map beside each other. */
canvas draw_side_by_side(const comparison_view &view);

} // namespace iqa_tool
