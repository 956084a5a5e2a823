// SPDX-License-Identifier: MIT
// Sums of products of grid features as exact integers, and the covariance that follows from them.
// A sum of q_i q_j over rows is kept as two int64 words, low + high 2^32 with low in [0, 2^32): up to 2^32 rows fit,
// and up to 2^31 states may be added word by word before carry().
#pragma once

#include "arith/feature_grid.h"

namespace iqa {

constexpr int64_t most_rows_of_a_state = int64_t(1) << 31;

struct moment_words {
    int64_t low;
    int64_t high;
};

// The moments of one set among the lanes of a state: rows, sums[D], then (low, high) of sum q_i q_j for
// i = 0 ... D - 1, j = 0 ... i, and last, for each feature, (low, high) of the sums of its rests and of their squares.
struct moment_lanes {
    int64_t *lanes;
    int64_t features;

    static constexpr int64_t count_without_rests(int64_t features) { return 1 + features + features * (features + 1); }
    static constexpr int64_t count(int64_t features) { return count_without_rests(features) + 4 * features; }

    IQA_HD_MEMBER int64_t &rows() const { return lanes[0]; }
    IQA_HD_MEMBER int64_t *sums() const { return lanes + 1; }
    IQA_HD_MEMBER int64_t *words(int64_t i, int64_t j) const { return lanes + 1 + features + i * (i + 1) + 2 * j; }
    IQA_HD_MEMBER int64_t *rest_sum(int64_t i) const { return lanes + count_without_rests(features) + 4 * i; }
    IQA_HD_MEMBER int64_t *rest_squares(int64_t i) const { return rest_sum(i) + 2; }
};

IQA_HD moment_words carry(moment_words words)
{
    return {words.low & 0xffffffff, words.high + (words.low >> 32)};
}

// Adds to the two words of a state, with the carry.
IQA_HD void add_carried(int64_t *state, moment_words words)
{
    const moment_words sum = carry({state[0] + words.low, state[1] + words.high});
    state[0] = sum.low;
    state[1] = sum.high;
}

IQA_HD int128 value_of(moment_words words)
{
    return int128(words.high) * (int128(1) << 32) + words.low; // below 2^96
}

IQA_HD int128 value_at(const int64_t *words)
{
    return value_of(moment_words{words[0], words[1]});
}

// The integer from -2^30 to 2^30 - 1 that is `value` modulo 2^31.
IQA_HD int32_t signed_of_31_bits(uint32_t value)
{
    return int32_t(value << 1) >> 1;
}

// From the sums, modulo 2^32, of the products of wide planes over one block of rows. A product is
// c0 + c1 2^11 + c2 2^22 + c3 2^33 + c4 2^44; the polynomial of these has the values p0 = c0 at 0, p1 = c4 at infinity,
// p2 at 1, p3 at -1 and p4 at 2. Halves are known modulo 2^31, where 3 has an inverse; sums of each c are below 2^30 in
// size.
IQA_HD moment_words from_wide_planes(uint32_t p0, uint32_t p1, uint32_t p2, uint32_t p3, uint32_t p4)
{
    constexpr uint32_t third = 0xaaaaaaab;
    static_assert(third * 3 == 1);
    const uint32_t odd = (p2 - p3) >> 1; // c1 + c3
    const uint32_t c2 = ((p2 + p3) >> 1) - p0 - p1;
    const uint32_t c3 = (((p4 - p0 - 4 * c2 - 16 * p1) >> 1) - odd) * third; // (c1 + 4 c3) less (c1 + c3)
    const uint32_t c1 = odd - c3;
    return {int32_t(p0) + int64_t(signed_of_31_bits(c1)) * (1 << 11) + int64_t(signed_of_31_bits(c2)) * (1 << 22),
            int64_t(signed_of_31_bits(c3)) * 2 + int64_t(int32_t(p1)) * (1 << 12)};
}

IQA_HD moment_words from_narrow_planes(int32_t p0, int32_t p1, int32_t p2)
{
    const int32_t weight_12 = int32_t(uint32_t(p2) - uint32_t(p0) - uint32_t(p1));
    return {p0 + int64_t(weight_12) * (1 << 12) + int64_t(p1) * (1 << 24), 0};
}

// sums[w]: the sum of the products s_a s_b of slices with a + b = w, of 7 weights for wide words and 5 for narrow ones.
template <int Weights>
IQA_HD moment_words from_slices(const int32_t (&sums)[Weights])
{
    moment_words words = {};
    for (int weight = 0; weight < 4; ++weight)
        words.low += sums[weight] * (int64_t(1) << (8 * weight));
    for (int weight = 4; weight < Weights; ++weight)
        words.high += sums[weight] * (int64_t(1) << (8 * weight - 32));
    return carry(words);
}

// Ties to even, as a CPU compiler converts.
IQA_HD double nearest_double(int128 value)
{
    const uint128 magnitude = value < 0 ? -uint128(value) : uint128(value);
    const uint64_t high = uint64_t(magnitude >> 64);
    if (high == 0)
        return value < 0 ? -double(uint64_t(magnitude)) : double(uint64_t(magnitude));
    // The 64 highest bits; one sticky bit stands for all bits below.
    const int shift = 64 - __builtin_clzll(high);
    const uint64_t top = uint64_t(magnitude >> shift);
    const uint64_t rest = (magnitude & ((uint128(1) << shift) - 1)) != 0 ? 1 : 0;
    const double result = double(top | rest) * power_of_two(shift);
    return value < 0 ? -result : result;
}

// (n sum q_i q_j - sum q_i sum q_j) / (n (n - 1)): the numerator is exact (|q| < 2^31 and n <= 2^31 keep it below
// 2^125), so there are two roundings, of the numerator and of the quotient; n (n - 1) is exact up to 94,906,266 rows.
// `unit` is 2^(-2p).
IQA_HD double covariance(int64_t rows, moment_words product, int64_t sum_i, int64_t sum_j, double unit)
{
    const int128 numerator = rows * value_of(product) - int128(sum_i) * sum_j;
    const double denominator = double(uint64_t(rows) * uint64_t(rows - 1));
    return nearest_double(numerator) / denominator * unit;
}

// The whole part apart from the fraction: exact for a quotient that is an integer.
IQA_HD double quotient(int128 numerator, uint64_t denominator)
{
    const int128 whole = numerator / int128(denominator);
    const int128 rest = numerator % int128(denominator);
    return double(whole) + double(rest) / double(denominator);
}

IQA_HD double covariance(const moment_lanes &moments, int64_t i, int64_t j, double unit)
{
    const int64_t *const words = moments.words(i, j);
    return covariance(moments.rows(), {words[0], words[1]}, moments.sums()[i], moments.sums()[j], unit);
}

// `unit` is 2^-p.
IQA_HD double mean(int64_t rows, int64_t sum, double unit)
{
    return quotient(sum, uint64_t(rows)) * unit;
}

// The mean of one set less that of another. Both cancel as integers, before the first rounding.
IQA_HD double mean_difference(int64_t rows, int64_t sum, int64_t other_rows, int64_t other_sum, double unit)
{
    if (rows == other_rows)
        return quotient(int128(sum) - other_sum, uint64_t(rows)) * unit;
    return quotient(int128(sum) * other_rows - int128(other_sum) * rows, uint64_t(rows) * uint64_t(other_rows)) * unit;
}

} // namespace iqa
