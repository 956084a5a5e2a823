// SPDX-License-Identifier: MIT
#include "cuda/images/count.h"

#include <algorithm>

#include "cuda/backend.hpp"
#include "cuda/images/bounds.hpp"
#include "cuda/machine/launch.hpp"

namespace iqa::cuda {

namespace {

// The axes of an image, from the innermost. Those that lie one after another in every tensor are one, so that fewer
// divisions find a sample.
void place_axes(const count_request &request, count_samples::arguments &args)
{
    const image_view &x = request.images.reference;
    const image_view &y = request.images.candidate;
    const weight_view &w = request.weights;
    const int64_t size = element_size(x.type);
    const int64_t weight_size =
        w.data == nullptr ? 0
                          : with_weight_type(args.type_of_weights, [](auto weight) { return int64_t(sizeof weight); });
    args.image_steps[count_samples::reference] = x.image_stride * size;
    args.image_steps[count_samples::candidate] = y.image_stride * size;
    args.image_steps[count_samples::weights] = w.image_stride * weight_size;
    using axis = count_samples::axis;
    const axis channels = {x.channels,
                           {x.channel_stride * size, y.channel_stride * size, w.channel_stride * weight_size}};
    const axis columns = {x.width, {x.column_stride * size, y.column_stride * size, w.column_stride * weight_size}};
    const axis rows = {x.height, {x.row_stride * size, y.row_stride * size, w.row_stride * weight_size}};
    const axis slices = {x.depth, {x.slice_stride * size, y.slice_stride * size, w.slice_stride * weight_size}};
    const bool channels_first = order_of(x, x.channels).channels_first;
    for (const axis &next : {channels_first ? channels : columns, channels_first ? columns : rows,
                             channels_first ? rows : slices, channels_first ? slices : channels}) {
        if (next.extent == 1)
            continue;
        if (args.axis_count > 0) {
            axis &last = args.axes[args.axis_count - 1];
            bool follows = true;
            for (int tensor = 0; tensor < count_samples::tensors; ++tensor)
                follows = follows && next.steps[tensor] == last.steps[tensor] * last.extent;
            if (follows) {
                last.extent *= next.extent;
                continue;
            }
        }
        args.axes[args.axis_count++] = next;
    }
}

} // namespace

void count(context &where, count_request &request)
{
    const image_view &shape = request.images.reference;
    check(active_runtime.clear(request.counts, size_t(shape.images) * sizeof(sample_counts), stream_of(where)),
          "clearing the counts of a batch");
    const bool weights_may_be_bad = request.weights.dtype == IQA_FLOAT32 || request.weights.dtype == IQA_FLOAT64;
    if (!weights_may_be_bad && covers(request.range, shape.type))
        return; // every sample and weight is valid
    count_samples::arguments args{};
    args.first[count_samples::reference] = shape.data;
    args.first[count_samples::candidate] = request.images.candidate.data;
    args.first[count_samples::weights] = request.weights.data;
    args.type = shape.type;
    args.type_of_weights = static_cast<weight_type>(request.weights.dtype);
    place_axes(request, args);
    args.range = request.range;
    args.low = least_at_or_above<float>(request.range.low);
    args.high = most_at_or_below<float>(request.range.high);
    args.mask_nonfinite = request.mask_nonfinite;
    args.samples = shape.channels * shape.pixels();
    args.counts = request.counts;
    args.report = request.report;
    constexpr int64_t most_samples_of_thread = 32;
    constexpr int64_t blocks_wanted = 2048;
    const int64_t samples_of_thread = shape.images * args.samples / (blocks_wanted * count_samples::threads) + 1;
    args.samples_of_tile = count_samples::threads * std::min(samples_of_thread, most_samples_of_thread);
    args.tiles_of_image = divide_up(args.samples, args.samples_of_tile);
    launch<count_samples>(where, shape.images * args.tiles_of_image, 0, args);
}

void clear_margin(context &where, const margin_view &border)
{
    const sample_order order = order_of(border.shape, border.shape.channels);
    const int64_t samples = border.shape.images * order.samples();
    launch<clear_edges_kernel>(where, divide_up(samples, clear_edges_kernel::samples_of_block), 0,
                               {border, order, samples});
}

} // namespace iqa::cuda
