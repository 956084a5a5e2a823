// SPDX-License-Identifier: MIT
// General SSIM: any window, volumes, weights, luma, all factors. Divides a batch into boxes, lets workers compute them,
// and adds up their results. Plain images take the quicker way of tiles.cpp.
#include "cpu/ssim/boxes.hpp"

#include <algorithm>

#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"
#include "cpu/ssim/passes.hpp"

namespace iqa {

namespace {

class batch_of_boxes {
public:
    batch_of_boxes(context &where, workspace &memory, ssim_request &request)
        : kernels_(kernels_for(where)),
          request_(request),
          plan_(*request.plan),
          channels_(plan_.channels(request.images.reference)),
          grid_(grid_of(request)),
          passes_(where, request, grid_, channels_)
    {
        const int64_t rows = std::min(grid_.height, grid_.tile_height) + plan_.size_y - 1;
        const int64_t columns = std::min(grid_.width, grid_.tile_width) + plan_.size_x - 1;
        const size_t bytes_of_worker = size_t(ssim_box_memory(rows, columns, plan_.size_z).total()) * sizeof(double);
        place_in(memory.work, "the rows of SSIM boxes", [&](arena &block) {
            taps_of_double_ = place_taps<double>(plan_, block);
            taps_of_float_ = place_taps<float>(plan_, block);
            passes_.place(block, bytes_of_worker);
        });
    }

    void run(context &where)
    {
        passes_.run(
            where, [&](const place &at, int worker, ssim_box_result &result) { compute(at, worker, result); },
            [&](const place &at, const ssim_box_result &result) { collect(at, result); });
    }

private:
    using place = tile_grid::place;

    static tile_grid grid_of(const ssim_request &request)
    {
        const bool volume = request.plan->size_z > 1;
        return {.planes = request.plan->channels(request.images.reference),
                .depth = request.out_depth,
                .height = request.out_height,
                .width = request.out_width,
                .tile_depth = volume ? ssim_box_depth : 1,
                .tile_height = volume ? int(ssim_box_height) : int(ssim_tile_height),
                .tile_width = ssim_tile_width,
                // What all channels read comes from caches then: interleaved rows, and weights that they share.
                .planes_together = request.images.reference.column_stride != 1 ||
                                   (request.weights.data != nullptr && request.weights.channel_stride == 0)};
    }

    box_axis axis(int64_t at, int count, int taps, const void *filter) const
    {
        const int64_t margin = map_margin(plan_.border, taps);
        return {at - taps / 2 + margin, count, taps, filter};
    }

    void compute(const place &at, int worker, ssim_box_result &result) const
    {
        ssim_box box{};
        box.source = source_of(plan_, request_.images, request_.weights, at.image, at.plane);
        box.border = plan_.border;
        box.twice_c1 = plan_.twice_c1;
        box.twice_c2 = plan_.twice_c2;
        box.covariance = plan_.covariance;
        box.convolution = plan_.weighs_means(request_.weights);
        box.coverage = plan_.coverage;
        box.negative_to_zero = plan_.negative_to_zero;
        std::copy_n(plan_.wanted, int(ssim_factors), box.wanted);
        box.memory = passes_.memory_of(worker);
        map_rows rows = {&request_.map, at, 1};
        box.receiver = &rows;
        if (plan_.double_arithmetic)
            return compute<double>(at, box, taps_of_double_, kernels_.ssim_box_double, result);
        compute<float>(at, box, taps_of_float_, kernels_.ssim_box_float, result);
        const doubt_total doubt = result.doubt;
        if (!result.spread && !passes_.doubts(at.image, at.plane, doubt))
            return;
        compute<double>(at, box, taps_of_double_, kernels_.ssim_box_double, result);
        result.doubt = doubt;
    }

    template <class Real>
    void compute(const place &at, ssim_box &box, const box_taps &taps,
                 void (*kernel)(const ssim_box &, ssim_box_result &), ssim_box_result &result) const
    {
        box.z = axis(at.slice, at.slices, plan_.size_z, taps.z);
        box.y = axis(at.row, at.rows, plan_.size_y, taps.y);
        box.x = axis(at.column, at.columns, plan_.size_x, taps.x);
        box.store_row = request_.map.data != nullptr ? store_map_row<Real> : nullptr;
        kernel(box, result);
    }

    void collect(const place &at, const ssim_box_result &result)
    {
        const int64_t plane = request_.by_channel ? at.image * channels_ + at.plane : at.image;
        for (int factor = 0; factor < ssim_factors; ++factor)
            request_.sums[plane * ssim_factors + factor] += result.sums[factor];
        if (plan_.weighs(request_.weights))
            request_.weight[plane] += result.weight;
        passes_.add_doubt(at.image, at.plane, result.doubt);
    }

    const cpu_kernels &kernels_;
    ssim_request &request_;
    const ssim_plan &plan_;
    int64_t channels_;
    tile_grid grid_;
    ssim_passes<ssim_box_result> passes_;
    box_taps taps_of_float_{}, taps_of_double_{};
};

} // namespace

void cpu_ssim_boxes(context &where, workspace &memory, ssim_request &request)
{
    batch_of_boxes(where, memory, request).run(where);
}

} // namespace iqa
