// SPDX-License-Identifier: MIT
// The values of images from their sums, one image after another.
#include "values/ssim.h"

#include "cpu/backend.hpp"

namespace iqa {

void cpu_ssim_values(context &, workspace &, const ssim_values_request &request, device_ledger *)
{
    for (int64_t image = 0; image < request.images; ++image) {
        const fault found = evaluate_image(request, image);
        if (found.kind != fault_kind::none) {
            *request.report = found;
            return;
        }
    }
}

void cpu_ssim_slopes(context &, const ssim_values_request &request, int level, double *factors)
{
    for (int64_t image = 0; image < request.images; ++image)
        for (int64_t channel = 0; channel < request.channels; ++channel)
            factors[image * request.channels + channel] = slope_of(request, level, image, channel);
}

void cpu_ssim_block_values(context &, const ssim_block_values_request &request)
{
    for (int64_t image = 0; image < request.images; ++image)
        evaluate_image_of_blocks(request, image);
}

} // namespace iqa
