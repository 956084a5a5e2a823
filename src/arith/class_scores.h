// SPDX-License-Identifier: MIT
// The Inception Score of one row of class scores, and sums over rows as integers, which have no order.
#pragma once

#include "arith/elementary.h"

namespace iqa {

// The first row of a split; its last row is the one before the first row of the next split.
IQA_HD int64_t first_row_of_split(int64_t split, int64_t splits, int64_t rows)
{
    return split * rows / splits;
}

// Probabilities and entropies, below 2^6, are rounded to multiples of 2^-80: sums of all rows fit 128 bits.
constexpr double score_units = 0x1p80;
constexpr double score_unit = 0x1p-80;

IQA_HD int128 in_score_units(double value)
{
    return int128(value * score_units);
}

// A probability in the same units as high * 2^40 + low, in operations that a compiler turns into lanes. Sums of 2^22
// fit 64 bits.
struct score_parts {
    int64_t high, low;
};
constexpr int score_low_bits = 40;
constexpr int64_t most_score_parts = int64_t(1) << 22;

IQA_HD score_parts in_score_parts(double probability)
{
    constexpr double gain = 0x1p40;
    const double scaled = probability * gain;
    const double high = whole_part(scaled);
    return {round_to_integer(high), round_to_integer(whole_part((scaled - high) * gain))};
}

// The weights of a softmax are e^(z - max). With x = z - max, sum p log p = sum p x - log sum.
IQA_HD double softmax_exponent(double score, double largest)
{
    const double exponent = score - largest;
    return exponent > lowest_exponent ? exponent : lowest_exponent;
}

IQA_HD double negative_entropy_of_softmax(double weighted_exponents, double weights)
{
    return weighted_exponents / weights - quick_logarithm(weights);
}

// The sum of a row of probabilities may differ from 1 by this much: 16-bit numbers lose as much.
constexpr double sum_tolerance = 1e-3;

IQA_HD bool is_sum_of_probabilities(double sum)
{
    return __builtin_fabs(sum - 1.0) <= sum_tolerance;
}

// p log p. Below `least_probability` its logarithm is used: the product is far below the unit.
IQA_HD_LOOP double negative_entropy_term(double p)
{
    constexpr double least_probability = 1e-300;
    return p * quick_logarithm(p > least_probability ? p : least_probability);
}

} // namespace iqa
