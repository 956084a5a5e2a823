// SPDX-License-Identifier: MIT
// Structural similarity: what an update is made of, and what is accumulated. ssim.cpp checks and reads,
// ssim_pyramid.cpp measures scale after scale, ssim_values.cpp makes values of the sums, ssim_derivatives.cpp
// differentiates them.
#pragma once

#include <array>

#include "core/backend.hpp"
#include "metrics/ssim_options.hpp"
#include "metrics/ssim_scales.hpp"

namespace iqa {

// With the option `parts`: the sums of the means of each part and scale, too.
namespace ssim_lane {
enum : int {
    images,
    nan_images,
    outside,
    nonfinite,
    sum,
    parts = sum + unit_format.digits,
    most = parts + int(ssim_parts) * IQA_MOST_SCALES * unit_format.digits
};
}

// Consecutive images of a batch.
struct image_group {
    int64_t first, count;
};

inline image_view images_of(image_view view, image_group group)
{
    view.data = view.at(group.first, 0, 0, 0, 0);
    view.images = group.count;
    return view;
}

inline weight_view images_of(weight_view view, image_group group)
{
    if (view.data != nullptr)
        view.data += group.first * view.image_stride * ((view.dtype & 0xff) / 8);
    return view;
}

inline output_view images_of(output_view view, image_group group)
{
    if (view.data != nullptr)
        view.data += group.first * view.image_stride * int64_t(view.is_double ? sizeof(double) : sizeof(float));
    return view;
}

inline double value_on_grid(int128 value)
{
    return double(value) * power_of_two(unit_format.lowest);
}

inline int128 grid_value(double value)
{
    return int128(value * power_of_two(-unit_format.lowest));
}

// One scale of a group of images.
struct ssim_scale {
    ssim_plan plan;
    image_pair images;
    weight_view weights;
    // Where the scale is not the caller's own images: what made it, and the derivatives by its samples.
    shrink_request made;
    std::byte *gradients[2];
    // Results, for each image and channel (or image alone).
    int128 *sums, *weight;
    int64_t pixels; // of the map, of one channel
};

// What one update wants, checked.
struct ssim_update {
    image_pair images; // shaved
    weight_view weights;
    scale_plan scales;
    ssim_plan plan; // of the images as they are
    luma_rule luma;
    output_view per_image, per_channel, map, reference_gradient, candidate_gradient;
    int64_t channels; // measured
    bool by_channel;  // sums are kept for each
    bool weighing;

    bool wants_gradient() const { return reference_gradient.data != nullptr || candidate_gradient.data != nullptr; }
    int64_t parts() const { return by_channel ? channels : 1; }
    // Whether a scale's images are made by shrinking, rather than the caller's own.
    bool is_made(int scale) const { return scale > 0 || scales.downsample > 1; }
};

class ssim_metric final : public iqa_metric {
public:
    ssim_metric(context &owner, const iqa_ssim_options &options);

    void update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras) override;
    size_t read(int32_t field, std::span<double> out) const override;

private:
    // Not inlined: frames stay small that way.
    [[gnu::noinline]] ssim_update check(const iqa_tensor *reference, const iqa_tensor *candidate,
                                        const iqa_update_extras &extras) const;
    void update_blocks(const backend &device, const image_pair &given, const iqa_update_extras &extras);
    ssim_plan plan_for(element_type type) const;
    int64_t images_at_once(const ssim_update &update) const;
    void count_samples(const backend &device, const ssim_update &update, sample_counts *counts);
    [[gnu::noinline]] void place_scales(const ssim_update &update, image_group group);
    [[gnu::noinline]] void measure_group(const backend &device, const ssim_update &update, image_group group,
                                         sample_counts *counts);
    [[gnu::noinline]] void evaluate_image(const ssim_update &update, image_group group, int64_t image, bool is_nan,
                                          std::span<int64_t> addend);
    [[gnu::noinline]] void differentiate_group(const backend &device, const ssim_update &update, image_group group,
                                               const sample_counts *counts);
    void fill_factors(const ssim_update &update, image_group group, int scale, const sample_counts *counts,
                      double *factors) const;
    [[noreturn]] void fail_for_empty(int64_t image, int64_t channel, int scale) const;
    bool product_of_channels() const { return !plain_mean(options_) && options_.product == IQA_PRODUCT_OF_CHANNEL; }
    int128 mean_of(const ssim_update &update, int scale, int64_t image, int64_t channel, int part) const;
    void means_of_scales(const ssim_update &update, image_group group, int64_t image, int64_t channel,
                         double *means) const;

    iqa_ssim_options options_;
    std::array<std::byte, ssim_option_bytes> option_bytes_{};
    std::array<int64_t, ssim_lane::most> lanes_{};
    exact_field exact_fields_[1];
    scratch taps_, sums_, counts_, flags_, levels_, factors_;
    workspace work_;
    double *weights_z_;
    double *weights_y_;
    double *weights_x_;
    std::array<ssim_scale, IQA_MOST_SCALES> scales_{};
    const bool *not_a_number_ = nullptr; // of the images of the group
};

} // namespace iqa
