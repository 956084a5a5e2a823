// SPDX-License-Identifier: MIT
// From sums over pixels to the values of images.
#include <cmath>

#include "metrics/ssim_metric.hpp"

namespace iqa {

namespace {

namespace lane = ssim_lane;

// What no mean is: there was nothing to take it of.
constexpr int128 no_pixels = int128(1) << 126;

} // namespace

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
void ssim_metric::means_of_scales(const ssim_update &update, image_group group, int64_t image, int64_t channel,
                                  double *means) const
{
    for (int scale = 0; scale < options_.scales; ++scale) {
        const bool last = scale == options_.scales - 1;
        const int128 mean = mean_of(update, scale, image, channel, last ? ssim_product : ssim_contrast_structure);
        if (mean == no_pixels)
            fail_for_empty(group.first + image, channel, scale);
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
    const bool of_channels = product_of_channels();
    double of_all = 0.0; // over channels
    for (int64_t channel = 0; channel < update.channels; ++channel) {
        if (!of_channels && update.per_channel.data == nullptr)
            break;
        double value = nan;
        if (!is_nan && plain) {
            const int128 mean = mean_of(update, 0, image, channel, ssim_product);
            value = mean == no_pixels ? nan : value_on_grid(mean);
        } else if (!is_nan) {
            means_of_scales(update, group, image, channel, means.data());
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
        means_of_scales(update, group, image, -1, means.data());
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

} // namespace iqa
