// SPDX-License-Identifier: MIT
// The data range's bounds in another type. Comparing a sample of that type with them gives the same result as in
// double.
#pragma once

#include <cmath>
#include <limits>

#include "cuda/images/samples.h"

namespace iqa::cuda {

template <class Real>
Real least_at_or_above(double value)
{
    const Real rounded = Real(value);
    return double(rounded) < value ? std::nextafter(rounded, std::numeric_limits<Real>::infinity()) : rounded;
}

template <class Real>
Real most_at_or_below(double value)
{
    const Real rounded = Real(value);
    return double(rounded) > value ? std::nextafter(rounded, -std::numeric_limits<Real>::infinity()) : rounded;
}

inline sample_bounds bounds_of(data_range range)
{
    return {range, least_at_or_above<float>(range.low), most_at_or_below<float>(range.high)};
}

} // namespace iqa::cuda
