// SPDX-License-Identifier: MIT
#include "cuda/images/count.h"

#include <algorithm>

#include "cuda/backend.hpp"
#include "cuda/images/axes.hpp"
#include "cuda/images/bounds.hpp"
#include "cuda/machine/launch.hpp"

namespace iqa::cuda {

namespace {

void place_axes(const count_request &request, count_samples::arguments &args)
{
    const image_view &x = request.images.reference;
    const image_view &y = request.images.candidate;
    const weight_view &w = request.weights;
    const int64_t size = element_size(x.type);
    const int64_t sizes[] = {size, size, w.data != nullptr ? element_size(args.type_of_weights) : 0};
    const std::byte *const data[] = {x.data, y.data, w.data};
    const int64_t image_strides[] = {x.image_stride, y.image_stride, w.image_stride};
    for (int tensor = 0; tensor < count_samples::tensors; ++tensor) {
        args.first[tensor] = data[tensor];
        args.image_steps[tensor] = image_strides[tensor] * sizes[tensor];
    }
    for (const joint_axis &axis : axes_of(request.images, w, x.channels)) {
        if (axis.extent == 1)
            break;
        count_samples::axis &to = args.axes[args.axis_count++];
        to.extent = axis.extent;
        for (int tensor = 0; tensor < count_samples::tensors; ++tensor)
            to.steps[tensor] = axis.strides[tensor] * sizes[tensor];
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
