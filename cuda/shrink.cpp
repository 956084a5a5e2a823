// SPDX-License-Identifier: MIT
#include "cuda/shrink.h"

#include "cuda/functions.hpp"
#include "cuda/launch.hpp"
#include "cuda/ssim_statistics.hpp"

namespace iqa::cuda {

namespace {

template <class Real>
void shrink_on_device(const context &where, const shrink_request &request)
{
    using kernel = shrink_images<Real>;
    const ssim_plan &plan = *request.plan;
    const image_view &shape = request.images.reference;
    const typename kernel::arguments given = {.source = source_of(plan, request.images, request.weights),
                                              .images = shape.images,
                                              .channels = plan.channels(shape),
                                              .z = request.z,
                                              .y = request.y,
                                              .x = request.x,
                                              .normalised = plan.convolution,
                                              .reference = reinterpret_cast<Real *>(request.reference),
                                              .candidate = reinterpret_cast<Real *>(request.candidate),
                                              .weights = reinterpret_cast<Real *>(request.shrunk_weights)};
    const int64_t blocks = (given.pixels() + kernel::pixels_of_a_block - 1) / kernel::pixels_of_a_block;
    launch<kernel>(where, blocks, 0, given);
}

} // namespace

void shrink(context &where, workspace &, const shrink_request &request)
{
    if (request.plan->double_arithmetic)
        shrink_on_device<double>(where, request);
    else
        shrink_on_device<float>(where, request);
}

} // namespace iqa::cuda
