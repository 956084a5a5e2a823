// SPDX-License-Identifier: MIT
// Features on a fixed grid. A feature x is rounded once to the integer q = x 2^p, ties to even; from there on the
// moments are exact. q is cut into balanced digits so small that the digits of a product, which are sums of products of
// digits, add up in 32 bits over a block of rows:
//   wide words    |q| <= 127 2^24   three digits of 11 bits   q = d0 + d1 2^11 + d2 2^22
//   narrow words  |q| <= 127 2^16   two digits of 12 bits     q = d0 + d1 2^12
// q is the value of a polynomial of its digits at 2^11 or 2^12. Planes are values of that polynomial elsewhere: at 0,
// at infinity (the last digit), and at 1, -1 and 2 for wide words (Toom and Cook), at 1 for narrow words (Karatsuba).
// Each plane is multiplied with itself: five products for wide words instead of nine, three for narrow words instead of
// four.
#pragma once

#include "arith/portable.h"

namespace iqa {

constexpr int64_t wide_limit = int64_t(127) << 24;
constexpr int64_t narrow_limit = int64_t(127) << 16;

// The grid of a metric's options.
struct feature_grid {
    int fraction_bits; // p
    bool wide;

    IQA_HD_MEMBER int64_t limit() const { return wide ? wide_limit : narrow_limit; } // of integers
    IQA_HD_MEMBER double gain() const { return power_of_two(fraction_bits); }
};

constexpr int wide_planes = 5;
constexpr int narrow_planes = 3;
constexpr int wide_digit_bits = 11;
constexpr int narrow_digit_bits = 12;

// The size of digits. The limit is a multiple of the last digit's weight, so that digit is at most the limit over it.
constexpr int64_t wide_digit = 1 << (wide_digit_bits - 1);
constexpr int64_t last_wide_digit = wide_limit >> (2 * wide_digit_bits);
constexpr int64_t narrow_digit = 1 << (narrow_digit_bits - 1);
constexpr int64_t last_narrow_digit = narrow_limit >> narrow_digit_bits;
static_assert(last_wide_digit << (2 * wide_digit_bits) == wide_limit);
static_assert(last_narrow_digit << narrow_digit_bits == narrow_limit);
static_assert(wide_digit + 2 * wide_digit + 4 * last_wide_digit <= 0x7fff); // the largest plane, of the value at 2

// Rows over which the digits of a product can be summed. The sums of products of planes may wrap; what is found from
// them is below 2^30 (wide) or 2^31 (narrow), of which the second digit, d0 d1' + d1 d0', is the largest.
constexpr int most_rows_wide = int(0x3fffffff / (2 * wide_digit * wide_digit));
constexpr int most_rows_narrow = int(0x7fffffff / (2 * narrow_digit * last_narrow_digit));
static_assert(wide_digit * wide_digit + 2 * wide_digit * last_wide_digit <= 2 * wide_digit * wide_digit); // the third
static_assert(narrow_digit * narrow_digit <= 2 * narrow_digit * last_narrow_digit);                       // the first

// Ties to even for |value| < 2^51, in the mode that results are defined in; larger values, infinities and NaN stay
// outside every limit.
IQA_HD double to_grid(double value, double gain)
{
    const double shift = 0x1.8p52;
    return (value * gain + shift) - shift;
}

IQA_HD bool within(double grid_value, int64_t limit)
{
    return __builtin_fabs(grid_value) <= double(limit);
}

// The rounding error of a feature, x 2^p - q, in units of 2^-24: at most `rest_limit` in size, and exact for any float
// whose q is not 0. A feature other than 0 whose q is 0 has a rest of at least one unit, however small it is.
constexpr int rest_bits = 24;
constexpr int64_t rest_limit = int64_t(1) << (rest_bits - 1);

IQA_HD int32_t rest_of(double value, double gain, double grid_value)
{
    const double rest = to_grid(value * gain - grid_value, double(1 << rest_bits));
    const bool vanished = rest == 0.0 && grid_value == 0.0 && value != 0.0;
    return int32_t(vanished ? 1.0 : rest);
}

// The lowest balanced digit of q, in [-2^(bits - 1), 2^(bits - 1)).
IQA_HD int32_t low_digit(int32_t q, int bits)
{
    const int32_t half = 1 << (bits - 1);
    return int32_t((uint32_t(q) + uint32_t(half)) & ((1u << bits) - 1u)) - half;
}

// q less its lowest digit, shifted down. The difference may leave 32 bits by the carry only, which the limits exclude.
IQA_HD int32_t without_low_digit(int32_t q, int bits)
{
    return (q - low_digit(q, bits)) >> bits;
}

IQA_HD void split_wide(int32_t q, int32_t *planes)
{
    const int32_t d0 = low_digit(q, wide_digit_bits);
    const int32_t rest = without_low_digit(q, wide_digit_bits);
    const int32_t d1 = low_digit(rest, wide_digit_bits);
    const int32_t d2 = without_low_digit(rest, wide_digit_bits);
    planes[0] = d0;
    planes[1] = d2;
    planes[2] = d0 + d2 + d1;
    planes[3] = d0 + d2 - d1;
    planes[4] = d0 + 2 * d1 + 4 * d2;
}

IQA_HD void split_narrow(int32_t q, int32_t *planes)
{
    const int32_t d0 = low_digit(q, narrow_digit_bits);
    const int32_t d1 = without_low_digit(q, narrow_digit_bits);
    planes[0] = d0;
    planes[1] = d1;
    planes[2] = d0 + d1;
}

// On a GPU q is cut into balanced digits of 8 bits, q = s0 + s1 2^8 + s2 2^16 + s3 2^24, for the tensor cores. Each is
// in -128 ... 127, and the last at most 127 in size. Narrow words have three.
constexpr int wide_slices = 4;
constexpr int narrow_slices = 3;

// Rows whose products fit an int32: of one weight there are at most four, two of them with a last digit.
constexpr int most_rows_sliced = 1 << 15;
static_assert(most_rows_sliced * (2 * int64_t(128) * 128 + 2 * int64_t(128) * 127) <= 0x7fffffff);

// The slices as the bytes of a word, s0 lowest.
IQA_HD uint32_t slices_of(int32_t q)
{
    return (uint32_t(q) + 0x808080u) ^ 0x808080u;
}

// q of a feature within the limit: to_grid() as an integer. `gain` is a power of two, so the product of a float is
// exact in float unless it is far below 1/2.
IQA_HD int32_t grid_integer(float value, double gain)
{
#if defined(__CUDA_ARCH__)
    return __float2int_rn(value * float(gain));
#else
    return int32_t(to_grid(double(value), gain));
#endif
}

IQA_HD int32_t grid_integer(double value, double gain)
{
    return int32_t(round_to_integer(value * gain));
}

} // namespace iqa
