// SPDX-License-Identifier: MIT
// Structural similarity: construction, checks, the course of an update, and fields. arith/ssim.h has the arithmetic.
#include <algorithm>
#include <cmath>

#include "arith/window.h"
#include "core/options.hpp"
#include "core/samples.hpp"
#include "metrics/ssim/blocks.hpp"
#include "metrics/ssim/metric.hpp"

namespace iqa {

namespace {

namespace lane = ssim_lane;

void fill_taps(const iqa_ssim_options &options, double sigma, double spacing, int32_t size, double *taps)
{
    if (options.window == IQA_WINDOW_GAUSSIAN)
        gaussian_taps(sigma / spacing, size, taps);
    else
        uniform_taps(size, taps);
}

} // namespace

ssim_metric::ssim_metric(context &owner, const iqa_ssim_options &options)
    : iqa_metric(owner, metric_kind::ssim, {}, {}, {}),
      options_(options),
      exact_fields_{{lane::sum, unit_format, 1 + (options.parts != 0 ? int(ssim_factors) * options.scales : 0)}},
      taps_(owner),
      memory_(owner, owner),
      taps_z_(taps_.take<double>(size_t(options.size_z + options.size_y + options.size_x), "window taps")),
      taps_y_(taps_z_ + options.size_z),
      taps_x_(taps_y_ + options.size_y)
{
    const size_t lanes = size_t(lane::sum + exact_fields_[0].count * unit_format.digits);
    place_lanes(std::span(lanes_).first(lanes), exact_fields_, most_of_a_lane);
    if (has_depth(options.layout))
        fill_taps(options, options.sigma_z, options.spacing_z, options.size_z, taps_z_);
    else
        taps_z_[0] = 1.0;
    fill_taps(options, options.sigma_y, options.spacing_y, options.size_y, taps_y_);
    const bool round = options.sigma_x == options.sigma_y && options.spacing_x == options.spacing_y;
    if (round && options.size_x == options.size_y) // exponentials take most of the time that a metric takes to make
        std::copy_n(taps_y_, options.size_y, taps_x_);
    else
        fill_taps(options, options.sigma_x, options.spacing_x, options.size_x, taps_x_);
    place_options(ssim_option_table.write(options, option_bytes_));
}

ssim_plan ssim_metric::plan_for(element_type type, data_range range) const
{
    const double peak = range.high - range.low;
    // Scaling samples by a power of two is exact, and keeps constants and squares within the float range for data of
    // any unit.
    const double level = power_of_two(-exponent_of(peak));
    const double scaled_peak = peak * level;
    const double taps = double(options_.size_z) * double(options_.size_y) * double(options_.size_x);
    const double c1 = options_.k1 * scaled_peak;
    const double c2 = options_.k2 * scaled_peak;
    const bool all_factors = options_.parts != 0;
    return {
        .border = static_cast<border_mode>(options_.border),
        .size_z = options_.size_z,
        .size_y = options_.size_y,
        .size_x = options_.size_x,
        .taps_z = taps_z_,
        .taps_y = taps_y_,
        .taps_x = taps_x_,
        .twice_c1 = 2.0 * (c1 * c1),
        .twice_c2 = 2.0 * (c2 * c2),
        .covariance = options_.covariance == IQA_COVARIANCE_SAMPLE ? taps / (taps - 1.0) : 1.0,
        .gain = level,
        .double_arithmetic = type == element_type::float64 || options_.arithmetic == IQA_ARITHMETIC_FLOAT64,
        .range = range,
        .luma = nullptr,
        .mask_nonfinite = options_.nonfinite == IQA_NONFINITE_MASK && !is_integer(type),
        .convolution = options_.mask == IQA_MASK_CONVOLUTION,
        .coverage = options_.coverage,
        .negative_to_zero = options_.negative == IQA_NEGATIVE_RELU_MAP,
        .wanted = {true, all_factors, all_factors},
    };
}

ssim_update ssim_metric::check(const backend &device, const iqa_tensor *reference, const iqa_tensor *candidate,
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
    refuse_extra(extras.counts, "counts", "SSIM");
    const image_view &shape = update.images.reference;
    update.levels = plan_levels(options_, shape);
    update.plan = plan_for(shape.type, resolve_range(range_of_update(range_of_options(), extras), shape.type));
    update.weighing = update.weights.data != nullptr || update.plan.mask_nonfinite;
    update.channels = of_luma ? 1 : shape.channels;
    if (of_luma)
        update.luma = luma_for(static_cast<luma_kind>(options_.luma), options_.luma_rounded != 0,
                               update.plan.range.high - update.plan.range.low);

    image_view measured = shape;
    measured.channels = update.channels;
    const level_extents map = map_extents(options_, 0, update.levels.extents[0]);
    update.per_image = view_per_image(extras.per_image, measured);
    update.per_channel = view_per_channel(extras.per_channel, measured);
    update.map =
        view_pixels(extras.map, "map", shape, options_.layout, update.channels, map.depth, map.height, map.width);
    const auto view_gradient = [&](const iqa_tensor *tensor, const char *name) {
        return clear_edges(device, owner(),
                           view_pixels(tensor, name, whole.reference, options_.layout, whole.reference.channels,
                                       whole.reference.depth, whole.reference.height, whole.reference.width),
                           whole.reference, options_.layout, options_.shave);
    };
    update.reference_gradient = view_gradient(extras.reference_gradient, "reference_gradient");
    update.candidate_gradient = view_gradient(extras.candidate_gradient, "candidate_gradient");
    update.by_channel = update.channels > 1 && (update.per_channel.data != nullptr || product_of_channels());
    return update;
}

ssim_memory &ssim_metric::memory_at(const update_target &target)
{
    if (target.ledger == nullptr)
        return memory_;
    if (!cuda_memory_)
        cuda_memory_.emplace(*target.ledger, owner());
    return *cuda_memory_;
}

// Counts samples of images that are weighted or downsampled; otherwise measuring counts them.
void ssim_metric::count_samples(const ssim_update &update)
{
    count_request request{
        .images = update.images,
        .weights = update.weights,
        .range = update.plan.range,
        .mask_nonfinite = update.plan.mask_nonfinite,
        .counts = update.counts,
        .report = update.report,
    };
    update.device->count(owner(), request);
    if (update.device->open == nullptr && update.report->kind == fault_kind::weights)
        fail_for_weights(update.weights, update.images.reference, options_.layout, options_.shave);
}

void ssim_metric::update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras)
{
    update_target target(*this, reference, candidate, extras);
    std::array<int64_t, lane::most> addend{};
    fault report{};
    int64_t *const lanes_to_add = target.ledger != nullptr ? target.ledger->addend() : addend.data();
    if (options_.window == IQA_WINDOW_BLOCKS) {
        update_blocks(target, view_images(reference, candidate, options_.layout), extras, lanes_to_add);
    } else {
        ssim_update update = check(target.device, reference, candidate, extras);
        update.addend = lanes_to_add;
        update.report = target.ledger != nullptr ? target.ledger->report() : &report;
        update_images(target, update);
    }
    if (target.ledger == nullptr) {
        const std::span<const int64_t> added = std::span(addend).first(lanes().size());
        check_room(added, IQA_ERROR_NUMERIC);
        commit(added);
    }
    target.finish();
}

void ssim_metric::update_images(const update_target &target, ssim_update &update)
{
    update.device = &target.device;
    update.memory = &memory_at(target);
    if (update.channels != update.images.reference.channels)
        update.plan.luma = &update.luma;
    const int64_t images = update.images.reference.images;
    update.counts = update.memory->counts.take<sample_counts>(size_t(images), "the counts of a batch");
    const bool counted = update.weighing || update.levels.downsample > 1;
    if (counted)
        count_samples(update);

    const int64_t at_once = images_at_once(update);
    for (int64_t first = 0; first < images; first += at_once) {
        const image_group group = {first, std::min(at_once, images - first)};
        place_levels(update, group);
        const bool differentiated = measure_group(update, group, counted ? nullptr : update.counts + first);
        const ssim_values_request values = values_of(update, group);
        // With gradients the update ends after them, since a failed launch must leave no trace.
        const bool ends = first + group.count == images && !update.wants_gradient();
        update.device->ssim_values(owner(), update.memory->work, values, ends ? target.ledger : nullptr);
        if (target.ledger == nullptr && update.report->kind != fault_kind::none)
            fail_for(*update.report, update, group);
        if (update.wants_gradient() && !differentiated)
            differentiate_group(update, group, values);
    }
    if (target.ledger != nullptr && update.wants_gradient())
        target.ledger->commit();
}

void ssim_metric::update_blocks(const update_target &target, const image_pair &pair, const iqa_update_extras &extras,
                                int64_t *addend)
{
    const image_pair images = shave_edges(pair, options_.layout, options_.shave);
    const image_view &shape = images.reference;
    ssim_memory &memory = memory_at(target);
    ssim_block_values_request values{};
    values.per_image = view_per_image(extras.per_image, shape);
    values.per_channel = view_per_channel(extras.per_channel, shape);
    refuse_extras_of_pixels(extras);
    check_blocks(shape);
    const data_range range = resolve_range(range_of_update(range_of_options(), extras), shape.type);
    ssim_blocks_request request = {
        .images = images,
        .range = range,
        .constants = constants_of_blocks(options_, range),
        .sums = memory.sums.take<int128>(size_t(shape.images * shape.channels), "the sums of a batch"),
        .counts = memory.counts.take<sample_counts>(size_t(shape.images), "the counts of a batch"),
    };
    target.device.ssim_blocks(owner(), memory.work, request);
    values.sums = request.sums;
    values.counts = request.counts;
    values.images = shape.images;
    values.channels = shape.channels;
    values.blocks = blocks_along(shape.height) * blocks_along(shape.width);
    values.addend = addend;
    target.device.ssim_block_values(owner(), values);
    if (target.ledger != nullptr)
        target.ledger->commit();
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
    const auto of_levels = [&](int part) {
        if (options_.parts == 0)
            fail(IQA_ERROR_INVALID_ARGUMENT, "field is ", field, ", which SSIM has only with the option parts");
        for (size_t level = 0; level < size_t(options_.scales); ++level) {
            const size_t index = size_t(part) * size_t(options_.scales) + level;
            const double value = mean(lane::parts + int64_t(index) * unit_format.digits);
            if (level < out.size())
                out[level] = value;
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
        return of_levels(ssim_product);
    case IQA_FIELD_CONTRAST_STRUCTURE:
        return of_levels(ssim_contrast_structure);
    case IQA_FIELD_LUMINANCE:
        return of_levels(ssim_luminance);
    default:
        fail(IQA_ERROR_INVALID_ARGUMENT, "field is ", field, ", which SSIM does not have");
    }
    if (!out.empty())
        out[0] = value;
    return 1;
}

iqa_metric *create_ssim(context &owner, const iqa_ssim_options &options)
{
    return iqa_metric::make<ssim_metric>(owner, resolve(options));
}

} // namespace iqa
