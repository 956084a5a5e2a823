// SPDX-License-Identifier: MIT
// What the kernels of tiles.h share with that of gradient_tiles.h, which adds up the same sums beside the derivatives.
#pragma once

#include "core/arena.hpp"
#include "core/context.hpp"
#include "cuda/images/bounds.hpp"
#include "cuda/ssim/filter.h"
#include "cuda/ssim/strip.h"

namespace iqa::cuda {

// Memory that kernels add to; zero between updates.
struct tile_sums {
    ssim_doubts doubts;
    ssim_totals totals;
};

tile_sums place_tile_sums(arena &zeros, const ssim_request &request);

// Results from the sums of a kernel in float with the usual taps: measures what float does not carry again.
void finish_tiles(context &where, const ssim_request &request, const tile_sums &sums);

inline int64_t map_tiles_down(const ssim_request &request)
{
    return divide_up(request.out_height, ssim_tile_height);
}

inline int64_t map_tiles_across(const ssim_request &request)
{
    return divide_up(request.out_width, ssim_tile_width);
}

inline int64_t map_tiles(const ssim_request &request)
{
    const image_view &shape = request.images.reference;
    return shape.images * shape.channels * map_tiles_down(request) * map_tiles_across(request);
}

// Whether samples can be outside the data range.
inline bool counts_samples(const ssim_request &request)
{
    return request.counts != nullptr && !covers(request.plan->range, request.images.reference.type);
}

} // namespace iqa::cuda
