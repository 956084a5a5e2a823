// SPDX-License-Identifier: MIT
// The axes of images as their tensors lie in memory, so that kernels find samples with few divisions.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>

#include "cuda/images/walk.h"

namespace iqa::cuda {

// The axes of some channels of an image, from the innermost of the first tensor. Those that lie one after another in
// every tensor are one; those of extent 1 come last, with steps of 0.
template <size_t tensors>
std::array<joint_axis<tensors>, most_axes> axes_of(const image_view &extents, int64_t channels,
                                                   const std::array<sample_places, tensors> &places)
{
    using axis = joint_axis<tensors>;
    std::array<axis, most_axes> axes{};
    const auto place = [&](size_t index, int64_t extent, int64_t sample_places::*step) {
        axes[index].extent = extent;
        for (size_t i = 0; i < tensors; ++i)
            axes[index].steps[i] = places[i].*step;
    };
    place(0, channels, &sample_places::channel);
    place(1, extents.depth, &sample_places::slice);
    place(2, extents.height, &sample_places::row);
    place(3, extents.width, &sample_places::column);
    std::sort(axes.begin(), axes.end(), [](const axis &a, const axis &b) {
        if (a.extent == 1 || b.extent == 1)
            return a.extent != 1;
        return std::abs(a.steps[0]) < std::abs(b.steps[0]);
    });
    size_t count = 0;
    for (const axis &next : std::array(axes)) {
        if (next.extent == 1)
            break;
        axis *const inner = count > 0 ? &axes[count - 1] : nullptr;
        bool follows = inner != nullptr;
        for (size_t i = 0; follows && i < tensors; ++i)
            follows = next.steps[i] == inner->extent * inner->steps[i];
        if (follows)
            inner->extent *= next.extent;
        else
            axes[count++] = next;
    }
    std::fill(axes.begin() + ptrdiff_t(count), axes.end(), axis{1, {}});
    return axes;
}

// Of the reference, the candidate and the weights.
inline std::array<sample_places, 3> places_of(const image_pair &images, const weight_view &weights)
{
    const int64_t size = element_size(images.reference.type);
    return {places_of(images.reference, size), places_of(images.candidate, size),
            places_of(weights, element_size(static_cast<weight_type>(weights.dtype)))};
}

template <size_t tensors>
joint_order<tensors> order_of(const image_view &extents, int64_t channels,
                              const std::array<sample_places, tensors> &places)
{
    joint_order<tensors> order{};
    for (size_t i = 0; i < tensors; ++i) {
        order.image_steps[i] = places[i].image;
        order.channel_steps[i] = places[i].channel;
    }
    for (const joint_axis<tensors> &axis : axes_of(extents, channels, places))
        order.axes[order.count++] = axis;
    while (order.count > 1 && order.axes[order.count - 1].extent == 1)
        --order.count;
    return order;
}

} // namespace iqa::cuda
