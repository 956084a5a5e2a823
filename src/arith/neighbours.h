// SPDX-License-Identifier: MIT
// Distances of rows of features as exact integers, for precision, recall, density and coverage. A feature x is rounded
// once to q = x 2^p, ties to even, with one p for both sets: the largest for which the longest row stays below 2^25. So
// a row's square is at most 2^51 (2^25 plus what rounding adds, at most sqrt(D) / 2), a dot product is not larger
// (Cauchy and Schwarz, also for each of its partial sums), and the square of a distance is at most 2^53: float64 holds
// all of them exactly, in whatever order they are summed.
#pragma once

#include "arith/feature_grid.h"
#include "arith/random_order.h"

namespace iqa {

// p from the largest dot product of a row with itself.
IQA_HD int neighbour_fraction_bits(double largest)
{
    constexpr int bits_of_square = 50;
    return largest > 0.0 ? (bits_of_square - 1 - exponent_of(largest)) >> 1 : 0;
}

// What is known of a row by itself, in units of the grid.
struct row_measures {
    double square;      // of its integers, exactly
    double rest_square; // of what rounding left of them
    uint64_t signature; // of its features as they were: equal rows have equal ones

    // In ascending order of columns.
    IQA_HD_MEMBER void add(int64_t column, double feature, double gain)
    {
        const double q = to_grid(feature, gain);
        const double rest = feature * gain - q;
        square += q * q;
        rest_square += rest * rest;
        signature += split_mix(bits_of(feature + 0.0), uint64_t(column)); // + 0.0: both zeros are one
    }
};

// The square of the distance of two rows from their squares and their product. `first` may have a number added to it.
IQA_HD double square_of_distance(double first, double second, double product)
{
    return (first + second) - 2.0 * product;
}

// How often rows of the second set, the candidate, and of the first lie in balls of the other set.
struct ball_counts {
    int64_t precise;  // rows of the second set in any ball of the first
    int64_t recalled; // rows of the first set in any ball of the second
    int64_t covered;  // balls of the first set with any row of the second
    int64_t pairs;    // a ball of the first set and a row of the second in it
};

// Rounding decides too much about a row whose distance to its neighbour is below so many times its rest.
constexpr double least_radius_of_rests = 256.0;

IQA_HD bool is_blurred(double square_of_radius, double rest_square)
{
    return square_of_radius < least_radius_of_rests * least_radius_of_rests * rest_square;
}

} // namespace iqa
