// SPDX-License-Identifier: MIT
#include "cuda/ssim/statistics.hpp"

#include <algorithm>

namespace iqa::cuda {

divided_maps divide_maps(const ssim_plan &plan, const image_view &images, const int64_t (&extents)[3], int box_depth,
                         const int (&part)[3])
{
    const bool volume = plan.size_z > 1;
    divided_maps maps = {
        .images = images.images,
        .channels = plan.channels(images),
        .extents = {},
        .box = {volume ? box_depth : 1, volume ? int(ssim_box_height) : int(ssim_tile_height), int(ssim_tile_width)},
        .part = {},
        .parts = {}};
    for (int axis = z_axis; axis <= x_axis; ++axis) {
        maps.extents[axis] = extents[axis];
        maps.part[axis] = int(std::min<int64_t>(part[axis], extents[axis]));
        maps.parts[axis] = divide_up(extents[axis], part[axis]);
    }
    return maps;
}

statistics_layout lay_out_statistics(const ssim_plan &plan, bool convolution, const int (&part)[3],
                                     block_memory_plan &memory)
{
    const int64_t size = memory.item_size();
    const bool volume = plan.size_z > 1;
    const int64_t maps = convolution ? weighted_maps : plain_maps;
    const int64_t planes = volume ? maps : convolution ? 3 : 2;
    const int64_t rows = part[y_axis] + plan.size_y - 1;
    const int64_t stride = part[x_axis] + plan.size_x - 1;
    int64_t slices = volume ? std::min<int64_t>(part[z_axis], most_slices_together) : 1;
    int64_t slab_rows = rows;
    if (slices * planes * rows * stride * size > most_slab_bytes) {
        slices = 1;
        slab_rows = std::clamp<int64_t>(most_slab_bytes / (planes * stride * size), 1, rows);
    }
    statistics_layout layout{};
    layout.slices = int(slices);
    layout.slab_rows = int(slab_rows);
    layout.stride = int(stride);
    layout.down = memory.take(maps * part[y_axis] * stride);
    layout.slab = memory.take(slices * planes * slab_rows * stride);
    return layout;
}

} // namespace iqa::cuda
