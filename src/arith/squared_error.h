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
    const double_double peak_log = log_scaled(peak, 0);
    const double_double sum_log = log_scaled(sum.mantissa, sum.exponent);
    const double_double count_log = log_scaled(count, 0);
    const double_double mse_log = add(sum_log, {-count_log.high, -count_log.low});
    const double_double ratio = add({2.0 * peak_log.high, 2.0 * peak_log.low}, {-mse_log.high, -mse_log.low});
    return divide(multiply({10.0, 0.0}, ratio), log_of_base).high;
}

} // namespace iqa
