// SPDX-License-Identifier: MIT
// Chooses the kernel for a batch, and fills its arguments.
#include <cmath>
#include <limits>

#include "core/arena.hpp"
#include "cuda/backend.hpp"
#include "cuda/machine/grid.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/ssim/boxes.hpp"
#include "cuda/ssim/tiles.h"

namespace iqa::cuda {

namespace {

// The data range's bounds in the arithmetic's type. Comparing a sample with them gives the same result as in double.
template <class Real>
Real least_at_or_above(double value)
{
    const Real rounded = Real(value);
    return double(rounded) < value ? std::nextafter(rounded, std::numeric_limits<Real>::infinity()) : rounded;
}

template <class Real>
Real most_at_or_below(double value)
{
    const Real rounded = Real(value);
    return double(rounded) > value ? std::nextafter(rounded, -std::numeric_limits<Real>::infinity()) : rounded;
}

// Memory that kernels add to; zero between updates.
struct zeroed_sums {
    ssim_doubts doubts;
    ssim_totals totals;
};

int64_t tiles_down(const ssim_request &request)
{
    return divide_up(request.out_height, ssim_tile_height);
}

int64_t tiles_across(const ssim_request &request)
{
    return divide_up(request.out_width, ssim_tile_width);
}

zeroed_sums take_sums(workspace &memory, const ssim_request &request, int64_t tiles_of_plane)
{
    const image_view &shape = request.images.reference;
    const int64_t planes = shape.images * shape.channels;
    const bool in_float = !request.plan->double_arithmetic;
    zeroed_sums sums{};
    place_in(memory.zeros, "sums of SSIM", [&](arena &zeros) {
        if (in_float)
            sums.doubts = {zeros.take<ssim_tile_total>(planes * tiles_of_plane), zeros.take<doubt_total>(planes),
                           tiles_of_plane, false};
        sums.totals = {zeros.take<ssim_plane_total>(request.by_channel ? planes : shape.images),
                       zeros.take<ssim_image_total>(shape.images), zeros.take<uint32_t>(1)};
    });
    return sums;
}

template <class Real, class Sample, int Taps>
typename ssim_tiles<Real, Sample, Taps>::arguments arguments_for(const ssim_request &request, const zeroed_sums &sums)
{
    const ssim_plan &plan = *request.plan;
    typename ssim_tiles<Real, Sample, Taps>::arguments args{};
    args.images = request.images;
    args.out_height = request.out_height;
    args.out_width = request.out_width;
    args.down = divider_by(uint32_t(tiles_down(request)));
    args.across = divider_by(uint32_t(tiles_across(request)));
    args.channels = divider_by(uint32_t(request.images.reference.channels));
    args.border = plan.border;
    args.gain = Real(plan.gain);
    round_taps(plan.taps_y, Taps, args.taps_y);
    round_taps(plan.taps_x, Taps, args.taps_x);
    args.constants = {Real(plan.twice_c1), Real(plan.twice_c2), Real(plan.covariance)};
    args.safe = plan.twice_c1 * plan.twice_c2 >= IQA_SSIM_SAFE_PRODUCT;
    // Only the first kernel counts.
    args.counting = request.counts != nullptr && !covers(plan.range, request.images.reference.type) &&
                    (sizeof(Real) == sizeof(float) || sums.doubts.tiles == nullptr);
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
void measure_in_double(context &where, const ssim_request &request, const zeroed_sums &sums)
{
    using kernel = ssim_tiles<double, void, Taps>;
    const image_view &shape = request.images.reference;
    const int64_t tiles = shape.images * shape.channels * tiles_down(request) * tiles_across(request);
    const int64_t work = sums.doubts.tiles == nullptr ? tiles * kernel::strips : tiles;
    launch<kernel>(where, resident_blocks(work, 0, 0), kernel::shared_bytes,
                   arguments_for<double, void, Taps>(request, sums));
}

template <int Taps>
void measure_tiles(context &where, workspace &memory, const ssim_request &request)
{
    const image_view &shape = request.images.reference;
    const int64_t tiles_of_plane = tiles_down(request) * tiles_across(request);
    check_blocks(shape.images * shape.channels * tiles_of_plane); // dividers need fewer
    const zeroed_sums sums = take_sums(memory, request, tiles_of_plane);
    if (request.plan->double_arithmetic)
        return measure_in_double<Taps>(where, request, sums);
    with_sample_type(shape.type, [&](auto sample) {
        if constexpr (sizeof sample <= sizeof(float)) { // other types use double arithmetic
            using kernel = ssim_tiles<float, decltype(sample), Taps>;
            launch<kernel>(where, shape.images * shape.channels * tiles_of_plane * kernel::strips, kernel::shared_bytes,
                           arguments_for<float, decltype(sample), Taps>(request, sums));
        }
    });
    launch_after(memory, [&] { measure_in_double<Taps>(where, request, sums); });
}

} // namespace

void ssim(context &where, workspace &memory, ssim_request &request)
{
    const ssim_plan &plan = *request.plan;
    const bool plain = is_plain(request) && plan.size_y == plan.size_x;
    if (plain && plan.size_y == 11)
        measure_tiles<11>(where, memory, request);
    else if (plain && plan.size_y == 7)
        measure_tiles<7>(where, memory, request);
    else
        ssim_boxes(where, memory, request);
}

} // namespace iqa::cuda
