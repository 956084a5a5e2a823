// SPDX-License-Identifier: MIT
#include "cuda/ssim_statistics.hpp"

#include <algorithm>

namespace iqa::cuda {

statistics_layout lay_out_statistics(const ssim_plan &plan, bool convolution, const int (&part)[3], int64_t spare_bytes)
{
    const int64_t size = plan.double_arithmetic ? sizeof(double) : sizeof(float);
    const bool volume = plan.taps_z > 1;
    const int64_t maps = convolution ? weighted_maps : plain_maps;
    const int64_t planes = volume ? maps : convolution ? 3 : 2;
    const int64_t rows = part[y_axis] + plan.taps_y - 1;
    const int64_t stride = part[x_axis] + plan.taps_x - 1;
    int64_t slices = volume ? std::min<int64_t>(part[z_axis], most_slices_together) : 1;
    int64_t slab_rows = rows;
    if (slices * planes * rows * stride * size > most_slab_bytes) {
        slices = 1;
        slab_rows = std::clamp<int64_t>(most_slab_bytes / (planes * stride * size), 1, rows);
    }
    const int64_t slab = slices * planes * slab_rows * stride;
    const int64_t down = maps * part[y_axis] * stride;
    const bool down_shared = down * size <= spare_bytes;
    const bool slab_shared = down_shared && (slab + down) * size <= spare_bytes;
    return {.slices = int(slices),
            .slab_rows = int(slab_rows),
            .stride = int(stride),
            .slab_items = int(slab),
            .slab_shared = slab_shared,
            .down_shared = down_shared,
            .shared_items = int((slab_shared ? slab : 0) + (down_shared ? down : 0)),
            .global_items = int((slab_shared ? 0 : slab) + (down_shared ? 0 : down))};
}

} // namespace iqa::cuda
