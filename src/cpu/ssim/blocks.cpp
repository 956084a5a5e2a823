// SPDX-License-Identifier: MIT
// SSIM over blocks of a batch: each channel is cut into tiles of blocks, which workers sum in any order.
#include <algorithm>

#include "core/waves.hpp"
#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"

namespace iqa {

namespace {

struct tile_result {
    int128 sum;
    sample_counts counts;
};

class batch_of_blocks {
public:
    batch_of_blocks(context &where, workspace &memory, ssim_blocks_request &request)
        : kernels_(kernels_for(where)),
          request_(request),
          shape_(request.images.reference),
          grid_{.planes = shape_.channels,
                .depth = 1,
                .height = blocks_along(shape_.height),
                .width = blocks_along(shape_.width),
                .tile_depth = 1,
                .tile_height = ssim_block_rows,
                .tile_width = ssim_block_columns,
                .planes_together = shape_.column_stride != 1},
          waves_(where, shape_.images * grid_.tiles_of_image(), shape_.images * shape_.channels * shape_.pixels()),
          counting_(!covers(request.range, shape_.type))
    {
        const size_t bytes_of_worker = size_t(ssim_block_tile_memory(std::min(grid_.width, grid_.tile_width)));
        place_in(memory.work, "the sums of blocks", [&](arena &block) { waves_.place(block, bytes_of_worker); });
    }

    void run(context &where)
    {
        std::fill_n(request_.sums, shape_.images * shape_.channels, 0);
        std::fill_n(request_.counts, shape_.images, sample_counts{});
        waves_.run(
            where, 0, shape_.images * grid_.tiles_of_image(),
            [&](int64_t tile, int worker, tile_result &result) { result = compute(grid_.at(tile), worker); },
            [&](int64_t tile, const tile_result &result) {
                const tile_grid::place at = grid_.at(tile);
                request_.sums[at.image * shape_.channels + at.plane] += result.sum;
                request_.counts[at.image].outside += result.counts.outside;
            });
    }

private:
    // Pixels of one channel.
    struct area {
        int64_t image, channel, row, column, rows, columns;
    };

    tile_result compute(const tile_grid::place &at, int worker) const
    {
        area pixels = {at.image, at.plane, at.row * quad_size, at.column * quad_size, 0, 0};
        const image_pair &images = request_.images;
        const ssim_block_tile tile = {
            .type = shape_.type,
            .reference = plane_at(images.reference, pixels),
            .candidate = plane_at(images.candidate, pixels),
            .rows = at.rows,
            .columns = at.columns,
            .constants = request_.constants,
            .memory = waves_.memory_of(worker),
        };
        tile_result result = {kernels_.ssim_blocks(tile), {}};
        if (counting_) {
            // The last tiles also count the pixels beyond the last block.
            const bool last_rows = at.row + at.rows == grid_.height;
            const bool last_columns = at.column + at.columns == grid_.width;
            pixels.rows = last_rows ? shape_.height - pixels.row : int64_t(at.rows) * quad_size;
            pixels.columns = last_columns ? shape_.width - pixels.column : int64_t(at.columns) * quad_size;
            count(pixels, result.counts);
        }
        return result;
    }

    static sample_plane plane_at(const image_view &view, const area &at)
    {
        return {view.at(at.image, at.channel, 0, at.row, at.column), view.row_stride, view.column_stride};
    }

    void count(area pixels, sample_counts &counts) const
    {
        const image_view &x = request_.images.reference;
        const image_view &y = request_.images.candidate;
        for (const int64_t end = pixels.row + pixels.rows; pixels.row < end; ++pixels.row)
            kernels_.count_samples({shape_.type, plane_at(x, pixels).data, plane_at(y, pixels).data, pixels.columns,
                                    x.column_stride, y.column_stride},
                                   request_.range, counts);
    }

    const cpu_kernels &kernels_;
    ssim_blocks_request &request_;
    const image_view &shape_;
    tile_grid grid_; // in blocks
    waves<tile_result> waves_;
    bool counting_;
};

} // namespace

void cpu_ssim_blocks(context &where, workspace &memory, ssim_blocks_request &request)
{
    batch_of_blocks(where, memory, request).run(where);
}

} // namespace iqa
