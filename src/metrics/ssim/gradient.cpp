// SPDX-License-Identifier: MIT
// Gradients, from the smallest level to the caller's images.
#include "metrics/ssim/metric.hpp"

namespace iqa {

// The derivative of a mean by a pixel of the map does not depend on the values.
bool ssim_metric::measure_with_gradient(const ssim_update &update, image_group group, ssim_request &request)
{
    if (!update.wants_gradient() || !plain_mean(options_) || update.is_made(0))
        return false;
    const ssim_gradient_request gradient{.plan = request.plan,
                                         .images = request.images,
                                         .weights = request.weights,
                                         .factors = nullptr,
                                         .reference = images_of(update.reference_gradient, group),
                                         .candidate = images_of(update.candidate_gradient, group),
                                         .smaller = nullptr};
    const double slope = slope_of_map_pixel(double(levels_[0].pixels) * double(update.channels));
    return update.device->ssim_and_gradient(owner(), update.memory->work, request, gradient, slope);
}

void ssim_metric::differentiate_group(const ssim_update &update, image_group group, const ssim_values_request &values)
{
    double *factors =
        update.memory->factors.take<double>(size_t(group.count * update.channels), "the factors of gradients");
    const shrink_request *smaller = nullptr;
    shrink_request shrunk{};
    const auto differentiate = [&](const ssim_plan &plan, const image_pair &images, const weight_view &weights,
                                   const double *slopes, const output_view &reference, const output_view &candidate) {
        const ssim_gradient_request request{.plan = &plan,
                                            .images = images,
                                            .weights = weights,
                                            .factors = slopes,
                                            .reference = reference,
                                            .candidate = candidate,
                                            .smaller = smaller};
        update.device->ssim_gradient(owner(), update.memory->work, request);
    };
    const output_view outside_reference = images_of(update.reference_gradient, group);
    const output_view outside_candidate = images_of(update.candidate_gradient, group);
    for (int level = options_.scales - 1; level >= 0; --level) {
        const ssim_level &current = levels_[size_t(level)];
        update.device->ssim_slopes(owner(), values, level, factors);
        ssim_plan plan = current.plan;
        const bool last = level == options_.scales - 1;
        plan.wanted[ssim_product] = last;
        plan.wanted[ssim_contrast_structure] = !last;
        if (!update.is_made(level)) {
            differentiate(plan, current.images, current.weights, factors, outside_reference, outside_candidate);
            return;
        }
        const image_view &dense = current.images.reference;
        output_view out[2];
        for (int side = 0; side < 2; ++side) {
            out[side].data = current.gradients[side];
            out[side].is_double = plan.double_arithmetic;
            out[side].image_stride = dense.image_stride;
            out[side].channel_stride = dense.channel_stride;
            out[side].slice_stride = dense.slice_stride;
            out[side].row_stride = dense.row_stride;
            out[side].column_stride = dense.column_stride;
        }
        differentiate(plan, current.images, current.weights, factors, out[0], out[1]);
        shrunk = made_[size_t(level)]; // the same boxes, for derivatives instead of samples
        shrunk.reference = current.gradients[0];
        shrunk.candidate = current.gradients[1];
        smaller = &shrunk;
    }
    // Level 0 is itself downsampled: propagate once more, to the caller's images.
    const image_pair images = {images_of(update.images.reference, group), images_of(update.images.candidate, group)};
    differentiate(update.plan, images, images_of(update.weights, group), nullptr, outside_reference, outside_candidate);
}

} // namespace iqa
