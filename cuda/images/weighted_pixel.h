// SPDX-License-Identifier: MIT
// Pixels of both images with their weights, as PSNR measures them.
#pragma once

#include "arith/weight.h"
#include "backend/images.hpp"
#include "cuda/images/samples.h"
#include "cuda/machine/places.h"

namespace iqa::cuda {

// weighted_images (backend/images.hpp) by value, for the arguments of a kernel.
struct pixel_source {
    image_view reference, candidate;
    weight_view weights;
    luma_rule luma;
    bool of_luma;
    bool mask_nonfinite; // false for integer types
};

inline pixel_source in_one_piece(const weighted_images &source)
{
    return {.reference = source.images.reference,
            .candidate = source.images.candidate,
            .weights = source.weights,
            .luma = source.luma != nullptr ? *source.luma : luma_rule{},
            .of_luma = source.luma != nullptr,
            .mask_nonfinite = source.masks()};
}

struct weighted_pixel {
    double reference, candidate;
    float weight; // negative: invalid
};

// A thread reads this many pixels together, in one loop for each image, so that many loads are in flight.
constexpr int pixels_at_once = 2;

// The weights, rounded to their grid. All threads take the same branch.
IQA_KERNEL void read_weights(const weight_view &weights, const pixel_place *at, weighted_pixel *pixels)
{
    int64_t index[pixels_at_once];
    IQA_UNROLL_ON_GPU
    for (int k = 0; k < pixels_at_once; ++k)
        index[k] = weights.index(at[k].image, at[k].channel, at[k].slice, at[k].row, at[k].column);
    with_weight_type(static_cast<weight_type>(weights.dtype), [&](auto type) {
        const auto *data = reinterpret_cast<const decltype(type) *>(weights.data);
        IQA_UNROLL_ON_GPU
        for (int k = 0; k < pixels_at_once; ++k)
            pixels[k].weight = weight_on_grid(data[index[k]]);
    });
}

// The pixels of both images. `finite[k]`: all samples of pixel k are finite.
template <class Sample>
IQA_KERNEL void read_samples(const pixel_source &source, const pixel_place *at, weighted_pixel *pixels, bool *finite)
{
    const Sample *addresses[2][pixels_at_once];
    double samples[2][pixels_at_once];
    IQA_UNROLL_ON_GPU
    for (int side = 0; side < 2; ++side) {
        const image_view &view = side == 0 ? source.reference : source.candidate;
        IQA_UNROLL_ON_GPU
        for (int k = 0; k < pixels_at_once; ++k)
            addresses[side][k] = reinterpret_cast<const Sample *>(
                view.at(at[k].image, at[k].channel, at[k].slice, at[k].row, at[k].column));
    }
    const auto read = [&](int64_t reference_step, int64_t candidate_step) {
        IQA_UNROLL_ON_GPU
        for (int k = 0; k < pixels_at_once; ++k) {
            samples[0][k] = double(widen(addresses[0][k][reference_step]));
            samples[1][k] = double(widen(addresses[1][k][candidate_step]));
            finite[k] = finite[k] && is_finite(samples[0][k]) && is_finite(samples[1][k]);
        }
    };
    IQA_UNROLL_ON_GPU
    for (int k = 0; k < pixels_at_once; ++k)
        finite[k] = true;
    read(0, 0);
    IQA_UNROLL_ON_GPU
    for (int k = 0; k < pixels_at_once; ++k) {
        pixels[k].reference = samples[0][k];
        pixels[k].candidate = samples[1][k];
    }
    if (!source.of_luma)
        return;
    double second[2][pixels_at_once];
    read(source.reference.channel_stride, source.candidate.channel_stride);
    IQA_UNROLL_ON_GPU
    for (int k = 0; k < pixels_at_once; ++k) {
        second[0][k] = samples[0][k];
        second[1][k] = samples[1][k];
    }
    read(2 * source.reference.channel_stride, 2 * source.candidate.channel_stride);
    IQA_UNROLL_ON_GPU
    for (int k = 0; k < pixels_at_once; ++k) {
        pixels[k].reference = luma_of(source.luma, pixels[k].reference, second[0][k], samples[0][k]);
        pixels[k].candidate = luma_of(source.luma, pixels[k].candidate, second[1][k], samples[1][k]);
    }
}

template <class Sample>
IQA_KERNEL void read_pixels(const pixel_source &source, const pixel_place *at, weighted_pixel *pixels)
{
    bool finite[pixels_at_once];
    read_samples<Sample>(source, at, pixels, finite);
    IQA_UNROLL_ON_GPU
    for (int k = 0; k < pixels_at_once; ++k)
        pixels[k].weight = 1.0f;
    if (source.weights.data != nullptr)
        read_weights(source.weights, at, pixels);
    IQA_UNROLL_ON_GPU
    for (int k = 0; k < pixels_at_once; ++k)
        if (source.mask_nonfinite && !finite[k] && pixels[k].weight > 0.0f)
            pixels[k].weight = 0.0f;
}

} // namespace iqa::cuda
