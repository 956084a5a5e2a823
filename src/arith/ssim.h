// SPDX-License-Identifier: MIT
// Structural similarity of one pixel from four filtered maps: the difference form.
//
// With x' = x - p and y' = y - p (p: a pivot near the data), s = x' + y' and d = x' - y', and window means M and E of
// s, d, s^2 and d^2:
//     V_s = E_ss - M_s^2 = var x + var y + 2 cov      V_d = E_dd - M_d^2 = var x + var y - 2 cov
//     luminance          = ((M_s + 2p)^2 - M_d^2 + 2 C1) / ((M_s + 2p)^2 + M_d^2 + 2 C1)
//     contrast-structure = (V_s - V_d + 2 C2) / (V_s + V_d + 2 C2)
// which equals the formula of Wang et al. (2004). Rounding is monotonic, so with V_s, V_d >= 0 each numerator is at
// most its denominator in magnitude also after rounding: |SSIM| <= 1 always, and d = 0 gives exactly 1.
#pragma once

#include "arith/exact_sum.h"

namespace iqa {

// The pivot is one per tile of output pixels and per channel, so the tiles are part of the arithmetic: every backend
// uses these.
enum : int { ssim_tile_height = 64, ssim_tile_width = 128 };

// The pivot of a tile: the mean of the two images' samples at the tile's centre. A non-finite sample must not spread
// over the tile.
template <class Real>
IQA_HD Real ssim_pivot(Real reference, Real candidate)
{
    const Real pivot = Real(0.5) * (reference + candidate);
    return is_finite(pivot) ? pivot : Real(0);
}

// max(value, 0) that lets NaN through.
IQA_HD float clamp_to_zero(float value)
{
    return 0.0f > value ? 0.0f : value;
}

IQA_HD double clamp_to_zero(double value)
{
    return 0.0 > value ? 0.0 : value;
}

// numerator / denominator, and 1 where both are 0: without stabilising constants a flat window compared with itself.
IQA_HD float ratio_or_one(float numerator, float denominator)
{
    return denominator == 0.0f ? 1.0f : numerator / denominator;
}

IQA_HD double ratio_or_one(double numerator, double denominator)
{
    return denominator == 0.0 ? 1.0 : numerator / denominator;
}

// The constants of the formula for one value type: a scalar or a vector of lanes.
template <class Value>
struct ssim_constants {
    Value twice_c1;
    Value twice_c2;
    Value covariance; // 1, or N / (N - 1) for the sample covariance
};

// Below this product of the doubled constants the denominator could underflow: each ratio is then taken by itself.
#define IQA_SSIM_SAFE_PRODUCT 0x1p-100

template <bool safe, class Value>
IQA_HD Value ssim_from_means(Value mean_sum, Value mean_difference, Value square_sum, Value square_difference,
                             Value twice_pivot, const ssim_constants<Value> &constants)
{
    // Fused: the square of the mean is not rounded before it is taken off.
    const Value variance_sum =
        clamp_to_zero(fused_negative_multiply_add(mean_sum, mean_sum, square_sum)) * constants.covariance;
    const Value variance_difference =
        clamp_to_zero(fused_negative_multiply_add(mean_difference, mean_difference, square_difference)) *
        constants.covariance;
    const Value level = mean_sum + twice_pivot;
    const Value level_square = level * level;
    const Value difference_square = mean_difference * mean_difference;
    const Value luminance_top = level_square - difference_square + constants.twice_c1;
    const Value luminance_bottom = level_square + difference_square + constants.twice_c1;
    const Value structure_top = variance_sum - variance_difference + constants.twice_c2;
    const Value structure_bottom = variance_sum + variance_difference + constants.twice_c2;
    if (safe)
        return (luminance_top * structure_top) / (luminance_bottom * structure_bottom);
    return ratio_or_one(luminance_top, luminance_bottom) * ratio_or_one(structure_top, structure_bottom);
}

// A pixel's SSIM on the fixed grid whose sum is exact: 2^-30 from float arithmetic (an int32), 2^-50 from double.
// Adding 1.5 * 2^52 leaves the rounded integer in the low bits; it needs round-to-nearest, which is in force.
enum : int { ssim_float_bits = 30, ssim_double_bits = 50 };

IQA_HD int64_t round_to_integer(double value)
{
    return int64_t(bits_of(value + 0x1.8p52) - bits_of(0x1.8p52));
}

IQA_HD int64_t ssim_fixed(float value)
{
    return round_to_integer(double(value) * 0x1p30);
}

IQA_HD int64_t ssim_fixed(double value)
{
    return round_to_integer(value * 0x1p50);
}

// sum / count to the nearest integer, halves away from 0.
IQA_HD int128 divide_rounded(int128 sum, int64_t count)
{
    const int128 half = count / 2;
    return (sum + (sum < 0 ? -half : half)) / count;
}

// The mean over `pixels` of a sum in units of 2^-ssim_double_bits, rounded once to a multiple of 2^-80 (unit_format).
IQA_HD int128 mean_on_unit_grid(int128 sum, int64_t pixels)
{
    return divide_rounded(sum * (int128(1) << (-unit_format.lowest - ssim_double_bits)), pixels);
}

} // namespace iqa
