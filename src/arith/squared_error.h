// SPDX-License-Identifier: MIT
// Squared errors summed exactly. Integer samples: an integer. Floating-point samples: each square is rounded once, to
// double, and the rounded squares are split over three fixed grids of integers, so that their sum has no order.
#pragma once

#include "arith/elementary.h"
#include "arith/exact_sum.h"

namespace iqa {

// The differences are scaled by a power of two first, so that ordinary ones lie near 1. A difference d between 2^-38
// and 2^10 then has a square whose 53 bits, or all bits down to 2^-130, lie on the grids below.
constexpr double error_largest = 0x1p10;
constexpr double error_smallest = 0x1p-38;

// A square below 2^21 is split into units of 2^-30, the rest of that into units of 2^-80, and the rest into 2^-130.
constexpr int error_levels = 3;
constexpr int error_exponents[error_levels] = {-30, -80, -130};
// Adding 1.5 * 2^(52 + exponent) rounds to a multiple of 2^exponent and leaves the multiple in the low bits.
constexpr double error_anchors[error_levels] = {0x1.8p22, 0x1.8p-28, 0x1.8p-78};
// A lane of int64 holds sums of at most 2^51 each: so many fit.
constexpr int error_flush = 2048;

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

} // namespace iqa
