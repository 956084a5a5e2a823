// SPDX-License-Identifier: MIT
#include "cuda/ssim_boxes.hpp"

#include <algorithm>

#include "cuda/functions.hpp"
#include "cuda/launch.hpp"
#include "cuda/ssim_boxes.h"
#include "cuda/ssim_statistics.hpp"

namespace iqa::cuda {

namespace {

// The parts that blocks take, from those that share most to those whose rows fit shared memory with larger windows.
constexpr int volume_part[3] = {4, 16, 32};
constexpr int image_parts[][3] = {{1, 16, 64}, {1, 16, 32}, {1, 8, 64}, {1, 8, 32}};
constexpr int part_of_large_windows[3] = {1, 8, 128};

template <class Real>
class boxes_on_device {
public:
    using kernel = ssim_boxes_of<Real>;

    boxes_on_device(context &where, workspace &memory, const ssim_request &request)
        : where_(where), plan_(*request.plan)
    {
        given_.statistics = arguments_of<Real>(where, memory, plan_, request.images, request.weights);
        choose_part(request);
        given_.formula = formula_of(plan_);
        std::copy_n(plan_.wanted, int(ssim_parts), given_.wanted);
        given_.by_channel = request.by_channel;
        given_.map = request.map;
        given_.sums = request.sums;
        given_.weight = request.weight;
        given_.not_a_number = request.not_a_number;
        const size_t results = size_t(given_.results());
        std::byte *zeros = memory.zeros.take<std::byte>(results * sizeof(ssim_accumulator) +
                                                            (size_t(given_.maps.images) + 1) * sizeof(uint32_t),
                                                        "the sums of SSIM");
        given_.accumulators = reinterpret_cast<ssim_accumulator *>(zeros);
        given_.arrivals = reinterpret_cast<uint32_t *>(zeros + results * sizeof(ssim_accumulator));
        given_.found_nan = given_.arrivals + 1;
        blocks_ = place_blocks(memory, given_.maps.work(), block_memory_, given_.statistics);
    }

    void run() const
    {
        launch<kernel>(where_, blocks_, kernel::shared_bytes + size_t(block_memory_.shared_bytes()), given_);
    }

private:
    void choose_part(const ssim_request &request)
    {
        if (plan_.taps_z > 1)
            return take_part(request, volume_part);
        for (const auto &part : image_parts) {
            take_part(request, part);
            if (given_.statistics.layout.slab.shared)
                return;
        }
        take_part(request, part_of_large_windows);
    }

    void take_part(const ssim_request &request, const int (&part)[3])
    {
        given_.maps = divide_maps(plan_, request.images.reference,
                                  {request.out_depth, request.out_height, request.out_width}, ssim_box_depth, part);
        block_memory_ = {sizeof(Real), shared_bytes_of_a_block - kernel::shared_bytes};
        given_.statistics.layout =
            lay_out_statistics(plan_, given_.statistics.convolution, given_.maps.part, block_memory_);
    }

    context &where_;
    const ssim_plan &plan_;
    typename kernel::arguments given_{};
    block_memory_plan block_memory_{sizeof(Real), 0};
    int64_t blocks_ = 0;
};

} // namespace

void ssim_boxes(context &where, workspace &memory, ssim_request &request)
{
    if (request.counts != nullptr) {
        count_request counting{
            request.images, request.weights, request.plan->range, request.plan->mask_nonfinite, request.counts, {}};
        count(where, counting);
    }
    if (request.plan->double_arithmetic)
        boxes_on_device<double>(where, memory, request).run();
    else
        boxes_on_device<float>(where, memory, request).run();
}

} // namespace iqa::cuda
