// SPDX-License-Identifier: MIT
// Results of kernels in float for the kernel in double that follows them on the stream: the sums of each tile or box,
// and whether they are good enough (float "carries" the tile: arith/ssim_doubt.h).
#pragma once

#include "arith/ssim_doubt.h"
#include "cuda/machine/block.h"

namespace iqa::cuda {

// Sums over the map pixels of an image, a channel or a tile: of each factor, and of the weights.
struct ssim_accumulator {
    wide_sum sums[ssim_factors];
    wide_sum weight;
};

// Zero between updates.
struct ssim_tile_total {
    ssim_accumulator sums;
    doubt_total doubt;
    uint32_t spread, not_a_number;
};

struct ssim_doubts {
    ssim_tile_total *tiles; // [images * channels * tiles of a map]; NULL: no kernel in float runs
    doubt_total *planes;    // [images * channels]
    int64_t tiles_of_plane;
    bool weighted;

    IQA_HD_MEMBER bool carries(int64_t tile) const
    {
        const ssim_tile_total &total = tiles[tile];
        return total.spread == 0 &&
               !(total.doubt.too_much_for_tile() && planes[tile / tiles_of_plane].too_much_for_plane(weighted));
    }
};

// Adds the doubt of a part of a tile. Only the plane's total tells kinds apart.
IQA_KERNEL void add(const ssim_doubts &doubts, int64_t tile, const doubt_total &more)
{
    ssim_tile_total &total = doubts.tiles[tile];
    doubt_total &plane = doubts.planes[tile / doubts.tiles_of_plane];
    add(&total.doubt.pixels, more.pixels);
    add(&total.doubt.sums[0], more.total());
    add(&plane.pixels, more.pixels);
    for (int kind = 0; kind < doubt_kinds; ++kind)
        if (more.sums[kind] != 0)
            add(&plane.sums[kind], more.sums[kind]);
}

// For the last block of the kernel in double.
template <class Block>
IQA_KERNEL void clear(Block &block, const ssim_doubts &doubts, int64_t planes)
{
    if (doubts.tiles == nullptr)
        return;
    block.each(int(planes * doubts.tiles_of_plane), [&](int i) { doubts.tiles[i] = {}; });
    block.each(int(planes), [&](int i) { doubts.planes[i] = {}; });
}

IQA_KERNEL doubt_constants<float> constants_of_doubt_in_float()
{
    return constants_of_doubt<float>([](float value) { return value; });
}

} // namespace iqa::cuda
