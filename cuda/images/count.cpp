// SPDX-License-Identifier: MIT
#include "cuda/images/count.h"

#include <algorithm>

#include "cuda/backend.hpp"
#include "cuda/machine/launch.hpp"

namespace iqa::cuda {

void count(context &where, count_request &request)
{
    const image_view &shape = request.images.reference;
    check(active_runtime.clear(request.counts, size_t(shape.images) * sizeof(sample_counts), stream_of(where)),
          "clearing the counts of a batch");
    const bool weights_may_be_bad = request.weights.dtype == IQA_FLOAT32 || request.weights.dtype == IQA_FLOAT64;
    if (!weights_may_be_bad && covers(request.range, shape.type))
        return; // every sample and weight is valid
    count_samples::arguments args = {
        .images = request.images,
        .weights = request.weights,
        .range = request.range,
        .mask_nonfinite = request.mask_nonfinite,
        .order = order_of(shape, shape.channels),
        .tiles_of_image = 0,
        .samples_of_tile = 0,
        .counts = request.counts,
        .report = request.report,
    };
    constexpr int64_t most_samples_of_thread = 32;
    constexpr int64_t blocks_wanted = 2048;
    const int64_t samples = args.order.samples();
    const int64_t samples_of_thread = shape.images * samples / (blocks_wanted * count_samples::threads) + 1;
    args.samples_of_tile = count_samples::threads * std::min(samples_of_thread, most_samples_of_thread);
    args.tiles_of_image = divide_up(samples, args.samples_of_tile);
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
