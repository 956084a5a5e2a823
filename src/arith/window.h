// SPDX-License-Identifier: MIT
// Window taps along one axis. Windows are separable and symmetric; their taps sum to 1.
#pragma once

#include "arith/elementary.h"

namespace iqa {

// Taps of a Gaussian, exp(-i^2 / (2 sigma^2)) over i = -radius ... radius, divided by their sum.
IQA_HD void gaussian_taps(double sigma, int size, double *taps)
{
    const int radius = size / 2;
    for (int i = 0; i <= radius; ++i) {
        const double distance = double(i - radius) / sigma;
        taps[i] = taps[size - 1 - i] = exponential(-0.5 * distance * distance);
    }
    double sum = 0.0;
    for (int i = 0; i < size; ++i)
        sum += taps[i];
    for (int i = 0; i < size; ++i)
        taps[i] /= sum;
}

IQA_HD void uniform_taps(int size, double *taps)
{
    for (int i = 0; i < size; ++i)
        taps[i] = 1.0 / double(size);
}

// Rounds taps to the type of the filter. The centre tap takes up the rounding errors, so the sum stays 1, and the mean
// of a constant is the constant to within its last bit.
template <class Real>
IQA_HD void round_taps(const double *taps, int size, Real *rounded)
{
    double others = 0.0;
    for (int i = 0; i < size; ++i) {
        rounded[i] = Real(taps[i]);
        if (i != size / 2)
            others += double(rounded[i]);
    }
    rounded[size / 2] = Real(1.0 - others);
}

} // namespace iqa
