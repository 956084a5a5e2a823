// SPDX-License-Identifier: MIT
// Windows of pixels whose channels are dense, and the axes of resized pictures: loops for the vectoriser, since outputs
// are independent.
#pragma once

#include "arith/network.h"
#include "cpu/isa/instruction_set.h"
#include "cpu/network/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

namespace {

// `add` takes the pixels of the window in order, and `finish` what comes of them.
template <class Number, class Add, class Finish>
void pool(const pooling_window &window, Number start, Add add, Finish finish)
{
    for (int from = 0; from < window.channels; from += pooled_together) {
        Number results[pooled_together];
        for (Number &result : results)
            result = start;
        for (int row = 0; row < window.rows; ++row)
            for (int column = 0; column < window.columns; ++column) {
                const float *pixel = window.input + row * window.row_stride + column * window.pixel_stride + from;
                for (int i = 0; i < pooled_together; ++i)
                    results[i] = add(results[i], pixel[i]);
            }
        for (int i = 0; i < pooled_together; ++i)
            window.output[from + i] = finish(results[i]);
    }
}

void pool_maximum(const pooling_window &window)
{
    pool(window, -__builtin_inff(), larger_sample, [](float largest) { return largest; });
}

void pool_average(const pooling_window &window)
{
    const double pixels = double(window.rows) * window.columns;
    pool(
        window, 0.0, [](double sum, float sample) { return sum + double(sample); },
        [=](double sum) { return float(sum / pixels); });
}

void resize_row(const resize_axis &axis, const double *in, double *out)
{
    for (int64_t i = 0; i < axis.outputs; ++i) {
        double sum = 0.0;
        for (int tap = 0; tap < axis.count[i]; ++tap)
            sum = fused_multiply_add(axis.weights[i * axis.most_taps + tap], in[axis.first[i] + tap], sum);
        out[i] = sum;
    }
}

void resize_columns(const resize_axis &axis, int64_t index, const double *in, int64_t stride, int64_t count,
                    double *out)
{
    for (int64_t i = 0; i < count; ++i)
        out[i] = 0.0;
    for (int tap = 0; tap < axis.count[index]; ++tap) {
        const double weight = axis.weights[index * axis.most_taps + tap];
        const double *row = in + tap * stride;
        for (int64_t i = 0; i < count; ++i)
            out[i] = fused_multiply_add(weight, row[i], out[i]);
    }
}

} // namespace

} // namespace iqa::IQA_INSTRUCTION_SET
