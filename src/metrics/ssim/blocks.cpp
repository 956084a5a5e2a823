// SPDX-License-Identifier: MIT
#include "metrics/ssim/blocks.hpp"

#include "arith/ssim_blocks.h"

namespace iqa {

void check_blocks(const image_view &shape)
{
    if (shape.type != element_type::uint8 && shape.type != element_type::uint16)
        fail(IQA_ERROR_DTYPE, "window is IQA_WINDOW_BLOCKS, whose sums are of uint8 or uint16 samples only");
    const struct {
        const char *name;
        int64_t extent;
    } axes[] = {{"height", shape.height}, {"width", shape.width}};
    for (const auto &[name, extent] : axes)
        if (extent < block_size)
            fail(IQA_ERROR_SHAPE, name, " ", extent, " is smaller than a block of ", int(block_size), " pixels");
}

ssim_block_constants constants_of_blocks(const iqa_ssim_options &options, data_range range)
{
    return block_constants(options.k1, options.k2, range.high - range.low);
}

void refuse_extras_of_pixels(const iqa_update_extras &extras)
{
    const struct {
        const char *name;
        const iqa_tensor *tensor;
    } refused[] = {{"map", extras.map},
                   {"weights", extras.weights},
                   {"counts", extras.counts},
                   {"candidate_gradient", extras.candidate_gradient},
                   {"reference_gradient", extras.reference_gradient}};
    for (const auto &[name, tensor] : refused)
        if (tensor != nullptr)
            fail(IQA_ERROR_INVALID_ARGUMENT, name, " is given, but window is IQA_WINDOW_BLOCKS, which has none");
}

} // namespace iqa
