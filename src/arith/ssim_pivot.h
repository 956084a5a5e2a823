// SPDX-License-Identifier: MIT
// The pivot of a tile: a value that is subtracted from the samples of both images, so that squares of the differences
// are small. It is the mean of both images' middles. The middle of an image is the median over three rows of the mean
// of the middle three of five samples, which an outlier in each row, or a row of outliers, does not move. A non-finite
// or masked sample is replaced by the usable one before it, and the first ones by the first usable one: a mask that
// begins within the tile would leave zeros else, from which all other samples are far.
#pragma once

#include "arith/portable.h"

namespace iqa {

enum : int { pivot_rows = 3, pivot_columns = 5, pivot_samples = pivot_rows * pivot_columns };

// Along one axis: the sample in the middle of part `index` of the `parts` of a tile that has `count` outputs and whose
// first window of `taps` begins at `first`.
IQA_HD int64_t pivot_position(int64_t first, int taps, int64_t count, int64_t extent, int index, int parts)
{
    const int64_t position = first + taps / 2 + count * (2 * index + 1) / (2 * parts);
    return position < 0 ? 0 : position >= extent ? extent - 1 : position;
}

// The outputs of a map's tile along one axis, from the pixel `first` on.
struct span_of_outputs {
    int64_t first, count;
};

// The outputs of the map's tile that has the place of a tile of `count` pixels from `first` on. A map that leaves
// `margin` pixels out at each end may have none there.
IQA_HD int64_t count_beside_pixels(int64_t first, int64_t count, int64_t margin, int64_t extent)
{
    const int64_t left = extent - margin - (first + margin);
    return left < 0 ? 0 : left < count ? left : count;
}

// With the pivot of that tile the derivatives of the pixels are computed, so that its windows' means are the same
// numbers for both. Where it is empty, the pixels' own extent stands for it.
IQA_HD span_of_outputs outputs_beside_pixels(int64_t first, int64_t count, int64_t margin, int64_t extent)
{
    const int64_t outputs = count_beside_pixels(first, count, margin, extent);
    return {first + margin, outputs > 0 ? outputs : count};
}

template <class Real>
IQA_HD Real smaller_of(Real a, Real b)
{
    return a < b ? a : b;
}

template <class Real>
IQA_HD Real larger_of(Real a, Real b)
{
    return a > b ? a : b;
}

template <class Real>
IQA_HD Real median_of_three(Real a, Real b, Real c)
{
    return larger_of(smaller_of(a, b), smaller_of(larger_of(a, b), c));
}

// The mean of the middle three of five samples; finite, and exact if the three are equal.
template <class Real>
IQA_HD Real mean_of_middle(const Real *samples)
{
    const Real low[] = {smaller_of(samples[0], samples[1]), smaller_of(samples[2], samples[3])};
    const Real high[] = {larger_of(samples[0], samples[1]), larger_of(samples[2], samples[3])};
    const Real last = median_of_three(smaller_of(low[0], low[1]), larger_of(high[0], high[1]), samples[4]);
    const Real quarter = Real(0.25);
    return (quarter * larger_of(low[0], low[1]) + quarter * smaller_of(high[0], high[1]) + quarter * last) / Real(0.75);
}

// The middle of one image from its samples on the grid, row after row, which are overwritten. `usable`: not masked, and
// finite in both images.
template <class Real>
IQA_HD Real middle_of_grid(Real *samples, const bool *usable)
{
    int first = 0;
    while (first + 1 < pivot_samples && !usable[first])
        ++first;
    Real last = usable[first] ? samples[first] : Real(0);
    for (int i = 0; i < pivot_samples; ++i) {
        last = usable[i] ? samples[i] : last;
        samples[i] = last;
    }
    return median_of_three(mean_of_middle(samples), mean_of_middle(samples + pivot_columns),
                           mean_of_middle(samples + 2 * pivot_columns));
}

// The samples of both images on the grid, in the arithmetic's type and multiplied by the gain.
template <class Real>
struct pivot_grid {
    Real reference[pivot_samples], candidate[pivot_samples];
    bool usable[pivot_samples];

    IQA_HD_MEMBER void put(int index, Real x, Real y, bool masked)
    {
        reference[index] = x;
        candidate[index] = y;
        usable[index] = !masked && is_finite(x) && is_finite(y);
    }
    IQA_HD_MEMBER Real pivot()
    {
        return Real(0.5) * middle_of_grid(reference, usable) + Real(0.5) * middle_of_grid(candidate, usable);
    }
};

} // namespace iqa
