// SPDX-License-Identifier: MIT
// Gradients, from the smallest level to the caller's images.
#include "metrics/ssim/metric.hpp"

namespace iqa {

// Where the derivatives by a level's samples go: 0 of the reference, 1 of the candidate.
output_view ssim_metric::gradient_of_level(const ssim_update &update, image_group group, int level, int side) const
{
    if (!update.is_made(level))
        return images_of(side == 0 ? update.reference_gradient : update.candidate_gradient, group);
    const ssim_level &current = levels_[size_t(level)];
    const image_view &dense = current.images.reference;
    output_view out{};
    out.data = current.gradients[side];
    out.is_double = current.plan.double_arithmetic;
    out.image_stride = dense.image_stride;
    out.channel_stride = dense.channel_stride;
    out.slice_stride = dense.slice_stride;
    out.row_stride = dense.row_stride;
    out.column_stride = dense.column_stride;
    return out;
}

// The derivative of a mean by a pixel of the map depends neither on the values nor, without weights, on their number;
// that of other rules is known afterwards.
bool ssim_metric::measure_with_gradient(const ssim_update &update, image_group group, int level, ssim_request &request)
{
    ssim_level &current = levels_[size_t(level)];
    current.holds_sums = false;
    if (!update.wants_gradient())
        return false;
    const ssim_gradient_request gradient{.plan = request.plan,
                                         .images = request.images,
                                         .weights = request.weights,
                                         .factors = nullptr,
                                         .reference = gradient_of_level(update, group, level, 0),
                                         .candidate = gradient_of_level(update, group, level, 1),
                                         .holds_sums = false,
                                         .smaller = nullptr};
    const bool is_known = plain_mean(options_) && !update.is_made(0) && !update.weighing;
    const double slope = slope_of_map_pixel(double(current.pixels) * double(update.channels));
    const bool is_done =
        update.device->ssim_and_gradient(owner(), update.memory->work, request, gradient, is_known ? &slope : nullptr);
    current.holds_sums = is_done && !is_known;
    return is_done;
}

void ssim_metric::differentiate_group(const ssim_update &update, image_group group, const ssim_values_request &values)
{
    double *factors =
        update.memory->factors.take<double>(size_t(group.count * update.channels), "the factors of gradients");
    const shrink_request *smaller = nullptr;
    shrink_request shrunk{};
    for (int level = options_.scales - 1; level >= 0; --level) {
        const ssim_level &current = levels_[size_t(level)];
        update.device->ssim_slopes(owner(), values, level, factors);
        ssim_plan plan = current.plan;
        const bool last = level == options_.scales - 1;
        plan.wanted[ssim_product] = last;
        plan.wanted[ssim_contrast_structure] = !last;
        const ssim_gradient_request request{.plan = &plan,
                                            .images = current.images,
                                            .weights = current.weights,
                                            .factors = factors,
                                            .reference = gradient_of_level(update, group, level, 0),
                                            .candidate = gradient_of_level(update, group, level, 1),
                                            .holds_sums = current.holds_sums,
                                            .smaller = smaller};
        update.device->ssim_gradient(owner(), update.memory->work, request);
        if (!update.is_made(level))
            return;
        shrunk = made_[size_t(level)]; // the same boxes, for derivatives instead of samples
        shrunk.reference = current.gradients[0];
        shrunk.candidate = current.gradients[1];
        smaller = &shrunk;
    }
    // Level 0 is itself downsampled: propagate once more, to the caller's images.
    const ssim_gradient_request request{
        .plan = &update.plan,
        .images = {images_of(update.images.reference, group), images_of(update.images.candidate, group)},
        .weights = images_of(update.weights, group),
        .factors = nullptr,
        .reference = images_of(update.reference_gradient, group),
        .candidate = images_of(update.candidate_gradient, group),
        .holds_sums = false,
        .smaller = smaller};
    update.device->ssim_gradient(owner(), update.memory->work, request);
}

} // namespace iqa
