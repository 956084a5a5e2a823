// SPDX-License-Identifier: MIT
// KID: the unit of kernel values, and the value of an estimate from their sums. One text for every device.
#pragma once

#include "arith/polynomial_kernel.h"

namespace iqa {

// No power of two brings a larger kernel value below 1.
constexpr double largest_kernel_value = 0x1p1000;

// Completes the kernel for two sets from the largest dot product of a row with itself in each. False: kernel values are
// too large, or not finite. All rows count, drawn or not, so the seed does not decide whether a call fails.
inline bool choose_unit(polynomial_kernel &kernel, double first, double second)
{
    if (!(kernel_value(kernel, first) <= largest_kernel_value) ||
        !(kernel_value(kernel, second) <= largest_kernel_value))
        return false;
    const double largest = first > second ? first : second;
    kernel.without_constant = kernel.gamma * largest < small_addend * kernel.coef0;
    const double bound = kernel_value(kernel, largest);
    if (bound >= 1.0 / largest_kernel_value) // a smaller bound leaves hardly more than zeros
        kernel.unit = power_of_two(-exponent_of(bound) - 2);
    return true;
}

inline double_double mean_within(int64_t rows, bool biased, const pair_sums &sums)
{
    limb_sums sum = sums.pairs;
    sum.add(sums.pairs.limbs);
    if (biased)
        sum.add(sums.diagonal.limbs);
    return divide(value_of_limbs(sum.limbs), multiply({double(rows), 0.0}, {double(biased ? rows : rows - 1), 0.0}));
}

// The value of an estimate from `first_rows` and `second_rows` rows.
inline double kid_value(const pair_sums (&sums)[kinds_of_pairs], int64_t first_rows, int64_t second_rows, bool biased,
                        double unit)
{
    const double_double within =
        add(mean_within(first_rows, biased, sums[within_first]), mean_within(second_rows, biased, sums[within_second]));
    const double_double between = divide(value_of_limbs(sums[between_sets].pairs.limbs),
                                         multiply({double(first_rows), 0.0}, {double(second_rows), 0.0}));
    return add(within, {-2.0 * between.high, -2.0 * between.low}).high / unit;
}

} // namespace iqa
