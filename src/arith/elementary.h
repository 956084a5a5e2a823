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

// The same for |a| >= |b|, in half the steps (Dekker).
IQA_HD double_double ordered_sum(double a, double b)
{
    const double sum = a + b;
    return {sum, b - (sum - a)};
}

IQA_HD double_double add(double_double a, double_double b)
{
    const double_double high = two_sum(a.high, b.high);
    return two_sum(high.high, high.low + (a.low + b.low));
}

// The same for |a| >= 2 |b|: nothing cancels.
IQA_HD double_double add_smaller(double_double a, double_double b)
{
    const double_double high = ordered_sum(a.high, b.high);
    return ordered_sum(high.high, high.low + (a.low + b.low));
}

IQA_HD double_double multiply(double_double a, double_double b)
{
    const double product = a.high * b.high;
    const double error = fused_multiply_add(a.high, b.high, -product);
    return ordered_sum(product, error + (a.high * b.low + a.low * b.high));
}

IQA_HD double_double divide(double_double a, double_double b)
{
    const double first = a.high / b.high;
    const double_double back = multiply({first, 0.0}, b);
    const double_double rest = add(a, {-back.high, -back.low});
    return two_sum(first, rest.high / b.high);
}

constexpr double_double ln_2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

// 1 / (2k + 1) for k up to 11, and 1 / k! for k up to 13. Functions, so that kernels of a GPU have the tables too.
IQA_HD_LOOP double_double odd_reciprocal(int k)
{
    constexpr double_double table[12] = {{0x1.0000000000000p+0, 0x0.0p+0},
                                         {0x1.5555555555555p-2, 0x1.5555555555555p-56},
                                         {0x1.999999999999ap-3, -0x1.999999999999ap-57},
                                         {0x1.2492492492492p-3, 0x1.2492492492492p-57},
                                         {0x1.c71c71c71c71cp-4, 0x1.c71c71c71c71cp-58},
                                         {0x1.745d1745d1746p-4, -0x1.745d1745d1746p-59},
                                         {0x1.3b13b13b13b14p-4, -0x1.3b13b13b13b14p-58},
                                         {0x1.1111111111111p-4, 0x1.1111111111111p-60},
                                         {0x1.e1e1e1e1e1e1ep-5, 0x1.e1e1e1e1e1e1ep-61},
                                         {0x1.af286bca1af28p-5, 0x1.af286bca1af28p-59},
                                         {0x1.8618618618618p-5, 0x1.8618618618618p-59},
                                         {0x1.642c8590b2164p-5, 0x1.642c8590b2164p-60}};
    return table[k];
}

IQA_HD_LOOP double_double factorial_reciprocal(int k)
{
    constexpr double_double table[14] = {{0x1.0000000000000p+0, 0x0.0p+0},
                                         {0x1.0000000000000p+0, 0x0.0p+0},
                                         {0x1.0000000000000p-1, 0x0.0p+0},
                                         {0x1.5555555555555p-3, 0x1.5555555555555p-57},
                                         {0x1.5555555555555p-5, 0x1.5555555555555p-59},
                                         {0x1.1111111111111p-7, 0x1.1111111111111p-63},
                                         {0x1.6c16c16c16c17p-10, -0x1.f49f49f49f49fp-65},
                                         {0x1.a01a01a01a01ap-13, 0x1.a01a01a01a01ap-73},
                                         {0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-76},
                                         {0x1.71de3a556c734p-19, -0x1.c154f8ddc6c00p-73},
                                         {0x1.27e4fb7789f5cp-22, 0x1.cbbc05b4fa99ap-76},
                                         {0x1.ae64567f544e4p-26, -0x1.c062e06d1f209p-80},
                                         {0x1.1eed8eff8d898p-29, -0x1.2aec959e14c06p-83},
                                         {0x1.6124613a86d09p-33, 0x1.f28e0cc748ebep-87}};
    return table[k];
}

// log(k / 16) for k from 11 to 23.
IQA_HD_LOOP double_double log_of_sixteenths(int k)
{
    constexpr double_double table[13] = {
        {-0x1.7fafa3bd8151cp-2, 0x1.219024acd3b77p-58},  {-0x1.269621134db92p-2, -0x1.e0efadd9db02bp-56},
        {-0x1.a93ed3c8ad9e3p-3, -0x1.bcafa9de97203p-57}, {-0x1.1178e8227e47cp-3, 0x1.0e63a5f01c691p-58},
        {-0x1.08598b59e3a07p-4, 0x1.dd7009902bf32p-58},  {0x0.0p+0, 0x0.0p+0},
        {0x1.f0a30c01162a6p-5, 0x1.85f325c5bbacdp-59},   {0x1.e27076e2af2e6p-4, -0x1.61578001e0162p-60},
        {0x1.5ff3070a793d4p-3, -0x1.bc60efafc6f6ep-58},  {0x1.c8ff7c79a9a22p-3, -0x1.4f689f8434012p-57},
        {0x1.1675cababa60ep-2, 0x1.ce63eab883717p-61},   {0x1.4618bc21c5ec2p-2, 0x1.f42decdeccf1dp-56},
        {0x1.739d7f6bbd007p-2, -0x1.8c76ceb014b04p-56}};
    return table[k - 11];
}

// Natural logarithm of mantissa * 2^exponent, mantissa positive and normal: log(c) + 2 atanh((m - c) / (m + c)) with m
// brought into [sqrt(1/2), sqrt(2)) and c the nearest sixteenth. NaN for other mantissas.
IQA_HD double_double log_scaled(double_double mantissa, int exponent)
{
    int shift = exponent_of(mantissa.high);
    if (mantissa.high > 0x1.6a09e667f3bcdp0 * power_of_two(shift))
        shift += 1;
    const double half = power_of_two(-shift / 2);
    const double rest = power_of_two(-shift - -shift / 2); // in one step the unit of the largest doubles would be none
    const double_double m = {mantissa.high * half * rest, mantissa.low * half * rest};
    if (!(m.high > 0.5 && m.high < 2.0)) // as of a forged state
        return {__builtin_nan(""), 0.0};
    const int nearest = int(m.high * 16.0 + 0.5);
    const double center = nearest * 0.0625;
    const double_double t = divide(add(m, {-center, 0.0}), add(m, {center, 0.0}));
    const double_double square = multiply(t, t);
    // |t| <= 0.0228: t^(2k) falls below 2^-54 for k = 5, so that doubles hold the later terms, and below 2^-109 for 10.
    double late = odd_reciprocal(10).high;
    IQA_UNROLL
    for (int k = 9; k >= 5; --k)
        late = late * square.high + odd_reciprocal(k).high;
    double_double series = {late, 0.0};
    IQA_UNROLL
    for (int k = 4; k >= 0; --k)
        series = add_smaller(odd_reciprocal(k), multiply(series, square));
    series = multiply(series, t);
    const double_double log = add(log_of_sixteenths(nearest), {2.0 * series.high, 2.0 * series.low});
    return add(log, multiply(ln_2, {double(exponent + shift), 0.0}));
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
    double_double series = {0.0, 0.0};
    for (int k = 11; k >= 0; --k) // |small| <= 0.0014: its 12th power is below 2^-113
        series = add_smaller(factorial_reciprocal(k), multiply(series, small));
    for (int i = 0; i < 8; ++i)
        series = multiply(series, series);
    return __builtin_ldexp(series.high, exponent);
}

constexpr double lowest_exponent = -708.0;

// e^value to about one unit in the last place, for values from lowest_exponent to 0. Plain operations, which a compiler
// turns into lanes: for sums over many values.
IQA_HD_LOOP double quick_exponential(double value)
{
    constexpr double anchor = 0x1.8p52;                // rounds to an integer and leaves it in the low bits
    constexpr double ln_2_high = 0x1.62e42fee00000p-1; // times any such integer it is exact
    constexpr double ln_2_low = 0x1.a39ef35793c76p-33;
    const double anchored = value * 1.4426950408889634 + anchor;
    const double multiple = anchored - anchor;
    const double rest = (value - multiple * ln_2_high) - multiple * ln_2_low;
    double series = factorial_reciprocal(13).high;
    IQA_UNROLL
    for (int k = 12; k >= 0; --k) // |rest| <= 0.3466: its 14th power by 14! is below 2^-57
        series = series * rest + factorial_reciprocal(k).high;
    return double_from_bits(bits_of(series) + ((bits_of(anchored) - bits_of(anchor)) << 52));
}

// The logarithm of a positive normal number to about two units in the last place, for such sums too.
IQA_HD_LOOP double quick_logarithm(double value)
{
    constexpr uint64_t sqrt_half = 0x3fe6a09e667f3bcd; // as bits: the mantissa is brought into [sqrt(1/2), sqrt(2))
    constexpr uint64_t bias = 1024; // no signed shift and no conversion, for AVX2 has no lanes of them
    const uint64_t biased = (bits_of(value) - sqrt_half + (bias << 52)) >> 52;
    const double exponent = double_from_bits(bits_of(integer_anchor) + biased) - (integer_anchor + double(bias));
    const double mantissa = double_from_bits(bits_of(value) - ((biased - bias) << 52));
    const double t = (mantissa - 1.0) / (mantissa + 1.0);
    double series = odd_reciprocal(11).high;
    IQA_UNROLL
    for (int k = 10; k >= 0; --k) // |t| <= 0.1716: t^24 is below 2^-60
        series = series * (t * t) + odd_reciprocal(k).high;
    return 2.0 * t * series + exponent * ln_2.high;
}

// An integer of up to 106 bits exactly, a longer one rounded to as many.
IQA_HD double_double to_double_double(int128 value)
{
    const double high = double(value);
    return two_sum(high, double(value - int128(high)));
}

} // namespace iqa
