// SPDX-License-Identifier: MIT
// Shared by the kernels for boxes of pixels: the samples of a channel, and the taps of the filters in memory.
#pragma once

#include "backend/ssim.hpp"
#include "core/arena.hpp"
#include "cpu/ssim/kernels.hpp"

namespace iqa {

// One channel of both images, or their luma.
inline sample_source source_of(const ssim_plan &plan, const image_pair &images, const weight_view &weights,
                               int64_t image, int64_t channel)
{
    const auto volume = [&](const image_view &view) {
        return sample_volume{view.at(image, channel, 0, 0, 0), view.slice_stride, view.row_stride, view.column_stride,
                             view.channel_stride};
    };
    const image_view &shape = images.reference;
    sample_source source{};
    source.type = shape.type;
    source.reference = volume(shape);
    source.candidate = volume(images.candidate);
    source.gain = plan.gain;
    source.luma = plan.takes_luma(shape) ? plan.luma : nullptr;
    source.mask_nonfinite = plan.mask_nonfinite;
    source.depth = shape.depth;
    source.height = shape.height;
    source.width = shape.width;
    if (weights.data != nullptr) {
        const int64_t size = (weights.dtype & 0xff) / 8;
        source.weights = {weights.data + (image * weights.image_stride + channel * weights.channel_stride) * size,
                          static_cast<weight_type>(weights.dtype), weights.slice_stride, weights.row_stride,
                          weights.column_stride};
    }
    return source;
}

// The taps of the three axes in an arithmetic's type, one after another.
struct box_taps {
    const void *z, *y, *x;
};

template <class Real>
box_taps place_taps(const ssim_plan &plan, arena &memory)
{
    Real *const taps = memory.take<Real>(plan.size_z + plan.size_y + plan.size_x);
    if (taps == nullptr)
        return {};
    plan.round_all_taps(taps);
    return {taps, taps + plan.size_z, taps + plan.size_z + plan.size_y};
}

} // namespace iqa
