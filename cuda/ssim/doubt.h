// SPDX-License-Identifier: MIT
// What kernels of float arithmetic leave for the kernel of double arithmetic that follows them on the stream: for each
// tile, or box, what it adds to the results, and whether float carries it (arith/ssim_doubt.h).
#pragma once

#include "arith/ssim_doubt.h"
#include "cuda/machine/block.h"

namespace iqa::cuda {

// Sums of an image, a channel or a tile over the pixels of a map: of its parts, and the weight of the pixels.
struct ssim_accumulator {
    wide_sum sums[ssim_factors];
    wide_sum weight;
};

// All zero between updates.
struct ssim_tile_total {
    ssim_accumulator sums;
    doubt_total doubt;
    uint32_t spread, not_a_number;
};

struct ssim_doubts {
    ssim_tile_total *tiles; // [images * channels * tiles of a map]; NULL: there are no kernels of float arithmetic
    doubt_total *planes;    // [images * channels]
    int64_t tiles_of_plane;
    bool weighted;

    // Whether the sums in float are to be taken.
    IQA_HD_MEMBER bool carries(int64_t tile) const
    {
        const ssim_tile_total &own = tiles[tile];
        return own.spread == 0 &&
               !(own.doubt.too_much_for_tile() && planes[tile / tiles_of_plane].too_much_for_plane(weighted));
    }
};

// What a part of a tile adds. Kinds are for the plane.
IQA_KERNEL void add(const ssim_doubts &doubts, int64_t tile, const doubt_total &more, bool spread)
{
    ssim_tile_total &own = doubts.tiles[tile];
    doubt_total &plane = doubts.planes[tile / doubts.tiles_of_plane];
    add(&own.doubt.pixels, more.pixels);
    add(&own.doubt.sums[0], more.of_all_kinds());
    add(&plane.pixels, more.pixels);
    for (int kind = 0; kind < doubt_kinds; ++kind)
        if (more.sums[kind] != 0)
            add(&plane.sums[kind], more.sums[kind]);
    if (spread)
        set_bits(&own.spread, 1u);
}

// By the last block of the kernel in double.
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
