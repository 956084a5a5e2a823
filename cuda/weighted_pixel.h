// SPDX-License-Identifier: MIT
// One pixel of both images with its weight, as PSNR measures it.
#pragma once

#include "core/backend.hpp"
#include "cuda/places.h"
#include "cuda/samples.h"

namespace iqa::cuda {

// core/backend.hpp's weighted_images with all of it in one piece.
struct pixel_source {
    image_view reference, candidate;
    weight_view weights;
    luma_rule luma;
    bool of_luma;
    bool mask_nonfinite; // only for types that have such samples
};

inline pixel_source in_one_piece(const weighted_images &source)
{
    return {.reference = source.images.reference,
            .candidate = source.images.candidate,
            .weights = source.weights,
            .luma = source.luma != nullptr ? *source.luma : luma_rule{},
            .of_luma = source.luma != nullptr,
            .mask_nonfinite = source.mask_nonfinite && !is_integer(source.images.reference.type)};
}

struct weighted_pixel {
    double reference, candidate;
    float weight; // below 0 for one that is none
};

template <class Sample>
IQA_KERNEL double measured_sample(const pixel_source &source, const image_view &view, const pixel_place &at,
                                  bool &finite)
{
    const std::byte *address = view.at(at.image, at.channel, at.slice, at.row, at.column);
    const double first = sample_of<double, Sample>(address);
    finite = finite && is_finite(first);
    if (!source.of_luma)
        return first;
    const int64_t step = view.channel_stride * int64_t(sizeof(Sample));
    const double second = sample_of<double, Sample>(address + step);
    const double third = sample_of<double, Sample>(address + 2 * step);
    finite = finite && is_finite(second) && is_finite(third);
    return luma_of(source.luma, first, second, third);
}

template <class Sample>
IQA_KERNEL weighted_pixel read_pixel(const pixel_source &source, const pixel_place &at)
{
    bool finite = true;
    weighted_pixel pixel;
    pixel.reference = measured_sample<Sample>(source, source.reference, at, finite);
    pixel.candidate = measured_sample<Sample>(source, source.candidate, at, finite);
    pixel.weight = source.weights.data == nullptr ? 1.0f : weight_on_grid(weight_at(source.weights, at));
    if (source.mask_nonfinite && !finite && pixel.weight > 0.0f)
        pixel.weight = 0.0f;
    return pixel;
}

} // namespace iqa::cuda
