// SPDX-License-Identifier: MIT
#include "cuda/psnr/values.h"

#include "cuda/backend.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/machine/ledger.hpp"
#include "cuda/psnr/gradient.h"

namespace iqa::cuda {

namespace {

template <class Request>
void launch_values(context &where, workspace &memory, const Request &request, device_ledger *ends)
{
    using kernel = pair_values<Request>;
    auto *books = memory.zeros.take<typename kernel::bookkeeping>(1, "the fault bookkeeping of an update");
    typename kernel::arguments args{};
    args.request = request;
    args.books = books;
    args.ends_update = ends != nullptr;
    if (ends != nullptr)
        args.commit = static_cast<cuda_ledger *>(ends)->commit_arguments();
    launch<kernel>(where, divide_up(request.images, kernel::threads), 0, args);
}

} // namespace

void values_of_pairs(context &where, workspace &memory, const pair_values_request &request, device_ledger *ends)
{
    std::visit([&](const auto &family) { launch_values(where, memory, family, ends); }, request);
}

void error_gradient(context &where, workspace &, const error_gradient_request &request)
{
    const sample_order order = order_of(request.source.images.reference, request.source.channels());
    const int64_t samples = request.source.images.reference.images * order.samples();
    with_sample_type(request.source.images.reference.type, [&]<class Sample>(Sample) {
        using kernel = error_gradients<Sample>;
        launch<kernel>(where, divide_up(samples, kernel::samples_of_block), 0,
                       {.source = in_one_piece(request.source),
                        .order = order,
                        .samples = samples,
                        .slopes = request.slopes,
                        .reference = request.reference,
                        .candidate = request.candidate});
    });
}

} // namespace iqa::cuda
