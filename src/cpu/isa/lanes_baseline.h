// SPDX-License-Identifier: MIT
// The lane types of any machine: one lane. They define the operations: the other instruction sets do the same to many
// pixels at once, in the same order.
#pragma once

#include "arith/comparison.h"
#include "arith/portable.h"
#include "arith/ssim.h"
#include "arith/ssim_doubt.h"

namespace iqa::baseline {

template <class Real>
struct lanes {
    static constexpr int width = 1;
    static constexpr int rows_at_once = 1;
    // Filters the pixels that follow before it finishes those before: the divisions of these would fill the queues of
    // processors, but it takes registers.
    static constexpr bool filters_ahead = false;
    using real = Real;

    Real value;

    static lanes broadcast(Real v) { return {v}; }
    // The same, again at each use: compilers keep more constants than there are registers, and fetch each whole from
    // memory for every operand.
    static lanes broadcast_here(const Real &v) { return {v}; }
    static lanes load(const Real *from) { return {*from}; }
    template <int offset>
    static lanes load_beyond(const Real *map)
    {
        return {map[offset]};
    }
    void store(Real *to) const { *to = value; }

    friend lanes operator+(lanes a, lanes b) { return {a.value + b.value}; }
    friend lanes operator-(lanes a, lanes b) { return {a.value - b.value}; }
    friend lanes operator*(lanes a, lanes b) { return {a.value * b.value}; }
    friend lanes operator/(lanes a, lanes b) { return {a.value / b.value}; }
    friend lanes fused_multiply_add(lanes a, lanes b, lanes c)
    {
        return {iqa::fused_multiply_add(a.value, b.value, c.value)};
    }
    friend lanes fused_negative_multiply_add(lanes a, lanes b, lanes c)
    {
        return {iqa::fused_negative_multiply_add(a.value, b.value, c.value)};
    }
    friend lanes clamp_to_zero(lanes a) { return {iqa::clamp_to_zero(a.value)}; }
    friend lanes ratio_or_one(lanes a, lanes b) { return {iqa::ratio_or_one(a.value, b.value)}; }
    friend lanes inverse_or_zero(lanes a) { return {iqa::inverse_or_zero(a.value)}; }
};

// Sums SSIM values on their fixed grid, and records NaN.
template <class Real>
struct fixed_sum {
    uint64_t sum = 0; // NaN contributes arbitrary bits
    bool nan = false;

    void add(lanes<Real> v, int)
    {
        nan = nan || v.value != v.value;
        sum += uint64_t(ssim_fixed(v.value));
    }
    int64_t total() const { return int64_t(sum); }
    bool any_nan() const { return nan; }
};

// The same for values times their pixels' weights, which are whole numbers from 0 to 2^pixel_weight_bits, and the sum
// of the weights. A value whose weight is 0 may be anything. Wider sets' hold for ssim_rows_at_once rows of a tile.
template <class Real>
struct weighted_sum {
    int128 sum = 0; // NaN contributes arbitrary bits
    int64_t weights = 0;
    bool nan = false;

    void add(lanes<Real> v, lanes<Real> weight)
    {
        nan = nan || (v.value != v.value && weight.value != Real(0));
        sum += int128(ssim_fixed(v.value)) * int64_t(weight.value);
        weights += int64_t(weight.value);
    }
    int128 total() const { return sum; }
    int64_t weight() const { return weights; }
    bool any_nan() const { return nan; }
};

using lanes_float = lanes<float>;
using lanes_double = lanes<double>;

// The value where a and b compare so; else 0.
template <comparison relation, class Real>
inline lanes<Real> keep_if(lanes<Real> value, lanes<Real> a, lanes<Real> b)
{
    const bool kept = relation == comparison::unequal   ? a.value != b.value
                      : relation == comparison::greater ? a.value > b.value
                                                        : a.value >= b.value;
    return {kept ? value.value : Real(0)};
}

inline lanes_float magnitude(lanes_float a)
{
    return {iqa::magnitude(a.value)};
}
// The larger of both; `least` if the value is NaN.
inline lanes_float at_least(lanes_float value, lanes_float least)
{
    return {iqa::at_least(value.value, least.value)};
}
// The first `count` lanes; the others become 0.
template <class Real>
inline lanes<Real> first_lanes(lanes<Real> value, int)
{
    return value;
}
// The nearest integers, ties to even.
template <class Real>
inline lanes<Real> nearest_integers(lanes<Real> value)
{
    return {Real(nearest_integer(double(value.value)))};
}

// Adds each lane's doubt to that lane's sum of its kind.
inline void add_doubt(lanes_float doubt, int32_t *sums)
{
    sums[doubt_kind(doubt.value)] += doubt_units(doubt.value);
}

inline lanes_double load_as_double(const float *from)
{
    return {double(*from)};
}
inline lanes_double load_as_double(const double *from)
{
    return {*from};
}
inline lanes_double magnitude(lanes_double a)
{
    return {__builtin_fabs(a.value)};
}
// A NaN in `a` is lost; callers detect it otherwise.
inline lanes_double smaller(lanes_double a, lanes_double b)
{
    return {a.value < b.value ? a.value : b.value};
}
inline lanes_double larger(lanes_double a, lanes_double b)
{
    return {a.value > b.value ? a.value : b.value};
}

// The sum of squared differences of 16-bit samples. Wider sets' holds unless two of a pair are 2^15 or more apart.
struct sum_of_near_squares {
    static constexpr int width = 1;

    uint64_t sum = 0;

    template <class Sample>
    void add(const Sample *x, const Sample *y)
    {
        const uint32_t difference = uint32_t(*x > *y ? *x - *y : *y - *x);
        sum += difference * difference;
    }
    bool holds() const { return true; }
    int64_t total() const { return int64_t(sum); }
};

// The sum of squared differences of 2^16 bytes or fewer.
struct sum_of_byte_squares {
    static constexpr int width = 1;

    uint32_t sum = 0;

    void add(const uint8_t *x, const uint8_t *y)
    {
        const auto difference = int16_t(*x - *y);
        sum += uint32_t(int32_t(difference) * int32_t(difference));
    }
    uint32_t total() const { return sum; }
};

// The bits of float32 samples, as integers without a sign.
struct lanes_bits {
    static constexpr int width = 1;

    uint32_t value;

    static lanes_bits broadcast(uint32_t v) { return {v}; }
    static lanes_bits load(const float *from) { return {bits_of(*from)}; }
    void store(uint32_t *to) const { *to = value; }

    friend lanes_bits operator+(lanes_bits a, lanes_bits b) { return {a.value + b.value}; }
    friend lanes_bits smaller(lanes_bits a, lanes_bits b) { return {a.value < b.value ? a.value : b.value}; }
    friend lanes_bits larger(lanes_bits a, lanes_bits b) { return {a.value > b.value ? a.value : b.value}; }
};

// Integer sums of the low bits of anchored doubles: whole bit patterns are added, and total() subtracts the anchors,
// modulo 2^64.
struct integer_sum {
    uint64_t sum = 0;

    void add_bits(lanes_double anchored) { sum += bits_of(anchored.value); }
    int128 total(int64_t additions, double anchor) const
    {
        return int64_t(sum - uint64_t(additions) * bits_of(anchor));
    }
};

// Words of rows of a matrix: each of the vector's parts has `words` words of one row.
template <class Word>
struct lanes_of_rows {
    static constexpr int words = 1;
    static constexpr int parts = 1;

    Word value;

    static lanes_of_rows load(const Word *from, int64_t) { return {*from}; }
    void store(Word *to) const { *to = value; }
};

// Bytes, for operations between vectors and their comparisons, which give -1 for true.
typedef int8_t lanes_bytes __attribute__((vector_size(16)));

// Bit k tells whether a[k] and b[k] differ, of 64 codes.
template <class Code>
inline uint64_t unequal(const Code *a, const Code *b)
{
    uint8_t differ[64];
    for (int k = 0; k < 64; ++k)
        differ[k] = a[k] != b[k] ? 0xff : 0;
    constexpr uint8_t bits[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    uint64_t bits_of_bytes;
    __builtin_memcpy(&bits_of_bytes, bits, sizeof bits);
    uint64_t result = 0;
    for (int k = 0; k < 64; k += 8) {
        uint64_t bytes;
        __builtin_memcpy(&bytes, differ + k, sizeof bytes);
        result |= (bytes & bits_of_bytes) * 0x0101010101010101 >> 56 << k; // the sum of the bytes, in any order of them
    }
    return result;
}

} // namespace iqa::baseline
