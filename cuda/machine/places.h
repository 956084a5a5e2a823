// SPDX-License-Identifier: MIT
// From the number of a sample to its place in a batch of images.
#pragma once

#include "core/tensor.hpp"
#include "cuda/machine/block.h"

namespace iqa::cuda {

// Most numbers fit 32 bits, whose division is several times faster.
IQA_KERNEL int64_t quotient_of(int64_t a, int64_t b)
{
    if (((a | b) >> 32) == 0)
        return int64_t(uint32_t(a) / uint32_t(b));
    return a / b;
}

// Returns the remainder, and leaves the quotient in `rest`.
IQA_KERNEL int64_t take_index(int64_t &rest, int64_t extent)
{
    const int64_t number = rest;
    rest = quotient_of(number, extent);
    return number - rest * extent;
}

// The order in which samples are numbered, from the innermost axis: column, row, slice, channel; or the channel first.
struct sample_order {
    int64_t channels, depth, height, width;
    bool channels_first;

    IQA_HD_MEMBER int64_t samples() const { return channels * depth * height * width; }
};

// Samples that are neighbours in memory get neighbouring numbers.
inline sample_order order_of(const image_view &images, int64_t channels)
{
    const auto distance = [](int64_t stride) {
        return stride < 0 ? -stride : stride;
    };
    return {channels, images.depth, images.height, images.width,
            channels > 1 && distance(images.channel_stride) < distance(images.column_stride)};
}

IQA_KERNEL pixel_place place_of(const sample_order &order, int64_t number)
{
    pixel_place place{};
    if (order.channels_first)
        place.channel = take_index(number, order.channels);
    place.column = take_index(number, order.width);
    place.row = take_index(number, order.height);
    place.slice = take_index(number, order.depth);
    if (!order.channels_first)
        place.channel = take_index(number, order.channels);
    place.image = number;
    return place;
}

} // namespace iqa::cuda
