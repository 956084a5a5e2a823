// SPDX-License-Identifier: MIT
// Chains of float64 operations in the order of arith/trace_order.h. Values are read in batches before the chain needs
// them: the chain has its own latency and must not wait for memory too.
#pragma once

#include "arith/trace_order.h"
#include "cuda/machine/block.h"

namespace iqa::cuda {

// For each whole batch of i = first ... count - 1: calls read(i, slot), then use(i, slot) in ascending order. `slot` is
// i's number in its batch. Returns the first i that is left.
template <int Batch, class Read, class Use>
IQA_KERNEL int in_whole_batches(int first, int count, Read &&read, Use &&use)
{
    for (; first + Batch <= count; first += Batch) {
        IQA_UNROLL_ON_GPU
        for (int slot = 0; slot < Batch; ++slot)
            read(first + slot, slot);
        IQA_UNROLL_ON_GPU
        for (int slot = 0; slot < Batch; ++slot)
            use(first + slot, slot);
    }
    return first;
}

constexpr int values_ahead = 16;

template <class Read, class Use>
IQA_KERNEL void in_batches(int count, Read &&read, Use &&use)
{
    const int sixteens = in_whole_batches<values_ahead>(0, count, read, use);
    const int fours = in_whole_batches<4>(sixteens, count, read, use);
    in_whole_batches<1>(fours, count, read, use);
}

// value = value + sign (a[0] c[0] + a[stride] c[1] + ...), term by term.
IQA_KERNEL double add_combination(double value, const double *a, int64_t stride, double sign,
                                  const double *coefficients, int count)
{
    double ahead[values_ahead];
    in_batches(
        count, [&](int t, int slot) { ahead[slot] = a[t * stride]; },
        [&](int t, int slot) { value = fused_multiply_add(ahead[slot], sign * coefficients[t], value); });
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
        count, [&](int t, int slot) { ahead[slot] = values[t * stride]; }, [&](int, int slot) { sum += ahead[slot]; });
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
        [&](int step, int slot) {
            left[slot] = a[int64_t(step) * dot_lanes + lane];
            right[slot] = b[int64_t(step) * dot_lanes + lane];
        },
        [&](int, int slot) { sum = fused_multiply_add(left[slot], right[slot], sum); });
    return sum;
}

} // namespace iqa::cuda
