// SPDX-License-Identifier: MIT
// Pixels of both images with their weights, as PSNR measures them.
#pragma once

#include <type_traits>

#include "arith/weight.h"
#include "backend/images.hpp"
#include "cuda/images/walk.h"

namespace iqa::cuda {

// weighted_images (backend/images.hpp) for the arguments of a kernel.
struct pixel_source {
    const std::byte *reference, *candidate;
    const std::byte *weights;                     // NULL: every pixel has weight 1
    int64_t reference_channel, candidate_channel; // steps in bytes
    weight_type type_of_weights;
    luma_rule luma;
    bool of_luma;
    bool mask_nonfinite; // false for integer types
};

// The tensors of a pixel; those of a kernel may have more behind them.
enum : int { of_reference, of_candidate, of_weights };

inline pixel_source in_one_piece(const weighted_images &source)
{
    const image_view &x = source.images.reference;
    const image_view &y = source.images.candidate;
    const int64_t size = element_size(x.type);
    return {.reference = x.data,
            .candidate = y.data,
            .weights = source.weights.data,
            .reference_channel = x.channel_stride * size,
            .candidate_channel = y.channel_stride * size,
            .type_of_weights = static_cast<weight_type>(source.weights.dtype),
            .luma = source.luma != nullptr ? *source.luma : luma_rule{},
            .of_luma = source.luma != nullptr,
            .mask_nonfinite = source.masks()};
}

// A number of the samples' own kind holds each of them.
template <class Number>
struct weighted_pixel {
    Number reference, candidate;
    float weight; // negative: invalid
};

// The channel that is measured.
template <class Sample>
struct own_samples {
    static constexpr int pixels_at_once = 4;
    using number = std::conditional_t<integer_sample<Sample>, int32_t, decltype(widen(Sample()))>;

    IQA_KERNEL static number read(const std::byte *address, int64_t, const luma_rule &, bool &finite)
    {
        const Sample sample = *reinterpret_cast<const Sample *>(address);
        if constexpr (integer_sample<Sample>) {
            return sample;
        } else {
            finite = finite && is_finite(widen(sample));
            return widen(sample);
        }
    }
};

// Luma of three channels.
template <class Sample>
struct luma_samples {
    static constexpr int pixels_at_once = 2;
    using number = double;

    IQA_KERNEL static number read(const std::byte *address, int64_t channel, const luma_rule &rule, bool &finite)
    {
        double samples[3];
        IQA_UNROLL_ON_GPU
        for (int i = 0; i < 3; ++i) {
            samples[i] = sample_of<double, Sample>(address + i * channel);
            finite = finite && is_finite(samples[i]);
        }
        return luma_of(rule, samples[0], samples[1], samples[2]);
    }
};

// The weights, rounded to their grid. All threads take the same branch.
template <class Number, class Place, int count>
IQA_KERNEL void read_weights(const pixel_source &source, const Place (&at)[count],
                             weighted_pixel<Number> (&pixels)[count])
{
    with_weight_type(source.type_of_weights, [&](auto type) {
        IQA_UNROLL_ON_GPU
        for (int k = 0; k < count; ++k)
            pixels[k].weight =
                weight_on_grid(*reinterpret_cast<const decltype(type) *>(source.weights + at[k].offset[of_weights]));
    });
}

// Samples: own_samples or luma_samples.
template <class Samples, class Place, int count>
IQA_KERNEL void read_pixels(const pixel_source &source, const Place (&at)[count],
                            weighted_pixel<typename Samples::number> (&pixels)[count])
{
    bool finite[count];
    IQA_UNROLL_ON_GPU
    for (int k = 0; k < count; ++k) {
        finite[k] = true;
        pixels[k].reference = Samples::read(source.reference + at[k].offset[of_reference], source.reference_channel,
                                            source.luma, finite[k]);
        pixels[k].candidate = Samples::read(source.candidate + at[k].offset[of_candidate], source.candidate_channel,
                                            source.luma, finite[k]);
        pixels[k].weight = 1.0f;
    }
    if (source.weights != nullptr)
        read_weights(source, at, pixels);
    if (source.mask_nonfinite) {
        IQA_UNROLL_ON_GPU
        for (int k = 0; k < count; ++k)
            if (!finite[k] && pixels[k].weight > 0.0f)
                pixels[k].weight = 0.0f;
    }
}

// Calls use(place, pixel) for the pixels of a thread: those of a walk over the next `left` samples. Several are read
// together, so that many loads are in flight.
template <class Samples, size_t tensors, int threads, class Use>
IQA_KERNEL void for_each_pixel(const pixel_source &source, sample_walk<tensors, threads> &walk, int left, Use &&use)
{
    constexpr int most_at_once = Samples::pixels_at_once;
    const auto visit = [&](auto &places, auto &pixels) {
        walk.take(places);
        read_pixels<Samples>(source, places, pixels);
        IQA_UNROLL_ON_GPU
        for (int k = 0; k < int(sizeof places / sizeof places[0]); ++k)
            use(places[k], pixels[k]);
    };
    for (; left > (most_at_once - 1) * threads; left -= most_at_once * threads) {
        joint_place<tensors> places[most_at_once];
        weighted_pixel<typename Samples::number> pixels[most_at_once];
        visit(places, pixels);
    }
    for (; left > 0; left -= threads) {
        joint_place<tensors> places[1];
        weighted_pixel<typename Samples::number> pixels[1];
        visit(places, pixels);
    }
}

} // namespace iqa::cuda
