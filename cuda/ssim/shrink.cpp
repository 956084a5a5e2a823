// SPDX-License-Identifier: MIT
#include "cuda/ssim/shrink.h"

#include "cuda/backend.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/ssim/statistics.hpp"

namespace iqa::cuda {

namespace {

// Whether a scale is made of whole boxes of the tiles of the one before.
bool follows(const shrink_request &scale)
{
    return scale.z.factor == 1 && scale.y.factor == 2 && scale.x.factor == 2 && scale.y.first() == 0 &&
           scale.x.first() == 0;
}

// Makes those scales that follow each other; returns how many.
template <class Real, class Sample>
size_t shrink_on_device(const context &where, std::span<const shrink_request> scales)
{
    using kernel = shrink_images<Real, Sample>;
    const shrink_request &first = scales.front();
    const ssim_plan &plan = *first.plan;
    typename kernel::arguments given{};
    given.source = source_of(plan, first.images, first.weights);
    given.border = border_of(first.x.rule);
    const shrink_axis axes[3] = {first.z, first.y, first.x};
    for (int axis = z_axis; axis <= x_axis; ++axis) {
        given.first[axis] = axes[axis].first();
        given.factor[axis] = axes[axis].factor;
    }
    const int64_t down = divide_up(first.y.boxes(), kernel::side);
    const int64_t across = divide_up(first.x.boxes(), kernel::side);
    const int64_t channels = plan.channels(first.images.reference);
    const int64_t planes = first.images.reference.images * channels * first.z.boxes();
    given.down = uint32_t(down);
    given.across = uint32_t(across);
    given.channels = uint32_t(channels);
    given.depth = uint32_t(first.z.boxes());
    given.normalised = plan.weighs_means(first.weights);
    for (const shrink_request &scale : scales) {
        if (given.count == kernel::most_levels || (given.count > 0 && !follows(scale)))
            break;
        given.levels[given.count++] = {.height = scale.y.boxes(),
                                       .width = scale.x.boxes(),
                                       .reference = reinterpret_cast<Real *>(scale.reference),
                                       .candidate = reinterpret_cast<Real *>(scale.candidate),
                                       .weights = reinterpret_cast<Real *>(scale.shrunk_weights)};
    }
    launch<kernel>(where, planes * down * across, kernel::shared_bytes(given.count), given);
    return size_t(given.count);
}

size_t shrink_some(const context &where, std::span<const shrink_request> scales)
{
    const shrink_request &first = scales.front();
    const image_view &shape = first.images.reference;
    const bool plain =
        first.plan->is_plain(shape, first.weights) && first.z.factor == 1 && first.y.factor == 2 && first.x.factor == 2;
    if (first.plan->double_arithmetic)
        return plain && shape.type == element_type::float64 ? shrink_on_device<double, double>(where, scales)
                                                            : shrink_on_device<double, void>(where, scales);
    size_t made = 0;
    if (plain)
        with_sample_type(shape.type, [&]<class Sample>(Sample) {
            if constexpr (sizeof(Sample) <= sizeof(float))
                made = shrink_on_device<float, Sample>(where, scales);
        });
    return made != 0 ? made : shrink_on_device<float, void>(where, scales);
}

} // namespace

void shrink(context &where, workspace &, std::span<const shrink_request> scales)
{
    while (!scales.empty())
        scales = scales.subspan(shrink_some(where, scales));
}

} // namespace iqa::cuda
