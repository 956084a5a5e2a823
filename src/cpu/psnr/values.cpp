// SPDX-License-Identifier: MIT
// The values of images from their sums of squared errors, one image after another.
#include "values/psnr.h"

#include "cpu/backend.hpp"

namespace iqa {

void cpu_psnr_values(context &, workspace &, const psnr_values_request &request, device_ledger *)
{
    if (request.report->kind != fault_kind::none)
        return;
    uint64_t rank = 0;
    for (int64_t image = 0; image < request.images; ++image) {
        const uint64_t own = evaluate_image(request, image);
        rank = own > rank ? own : rank;
    }
    report_fault(request, rank);
    if (rank != 0 || request.per_channel.data == nullptr)
        return;
    for (int64_t image = 0; image < request.images; ++image)
        for (int64_t channel = 0; channel < request.parts; ++channel)
            evaluate_channel(request, image, channel);
}

} // namespace iqa
