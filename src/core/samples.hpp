// SPDX-License-Identifier: MIT
// Single samples and weights of an image, for error texts: slow and obvious.
#pragma once

#include <span>

#include "arith/half.h"
#include "arith/weight.h"
#include "core/tensor.hpp"

namespace iqa {

inline double load_sample(const image_view &view, int64_t image, int64_t channel, int64_t slice, int64_t row,
                          int64_t column)
{
    const std::byte *address = view.at(image, channel, slice, row, column);
    return with_sample_type(
        view.type, [&]<class Sample>(Sample) { return double(widen(*reinterpret_cast<const Sample *>(address))); });
}

inline double number_at(const table_view &view, int64_t row, int64_t column)
{
    const int64_t index = row * view.row_stride + column * view.column_stride;
    return with_sample_type(view.type, [&]<class Number>(Number) {
        return double(widen(reinterpret_cast<const Number *>(view.data)[index]));
    });
}

// Throws if a number of a table's row is not finite; the text names it.
inline void check_finite(std::span<const double> numbers, const char *name, int64_t row)
{
    for (size_t column = 0; column < numbers.size(); ++column)
        if (!is_finite(numbers[column]))
            fail(IQA_ERROR_NUMERIC, name, "[", row, ", ", column, "] is ", numbers[column],
                 "; expected a finite number");
}

// Throws for `count` non-finite samples; the text has the index of the first one that is not masked. `shave`: the
// margin that the views lack at each edge.
[[noreturn]] inline void fail_for_nonfinite(const image_pair &images, const weight_view &weights, int32_t layout,
                                            int32_t shave, int64_t count)
{
    const struct {
        const char *name;
        const image_view &view;
    } sides[] = {{"reference", images.reference}, {"candidate", images.candidate}};
    const auto is_masked = [&](int64_t image, int64_t channel, int64_t slice, int64_t row, int64_t column) {
        return weight_at(weights, image, channel, slice, row, column) == 0.0;
    };
    for (const auto &[name, view] : sides)
        for (int64_t image = 0; image < view.images; ++image)
            for (int64_t channel = 0; channel < view.channels; ++channel)
                for (int64_t slice = 0; slice < view.depth; ++slice)
                    for (int64_t row = 0; row < view.height; ++row)
                        for (int64_t column = 0; column < view.width; ++column)
                            if (!is_finite(load_sample(view, image, channel, slice, row, column)) &&
                                !is_masked(image, channel, slice, row, column))
                                fail(IQA_ERROR_NUMERIC, "the images have ", count,
                                     " non-finite samples, the first in the ", name, " at ",
                                     index_text(layout, image, channel, slice + shave, row + shave, column + shave),
                                     "; set nonfinite to IQA_NONFINITE_PROPAGATE to let them through, or to "
                                     "IQA_NONFINITE_MASK to leave them out");
    fail(IQA_ERROR_INTERNAL, "non-finite samples were counted but not found");
}

// Throws for invalid weights; the text has their number, and the value and index of the first one.
[[noreturn]] inline void fail_for_weights(const weight_view &weights, const image_view &images, int32_t layout,
                                          int32_t shave)
{
    // A weight that is broadcast along an axis counts once.
    const auto extent = [](int64_t of_images, int64_t stride) {
        return stride == 0 ? 1 : of_images;
    };
    int64_t count = 0;
    double first = 0.0;
    text index;
    for (int64_t image = 0; image < extent(images.images, weights.image_stride); ++image)
        for (int64_t channel = 0; channel < extent(images.channels, weights.channel_stride); ++channel)
            for (int64_t slice = 0; slice < extent(images.depth, weights.slice_stride); ++slice)
                for (int64_t row = 0; row < extent(images.height, weights.row_stride); ++row)
                    for (int64_t column = 0; column < extent(images.width, weights.column_stride); ++column) {
                        const double weight = weight_at(weights, image, channel, slice, row, column);
                        if (weight_on_grid(weight) != invalid_weight || count++ != 0)
                            continue;
                        first = weight;
                        index = index_text(layout, image, channel, slice + shave, row + shave, column + shave);
                    }
    fail(IQA_ERROR_NUMERIC, "weights has ", count, " values that are not from 0 to 1, the first ", first,
         " for the sample at ", index);
}

} // namespace iqa
