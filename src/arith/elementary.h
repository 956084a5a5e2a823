// SPDX-License-Identifier: MIT
// exp and log with the same bits on every system: C libraries differ in the last bit. Plain IEEE operations on
// double-doubles (an unevaluated sum high + low of about 106 bits), rounded once at the end. Run on the host, once per
// result or per window tap; never per pixel.
#pragma once

#include "arith/portable.h"

namespace iqa {

struct double_double {
    double high;
    double low;
};

// a + b exactly (Knuth).
IQA_HD double_double two_sum(double a, double b)
{
    const double sum = a + b;
    const double part = sum - a;
    return {sum, (a - (sum - part)) + (b - part)};
}

IQA_HD double_double add(double_double a, double_double b)
{
    const double_double high = two_sum(a.high, b.high);
    return two_sum(high.high, high.low + (a.low + b.low));
}

IQA_HD double_double multiply(double_double a, double_double b)
{
    const double product = a.high * b.high;
    const double error = fused_multiply_add(a.high, b.high, -product);
    return two_sum(product, error + (a.high * b.low + a.low * b.high));
}

IQA_HD double_double divide(double_double a, double_double b)
{
    const double first = a.high / b.high;
    const double_double back = multiply({first, 0.0}, b);
    const double_double rest = add(a, {-back.high, -back.low});
    return two_sum(first, rest.high / b.high);
}

constexpr double_double ln_2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

// Natural logarithm of mantissa * 2^exponent, mantissa positive and finite: 2 atanh((m - 1) / (m + 1)) with m brought
// into [sqrt(1/2), sqrt(2)).
IQA_HD double_double log_scaled(double mantissa, int exponent)
{
    const int own = exponent_of(mantissa);
    double m = __builtin_ldexp(mantissa, -own);
    exponent += own;
    if (m > 0x1.6a09e667f3bcdp0) {
        m *= 0.5;
        exponent += 1;
    }
    const double_double t = divide(two_sum(m, -1.0), two_sum(m, 1.0));
    const double_double square = multiply(t, t);
    // |t| <= 0.1716: t^(2k) falls below 2^-110 for k = 22.
    double_double series = {0.0, 0.0};
    for (int k = 22; k >= 0; --k)
        series = add(multiply(series, square), divide({1.0, 0.0}, {double(2 * k + 1), 0.0}));
    series = multiply(series, t);
    return add({2.0 * series.high, 2.0 * series.low}, multiply(ln_2, {double(exponent), 0.0}));
}

// e^value for values whose result is a normal double: reduced by multiples of ln 2 and halved eight times before the
// series.
IQA_HD double exponential(double value)
{
    if (value < -700.0)
        return 0.0;
    const int exponent = int(value * 1.4426950408889634 + (value < 0 ? -0.5 : 0.5));
    const double_double multiple = multiply(ln_2, {double(exponent), 0.0});
    const double_double rest = add({value, 0.0}, {-multiple.high, -multiple.low});
    const double_double small = {rest.high * 0x1p-8, rest.low * 0x1p-8};
    double_double series = {1.0, 0.0};
    for (int k = 14; k >= 1; --k)
        series = add({1.0, 0.0}, divide(multiply(series, small), {double(k), 0.0}));
    for (int i = 0; i < 8; ++i)
        series = multiply(series, series);
    return __builtin_ldexp(series.high, exponent);
}

} // namespace iqa
