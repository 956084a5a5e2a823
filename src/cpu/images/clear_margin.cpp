// SPDX-License-Identifier: MIT
#include "cpu/backend.hpp"

namespace iqa {

void cpu_clear_margin(context &, const margin_view &border)
{
    const image_view &shape = border.shape;
    for (int64_t image = 0; image < shape.images; ++image)
        for (int64_t channel = 0; channel < shape.channels; ++channel)
            for (int64_t slice = 0; slice < shape.depth; ++slice)
                for (int64_t row = 0; row < shape.height; ++row)
                    for (int64_t column = 0; column < shape.width; ++column)
                        if (is_in_margin(border, slice, row, column))
                            border.pixels.store(image, channel, slice, row, column, 0.0);
}

} // namespace iqa
