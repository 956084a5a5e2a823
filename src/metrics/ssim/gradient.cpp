// SPDX-License-Identifier: MIT
// The derivatives of the images' values, from the smallest level to the caller's images.
#include "metrics/ssim/metric.hpp"

namespace iqa {

void ssim_metric::differentiate_group(const ssim_update &update, image_group group, const ssim_values_request &values)
{
    double *factors =
        update.memory->factors.take<double>(size_t(group.count * update.channels), "the factors of gradients");
    const shrink_request *smaller = nullptr;
    shrink_request given{};
    const auto differentiate = [&](const ssim_plan &plan, const image_pair &images, const weight_view &weights,
                                   const double *own_factors, const output_view &reference,
                                   const output_view &candidate) {
        const ssim_gradient_request request{.plan = &plan,
                                            .images = images,
                                            .weights = weights,
                                            .factors = own_factors,
                                            .reference = reference,
                                            .candidate = candidate,
                                            .smaller = smaller};
        update.device->ssim_gradient(owner(), update.memory->work, request);
    };
    const output_view outside_reference = images_of(update.reference_gradient, group);
    const output_view outside_candidate = images_of(update.candidate_gradient, group);
    for (int level = options_.scales - 1; level >= 0; --level) {
        const ssim_level &own = levels_[size_t(level)];
        update.device->ssim_slopes(owner(), values, level, factors);
        ssim_plan plan = own.plan;
        const bool last = level == options_.scales - 1;
        plan.wanted[ssim_product] = last;
        plan.wanted[ssim_contrast_structure] = !last;
        if (!update.is_made(level)) {
            differentiate(plan, own.images, own.weights, factors, outside_reference, outside_candidate);
            return;
        }
        const image_view &dense = own.images.reference;
        output_view out[2];
        for (int side = 0; side < 2; ++side) {
            out[side].data = own.gradients[side];
            out[side].is_double = plan.double_arithmetic;
            out[side].image_stride = dense.image_stride;
            out[side].channel_stride = dense.channel_stride;
            out[side].slice_stride = dense.slice_stride;
            out[side].row_stride = dense.row_stride;
            out[side].column_stride = dense.column_stride;
        }
        differentiate(plan, own.images, own.weights, factors, out[0], out[1]);
        given = made_[size_t(level)]; // the same boxes, with derivatives instead of samples
        given.reference = own.gradients[0];
        given.candidate = own.gradients[1];
        smaller = &given;
    }
    // The caller's images were only made smaller.
    const image_pair images = {images_of(update.images.reference, group), images_of(update.images.candidate, group)};
    differentiate(update.plan, images, images_of(update.weights, group), nullptr, outside_reference, outside_candidate);
}

} // namespace iqa
