// SPDX-License-Identifier: MIT
// The polynomial kernel of KID, and its values as integers, so that their sum has no order.
#pragma once

#include "arith/elementary.h"

namespace iqa {

// k(a, b) = (gamma a.b + coef0)^degree. Times `unit`, a power of two, no value of the sets at hand reaches 1.
struct polynomial_kernel {
    double gamma;
    double coef0;
    int degree;
    double unit;
};

IQA_HD double kernel_base(const polynomial_kernel &kernel, double product)
{
    return fused_multiply_add(kernel.gamma, product, kernel.coef0);
}

// No kernel value of rows of this length exceeds this one, if no number exceeds `largest`; rounding aside.
IQA_HD double largest_kernel_value(const polynomial_kernel &kernel, double length, double largest)
{
    const double base = kernel_base(kernel, largest * largest * length);
    double power = base;
    for (int i = 1; i < kernel.degree; ++i)
        power *= base;
    return power;
}

// A number in (-1, 1) in units of 2^-50, and what that leaves in units of 2^-100.
struct kernel_digits {
    int64_t high;
    int64_t low;
};

// Adding 1.5 * 2^52 rounds to an integer, ties to even, and leaves it in the low bits. The differences are exact.
IQA_HD kernel_digits to_kernel_digits(double value)
{
    constexpr double anchor = 0x1.8p52;
    const double scaled = value * 0x1p50;
    const double high = scaled + anchor;
    const double low = (scaled - (high - anchor)) * 0x1p50 + anchor;
    const int64_t zero = int64_t(bits_of(anchor));
    return {int64_t(bits_of(high)) - zero, int64_t(bits_of(low)) - zero};
}

// The number behind sums of digits, rounded to some 106 bits.
IQA_HD double_double from_kernel_digits(int128 high, int128 low)
{
    const double_double upper = to_double_double(high);
    const double_double lower = to_double_double(low);
    return add({upper.high * 0x1p-50, upper.low * 0x1p-50}, {lower.high * 0x1p-100, lower.low * 0x1p-100});
}

} // namespace iqa
