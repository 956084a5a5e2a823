// SPDX-License-Identifier: MIT
// SSIM, PSNR and MSE of pictures, pair by pair and in total.
#pragma once

#include "options/options.hpp"

#include <iqa.hpp>

#include <vector>

namespace iqa_tool {

// The values of one channel of one picture.
struct channel_values {
    double ssim, psnr, mse;
};

// The results of one pair of files.
struct pair_values {
    double ssim = 0, psnr = 0, mse = 0;
    int64_t out_of_range = 0, nonfinite = 0;
    std::vector<double> ssim_per_image, psnr_per_image;      // one for each picture of the files
    std::vector<double> luminance, contrast, ssim_of_scales; // with --parts one for each scale
};

// The results of all pairs so far; NaN for a value that the pairs do not share.
struct total_values {
    int64_t images = 0, infinite_images = 0, out_of_range = 0;
    double ssim = 0, psnr = 0, psnr_of_mean_mse = 0, mean_psnr = 0, mse = 0;
};

// Reads an open file, treats its alpha channel and cuts out the region of interest; `path` is its name. Throws
// file_error.
image read_picture(const std::string &path, const file_handle &file, const settings &chosen);

// Reads the mask, where one is chosen. Throws file_error.
void read_mask(settings &chosen);

// The SSIM of one pair with the chosen mask, but other options. Throws iqa::error.
double measure_ssim(const iqa::context &context, iqa_ssim_options options, const image &reference, const image &test,
                    const settings &chosen);

// The factor by which the library shrinks pictures of this size first.
int64_t downsample_factor(const image &picture, const iqa_ssim_options &ssim);

// Throws image_error about the test picture unless the two can be compared.
void check_comparable(const image &reference, const image &test, const settings &chosen);

// One thread's metrics.
class measurer {
public:
    // Throws iqa::error for options that the library refuses.
    explicit measurer(const settings &chosen);

    // Measures one pair and adds it to the total. `map`, if not null, receives the SSIM map.
    pair_values measure(const image &reference, const image &test, image *map = nullptr);

    // Measures each channel of one pair as a picture; none for luma. Not added to the total.
    std::vector<channel_values> measure_channels(const image &reference, const image &test);

    // Adds the total of another thread.
    void merge(const measurer &other);

    total_values total() const;
    const iqa::context &context() const noexcept { return context_; }

private:
    image make_map(const image &reference) const;

    settings chosen_;
    iqa::context context_;
    iqa::metric ssim_, psnr_, total_ssim_, total_psnr_;
};

} // namespace iqa_tool
