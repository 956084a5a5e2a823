// SPDX-License-Identifier: MIT
// Sums that no order can change: a fixed-point number as base-2^32 digits in int64 lanes, least significant first.
// Adding two of them lane by lane is exact, so the lanes of up to 2^31 states may be summed in any order before the
// carries are passed on. Canonical form: every digit in [0, 2^32) but the last, which has the sign.
#pragma once

#include "arith/portable.h"

namespace iqa {

// A fixed-point format: `digits` lanes, the lowest worth 2^lowest.
struct exact_format {
    int digits;
    int lowest;
};

// Values in [-1, 1], rounded once to 2^-80 (SSIM of an image).
constexpr exact_format unit_format = {3, -80};
// Decibels, rounded once to 2^-64.
constexpr exact_format decibel_format = {4, -64};
// Sums of weights of pixels, exactly.
constexpr exact_format pixel_weight_format = {3, -24};
// Any doubles, and their products with weights of pixels, exactly.
constexpr exact_format real_format = {74, -1216};
// Squares of any doubles, exactly.
constexpr exact_format square_format = {136, -2272};

IQA_HD void exact_carry(exact_format format, int64_t *lanes)
{
    int64_t carry = 0;
    for (int i = 0; i < format.digits - 1; ++i) {
        const int64_t digit = lanes[i] + carry; // |lane| < 2^63 - 2^32 for up to 2^31 - 1 summed states
        carry = digit >> 32;
        lanes[i] = digit & 0xffffffff;
    }
    lanes[format.digits - 1] += carry;
}

// Adds an integer to a lane; many threads of a device may do so in any order.
IQA_HD void add_to_lane(int64_t *lane, int64_t value)
{
#if defined(__CUDA_ARCH__)
    if (value != 0)
        atomicAdd(reinterpret_cast<unsigned long long *>(lane), static_cast<unsigned long long>(value));
#else
    *lane += value;
#endif
}

// Calls add(digit, value) for the digits of mantissa * 2^exponent, which must lie inside the format.
template <class Add>
IQA_HD void for_each_digit(exact_format format, int128 mantissa, int exponent, Add &&add)
{
    const int position = exponent - format.lowest;
    const int shift = position & 31;
    int digit = position >> 5;
    // Five digits hold a shifted int128: the low four as they are, the last one signed.
    const uint128 low = uint128(mantissa) << shift;
    const int64_t high = shift ? int64_t(mantissa >> (128 - shift)) : (mantissa < 0 ? -1 : 0);
    for (int i = 0; i < 4 && digit < format.digits; ++i, ++digit) {
        const bool last = digit == format.digits - 1;
        add(digit, last ? int64_t(int128(low) >> (32 * i)) : int64_t(uint32_t(low >> (32 * i))));
    }
    if (digit < format.digits)
        add(digit, high);
}

// Adds mantissa * 2^exponent to lanes that other threads of a device may add to: up to 2^31 such additions before the
// carries are passed on.
IQA_HD void add_digits(exact_format format, int64_t *lanes, int128 mantissa, int exponent)
{
    for_each_digit(format, mantissa, exponent,
                   [lanes](int digit, int64_t value) { add_to_lane(&lanes[digit], value); });
}

IQA_HD void exact_add(exact_format format, int64_t *lanes, int128 mantissa, int exponent)
{
    for_each_digit(format, mantissa, exponent, [lanes](int digit, int64_t value) { lanes[digit] += value; });
    exact_carry(format, lanes);
}

// A number as mantissa * 2^exponent with the mantissa in +-[1, 2), or 0: its exponent has no limits.
struct scaled_value {
    double mantissa;
    int exponent;
};

// The value of canonical lanes, rounded to 53 bits, ties to even. `most_digits`: at least those of the format.
template <int most_digits = square_format.digits>
IQA_HD scaled_value exact_value(exact_format format, const int64_t *lanes)
{
    // Digits of a number that is not negative are its magnitude already.
    const bool negative = lanes[format.digits - 1] < 0;
    int64_t opposite[most_digits];
    const int64_t *magnitude = lanes;
    if (negative) {
        for (int i = 0; i < format.digits; ++i)
            opposite[i] = -lanes[i];
        exact_carry(format, opposite);
        magnitude = opposite;
    }

    int lowest = format.digits - 1;
    while (lowest >= 0 && magnitude[lowest] == 0)
        --lowest;
    if (lowest < 0)
        return {0.0, 0};
    uint128 head = uint128(magnitude[lowest]);
    for (int taken = 0; taken < 2 && lowest > 0; ++taken)
        head = head << 32 | uint128(magnitude[--lowest]);
    int64_t rest = 0;
    for (int i = 0; i < lowest; ++i)
        rest |= magnitude[i];
    bool sticky = rest != 0;

    // Keep 54 bits: 53, and one more that decides the rounding.
    int exponent = format.lowest + 32 * lowest;
    for (int step = 64; step > 0; step /= 2)
        if (head >> 53 >> step != 0) {
            sticky = sticky || (head & ((uint128(1) << step) - 1)) != 0;
            head >>= step;
            exponent += step;
        }
    for (int step = 32; step > 0; step /= 2)
        if (head >> (54 - step) == 0) {
            head <<= step;
            exponent -= step;
        }
    uint64_t kept = uint64_t(head) >> 1;
    if ((head & 1) && (sticky || (kept & 1)))
        ++kept;
    const double mantissa = double(kept) * 0x1p-52 * (negative ? -1.0 : 1.0);
    const bool carried = kept >> 53 != 0;
    return {carried ? mantissa * 0.5 : mantissa, exponent + 53 + (carried ? 1 : 0)};
}

// The value as a double, rounded again only if subnormal; infinite or 0 beyond the range of doubles.
IQA_HD double to_double(scaled_value value)
{
    return __builtin_ldexp(value.mantissa, value.exponent);
}

} // namespace iqa
