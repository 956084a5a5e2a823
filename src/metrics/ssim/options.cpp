// SPDX-License-Identifier: MIT
#include "metrics/ssim/options.hpp"

#include <cmath>

#include "core/options.hpp"
#include "core/tensor.hpp"

namespace iqa {

namespace {

// A window may not be larger: its rows are kept in memory, and images of that size do not exist.
constexpr int largest_window = 4095;

void check_positive(const char *name, double value)
{
    if (!(std::isfinite(value) && value > 0))
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is ", value, "; expected a finite number above 0");
}

void check_from_zero(const char *name, double value)
{
    if (!(std::isfinite(value) && value >= 0))
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is ", value, "; expected a finite number of at least 0");
}

void check_flag(const char *name, int32_t value)
{
    if (value != 0 && value != 1)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is ", value, "; expected 0 or 1");
}

// `sigma` in pixels.
int automatic_radius(int32_t rule, double truncate, double sigma)
{
    const double reach = truncate * sigma;
    return int(rule == IQA_SIZE_AUTO_CEILING ? std::ceil(reach) : std::floor(reach + 0.5));
}

struct window_axis {
    const char *size_name, *sigma_name, *spacing_name;
    int32_t &size;
    double sigma, spacing;
};

void resolve_axis(const window_axis &axis, const iqa_ssim_options &options)
{
    const bool automatic = axis.size == IQA_SIZE_AUTO || axis.size == IQA_SIZE_AUTO_CEILING;
    if (options.window == IQA_WINDOW_GAUSSIAN) {
        check_positive(axis.sigma_name, axis.sigma);
        check_positive(axis.spacing_name, axis.spacing);
        if (!(axis.sigma / axis.spacing > 0 && std::isfinite(axis.sigma / axis.spacing)))
            fail(IQA_ERROR_INVALID_ARGUMENT, axis.sigma_name, " is ", axis.sigma, " and ", axis.spacing_name, " is ",
                 axis.spacing, ", whose ratio is not a number above 0");
    }
    if (automatic) {
        if (options.window != IQA_WINDOW_GAUSSIAN)
            fail(IQA_ERROR_INVALID_ARGUMENT, axis.size_name, " is ",
                 axis.size == IQA_SIZE_AUTO ? "IQA_SIZE_AUTO" : "IQA_SIZE_AUTO_CEILING",
                 "; a uniform window has no sigma to follow: state its size");
        check_positive("truncate", options.truncate);
        const double sigma = axis.sigma / axis.spacing;
        if (!(options.truncate * sigma <= largest_window / 2))
            fail(IQA_ERROR_INVALID_ARGUMENT, axis.sigma_name, " is ", axis.sigma, ": the window would exceed ",
                 largest_window, " pixels");
        axis.size = 2 * automatic_radius(axis.size, options.truncate, sigma) + 1;
    }
    if (axis.size < 1 || axis.size > largest_window || axis.size % 2 == 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, axis.size_name, " is ", axis.size, "; expected an odd number from 1 to ",
             largest_window, ", or IQA_SIZE_AUTO");
}

void resolve_window(iqa_ssim_options &options)
{
    if (has_depth(options.layout))
        resolve_axis({"size_z", "sigma_z", "spacing_z", options.size_z, options.sigma_z, options.spacing_z}, options);
    else
        options.size_z = 1;
    resolve_axis({"size_y", "sigma_y", "spacing_y", options.size_y, options.sigma_y, options.spacing_y}, options);
    resolve_axis({"size_x", "sigma_x", "spacing_x", options.size_x, options.sigma_x, options.spacing_x}, options);
    const bool one_pixel = options.size_z == 1 && options.size_y == 1 && options.size_x == 1;
    if (options.covariance == IQA_COVARIANCE_SAMPLE && one_pixel)
        fail(IQA_ERROR_INVALID_ARGUMENT, "the sample covariance of a window of one pixel is not defined");
}

// Blocks are FFmpeg's own rule: what it does not have is refused rather than passed over.
void check_blocks(iqa_ssim_options &options)
{
    if (has_depth(options.layout) || options.scales != 1 || options.downsample != 1 || options.parts != 0 ||
        options.luma != IQA_LUMA_NONE || options.nonfinite == IQA_NONFINITE_MASK)
        fail(IQA_ERROR_INVALID_ARGUMENT, "window is IQA_WINDOW_BLOCKS, which has no volumes, scales, downsample, "
                                         "parts, luma or masks");
    options.size_z = 1;
    options.size_y = options.size_x = 8;
}

void check_scales(const iqa_ssim_options &options)
{
    if (options.scales < 1 || options.scales > IQA_MOST_SCALES)
        fail(IQA_ERROR_INVALID_ARGUMENT, "scales is ", options.scales, "; expected 1 to ", int(IQA_MOST_SCALES));
    double sum = 0.0;
    for (int scale = 0; scale < IQA_MOST_SCALES; ++scale) {
        const double weight = options.scale_weights[scale];
        if (scale >= options.scales && weight != 0.0)
            fail(IQA_ERROR_INVALID_ARGUMENT, "scale_weights[", scale, "] is ", weight, ", but scales is ",
                 options.scales);
        if (!(std::isfinite(weight) && weight >= 0))
            fail(IQA_ERROR_INVALID_ARGUMENT, "scale_weights[", scale, "] is ", weight,
                 "; expected a finite number of at least 0");
        sum += weight;
    }
    if (!(sum >= 0.99 && sum <= 1.01))
        fail(IQA_ERROR_INVALID_ARGUMENT, "the scale_weights sum to ", sum,
             "; expected 1 within 0.01: divide them by their sum");
}

// Every field that a state file has, in its order.
template <class Options, class Visit>
void visit_fields(Options &o, Visit visit)
{
    for (auto *value : {&o.layout, &o.window, &o.border, &o.size_z, &o.size_y, &o.size_x})
        visit(*value);
    for (auto *value : {&o.data_low, &o.data_high, &o.sigma_z, &o.sigma_y, &o.sigma_x, &o.truncate, &o.k1, &o.k2,
                        &o.spacing_z, &o.spacing_y, &o.spacing_x})
        visit(*value);
    for (auto *value : {&o.covariance, &o.arithmetic, &o.nonfinite, &o.luma, &o.luma_rounded, &o.shave, &o.downsample,
                        &o.shrink, &o.scales})
        visit(*value);
    for (auto &weight : o.scale_weights)
        visit(weight);
    for (auto *value : {&o.product, &o.negative, &o.contrast_border, &o.mask})
        visit(*value);
    visit(o.coverage);
    visit(o.parts);
}

} // namespace

iqa_ssim_options resolve(iqa_ssim_options options)
{
    check_constant("layout", options.layout, IQA_LAYOUT_NDHWC, "IQA_LAYOUT_");
    check_constant("window", options.window, IQA_WINDOW_BLOCKS, "IQA_WINDOW_");
    check_constant("border", options.border, IQA_BORDER_ZERO, "IQA_BORDER_");
    check_constant("contrast_border", options.contrast_border, IQA_BORDER_ZERO, "IQA_BORDER_");
    check_constant("covariance", options.covariance, IQA_COVARIANCE_SAMPLE, "IQA_COVARIANCE_");
    check_constant("arithmetic", options.arithmetic, IQA_ARITHMETIC_FLOAT64, "IQA_ARITHMETIC_");
    check_constant("nonfinite", options.nonfinite, IQA_NONFINITE_MASK, "IQA_NONFINITE_");
    check_constant("luma", options.luma, IQA_LUMA_BT709_STUDIO, "IQA_LUMA_");
    check_constant("shrink", options.shrink, IQA_SHRINK_REPLICATE, "IQA_SHRINK_");
    check_constant("product", options.product, IQA_PRODUCT_OF_IMAGE, "IQA_PRODUCT_");
    check_constant("negative", options.negative, IQA_NEGATIVE_RELU_MAP, "IQA_NEGATIVE_");
    check_constant("mask", options.mask, IQA_MASK_MAP, "IQA_MASK_");
    check_flag("luma_rounded", options.luma_rounded);
    check_flag("parts", options.parts);
    if (options.reserved != 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, "reserved is ", options.reserved, "; expected 0");
    check_range(options.data_low, options.data_high);
    check_from_zero("k1", options.k1);
    check_from_zero("k2", options.k2);
    if (options.shave < 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, "shave is ", options.shave, "; expected 0 or more pixels");
    if (options.downsample < 1 && options.downsample != IQA_DOWNSAMPLE_AUTO)
        fail(IQA_ERROR_INVALID_ARGUMENT, "downsample is ", options.downsample,
             "; expected a factor of at least 1, or IQA_DOWNSAMPLE_AUTO");
    if (options.downsample != 1 && options.shrink > IQA_SHRINK_FLOOR)
        fail(IQA_ERROR_INVALID_ARGUMENT,
             "downsample needs shrink to be IQA_SHRINK_SYMMETRIC or IQA_SHRINK_FLOOR; the others are for factor 2");
    if (!(options.coverage >= 0 && options.coverage <= 1))
        fail(IQA_ERROR_INVALID_ARGUMENT, "coverage is ", options.coverage, "; expected 0 to 1");
    if (options.mask == IQA_MASK_MAP && options.nonfinite == IQA_NONFINITE_MASK)
        fail(IQA_ERROR_INVALID_ARGUMENT, "IQA_NONFINITE_MASK needs mask to be IQA_MASK_CONVOLUTION: with "
                                         "IQA_MASK_MAP every sample has influence");
    check_scales(options);
    if (options.window == IQA_WINDOW_BLOCKS)
        check_blocks(options);
    else
        resolve_window(options);
    return options;
}

void write_options(const iqa_ssim_options &options, std::span<std::byte> out)
{
    byte_writer writer(out);
    visit_fields(options, [&](const auto &value) { writer.put(value); });
}

iqa_ssim_options read_ssim_options(byte_reader bytes)
{
    iqa_ssim_options options = default_ssim_options;
    visit_fields(options, [&]<class Value>(Value &value) { value = bytes.get<Value>(); });
    bytes.expect_end("options");
    return options;
}

} // namespace iqa
