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

// 1 / (2k + 1) for k up to 22, and 1 / k! for k up to 13. Functions, so that kernels of a GPU have the tables too.
IQA_HD_LOOP double_double odd_reciprocal(int k)
{
    constexpr double_double table[23] = {{0x1.0000000000000p+0, 0x0.0p+0},
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
                                         {0x1.642c8590b2164p-5, 0x1.642c8590b2164p-60},
                                         {0x1.47ae147ae147bp-5, -0x1.eb851eb851eb8p-61},
                                         {0x1.2f684bda12f68p-5, 0x1.2f684bda12f68p-59},
                                         {0x1.1a7b9611a7b96p-5, 0x1.1a7b9611a7b96p-61},
                                         {0x1.0842108421084p-5, 0x1.0842108421084p-60},
                                         {0x1.f07c1f07c1f08p-6, -0x1.f07c1f07c1f08p-61},
                                         {0x1.d41d41d41d41dp-6, 0x1.0750750750750p-60},
                                         {0x1.bacf914c1bad0p-6, -0x1.bacf914c1bad0p-60},
                                         {0x1.a41a41a41a41ap-6, 0x1.0690690690690p-60},
                                         {0x1.8f9c18f9c18fap-6, -0x1.f3831f3831f38p-61},
                                         {0x1.7d05f417d05f4p-6, 0x1.7d05f417d05f4p-62},
                                         {0x1.6c16c16c16c17p-6, -0x1.f49f49f49f49fp-61}};
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

// Natural logarithm of mantissa * 2^exponent, mantissa positive and normal: 2 atanh((m - 1) / (m + 1)) with m brought
// into [sqrt(1/2), sqrt(2)).
IQA_HD double_double log_scaled(double_double mantissa, int exponent)
{
    int shift = exponent_of(mantissa.high);
    if (mantissa.high > 0x1.6a09e667f3bcdp0 * power_of_two(shift))
        shift += 1;
    const double unit = power_of_two(-shift);
    const double_double m = {mantissa.high * unit, mantissa.low * unit};
    const double_double t = divide(add(m, {-1.0, 0.0}), add(m, {1.0, 0.0}));
    const double_double square = multiply(t, t);
    // |t| <= 0.1716: t^(2k) falls below 2^-110 for k = 22.
    double_double series = {0.0, 0.0};
    for (int k = 22; k >= 0; --k)
        series = add(multiply(series, square), odd_reciprocal(k));
    series = multiply(series, t);
    return add({2.0 * series.high, 2.0 * series.low}, multiply(ln_2, {double(exponent + shift), 0.0}));
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
        series = add(multiply(series, small), factorial_reciprocal(k));
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
