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
        const image_view &shape = request.images.reference;
        const bool volume = plan_.taps_z > 1;
        given_.statistics = arguments_of<Real>(where, memory, plan_, request.images, request.weights);
        given_.images = shape.images;
        given_.channels = plan_.channels(shape);
        given_.extents[z_axis] = request.out_depth;
        given_.extents[y_axis] = request.out_height;
        given_.extents[x_axis] = request.out_width;
        given_.box[z_axis] = volume ? int(ssim_box_depth) : 1;
        given_.box[y_axis] = volume ? int(ssim_box_height) : int(ssim_tile_height);
        given_.box[x_axis] = ssim_tile_width;
        choose_part();
        given_.twice_c1 = plan_.twice_c1;
        given_.twice_c2 = plan_.twice_c2;
        given_.covariance = plan_.covariance;
        given_.coverage = plan_.coverage;
        given_.negative_to_zero = plan_.negative_to_zero;
        std::copy_n(plan_.wanted, int(ssim_parts), given_.wanted);
        given_.by_channel = request.by_channel;
        given_.map = request.map;
        given_.sums = request.sums;
        given_.weight = request.weight;
        given_.not_a_number = request.not_a_number;
        const size_t results = size_t(given_.results());
        std::byte *zeros = memory.zeros.take<std::byte>(
            results * sizeof(ssim_accumulator) + (size_t(given_.images) + 1) * sizeof(uint32_t), "the sums of SSIM");
        given_.accumulators = reinterpret_cast<ssim_accumulator *>(zeros);
        given_.arrivals = reinterpret_cast<uint32_t *>(zeros + results * sizeof(ssim_accumulator));
        given_.found_nan = given_.arrivals + 1;
        blocks_ = place_blocks(memory, given_.work(), block_memory_, given_.statistics);
    }

    void run() const
    {
        launch<kernel>(where_, blocks_, kernel::shared_bytes + size_t(block_memory_.shared_bytes()), given_);
    }

private:
    void choose_part()
    {
        if (plan_.taps_z > 1)
            return take_part(volume_part);
        for (const auto &part : image_parts) {
            take_part(part);
            if (given_.statistics.layout.slab.shared)
                return;
        }
        take_part(part_of_large_windows);
    }

    void take_part(const int (&part)[3])
    {
        int largest[3];
        for (int axis = z_axis; axis <= x_axis; ++axis) {
            given_.part[axis] = part[axis];
            given_.parts[axis] = (given_.extents[axis] + part[axis] - 1) / part[axis];
            largest[axis] = int(std::min<int64_t>(part[axis], given_.extents[axis]));
        }
        block_memory_ = {sizeof(Real), shared_bytes_of_a_block - kernel::shared_bytes};
        given_.statistics.layout = lay_out_statistics(plan_, given_.statistics.convolution, largest, block_memory_);
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
