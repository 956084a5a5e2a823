// SPDX-License-Identifier: MIT
// Tiles of a batch in waves: workers compute the tiles of a wave, then their results are collected in order. So the
// memory for results does not grow with the images.
#pragma once

#include <algorithm>

#include "core/arena.hpp"
#include "core/parallel.hpp"

namespace iqa {

// A batch as images of planes of tiles.
struct tile_grid {
    int64_t planes; // of each image
    int64_t depth, height, width;
    int64_t tile_depth, tile_height, tile_width;
    bool planes_together; // the planes of a place one after another, since they lie in the same cache lines

    struct place {
        int64_t image, plane, slice, row, column;
        int slices, rows, columns; // of the tile
    };

    int64_t down() const { return divide_up(height, tile_height); }
    int64_t across() const { return divide_up(width, tile_width); }
    int64_t tiles_of_image() const { return planes * divide_up(depth, tile_depth) * down() * across(); }

    place at(int64_t tile) const
    {
        const auto next = [&](int64_t count) {
            const int64_t index = tile % count;
            tile /= count;
            return index;
        };
        place found{};
        if (planes_together)
            found.plane = next(planes);
        found.column = next(across()) * tile_width;
        found.row = next(down()) * tile_height;
        found.slice = next(divide_up(depth, tile_depth)) * tile_depth;
        if (!planes_together)
            found.plane = next(planes);
        found.image = tile;
        found.slices = int(std::min(tile_depth, depth - found.slice));
        found.rows = int(std::min(tile_height, height - found.row));
        found.columns = int(std::min(tile_width, width - found.column));
        return found;
    }
};

template <class Result>
class waves {
public:
    // `samples`: the samples that all tiles touch.
    waves(const context &where, int64_t tiles, int64_t samples)
        : tiles_of_wave_(std::min<int64_t>(tiles, 4096)), workers_(workers_for(where, tiles, samples))
    {
    }

    void place(arena &memory, size_t bytes_of_worker)
    {
        bytes_of_worker_ = bytes_of_worker;
        results_ = memory.take<Result>(tiles_of_wave_);
        workers_memory_ = memory.take<std::byte>(int64_t(workers_ * bytes_of_worker));
    }

    std::byte *memory_of(int worker) const { return workers_memory_ + size_t(worker) * bytes_of_worker_; }

    // Calls compute(tile, worker, result) for each tile from `begin` to before `end`, and collect(tile, result) in
    // their order.
    template <class Compute, class Collect>
    void run(context &where, int64_t begin, int64_t end, Compute &&compute, Collect &&collect) const
    {
        for (int64_t first = begin; first < end; first += tiles_of_wave_) {
            const int64_t count = std::min(tiles_of_wave_, end - first);
            for_each_tile(where, workers_, count,
                          [&](int64_t tile, int worker) { compute(first + tile, worker, results_[tile]); });
            for (int64_t tile = 0; tile < count; ++tile)
                collect(first + tile, results_[tile]);
        }
    }

private:
    int64_t tiles_of_wave_;
    int workers_;
    size_t bytes_of_worker_ = 0;
    Result *results_ = nullptr;
    std::byte *workers_memory_ = nullptr;
};

} // namespace iqa
