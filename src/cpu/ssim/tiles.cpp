// SPDX-License-Identifier: MIT
// SSIM of plain images: divides a batch into tiles, lets workers compute them, and adds up their results.
#include <algorithm>

#include "arith/ssim.h"
#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"
#include "cpu/ssim/boxes.hpp"
#include "cpu/ssim/passes.hpp"

namespace iqa {

namespace {

bool interleaved(const image_view &view)
{
    return view.channel_stride == 1 && view.column_stride == view.channels;
}

// Interleaved channels that are measured together.
int channels_together(const image_pair &images)
{
    const int64_t channels = images.reference.channels;
    const bool together =
        channels <= ssim_most_interleaved && interleaved(images.reference) && interleaved(images.candidate);
    return together ? int(channels) : 1;
}

sample_plane plane_of(const image_view &view, int64_t image, int64_t channel)
{
    return {view.at(image, channel, 0, 0, 0), view.row_stride, view.column_stride};
}

class batch_of_tiles {
public:
    batch_of_tiles(context &where, workspace &memory, ssim_request &request)
        : kernels_(kernels_for(where)),
          request_(request),
          plan_(*request.plan),
          channels_(channels_together(request.images)),
          passes_(where, request, grid_of(request, channels_), request.images.reference.channels)
    {
        const int64_t columns = std::min<int64_t>(request.out_width, ssim_tile_width);
        const auto bytes = [&](int channels, size_t real_size) {
            return size_t(ssim_tile_memory(columns, plan_.size_y, plan_.size_x, channels)) * real_size;
        };
        const size_t bytes_of_worker = std::max(
            bytes(channels_, plan_.double_arithmetic ? sizeof(double) : sizeof(float)), bytes(1, sizeof(double)));
        place_in(memory.work, "the rows of SSIM tiles", [&](arena &block) {
            taps_of_double_ = place_taps<double>(plan_, block);
            taps_of_float_ = place_taps<float>(plan_, block);
            passes_.place(block, bytes_of_worker);
        });
        margin_y_ = map_margin(plan_.border, plan_.size_y);
        margin_x_ = map_margin(plan_.border, plan_.size_x);
        counting_ = request.counts != nullptr && !covers(plan_.range, request.images.reference.type);
    }

    void run(context &where)
    {
        if (request_.counts != nullptr)
            std::fill_n(request_.counts, request_.images.reference.images, sample_counts{});
        passes_.run(
            where, [&](const place &at, int worker, ssim_tile_result &result) { compute(at, worker, result); },
            [&](const place &at, const ssim_tile_result &result) { collect(at, result); });
    }

private:
    using place = tile_grid::place;

    static tile_grid grid_of(const ssim_request &request, int channels)
    {
        return {.planes = request.images.reference.channels / channels,
                .depth = 1,
                .height = request.out_height,
                .width = request.out_width,
                .tile_depth = 1,
                .tile_height = ssim_tile_height,
                .tile_width = ssim_tile_width,
                .planes_together = request.images.reference.column_stride != 1};
    }

    void compute(const place &at, int worker, ssim_tile_result &result) const
    {
        const image_pair &images = request_.images;
        ssim_tile tile{};
        tile.type = images.reference.type;
        tile.reference = plane_of(images.reference, at.image, at.plane);
        tile.candidate = plane_of(images.candidate, at.image, at.plane);
        tile.channels = channels_;
        tile.height = images.reference.height;
        tile.width = images.reference.width;
        tile.border = plan_.border;
        tile.first_row = at.row - plan_.size_y / 2 + margin_y_;
        tile.first_column = at.column - plan_.size_x / 2 + margin_x_;
        tile.rows = at.rows;
        tile.columns = at.columns;
        tile.size_y = plan_.size_y;
        tile.size_x = plan_.size_x;
        tile.twice_c1 = plan_.twice_c1;
        tile.twice_c2 = plan_.twice_c2;
        tile.covariance = plan_.covariance;
        tile.gain = plan_.gain;
        tile.product = plan_.wanted[ssim_product];
        tile.counting = counting_ && !passes_.again();
        tile.range = plan_.range;
        tile.counted_row = counted_begin(at.row, margin_y_);
        tile.counted_rows =
            counted_end(at.row + tile.rows, request_.out_height, tile.height, margin_y_) - tile.counted_row;
        tile.counted_column = counted_begin(at.column, margin_x_);
        tile.counted_columns =
            counted_end(at.column + tile.columns, request_.out_width, tile.width, margin_x_) - tile.counted_column;
        tile.memory = passes_.memory_of(worker);
        tile.by_channel = request_.by_channel && channels_ > 1;
        map_rows rows = {&request_.map, at, channels_};
        tile.receiver = &rows;
        if (plan_.double_arithmetic)
            return compute_in_double(tile, result);
        compute_in_float(tile, result);

        // If float does not carry a channel, all channels are measured one by one.
        bool again[ssim_most_interleaved];
        for (int channel = 0; channel < channels_; ++channel)
            again[channel] =
                result.spread[channel] || passes_.doubts(at.image, at.plane + channel, doubt_of(result, channel, at));
        if (std::find(again, again + channels_, true) == again + channels_)
            return;
        std::fill_n(result.sums, int(ssim_most_interleaved), 0);
        result.not_a_number = false;
        tile.channels = rows.channels = 1;
        tile.counting = false;
        for (int channel = 0; channel < channels_; ++channel, ++rows.at.plane) {
            tile.reference = plane_of(images.reference, at.image, at.plane + channel);
            tile.candidate = plane_of(images.candidate, at.image, at.plane + channel);
            ssim_tile_result single;
            if (again[channel])
                compute_in_double(tile, single);
            else
                compute_in_float(tile, single);
            result.sums[tile.by_channel ? channel : 0] += single.sums[0];
            result.not_a_number = result.not_a_number || single.not_a_number;
        }
    }

    void compute_in_float(ssim_tile &tile, ssim_tile_result &result) const
    {
        tile.taps_y = taps_of_float_.y;
        tile.taps_x = taps_of_float_.x;
        tile.store_row = request_.map.data != nullptr ? store_map_row<float> : nullptr;
        kernels_.ssim_float(tile, result);
    }

    void compute_in_double(ssim_tile &tile, ssim_tile_result &result) const
    {
        tile.taps_y = taps_of_double_.y;
        tile.taps_x = taps_of_double_.x;
        tile.store_row = request_.map.data != nullptr ? store_map_row<double> : nullptr;
        kernels_.ssim_double(tile, result);
    }

    static doubt_total doubt_of(const ssim_tile_result &result, int channel, const place &at)
    {
        doubt_total doubt = {int64_t(doubted_rows(at.rows)) * at.columns, {}};
        std::copy_n(result.doubts[channel], int(doubt_kinds), doubt.sums);
        return doubt;
    }

    void collect(const place &at, const ssim_tile_result &result)
    {
        if (request_.counts != nullptr) {
            request_.counts[at.image].outside += result.counts.outside;
            request_.counts[at.image].nonfinite += result.counts.nonfinite;
        }
        for (int channel = 0; channel < channels_; ++channel)
            passes_.add_doubt(at.image, at.plane + channel, doubt_of(result, channel, at));
        const int factor = plan_.wanted[ssim_product] ? ssim_product : ssim_contrast_structure;
        if (!request_.by_channel) {
            request_.sums[at.image * ssim_factors + factor] += result.sums[0];
            return;
        }
        const int64_t first = at.image * request_.images.reference.channels + at.plane;
        for (int channel = 0; channel < channels_; ++channel)
            request_.sums[(first + channel) * ssim_factors + factor] += result.sums[channel];
    }

    const cpu_kernels &kernels_;
    ssim_request &request_;
    const ssim_plan &plan_;
    int channels_; // of a pixel, measured together
    ssim_passes<ssim_tile_result> passes_;
    box_taps taps_of_float_{}, taps_of_double_{};
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
