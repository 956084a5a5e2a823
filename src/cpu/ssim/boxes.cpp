// SPDX-License-Identifier: MIT
// SSIM where anything may be asked for: divides a batch into boxes, lets workers compute them, and adds up what they
// give. Plain images go the quicker way of tiles.cpp.
#include "cpu/ssim/boxes.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"

namespace iqa {

namespace {

constexpr int64_t boxes_of_a_wave = 4096;

// Where a worker's finished rows go.
struct map_rows {
    const output_view *map;
    int64_t image, channel, slice, row, column;
    int columns;
};

template <class Real>
void store_map_row(void *receiver, int slice, int row, const void *values)
{
    const map_rows &to = *static_cast<const map_rows *>(receiver);
    const Real *value = static_cast<const Real *>(values);
    for (int column = 0; column < to.columns; ++column)
        to.map->store(to.image, to.channel, to.slice + slice, to.row + row, to.column + column, double(*value++));
}

class batch_of_boxes {
public:
    batch_of_boxes(context &where, workspace &memory, ssim_request &request)
        : kernels_(kernels_for(where)),
          request_(request),
          plan_(*request.plan),
          channels_(plan_.channels(request.images.reference)),
          box_depth_(plan_.taps_z == 1 ? 1 : ssim_box_depth),
          box_height_(plan_.taps_z == 1 ? ssim_tile_height : ssim_box_height),
          deep_(divide_up(request.out_depth, box_depth_)),
          down_(divide_up(request.out_height, box_height_)),
          across_(divide_up(request.out_width, ssim_tile_width)),
          total_(request.images.reference.images * channels_ * deep_ * down_ * across_),
          wave_(std::min(total_, boxes_of_a_wave))
    {
        const int64_t pixels = request.out_depth * request.out_height * request.out_width;
        workers_ = workers_for(where, total_, request.images.reference.images * channels_ * pixels);
        const int64_t rows = std::min<int64_t>(request.out_height, box_height_) + plan_.taps_y - 1;
        const int64_t columns = std::min<int64_t>(request.out_width, ssim_tile_width) + plan_.taps_x - 1;
        worker_size_ = size_t(ssim_box_memory(rows, columns, plan_.taps_z).total()) * sizeof(double);
        const size_t taps = bytes_of_taps(plan_);
        const size_t results = round_up(size_t(wave_) * sizeof(ssim_box_result), 64);
        const size_t planes = size_t(request.images.reference.images * channels_);
        const size_t doubts = round_up(planes * sizeof(doubt_total), 64);
        std::byte *block = memory.work.take<std::byte>(2 * taps + results + doubts + size_t(workers_) * worker_size_,
                                                       "the rows of SSIM boxes");
        taps_of_double_ = place_taps<double>(plan_, block);
        taps_of_float_ = place_taps<float>(plan_, block + taps);
        results_ = reinterpret_cast<ssim_box_result *>(block + 2 * taps);
        doubts_ = reinterpret_cast<doubt_total *>(block + 2 * taps + results);
        worker_memory_ = block + 2 * taps + results + doubts;
        std::fill_n(doubts_, planes, doubt_total{});
    }

    void run(context &where)
    {
        const int64_t images = request_.images.reference.images;
        const bool weighing = plan_.weighs(request_.weights);
        measure(where, 0, images);
        careful_ = true;
        for (int64_t image = 0; image < images; ++image) {
            const doubt_total *first = doubts_ + image * channels_;
            if (std::any_of(first, first + channels_,
                            [&](const doubt_total &plane) { return plane.too_much_for_plane(weighing); }))
                measure(where, image, 1);
        }
    }

private:
    // Some images.
    void measure(context &where, int64_t first_image, int64_t images)
    {
        const int64_t parts = request_.by_channel ? channels_ : 1;
        const bool weighing = plan_.weighs(request_.weights);
        std::fill_n(request_.sums + first_image * parts * ssim_parts, images * parts * ssim_parts, 0);
        std::fill_n(request_.not_a_number + first_image, images, false);
        if (weighing)
            std::fill_n(request_.weight + first_image * parts, images * parts, 0);
        const int64_t boxes = total_ / request_.images.reference.images;
        const int64_t end = (first_image + images) * boxes;
        for (int64_t first = first_image * boxes; first < end; first += wave_) {
            const int64_t count = std::min(wave_, end - first);
            for_each_tile(where, workers_, count,
                          [&](int64_t box, int worker) { compute(first + box, worker, results_[box]); });
            for (int64_t box = 0; box < count; ++box) {
                const place at = place_of(first + box);
                const ssim_box_result &result = results_[box];
                const int64_t part = request_.by_channel ? at.image * channels_ + at.channel : at.image;
                for (int which = 0; which < ssim_parts; ++which)
                    request_.sums[part * ssim_parts + which] += result.sums[which];
                if (weighing)
                    request_.weight[part] += result.weight;
                request_.not_a_number[at.image] = request_.not_a_number[at.image] || result.not_a_number;
                if (!careful_)
                    doubts_[at.image * channels_ + at.channel].add(result.doubt);
            }
        }
    }

    struct place {
        int64_t image, channel, slice, row, column;
    };

    place place_of(int64_t box) const
    {
        const int64_t across = box % across_;
        box /= across_;
        const int64_t down = box % down_;
        box /= down_;
        const int64_t deep = box % deep_;
        box /= deep_;
        return {box / channels_, box % channels_, deep * box_depth_, down * box_height_, across * ssim_tile_width};
    }

    box_axis axis(int64_t at, int64_t extent, int64_t size, int taps, const void *weights) const
    {
        const int64_t margin = plan_.border == border_mode::valid ? taps / 2 : 0;
        return {at - taps / 2 + margin, int(std::min(size, extent - at)), taps, weights};
    }

    void compute(int64_t index, int worker, ssim_box_result &result) const
    {
        const place at = place_of(index);
        ssim_box box{};
        box.source = source_of(plan_, request_.images, request_.weights, at.image, at.channel);
        box.border = plan_.border;
        box.twice_c1 = plan_.twice_c1;
        box.twice_c2 = plan_.twice_c2;
        box.covariance = plan_.covariance;
        box.convolution = plan_.weighs_means(request_.weights);
        box.coverage = plan_.coverage;
        box.negative_to_zero = plan_.negative_to_zero;
        std::copy_n(plan_.wanted, int(ssim_parts), box.wanted);
        box.memory = worker_memory_ + size_t(worker) * worker_size_;
        map_rows rows = {&request_.map, at.image, at.channel, at.slice, at.row, at.column, 0};
        box.receiver = &rows;
        if (plan_.double_arithmetic)
            return compute<double>(at, box, taps_of_double_, kernels_.ssim_box_double, result);
        compute<float>(at, box, taps_of_float_, kernels_.ssim_box_float, result);
        const doubt_total doubt = result.doubt;
        const bool doubted =
            careful_ && doubts_[at.image * channels_ + at.channel].too_much_for_plane(plan_.weighs(request_.weights)) &&
            doubt.too_much_for_tile();
        if (!result.spread && !doubted)
            return;
        compute<double>(at, box, taps_of_double_, kernels_.ssim_box_double, result);
        result.doubt = doubt;
    }

    template <class Real>
    void compute(const place &at, ssim_box &box, const box_taps &taps,
                 void (*kernel)(const ssim_box &, ssim_box_result &), ssim_box_result &result) const
    {
        box.z = axis(at.slice, request_.out_depth, box_depth_, plan_.taps_z, taps.z);
        box.y = axis(at.row, request_.out_height, box_height_, plan_.taps_y, taps.y);
        box.x = axis(at.column, request_.out_width, ssim_tile_width, plan_.taps_x, taps.x);
        static_cast<map_rows *>(box.receiver)->columns = box.x.count;
        box.store_row = request_.map.data != nullptr ? store_map_row<Real> : nullptr;
        kernel(box, result);
    }

    const cpu_kernels &kernels_;
    ssim_request &request_;
    const ssim_plan &plan_;
    int64_t channels_;
    int64_t box_depth_, box_height_;
    int64_t deep_, down_, across_;
    int64_t total_, wave_;
    int workers_ = 1;
    size_t worker_size_ = 0;
    box_taps taps_of_float_{}, taps_of_double_{};
    ssim_box_result *results_ = nullptr;
    doubt_total *doubts_ = nullptr; // [images][channels]
    bool careful_ = false;          // planes whose doubt exceeds what it may be are measured again
    std::byte *worker_memory_ = nullptr;
};

} // namespace

void cpu_ssim_boxes(context &where, workspace &memory, ssim_request &request)
{
    batch_of_boxes(where, memory, request).run(where);
}

} // namespace iqa
