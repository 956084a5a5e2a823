// SPDX-License-Identifier: MIT
// The polynomial kernel of KID, and its values as integers, whose sum has no order.
#pragma once

#include "arith/elementary.h"

namespace iqa {

// k(a, b) = (gamma a.b + coef0)^degree, or the same less coef0^degree. `unit` is a power of two that scales every value
// of the two sets to below 1.
struct polynomial_kernel {
    double gamma;
    double coef0;
    int degree;
    double unit;
    bool without_constant;
};

// If gamma a.b is below this fraction of coef0, a kernel value is hardly more than its constant. The means of KID
// cancel the constant, so values keep their digits only without it.
constexpr double small_addend = 0x1p-16;

IQA_HD double kernel_base(const polynomial_kernel &kernel, double product)
{
    return fused_multiply_add(kernel.gamma, product, kernel.coef0);
}

// The value after the first power, and after one more: with b the base and t = gamma a.b or 0,
//   b^(n + 1) - c^(n + 1) = (b^n - c^n) b + t c^n.
IQA_HD double kernel_addend(const polynomial_kernel &kernel, double product)
{
    return kernel.without_constant ? kernel.gamma * product : 0.0;
}

IQA_HD double next_kernel_power(double value, double base, double addend, double constant)
{
    return value * base + addend * constant;
}

// The kernel value of a dot product. The largest dot product of a row with itself has the largest value (Cauchy and
// Schwarz), rounding aside.
IQA_HD double kernel_value(const polynomial_kernel &kernel, double product)
{
    const double base = kernel_base(kernel, product);
    const double addend = kernel_addend(kernel, product);
    double value = kernel.without_constant ? addend : base;
    double constant = 1.0;
    for (int power = 1; power < kernel.degree; ++power) {
        constant *= kernel.coef0;
        value = next_kernel_power(value, base, addend, constant);
    }
    return value;
}

// A kernel value is split into units of 2^-50, its rest into units of 2^-100, and the last rest into units of 2^-150.
constexpr int kernel_limbs = 3;

// Adds a number in (-1, 1) to sums of its limbs, each at most 2^50. Adding 1.5 * 2^52 rounds to an integer, ties to
// even, and leaves it in the low bits; the rest is exact.
IQA_HD void add_to_limbs(double value, int64_t *sums)
{
    double rest = value;
    for (int limb = 0; limb < kernel_limbs; ++limb) {
        const double scaled = rest * 0x1p50;
        const double anchored = scaled + integer_anchor;
        sums[limb] += int64_t(bits_of(anchored) - bits_of(integer_anchor));
        rest = scaled - (anchored - integer_anchor);
    }
}

struct limb_sums {
    int128 limbs[kernel_limbs];

    template <class Integer>
    IQA_HD_MEMBER void add(const Integer *sums)
    {
        for (int limb = 0; limb < kernel_limbs; ++limb)
            limbs[limb] += sums[limb];
    }
};

// Sums over pairs of rows; within one set each pair of different rows is taken once.
struct pair_sums {
    limb_sums pairs;
    limb_sums diagonal;
};

// The sums of an estimate: pairs within the first set, within the second, and between them.
enum : int { within_first, within_second, between_sets, kinds_of_pairs };

// The number behind sums of limbs, rounded to some 106 bits.
IQA_HD double_double value_of_limbs(const int128 *sums)
{
    double_double value = {0.0, 0.0};
    for (int limb = kernel_limbs - 1; limb >= 0; --limb) {
        const double_double sum = add(value, to_double_double(sums[limb]));
        value = {sum.high * 0x1p-50, sum.low * 0x1p-50};
    }
    return value;
}

} // namespace iqa
