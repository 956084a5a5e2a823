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
#include "metrics/ssim_blocks.hpp"
#include "metrics/ssim_options.hpp"

namespace iqa {

namespace {

namespace lane {
enum : int { images, nan_images, outside, nonfinite, sum, count = sum + unit_format.digits };
}

constexpr exact_field exact_fields[] = {{lane::sum, unit_format}};

class ssim_metric final : public iqa_metric {
public:
    ssim_metric(context &owner, const iqa_ssim_options &options);

    void update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras) override;
    size_t read(int32_t field, std::span<double> out) const override;

private:
    void update_blocks(const backend &device, const image_pair &images, const iqa_update_extras &extras);
    ssim_plan plan_for(element_type type) const;

    iqa_ssim_options options_;
    std::array<std::byte, ssim_option_bytes> option_bytes_{};
    std::array<int64_t, lane::count> lanes_{};
    scratch taps_, sums_, counts_, flags_, work_;
    double *weights_y_;
    double *weights_x_;
};

ssim_metric::ssim_metric(context &owner, const iqa_ssim_options &options)
    : iqa_metric(owner, metric_kind::ssim, option_bytes_, lanes_, exact_fields),
      options_(options),
      taps_(owner),
      sums_(owner),
      counts_(owner),
      flags_(owner),
      work_(owner),
      weights_y_(taps_.take<double>(size_t(options.size_y + options.size_x), "window taps")),
      weights_x_(weights_y_ + options.size_y)
{
    if (options.window == IQA_WINDOW_GAUSSIAN) {
        gaussian_taps(options.sigma_y, options.size_y, weights_y_);
        if (options.sigma_x == options.sigma_y && options.size_x == options.size_y)
            std::copy_n(weights_y_, options.size_y, weights_x_);
        else
            gaussian_taps(options.sigma_x, options.size_x, weights_x_);
    } else {
        uniform_taps(options.size_y, weights_y_);
        uniform_taps(options.size_x, weights_x_);
    }
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
    const double taps = double(options_.size_y) * double(options_.size_x);
    const double c1 = options_.k1 * scaled_peak;
    const double c2 = options_.k2 * scaled_peak;
    return {
        .border = static_cast<border_mode>(options_.border),
        .taps_y = options_.size_y,
        .taps_x = options_.size_x,
        .weights_y = weights_y_,
        .weights_x = weights_x_,
        .twice_c1 = 2.0 * (c1 * c1),
        .twice_c2 = 2.0 * (c2 * c2),
        .covariance = options_.covariance == IQA_COVARIANCE_SAMPLE ? taps / (taps - 1.0) : 1.0,
        .scale = scale,
        .double_arithmetic = type == element_type::float64 || options_.arithmetic == IQA_ARITHMETIC_FLOAT64,
        .range = range,
    };
}

int64_t map_extent(const char *name, int64_t extent, int32_t window, int32_t border)
{
    if (border != IQA_BORDER_VALID)
        return extent;
    if (extent < window)
        fail(IQA_ERROR_SHAPE, name, " ", extent, " is smaller than the ", window, "-pixel window");
    return extent - window + 1;
}

double value_on_grid(int128 value)
{
    return double(value) * power_of_two(unit_format.lowest);
}

void ssim_metric::update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras)
{
    const backend &device = backend_of(reference, candidate);
    const image_pair images = view_images(reference, candidate, options_.layout);
    if (options_.window == IQA_WINDOW_BLOCKS)
        return update_blocks(device, images, extras);
    const image_view &shape = images.reference;
    const ssim_plan plan = plan_for(shape.type);
    const int64_t out_height = map_extent("height", shape.height, options_.size_y, options_.border);
    const int64_t out_width = map_extent("width", shape.width, options_.size_x, options_.border);
    const output_view per_image = view_per_image(extras.per_image, shape);
    const output_view per_channel = view_per_channel(extras.per_channel, shape);
    refuse_label_extras(extras);

    const size_t count = size_t(shape.images);
    const int64_t parts = per_channel.data != nullptr ? shape.channels : 1;
    ssim_request request{
        .plan = &plan,
        .images = images,
        .out_height = out_height,
        .out_width = out_width,
        .map = view_pixels(extras.map, "map", shape, options_.layout, shape.channels, 1, out_height, out_width),
        .by_channel = parts != 1,
        .sums = sums_.take<int128>(count * size_t(parts), "the sums of a batch"),
        .counts = counts_.take<sample_counts>(count, "the counts of a batch"),
        .not_a_number = flags_.take<bool>(count, "the flags of a batch"),
    };
    device.ssim(owner(), work_, request);

    std::array<int64_t, lane::count> addend{};
    bool overflow = false;
    for (size_t image = 0; image < count; ++image) {
        addend[lane::outside] += request.counts[image].outside;
        addend[lane::nonfinite] += request.counts[image].nonfinite;
        overflow = overflow || (request.not_a_number[image] && request.counts[image].nonfinite == 0);
    }
    if (addend[lane::nonfinite] != 0 && options_.nonfinite == IQA_NONFINITE_ERROR)
        fail_for_nonfinite(images, options_.layout, 0, addend[lane::nonfinite]);
    if (overflow)
        fail(IQA_ERROR_NUMERIC, "samples lie so far outside the data range ", plan.range.low, " ... ", plan.range.high,
             " that their squares overflow; set arithmetic to IQA_ARITHMETIC_FLOAT64 or correct the range");

    const int64_t pixels = out_height * out_width;
    for (int64_t image = 0; image < shape.images; ++image) {
        const bool is_nan = request.counts[image].nonfinite != 0;
        int128 sum = 0;
        for (int64_t part = 0; part < parts; ++part) {
            const int128 part_sum = request.sums[image * parts + part];
            sum += part_sum;
            if (per_channel.data != nullptr)
                per_channel.store(image, part, 0, 0, 0,
                                  is_nan ? std::nan("") : value_on_grid(mean_on_unit_grid(part_sum, pixels)));
        }
        const int128 mean = mean_on_unit_grid(sum, pixels * shape.channels);
        if (per_image.data != nullptr)
            per_image.store(image, 0, 0, 0, 0, is_nan ? std::nan("") : value_on_grid(mean));
        ++addend[lane::images];
        if (is_nan)
            ++addend[lane::nan_images];
        else
            exact_add(unit_format, &addend[lane::sum], mean, unit_format.lowest);
    }
    commit(addend);
}

void ssim_metric::update_blocks(const backend &device, const image_pair &given, const iqa_update_extras &extras)
{
    const image_pair images = shave_edges(given, options_.layout, options_.shave);
    const image_view &shape = images.reference;
    const output_view per_image = view_per_image(extras.per_image, shape);
    const output_view per_channel = view_per_channel(extras.per_channel, shape);
    refuse_label_extras(extras);
    refuse_pixel_extras(extras);
    int128 *means = sums_.take<int128>(size_t(shape.images * shape.channels), "the sums of a batch");
    sample_counts *counts = counts_.take<sample_counts>(size_t(shape.images), "the counts of a batch");
    measure_blocks(device, owner(), work_, options_, images, means, counts);

    std::array<int64_t, lane::count> addend{};
    for (int64_t image = 0; image < shape.images; ++image) {
        int128 sum = 0;
        for (int64_t channel = 0; channel < shape.channels; ++channel) {
            const int128 mean = means[image * shape.channels + channel];
            sum += mean;
            if (per_channel.data != nullptr)
                per_channel.store(image, channel, 0, 0, 0, value_on_grid(mean));
        }
        const int128 mean = divide_rounded(sum, shape.channels);
        if (per_image.data != nullptr)
            per_image.store(image, 0, 0, 0, 0, value_on_grid(mean));
        addend[lane::outside] += counts[image].outside;
        ++addend[lane::images];
        exact_add(unit_format, &addend[lane::sum], mean, unit_format.lowest);
    }
    commit(addend);
}

size_t ssim_metric::read(int32_t field, std::span<double> out) const
{
    double value = 0.0;
    const double images = double(lanes_[lane::images]);
    switch (field) {
    case IQA_FIELD_VALUE:
        if (lanes_[lane::images] == 0)
            fail(IQA_ERROR_NO_DATA, "no image was added yet");
        value = lanes_[lane::nan_images] != 0 ? std::nan("")
                                              : to_double(exact_value(unit_format, &lanes_[lane::sum])) / images;
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
