// SPDX-License-Identifier: MIT
// SSIM over blocks of a batch: each channel is cut into tiles of blocks, which workers sum in any order. The tiles go
// in waves, so that the memory for their results does not grow with the image.
#include <algorithm>

#include "core/parallel.hpp"
#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"

namespace iqa {

namespace {

constexpr int64_t tiles_of_a_wave = 4096;

struct tile_result {
    int128 sum;
    sample_counts counts;
};

class batch_of_blocks {
public:
    batch_of_blocks(context &where, workspace &memory, ssim_blocks_request &request)
        : kernels_(kernels_for(where)), request_(request), shape_(request.images.reference)
    {
        rows_ = blocks_along(shape_.height);
        columns_ = blocks_along(shape_.width);
        down_ = divide_up(rows_, ssim_block_rows);
        across_ = divide_up(columns_, ssim_block_columns);
        total_ = shape_.images * shape_.channels * down_ * across_;
        workers_ = workers_for(where, total_, shape_.images * shape_.channels * shape_.pixels());
        wave_ = std::min(total_, tiles_of_a_wave);
        worker_size_ = size_t(ssim_block_tile_memory(std::min<int64_t>(columns_, ssim_block_columns)));
        const size_t results = round_up(size_t(wave_) * sizeof(tile_result), 64);
        std::byte *block = memory.work.take<std::byte>(results + size_t(workers_) * worker_size_, "the sums of blocks");
        results_ = reinterpret_cast<tile_result *>(block);
        worker_memory_ = block + results;
        counting_ = !covers(request.range, shape_.type);
    }

    void run(context &where)
    {
        std::fill_n(request_.sums, shape_.images * shape_.channels, 0);
        std::fill_n(request_.counts, shape_.images, sample_counts{});
        for (int64_t first = 0; first < total_; first += wave_) {
            const int64_t count = std::min(wave_, total_ - first);
            for_each_tile(where, workers_, count,
                          [&](int64_t tile, int worker) { results_[tile] = compute(first + tile, worker); });
            for (int64_t tile = 0; tile < count; ++tile) {
                const int64_t channel = (first + tile) / (down_ * across_);
                request_.sums[channel] += results_[tile].sum;
                request_.counts[channel / shape_.channels].outside += results_[tile].counts.outside;
            }
        }
    }

private:
    // Pixels of one channel.
    struct area {
        int64_t image, channel, row, column, rows, columns;
    };

    tile_result compute(int64_t index, int worker) const
    {
        const int64_t row = index / across_ % down_ * ssim_block_rows;
        const int64_t column = index % across_ * ssim_block_columns;
        const int64_t plane = index / (down_ * across_);
        area own = {plane / shape_.channels, plane % shape_.channels, row * quad_size, column * quad_size, 0, 0};
        const image_pair &images = request_.images;
        const ssim_block_tile tile = {
            .type = shape_.type,
            .reference = plane_at(images.reference, own),
            .candidate = plane_at(images.candidate, own),
            .rows = int(std::min<int64_t>(ssim_block_rows, rows_ - row)),
            .columns = int(std::min<int64_t>(ssim_block_columns, columns_ - column)),
            .constants = request_.constants,
            .memory = worker_memory_ + size_t(worker) * worker_size_,
        };
        tile_result result = {kernels_.ssim_blocks(tile), {}};
        if (counting_) {
            // The last tiles count the pixels that fill no block too.
            own.rows = row + tile.rows == rows_ ? shape_.height - own.row : int64_t(tile.rows) * quad_size;
            own.columns =
                column + tile.columns == columns_ ? shape_.width - own.column : int64_t(tile.columns) * quad_size;
            count(own, result.counts);
        }
        return result;
    }

    static sample_plane plane_at(const image_view &view, const area &at)
    {
        return {view.at(at.image, at.channel, 0, at.row, at.column), view.row_stride, view.column_stride};
    }

    void count(area own, sample_counts &counts) const
    {
        const image_view &x = request_.images.reference;
        const image_view &y = request_.images.candidate;
        for (const int64_t end = own.row + own.rows; own.row < end; ++own.row)
            kernels_.count_samples({shape_.type, plane_at(x, own).data, plane_at(y, own).data, own.columns,
                                    x.column_stride, y.column_stride},
                                   request_.range, counts);
    }

    const cpu_kernels &kernels_;
    ssim_blocks_request &request_;
    const image_view &shape_;
    int64_t rows_, columns_; // in blocks
    int64_t down_, across_;  // in tiles
    int64_t total_;
    int workers_ = 1;
    int64_t wave_ = 0;
    size_t worker_size_ = 0;
    tile_result *results_ = nullptr;
    std::byte *worker_memory_ = nullptr;
    bool counting_ = false;
};

} // namespace

void cpu_ssim_blocks(context &where, workspace &memory, ssim_blocks_request &request)
{
    batch_of_blocks(where, memory, request).run(where);
}

} // namespace iqa
