// SPDX-License-Identifier: MIT
#include "cuda/ssim/shrink.h"

#include "cuda/backend.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/ssim/statistics.hpp"

namespace iqa::cuda {

namespace {

// Whether a level can be made from the tiles of the level before, by whole boxes.
bool follows(const shrink_request &level)
{
    return level.z.factor == 1 && level.y.factor == 2 && level.x.factor == 2 && level.y.first() == 0 &&
           level.x.first() == 0;
}

// Makes the first level and those that follow it in one launch; returns how many.
template <class Real, class Sample>
size_t shrink_on_device(const context &where, std::span<const shrink_request> levels)
{
    using kernel = shrink_images<Real, Sample>;
    const shrink_request &first = levels.front();
    const ssim_plan &plan = *first.plan;
    typename kernel::arguments args{};
    args.source = source_of<Real>(plan, first.images, first.weights);
    args.border = border_of(first.x.rule);
    const shrink_axis axes[3] = {first.z, first.y, first.x};
    for (int axis = z_axis; axis <= x_axis; ++axis) {
        args.first[axis] = axes[axis].first();
        args.factor[axis] = axes[axis].factor;
    }
    const int64_t down = divide_up(first.y.boxes(), kernel::side);
    const int64_t across = divide_up(first.x.boxes(), kernel::side);
    const int64_t channels = plan.channels(first.images.reference);
    const int64_t planes = first.images.reference.images * channels * first.z.boxes();
    args.down = uint32_t(down);
    args.across = uint32_t(across);
    args.channels = uint32_t(channels);
    args.depth = uint32_t(first.z.boxes());
    args.normalised = plan.weighs_means(first.weights);
    for (const shrink_request &level : levels) {
        if (args.count == kernel::most_levels || (args.count > 0 && !follows(level)))
            break;
        args.levels[args.count++] = {.height = level.y.boxes(),
                                     .width = level.x.boxes(),
                                     .reference = reinterpret_cast<Real *>(level.reference),
                                     .candidate = reinterpret_cast<Real *>(level.candidate),
                                     .weights = reinterpret_cast<Real *>(level.shrunk_weights)};
    }
    launch<kernel>(where, planes * down * across, kernel::shared_bytes(args.count), args);
    return size_t(args.count);
}

size_t shrink_together(const context &where, std::span<const shrink_request> levels)
{
    const shrink_request &first = levels.front();
    const image_view &shape = first.images.reference;
    const bool plain =
        first.plan->is_plain(shape, first.weights) && first.z.factor == 1 && first.y.factor == 2 && first.x.factor == 2;
    if (first.plan->double_arithmetic)
        return plain && shape.type == element_type::float64 ? shrink_on_device<double, double>(where, levels)
                                                            : shrink_on_device<double, void>(where, levels);
    size_t made = 0;
    if (plain)
        with_sample_type(shape.type, [&]<class Sample>(Sample) {
            if constexpr (sizeof(Sample) <= sizeof(float))
                made = shrink_on_device<float, Sample>(where, levels);
        });
    return made != 0 ? made : shrink_on_device<float, void>(where, levels);
}

} // namespace

void shrink(context &where, workspace &, std::span<const shrink_request> levels)
{
    while (!levels.empty())
        levels = levels.subspan(shrink_together(where, levels));
}

} // namespace iqa::cuda
