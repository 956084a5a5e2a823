// SPDX-License-Identifier: MIT
// Mean errors: from sums over pairs of samples to the values of images. One text for every device, like values/psnr.h.
#pragma once

#include "arith/element_type.h"
#include "core/tensor.hpp"
#include "values/pair_sums.h"

namespace iqa {

// The measures of an image's errors, numbered as IQA_MEAN_ABSOLUTE_ERROR and its kin.
enum class error_measure : int32_t {
    mean_absolute,
    mean_square,
    root_mean_square,
    normalized_by_euclidean,
    normalized_by_range,
    normalized_by_mean,
    signal_to_noise
};
// Measures from this one on are taken of each image and averaged.
constexpr int first_of_images = int(error_measure::normalized_by_euclidean);
constexpr int measures_of_images = int(error_measure::signal_to_noise) + 1 - first_of_images;

// The lanes of a metric of mean errors.
namespace errors_lane {
enum : int {
    images,
    nan_images,
    outside,
    nonfinite,
    weight, // sum of the samples' weights
    squares = weight + pixel_weight_format.digits,
    magnitudes = squares + square_format.digits,
    means = magnitudes + real_format.digits, // `mean_size` lanes for each measure of images:
    positive_infinite = 0,                   // images
    negative_infinite = 1,
    undefined = 2,
    sum = 3, // of the other images' values
    mean_size = sum + real_format.digits,
    count = means + measures_of_images * mean_size
};
}

// The sums over some samples.
struct error_sums {
    scaled_value squares, magnitudes, reference_squares, reference;
    sample_extremes extremes;
    double weight;
};

// True if a measure is made of a term.
IQA_HD constexpr bool needs_term(error_measure measure, error_term term)
{
    switch (term) {
    case error_term::magnitude:
        return measure == error_measure::mean_absolute;
    case error_term::square:
        return measure != error_measure::mean_absolute;
    case error_term::reference_square:
        return measure == error_measure::normalized_by_euclidean || measure == error_measure::signal_to_noise;
    case error_term::reference:
        return measure == error_measure::normalized_by_range || measure == error_measure::normalized_by_mean;
    }
    return false;
}

struct errors_rule {
    error_measure measure; // that is stored for images and channels, and has the gradient
    bool alone;            // no other is kept
    double_double log_of_ten;
    bool refuses_nonfinite;
};

struct errors_values_request {
    static constexpr int lane_of_nonfinite = errors_lane::nonfinite;

    errors_rule rule;
    // [images][planes]; NULL: the term is not kept
    const pair_sum *squares, *magnitudes, *reference_squares, *reference;
    const sample_extremes *extremes; // likewise
    const int128 *weights;           // [images][planes]
    const sample_counts *counts;     // [images]
    const bool *overflow;            // likewise
    int64_t images;
    int64_t planes; // of an image: 1, or its channels if they are wanted apart

    output_view per_image, per_channel;
    error_slope *slopes; // [images]; NULL: not wanted
    int64_t *addend;     // the metric's lanes; carries are not passed on
    fault *report;       // of this update; with a fault the other results are unspecified
};

// (a / b)^(1/2) for a >= 0 and b > 0 of any exponents, with the roundings of one quotient and one root.
IQA_HD double root_of_ratio(scaled_value a, double divisor, int exponent)
{
    const int whole = a.exponent - exponent;
    const int odd = whole & 1;
    return __builtin_ldexp(__builtin_sqrt(a.mantissa / divisor * (odd != 0 ? 2.0 : 1.0)), (whole - odd) / 2);
}

IQA_HD double root_mean_square(scaled_value squares, double weight)
{
    return root_of_ratio(squares, weight, 0);
}

IQA_HD double mean_of(scaled_value sum, double weight)
{
    return __builtin_ldexp(sum.mantissa / weight, sum.exponent);
}

// The measure of some samples: NaN without a sample, or where 0 is divided by 0.
IQA_HD double measure_of(const errors_rule &rule, error_measure measure, const error_sums &sums)
{
    if (sums.weight == 0.0)
        return __builtin_nan("");
    const double root = root_mean_square(sums.squares, sums.weight);
    switch (measure) {
    case error_measure::mean_absolute:
        return mean_of(sums.magnitudes, sums.weight);
    case error_measure::mean_square:
        return mean_of(sums.squares, sums.weight);
    case error_measure::root_mean_square:
        return root;
    case error_measure::normalized_by_euclidean:
        if (sums.reference_squares.mantissa == 0.0)
            return root == 0.0 ? __builtin_nan("") : __builtin_huge_val();
        return root_of_ratio(sums.squares, sums.reference_squares.mantissa, sums.reference_squares.exponent);
    case error_measure::normalized_by_range:
        // Adding 0 turns -0 into 0: extremes do not tell the two apart.
        return root / ((sums.extremes.most + 0.0) - (sums.extremes.least + 0.0));
    case error_measure::normalized_by_mean:
        return root / (mean_of(sums.reference, sums.weight) + 0.0);
    case error_measure::signal_to_noise:
        if (sums.reference_squares.mantissa == 0.0)
            return sums.squares.mantissa == 0.0 ? __builtin_nan("") : -__builtin_huge_val();
        if (sums.squares.mantissa == 0.0)
            return __builtin_huge_val();
        return ten_logarithms(divide({sums.reference_squares.mantissa, 0.0}, {sums.squares.mantissa, 0.0}),
                              sums.reference_squares.exponent - sums.squares.exponent, rule.log_of_ten);
    }
    return __builtin_nan("");
}

// True for a mean over samples, and for its root.
IQA_HD bool has_gradient(error_measure measure)
{
    return int(measure) < first_of_images;
}

IQA_HD error_slope slope_of(error_measure measure, const error_sums &sums)
{
    if (measure == error_measure::mean_absolute)
        return slope_of_mean_magnitude(sums.weight);
    if (measure == error_measure::mean_square)
        return slope_of_mean(sums.weight);
    const double root = root_mean_square(sums.squares, sums.weight);
    return root == 0.0 ? error_slope{1.0, 0.0, 1.0} : slope_of_root_mean(sums.weight, root);
}

IQA_HD void add_sum(exact_format format, int64_t *lanes, const pair_sum &sum)
{
    for (int limb = 0; limb < error_limbs; ++limb)
        add_digits(format, lanes, sum.limb[limb], sum.exponent[limb]);
}

// The sum of a term over an image, or over one plane.
IQA_HD pair_sum sum_of_term(const pair_sum *sums, int64_t image, int64_t planes)
{
    return sums == nullptr ? pair_sum{} : sum_of_planes(sums, image, planes);
}

IQA_HD sample_extremes extremes_of_planes(const sample_extremes *extremes, int64_t image, int64_t planes)
{
    if (extremes == nullptr)
        return {0.0, 0.0};
    sample_extremes all = extremes[image * planes];
    for (int64_t i = image * planes + 1; i < (image + 1) * planes; ++i) {
        all.least = extremes[i].least < all.least ? extremes[i].least : all.least;
        all.most = extremes[i].most > all.most ? extremes[i].most : all.most;
    }
    return all;
}

// Adds an image's value to the lanes of its measure's mean.
IQA_HD void add_to_mean(int64_t *lanes, double value)
{
    if (value != value)
        return add_to_lane(&lanes[errors_lane::undefined], 1);
    if (!is_finite(value))
        return add_to_lane(&lanes[value > 0.0 ? errors_lane::positive_infinite : errors_lane::negative_infinite], 1);
    if (value == 0.0)
        return;
    const int exponent = exponent_of(value < 0.0 ? -value : value) - 52;
    add_digits(real_format, &lanes[errors_lane::sum], int128(__builtin_ldexp(value, -exponent)), exponent);
}

IQA_HD error_sums sums_of(const errors_values_request &request, int64_t image, int64_t planes, double weight)
{
    return {value_of(sum_of_term(request.squares, image, planes)),
            value_of(sum_of_term(request.magnitudes, image, planes)),
            value_of(sum_of_term(request.reference_squares, image, planes)),
            value_of(sum_of_term(request.reference, image, planes)),
            extremes_of_planes(request.extremes, image, planes),
            weight};
}

IQA_HD uint64_t add_image(const errors_values_request &request, int64_t image)
{
    const sample_counts &counts = request.counts[image];
    const bool is_nan = counts.nonfinite != 0;
    const int128 units = units_of_planes(request.weights, image, request.planes);
    add_to_lane(&request.addend[errors_lane::outside], counts.outside);
    add_to_lane(&request.addend[errors_lane::nonfinite], counts.nonfinite);
    const uint64_t rank = fault_of_image(request, image, units);
    if (rank != 0)
        return rank;

    add_to_lane(&request.addend[errors_lane::images], 1);
    add_digits(pixel_weight_format, &request.addend[errors_lane::weight], units, pixel_weight_format.lowest);
    if (is_nan) {
        store_fault(request, image);
        add_to_lane(&request.addend[errors_lane::nan_images], 1);
        return 0;
    }
    const error_sums sums = sums_of(request, image, request.planes, weight_of(units));
    add_sum(square_format, &request.addend[errors_lane::squares], sum_of_term(request.squares, image, request.planes));
    add_sum(real_format, &request.addend[errors_lane::magnitudes],
            sum_of_term(request.magnitudes, image, request.planes));
    for (int i = 0; i < measures_of_images; ++i) {
        const auto measure = error_measure(first_of_images + i);
        if (!request.rule.alone || measure == request.rule.measure)
            add_to_mean(&request.addend[errors_lane::means + i * errors_lane::mean_size],
                        measure_of(request.rule, measure, sums));
    }
    if (request.per_image.data != nullptr)
        request.per_image.store(image, 0, 0, 0, 0, measure_of(request.rule, request.rule.measure, sums));
    if (request.slopes != nullptr)
        request.slopes[image] = slope_of(request.rule.measure, sums);
    return 0;
}

// The value of a channel.
IQA_HD void evaluate_channel(const errors_values_request &request, int64_t image, int64_t channel)
{
    const int64_t plane = request.planes == 1 ? image : image * request.planes + channel;
    const bool is_nan = request.counts[image].nonfinite != 0;
    request.per_channel.store(image, channel, 0, 0, 0,
                              is_nan ? __builtin_nan("")
                                     : measure_of(request.rule, request.rule.measure,
                                                  sums_of(request, plane, 1, weight_of(request.weights[plane]))));
}

} // namespace iqa
