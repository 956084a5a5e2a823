// SPDX-License-Identifier: MIT
// Rows of results into the caller's tensors.
#pragma once

#include "core/tensor.hpp"

namespace iqa {

// Where an output has the value of a pixel.
inline std::byte *address_in(const output_view &out, int64_t image, int64_t channel, int64_t slice, int64_t row,
                             int64_t column)
{
    const int64_t index = image * out.image_stride + channel * out.channel_stride + slice * out.slice_stride +
                          row * out.row_stride + column * out.column_stride;
    return out.data + index * int64_t(out.is_double ? sizeof(double) : sizeof(float));
}

// Stores `count` values `step` apart, each times `factor`, from a pixel on. For floats the factor is a
// power of two in their range.
template <class Value>
void store_row(const output_view &out, int64_t image, int64_t channel, int64_t slice, int64_t row, int64_t column,
               const Value *values, int step, int count, double factor)
{
    std::byte *const first = address_in(out, image, channel, slice, row, column);
    const auto store = [&]<class Out>(Out *to) {
        using wide = decltype(Value() * Out()); // floats are multiplied as floats: only the result is rounded
        const auto converted = [by = wide(factor)](Value value) {
            return with_one_nan(Out(wide(value) * by));
        };
        if (out.column_stride == 1 && step == 1)
            for (int i = 0; i < count; ++i)
                to[i] = converted(values[i]);
        else
            for (int i = 0; i < count; ++i)
                to[i * out.column_stride] = converted(values[i * step]);
    };
    if (out.is_double)
        store(reinterpret_cast<double *>(first));
    else
        store(reinterpret_cast<float *>(first));
}

} // namespace iqa
