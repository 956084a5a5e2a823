// SPDX-License-Identifier: MIT
// SSIM of plain images: divides a batch into tiles, lets workers compute them, and adds up what they give. The tiles go
// in waves, so that the memory for their results does not grow with the image.
#include <algorithm>

#include "arith/ssim.h"
#include "arith/window.h"
#include "core/parallel.hpp"
#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"

namespace iqa {

namespace {

constexpr int64_t tiles_of_a_wave = 4096;

// A batch as planes of tiles.
struct tile_plan {
    int channels;   // interleaved channels of a plane
    int64_t planes; // of an image
    int64_t down, across;

    int64_t of_image() const { return planes * down * across; }
};

bool interleaved(const image_view &view)
{
    return view.channel_stride == 1 && view.column_stride == view.channels;
}

tile_plan plan_tiles(const ssim_request &request)
{
    const image_view &shape = request.images.reference;
    const bool together = shape.channels > 1 && shape.channels <= ssim_most_interleaved &&
                          interleaved(request.images.reference) && interleaved(request.images.candidate);
    return {
        .channels = together ? int(shape.channels) : 1,
        .planes = together ? 1 : shape.channels,
        .down = divide_up(request.out_height, ssim_tile_height),
        .across = divide_up(request.out_width, ssim_tile_width),
    };
}

// Where a worker's finished rows go.
struct map_rows {
    const output_view *map;
    int64_t image, channel, row, column;
    int columns, channels;
};

template <class Real>
void store_map_row(void *receiver, int row, const void *values)
{
    const map_rows &to = *static_cast<const map_rows *>(receiver);
    const Real *value = static_cast<const Real *>(values);
    for (int column = 0; column < to.columns; ++column)
        for (int channel = 0; channel < to.channels; ++channel)
            to.map->store(to.image, to.channel + channel, 0, to.row + row, to.column + column, *value++);
}

sample_plane plane_of(const image_view &view, int64_t image, int64_t channel)
{
    return {view.at(image, channel, 0, 0, 0), view.row_stride, view.column_stride};
}

class batch_of_tiles {
public:
    batch_of_tiles(context &where, workspace &memory, ssim_request &request)
        : kernels_(kernels_for(where)), request_(request), plan_(*request.plan), tiles_(plan_tiles(request))
    {
        const image_view &shape = request.images.reference;
        const int64_t total = shape.images * tiles_.of_image();
        workers_ = workers_for(where, total, shape.images * shape.channels * request.out_height * request.out_width);
        wave_ = std::min(total, tiles_of_a_wave);
        const int64_t columns = std::min<int64_t>(request.out_width, ssim_tile_width);
        const size_t taps = round_up(size_t(plan_.taps_y + plan_.taps_x), 16) * sizeof(double);
        const auto bytes = [&](int channels, size_t real_size) {
            return size_t(ssim_tile_memory(columns, plan_.taps_y, plan_.taps_x, channels)) * real_size;
        };
        worker_size_ = std::max(bytes(tiles_.channels, plan_.double_arithmetic ? sizeof(double) : sizeof(float)),
                                bytes(1, sizeof(double)));
        const size_t results = round_up(size_t(wave_) * sizeof(ssim_tile_result), 64);
        const size_t planes = size_t(shape.images * shape.channels);
        const size_t doubts = round_up(planes * sizeof(doubt_total), 64);
        std::byte *block = memory.work.take<std::byte>(2 * taps + results + doubts + size_t(workers_) * worker_size_,
                                                       "the rows of SSIM tiles");
        taps_of_double_ = reinterpret_cast<double *>(block);
        taps_of_float_ = reinterpret_cast<float *>(block + taps);
        results_ = reinterpret_cast<ssim_tile_result *>(block + 2 * taps);
        doubts_ = reinterpret_cast<doubt_total *>(block + 2 * taps + results);
        worker_memory_ = block + 2 * taps + results + doubts;
        round_taps(plan_.weights_y, plan_.taps_y, taps_of_double_);
        round_taps(plan_.weights_x, plan_.taps_x, taps_of_double_ + plan_.taps_y);
        round_taps(plan_.weights_y, plan_.taps_y, taps_of_float_);
        round_taps(plan_.weights_x, plan_.taps_x, taps_of_float_ + plan_.taps_y);
        std::fill_n(doubts_, planes, doubt_total{});
        margin_y_ = plan_.border == border_mode::valid ? plan_.taps_y / 2 : 0;
        margin_x_ = plan_.border == border_mode::valid ? plan_.taps_x / 2 : 0;
        counting_ = request.counts != nullptr && !covers(plan_.range, shape.type);
    }

    void run(context &where)
    {
        const image_view &shape = request_.images.reference;
        if (request_.counts != nullptr)
            std::fill_n(request_.counts, shape.images, sample_counts{});
        measure(where, 0, shape.images);
        careful_ = true;
        counting_ = false;
        for (int64_t image = 0; image < shape.images; ++image) {
            const doubt_total *first = doubts_ + image * shape.channels;
            if (std::any_of(first, first + shape.channels,
                            [](const doubt_total &plane) { return plane.too_much_for_plane(false); }))
                measure(where, image, 1);
        }
    }

private:
    // Some images.
    void measure(context &where, int64_t first_image, int64_t images)
    {
        const int64_t parts = request_.by_channel ? request_.images.reference.channels : 1;
        std::fill_n(request_.sums + first_image * parts * ssim_parts, images * parts * ssim_parts, 0);
        std::fill_n(request_.not_a_number + first_image, images, false);
        const int64_t end = (first_image + images) * tiles_.of_image();
        for (int64_t first = first_image * tiles_.of_image(); first < end; first += wave_) {
            const int64_t count = std::min(wave_, end - first);
            for_each_tile(where, workers_, count,
                          [&](int64_t tile, int worker) { compute(first + tile, worker, results_[tile]); });
            for (int64_t tile = 0; tile < count; ++tile)
                collect(first + tile, results_[tile]);
        }
    }

    struct place {
        int64_t image, channel, row, column;
    };

    place place_of(int64_t tile) const
    {
        const int64_t across = tile % tiles_.across;
        tile /= tiles_.across;
        const int64_t down = tile % tiles_.down;
        tile /= tiles_.down;
        return {tile / tiles_.planes, tile % tiles_.planes, down * ssim_tile_height, across * ssim_tile_width};
    }

    void compute(int64_t index, int worker, ssim_tile_result &result) const
    {
        const place at = place_of(index);
        const image_pair &images = request_.images;
        ssim_tile tile{};
        tile.type = images.reference.type;
        tile.reference = plane_of(images.reference, at.image, at.channel);
        tile.candidate = plane_of(images.candidate, at.image, at.channel);
        tile.channels = tiles_.channels;
        tile.height = images.reference.height;
        tile.width = images.reference.width;
        tile.border = plan_.border;
        tile.first_row = at.row - plan_.taps_y / 2 + margin_y_;
        tile.first_column = at.column - plan_.taps_x / 2 + margin_x_;
        tile.rows = int(std::min<int64_t>(ssim_tile_height, request_.out_height - at.row));
        tile.columns = int(std::min<int64_t>(ssim_tile_width, request_.out_width - at.column));
        tile.taps_y = plan_.taps_y;
        tile.taps_x = plan_.taps_x;
        tile.twice_c1 = plan_.twice_c1;
        tile.twice_c2 = plan_.twice_c2;
        tile.covariance = plan_.covariance;
        tile.scale = plan_.scale;
        tile.product = plan_.wanted[ssim_product];
        tile.counting = counting_;
        tile.range = plan_.range;
        tile.own_row = own_begin(at.row, margin_y_);
        tile.own_rows = own_end(at.row + tile.rows, request_.out_height, tile.height, margin_y_) - tile.own_row;
        tile.own_column = own_begin(at.column, margin_x_);
        tile.own_columns =
            own_end(at.column + tile.columns, request_.out_width, tile.width, margin_x_) - tile.own_column;
        tile.memory = worker_memory_ + size_t(worker) * worker_size_;
        tile.by_channel = request_.by_channel && tiles_.channels > 1;
        map_rows rows = {&request_.map, at.image, at.channel, at.row, at.column, tile.columns, tile.channels};
        tile.receiver = &rows;
        if (plan_.double_arithmetic)
            return compute_in_double(tile, result);
        compute_in_float(tile, result);

        // Channels that float does not carry; where there are some, all are measured one by one.
        const doubt_total *planes = doubts_ + at.image * images.reference.channels + at.channel;
        bool again[ssim_most_interleaved];
        for (int channel = 0; channel < tiles_.channels; ++channel)
            again[channel] =
                result.spread[channel] || (careful_ && planes[channel].too_much_for_plane(false) &&
                                           doubt_of(result, channel, tile.rows, tile.columns).too_much_for_tile());
        if (std::find(again, again + tiles_.channels, true) == again + tiles_.channels)
            return;
        std::fill_n(result.sums, int(ssim_most_interleaved), 0);
        result.not_a_number = false;
        tile.channels = rows.channels = 1;
        tile.counting = false;
        for (int channel = 0; channel < tiles_.channels; ++channel, ++rows.channel) {
            tile.reference = plane_of(images.reference, at.image, at.channel + channel);
            tile.candidate = plane_of(images.candidate, at.image, at.channel + channel);
            ssim_tile_result own;
            if (again[channel])
                compute_in_double(tile, own);
            else
                compute_in_float(tile, own);
            result.sums[tile.by_channel ? channel : 0] += own.sums[0];
            result.not_a_number = result.not_a_number || own.not_a_number;
        }
    }

    void compute_in_float(ssim_tile &tile, ssim_tile_result &result) const
    {
        tile.weights_y = taps_of_float_;
        tile.weights_x = taps_of_float_ + plan_.taps_y;
        tile.store_row = request_.map.data != nullptr ? store_map_row<float> : nullptr;
        kernels_.ssim_float(tile, result);
    }

    void compute_in_double(ssim_tile &tile, ssim_tile_result &result) const
    {
        tile.weights_y = taps_of_double_;
        tile.weights_x = taps_of_double_ + plan_.taps_y;
        tile.store_row = request_.map.data != nullptr ? store_map_row<double> : nullptr;
        kernels_.ssim_double(tile, result);
    }

    static doubt_total doubt_of(const ssim_tile_result &result, int channel, int64_t rows, int64_t columns)
    {
        doubt_total doubt = {doubted_rows(int(rows)) * columns, {}};
        std::copy_n(result.doubts[channel], int(doubt_kinds), doubt.sums);
        return doubt;
    }

    void collect(int64_t index, const ssim_tile_result &result)
    {
        const place at = place_of(index);
        if (request_.counts != nullptr) {
            request_.counts[at.image].outside += result.counts.outside;
            request_.counts[at.image].nonfinite += result.counts.nonfinite;
        }
        request_.not_a_number[at.image] = request_.not_a_number[at.image] || result.not_a_number;
        const int64_t first = at.image * request_.images.reference.channels + at.channel;
        const int64_t rows = std::min<int64_t>(ssim_tile_height, request_.out_height - at.row);
        const int64_t columns = std::min<int64_t>(ssim_tile_width, request_.out_width - at.column);
        for (int channel = 0; !careful_ && channel < tiles_.channels; ++channel)
            doubts_[first + channel].add(doubt_of(result, channel, rows, columns));
        const int part = plan_.wanted[ssim_product] ? ssim_product : ssim_contrast_structure;
        if (!request_.by_channel) {
            request_.sums[at.image * ssim_parts + part] += result.sums[0];
            return;
        }
        for (int channel = 0; channel < tiles_.channels; ++channel)
            request_.sums[(first + channel) * ssim_parts + part] += result.sums[channel];
    }

    const cpu_kernels &kernels_;
    ssim_request &request_;
    const ssim_plan &plan_;
    tile_plan tiles_;
    int workers_ = 1;
    int64_t wave_ = 0;
    size_t worker_size_ = 0;
    double *taps_of_double_ = nullptr; // down, then across
    float *taps_of_float_ = nullptr;
    ssim_tile_result *results_ = nullptr;
    doubt_total *doubts_ = nullptr; // [images][channels]
    std::byte *worker_memory_ = nullptr;
    bool careful_ = false; // planes whose doubt exceeds what it may be are measured again
    int64_t margin_y_ = 0, margin_x_ = 0;
    bool counting_ = false;
};

} // namespace

void cpu_ssim(context &where, workspace &memory, ssim_request &request)
{
    if (is_plain(request))
        return batch_of_tiles(where, memory, request).run(where);
    if (request.counts != nullptr) {
        count_request counting{
            request.images, request.weights, request.plan->range, request.plan->mask_nonfinite, request.counts, {}};
        cpu_count(where, counting);
    }
    cpu_ssim_boxes(where, memory, request);
}

} // namespace iqa
