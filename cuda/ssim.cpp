// SPDX-License-Identifier: MIT
// Which kernel measures a batch, and what it is given.
#include <cmath>
#include <limits>

#include "cuda/functions.hpp"
#include "cuda/launch.hpp"
#include "cuda/sample_type.hpp"
#include "cuda/ssim_boxes.hpp"
#include "cuda/ssim_tiles.h"

namespace iqa::cuda {

namespace {

// The bounds as numbers of the arithmetic's type, such that comparing with them is the same.
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

ssim_totals take_totals(workspace &memory, int64_t planes, int64_t images)
{
    const size_t plane_bytes = size_t(planes) * sizeof(ssim_plane_total);
    const size_t image_bytes = size_t(images) * sizeof(ssim_image_total);
    std::byte *block = memory.zeros.take<std::byte>(plane_bytes + image_bytes + sizeof(uint32_t), "sums of SSIM");
    return {reinterpret_cast<ssim_plane_total *>(block), reinterpret_cast<ssim_image_total *>(block + plane_bytes),
            reinterpret_cast<uint32_t *>(block + plane_bytes + image_bytes)};
}

template <class Real, class Sample, int Taps>
void measure_tiles(context &where, workspace &memory, ssim_request &request)
{
    using kernel = ssim_tiles<Real, Sample, Taps>;
    const ssim_plan &plan = *request.plan;
    const image_view &shape = request.images.reference;
    typename kernel::arguments given{};
    given.images = request.images;
    given.out_height = request.out_height;
    given.out_width = request.out_width;
    given.down = (request.out_height + ssim_tile_height - 1) / ssim_tile_height;
    given.across = (request.out_width + ssim_tile_width - 1) / ssim_tile_width;
    given.border = plan.border;
    given.scale = Real(plan.scale);
    round_taps(plan.weights_y, Taps, given.taps_y);
    round_taps(plan.weights_x, Taps, given.taps_x);
    given.constants = {Real(plan.twice_c1), Real(plan.twice_c2), Real(plan.covariance)};
    given.safe = plan.twice_c1 * plan.twice_c2 >= IQA_SSIM_SAFE_PRODUCT;
    given.counting = request.counts != nullptr && !covers(plan.range, shape.type);
    given.by_channel = request.by_channel;
    given.part = plan.wanted[ssim_product] ? ssim_product : ssim_contrast_structure;
    given.low = least_at_or_above<Real>(plan.range.low);
    given.high = most_at_or_below<Real>(plan.range.high);
    given.map = request.map;
    given.totals = take_totals(memory, shape.images * (request.by_channel ? shape.channels : 1), shape.images);
    given.sums = request.sums;
    given.counts = request.counts;
    given.not_a_number = request.not_a_number;
    const int64_t blocks = shape.images * shape.channels * given.down * given.across * kernel::strips;
    launch<kernel>(where, blocks, kernel::shared_bytes, given);
}

template <int Taps>
void measure_tiles(context &where, workspace &memory, ssim_request &request)
{
    if (request.plan->double_arithmetic)
        return measure_tiles<double, void, Taps>(where, memory, request);
    with_sample_type(request.images.reference.type, [&](auto sample) {
        if constexpr (sizeof sample <= sizeof(float)) // others take double arithmetic
            measure_tiles<float, decltype(sample), Taps>(where, memory, request);
    });
}

} // namespace

void ssim(context &where, workspace &memory, ssim_request &request)
{
    const ssim_plan &plan = *request.plan;
    const bool plain = is_plain(request) && plan.taps_y == plan.taps_x;
    if (plain && plan.taps_y == 11)
        measure_tiles<11>(where, memory, request);
    else if (plain && plan.taps_y == 7)
        measure_tiles<7>(where, memory, request);
    else
        ssim_boxes(where, memory, request);
}

} // namespace iqa::cuda
