// SPDX-License-Identifier: MIT
// Zeros in the shaved margin of an output for each pixel.
#include "cpu/backend.hpp"

namespace iqa {

void cpu_clear_margin(context &, const margin_view &margin)
{
    const image_view &shape = margin.shape;
    for (int64_t image = 0; image < shape.images; ++image)
        for (int64_t channel = 0; channel < shape.channels; ++channel)
            for (int64_t slice = 0; slice < shape.depth; ++slice)
                for (int64_t row = 0; row < shape.height; ++row)
                    for (int64_t column = 0; column < shape.width; ++column)
                        if (is_in_margin(margin, slice, row, column))
                            margin.pixels.store(image, channel, slice, row, column, 0.0);
}

} // namespace iqa
