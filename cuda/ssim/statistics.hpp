// SPDX-License-Identifier: MIT
// How the host lays out what the blocks of statistics.h work in.
#pragma once

#include "backend/ssim.hpp"
#include "cuda/machine/grid.hpp"
#include "cuda/ssim/statistics.h"
#include "cuda/ssim/taps.hpp"

namespace iqa::cuda {

// Shared memory that a launch may give a block on every GPU since compute capability 7.5.
constexpr int64_t shared_bytes_of_a_block = 64 * 1024 - most_static_shared_bytes;
// Global memory that all blocks of a grid work in, together; one block may have more.
constexpr int64_t global_bytes_of_a_grid = int64_t(128) << 20;
// What is made a few rows at a time before it becomes larger.
constexpr int64_t most_slab_bytes = int64_t(1) << 20;

// Divides the memory of a block: what fits is in shared memory.
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

inline ssim_source source_of(const ssim_plan &plan, const image_pair &images, const weight_view &weights)
{
    const bool of_luma = plan.takes_luma(images.reference);
    return {.images = images,
            .weights = weights,
            .gain = plan.gain,
            .luma = of_luma ? *plan.luma : luma_rule{},
            .of_luma = of_luma,
            .mask_nonfinite = plan.mask_nonfinite};
}

inline ssim_formula formula_of(const ssim_plan &plan)
{
    return {plan.twice_c1, plan.twice_c2, plan.covariance, plan.coverage, plan.negative_to_zero};
}

// Maps of these extents in boxes so deep in volumes, in parts of at most so many pixels (z, y, x).
divided_maps divide_maps(const ssim_plan &plan, const image_view &images, const int64_t (&extents)[3], int box_depth,
                         const int (&part)[3]);

// For parts of so many map pixels (z, y, x) at most.
statistics_layout lay_out_statistics(const ssim_plan &plan, bool convolution, const int (&part)[3],
                                     block_memory_plan &memory);

// All but the layout's global memory.
template <class Real>
statistics_arguments<Real> arguments_of(context &where, workspace &memory, const ssim_plan &plan,
                                        const image_pair &images, const weight_view &weights)
{
    const device_taps<Real> taps = taps_on_device<Real>(where, memory, plan);
    return {.source = source_of(plan, images, weights),
            .border = plan.border,
            .taps = {plan.size_z, plan.size_y, plan.size_x},
            .weights = {taps.z, taps.y, taps.x},
            .convolution = plan.weighs_means(weights),
            .layout = {},
            .global = nullptr,
            .global_stride = 0};
}

// Gives a grid for so much work its global memory; returns how many blocks it has.
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
