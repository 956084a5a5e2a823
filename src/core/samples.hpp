// SPDX-License-Identifier: MIT
// Single samples of an image, for error texts: slow and obvious.
#pragma once

#include "arith/half.h"
#include "core/tensor.hpp"

namespace iqa {

inline double load_sample(const image_view &view, int64_t image, int64_t channel, int64_t slice, int64_t row,
                          int64_t column)
{
    const std::byte *address = view.at(image, channel, slice, row, column);
    switch (view.type) {
    case element_type::uint8:
        return widen(*reinterpret_cast<const uint8_t *>(address));
    case element_type::uint16:
        return widen(*reinterpret_cast<const uint16_t *>(address));
    case element_type::int16:
        return widen(*reinterpret_cast<const int16_t *>(address));
    case element_type::float16:
        return widen(*reinterpret_cast<const float16 *>(address));
    case element_type::bfloat16:
        return widen(*reinterpret_cast<const bfloat16 *>(address));
    case element_type::float32:
        return *reinterpret_cast<const float *>(address);
    default:
        return *reinterpret_cast<const double *>(address);
    }
}

inline double number_at(const table_view &view, int64_t row, int64_t column)
{
    const int64_t index = row * view.row_stride + column * view.column_stride;
    const std::byte *address = view.data + index * element_size(view.type);
    switch (view.type) {
    case element_type::float16:
        return widen(*reinterpret_cast<const float16 *>(address));
    case element_type::bfloat16:
        return widen(*reinterpret_cast<const bfloat16 *>(address));
    case element_type::float32:
        return *reinterpret_cast<const float *>(address);
    default:
        return *reinterpret_cast<const double *>(address);
    }
}

// Ends the call if a number is not finite, and says where the first one is.
inline void check_finite(const table_view &view, const char *name)
{
    for (int64_t row = 0; row < view.rows; ++row)
        for (int64_t column = 0; column < view.columns; ++column)
            if (const double value = number_at(view, row, column); !is_finite(value))
                fail(IQA_ERROR_NUMERIC, name, "[", row, ", ", column, "] is ", value, "; expected a finite number");
}

// Ends the call: says how many non-finite samples there are, and where the first one is. `shave`: what the views lack
// at each edge.
[[noreturn]] inline void fail_for_nonfinite(const image_pair &images, int32_t layout, int32_t shave, int64_t count)
{
    const struct {
        const char *name;
        const image_view &view;
    } sides[] = {{"reference", images.reference}, {"candidate", images.candidate}};
    for (const auto &[name, view] : sides)
        for (int64_t image = 0; image < view.images; ++image)
            for (int64_t channel = 0; channel < view.channels; ++channel)
                for (int64_t slice = 0; slice < view.depth; ++slice)
                    for (int64_t row = 0; row < view.height; ++row)
                        for (int64_t column = 0; column < view.width; ++column)
                            if (!is_finite(load_sample(view, image, channel, slice, row, column)))
                                fail(IQA_ERROR_NUMERIC, "the images have ", count,
                                     " non-finite samples, the first in the ", name, " at ",
                                     index_text(layout, image, channel, slice + shave, row + shave, column + shave),
                                     "; set nonfinite to IQA_NONFINITE_PROPAGATE to let them through, or to "
                                     "IQA_NONFINITE_MASK to leave them out");
    fail(IQA_ERROR_INTERNAL, "non-finite samples were counted but not found");
}

// Likewise for a weight of a pixel.
[[noreturn]] inline void fail_for_weight(const weight_view &weights, const pixel_place &at, int32_t layout,
                                         int32_t shave)
{
    fail(IQA_ERROR_NUMERIC, "the weight of the pixel at ",
         index_text(layout, at.image, at.channel, at.slice + shave, at.row + shave, at.column + shave), " is ",
         weight_at(weights, at.image, at.channel, at.slice, at.row, at.column), "; expected 0 to 1");
}

} // namespace iqa
