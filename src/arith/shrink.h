// SPDX-License-Identifier: MIT
// How images shrink by whole factors: which box of pixels each pixel of the smaller image is the mean of.
#pragma once

#include "arith/border.h"

namespace iqa {

enum class shrink_rule : int32_t { symmetric, floor, zero, replicate };

// One axis that shrinks. Pixels put in front make extents even: of this axis where a zero goes there (pytorch-msssim),
// of all as soon as one is odd where the first pixel is repeated (PIQ).
struct shrink_axis {
    shrink_rule rule;
    int factor;
    int64_t extent;
    bool some_odd; // some axis that shrinks has an odd extent

    IQA_HD_MEMBER int64_t in_front() const
    {
        return rule == shrink_rule::zero ? extent % 2 : rule == shrink_rule::replicate && some_odd ? 1 : 0;
    }
    // Of the smaller image.
    IQA_HD_MEMBER int64_t boxes() const
    {
        return rule == shrink_rule::symmetric ? divide_up(extent, factor) : (extent + in_front()) / factor;
    }
    // Where the first box begins.
    IQA_HD_MEMBER int64_t first() const { return rule == shrink_rule::symmetric ? -((factor - 1) / 2) : -in_front(); }
};

IQA_HD border_mode border_of(shrink_rule rule)
{
    return rule == shrink_rule::zero        ? border_mode::zero
           : rule == shrink_rule::replicate ? border_mode::replicate
                                            : border_mode::symmetric;
}

// How many of `count` positions from `first` on differ from `place` by a multiple of `period`.
IQA_HD int64_t count_congruent(int64_t first, int64_t count, int64_t place, int64_t period)
{
    int64_t ahead = (place - first) % period;
    if (ahead < 0)
        ahead += period;
    return ahead < count ? (count - 1 - ahead) / period + 1 : 0;
}

// The box that a pixel is in, and how often. A pixel is in one box at most, also where borders repeat it.
struct box_share {
    int64_t box; // -1: none
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

// What the derivative by a box's mean adds to that by one of its pixels, which is in it `times` times. `weight`: the
// mean of the box's weights.
IQA_HD double share_of_derivative(double derivative, int times, double pixels, double weight)
{
    return weight == 0.0 ? 0.0 : derivative * times / (pixels * weight);
}

} // namespace iqa
