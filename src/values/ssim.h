// SPDX-License-Identifier: MIT
// SSIM: from sums over pixels to the values of images, and the derivatives of these by the pixels of maps. One text for
// every device: the CPU runs it image after image, a GPU one image in each thread.
#pragma once

#include "arith/exact_sum.h"
#include "arith/level_product.h"
#include "arith/ssim.h"
#include "arith/ssim_blocks.h"
#include "core/device.hpp"
#include "core/tensor.hpp"

namespace iqa {

// The lanes of an SSIM metric. `parts` exist with the option of that name: the sums of the means of each factor and
// level.
namespace ssim_lane {
enum : int {
    images,
    nan_images,
    outside,
    nonfinite,
    sum,
    parts = sum + unit_format.digits,
    most = parts + int(ssim_factors) * int(most_levels) * unit_format.digits
};
}

// The sums of a level of a group of images: for each image, or each image and channel.
struct ssim_level_sums {
    const int128 *sums;       // [...][ssim_factors]
    const int128 *weight;     // [...]; NULL: each pixel has weight 1
    const bool *not_a_number; // [images]
    int64_t pixels;           // of the map, of one channel
};

struct ssim_values_request {
    level_rule rule;
    ssim_level_sums levels[most_levels];
    bool plain;             // the value is the mean itself: no powers, no rule for negative means
    bool averages_channels; // the value is the mean of the channels' products; else the product of means of all
    bool all_factors;       // the means of all factors are accumulated too
    bool refuses_nonfinite;
    bool by_channel; // sums are kept for each channel
    int64_t channels;
    int64_t first, images;       // the group
    const sample_counts *counts; // [images]
    output_view per_image, per_channel;

    int64_t *addend; // the metric's lanes
    fault *report;   // of the first image at fault; other images may have been added then

    IQA_HD_MEMBER int64_t planes() const { return by_channel ? channels : 1; }
};

// The same for SSIM over blocks.
struct ssim_block_values_request {
    const int128 *sums; // [images][channels]
    const sample_counts *counts;
    int64_t images, channels;
    int64_t blocks; // of a channel
    output_view per_image, per_channel;
    int64_t *addend;
};

// Stands for the mean of no pixels.
constexpr int128 no_pixels = int128(1) << 126;

IQA_HD double value_on_grid(int128 value)
{
    return double(value) * power_of_two(unit_format.lowest);
}

IQA_HD int128 grid_value(double value)
{
    return int128(value * power_of_two(-unit_format.lowest));
}

// The mean of a factor at a level: of a channel, or of all channels (-1) in proportion to their pixels or weights.
IQA_HD int128 mean_of(const ssim_values_request &request, int level, int64_t image, int64_t channel, int factor)
{
    const ssim_level_sums &totals = request.levels[level];
    const int64_t planes = request.planes();
    const int64_t first = image * planes + (request.by_channel && channel >= 0 ? channel : 0);
    const int64_t count = channel >= 0 ? 1 : planes;
    int128 sum = 0;
    int128 weight = 0;
    for (int64_t i = first; i < first + count; ++i) {
        sum += totals.sums[i * ssim_factors + factor];
        weight += totals.weight != nullptr ? totals.weight[i] : int128(totals.pixels);
    }
    if (totals.weight == nullptr && !request.by_channel)
        weight *= request.channels;
    return weight == 0 ? no_pixels : mean_on_grid(sum, weight);
}

IQA_HD fault fault_of_image(fault_kind kind, int level, int64_t image, int64_t channel)
{
    fault found{};
    found.kind = kind;
    found.level = level;
    found.image = image;
    found.channel = channel;
    return found;
}

// Stores the product of the means of one channel, or of all (-1).
IQA_HD fault product_of_image(const ssim_values_request &request, int64_t image, int64_t channel, double *means,
                              double *value)
{
    const int levels = request.rule.levels;
    for (int level = 0; level < levels; ++level) {
        const int factor = level == levels - 1 ? ssim_product : ssim_contrast_structure;
        const int128 mean = mean_of(request, level, image, channel, factor);
        if (mean == no_pixels)
            return fault_of_image(fault_kind::masked, level, request.first + image, channel);
        means[level] = value_on_grid(mean);
    }
    const level_product product = product_of_levels(request.rule, means);
    *value = product.value;
    if (product.without_power < 0)
        return {};
    fault found = fault_of_image(fault_kind::negative_power, product.without_power, request.first + image, channel);
    found.value = means[product.without_power];
    return found;
}

// Stores the values of the channels, and the sum of their products.
IQA_HD fault evaluate_channels(const ssim_values_request &request, int64_t image, bool is_nan, double *sum)
{
    double means[most_levels];
    *sum = 0.0;
    for (int64_t channel = 0; channel < request.channels; ++channel) {
        double value = __builtin_nan("");
        if (!is_nan && request.plain) {
            const int128 mean = mean_of(request, 0, image, channel, ssim_product);
            if (mean != no_pixels)
                value = value_on_grid(mean);
        } else if (!is_nan) {
            const fault found = product_of_image(request, image, channel, means, &value);
            if (found.kind != fault_kind::none)
                return found;
            *sum += value;
        }
        if (request.per_channel.data != nullptr)
            request.per_channel.store(request.first + image, channel, 0, 0, 0, value);
    }
    return {};
}

// The value of an image on the grid.
IQA_HD fault evaluate_mean(const ssim_values_request &request, int64_t image, double sum_of_channels, int128 *value)
{
    if (request.plain) {
        *value = mean_of(request, 0, image, -1, ssim_product);
        return *value == no_pixels ? fault_of_image(fault_kind::masked, 0, request.first + image, -1) : fault{};
    }
    double product = sum_of_channels / double(request.channels);
    double means[most_levels];
    const fault found = request.averages_channels ? fault{} : product_of_image(request, image, -1, means, &product);
    *value = grid_value(product);
    return found;
}

// Adds the means of all factors and levels.
IQA_HD fault add_factors(const ssim_values_request &request, int64_t image)
{
    int64_t *lanes = request.addend + ssim_lane::parts;
    for (int factor = 0; factor < ssim_factors; ++factor)
        for (int level = 0; level < request.rule.levels; ++level, lanes += unit_format.digits) {
            const int128 mean = mean_of(request, level, image, -1, factor);
            if (mean == no_pixels)
                return fault_of_image(fault_kind::masked, level, request.first + image, -1);
            add_digits(unit_format, lanes, mean, unit_format.lowest);
        }
    return {};
}

IQA_HD fault add_image(const ssim_values_request &request, int64_t image)
{
    const sample_counts &counts = request.counts[image];
    const bool is_nan = counts.nonfinite != 0;
    if (is_nan && request.refuses_nonfinite) {
        fault found = fault_of_image(fault_kind::nonfinite, 0, request.first + image, -1);
        found.count = counts.nonfinite;
        return found;
    }
    bool overflow = false;
    for (int level = 0; level < request.rule.levels; ++level)
        overflow = overflow || request.levels[level].not_a_number[image];
    if (!is_nan && overflow)
        return fault_of_image(fault_kind::overflow, 0, request.first + image, -1);
    add_to_lane(&request.addend[ssim_lane::outside], counts.outside);
    add_to_lane(&request.addend[ssim_lane::nonfinite], counts.nonfinite);
    add_to_lane(&request.addend[ssim_lane::images], 1);

    double sum_of_channels = 0.0;
    fault found{};
    if (request.averages_channels || request.per_channel.data != nullptr)
        found = evaluate_channels(request, image, is_nan, &sum_of_channels);
    int128 value = 0;
    if (found.kind == fault_kind::none && !is_nan)
        found = evaluate_mean(request, image, sum_of_channels, &value);
    if (found.kind != fault_kind::none)
        return found;
    if (request.per_image.data != nullptr)
        request.per_image.store(request.first + image, 0, 0, 0, 0, is_nan ? __builtin_nan("") : value_on_grid(value));
    if (is_nan) {
        add_to_lane(&request.addend[ssim_lane::nan_images], 1);
        return {};
    }
    add_digits(unit_format, request.addend + ssim_lane::sum, value, unit_format.lowest);
    return request.all_factors ? add_factors(request, image) : fault{};
}

// Adds one image to the addend and stores its outputs. The value is NaN if the image or the update is at fault, for
// callers that do not ask for the fault.
IQA_HD fault evaluate_image(const ssim_values_request &request, int64_t image)
{
    const bool sound = request.report->kind == fault_kind::none;
    const fault found = add_image(request, image);
    if ((!sound || found.kind != fault_kind::none) && request.per_image.data != nullptr)
        request.per_image.store(request.first + image, 0, 0, 0, 0, __builtin_nan(""));
    return found;
}

// The derivative of a mean by a pixel of the map of weight 1; `weight`: of all pixels.
IQA_HD double slope_of_map_pixel(double weight)
{
    return weight == 0.0 ? 0.0 : 1.0 / weight;
}

// The derivative of an image's value by each pixel of a channel's map at a level.
IQA_HD double slope_of(const ssim_values_request &request, int level, int64_t image, int64_t channel)
{
    if (request.counts[image].nonfinite != 0)
        return __builtin_nan("");
    const ssim_level_sums &totals = request.levels[level];
    // The weight of the mean that contains the pixel.
    double weight = 0.0;
    for (int64_t i = 0; i < request.planes(); ++i)
        if (!request.averages_channels || !request.by_channel || i == channel)
            weight += totals.weight != nullptr ? weight_of_units(double(totals.weight[image * request.planes() + i]))
                                               : double(totals.pixels);
    if (!request.averages_channels && !request.by_channel && totals.weight == nullptr)
        weight *= double(request.channels);
    const double factor = slope_of_map_pixel(weight);
    if (request.plain)
        return factor;
    double means[most_levels];
    double product = 0.0;
    const fault found = product_of_image(request, image, request.averages_channels ? channel : -1, means, &product);
    if (found.kind != fault_kind::none)
        return 0.0; // evaluate_image() has reported it
    return factor * (derivative_by_level(request.rule, means, product, level) /
                     (request.averages_channels ? double(request.channels) : 1.0));
}

IQA_HD void evaluate_image_of_blocks(const ssim_block_values_request &request, int64_t image)
{
    int128 sum = 0;
    for (int64_t channel = 0; channel < request.channels; ++channel) {
        const int128 mean = mean_on_grid(request.sums[image * request.channels + channel], request.blocks);
        sum += mean;
        if (request.per_channel.data != nullptr)
            request.per_channel.store(image, channel, 0, 0, 0, value_on_grid(mean));
    }
    const int128 mean = divide_rounded(sum, request.channels);
    if (request.per_image.data != nullptr)
        request.per_image.store(image, 0, 0, 0, 0, value_on_grid(mean));
    add_to_lane(&request.addend[ssim_lane::outside], request.counts[image].outside);
    add_to_lane(&request.addend[ssim_lane::images], 1);
    add_digits(unit_format, request.addend + ssim_lane::sum, mean, unit_format.lowest);
}

} // namespace iqa
