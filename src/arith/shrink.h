// SPDX-License-Identifier: MIT
// Shrinking by whole factors: each pixel of the smaller image is the mean of a box of pixels.
#pragma once

#include "arith/border.h"

namespace iqa {

enum class shrink_rule : int32_t { symmetric, floor, zero, replicate };

// One axis that shrinks. Padding in front makes extents even: a zero pads this axis if it is odd (pytorch-msssim), the
// repeated first pixel pads every axis as soon as one is odd (PIQ).
struct shrink_axis {
    shrink_rule rule;
    int factor;
    int64_t extent;
    bool any_odd; // an axis that shrinks has an odd extent

    IQA_HD_MEMBER int64_t in_front() const
    {
        return rule == shrink_rule::zero ? extent % 2 : rule == shrink_rule::replicate && any_odd ? 1 : 0;
    }
    // The extent of the smaller image.
    IQA_HD_MEMBER int64_t boxes() const
    {
        return rule == shrink_rule::symmetric ? divide_up(extent, factor) : (extent + in_front()) / factor;
    }
    // The first position of the first box.
    IQA_HD_MEMBER int64_t first() const { return rule == shrink_rule::symmetric ? -((factor - 1) / 2) : -in_front(); }
};

IQA_HD border_mode border_of(shrink_rule rule)
{
    return rule == shrink_rule::zero        ? border_mode::zero
           : rule == shrink_rule::replicate ? border_mode::replicate
                                            : border_mode::symmetric;
}

// The number of positions among `count` from `first` on that differ from `position` by a multiple of `period`.
IQA_HD int64_t count_congruent(int64_t first, int64_t count, int64_t position, int64_t period)
{
    int64_t ahead = (position - first) % period;
    if (ahead < 0)
        ahead += period;
    return ahead < count ? (count - 1 - ahead) / period + 1 : 0;
}

// The box that contains a pixel, and how often. A pixel is in one box at most, even if borders repeat it.
struct box_share {
    int64_t box; // -1: the pixel is in no box
    int times;
};

IQA_HD box_share share_of(const shrink_axis &axis, int64_t pixel)
{
    if (axis.factor == 1)
        return {pixel, 1};
    const int64_t box = (pixel - axis.first()) / axis.factor;
    if (box >= axis.boxes())
        return {-1, 0};
    const int64_t first = axis.first() + box * axis.factor;
    if (border_of(axis.rule) == border_mode::symmetric) { // factors may be as large as the image
        const int64_t period = 2 * axis.extent;
        return {box, int(count_congruent(first, axis.factor, pixel, period) +
                         count_congruent(first, axis.factor, period - 1 - pixel, period))};
    }
    int times = 0;
    for (int i = 0; i < axis.factor; ++i)
        times += border_index(border_of(axis.rule), first + i, axis.extent) == pixel;
    return {box, times};
}

// share_of() for kernels that ask for each pixel: pairs take no division.
struct axis_of_boxes {
    shrink_axis axis;
    int64_t first, boxes;
    int64_t twice; // the pixel that its pair contains twice; -1: none

    IQA_HD_MEMBER box_share share_of(int64_t pixel) const
    {
        if (axis.factor != 2)
            return iqa::share_of(axis, pixel);
        const int64_t box = (pixel - first) >> 1;
        return box < boxes ? box_share{box, pixel == twice ? 2 : 1} : box_share{-1, 0};
    }
};

// Only the pixels at the ends can be in a pair twice.
inline axis_of_boxes boxes_along(const shrink_axis &axis)
{
    const auto is_twice = [&](int64_t pixel) {
        return share_of(axis, pixel).times == 2;
    };
    const int64_t last = axis.extent - 1;
    return {axis, axis.first(), axis.boxes(), is_twice(0) ? 0 : is_twice(last) ? last : -1};
}

// The derivative by a pixel from the derivative by the mean of its box, which contains it `times` times. `weight`: the
// mean of the box's weights.
IQA_HD double share_of_derivative(double derivative, int times, double pixels, double weight)
{
    return weight == 0.0 ? 0.0 : derivative * times / (pixels * weight);
}

} // namespace iqa
