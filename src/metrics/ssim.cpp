// SPDX-License-Identifier: MIT
// Structural similarity: options, checks, and what is accumulated. The arithmetic is in arith/ssim.h.
#include <algorithm>
#include <array>
#include <cmath>

#include "arith/ssim.h"
#include "arith/window.h"
#include "core/backend.hpp"
#include "core/options.hpp"
#include "core/samples.hpp"
#include "metrics/ssim_options.hpp"
#include "metrics/ssim_scales.hpp"

namespace iqa {

namespace {

// With the option `parts`: the sums of the means of each part and scale, too.
namespace lane {
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

// Pyramids are made for so many images at a time that they stay below this, or for one.
constexpr int64_t pyramid_bytes = int64_t(32) << 20;

struct image_group {
    int64_t first, count;
};

image_view images_of(image_view view, image_group group)
{
    view.data = view.at(group.first, 0, 0, 0, 0);
    view.images = group.count;
    return view;
}

weight_view images_of(weight_view view, image_group group)
{
    if (view.data != nullptr)
        view.data += group.first * view.image_stride * ((view.dtype & 0xff) / 8);
    return view;
}

output_view images_of(output_view view, image_group group)
{
    if (view.data != nullptr)
        view.data += group.first * view.image_stride * int64_t(view.is_double ? sizeof(double) : sizeof(float));
    return view;
}

// The mean of a sum over pixels in units of 2^-50, rounded once to a multiple of 2^-80. `count`: of pixels, or their
// weight.
int128 mean_on_grid(int128 sum, int128 count)
{
    constexpr int spare = -unit_format.lowest - ssim_double_bits;
    const int128 whole = sum / count;
    const int128 rest = (sum % count) * (int128(1) << spare);
    const int128 half = count / 2;
    return whole * (int128(1) << spare) + (rest + (sum < 0 ? -half : half)) / count;
}

// What no mean is: there was nothing to take it of.
constexpr int128 no_pixels = int128(1) << 126;

double value_on_grid(int128 value)
{
    return double(value) * power_of_two(unit_format.lowest);
}

int128 grid_value(double value)
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
    int128 mean_of(const ssim_update &update, int scale, int64_t image, int64_t channel, int part) const;
    void means_of_scales(const ssim_update &update, int64_t image, int64_t channel, double *means) const;

    iqa_ssim_options options_;
    std::array<std::byte, ssim_option_bytes> option_bytes_{};
    std::array<int64_t, lane::most> lanes_{};
    exact_field exact_fields_[1];
    scratch taps_, sums_, counts_, flags_, work_, levels_, factors_;
    double *weights_z_;
    double *weights_y_;
    double *weights_x_;
    std::array<ssim_scale, IQA_MOST_SCALES> scales_{};
    const bool *not_a_number_ = nullptr; // of the images of the group
};

void fill_taps(const iqa_ssim_options &options, double sigma, double spacing, int32_t size, double *taps)
{
    if (options.window == IQA_WINDOW_GAUSSIAN)
        gaussian_taps(sigma / spacing, size, taps);
    else
        uniform_taps(size, taps);
}

ssim_metric::ssim_metric(context &owner, const iqa_ssim_options &options)
    : iqa_metric(owner, metric_kind::ssim, option_bytes_, {}, {}),
      options_(options),
      exact_fields_{{lane::sum, unit_format, 1 + (options.parts != 0 ? int(ssim_parts) * options.scales : 0)}},
      taps_(owner),
      sums_(owner),
      counts_(owner),
      flags_(owner),
      work_(owner),
      levels_(owner),
      factors_(owner),
      weights_z_(taps_.take<double>(size_t(options.size_z + options.size_y + options.size_x), "window taps")),
      weights_y_(weights_z_ + options.size_z),
      weights_x_(weights_y_ + options.size_y)
{
    const size_t lanes = size_t(lane::sum + exact_fields_[0].count * unit_format.digits);
    place_lanes(std::span(lanes_).first(lanes), exact_fields_, most_of_a_lane);
    if (has_depth(options.layout))
        fill_taps(options, options.sigma_z, options.spacing_z, options.size_z, weights_z_);
    else
        weights_z_[0] = 1.0;
    fill_taps(options, options.sigma_y, options.spacing_y, options.size_y, weights_y_);
    fill_taps(options, options.sigma_x, options.spacing_x, options.size_x, weights_x_);
    write_options(options, option_bytes_);
}

ssim_plan ssim_metric::plan_for(element_type type) const
{
    const data_range range = resolve_range(options_.data_low, options_.data_high, type);
    const double peak = range.high - range.low;
    // Samples are scaled by a power of two, which is exact, so that no constant or square leaves the float range
    // whatever unit the data has.
    const double scale = power_of_two(-exponent_of(peak));
    const double scaled_peak = peak * scale;
    const double taps = double(options_.size_z) * double(options_.size_y) * double(options_.size_x);
    const double c1 = options_.k1 * scaled_peak;
    const double c2 = options_.k2 * scaled_peak;
    const bool all_parts = options_.parts != 0;
    return {
        .border = static_cast<border_mode>(options_.border),
        .taps_z = options_.size_z,
        .taps_y = options_.size_y,
        .taps_x = options_.size_x,
        .weights_z = weights_z_,
        .weights_y = weights_y_,
        .weights_x = weights_x_,
        .twice_c1 = 2.0 * (c1 * c1),
        .twice_c2 = 2.0 * (c2 * c2),
        .covariance = options_.covariance == IQA_COVARIANCE_SAMPLE ? taps / (taps - 1.0) : 1.0,
        .scale = scale,
        .double_arithmetic = type == element_type::float64 || options_.arithmetic == IQA_ARITHMETIC_FLOAT64,
        .range = range,
        .luma = nullptr,
        .mask_nonfinite = options_.nonfinite == IQA_NONFINITE_MASK && !is_integer(type),
        .convolution = options_.mask == IQA_MASK_CONVOLUTION,
        .coverage = options_.coverage,
        .negative_to_zero = options_.negative == IQA_NEGATIVE_RELU_MAP,
        .wanted = {true, all_parts, all_parts},
    };
}

ssim_update ssim_metric::check(const iqa_tensor *reference, const iqa_tensor *candidate,
                               const iqa_update_extras &extras) const
{
    ssim_update update{};
    const image_pair whole = view_images(reference, candidate, options_.layout);
    const bool of_luma = options_.luma != IQA_LUMA_NONE && whole.reference.channels != 1;
    if (of_luma && whole.reference.channels != 3)
        fail(IQA_ERROR_SHAPE, "the images have ", whole.reference.channels,
             " channels; luma is of three, R, G and B, or of one that is taken as it is");
    update.images = shave_edges(whole, options_.layout, options_.shave);
    update.weights = shave_edges(view_weights(extras.weights, whole.reference, options_.layout, of_luma),
                                 options_.layout, options_.shave);
    if (extras.counts != nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "counts is given, which only confusion metrics take");
    const image_view &shape = update.images.reference;
    update.scales = plan_scales(options_, shape);
    update.plan = plan_for(shape.type);
    update.weighing = update.weights.data != nullptr || update.plan.mask_nonfinite;
    update.channels = of_luma ? 1 : shape.channels;
    if (of_luma)
        update.luma = luma_for(static_cast<luma_kind>(options_.luma), options_.luma_rounded != 0,
                               update.plan.range.high - update.plan.range.low);

    image_view measured = shape;
    measured.channels = update.channels;
    const scale_extents map = map_extents(options_, 0, update.scales.extents[0]);
    update.per_image = view_per_image(extras.per_image, measured);
    update.per_channel = view_per_channel(extras.per_channel, measured);
    update.map =
        view_pixels(extras.map, "map", shape, options_.layout, update.channels, map.depth, map.height, map.width);
    const auto view_gradient = [&](const iqa_tensor *tensor, const char *name) {
        return shave_edges(view_pixels(tensor, name, whole.reference, options_.layout, whole.reference.channels,
                                       whole.reference.depth, whole.reference.height, whole.reference.width),
                           whole.reference, options_.layout, options_.shave);
    };
    update.reference_gradient = view_gradient(extras.reference_gradient, "reference_gradient");
    update.candidate_gradient = view_gradient(extras.candidate_gradient, "candidate_gradient");
    const bool product_of_channels = !plain_mean(options_) && options_.product == IQA_PRODUCT_OF_CHANNEL;
    update.by_channel = update.channels > 1 && (update.per_channel.data != nullptr || product_of_channels);
    return update;
}

// Samples of images that are not measured as they are, or not all of them.
void ssim_metric::count_samples(const backend &device, const ssim_update &update, sample_counts *counts)
{
    count_request request{
        .images = update.images,
        .weights = update.weights,
        .range = update.plan.range,
        .mask_nonfinite = update.plan.mask_nonfinite,
        .counts = counts,
        .bad_weight = false,
    };
    device.count(owner(), request);
    if (request.bad_weight)
        fail_for_weights(update.weights, update.images.reference, options_.layout, options_.shave);
}

int64_t ssim_metric::images_at_once(const ssim_update &update) const
{
    const int64_t images = update.images.reference.images;
    if (options_.scales == 1 && update.scales.downsample == 1)
        return images;
    int64_t samples = 0;
    for (int scale = 0; scale < options_.scales; ++scale) {
        const scale_extents &extents = update.scales.extents[size_t(scale)];
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
        return (planes * extents.depth * extents.height * extents.width * size + 63) / 64 * 64;
    };
    const auto is_made = [&](int scale) {
        return scale > 0 || update.scales.downsample > 1;
    };
    int64_t all = 0;
    for (int scale = 0; scale < options_.scales; ++scale)
        if (is_made(scale))
            all += bytes_of(scale) * (2 + (update.weighing ? 1 : 0) + (update.wants_gradient() ? 2 : 0));
    std::byte *memory = all == 0 ? nullptr : levels_.take<std::byte>(size_t(all), "smaller images");
    const size_t results = size_t(options_.scales) * size_t(group.count * update.parts());
    int128 *sums = sums_.take<int128>(results * (ssim_parts + 1), "the sums of a batch");
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
        if (!is_made(scale))
            continue;

        const ssim_scale *before = scale == 0 ? nullptr : &scales_[size_t(scale) - 1];
        own.made = {};
        const int factor = scale == 0 ? update.scales.downsample : 2;
        const image_view &larger = before == nullptr ? own.images.reference : before->images.reference;
        const auto axes = shrink_axes(options_, {larger.depth, larger.height, larger.width}, factor);
        own.made.z = axes[0];
        own.made.y = axes[1];
        own.made.x = axes[2];
        own.made.images = before == nullptr ? own.images : before->images;
        own.made.weights = before == nullptr ? own.weights : before->weights;
        own.made.reference = take(scale);
        own.made.candidate = take(scale);
        own.made.shrunk_weights = update.weighing ? take(scale) : nullptr;
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
        dense.data = own.made.reference;
        own.images.reference = dense;
        dense.data = own.made.candidate;
        own.images.candidate = dense;
        if (update.weighing)
            own.weights = {own.made.shrunk_weights,
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
        own.made.plan = scale == 0 ? &update.plan : &scales_[size_t(scale) - 1].plan;
        if (is_made(scale)) {
            own.plan.scale = 1.0;
            own.plan.luma = nullptr;
            own.plan.mask_nonfinite = false;
        }
    }
}

void ssim_metric::measure_group(const backend &device, const ssim_update &update, image_group group,
                                sample_counts *counts)
{
    bool *not_a_number = flags_.take<bool>(size_t(options_.scales * group.count), "the flags of a batch");
    for (int scale = 0; scale < options_.scales; ++scale) {
        ssim_scale &own = scales_[size_t(scale)];
        const bool made = scale > 0 || update.scales.downsample > 1;
        if (made)
            device.shrink(owner(), work_, own.made);
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
            .counts = made ? nullptr : counts,
            .not_a_number = not_a_number + scale * group.count,
        };
        device.ssim(owner(), work_, request);
    }
    for (int64_t image = 0; image < group.count; ++image)
        for (int scale = 1; scale < options_.scales; ++scale)
            not_a_number[image] = not_a_number[image] || not_a_number[scale * group.count + image];
    not_a_number_ = not_a_number;
}

// The mean of a part at a scale: of a channel, or of all (-1) in proportion to their pixels or weights.
int128 ssim_metric::mean_of(const ssim_update &update, int scale, int64_t image, int64_t channel, int part) const
{
    const ssim_scale &own = scales_[size_t(scale)];
    const int64_t parts = update.parts();
    const int64_t first = image * parts + (update.by_channel && channel >= 0 ? channel : 0);
    const int64_t count = channel >= 0 ? 1 : parts;
    int128 sum = 0;
    int128 weight = 0;
    for (int64_t i = first; i < first + count; ++i) {
        sum += own.sums[i * ssim_parts + part];
        weight += update.weighing ? own.weight[i] : int128(own.pixels);
    }
    if (!update.weighing && !update.by_channel)
        weight *= update.channels;
    if (weight == 0)
        return no_pixels;
    return mean_on_grid(sum, weight);
}

// The means that the product is made of.
void ssim_metric::means_of_scales(const ssim_update &update, int64_t image, int64_t channel, double *means) const
{
    for (int scale = 0; scale < options_.scales; ++scale) {
        const bool last = scale == options_.scales - 1;
        const int128 mean = mean_of(update, scale, image, channel, last ? ssim_product : ssim_contrast_structure);
        if (mean == no_pixels)
            fail_for_empty(image, channel, scale);
        means[scale] = value_on_grid(mean);
    }
}

// The text for an image without any pixel that counts.
void ssim_metric::fail_for_empty(int64_t image, int64_t channel, int scale) const
{
    text where;
    if (channel >= 0)
        where << ", channel " << channel;
    if (options_.scales > 1)
        where << ", at scale " << scale + 1 << " of " << options_.scales;
    fail(IQA_ERROR_NUMERIC, "image ", image, where.view(),
         " has no pixel that counts: weights (or non-finite samples) mask it altogether, or no window is covered by ",
         options_.coverage);
}

// Adds one image to the addend and stores what is wanted of it.
void ssim_metric::evaluate_image(const ssim_update &update, image_group group, int64_t image, bool is_nan,
                                 std::span<int64_t> addend)
{
    const int64_t index = group.first + image;
    const double nan = std::nan("");
    std::array<double, IQA_MOST_SCALES> means{};
    const bool plain = plain_mean(options_);
    const bool of_channels = !plain && options_.product == IQA_PRODUCT_OF_CHANNEL;
    double of_all = 0.0; // over channels
    for (int64_t channel = 0; channel < update.channels; ++channel) {
        if (!of_channels && update.per_channel.data == nullptr)
            break;
        double value = nan;
        if (!is_nan && plain) {
            const int128 mean = mean_of(update, 0, image, channel, ssim_product);
            value = mean == no_pixels ? nan : value_on_grid(mean);
        } else if (!is_nan) {
            means_of_scales(update, image, channel, means.data());
            value = product_of_scales(options_, means.data(), index);
            of_all += value;
        }
        if (update.per_channel.data != nullptr)
            update.per_channel.store(index, channel, 0, 0, 0, value);
    }
    int128 value = 0;
    if (!is_nan && plain) {
        value = mean_of(update, 0, image, -1, ssim_product);
        if (value == no_pixels)
            fail_for_empty(index, -1, 0);
    } else if (!is_nan && of_channels) {
        value = grid_value(of_all / double(update.channels));
    } else if (!is_nan) {
        means_of_scales(update, image, -1, means.data());
        value = grid_value(product_of_scales(options_, means.data(), index));
    }
    if (update.per_image.data != nullptr)
        update.per_image.store(index, 0, 0, 0, 0, is_nan ? nan : value_on_grid(value));
    ++addend[lane::images];
    if (is_nan) {
        ++addend[lane::nan_images];
        return;
    }
    exact_add(unit_format, &addend[lane::sum], value, unit_format.lowest);
    int64_t *lanes = &addend[lane::parts];
    for (int part = 0; options_.parts != 0 && part < ssim_parts; ++part)
        for (int scale = 0; scale < options_.scales; ++scale, lanes += unit_format.digits) {
            const int128 mean = mean_of(update, scale, image, -1, part);
            if (mean == no_pixels)
                fail_for_empty(index, -1, scale);
            exact_add(unit_format, lanes, mean, unit_format.lowest);
        }
}

// How much an image's value grows with each pixel of the map of a scale, for each image and channel.
void ssim_metric::fill_factors(const ssim_update &update, image_group group, int scale, const sample_counts *counts,
                               double *factors) const
{
    const ssim_scale &own = scales_[size_t(scale)];
    const bool plain = plain_mean(options_);
    const bool of_channels = !plain && options_.product == IQA_PRODUCT_OF_CHANNEL;
    const auto weight_of = [&](int64_t i) {
        return update.weighing ? double(own.weight[i]) * 0x1p-24 : double(own.pixels);
    };
    for (int64_t image = 0; image < group.count; ++image)
        for (int64_t channel = 0; channel < update.channels; ++channel) {
            double &factor = factors[image * update.channels + channel];
            if (counts[image].nonfinite != 0) {
                factor = std::nan("");
                continue;
            }
            // Of the mean that the pixel is in.
            double weight = 0.0;
            for (int64_t i = 0; i < update.parts(); ++i)
                if (!of_channels || !update.by_channel || i == channel)
                    weight += weight_of(image * update.parts() + i);
            if (!of_channels && !update.by_channel && !update.weighing)
                weight *= double(update.channels);
            factor = weight == 0.0 ? 0.0 : 1.0 / weight;
            if (plain)
                continue;
            std::array<double, IQA_MOST_SCALES> means{};
            means_of_scales(update, image, of_channels ? channel : -1, means.data());
            const double product = product_of_scales(options_, means.data(), group.first + image);
            factor *= derivative_by_scale(options_, means.data(), product, scale) /
                      (of_channels ? double(update.channels) : 1.0);
        }
}

void ssim_metric::differentiate_group(const backend &device, const ssim_update &update, image_group group,
                                      const sample_counts *counts)
{
    double *factors = factors_.take<double>(size_t(group.count * update.channels), "the factors of gradients");
    const shrink_request *smaller = nullptr;
    shrink_request given{};
    const auto differentiate = [&](const ssim_plan &plan, const image_pair &images, const weight_view &weights,
                                   const double *own_factors, const output_view &reference,
                                   const output_view &candidate) {
        const ssim_gradient_request request{.plan = &plan,
                                            .images = images,
                                            .weights = weights,
                                            .factors = own_factors,
                                            .reference = reference,
                                            .candidate = candidate,
                                            .smaller = smaller};
        device.ssim_gradient(owner(), work_, request);
    };
    const output_view outside_reference = images_of(update.reference_gradient, group);
    const output_view outside_candidate = images_of(update.candidate_gradient, group);
    for (int scale = options_.scales - 1; scale >= 0; --scale) {
        const ssim_scale &own = scales_[size_t(scale)];
        const bool made = scale > 0 || update.scales.downsample > 1;
        fill_factors(update, group, scale, counts, factors);
        ssim_plan plan = own.plan;
        const bool last = scale == options_.scales - 1;
        plan.wanted[ssim_product] = last;
        plan.wanted[ssim_contrast_structure] = !last;
        if (!made) {
            differentiate(plan, own.images, own.weights, factors, outside_reference, outside_candidate);
            return;
        }
        const image_view &dense = own.images.reference;
        output_view out[2];
        for (int side = 0; side < 2; ++side) {
            out[side].data = own.gradients[side];
            out[side].is_double = plan.double_arithmetic;
            out[side].image_stride = dense.image_stride;
            out[side].channel_stride = dense.channel_stride;
            out[side].slice_stride = dense.slice_stride;
            out[side].row_stride = dense.row_stride;
            out[side].column_stride = dense.column_stride;
        }
        differentiate(plan, own.images, own.weights, factors, out[0], out[1]);
        given = own.made; // the same boxes, with derivatives instead of samples
        given.reference = own.gradients[0];
        given.candidate = own.gradients[1];
        smaller = &given;
    }
    // The caller's images were only made smaller.
    const image_pair images = {images_of(update.images.reference, group), images_of(update.images.candidate, group)};
    differentiate(update.plan, images, images_of(update.weights, group), nullptr, outside_reference, outside_candidate);
}

void ssim_metric::update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras)
{
    const backend &device = backend_of(reference, candidate);
    ssim_update update = check(reference, candidate, extras);
    if (update.channels != update.images.reference.channels)
        update.plan.luma = &update.luma;
    const int64_t images = update.images.reference.images;
    sample_counts *counts = counts_.take<sample_counts>(size_t(images), "the counts of a batch");
    const bool counted = update.weighing || update.scales.downsample > 1;
    if (counted)
        count_samples(device, update, counts);

    std::array<int64_t, lane::most> addend{};
    const int64_t at_once = images_at_once(update);
    for (int64_t first = 0; first < images; first += at_once) {
        const image_group group = {first, std::min(at_once, images - first)};
        place_scales(update, group);
        measure_group(device, update, group, counted ? nullptr : counts + first);
        for (int64_t image = 0; image < group.count; ++image) {
            const bool is_nan = counts[first + image].nonfinite != 0;
            if (is_nan && options_.nonfinite == IQA_NONFINITE_ERROR) {
                int64_t all = 0;
                for (int64_t i = first; i < first + group.count; ++i)
                    all += counts[i].nonfinite;
                fail_for_nonfinite(update.images, update.weights, options_.layout, options_.shave, all);
            }
            if (!is_nan && not_a_number_[image])
                fail(IQA_ERROR_NUMERIC, "samples lie so far outside the data range ", update.plan.range.low, " ... ",
                     update.plan.range.high,
                     " that their squares overflow; set arithmetic to IQA_ARITHMETIC_FLOAT64 or correct the range");
            addend[lane::outside] += counts[first + image].outside;
            addend[lane::nonfinite] += counts[first + image].nonfinite;
            evaluate_image(update, group, image, is_nan, addend);
        }
        if (update.wants_gradient())
            differentiate_group(device, update, group, counts + first);
    }
    commit(std::span(addend).first(lanes().size()));
}

size_t ssim_metric::read(int32_t field, std::span<double> out) const
{
    const double images = double(lanes_[lane::images]);
    const auto mean = [&](int64_t first) {
        if (lanes_[lane::images] == 0)
            fail(IQA_ERROR_NO_DATA, "no image was added yet");
        return lanes_[lane::nan_images] != 0 ? std::nan("")
                                             : to_double(exact_value(unit_format, &lanes_[size_t(first)])) / images;
    };
    const auto of_scales = [&](int part) {
        if (options_.parts == 0)
            fail(IQA_ERROR_INVALID_ARGUMENT, "field is ", field, ", which SSIM has only with the option parts");
        for (size_t scale = 0; scale < size_t(options_.scales); ++scale) {
            const size_t index = size_t(part) * size_t(options_.scales) + scale;
            const double value = mean(lane::parts + int64_t(index) * unit_format.digits);
            if (scale < out.size())
                out[scale] = value;
        }
        return size_t(options_.scales);
    };
    double value = 0.0;
    switch (field) {
    case IQA_FIELD_VALUE:
        value = mean(lane::sum);
        break;
    case IQA_FIELD_IMAGES:
        value = images;
        break;
    case IQA_FIELD_OUT_OF_RANGE:
        value = double(lanes_[lane::outside]);
        break;
    case IQA_FIELD_NONFINITE:
        value = double(lanes_[lane::nonfinite]);
        break;
    case IQA_FIELD_SSIM_OF_SCALES:
        return of_scales(ssim_product);
    case IQA_FIELD_CONTRAST_STRUCTURE:
        return of_scales(ssim_contrast_structure);
    case IQA_FIELD_LUMINANCE:
        return of_scales(ssim_luminance);
    default:
        fail(IQA_ERROR_INVALID_ARGUMENT, "field is ", field, ", which SSIM does not have");
    }
    if (!out.empty())
        out[0] = value;
    return 1;
}

} // namespace

iqa_metric *create_ssim(context &owner, const iqa_ssim_options &options)
{
    return iqa_metric::make<ssim_metric>(owner, resolve(options));
}

iqa_metric *create_ssim(context &owner, byte_reader bytes)
{
    return create_ssim(owner, read_ssim_options(bytes));
}

} // namespace iqa
