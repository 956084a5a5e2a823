// SPDX-License-Identifier: MIT
// Rows of pixels of both images with their weights, read into dense memory.
#pragma once

#include "backend/images.hpp"
#include "cpu/isa/kernels.hpp"

namespace iqa {

constexpr int64_t pixels_at_once = 1024;

// Whether the channels of a row interleave, so that it is as good as a row of one channel.
bool interleaves(const auto &view, int64_t channels)
{
    return view.channel_stride == 1 && view.column_stride == channels;
}
bool interleaves(const weighted_images &source);
weighted_images as_one_channel(weighted_images source);

// A part of a row of the images.
struct row_part {
    int64_t image, channel, slice, row, column;
    int64_t count;
};

// The memory of one worker.
struct alignas(64) pixel_memory {
    // Samples of up to three channels, as they are and then as one channel of doubles.
    std::byte reference[3][pixels_at_once * sizeof(double)], candidate[3][pixels_at_once * sizeof(double)];
    double reference_double[pixels_at_once], candidate_double[pixels_at_once];
    double derivatives[pixels_at_once];
    float weights[pixels_at_once];
};

// At most pixels_at_once pixels, in the images' memory or the worker's; the 16-bit floating-point types are widened.
struct pixel_run {
    element_type type;
    int channels; // 3 for luma, else 1
    const void *reference[3], *candidate[3];
    float *weights; // NULL: each is 1
    int64_t count;
};

class pixel_reader {
public:
    pixel_reader(const cpu_kernels &kernels, const weighted_images &source);

    // Non-finite samples have weight 0 if they are masked.
    pixel_run read(const row_part &part, pixel_memory &memory) const;

    // Puts the first reference sample that has a weight in the place of all samples of weight 0, so that they change no
    // bound and no difference. Returns the position of that sample; the count if there is none.
    int64_t replace_masked(pixel_run &run, const weight_survey &survey, pixel_memory &memory) const;
    weight_survey survey_weights(const pixel_run &run) const;

    // Both images as one channel of doubles.
    void to_double(const pixel_run &run, pixel_memory &memory) const;

private:
    void read_weights(const row_part &part, float *weights) const;

    const cpu_kernels &kernels_;
    const weighted_images &source_;
    bool masks_nonfinite_;
};

} // namespace iqa
