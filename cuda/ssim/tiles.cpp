// SPDX-License-Identifier: MIT
// Chooses the kernel for a batch, and fills its arguments.
#include "cuda/ssim/tiles.hpp"

#include "cuda/backend.hpp"
#include "cuda/machine/grid.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/ssim/boxes.hpp"
#include "cuda/ssim/tiles.h"

namespace iqa::cuda {

namespace {

template <class Real, class Sample, int Taps>
typename ssim_tiles<Real, Sample, Taps>::arguments arguments_for(const ssim_request &request, const tile_sums &sums)
{
    const ssim_plan &plan = *request.plan;
    typename ssim_tiles<Real, Sample, Taps>::arguments args{};
    args.images = request.images;
    args.out_height = request.out_height;
    args.out_width = request.out_width;
    args.down = divider_by(uint32_t(map_tiles_down(request)));
    args.across = divider_by(uint32_t(map_tiles_across(request)));
    args.channels = divider_by(uint32_t(request.images.reference.channels));
    args.border = plan.border;
    args.gain = Real(plan.gain);
    round_taps(plan.taps_y, Taps, args.taps_y);
    round_taps(plan.taps_x, Taps, args.taps_x);
    args.constants = {Real(plan.twice_c1), Real(plan.twice_c2), Real(plan.covariance)};
    args.safe = is_safe_product(plan.twice_c1, plan.twice_c2);
    // Only the first kernel counts.
    args.counting = counts_samples(request) && (sizeof(Real) == sizeof(float) || sums.doubts.tiles == nullptr);
    args.by_channel = request.by_channel;
    args.factor = plan.wanted[ssim_product] ? ssim_product : ssim_contrast_structure;
    args.low = least_at_or_above<Real>(plan.range.low);
    args.high = most_at_or_below<Real>(plan.range.high);
    args.map = request.map;
    args.doubts = sums.doubts;
    args.totals = sums.totals;
    args.sums = request.sums;
    args.counts = request.counts;
    args.not_a_number = request.not_a_number;
    return args;
}

template <int Taps>
void measure_in_double(context &where, const ssim_request &request, const tile_sums &sums)
{
    using kernel = ssim_tiles<double, void, Taps>;
    const int64_t tiles = map_tiles(request);
    const int64_t work = sums.doubts.tiles == nullptr ? tiles * kernel::strips : tiles;
    launch<kernel>(where, resident_blocks(work, 0, 0), kernel::shared_bytes,
                   arguments_for<double, void, Taps>(request, sums));
}

template <int Taps>
void measure_tiles(context &where, workspace &memory, const ssim_request &request)
{
    const int64_t tiles = map_tiles(request);
    check_blocks(tiles); // dividers need fewer
    tile_sums sums{};
    place_in(memory.zeros, "sums of SSIM", [&](arena &zeros) { sums = place_tile_sums(zeros, request); });
    if (request.plan->double_arithmetic)
        return measure_in_double<Taps>(where, request, sums);
    with_sample_type(request.images.reference.type, [&](auto sample) {
        if constexpr (sizeof sample <= sizeof(float)) { // other types use double arithmetic
            using kernel = ssim_tiles<float, decltype(sample), Taps>;
            launch<kernel>(where, tiles * kernel::strips, kernel::shared_bytes,
                           arguments_for<float, decltype(sample), Taps>(request, sums));
        }
    });
    launch_after(memory, [&] { measure_in_double<Taps>(where, request, sums); });
}

} // namespace

tile_sums place_tile_sums(arena &zeros, const ssim_request &request)
{
    const image_view &shape = request.images.reference;
    const int64_t planes = shape.images * shape.channels;
    const int64_t tiles = map_tiles(request);
    tile_sums sums{};
    if (!request.plan->double_arithmetic)
        sums.doubts = {zeros.take<ssim_tile_total>(tiles), zeros.take<doubt_total>(planes), tiles / planes, false};
    sums.totals = {zeros.take<ssim_plane_total>(request.by_channel ? planes : shape.images),
                   zeros.take<ssim_image_total>(shape.images), zeros.take<uint32_t>(1)};
    return sums;
}

void finish_tiles(context &where, const ssim_request &request, const tile_sums &sums)
{
    measure_in_double<usual_taps>(where, request, sums);
}

void ssim(context &where, workspace &memory, ssim_request &request)
{
    const ssim_plan &plan = *request.plan;
    const bool plain = is_plain(request) && plan.size_y == plan.size_x;
    if (plain && plan.size_y == usual_taps)
        measure_tiles<usual_taps>(where, memory, request);
    else if (plain && plan.size_y == 7)
        measure_tiles<7>(where, memory, request);
    else
        ssim_boxes(where, memory, request);
}

} // namespace iqa::cuda
