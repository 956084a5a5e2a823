// SPDX-License-Identifier: MIT
// What the outputs of a network's layers are, one by one, in float32:
//   convolution  one chain sum = fma(weight, sample, sum) from the bias, over the window's rows, its columns and the
//                input's channels; samples beyond the edges are 0
//   rectified    the chain's end if it is above 0, else +0 (NaN stays)
//   maximum      of the window, NaN where a sample is
//   average      the samples of the window that lie inside, summed in double by rows and columns, divided by their
//                number, rounded once
// An output depends on its window and the weights alone: batch, threads, instruction set and device have no say.
#pragma once

#include <stdint.h>

#include "arith/portable.h"

namespace iqa {

// Output channels come in groups of this many: weights are stored as [group][row, column, channel][network_group].
constexpr int network_group = 16;

// Window samples of one axis that lie inside: the divisor of an average is the product over both axes.
IQA_HD int64_t samples_inside(int64_t first, int64_t count, int64_t extent)
{
    const int64_t begin = first < 0 ? 0 : first;
    const int64_t end = first + count < extent ? first + count : extent;
    return end - begin;
}

IQA_HD float rectified(float value)
{
    return value <= 0.0f ? 0.0f : value; // -0 becomes 0
}

// The larger one, the first of equal ones; NaN stays.
IQA_HD float larger_sample(float largest, float sample)
{
    return largest < sample || sample != sample ? sample : largest;
}

// Batch normalisation behind a convolution, y = (x - mean) / sqrt(variance + epsilon) gamma + beta, as a factor of its
// weights and a bias (S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015). Each is rounded to float32 once.
struct batch_normalisation {
    double factor, bias;
};
IQA_HD batch_normalisation fold_normalisation(double gamma, double beta, double mean, double variance, double epsilon)
{
    const double factor = gamma / __builtin_sqrt(variance + epsilon);
    return {factor, beta - mean * factor};
}

} // namespace iqa
