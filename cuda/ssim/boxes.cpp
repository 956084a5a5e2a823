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

// The parts that blocks take, from those that share most to those whose rows fit shared memory with larger windows.
constexpr int volume_part[3] = {4, 16, 32};
constexpr int image_parts[][3] = {{1, 16, 64}, {1, 16, 32}, {1, 8, 64}, {1, 8, 32}};
constexpr int part_of_large_windows[3] = {1, 8, 128};

// What kernels add to, all of it zero between updates.
struct course {
    ssim_doubts doubts;
    ssim_accumulator *accumulators;
    uint32_t *arrivals, *found_nan;
};

template <class Real>
class boxes_on_device {
public:
    using kernel = ssim_boxes_of<Real>;

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

    course take_course(workspace &memory) const
    {
        const divided_maps &maps = args_.maps;
        const bool in_float = !plan_.double_arithmetic;
        const int64_t planes = maps.images * maps.channels;
        course all{};
        place_in(memory.zeros, "the sums of SSIM", [&](arena &zeros) {
            if (in_float)
                all.doubts = {zeros.take<ssim_tile_total>(planes * maps.boxes_of_plane()),
                              zeros.take<doubt_total>(planes), maps.boxes_of_plane(),
                              args_.statistics.source.weighted()};
            all.accumulators = zeros.take<ssim_accumulator>(args_.results());
            all.arrivals = zeros.take<uint32_t>(1);
            all.found_nan = zeros.take<uint32_t>(maps.images);
        });
        return all;
    }

    void run(workspace &memory, const course &all)
    {
        args_.doubts = all.doubts;
        args_.accumulators = all.accumulators;
        args_.arrivals = all.arrivals;
        args_.found_nan = all.found_nan;
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
    boxes_on_device<double> in_double(where, memory, request);
    const course all = in_double.take_course(memory);
    if (request.plan->double_arithmetic)
        return in_double.run(memory, all);
    boxes_on_device<float>(where, memory, request).run(memory, all);
    launch_after(memory, [&] { in_double.run(memory, all); });
}

} // namespace iqa::cuda
