// SPDX-License-Identifier: MIT
#include "cuda/ssim/gradient.h"

#include <algorithm>

#include "cuda/backend.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/ssim/gradient_tiles.h"
#include "cuda/ssim/statistics.hpp"
#include "cuda/ssim/tiles.hpp"

namespace iqa::cuda {

namespace {

// Parts of tiles for blocks. Large windows see much more than a part, so their parts are larger and have one slice. A
// volume's part of 16 slices sees 26 of the map (of 11 taps), one of 8 sees 18: deep ones count less, if there are
// enough of them for all multiprocessors.
constexpr int image_part[3] = {1, 16, 32};
constexpr int volume_parts[][3] = {{16, 16, 32}, {8, 16, 32}};
constexpr int64_t blocks_wanted = 256;
constexpr int part_of_large_windows[3] = {1, 32, 128};
constexpr int large_window = 64; // taps
constexpr int64_t least_band = 8;

// The factors of derivatives: of images and channels, or, if `each` is NULL, one for all images of finite samples.
struct gradient_factors {
    const double *each; // [images][channels]
    double all;
    const sample_counts *counts; // [images], when the kernel in double runs; NULL: all samples are finite
};

template <class Made>
gradient_output<Made> output_of(const ssim_gradient_request &request)
{
    const ssim_plan &plan = *request.plan;
    const image_view &shape = request.images.reference;
    gradient_output<Made> output{};
    output.sides[0] = request.reference;
    output.sides[1] = request.candidate;
    if (const shrink_request *smaller = request.smaller) {
        const double pixels = smaller->pixels_of_box();
        output.smaller = {.axes = {boxes_along(smaller->z), boxes_along(smaller->y), boxes_along(smaller->x)},
                          .sides = {reinterpret_cast<const Made *>(smaller->reference),
                                    reinterpret_cast<const Made *>(smaller->candidate)},
                          .weights = reinterpret_cast<const Made *>(smaller->weights_of_means()),
                          .pixels = pixels,
                          .part = pixels == power_of_two(exponent_of(pixels)) ? 1.0 / pixels : 0.0};
    }
    output.channels = plan.channels(shape);
    output.gain = plan.gain;
    output.of_luma = plan.takes_luma(shape);
    if (output.of_luma)
        output.luma = plan.luma->weights;
    return output;
}

template <class Real, class Made, int known>
class gradient_on_device {
public:
    using kernel = ssim_gradient_of<Real, Made, known>;

    gradient_on_device(context &where, workspace &memory, const ssim_gradient_request &request,
                       const gradient_factors &factors, const spread_of_tiles &spread)
        : where_(where), plan_(*request.plan)
    {
        const image_view &shape = request.images.reference;
        args_.statistics = arguments_of<Real>(where, memory, plan_, request.images, request.weights);
        // A valid map lacks the windows at the border: they get any samples, and factor 0.
        if (plan_.border == border_mode::valid)
            args_.statistics.border = border_mode::replicate;
        args_.border = plan_.border;
        divide(shape);
        args_.formula = formula_of(plan_);
        args_.product = plan_.wanted[ssim_product];
        args_.factors = factors.each;
        args_.factor = factors.all;
        args_.counts = factors.counts;
        args_.output = output_of<Made>(request);
        args_.spread = spread;
        lay_out();
        blocks_ = place_blocks(memory, args_.maps.work(), block_memory_, args_.statistics);
    }

    void run() const
    {
        launch<kernel>(where_, blocks_, kernel::shared_bytes + size_t(block_memory_.shared_bytes()), args_);
    }

private:
    void divide(const image_view &shape)
    {
        const auto take_part = [&](const int(&part)[3]) {
            args_.maps = divide_maps(plan_, shape, {shape.depth, shape.height, shape.width}, ssim_box_depth, part);
        };
        if (std::max(plan_.size_y, plan_.size_x) > large_window)
            return take_part(part_of_large_windows);
        if (plan_.size_z == 1)
            return take_part(image_part);
        for (const auto &part : volume_parts) {
            take_part(part);
            if (args_.maps.work() >= blocks_wanted)
                return;
        }
    }

    void lay_out()
    {
        const int(&taps)[3] = args_.statistics.taps;
        const int(&part)[3] = args_.maps.part;
        int seen[3]; // map pixels
        for (int axis = z_axis; axis <= x_axis; ++axis)
            seen[axis] = part[axis] + taps[axis] - 1;
        const int64_t row_bytes = int64_t(weighted_maps) * (seen[x_axis] + taps[x_axis] - 1) * int64_t(sizeof(Real));
        seen[y_axis] = int(std::clamp<int64_t>(most_slab_bytes / row_bytes, least_band, seen[y_axis]));
        const bool one_band = seen[y_axis] == part[y_axis] + taps[y_axis] - 1;
        args_.statistics.layout = lay_out_statistics(plan_, args_.statistics.convolution, seen, block_memory_);
        gradient_layout &layout = args_.layout;
        layout.band_rows = seen[y_axis];
        layout.stride = seen[x_axis];
        int64_t bands = 0;
        for (int axis = z_axis; axis <= x_axis; ++axis)
            bands += int64_t(taps[axis]) * part[axis];
        layout.bands = block_memory_.take(bands);
        const int64_t maps = int64_t(plain_maps) * part[z_axis] * layout.stride;
        layout.deep = block_memory_.take(maps * layout.band_rows);
        const int64_t low = maps * part[y_axis];
        // With one band, an image's slab is not read any more when the adjoint goes down: its memory serves again.
        const statistics_layout &means = args_.statistics.layout;
        const int64_t slab = int64_t(means.slab_rows) * means.stride * (args_.statistics.convolution ? 3 : 2);
        layout.low = plan_.size_z == 1 && one_band && slab >= low ? means.slab : block_memory_.take(low);
    }

    context &where_;
    const ssim_plan &plan_;
    typename kernel::arguments args_{};
    block_memory_plan block_memory_{sizeof(Real), shared_bytes_of_a_block - kernel::shared_bytes};
    int64_t blocks_ = 0;
};

spread_of_tiles place_spread(arena &zeros, const ssim_gradient_request &request)
{
    const image_view &shape = request.images.reference;
    const int part[3] = {1, 1, 1};
    const divided_maps maps =
        divide_maps(*request.plan, shape, {shape.depth, shape.height, shape.width}, ssim_box_depth, part);
    const int64_t tiles = maps.all_boxes();
    return {zeros.take<uint32_t>(tiles), tiles, zeros.take<uint32_t>(1), zeros.take<uint32_t>(1)};
}

// Whether ssim_gradient_tiles serves: plain images, the usual window, float.
bool goes_by_tiles(const ssim_gradient_request &request)
{
    constexpr int64_t most_extent = 1 << 30; // whose places fit an int
    const ssim_plan &plan = *request.plan;
    const image_view &shape = request.images.reference;
    return !plan.double_arithmetic && shape.height <= most_extent && shape.width <= most_extent &&
           plan.is_plain(shape, request.weights) && knows_taps(plan) &&
           (shape.type == element_type::float32 || shape.type == element_type::float16 ||
            shape.type == element_type::bfloat16 || shape.type == element_type::uint8);
}

// A request of values beside that of derivatives.
struct request_beside {
    const ssim_request *request; // NULL: none
    tile_sums sums;
};

values_beside values_of(const request_beside &beside)
{
    values_beside values{};
    if (beside.request == nullptr)
        return values;
    const ssim_request &request = *beside.request;
    const data_range &range = request.plan->range;
    values.doubts = beside.sums.doubts;
    values.images = beside.sums.totals.images;
    values.height = int(request.out_height);
    values.width = int(request.out_width);
    values.tiles_down = int(map_tiles_down(request));
    values.tiles_across = int(map_tiles_across(request));
    values.counting = counts_samples(request);
    values.low = least_at_or_above<float>(range.low);
    values.high = most_at_or_below<float>(range.high);
    return values;
}

template <class Sample>
void differentiate_by_tiles(context &where, const ssim_gradient_request &request, const gradient_factors &factors,
                            const spread_of_tiles &spread, const request_beside &beside)
{
    using kernel = ssim_gradient_tiles<Sample, usual_taps>;
    const ssim_plan &plan = *request.plan;
    const image_view &shape = request.images.reference;
    typename kernel::arguments args{};
    args.images = request.images;
    args.height = int(shape.height);
    args.width = int(shape.width);
    const int64_t down = divide_up(shape.height, ssim_tile_height);
    const int64_t across = divide_up(shape.width, kernel::columns);
    const int64_t blocks = shape.images * shape.channels * down * across;
    check_blocks(blocks); // dividers need fewer
    args.down = divider_by(uint32_t(down));
    args.across = divider_by(uint32_t(across));
    args.channels = divider_by(uint32_t(shape.channels));
    args.border = plan.border;
    args.gain = float(plan.gain);
    round_taps(plan.taps_y, usual_taps, args.taps[0]);
    round_taps(plan.taps_x, usual_taps, args.taps[1]);
    for (const int axis : {0, 1})
        for (int seen = 0; seen < usual_taps; ++seen)
            for (int place = 0; place < kernel::places; ++place) {
                const int64_t extent = axis == 0 ? shape.height : shape.width;
                const int64_t pixel = place < 2 * kernel::radius ? place : extent - 4 * kernel::radius + place;
                args.edges[axis][seen][place] =
                    place + 1 == kernel::places
                        ? args.taps[axis][usual_taps - 1 - seen]
                        : weight_in_window(plan.border, usual_taps, args.taps[axis], extent, pixel, seen);
            }
    args.constants = {float(plan.twice_c1), float(plan.twice_c2), float(plan.covariance)};
    args.negative_to_zero = plan.negative_to_zero;
    args.product = plan.wanted[ssim_product];
    args.safe = args.constants.twice_c1 > 0.0f && args.constants.twice_c2 > 0.0f;
    args.factors = factors.each;
    args.factor = factors.all;
    args.output = output_of<float>(request);
    args.spread = spread;
    args.values = values_of(beside);
    launch<kernel>(where, blocks, kernel::shared_bytes, args);
}

void differentiate_by_tiles(context &where, const ssim_gradient_request &request, const gradient_factors &factors,
                            const spread_of_tiles &spread, const request_beside &beside)
{
    switch (request.images.reference.type) {
    case element_type::float16:
        return differentiate_by_tiles<float16>(where, request, factors, spread, beside);
    case element_type::bfloat16:
        return differentiate_by_tiles<bfloat16>(where, request, factors, spread, beside);
    case element_type::uint8:
        return differentiate_by_tiles<uint8_t>(where, request, factors, spread, beside);
    default:
        return differentiate_by_tiles<float>(where, request, factors, spread, beside);
    }
}

// What float does not carry comes after it, in double.
void differentiate_in_double(context &where, workspace &memory, const ssim_gradient_request &request,
                             const gradient_factors &factors, const spread_of_tiles &spread)
{
    gradient_on_device<double, float, 0>(where, memory, request, factors, spread).run();
}

} // namespace

void ssim_gradient(context &where, workspace &memory, const ssim_gradient_request &request)
{
    const gradient_factors factors = {request.factors, 0.0, nullptr};
    if (request.plan->double_arithmetic)
        return gradient_on_device<double, double, 0>(where, memory, request, factors, {}).run();
    spread_of_tiles spread{};
    place_in(memory.zeros, "the spread of tiles", [&](arena &zeros) { spread = place_spread(zeros, request); });
    if (goes_by_tiles(request))
        differentiate_by_tiles(where, request, factors, spread, {});
    else if (knows_taps(*request.plan))
        gradient_on_device<float, float, usual_taps>(where, memory, request, factors, spread).run();
    else
        gradient_on_device<float, float, 0>(where, memory, request, factors, spread).run();
    launch_after(memory, [&] { differentiate_in_double(where, memory, request, factors, spread); });
}

// The kernel of plain images adds up values too, if it knows the factor of the derivatives.
bool ssim_and_gradient(context &where, workspace &memory, ssim_request &request, ssim_gradient_request gradient,
                       const double *slope)
{
    const ssim_plan &plan = *request.plan;
    const bool safe = is_safe_product(plan.twice_c1, plan.twice_c2);
    if (slope == nullptr || !safe || request.map.data != nullptr || !is_plain(request) || !goes_by_tiles(gradient))
        return false;
    const gradient_factors factors = {nullptr, *slope, request.counts};
    request_beside beside = {&request, {}};
    spread_of_tiles spread{};
    place_in(memory.zeros, "the sums of SSIM and its gradient", [&](arena &zeros) {
        beside.sums = place_tile_sums(zeros, request);
        spread = place_spread(zeros, gradient);
    });
    differentiate_by_tiles(where, gradient, factors, spread, beside);
    launch_after(memory, [&] {
        finish_tiles(where, request, beside.sums);
        differentiate_in_double(where, memory, gradient, factors, spread);
    });
    return true;
}

} // namespace iqa::cuda
