// SPDX-License-Identifier: MIT
#include "metrics/ssim_blocks.hpp"

#include "arith/ssim.h"
#include "arith/ssim_blocks.h"

namespace iqa {

void measure_blocks(const backend &device, context &where, workspace &memory, const iqa_ssim_options &options,
                    const image_pair &images, int128 *means, sample_counts *counts)
{
    const image_view &shape = images.reference;
    if (shape.type != element_type::uint8 && shape.type != element_type::uint16)
        fail(IQA_ERROR_DTYPE, "window is IQA_WINDOW_BLOCKS, whose sums are of uint8 or uint16 samples only");
    const struct {
        const char *name;
        int64_t extent;
    } axes[] = {{"height", shape.height}, {"width", shape.width}};
    for (const auto &[name, extent] : axes)
        if (extent < block_size)
            fail(IQA_ERROR_SHAPE, name, " ", extent, " is smaller than a block of ", int(block_size), " pixels");
    const data_range range = resolve_range(options.data_low, options.data_high, shape.type);
    ssim_blocks_request request{
        .images = images,
        .range = range,
        .constants = block_constants(options.k1, options.k2, range.high - range.low),
        .sums = means,
        .counts = counts,
    };
    device.ssim_blocks(where, memory, request);
    const int64_t blocks = blocks_along(shape.height) * blocks_along(shape.width);
    for (int64_t channel = 0; channel < shape.images * shape.channels; ++channel)
        means[channel] = mean_on_grid(request.sums[channel], blocks);
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
