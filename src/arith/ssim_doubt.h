// SPDX-License-Identifier: MIT
// Whether float arithmetic carries a tile of an SSIM map, decided by the samples alone; where it does not the tile is
// measured in double.
//
// The window means M and E of float arithmetic are off by about u = 2^-24 of themselves, and the variances V by u of
// the mean of squares E. With B1 and B2 the denominators of luminance and contrast-structure (arith/ssim.h), SSIM is
// then off by about
//     2 u (V_d E_ss + (V_s + 2 C2) E_dd) / B2^2 + 6 u |M_d| (|M_s| + |M_d|) / B1,
// its derivatives by V_s, V_d and the means times their errors. Where windows are flat, or nearly so, the error of V is
// up to eight times as large, and the same for all of them; neighbours in textures have errors that differ and cancel.
// The estimate over 2 u is the pixel's doubt.
//
// - Spread: where E_ss + E_dd exceeds IQA_SSIM_MOST_SPREAD times 2 C2 in a window of a tile, float cannot tell V from
//   nothing, and there is no estimate. Samples within L of the pivot have at most 4 L^2 there, which is 2222 times 2 C2
//   with k2 = 0.03. Such a tile is measured in double.
// - Doubt: where the mean doubt of an image's channel is larger than `most_doubt_of_plane`, those of its tiles with a
//   mean of more than `most_doubt_of_tile` are measured in double.
// - Likeness: so are they where a channel has few kinds of windows, of a faint pattern say, whose errors do not cancel.
//   Doubts are summed by kind, which three bits of each doubt's significand give: windows that are much alike are of
//   one kind, others of any. A kind whose mean is too far from that of all kinds tells.
// - Small channels cancel less too: of few pixels the mean doubt may be that of a tile.
//
// The limits were found by search and are no proof: docs/reference/numerics.md says what was searched.
#pragma once

#include "arith/ssim.h"

namespace iqa {

#define IQA_SSIM_MOST_SPREAD 2304.0f

enum : int {
    doubt_of_one = 16,        // units of a doubt of 1
    most_doubt = 1 << 18,     // of a pixel, in units; of one that is not a number too
    most_doubt_of_tile = 12,  // on average, in units: an error of 9e-8
    most_doubt_of_plane = 96, // 7.2e-7
    many_doubted = 1024,      // pixels of a plane; of fewer the limit is that of a tile
    doubt_kinds = 8,
    doubt_kind_shift = 16,  // to the bits of a float that are its kind
    most_doubt_alike = 16,  // as many times as there are kinds, of a kind's doubt from its share
    doubt_row_step = 9,     // one row in so many is looked at
    doubt_every_row = 24,   // in tiles of more rows than this
    doubt_weight_shift = 16 // from weights in units of 2^-pixel_weight_bits to those that count here
};

// Whether the doubt of a tile's row is looked at.
IQA_HD bool doubts_row(int row, int rows_of_tile)
{
    return rows_of_tile <= doubt_every_row || row % doubt_row_step == 0;
}

// Rows of a tile that are looked at.
IQA_HD int doubted_rows(int rows_of_tile)
{
    return rows_of_tile <= doubt_every_row ? rows_of_tile : divide_up(rows_of_tile, int(doubt_row_step));
}

// Doubts in units, of so many pixels; with weights, by weight.
struct doubt_total {
    int64_t pixels;
    int64_t sums[doubt_kinds];

    IQA_HD_MEMBER void add(const doubt_total &more)
    {
        pixels += more.pixels;
        for (int kind = 0; kind < doubt_kinds; ++kind)
            sums[kind] += more.sums[kind];
    }
    IQA_HD_MEMBER int64_t of_all_kinds() const
    {
        int64_t all = 0;
        for (int kind = 0; kind < doubt_kinds; ++kind)
            all += sums[kind];
        return all;
    }
    IQA_HD_MEMBER bool too_much_for_tile() const { return of_all_kinds() > pixels * int64_t(most_doubt_of_tile); }
    IQA_HD_MEMBER bool too_much_for_plane(bool weighted) const
    {
        const int64_t many = int64_t(many_doubted) << (weighted ? int(pixel_weight_bits) - doubt_weight_shift : 0);
        const int64_t all = of_all_kinds();
        bool too_much = all > pixels * int64_t(pixels < many ? most_doubt_of_tile : most_doubt_of_plane);
        for (int kind = 0; kind < doubt_kinds; ++kind) {
            const int64_t beyond = doubt_kinds * sums[kind] - all;
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

// What the doubt of a pixel is made with, for one value type.
template <class Value>
struct doubt_constants {
    Value three, units;
    Value flat, more_if_flat; // a variance below its square over `flat` is that of a flat window, whose error is larger
    Value least; // of a denominator: without stabilising constants it may be 0, and the numerator then is too
};

// `broadcast` makes a Value of a float.
template <class Value, class Broadcast>
IQA_HD doubt_constants<Value> constants_of_doubt(Broadcast &&broadcast)
{
    return {broadcast(3.0f), broadcast(float(doubt_of_one)), broadcast(0x1p13f), broadcast(7.0f), broadcast(0x1p-120f)};
}

// Of a variance from the mean of squares and the square of the mean, times 1 / u.
template <class Value>
IQA_HD Value likely_error(Value square, Value variance, const doubt_constants<Value> &of)
{
    return square + of.more_if_flat * clamp_to_zero(square - of.flat * variance);
}

// A pixel's doubt in units, not yet whole.
template <class Value>
IQA_HD Value ssim_doubt(const ssim_terms<Value> &terms, Value mean_sum, Value mean_difference, Value square_sum,
                        Value square_difference, const ssim_constants<Value> &constants,
                        const doubt_constants<Value> &of)
{
    const Value structure = terms.structure_bottom * terms.structure_bottom;
    const Value by_variances =
        terms.variance_difference * likely_error(square_sum, terms.variance_sum, of) +
        (terms.variance_sum + constants.twice_c2) * likely_error(square_difference, terms.variance_difference, of);
    const Value distance = magnitude(mean_difference);
    const Value by_means = of.three * distance * (magnitude(mean_sum) + distance);
    const Value numerator = by_variances * terms.luminance_bottom + by_means * structure;
    return of.units * numerator / at_least(structure * terms.luminance_bottom, of.least);
}

IQA_HD float limited_doubt(float doubt)
{
    return doubt < float(most_doubt) ? doubt : float(most_doubt);
}

// In whole units. An int32_t holds the sum of 2^12 pixels.
IQA_HD int32_t doubt_units(float doubt)
{
    return int32_t(limited_doubt(doubt));
}

IQA_HD int doubt_kind(float doubt)
{
    return int(bits_of(limited_doubt(doubt)) >> doubt_kind_shift & uint32_t(doubt_kinds - 1));
}

} // namespace iqa
