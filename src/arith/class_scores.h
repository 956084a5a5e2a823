// SPDX-License-Identifier: MIT
// What the Inception Score makes of one row of class scores, and its sums as integers, which have no order.
#pragma once

#include "arith/elementary.h"

namespace iqa {

// Split s of S has the rows from this one up to that of split s + 1.
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

// Of a softmax the weights are e^(z - max). With x = z - max, sum p log p = sum p x - log sum.
IQA_HD double softmax_exponent(double score, double largest)
{
    const double exponent = score - largest;
    return exponent > lowest_exponent ? exponent : lowest_exponent;
}

IQA_HD double negative_entropy_of_softmax(double weighted_exponents, double weights)
{
    return weighted_exponents / weights - quick_logarithm(weights);
}

// How far the sum of a row of probabilities may be from 1: 16-bit numbers lose as much.
constexpr double sum_tolerance = 1e-3;

IQA_HD bool is_sum_of_probabilities(double sum)
{
    return __builtin_fabs(sum - 1.0) <= sum_tolerance;
}

// p log p. The logarithm of a smaller probability is taken as this one's: the product is far below the unit.
IQA_HD double negative_entropy_term(double p)
{
    constexpr double least_probability = 1e-300;
    return p * quick_logarithm(p > least_probability ? p : least_probability);
}

} // namespace iqa
