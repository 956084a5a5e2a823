// SPDX-License-Identifier: MIT
// Squared errors summed exactly, and their derivative. Integer samples: an integer. Floating-point samples: each square
// is rounded to double, so is its product with the weight, and the rounded products are split over three fixed grids of
// integers, so that their sum has no order.
#pragma once

#include "arith/elementary.h"
#include "arith/exact_sum.h"
#include "arith/weight.h"

namespace iqa {

// The differences are scaled by a power of two first, so that ordinary ones lie near 1. A difference d between 2^-26
// and 2^10 then has a square which, times any weight, is 2^-76 or more: its 53 bits, or all bits down to 2^-130, lie on
// the grids below.
constexpr double error_largest = 0x1p10;
constexpr double error_smallest = 0x1p-26;

// A square below 2^21 is split into units of 2^-30, the rest of that into units of 2^-80, and the rest into 2^-130.
constexpr int error_levels = 3;
IQA_HD int error_exponent(int level)
{
    return -30 - 50 * level;
}
// Adding 1.5 * 2^(52 + exponent) rounds to a multiple of 2^exponent and leaves the multiple in the low bits.
IQA_HD double error_anchor(int level)
{
    return level == 0 ? 0x1.8p22 : level == 1 ? 0x1.8p-28 : 0x1.8p-78;
}
// A lane of int64 holds sums of at most 2^51 each: so many fit.
constexpr int error_flush = 2048;

// Differences of ordinary size lie on the grids at the usual scale, 2^usual. Where an image's largest one, so scaled,
// does not, the image is summed again at the scale of that difference: this exponent. (A maximum has no order either.)
constexpr int no_exponent = INT32_MIN; // the sums at the usual scale will do
IQA_HD int own_error_exponent(int usual, double largest)
{
    if (largest == 0.0 || !is_finite(largest) || (largest >= error_smallest && largest < error_largest))
        return no_exponent;
    const int own = usual - exponent_of(largest);
    return own < -1000 ? -1000 : own > 1000 ? 1000 : own;
}

// Integer samples: the sum of the squares is level 0, in units of 1, and that of weighted squares level 1.
IQA_HD int integer_error_exponent(int level)
{
    return level == 1 ? -pixel_weight_bits : 0;
}

// An exact sum of squared errors: sum over i of level[i] * 2^exponent[i].
struct squared_error_sum {
    int128 level[error_levels];
    int exponent[error_levels];
};

// The sum rounded to 53 bits. Its exponents are those above, so that few digits hold it.
IQA_HD scaled_value value_of(const squared_error_sum &sum)
{
    constexpr int digits = 8;
    exact_format format = {digits, sum.exponent[0]};
    for (int i = 1; i < error_levels; ++i)
        format.lowest = sum.exponent[i] < format.lowest ? sum.exponent[i] : format.lowest;
    int64_t lanes[digits] = {};
    for (int i = 0; i < error_levels; ++i)
        exact_add(format, lanes, sum.level[i], sum.exponent[i]);
    return exact_value<digits>(format, lanes);
}

// 10 log(L^2 / MSE) in the base whose natural logarithm is given; MSE = sum / count, positive.
IQA_HD double psnr_value(double peak, scaled_value sum, double count, double_double log_of_base)
{
    // The mantissas make one ratio near 1, the exponents are added apart: nothing overflows.
    const int peak_exponent = exponent_of(peak);
    const double peak_mantissa = __builtin_ldexp(peak, -peak_exponent);
    const double_double squared_peak = multiply({peak_mantissa, 0.0}, {peak_mantissa, 0.0});
    const double_double ratio = divide(multiply(squared_peak, {count, 0.0}), {sum.mantissa, 0.0});
    const double_double log = log_scaled(ratio, 2 * peak_exponent - sum.exponent);
    return divide(multiply({10.0, 0.0}, log), log_of_base).high;
}

// The derivative of an image's value with respect to a sample of the candidate, ((y - x) before w) factor after; the
// outer two are powers of two that keep differences of any size in the range of doubles. The reference has its
// negative.
struct error_slope {
    double before, factor, after;
};

IQA_HD double error_derivative(const error_slope &slope, double reference, double candidate, double weight)
{
    return weight == 0.0 ? 0.0 : ((candidate - reference) * slope.before * weight) * slope.factor * slope.after;
}

// MSE = S / W: its derivative is 2 w (y - x) / W.
IQA_HD error_slope slope_of_mean(double weight)
{
    return {1.0, 2.0 / weight, 1.0};
}

// 10 log(L^2 W / S) / log(base) has the derivative -20 w (y - x) / (S log(base)).
IQA_HD error_slope slope_of_psnr(scaled_value sum, double_double log_of_base)
{
    const int half = -(sum.exponent / 2);
    const int shift = half < -1000 ? -1000 : half > 1000 ? 1000 : half;
    const double numerator = divide({20.0, 0.0}, log_of_base).high;
    const double unit = power_of_two(shift);
    return {unit, -(numerator / __builtin_ldexp(sum.mantissa, sum.exponent + 2 * shift)), unit};
}

} // namespace iqa
