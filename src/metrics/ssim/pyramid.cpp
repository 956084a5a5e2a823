// SPDX-License-Identifier: MIT
// The levels of a group of images: their memory, and their measurement one after another.
#include <algorithm>

#include "metrics/ssim/metric.hpp"

namespace iqa {

namespace {

// Limits the images of a group, which has at least one.
constexpr int64_t pyramid_bytes = int64_t(32) << 20;

} // namespace

int64_t ssim_metric::images_at_once(const ssim_update &update) const
{
    const int64_t images = update.images.reference.images;
    if (options_.scales == 1 && update.levels.downsample == 1)
        return images;
    int64_t samples = 0;
    for (int level = 0; level < options_.scales; ++level) {
        const level_extents &extents = update.levels.extents[size_t(level)];
        if (update.is_made(level))
            samples += extents.depth * extents.height * extents.width;
    }
    const int64_t size = update.plan.double_arithmetic ? sizeof(double) : sizeof(float);
    const int64_t bytes = samples * update.channels * size * (update.wants_gradient() ? 5 : 3);
    return std::clamp<int64_t>(pyramid_bytes / bytes, 1, images);
}

// Lays out the levels of a group: views, memory for downsampled images, and for sums.
void ssim_metric::place_levels(const ssim_update &update, image_group group)
{
    const bool of_doubles = update.plan.double_arithmetic;
    const int64_t size = of_doubles ? sizeof(double) : sizeof(float);
    const int64_t planes = group.count * update.channels;
    const auto bytes_of = [&](int level) {
        const level_extents &extents = update.levels.extents[size_t(level)];
        return round_up(planes * extents.depth * extents.height * extents.width * size, 64);
    };
    int64_t bytes = 0;
    for (int level = 0; level < options_.scales; ++level)
        if (update.is_made(level))
            bytes += bytes_of(level) * (2 + (update.weighing ? 1 : 0) + (update.wants_gradient() ? 2 : 0));
    std::byte *memory = bytes == 0 ? nullptr : update.memory->levels.take<std::byte>(size_t(bytes), "smaller images");
    const size_t results = size_t(options_.scales) * size_t(group.count * update.planes());
    int128 *sums = update.memory->sums.take<int128>(results * (ssim_factors + 1), "the sums of a batch");
    const auto take = [&](int level) {
        std::byte *taken = memory;
        memory += bytes_of(level);
        return taken;
    };
    for (int level = 0; level < options_.scales; ++level) {
        ssim_level &current = levels_[size_t(level)];
        const level_extents &extents = update.levels.extents[size_t(level)];
        const level_extents map = map_extents(options_, level, extents);
        const bool last = level == options_.scales - 1;
        current.plan = update.plan;
        current.plan.border = border_at(options_, level);
        if (options_.parts == 0 && !last)
            std::swap(current.plan.wanted[ssim_product], current.plan.wanted[ssim_contrast_structure]);
        current.pixels = map.depth * map.height * map.width;
        current.sums = sums + size_t(level) * size_t(group.count * update.planes()) * (ssim_factors + 1);
        current.weight = current.sums + size_t(group.count * update.planes()) * ssim_factors;
        current.images = {images_of(update.images.reference, group), images_of(update.images.candidate, group)};
        current.weights = images_of(update.weights, group);
        if (!update.is_made(level))
            continue;

        const ssim_level *previous = level == 0 ? nullptr : &levels_[size_t(level) - 1];
        shrink_request &made = made_[size_t(level)];
        made = {};
        const int factor = level == 0 ? update.levels.downsample : 2;
        const image_view &larger = previous == nullptr ? current.images.reference : previous->images.reference;
        const auto axes = shrink_axes(options_, {larger.depth, larger.height, larger.width}, factor);
        made.z = axes[0];
        made.y = axes[1];
        made.x = axes[2];
        made.images = previous == nullptr ? current.images : previous->images;
        made.weights = previous == nullptr ? current.weights : previous->weights;
        made.reference = take(level);
        made.candidate = take(level);
        made.shrunk_weights = update.weighing ? take(level) : nullptr;
        for (std::byte *&gradient : current.gradients)
            gradient = update.wants_gradient() ? take(level) : nullptr;

        image_view dense{};
        dense.type = of_doubles ? element_type::float64 : element_type::float32;
        dense.device_type = current.images.reference.device_type;
        dense.images = group.count;
        dense.channels = update.channels;
        dense.depth = extents.depth;
        dense.height = extents.height;
        dense.width = extents.width;
        dense.column_stride = 1;
        dense.row_stride = extents.width;
        dense.slice_stride = dense.row_stride * extents.height;
        dense.channel_stride = dense.slice_stride * extents.depth;
        dense.image_stride = dense.channel_stride * update.channels;
        dense.data = made.reference;
        current.images.reference = dense;
        dense.data = made.candidate;
        current.images.candidate = dense;
        if (update.weighing)
            current.weights = {made.shrunk_weights,
                               of_doubles ? IQA_FLOAT64 : IQA_FLOAT32,
                               dense.image_stride,
                               dense.channel_stride,
                               dense.slice_stride,
                               dense.row_stride,
                               1};
    }
    // Downsampled levels are already scaled, masked and luma; their plans skip those steps.
    for (int level = 0; level < options_.scales; ++level) {
        ssim_level &current = levels_[size_t(level)];
        made_[size_t(level)].plan = level == 0 ? &update.plan : &levels_[size_t(level) - 1].plan;
        if (update.is_made(level)) {
            current.plan.gain = 1.0;
            current.plan.luma = nullptr;
            current.plan.mask_nonfinite = false;
        }
    }
}

bool ssim_metric::measure_group(const ssim_update &update, image_group group, sample_counts *counts)
{
    bool *not_a_number = update.memory->flags.take<bool>(size_t(options_.scales * group.count), "the flags of a batch");
    const std::span<const shrink_request> levels(made_.data(), size_t(options_.scales));
    const std::span<const shrink_request> made = update.is_made(0) ? levels : levels.subspan(1);
    if (!made.empty())
        update.device->shrink(owner(), update.memory->work, made);
    bool differentiated = false;
    for (int level = 0; level < options_.scales; ++level) {
        ssim_level &current = levels_[size_t(level)];
        current.not_a_number = not_a_number + level * group.count;
        const level_extents map = map_extents(options_, level, update.levels.extents[size_t(level)]);
        ssim_request request{
            .plan = &current.plan,
            .images = current.images,
            .weights = current.weights,
            .out_depth = map.depth,
            .out_height = map.height,
            .out_width = map.width,
            .map = level == 0 ? images_of(update.map, group) : output_view{},
            .by_channel = update.by_channel,
            .sums = current.sums,
            .weight = current.weight,
            .counts = update.is_made(level) ? nullptr : counts,
            .not_a_number = current.not_a_number,
        };
        if (measure_with_gradient(update, group, level, request))
            differentiated = !current.holds_sums;
        else
            update.device->ssim(owner(), update.memory->work, request);
    }
    return differentiated;
}

ssim_values_request ssim_metric::values_of(const ssim_update &update, image_group group) const
{
    ssim_values_request request{};
    request.rule = rule_of(options_);
    for (int level = 0; level < options_.scales; ++level) {
        const ssim_level &current = levels_[size_t(level)];
        request.levels[level] = {current.sums, update.weighing ? current.weight : nullptr, current.not_a_number,
                                 current.pixels};
    }
    request.plain = plain_mean(options_);
    request.averages_channels = product_of_channels();
    request.all_factors = options_.parts != 0;
    request.refuses_nonfinite = options_.nonfinite == IQA_NONFINITE_ERROR;
    request.by_channel = update.by_channel;
    request.channels = update.channels;
    request.first = group.first;
    request.images = group.count;
    request.counts = update.counts + group.first;
    request.per_image = update.per_image;
    request.per_channel = update.per_channel;
    request.addend = update.addend;
    request.report = update.report;
    return request;
}

} // namespace iqa
