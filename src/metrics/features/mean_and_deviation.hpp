// SPDX-License-Identifier: MIT
// Mean and deviation of the values of several subsets or splits.
#pragma once

#include <span>

#include "arith/elementary.h"

namespace iqa {

struct mean_and_deviation {
    double mean, standard_deviation;
};

// Sums in the order of the values. The variance is divided by their number.
inline mean_and_deviation mean_and_deviation_of(std::span<const double> values)
{
    const auto count = double(values.size());
    double_double sum = {0.0, 0.0};
    for (const double value : values)
        sum = add(sum, {value, 0.0});
    const double mean = divide(sum, {count, 0.0}).high;
    double squares = 0.0;
    for (const double value : values)
        squares += (value - mean) * (value - mean);
    return {mean, __builtin_sqrt(squares / count)};
}

} // namespace iqa
