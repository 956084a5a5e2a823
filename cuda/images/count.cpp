// SPDX-License-Identifier: MIT
#include "cuda/images/count.h"

#include "cuda/backend.hpp"
#include "cuda/images/axes.hpp"
#include "cuda/images/bounds.hpp"
#include "cuda/machine/grid.hpp"
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
    count_samples::arguments args{};
    args.type = shape.type;
    args.type_of_weights = static_cast<weight_type>(request.weights.dtype);
    const auto places = places_of(request.images, request.weights);
    for (size_t i = 0; i < places.size(); ++i)
        args.first[i] = places[i].first;
    args.order = order_of(shape, shape.channels, places);
    args.bounds = bounds_of(request.range);
    args.mask_nonfinite = request.mask_nonfinite;
    args.samples = shape.channels * shape.pixels();
    args.counts = request.counts;
    args.report = request.report;
    args.samples_of_tile = count_samples::threads * items_of_thread(shape.images * args.samples, count_samples::threads,
                                                                    count_samples::most_of_thread);
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
