// SPDX-License-Identifier: MIT
// Shared by tiles and boxes of SSIM: the two passes over a batch, and the rows of its map. The first pass measures all
// images in the plan's arithmetic. If that is float, the second repeats the images that have a channel which float does
// not carry (arith/ssim_doubt.h).
#pragma once

#include "arith/ssim_doubt.h"
#include "backend/ssim.hpp"
#include "core/waves.hpp"
#include "cpu/ssim/rows.hpp"

namespace iqa {

template <class Result>
class ssim_passes {
public:
    // `channels`: the measured channels, each a plane of the grid or several in one.
    ssim_passes(const context &where, ssim_request &request, const tile_grid &grid, int64_t channels)
        : request_(request),
          grid_(grid),
          images_(request.images.reference.images),
          channels_(channels),
          weighing_(request.plan->weighs(request.weights)),
          waves_(where, images_ * grid.tiles_of_image(), images_ * channels * grid.depth * grid.height * grid.width)
    {
    }

    void place(arena &memory, size_t bytes_of_worker)
    {
        waves_.place(memory, bytes_of_worker);
        doubts_ = memory.take<doubt_total>(images_ * channels_);
    }

    std::byte *memory_of(int worker) const { return waves_.memory_of(worker); }

    // Calls compute(place, worker, result) for all tiles, and then collect(place, result).
    template <class Compute, class Collect>
    void run(context &where, const Compute &compute, const Collect &collect)
    {
        std::fill_n(doubts_, images_ * channels_, doubt_total{});
        measure(where, 0, images_, compute, collect);
        again_ = true;
        for (int64_t image = 0; image < images_; ++image) {
            const doubt_total *first = doubts_ + image * channels_;
            if (std::any_of(first, first + channels_,
                            [&](const doubt_total &plane) { return plane.too_much_for_plane(weighing_); }))
                measure(where, image, 1, compute, collect);
        }
    }

    bool again() const { return again_; }

    // True if the second pass measures a channel's tile in double.
    bool doubts(int64_t image, int64_t channel, const doubt_total &tile) const
    {
        return again_ && doubts_[image * channels_ + channel].too_much_for_plane(weighing_) && tile.too_much_for_tile();
    }

    void add_doubt(int64_t image, int64_t channel, const doubt_total &tile)
    {
        if (!again_)
            doubts_[image * channels_ + channel].add(tile);
    }

private:
    template <class Compute, class Collect>
    void measure(context &where, int64_t first_image, int64_t images, const Compute &compute, const Collect &collect)
    {
        const int64_t planes = request_.by_channel ? channels_ : 1;
        std::fill_n(request_.sums + first_image * planes * ssim_factors, images * planes * ssim_factors, 0);
        std::fill_n(request_.not_a_number + first_image, images, false);
        if (weighing_)
            std::fill_n(request_.weight + first_image * planes, images * planes, 0);
        const int64_t tiles = grid_.tiles_of_image();
        waves_.run(
            where, first_image * tiles, (first_image + images) * tiles,
            [&](int64_t tile, int worker, Result &result) { compute(grid_.at(tile), worker, result); },
            [&](int64_t tile, const Result &result) {
                const tile_grid::place at = grid_.at(tile);
                request_.not_a_number[at.image] = request_.not_a_number[at.image] || result.not_a_number;
                collect(at, result);
            });
    }

    ssim_request &request_;
    const tile_grid grid_;
    const int64_t images_, channels_;
    const bool weighing_;
    waves<Result> waves_;
    bool again_ = false;            // in the second pass
    doubt_total *doubts_ = nullptr; // [images][channels]
};

// The destination of a tile's finished rows.
struct map_rows {
    const output_view *map;
    tile_grid::place at; // its plane is the first channel
    int channels;
};

template <class Real>
void store_map_row(void *receiver, int slice, int row, const void *values)
{
    const map_rows &to = *static_cast<const map_rows *>(receiver);
    const tile_grid::place &at = to.at;
    for (int channel = 0; channel < to.channels; ++channel)
        store_row(*to.map, at.image, at.plane + channel, at.slice + slice, at.row + row, at.column,
                  static_cast<const Real *>(values) + channel, to.channels, at.columns, 1.0);
}

} // namespace iqa
