// SPDX-License-Identifier: MIT
// Structural similarity. metric.cpp checks and reads, pyramid.cpp measures each level, values/ssim.h makes values of
// the sums, gradient.cpp differentiates them, faults.cpp has the error texts.
#pragma once

#include <array>
#include <optional>

#include "backend/backend.hpp"
#include "metrics/ssim/levels.hpp"
#include "metrics/ssim/options.hpp"

namespace iqa {

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

// One level of a group of images.
struct ssim_level {
    ssim_plan plan;
    image_pair images;
    weight_view weights;
    std::byte *gradients[2]; // of a downsampled level: derivatives by its samples
    bool holds_sums;         // the derivatives of the sums are there (ssim_gradient_request)
    // Results: sums and weight for each image and channel, or each image; not_a_number for each image.
    int128 *sums, *weight;
    bool *not_a_number;
    int64_t pixels; // of one channel's map
};

// Memory of updates, on the device of the images.
struct ssim_memory {
    ssim_memory(memory_source &device, memory_source &host) noexcept
        : sums(device), counts(device), flags(device), levels(device), factors(device), work(device, host)
    {
    }

    scratch sums, counts, flags, levels, factors;
    workspace work;
};

// One update, checked.
struct ssim_update {
    const backend *device;
    ssim_memory *memory;
    image_pair images; // shaved
    weight_view weights;
    level_plan levels;
    ssim_plan plan; // of the caller's images
    luma_rule luma;
    output_view per_image, per_channel, map, reference_gradient, candidate_gradient;
    int64_t channels; // measured
    bool by_channel;  // sums are kept for each channel
    bool weighing;
    sample_counts *counts; // of all images
    int64_t *addend;
    fault *report;

    bool wants_gradient() const { return reference_gradient.data != nullptr || candidate_gradient.data != nullptr; }
    int64_t planes() const { return by_channel ? channels : 1; }
    // Whether a level is downsampled; false: it has the caller's images.
    bool is_made(int level) const { return level > 0 || levels.downsample > 1; }
};

class ssim_metric final : public iqa_metric {
public:
    ssim_metric(context &owner, const iqa_ssim_options &options);

    void update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras) override;
    size_t read(int32_t field, std::span<double> out) const override;

protected:
    void leave_device() noexcept override { cuda_memory_.reset(); }
    [[noreturn]] void raise(const fault &found) const override;

private:
    // Not inlined, to keep frames small.
    [[gnu::noinline]] ssim_update check(const backend &device, const iqa_tensor *reference, const iqa_tensor *candidate,
                                        const iqa_update_extras &extras) const;
    ssim_memory &memory_at(const update_target &target);
    [[gnu::noinline]] void update_images(const update_target &target, ssim_update &update);
    [[gnu::noinline]] void update_blocks(const update_target &target, const image_pair &pair,
                                         const iqa_update_extras &extras, int64_t *addend);
    data_range range_of_options() const { return {options_.data_low, options_.data_high}; }
    ssim_plan plan_for(element_type type, data_range range) const;
    int64_t images_at_once(const ssim_update &update) const;
    void count_samples(const ssim_update &update);
    [[gnu::noinline]] void place_levels(const ssim_update &update, image_group group);
    // True if the gradients are there too.
    [[gnu::noinline]] bool measure_group(const ssim_update &update, image_group group, sample_counts *counts);
    output_view gradient_of_level(const ssim_update &update, image_group group, int level, int side) const;
    // True if the sums are there; the gradient is then there too, or that of the level's sums.
    bool measure_with_gradient(const ssim_update &update, image_group group, int level, ssim_request &request);
    ssim_values_request values_of(const ssim_update &update, image_group group) const;
    [[gnu::noinline]] void differentiate_group(const ssim_update &update, image_group group,
                                               const ssim_values_request &values);
    [[noreturn]] void fail_for(const fault &found, const ssim_update &update, image_group group) const;
    [[noreturn]] void fail_for_image(const fault &found, std::string_view prefix) const;
    bool product_of_channels() const { return !plain_mean(options_) && options_.product == IQA_PRODUCT_OF_CHANNEL; }

    iqa_ssim_options options_;
    std::array<std::byte, sizeof(iqa_ssim_options)> option_bytes_{}; // state bytes are no more
    std::array<int64_t, ssim_lane::most> lanes_{};
    exact_field exact_fields_[1];
    scratch taps_;
    ssim_memory memory_;
    std::optional<ssim_memory> cuda_memory_;
    double *taps_z_;
    double *taps_y_;
    double *taps_x_;
    // Filled by place_levels(); they are larger than all else here.
    std::array<ssim_level, IQA_MOST_SCALES> levels_;
    std::array<shrink_request, IQA_MOST_SCALES> made_; // of downsampled levels
};

} // namespace iqa
