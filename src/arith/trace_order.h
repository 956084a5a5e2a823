// SPDX-License-Identifier: MIT
// The order of every sum in FID's trace term: the same on all devices, whatever their registers and threads.
#pragma once

#include "arith/portable.h"

namespace iqa {

// A dot product has this many partial sums: element i belongs to sum i % dot_lanes.
constexpr int dot_lanes = 16;

// Steps of one chain of fused multiply-adds in a matrix product; a longer product is the sum of such chains, in
// ascending order.
constexpr int chain_depth = 256;

// Columns of a panel: the rest of the matrix is updated once for each panel.
constexpr int cholesky_panel = 64;
constexpr int reflector_panel = 32;
constexpr int most_pairs = 2 * reflector_panel;

// A sum over a column is made of sums over chunks of rows, and x of sums over chunks of columns.
constexpr int64_t row_chunk = 256;
constexpr int64_t column_chunk = 64;

IQA_HD int64_t lanes_down(int64_t index)
{
    return index / dot_lanes * dot_lanes;
}

// The upper half of the partial sums is added to the lower half, until one is left.
IQA_HD double sum_of_lanes(const double *partial)
{
    double sums[dot_lanes];
    for (int i = 0; i < dot_lanes; ++i)
        sums[i] = partial[i];
    for (int half = dot_lanes / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i)
            sums[i] += sums[i + half];
    return sums[0];
}

// A pivot up to this size is rounding noise.
IQA_HD double pivot_noise(int64_t order, double largest)
{
    return double(order) * 0x1p-53 * largest;
}

} // namespace iqa
