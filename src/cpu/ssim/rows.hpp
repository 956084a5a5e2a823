// SPDX-License-Identifier: MIT
// Rows of results into the caller's tensors.
#pragma once

#include "core/tensor.hpp"

namespace iqa {

// Stores `count` values `step` apart, each times `factor`, from a pixel on. For floats the factor is a
// power of two in their range.
template <class Value>
void store_row(const output_view &out, int64_t image, int64_t channel, int64_t slice, int64_t row, int64_t column,
               const Value *values, int step, int count, double factor)
{
    std::byte *const first = out.at(image, channel, slice, row, column);
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
