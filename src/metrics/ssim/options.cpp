// SPDX-License-Identifier: MIT
#include "metrics/ssim/options.hpp"

#include <cmath>

#include "core/tensor.hpp"
#include "metrics/image_options.hpp"

namespace iqa {

namespace {

constexpr option_word window_words[] = {
    IQA_WORD("gaussian", IQA_WINDOW_GAUSSIAN),
    IQA_WORD("uniform", IQA_WINDOW_UNIFORM),
    IQA_WORD("blocks", IQA_WINDOW_BLOCKS),
};

constexpr option_word border_words[] = {
    IQA_WORD("valid", IQA_BORDER_VALID),         IQA_WORD("reflect", IQA_BORDER_REFLECT),
    IQA_WORD("symmetric", IQA_BORDER_SYMMETRIC), IQA_WORD("replicate", IQA_BORDER_REPLICATE),
    IQA_WORD("zero", IQA_BORDER_ZERO),
};

constexpr option_word size_words[] = {
    IQA_WORD("auto", IQA_SIZE_AUTO),
    IQA_WORD("auto_ceiling", IQA_SIZE_AUTO_CEILING),
};

constexpr option_word covariance_words[] = {
    IQA_WORD("population", IQA_COVARIANCE_POPULATION),
    IQA_WORD("sample", IQA_COVARIANCE_SAMPLE),
};

constexpr option_word arithmetic_words[] = {
    IQA_WORD("auto", IQA_ARITHMETIC_AUTO),
    IQA_WORD("float64", IQA_ARITHMETIC_FLOAT64),
};

constexpr option_word downsample_words[] = {IQA_WORD("auto", IQA_DOWNSAMPLE_AUTO)};

constexpr option_word shrink_words[] = {
    IQA_WORD("symmetric", IQA_SHRINK_SYMMETRIC),
    IQA_WORD("floor", IQA_SHRINK_FLOOR),
    IQA_WORD("zero", IQA_SHRINK_ZERO),
    IQA_WORD("replicate", IQA_SHRINK_REPLICATE),
};

constexpr option_word product_words[] = {
    IQA_WORD("channel", IQA_PRODUCT_OF_CHANNEL),
    IQA_WORD("image", IQA_PRODUCT_OF_IMAGE),
};

constexpr option_word negative_words[] = {
    IQA_WORD("keep", IQA_NEGATIVE_KEEP),
    IQA_WORD("relu", IQA_NEGATIVE_RELU),
    IQA_WORD("simple", IQA_NEGATIVE_SIMPLE),
    IQA_WORD("relu_map", IQA_NEGATIVE_RELU_MAP),
};

constexpr option_word mask_words[] = {
    IQA_WORD("convolution", IQA_MASK_CONVOLUTION),
    IQA_WORD("map", IQA_MASK_MAP),
};

// A limit, since a window's rows are kept in memory; no image needs a larger window.
constexpr int largest_window = 4095;

// resolve_axis() checks sizes, sigmas and spacings by the window's shape.
constexpr option_row size_of_axis(const option_row &field, const char *help)
{
    return field.from(1, largest_window)
        .odd()
        .or_word(size_words)
        .expects("an odd number from 1 to 4095, or IQA_SIZE_AUTO")
        .checked_elsewhere()
        .in_group("size")
        .says(help);
}

constexpr option_row sigma_of_axis(const option_row &field, const char *help)
{
    return field.above(0).checked_elsewhere().in_group("sigma").says(help);
}

constexpr option_row spacing_of_axis(const option_row &field, const char *help)
{
    return field.above(0).checked_elsewhere().in_group("spacing").says(help);
}

#define IQA_FIELD_OF_SSIM(field) IQA_OPTION(iqa_ssim_options, field)

constexpr option_row rows[] = {
    image_options::layout(IQA_FIELD_OF_SSIM(layout)),
    IQA_FIELD_OF_SSIM(window).word(window_words).says("The shape of the window"),
    IQA_FIELD_OF_SSIM(border)
        .word(border_words)
        .says("How samples beyond the edge are made; valid: only windows inside the image"),
    size_of_axis(IQA_FIELD_OF_SSIM(size_z), "Taps of the window in depth, of volumes"),
    size_of_axis(IQA_FIELD_OF_SSIM(size_y), "Taps of the window down, an odd number; auto: from sigma and truncate"),
    size_of_axis(IQA_FIELD_OF_SSIM(size_x), "Taps of the window across, likewise"),
    image_options::data_low(IQA_FIELD_OF_SSIM(data_low)),
    image_options::data_high(IQA_FIELD_OF_SSIM(data_high)),
    sigma_of_axis(IQA_FIELD_OF_SSIM(sigma_z), "Standard deviation of the Gaussian in depth, of volumes"),
    sigma_of_axis(IQA_FIELD_OF_SSIM(sigma_y),
                  "Standard deviation of the Gaussian down, in pixels or the unit of spacing"),
    sigma_of_axis(IQA_FIELD_OF_SSIM(sigma_x), "Standard deviation of the Gaussian across"),
    IQA_FIELD_OF_SSIM(truncate).above(0).checked_elsewhere().says("Radius of an automatic size, in sigmas"),
    IQA_FIELD_OF_SSIM(k1).at_least(0).says("The constant of luminance: C1 = (k1 L)^2"),
    IQA_FIELD_OF_SSIM(k2).at_least(0).says("The constant of contrast and structure: C2 = (k2 L)^2"),
    spacing_of_axis(IQA_FIELD_OF_SSIM(spacing_z), "Distance of voxels in depth, of volumes"),
    spacing_of_axis(IQA_FIELD_OF_SSIM(spacing_y), "Distance of pixels down"),
    spacing_of_axis(IQA_FIELD_OF_SSIM(spacing_x), "Distance of pixels across"),
    IQA_FIELD_OF_SSIM(covariance)
        .word(covariance_words)
        .says("Variances are divided by the number of taps, or by that "
              "less 1"),
    IQA_FIELD_OF_SSIM(arithmetic).word(arithmetic_words).says("auto: double for float64 samples, float for all others"),
    image_options::nonfinite(IQA_FIELD_OF_SSIM(nonfinite)),
    image_options::luma(IQA_FIELD_OF_SSIM(luma)),
    image_options::luma_rounded(IQA_FIELD_OF_SSIM(luma_rounded)),
    image_options::shave(IQA_FIELD_OF_SSIM(shave)),
    IQA_FIELD_OF_SSIM(downsample)
        .at_least(1)
        .or_word(downsample_words)
        .expects("a factor of at least 1, or IQA_DOWNSAMPLE_AUTO")
        .says("Images shrink by this factor first; auto: the smaller side becomes about 256"),
    IQA_FIELD_OF_SSIM(shrink)
        .word(shrink_words)
        .says("How images shrink: odd extents are rounded up, rounded down, or get a zero or the first pixel once more "
              "in front"),
    IQA_FIELD_OF_SSIM(scales).from(1, IQA_MOST_SCALES).says("How many scales there are; 1 is plain SSIM"),
    IQA_FIELD_OF_SSIM(scale_weights)
        .at_least(0)
        .counted_by(offsetof(iqa_ssim_options, scales))
        .says("The exponent of each scale, from the full size on; their sum is 1"),
    IQA_FIELD_OF_SSIM(product)
        .word(product_words)
        .says("Several scales: the product is taken for each channel, or for "
              "the image"),
    IQA_FIELD_OF_SSIM(negative)
        .word(negative_words)
        .says("What becomes of negative means: nothing (several scales: an error), 0, (m + 1) / 2, or 0 at each pixel"),
    IQA_FIELD_OF_SSIM(contrast_border).word(border_words).says("Several scales: the border of all but the last"),
    IQA_FIELD_OF_SSIM(mask)
        .word(mask_words)
        .says("Masked pixels have no influence (normalised convolution), or only do not count themselves"),
    IQA_FIELD_OF_SSIM(coverage).from(0, 1).says(
        "The part of a window that must not be masked for its pixel to count, 0 to 1, where mask is convolution"),
    IQA_FIELD_OF_SSIM(parts).flag().says("Also the luminance and contrast-structure of each scale"),
};

constexpr iqa_ssim_options standard = IQA_SSIM_OPTIONS_INIT;

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
        ssim_option_table.check(axis.sigma_name, options);
        ssim_option_table.check(axis.spacing_name, options);
        if (!(axis.sigma / axis.spacing > 0 && std::isfinite(axis.sigma / axis.spacing)))
            fail(IQA_ERROR_INVALID_ARGUMENT, axis.sigma_name, " is ", axis.sigma, " and ", axis.spacing_name, " is ",
                 axis.spacing, ", whose ratio is not a number above 0");
    }
    if (automatic) {
        if (options.window != IQA_WINDOW_GAUSSIAN)
            fail(IQA_ERROR_INVALID_ARGUMENT, axis.size_name, " is ",
                 axis.size == IQA_SIZE_AUTO ? "IQA_SIZE_AUTO" : "IQA_SIZE_AUTO_CEILING",
                 "; a uniform window has no sigma to follow: state its size");
        ssim_option_table.check("truncate", options);
        const double sigma = axis.sigma / axis.spacing;
        if (!(options.truncate * sigma <= largest_window / 2))
            fail(IQA_ERROR_INVALID_ARGUMENT, axis.sigma_name, " is ", axis.sigma, ": the window would exceed ",
                 largest_window, " pixels");
        axis.size = 2 * automatic_radius(axis.size, options.truncate, sigma) + 1;
    }
    ssim_option_table.check(axis.size_name, options);
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

// Blocks are FFmpeg's rule: options that it lacks are refused, not ignored.
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
    double sum = 0.0;
    for (int level = 0; level < IQA_MOST_SCALES; ++level) {
        const double weight = options.scale_weights[level];
        if (level >= options.scales && weight != 0.0)
            fail(IQA_ERROR_INVALID_ARGUMENT, "scale_weights[", level, "] is ", weight, ", but scales is ",
                 options.scales);
        sum += weight;
    }
    if (!(sum >= 0.99 && sum <= 1.01))
        fail(IQA_ERROR_INVALID_ARGUMENT, "the scale_weights sum to ", sum,
             "; expected 1 within 0.01: divide them by their sum");
}

} // namespace

constinit const options_table<iqa_ssim_options> ssim_option_table("ssim", "iqa_ssim_options", standard, rows,
                                                                  ssim_preset_words, [](void *options, int32_t preset) {
                                                                      *static_cast<iqa_ssim_options *>(options) =
                                                                          ssim_preset(preset);
                                                                  });

iqa_ssim_options resolve(iqa_ssim_options options)
{
    ssim_option_table.check(options);
    check_reserved(options);
    check_range(options.data_low, options.data_high);
    if (options.downsample != 1 && options.shrink > IQA_SHRINK_FLOOR)
        fail(IQA_ERROR_INVALID_ARGUMENT,
             "downsample needs shrink to be IQA_SHRINK_SYMMETRIC or IQA_SHRINK_FLOOR; the others are for factor 2");
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

} // namespace iqa
