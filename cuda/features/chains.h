// SPDX-License-Identifier: MIT
// Chains of float64 operations in the order of arith/trace_order.h. Values are read in batches, before the part of the
// chain that needs them: memory is far away, and the chain waits for itself long enough.
#pragma once

#include "arith/trace_order.h"
#include "cuda/machine/block.h"

namespace iqa::cuda {

// Calls read(i, place) for a batch of i = 0 ... count - 1, then use(i, place) for each of them in ascending order; and
// so on. place: which of the batch's values.
template <int Batch, class Read, class Use>
IQA_KERNEL int in_whole_batches(int first, int count, Read &&read, Use &&use)
{
    for (; first + Batch <= count; first += Batch) {
        IQA_UNROLL_ON_GPU
        for (int place = 0; place < Batch; ++place)
            read(first + place, place);
        IQA_UNROLL_ON_GPU
        for (int place = 0; place < Batch; ++place)
            use(first + place, place);
    }
    return first;
}

constexpr int values_ahead = 16;

template <class Read, class Use>
IQA_KERNEL void in_batches(int count, Read &&read, Use &&use)
{
    const int of_sixteen = in_whole_batches<values_ahead>(0, count, read, use);
    const int of_four = in_whole_batches<4>(of_sixteen, count, read, use);
    in_whole_batches<1>(of_four, count, read, use);
}

// value = value + sign (a[0] c[0] + a[stride] c[1] + ...), term by term.
IQA_KERNEL double add_combination(double value, const double *a, int64_t stride, double sign,
                                  const double *coefficients, int count)
{
    double ahead[values_ahead];
    in_batches(
        count, [&](int t, int place) { ahead[place] = a[t * stride]; },
        [&](int t, int place) { value = fused_multiply_add(ahead[place], sign * coefficients[t], value); });
    return value;
}

// value = value - basis[0] c[0] - basis[stride] c[1] - ...
IQA_KERNEL double subtract_combination(double value, const double *basis, int64_t stride, const double *coefficients,
                                       int count)
{
    return add_combination(value, basis, stride, -1.0, coefficients, count);
}

// values[0] + values[stride] + ..., in this order.
IQA_KERNEL double sum_of_values(const double *values, int64_t stride, int count)
{
    double sum = 0.0;
    double ahead[values_ahead];
    in_batches(
        count, [&](int t, int place) { ahead[place] = values[t * stride]; },
        [&](int, int place) { sum += ahead[place]; });
    return sum;
}

// One partial sum of a dot product of `length` elements, a multiple of dot_lanes.
IQA_KERNEL double lane_of_dot(const double *a, const double *b, int64_t length, int lane)
{
    double sum = 0.0;
    double left[values_ahead];
    double right[values_ahead];
    in_batches(
        int(length / dot_lanes),
        [&](int step, int place) {
            left[place] = a[int64_t(step) * dot_lanes + lane];
            right[place] = b[int64_t(step) * dot_lanes + lane];
        },
        [&](int, int place) { sum = fused_multiply_add(left[place], right[place], sum); });
    return sum;
}

} // namespace iqa::cuda
