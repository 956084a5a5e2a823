// SPDX-License-Identifier: MIT
// The data range's bounds in another type. Comparing a sample of that type with them gives the same result as in
// double.
#pragma once

#include <cmath>
#include <limits>

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

} // namespace iqa::cuda
