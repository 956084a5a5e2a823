// SPDX-License-Identifier: MIT
// Host side of statistics.h: cuts maps into parts, lays out the memory of blocks, fills arguments.
#pragma once

#include "backend/ssim.hpp"
#include "cuda/machine/grid.hpp"
#include "cuda/ssim/statistics.h"
#include "cuda/ssim/taps.hpp"

namespace iqa::cuda {

// Dynamic shared memory that every GPU since compute capability 7.5 has for a block.
constexpr int64_t shared_bytes_of_a_block = 64 * 1024 - most_static_shared_bytes;
// Global memory of all blocks of a grid together; a single block may have more.
constexpr int64_t global_bytes_of_a_grid = int64_t(128) << 20;
// A slab that would be larger is made a few rows at a time.
constexpr int64_t most_slab_bytes = int64_t(1) << 20;

// Hands out a block's memory: shared memory as long as it lasts, then global memory.
class block_memory_plan {
public:
    block_memory_plan(int64_t item_size, int64_t shared_bytes) : size_(item_size), spare_(shared_bytes / item_size) {}

    block_memory take(int64_t items)
    {
        const bool shared = shared_ + items <= spare_;
        int64_t &used = shared ? shared_ : global_;
        const int64_t first = used;
        used += items;
        return {shared, int(first)};
    }
    int64_t item_size() const { return size_; }
    int64_t shared_bytes() const { return shared_ * size_; }
    int64_t global_bytes() const { return global_ * size_; }

private:
    int64_t size_, spare_;
    int64_t shared_ = 0, global_ = 0;
};

// Whether the kernels serve that know their taps down and across.
inline bool knows_taps(const ssim_plan &plan)
{
    return plan.size_y == usual_taps && plan.size_x == usual_taps;
}

template <class Real>
ssim_source<Real> source_of(const ssim_plan &plan, const image_pair &images, const weight_view &weights)
{
    const bool of_luma = plan.takes_luma(images.reference);
    const int64_t size = element_size(images.reference.type);
    const auto type_of_weights = static_cast<weight_type>(weights.dtype);
    return {.images = images,
            .reference = places_of(images.reference, size),
            .candidate = places_of(images.candidate, size),
            .weights = places_of(weights, element_size(type_of_weights)),
            .type_of_weights = type_of_weights,
            .gain = Real(plan.gain),
            .luma = of_luma ? *plan.luma : luma_rule{},
            .of_luma = of_luma,
            .mask_nonfinite = plan.mask_nonfinite};
}

inline ssim_formula formula_of(const ssim_plan &plan)
{
    return {plan.twice_c1, plan.twice_c2, plan.covariance, plan.coverage, plan.negative_to_zero};
}

// Parts have at most `part` pixels (z, y, x). `box_depth` is for volumes.
divided_maps divide_maps(const ssim_plan &plan, const image_view &images, const int64_t (&extents)[3], int box_depth,
                         const int (&part)[3]);

// `part`: the most map pixels of a part (z, y, x).
statistics_layout lay_out_statistics(const ssim_plan &plan, bool convolution, const int (&part)[3],
                                     block_memory_plan &memory);

// The arguments without layout and global memory.
template <class Real>
statistics_arguments<Real> arguments_of(context &where, workspace &memory, const ssim_plan &plan,
                                        const image_pair &images, const weight_view &weights)
{
    const device_taps<Real> taps = taps_on_device<Real>(where, memory, plan);
    return {.source = source_of<Real>(plan, images, weights),
            .border = plan.border,
            .taps = {plan.size_z, plan.size_y, plan.size_x},
            .weights = {taps.z, taps.y, taps.x},
            .convolution = plan.weighs_means(weights),
            .layout = {},
            .global = nullptr,
            .global_stride = 0};
}

// Gives a grid its global memory; returns the number of its blocks.
template <class Real>
int64_t place_blocks(workspace &memory, int64_t work, const block_memory_plan &plan, statistics_arguments<Real> &args)
{
    const int64_t bytes = plan.global_bytes();
    const int64_t blocks = resident_blocks(work, bytes, global_bytes_of_a_grid);
    args.global_stride = bytes / plan.item_size();
    if (bytes != 0)
        args.global = memory.work.take<Real>(size_t(blocks * args.global_stride), "the rows of SSIM boxes");
    return blocks;
}

} // namespace iqa::cuda
