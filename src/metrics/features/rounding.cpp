// SPDX-License-Identifier: MIT
#include "metrics/features/rounding.hpp"

#include <algorithm>

namespace iqa {

namespace {

constexpr double rest_unit = 1.0 / (1 << rest_bits);

double rows_less_one(const moment_lanes &set)
{
    return double(set.rows() - 1);
}

// Sums over all features of a set.
double sum_of_squares(const moment_lanes &set)
{
    int128 sum = 0;
    for (int64_t i = 0; i < set.features; ++i)
        sum += value_at(set.words(i, i));
    return nearest_double(sum);
}

double sum_of_rest_squares(const moment_lanes &set)
{
    int128 sum = 0;
    for (int64_t i = 0; i < set.features; ++i)
        sum += value_at(set.rest_squares(i));
    return nearest_double(sum) * (rest_unit * rest_unit);
}

int64_t rest_sum(const moment_lanes &set, int64_t feature)
{
    return int64_t(value_at(set.rest_sum(feature)));
}

// sqrt(tr cov r), in steps of the grid. If all features round to 0, the rests do not tell constant features from
// others, and count in full.
double deviation_of_rests(const moment_lanes &set)
{
    if (sum_of_squares(set) == 0.0)
        return __builtin_sqrt(sum_of_rest_squares(set) / rows_less_one(set));
    int128 numerator = 0;
    for (int64_t i = 0; i < set.features; ++i) {
        const int128 sum = rest_sum(set, i);
        numerator += set.rows() * value_at(set.rest_squares(i)) - sum * sum;
    }
    const double variance = nearest_double(numerator) / double(set.rows()) / rows_less_one(set);
    return __builtin_sqrt(std::max(variance, 0.0)) * rest_unit;
}

double difference_of_mean_rests(const moment_lanes (&sets)[2])
{
    double sum = 0.0;
    for (int64_t i = 0; i < sets[0].features; ++i) {
        const double difference =
            mean_difference(sets[0].rows(), rest_sum(sets[0], i), sets[1].rows(), rest_sum(sets[1], i), rest_unit);
        sum = fused_multiply_add(difference, difference, sum);
    }
    return __builtin_sqrt(sum);
}

// The error of the square of a number whose error is at most `error`.
double error_of_square(double square, double error)
{
    return error * (2.0 * __builtin_sqrt(std::max(square, 0.0)) + error);
}

} // namespace

double rounding_of_distance(const frechet_terms &parts, const moment_lanes (&sets)[2], double step)
{
    const double without_means = (parts.traces[0] + parts.traces[1]) - 2.0 * parts.trace_term;
    return error_of_square(without_means, step * (deviation_of_rests(sets[0]) + deviation_of_rests(sets[1]))) +
           error_of_square(parts.mean_term, step * difference_of_mean_rests(sets));
}

double rounding_of_trace(const moment_lanes &set, double trace, double step)
{
    return error_of_square(trace, step * deviation_of_rests(set));
}

double rounding_of_mean(const moment_lanes &set)
{
    double sum = 0.0;
    for (int64_t i = 0; i < set.features; ++i) {
        const double rest = mean(set.rows(), rest_sum(set, i), rest_unit);
        sum = fused_multiply_add(rest, rest, sum);
    }
    return sum == 0.0 ? 0.0 : __builtin_sqrt(sum / (sum_of_squares(set) / double(set.rows())));
}

void assume_rests(const moment_lanes &set)
{
    for (int64_t i = 0; i < set.features; ++i)
        add_carried(set.rest_squares(i), {0, set.rows() * (rest_limit * rest_limit >> 32)});
}

int fitting_fraction_bits(const feature_grid &grid, const moment_lanes (&sets)[2])
{
    double largest = 0.0; // of the features' mean squares, in steps
    for (const moment_lanes &set : sets)
        if (set.rows() > 0)
            largest = std::max(largest, (sum_of_squares(set) + sum_of_rest_squares(set)) / double(set.rows()) /
                                            double(set.features));
    const int wanted = grid.wide ? 20 : 17; // bits of a large feature
    return grid.fraction_bits + wanted - (largest > 0.0 ? exponent_of(largest) / 2 : 0);
}

} // namespace iqa
