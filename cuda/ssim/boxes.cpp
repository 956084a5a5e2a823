// SPDX-License-Identifier: MIT
#include "cuda/ssim/boxes.hpp"

#include <algorithm>

#include "core/arena.hpp"
#include "cuda/backend.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/ssim/boxes.h"
#include "cuda/ssim/statistics.hpp"

namespace iqa::cuda {

namespace {

// Parts for blocks. Larger parts share more; smaller ones fit shared memory with larger windows.
constexpr int volume_part[3] = {4, 16, 32};
constexpr int image_parts[][3] = {{1, 16, 64}, {1, 16, 32}, {1, 8, 64}, {1, 8, 32}};
constexpr int part_of_large_windows[3] = {1, 8, 128};

// Memory that kernels add to; zero between updates.
struct zeroed_sums {
    ssim_doubts doubts;
    ssim_accumulator *accumulators;
    uint32_t *arrivals, *found_nan;
};

template <class Real, int known>
class boxes_on_device {
public:
    using kernel = ssim_boxes_of<Real, known>;

    boxes_on_device(context &where, workspace &memory, const ssim_request &request)
        : where_(where), plan_(*request.plan)
    {
        args_.statistics = arguments_of<Real>(where, memory, plan_, request.images, request.weights);
        choose_part(request);
        args_.formula = formula_of(plan_);
        std::copy_n(plan_.wanted, int(ssim_factors), args_.wanted);
        args_.by_channel = request.by_channel;
        args_.map = request.map;
        args_.sums = request.sums;
        args_.weight = request.weight;
        args_.not_a_number = request.not_a_number;
    }

    zeroed_sums take_sums(workspace &memory) const
    {
        const divided_maps &maps = args_.maps;
        const bool in_float = !plan_.double_arithmetic;
        const int64_t planes = maps.images * maps.channels;
        zeroed_sums sums{};
        place_in(memory.zeros, "the sums of SSIM", [&](arena &zeros) {
            if (in_float)
                sums.doubts = {zeros.take<ssim_tile_total>(maps.all_boxes()), zeros.take<doubt_total>(planes),
                               maps.boxes_of_plane(), args_.statistics.source.weighted()};
            sums.accumulators = zeros.take<ssim_accumulator>(args_.results());
            sums.arrivals = zeros.take<uint32_t>(1);
            sums.found_nan = zeros.take<uint32_t>(maps.images);
        });
        return sums;
    }

    void run(workspace &memory, const zeroed_sums &sums)
    {
        args_.doubts = sums.doubts;
        args_.accumulators = sums.accumulators;
        args_.arrivals = sums.arrivals;
        args_.found_nan = sums.found_nan;
        const int64_t blocks = place_blocks(memory, args_.maps.work(), block_memory_, args_.statistics);
        launch<kernel>(where_, blocks, kernel::shared_bytes + size_t(block_memory_.shared_bytes()), args_);
    }

private:
    void choose_part(const ssim_request &request)
    {
        if (plan_.size_z > 1)
            return take_part(request, volume_part);
        for (const auto &part : image_parts) {
            take_part(request, part);
            if (args_.statistics.layout.slab.shared)
                return;
        }
        take_part(request, part_of_large_windows);
    }

    void take_part(const ssim_request &request, const int (&part)[3])
    {
        args_.maps = divide_maps(plan_, request.images.reference,
                                 {request.out_depth, request.out_height, request.out_width}, ssim_box_depth, part);
        block_memory_ = {sizeof(Real), shared_bytes_of_a_block - kernel::shared_bytes};
        args_.statistics.layout =
            lay_out_statistics(plan_, args_.statistics.convolution, args_.maps.part, block_memory_);
    }

    context &where_;
    const ssim_plan &plan_;
    typename kernel::arguments args_{};
    block_memory_plan block_memory_{sizeof(Real), 0};
};

} // namespace

void ssim_boxes(context &where, workspace &memory, ssim_request &request)
{
    if (request.counts != nullptr) {
        count_request counting{
            request.images, request.weights, request.plan->range, request.plan->mask_nonfinite, request.counts, {}};
        count(where, counting);
    }
    boxes_on_device<double, 0> in_double(where, memory, request);
    const zeroed_sums sums = in_double.take_sums(memory);
    if (request.plan->double_arithmetic)
        return in_double.run(memory, sums);
    if (knows_taps(*request.plan))
        boxes_on_device<float, usual_taps>(where, memory, request).run(memory, sums);
    else
        boxes_on_device<float, 0>(where, memory, request).run(memory, sums);
    launch_after(memory, [&] { in_double.run(memory, sums); });
}

} // namespace iqa::cuda
