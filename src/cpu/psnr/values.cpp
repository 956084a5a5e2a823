// SPDX-License-Identifier: MIT
// The values of images from their sums over pairs of samples, one image after another.
#include <algorithm>

#include "cpu/backend.hpp"

namespace iqa {

namespace {

template <class Request>
void evaluate(const Request &request)
{
    if (request.report->kind != fault_kind::none)
        return;
    uint64_t rank = 0;
    for (int64_t image = 0; image < request.images; ++image) {
        rank = std::max(rank, evaluate_image(request, image));
    }
    report_fault(request, rank);
    if (rank != 0 || request.per_channel.data == nullptr)
        return;
    for (int64_t image = 0; image < request.images; ++image)
        for (int64_t channel = 0; channel < request.planes; ++channel)
            evaluate_channel(request, image, channel);
}

} // namespace

void cpu_values_of_pairs(context &, workspace &, const pair_values_request &request, device_ledger *)
{
    std::visit([](const auto &family) { evaluate(family); }, request);
}

} // namespace iqa
