// SPDX-License-Identifier: MIT
// The choice between float and double arithmetic for a tile of an SSIM map, which the samples alone decide: a tile that
// float does not carry is measured in double.
//
// The window means M and E of float arithmetic are off by about u = 2^-24 of themselves, and the variances V by u of
// the mean of squares E. With B1 and B2 the denominators of luminance and contrast-structure (arith/ssim.h), SSIM is
// then off by about
//     2 u (V_d E_ss + (V_s + 2 C2) E_dd) / B2^2 + 6 u |M_d| (|M_s| + |M_d|) / B1,
// its derivatives by V_s, V_d and the means times their errors. In flat windows, or nearly flat ones, the error of V is
// up to eight times as large, and the same in all of them; errors of neighbours in textures differ and cancel. A
// pixel's doubt is the estimate over 2 u.
//
// - Spread: if E_ss + E_dd exceeds IQA_SSIM_MOST_SPREAD times 2 C2 in a window, float cannot tell V from 0: without an
//   estimate the tile is measured in double. Samples within L of the pivot reach at most 4 L^2, which is 2222 times
//   2 C2 with k2 = 0.03.
// - Doubt: if the mean doubt of an image's channel exceeds `most_doubt_of_plane`, its tiles with a mean doubt above
//   `most_doubt_of_tile` are measured in double.
// - Likeness: so are they if a channel has few kinds of windows, as in a faint pattern, whose errors do not cancel.
//   Doubts are summed by kind, which three bits of each doubt's significand give: similar windows fall into one kind,
//   others into any. A kind whose mean is too far from the mean of all kinds gives the channel away.
// - Errors cancel less in small channels too: with few pixels the limit of the channel is that of a tile.
//
// The limits were found by search and are no proof: docs/reference/numerics.md describes the search.
#pragma once

#include "arith/ssim.h"

namespace iqa {

#define IQA_SSIM_MOST_SPREAD 2304.0f

enum : int {
    doubt_of_one = 16,        // units of a doubt of 1
    most_doubt = 1 << 18,     // of a pixel, in units; a NaN counts as this too
    most_doubt_of_tile = 12,  // mean in units: an error of 9e-8
    most_doubt_of_plane = 96, // mean in units: an error of 7.2e-7
    many_doubted = 1024,      // a plane of fewer pixels has the limit of a tile
    doubt_kinds = 8,
    doubt_kind_shift = 16,  // to the bits of a float that are its kind
    most_doubt_alike = 16,  // limit of |doubt_kinds * a kind's sum - the total| for each pixel
    doubt_row_step = 9,     // one row in this many is sampled
    doubt_every_row = 24,   // in tiles of more rows than this
    doubt_weight_shift = 16 // from weights in units of 2^-pixel_weight_bits to weights of doubts
};

// From row to row of a tile whose doubt is sampled: the first is.
IQA_HD int step_of_doubts(int rows_of_tile)
{
    return rows_of_tile <= doubt_every_row ? 1 : int(doubt_row_step);
}

IQA_HD bool doubts_row(int row, int rows_of_tile)
{
    return row % step_of_doubts(rows_of_tile) == 0;
}

// The number of rows of a tile that are sampled.
IQA_HD int doubted_rows(int rows_of_tile)
{
    return divide_up(rows_of_tile, step_of_doubts(rows_of_tile));
}

// Sums of doubts in units, and the number of pixels behind them; with weights both are weighted.
struct doubt_total {
    int64_t pixels;
    int64_t sums[doubt_kinds];

    IQA_HD_MEMBER void add(const doubt_total &more)
    {
        pixels += more.pixels;
        for (int kind = 0; kind < doubt_kinds; ++kind)
            sums[kind] += more.sums[kind];
    }
    IQA_HD_MEMBER int64_t total() const
    {
        int64_t sum = 0;
        for (int kind = 0; kind < doubt_kinds; ++kind)
            sum += sums[kind];
        return sum;
    }
    IQA_HD_MEMBER bool too_much_for_tile() const { return total() > pixels * int64_t(most_doubt_of_tile); }
    IQA_HD_MEMBER bool too_much_for_plane(bool weighted) const
    {
        const int64_t many = int64_t(many_doubted) << (weighted ? int(pixel_weight_bits) - doubt_weight_shift : 0);
        const int64_t sum = total();
        bool too_much = sum > pixels * int64_t(pixels < many ? most_doubt_of_tile : most_doubt_of_plane);
        for (int kind = 0; kind < doubt_kinds; ++kind) {
            const int64_t beyond = doubt_kinds * sums[kind] - sum;
            too_much = too_much || (beyond < 0 ? -beyond : beyond) > pixels * int64_t(most_doubt_alike);
        }
        return too_much;
    }
};

IQA_HD float magnitude(float value)
{
    return float_from_bits(bits_of(value) & 0x7fffffffu);
}

IQA_HD float at_least(float value, float least)
{
    return value > least ? value : least;
}

// The constants of a pixel's doubt, for one value type.
template <class Value>
struct doubt_constants {
    Value three, units;
    Value flat, more_if_flat; // a variance below its square over `flat` is that of a flat window, whose error is larger
    Value least;              // denominator: without stabilising constants it may be 0, and the numerator is then 0 too
};

// `broadcast` makes a Value of a float.
template <class Value, class Broadcast>
IQA_HD doubt_constants<Value> constants_of_doubt(Broadcast &&broadcast)
{
    return {broadcast(3.0f), broadcast(float(doubt_of_one)), broadcast(0x1p13f), broadcast(7.0f), broadcast(0x1p-120f)};
}

// The likely error of a variance, mean of squares less square of mean, times 1 / u.
template <class Value>
IQA_HD Value likely_error(Value square, Value variance, const doubt_constants<Value> &doubt)
{
    return square + doubt.more_if_flat * clamp_to_zero(square - doubt.flat * variance);
}

// A pixel's doubt in units, not yet rounded.
template <class Value>
IQA_HD Value ssim_doubt(const ssim_terms<Value> &terms, Value mean_sum, Value mean_difference, Value square_sum,
                        Value square_difference, const ssim_constants<Value> &constants,
                        const doubt_constants<Value> &doubt)
{
    const Value structure = terms.structure_bottom * terms.structure_bottom;
    const Value by_variances =
        terms.variance_difference * likely_error(square_sum, terms.variance_sum, doubt) +
        (terms.variance_sum + constants.twice_c2) * likely_error(square_difference, terms.variance_difference, doubt);
    const Value distance = magnitude(mean_difference);
    const Value by_means = doubt.three * distance * (magnitude(mean_sum) + distance);
    const Value numerator = by_variances * terms.luminance_bottom + by_means * structure;
    return doubt.units * numerator / at_least(structure * terms.luminance_bottom, doubt.least);
}

IQA_HD float limited_doubt(float doubt)
{
    return doubt < float(most_doubt) ? doubt : float(most_doubt);
}

// Rounded down to whole units. An int32_t holds the sum of 2^12 pixels.
IQA_HD int32_t doubt_units(float doubt)
{
    return int32_t(limited_doubt(doubt));
}

IQA_HD int doubt_kind(float doubt)
{
    return int(bits_of(limited_doubt(doubt)) >> doubt_kind_shift & uint32_t(doubt_kinds - 1));
}

} // namespace iqa
