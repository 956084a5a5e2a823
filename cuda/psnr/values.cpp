// SPDX-License-Identifier: MIT
#include "cuda/psnr/values.h"

#include "cuda/backend.hpp"
#include "cuda/images/axes.hpp"
#include "cuda/machine/grid.hpp"
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
    const weighted_images &source = request.source;
    const image_view &shape = source.images.reference;
    with_sample_type(shape.type, [&]<class Sample>(Sample) {
        using kernel = error_gradients<Sample>;
        const auto [x, y, weights] = places_of(source.images, source.weights);
        const auto output_of = [](const output_view &view) {
            return typename kernel::output{view.data, view.channel_stride * view.element_size(), view.is_double};
        };
        typename kernel::arguments args{};
        args.source = in_one_piece(source);
        args.order = order_of(shape, source.channels(),
                              std::array{x, y, weights, places_of(request.reference, request.reference.element_size()),
                                         places_of(request.candidate, request.candidate.element_size())});
        args.samples = source.channels() * shape.pixels();
        args.samples_of_tile =
            kernel::threads * items_of_thread(shape.images * args.samples, kernel::threads, kernel::most_of_thread);
        args.tiles_of_image = divide_up(args.samples, args.samples_of_tile);
        args.slopes = request.slopes;
        args.reference = output_of(request.reference);
        args.candidate = output_of(request.candidate);
        launch<kernel>(where, shape.images * args.tiles_of_image, 0, args);
    });
}

} // namespace iqa::cuda
