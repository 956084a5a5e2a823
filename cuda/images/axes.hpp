// SPDX-License-Identifier: MIT
// The axes of images as their tensors lie in memory, so that kernels find samples with few divisions.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/tensor.hpp"

namespace iqa::cuda {

// Strides of the reference, the candidate and the weights, in elements.
struct joint_axis {
    int64_t extent;
    int64_t strides[3];
};

// The axes of some channels of an image, from the innermost of the reference. Those that lie one after another in every
// tensor are one; those of extent 1 come last, with strides of 0.
inline std::array<joint_axis, 4> axes_of(const image_pair &images, const weight_view &weights, int64_t channels)
{
    const image_view &x = images.reference;
    const image_view &y = images.candidate;
    std::array<joint_axis, 4> axes = {{{channels, {x.channel_stride, y.channel_stride, weights.channel_stride}},
                                       {x.depth, {x.slice_stride, y.slice_stride, weights.slice_stride}},
                                       {x.height, {x.row_stride, y.row_stride, weights.row_stride}},
                                       {x.width, {x.column_stride, y.column_stride, weights.column_stride}}}};
    std::sort(axes.begin(), axes.end(), [](const joint_axis &a, const joint_axis &b) {
        if (a.extent == 1 || b.extent == 1)
            return a.extent != 1;
        return std::abs(a.strides[0]) < std::abs(b.strides[0]);
    });
    size_t count = 0;
    for (const joint_axis &next : std::array(axes)) {
        if (next.extent == 1)
            break;
        joint_axis *const inner = count > 0 ? &axes[count - 1] : nullptr;
        const auto follows = [&](int tensor) {
            return next.strides[tensor] == inner->extent * inner->strides[tensor];
        };
        if (inner != nullptr && follows(0) && follows(1) && follows(2))
            inner->extent *= next.extent;
        else
            axes[count++] = next;
    }
    std::fill(axes.begin() + ptrdiff_t(count), axes.end(), joint_axis{1, {}});
    return axes;
}

} // namespace iqa::cuda
