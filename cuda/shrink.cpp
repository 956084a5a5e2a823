// SPDX-License-Identifier: MIT
#include "cuda/shrink.h"

#include "cuda/functions.hpp"
#include "cuda/launch.hpp"
#include "cuda/ssim_statistics.hpp"

namespace iqa::cuda {

namespace {

// Each launch makes as many scales as follow each other.
template <class Real>
void shrink_on_device(const context &where, std::span<const shrink_request> scales)
{
    using kernel = shrink_images<Real>;
    while (!scales.empty()) {
        const shrink_request &first = scales.front();
        const ssim_plan &plan = *first.plan;
        const image_view &shape = first.images.reference;
        typename kernel::arguments given{};
        given.source = source_of(plan, first.images, first.weights);
        given.images = shape.images;
        given.channels = plan.channels(shape);
        given.z = first.z;
        given.normalised = plan.weighs_means(first.weights);
        for (const shrink_request &scale : scales) {
            if (given.count == kernel::most_levels || (given.count > 0 && !kernel::follows(scale.z, scale.y, scale.x)))
                break;
            given.levels[given.count++] = {.y = scale.y,
                                           .x = scale.x,
                                           .reference = reinterpret_cast<Real *>(scale.reference),
                                           .candidate = reinterpret_cast<Real *>(scale.candidate),
                                           .weights = reinterpret_cast<Real *>(scale.shrunk_weights)};
        }
        launch<kernel>(where, given.blocks(), kernel::shared_bytes(given.count), given);
        scales = scales.subspan(size_t(given.count));
    }
}

} // namespace

void shrink(context &where, workspace &, std::span<const shrink_request> scales)
{
    if (scales.front().plan->double_arithmetic)
        shrink_on_device<double>(where, scales);
    else
        shrink_on_device<float>(where, scales);
}

} // namespace iqa::cuda
