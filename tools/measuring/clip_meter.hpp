// SPDX-License-Identifier: MIT
// SSIM, PSNR and MSE of clips: frame after frame, plane by plane, and all planes together as FFmpeg's filters do.
#pragma once

#include "files/clip.hpp"
#include "measuring/measure.hpp"

namespace iqa_tool {

// The values of one plane or of all planes, of a frame or a clip.
struct clip_values {
    double ssim = 0, psnr = 0, mse = 0;
};

// Values of all planes together, and of each.
struct frame_values {
    clip_values all;
    std::vector<clip_values> planes; // Y, U, V
};

// The least or greatest value of a frame, and the first such frame, from 1 on.
struct extreme {
    double value = 0;
    int64_t frame = 0;
};

struct clip_total {
    int64_t frames = 0, out_of_range = 0;
    frame_values values; // the mean SSIM; the PSNR of the mean error, or the mean PSNR if the options say so
    extreme least_ssim, most_ssim, least_psnr, most_psnr;
};

// SSIM in decibels, as FFmpeg prints it: 10 log10 (1 / (1 - SSIM)).
double ssim_in_decibels(double ssim);

class clip_meter {
public:
    // The data range is that of the format's bits where the options state none.
    clip_meter(const settings &chosen, const clip_format &format);

    // Measures one frame and adds it to the total.
    frame_values measure(const std::vector<image> &reference, const std::vector<image> &test);

    clip_total total() const;
    const iqa::context &context() const noexcept { return meters_.front().context(); }

private:
    clip_values combine(const std::vector<clip_values> &planes) const;

    settings chosen_;
    std::vector<measurer> meters_; // one for each plane
    std::vector<double> weights_;  // each plane's share of the samples
    clip_total total_;
    double sum_of_psnr_ = 0;
};

} // namespace iqa_tool
