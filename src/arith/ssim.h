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
#include "arith/weight.h"

namespace iqa {

// Each tile of output pixels has a pivot for each channel (arith/ssim_pivot.h) and a choice of arithmetic
// (arith/ssim_doubt.h), so the tiles decide bits, and every backend uses these. Volumes with windows of several slices
// have boxes. Gradients have tiles of pixels of the image of the same size.
enum : int { ssim_tile_height = 64, ssim_tile_width = 128, ssim_box_depth = 32, ssim_box_height = 32 };

// The samples that a tile of the map counts, along one axis: those under its pixels, and at the image's edges the
// margins too. Every sample belongs to one tile.
IQA_HD int64_t counted_begin(int64_t first, int64_t margin)
{
    return first == 0 ? 0 : first + margin;
}

IQA_HD int64_t counted_end(int64_t end, int64_t out_extent, int64_t extent, int64_t margin)
{
    return end == out_extent ? extent : end + margin;
}

// max(value, 0); NaN stays NaN.
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

// 1 / value, and 0 for 0.
IQA_HD float inverse_or_zero(float value)
{
    return value == 0.0f ? 0.0f : 1.0f / value;
}

IQA_HD double inverse_or_zero(double value)
{
    return value == 0.0 ? 0.0 : 1.0 / value;
}

// The constants of the formula for one value type: a scalar or a vector of lanes.
template <class Value>
struct ssim_constants {
    Value twice_c1;
    Value twice_c2;
    Value covariance; // 1, or N / (N - 1) for the sample covariance
};

// Below this product of the doubled constants the denominator could underflow: each ratio is then a division.
#define IQA_SSIM_SAFE_PRODUCT 0x1p-100

IQA_HD bool is_safe_product(double twice_c1, double twice_c2)
{
    return twice_c1 * twice_c2 >= IQA_SSIM_SAFE_PRODUCT;
}

// The numerator and denominator of each ratio of a pixel.
template <class Value>
struct ssim_terms {
    Value variance_sum, variance_difference;
    Value mean_total; // twice the mean of both images
    Value luminance_top, luminance_bottom;
    Value structure_top, structure_bottom;
};

template <class Value>
IQA_HD ssim_terms<Value> ssim_terms_of(Value mean_sum, Value mean_difference, Value square_sum, Value square_difference,
                                       Value twice_pivot, const ssim_constants<Value> &constants)
{
    ssim_terms<Value> terms;
    // Fused: the square of the mean is not rounded before the subtraction.
    terms.variance_sum =
        clamp_to_zero(fused_negative_multiply_add(mean_sum, mean_sum, square_sum)) * constants.covariance;
    terms.variance_difference =
        clamp_to_zero(fused_negative_multiply_add(mean_difference, mean_difference, square_difference)) *
        constants.covariance;
    terms.mean_total = mean_sum + twice_pivot;
    const Value mean_total_square = terms.mean_total * terms.mean_total;
    const Value difference_square = mean_difference * mean_difference;
    terms.luminance_top = mean_total_square - difference_square + constants.twice_c1;
    terms.luminance_bottom = mean_total_square + difference_square + constants.twice_c1;
    terms.structure_top = terms.variance_sum - terms.variance_difference + constants.twice_c2;
    terms.structure_bottom = terms.variance_sum + terms.variance_difference + constants.twice_c2;
    return terms;
}

// The values that a map may hold.
enum ssim_factor : int { ssim_product, ssim_contrast_structure, ssim_luminance, ssim_factors };

template <bool safe, class Value>
IQA_HD Value ssim_of(const ssim_terms<Value> &terms)
{
    if (safe)
        return (terms.luminance_top * terms.structure_top) / (terms.luminance_bottom * terms.structure_bottom);
    return ratio_or_one(terms.luminance_top, terms.luminance_bottom) *
           ratio_or_one(terms.structure_top, terms.structure_bottom);
}

template <bool safe, class Value>
IQA_HD Value contrast_structure_of(const ssim_terms<Value> &terms)
{
    return safe ? terms.structure_top / terms.structure_bottom
                : ratio_or_one(terms.structure_top, terms.structure_bottom);
}

template <bool safe, class Value>
IQA_HD Value luminance_of(const ssim_terms<Value> &terms)
{
    return safe ? terms.luminance_top / terms.luminance_bottom
                : ratio_or_one(terms.luminance_top, terms.luminance_bottom);
}

template <bool safe, class Value>
IQA_HD Value factor_of(const ssim_terms<Value> &terms, int factor)
{
    switch (factor) {
    case ssim_product:
        return ssim_of<safe>(terms);
    case ssim_contrast_structure:
        return contrast_structure_of<safe>(terms);
    default:
        return luminance_of<safe>(terms);
    }
}

// The derivatives of a pixel's value with respect to its four window means. `product`: of SSIM, else of the
// contrast-structure alone. With l = N1 / B1, c = N2 / B2, A = M_s + 2p:
//     dl/dM_s = 4 A M_d^2 / B1^2              dl/dM_d = -4 M_d (A^2 + 2 C1) / B1^2
//     dc/dV_s = 2 V_d / B2^2                  dc/dV_d = -2 (V_s + 2 C2) / B2^2
template <class Value>
struct ssim_derivatives {
    Value mean_sum, mean_difference, square_sum, square_difference;
};

// `safe`: no denominator is 0. Else one of 0 makes its ratio the constant 1.
template <bool safe, class Value>
IQA_HD Value inverse_of(Value denominator)
{
    if constexpr (safe)
        return Value(1) / denominator;
    else
        return inverse_or_zero(denominator);
}

// Their divisions.
template <class Value>
struct ssim_quotients {
    Value luminance_inverse, structure_inverse; // 1 / B1, 1 / B2
    Value luminance, structure;                 // l, c
};

template <bool safe, class Value>
IQA_HD ssim_quotients<Value> ssim_quotients_of(const ssim_terms<Value> &terms, Value zero, bool product)
{
    return {inverse_of<safe>(terms.luminance_bottom), inverse_of<safe>(terms.structure_bottom),
            product ? luminance_of<safe>(terms) : zero, contrast_structure_of<safe>(terms)};
}

template <class Value>
IQA_HD ssim_derivatives<Value>
ssim_derivatives_of(const ssim_terms<Value> &terms, const ssim_quotients<Value> &quotients, Value mean_sum,
                    Value mean_difference, const ssim_constants<Value> &constants, Value zero, bool product)
{
    const auto &[luminance_inverse, structure_inverse, luminance, structure] = quotients;
    const Value weight = constants.covariance * structure_inverse * structure_inverse;
    Value by_variance_sum = (terms.variance_difference + terms.variance_difference) * weight;
    const Value twice = terms.variance_sum + constants.twice_c2;
    Value by_variance_difference = zero - (twice + twice) * weight;
    if (product) {
        by_variance_sum = by_variance_sum * luminance;
        by_variance_difference = by_variance_difference * luminance;
    }
    ssim_derivatives<Value> result;
    result.square_sum = by_variance_sum;
    result.square_difference = by_variance_difference;
    result.mean_sum = zero - (mean_sum + mean_sum) * by_variance_sum;
    result.mean_difference = zero - (mean_difference + mean_difference) * by_variance_difference;
    if (product) {
        const Value four = structure + structure + structure + structure;
        const Value factor = four * luminance_inverse * luminance_inverse;
        result.mean_sum = result.mean_sum + factor * terms.mean_total * mean_difference * mean_difference;
        result.mean_difference = result.mean_difference -
                                 factor * mean_difference * (terms.mean_total * terms.mean_total + constants.twice_c1);
    }
    return result;
}

template <bool safe, class Value>
IQA_HD ssim_derivatives<Value> ssim_derivatives_of(const ssim_terms<Value> &terms, Value mean_sum,
                                                   Value mean_difference, const ssim_constants<Value> &constants,
                                                   Value zero, bool product)
{
    return ssim_derivatives_of(terms, ssim_quotients_of<safe>(terms, zero, product), mean_sum, mean_difference,
                               constants, zero, product);
}

// A pixel's SSIM on the fixed grid whose sum is exact: 2^-30 from float arithmetic (an int32), 2^-50 from double.
enum : int { ssim_float_bits = 30, ssim_double_bits = 50 };

IQA_HD int64_t ssim_fixed(float value)
{
#if defined(__CUDA_ARCH__)
    return __float2int_rn(value * 0x1p30f); // the same without double precision, which is slow on most GPUs
#else
    return round_to_integer(double(value) * 0x1p30);
#endif
}

IQA_HD int64_t ssim_fixed(double value)
{
    return round_to_integer(value * 0x1p50);
}

// sum / count to the nearest integer, halves away from 0.
IQA_HD int128 divide_rounded(int128 sum, int128 count)
{
    const int128 half = count / 2;
    return (sum + (sum < 0 ? -half : half)) / count;
}

// The mean of a sum over pixels in units of 2^-ssim_double_bits, rounded once to a multiple of 2^-80 (unit_format).
// `count`: the number of pixels, or their weight.
IQA_HD int128 mean_on_grid(int128 sum, int128 count)
{
    const int128 spare = int128(1) << (-unit_format.lowest - ssim_double_bits);
    return sum / count * spare + divide_rounded(sum % count * spare, count);
}

} // namespace iqa
