// SPDX-License-Identifier: MIT
// The scales of a group of images: where they lie in memory, and their measurement one after another.
#include <algorithm>

#include "metrics/ssim/metric.hpp"

namespace iqa {

namespace {

// Pyramids are made for so many images at a time that they stay below this, or for one.
constexpr int64_t pyramid_bytes = int64_t(32) << 20;

} // namespace

int64_t ssim_metric::images_at_once(const ssim_update &update) const
{
    const int64_t images = update.images.reference.images;
    if (options_.scales == 1 && update.scales.downsample == 1)
        return images;
    int64_t samples = 0;
    for (int scale = 0; scale < options_.scales; ++scale) {
        const scale_extents &extents = update.scales.extents[size_t(scale)];
        if (update.is_made(scale))
            samples += extents.depth * extents.height * extents.width;
    }
    const int64_t size = update.plan.double_arithmetic ? sizeof(double) : sizeof(float);
    const int64_t bytes = samples * update.channels * size * (update.wants_gradient() ? 5 : 3);
    return std::clamp<int64_t>(pyramid_bytes / bytes, 1, images);
}

// Lays out the scales of a group: views, memory for the smaller images, and for sums.
void ssim_metric::place_scales(const ssim_update &update, image_group group)
{
    const bool of_doubles = update.plan.double_arithmetic;
    const int64_t size = of_doubles ? sizeof(double) : sizeof(float);
    const int64_t planes = group.count * update.channels;
    const auto bytes_of = [&](int scale) {
        const scale_extents &extents = update.scales.extents[size_t(scale)];
        return round_up(planes * extents.depth * extents.height * extents.width * size, 64);
    };
    int64_t all = 0;
    for (int scale = 0; scale < options_.scales; ++scale)
        if (update.is_made(scale))
            all += bytes_of(scale) * (2 + (update.weighing ? 1 : 0) + (update.wants_gradient() ? 2 : 0));
    std::byte *memory = all == 0 ? nullptr : update.memory->levels.take<std::byte>(size_t(all), "smaller images");
    const size_t results = size_t(options_.scales) * size_t(group.count * update.parts());
    int128 *sums = update.memory->sums.take<int128>(results * (ssim_parts + 1), "the sums of a batch");
    const auto take = [&](int scale) {
        std::byte *taken = memory;
        memory += bytes_of(scale);
        return taken;
    };
    for (int scale = 0; scale < options_.scales; ++scale) {
        ssim_scale &own = scales_[size_t(scale)];
        const scale_extents &extents = update.scales.extents[size_t(scale)];
        const scale_extents map = map_extents(options_, scale, extents);
        const bool last = scale == options_.scales - 1;
        own.plan = update.plan;
        own.plan.border = border_at(options_, scale);
        if (options_.parts == 0 && !last)
            std::swap(own.plan.wanted[ssim_product], own.plan.wanted[ssim_contrast_structure]);
        own.pixels = map.depth * map.height * map.width;
        own.sums = sums + size_t(scale) * size_t(group.count * update.parts()) * (ssim_parts + 1);
        own.weight = own.sums + size_t(group.count * update.parts()) * ssim_parts;
        own.images = {images_of(update.images.reference, group), images_of(update.images.candidate, group)};
        own.weights = images_of(update.weights, group);
        if (!update.is_made(scale))
            continue;

        const ssim_scale *before = scale == 0 ? nullptr : &scales_[size_t(scale) - 1];
        shrink_request &made = made_[size_t(scale)];
        made = {};
        const int factor = scale == 0 ? update.scales.downsample : 2;
        const image_view &larger = before == nullptr ? own.images.reference : before->images.reference;
        const auto axes = shrink_axes(options_, {larger.depth, larger.height, larger.width}, factor);
        made.z = axes[0];
        made.y = axes[1];
        made.x = axes[2];
        made.images = before == nullptr ? own.images : before->images;
        made.weights = before == nullptr ? own.weights : before->weights;
        made.reference = take(scale);
        made.candidate = take(scale);
        made.shrunk_weights = update.weighing ? take(scale) : nullptr;
        for (std::byte *&gradient : own.gradients)
            gradient = update.wants_gradient() ? take(scale) : nullptr;

        image_view dense{};
        dense.type = of_doubles ? element_type::float64 : element_type::float32;
        dense.device_type = own.images.reference.device_type;
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
        own.images.reference = dense;
        dense.data = made.candidate;
        own.images.candidate = dense;
        if (update.weighing)
            own.weights = {made.shrunk_weights,
                           of_doubles ? IQA_FLOAT64 : IQA_FLOAT32,
                           dense.image_stride,
                           dense.channel_stride,
                           dense.slice_stride,
                           dense.row_stride,
                           1};
    }
    // Plans of smaller images: they are scaled already, finite, and luma.
    for (int scale = 0; scale < options_.scales; ++scale) {
        ssim_scale &own = scales_[size_t(scale)];
        made_[size_t(scale)].plan = scale == 0 ? &update.plan : &scales_[size_t(scale) - 1].plan;
        if (update.is_made(scale)) {
            own.plan.scale = 1.0;
            own.plan.luma = nullptr;
            own.plan.mask_nonfinite = false;
        }
    }
}

void ssim_metric::measure_group(const ssim_update &update, image_group group, sample_counts *counts)
{
    bool *not_a_number = update.memory->flags.take<bool>(size_t(options_.scales * group.count), "the flags of a batch");
    const std::span<const shrink_request> scales(made_.data(), size_t(options_.scales));
    const std::span<const shrink_request> made = update.is_made(0) ? scales : scales.subspan(1);
    if (!made.empty())
        update.device->shrink(owner(), update.memory->work, made);
    for (int scale = 0; scale < options_.scales; ++scale) {
        ssim_scale &own = scales_[size_t(scale)];
        own.not_a_number = not_a_number + scale * group.count;
        const scale_extents map = map_extents(options_, scale, update.scales.extents[size_t(scale)]);
        ssim_request request{
            .plan = &own.plan,
            .images = own.images,
            .weights = own.weights,
            .out_depth = map.depth,
            .out_height = map.height,
            .out_width = map.width,
            .map = scale == 0 ? images_of(update.map, group) : output_view{},
            .by_channel = update.by_channel,
            .sums = own.sums,
            .weight = own.weight,
            .counts = update.is_made(scale) ? nullptr : counts,
            .not_a_number = own.not_a_number,
        };
        update.device->ssim(owner(), update.memory->work, request);
    }
}

ssim_values_request ssim_metric::values_of(const ssim_update &update, image_group group) const
{
    ssim_values_request request{};
    request.rule = rule_of(options_);
    for (int scale = 0; scale < options_.scales; ++scale) {
        const ssim_scale &own = scales_[size_t(scale)];
        request.scales[scale] = {own.sums, update.weighing ? own.weight : nullptr, own.not_a_number, own.pixels};
    }
    request.plain = plain_mean(options_);
    request.of_channels = product_of_channels();
    request.all_parts = options_.parts != 0;
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
