// SPDX-License-Identifier: MIT
// Chains of float64 operations in the order of arith/trace_order.h. Values are read some at a time, before the chain
// that needs them: memory is far away, and the chain waits for itself long enough.
#pragma once

#include "arith/trace_order.h"
#include "cuda/block.h"

namespace iqa::cuda {

constexpr int values_ahead = 16;

// value = value - basis[0] c[0] - basis[stride] c[1] - ...
IQA_KERNEL double subtract_combination(double value, const double *basis, int64_t stride, const double *coefficients,
                                       int count)
{
    for (int first = 0; first < count; first += values_ahead) {
        double ahead[values_ahead];
        for (int t = 0; t < values_ahead; ++t)
            ahead[t] = first + t < count ? basis[(first + t) * stride] : 0.0;
        for (int t = 0; t < values_ahead; ++t)
            if (first + t < count)
                value = fused_multiply_add(ahead[t], -coefficients[first + t], value);
    }
    return value;
}

// value = value + a[0] c[0] + a[stride] c[1] + ...
IQA_KERNEL double add_combination(double value, const double *a, int64_t stride, const double *coefficients, int count)
{
    for (int first = 0; first < count; first += values_ahead) {
        double ahead[values_ahead];
        for (int t = 0; t < values_ahead; ++t)
            ahead[t] = first + t < count ? a[(first + t) * stride] : 0.0;
        for (int t = 0; t < values_ahead; ++t)
            if (first + t < count)
                value = fused_multiply_add(ahead[t], coefficients[first + t], value);
    }
    return value;
}

// One partial sum of a dot product of `length` elements, a multiple of dot_lanes.
IQA_KERNEL double lane_of_dot(const double *a, const double *b, int64_t length, int lane)
{
    double sum = 0.0;
    for (int64_t first = lane; first < length; first += values_ahead * dot_lanes) {
        double left[values_ahead];
        double right[values_ahead];
        for (int m = 0; m < values_ahead; ++m) {
            const int64_t at = first + m * dot_lanes;
            left[m] = at < length ? a[at] : 0.0;
            right[m] = at < length ? b[at] : 0.0;
        }
        for (int m = 0; m < values_ahead; ++m)
            if (first + m * dot_lanes < length)
                sum = fused_multiply_add(left[m], right[m], sum);
    }
    return sum;
}

} // namespace iqa::cuda
