// SPDX-License-Identifier: MIT
// PSNR: from sums of squared errors to the values of images. One text for every device: the CPU runs it image after
// image, a GPU one image in each thread.
#pragma once

#include "arith/element_type.h"
#include "arith/squared_error.h"
#include "core/tensor.hpp"
#include "values/pair_sums.h"

namespace iqa {

// The lanes of a PSNR metric. Without a stated range the peak follows from the element type: images of each type are
// counted apart, so the state stays a sum of integers and still knows its peak.
namespace psnr_lane {
enum : int {
    images,
    infinite_images,
    nan_images,
    images_of_8_bits,
    images_of_16_bits,
    outside,
    nonfinite,
    weight,                                         // sum of the samples' weights
    decibels = weight + pixel_weight_format.digits, // over the images with a finite value
    errors = decibels + decibel_format.digits,
    count = errors + square_format.digits
};
}

// A sum of squared errors, and of the weights of its samples.
struct error_total {
    scaled_value errors;
    double weight;
};

struct psnr_rule {
    double peak;
    double_double log_of_base;
    double cap;
    bool capped; // equal images have the cap as their value
    bool gradient_of_mean_error;
    bool refuses_nonfinite;
    int lane_of_type; // if images are counted apart; else -1
};

struct psnr_values_request {
    static constexpr int lane_of_nonfinite = psnr_lane::nonfinite;

    psnr_rule rule;
    const pair_sum *sums;        // [images][planes]
    const int128 *weights;       // likewise
    const sample_counts *counts; // [images]
    const bool *overflow;        // likewise
    int64_t images;
    int64_t planes; // of an image: 1, or its channels if they are wanted apart

    output_view per_image, per_channel;
    error_slope *slopes; // [images]; NULL: not wanted
    int64_t *addend;     // the metric's lanes; carries are not passed on
    fault *report;       // of this update; with a fault the other results are unspecified
};

// The PSNR of some samples; infinite for no error without a cap, NaN for no sample.
IQA_HD double psnr_of(const psnr_rule &rule, const error_total &sum)
{
    if (sum.weight == 0.0)
        return __builtin_nan("");
    if (sum.errors.mantissa == 0.0)
        return rule.capped ? rule.cap : __builtin_huge_val();
    const double value = psnr_value(rule.peak, sum.errors, sum.weight, rule.log_of_base);
    return value < rule.cap ? value : rule.cap;
}

// The slope of an image's value: 0 if the value does not move with the samples.
IQA_HD error_slope slope_of(const psnr_rule &rule, const error_total &sum, double value)
{
    if (rule.gradient_of_mean_error)
        return slope_of_mean(sum.weight);
    if (sum.errors.mantissa == 0.0 || value == rule.cap)
        return {1.0, 0.0, 1.0};
    return slope_of_psnr(sum.errors, rule.log_of_base);
}

IQA_HD uint64_t add_image(const psnr_values_request &request, int64_t image)
{
    const psnr_rule &rule = request.rule;
    const sample_counts &counts = request.counts[image];
    const bool is_nan = counts.nonfinite != 0;
    const pair_sum sums = sum_of_planes(request.sums, image, request.planes);
    const int128 units = units_of_planes(request.weights, image, request.planes);
    add_to_lane(&request.addend[psnr_lane::outside], counts.outside);
    add_to_lane(&request.addend[psnr_lane::nonfinite], counts.nonfinite);
    const uint64_t rank = fault_of_image(request, image, units);
    if (rank != 0)
        return rank;

    const error_total sum = {is_nan ? scaled_value{0.0, 0} : value_of(sums), weight_of(units)};
    const double value = is_nan ? __builtin_nan("") : psnr_of(rule, sum);
    if (request.per_image.data != nullptr)
        request.per_image.store(image, 0, 0, 0, 0, value);
    if (request.slopes != nullptr)
        request.slopes[image] = is_nan ? error_slope{1.0, __builtin_nan(""), 1.0} : slope_of(rule, sum, value);
    add_to_lane(&request.addend[psnr_lane::images], 1);
    if (rule.lane_of_type >= 0)
        add_to_lane(&request.addend[rule.lane_of_type], 1);
    add_digits(pixel_weight_format, &request.addend[psnr_lane::weight], units, pixel_weight_format.lowest);
    if (is_nan) {
        add_to_lane(&request.addend[psnr_lane::nan_images], 1);
        return 0;
    }
    for (int limb = 0; limb < error_limbs; ++limb)
        add_digits(square_format, &request.addend[psnr_lane::errors], sums.limb[limb], sums.exponent[limb]);
    if (sum.errors.mantissa == 0.0)
        add_to_lane(&request.addend[psnr_lane::infinite_images], 1);
    else
        add_digits(decibel_format, &request.addend[psnr_lane::decibels], int128(value * 0x1p64), decibel_format.lowest);
    return 0;
}

// The value of a channel.
IQA_HD void evaluate_channel(const psnr_values_request &request, int64_t image, int64_t channel)
{
    const int64_t plane = request.planes == 1 ? image : image * request.planes + channel;
    const bool is_nan = request.counts[image].nonfinite != 0;
    request.per_channel.store(
        image, channel, 0, 0, 0,
        is_nan ? __builtin_nan("")
               : psnr_of(request.rule, {value_of(request.sums[plane]), weight_of(request.weights[plane])}));
}

} // namespace iqa
