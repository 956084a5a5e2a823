// SPDX-License-Identifier: MIT
// Peak signal-to-noise ratio: checks of an update, and what is read. The arithmetic is in arith/squared_error.h, what
// is accumulated in values/psnr.h.
#include <array>
#include <cmath>
#include <optional>

#include "backend/backend.hpp"
#include "core/options.hpp"
#include "core/samples.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

namespace lane = psnr_lane;

constexpr exact_field exact_fields[] = {
    {lane::weight, pixel_weight_format}, {lane::decibels, decibel_format}, {lane::errors, square_format}};

// What a batch needs on one device.
struct psnr_memory {
    psnr_memory(memory_source &device, memory_source &host) noexcept
        : sums(device), weights(device), counts(device), flags(device), slopes(device), work(device, host)
    {
    }

    scratch sums, weights, counts, flags, slopes;
    workspace work;
};

// One update's tensors, checked.
struct psnr_update {
    weighted_images source; // shaved
    luma_rule luma;
    data_range range;
    output_view per_image, per_channel, reference_gradient, candidate_gradient;

    bool wants_gradient() const { return candidate_gradient.data != nullptr || reference_gradient.data != nullptr; }
};

class psnr_metric final : public iqa_metric {
public:
    psnr_metric(context &owner, const iqa_psnr_options &options);

    void update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras) override;
    size_t read(int32_t field, std::span<double> out) const override;

private:
    bool capped() const { return options_.cap != IQA_PSNR_NO_CAP; }
    bool range_is_stated() const { return options_.data_low < options_.data_high; }
    bool measures_luma(const image_view &shape) const;
    psnr_rule rule_for(double peak) const;
    [[gnu::noinline]] psnr_update check(const backend &device, const iqa_tensor *reference, const iqa_tensor *candidate,
                                        const iqa_update_extras &extras) const;
    void measure(const update_place &place, const psnr_update &update, int64_t *addend, fault *report);
    [[noreturn]] void fail_for(const fault &found, const psnr_update &update) const;
    void raise(const fault &found) const override;
    void leave_device() noexcept override { cuda_memory_.reset(); }
    double peak() const;
    error_total total_of_all() const;
    double mean_error() const;
    double mean_of_images() const;
    void require_images() const;

    iqa_psnr_options options_;
    double_double log_of_base_;
    std::array<std::byte, sizeof(iqa_psnr_options)> option_bytes_{}; // or less
    std::array<int64_t, lane::count> lanes_{};
    psnr_memory memory_;
    std::optional<psnr_memory> cuda_memory_;
};

psnr_metric::psnr_metric(context &owner, const iqa_psnr_options &options)
    : iqa_metric(owner, metric_kind::psnr, {}, lanes_, exact_fields),
      options_(options),
      log_of_base_(log_scaled({options.log_base, 0.0}, 0)),
      memory_(owner, owner)
{
    place_options(psnr_option_table.write(options, option_bytes_));
}

bool psnr_metric::measures_luma(const image_view &shape) const
{
    if (options_.luma == IQA_LUMA_NONE || shape.channels == 1)
        return false;
    if (shape.channels != 3)
        fail(IQA_ERROR_SHAPE, "the images have ", shape.channels,
             " channels; luma needs the three of R, G, B, or one that is luma already");
    return true;
}

psnr_rule psnr_metric::rule_for(double peak) const
{
    return {
        .peak = peak,
        .log_of_base = log_of_base_,
        .cap = options_.cap,
        .capped = capped(),
        .gradient_of_mean_error = options_.gradient == IQA_GRADIENT_OF_MSE,
        .refuses_nonfinite = options_.nonfinite == IQA_NONFINITE_ERROR,
        .lane_of_type = -1,
    };
}

psnr_update psnr_metric::check(const backend &device, const iqa_tensor *reference, const iqa_tensor *candidate,
                               const iqa_update_extras &extras) const
{
    psnr_update update{};
    const image_pair whole = view_images(reference, candidate, options_.layout);
    const image_view &shape = whole.reference;
    const bool of_luma = measures_luma(shape);
    update.range = resolve_range(options_.data_low, options_.data_high, shape.type);
    if (of_luma)
        update.luma = luma_for(static_cast<luma_kind>(options_.luma), options_.luma_rounded != 0,
                               update.range.high - update.range.low);
    const weight_view weights = view_weights(extras.weights, shape, options_.layout, of_luma);
    update.source.images = shave_edges(whole, options_.layout, options_.shave);
    update.source.weights = shave_edges(weights, options_.layout, options_.shave);
    update.source.mask_nonfinite = options_.nonfinite == IQA_NONFINITE_MASK;
    update.source.luma = of_luma ? &update.luma : nullptr;
    image_view measured = update.source.images.reference;
    measured.channels = update.source.channels();
    update.per_image = view_per_image(extras.per_image, measured);
    update.per_channel = view_per_channel(extras.per_channel, measured);
    refuse_extra(extras.map, "map", "PSNR");
    refuse_extra(extras.counts, "counts", "PSNR");
    const auto view_gradient = [&](const iqa_tensor *tensor, const char *name) {
        return clear_edges(
            device, owner(),
            view_pixels(tensor, name, shape, options_.layout, shape.channels, shape.depth, shape.height, shape.width),
            shape, options_.layout, options_.shave);
    };
    update.candidate_gradient = view_gradient(extras.candidate_gradient, "candidate_gradient");
    update.reference_gradient = view_gradient(extras.reference_gradient, "reference_gradient");
    return update;
}

void psnr_metric::update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras)
{
    update_place place(*this, reference, candidate, extras);
    psnr_update update = check(place.device, reference, candidate, extras);
    if (update.source.luma != nullptr)
        update.source.luma = &update.luma; // of this copy
    if (place.ledger != nullptr) {
        measure(place, update, place.ledger->addend(), place.ledger->report());
    } else {
        std::array<int64_t, lane::count> addend{};
        fault found{};
        measure(place, update, addend.data(), &found);
        check_room(addend, IQA_ERROR_NUMERIC);
        commit(addend);
    }
    place.finish();
}

void psnr_metric::measure(const update_place &place, const psnr_update &update, int64_t *addend, fault *report)
{
    if (place.ledger != nullptr && !cuda_memory_)
        cuda_memory_.emplace(*place.ledger, owner());
    psnr_memory &memory = place.ledger != nullptr ? *cuda_memory_ : memory_;
    const image_view &shape = update.source.images.reference;
    const int64_t parts = update.per_channel.data != nullptr ? update.source.channels() : 1;
    const size_t count = size_t(shape.images);
    squared_error_request request{
        .source = update.source,
        .range = update.range,
        .by_channel = parts != 1,
        .report = report,
        .sums = memory.sums.take<squared_error_sum>(count * size_t(parts), "the sums of a batch"),
        .weights = memory.weights.take<int128>(count * size_t(parts), "the weights of a batch"),
        .counts = memory.counts.take<sample_counts>(count, "the counts of a batch"),
        .overflow = memory.flags.take<bool>(count, "the flags of a batch"),
    };
    psnr_values_request values{
        .rule = rule_for(update.range.high - update.range.low),
        .sums = request.sums,
        .weights = request.weights,
        .counts = request.counts,
        .overflow = request.overflow,
        .images = shape.images,
        .parts = parts,
        .per_image = update.per_image,
        .per_channel = update.per_channel,
        .slopes = update.wants_gradient() ? memory.slopes.take<error_slope>(count, "the slopes of a batch") : nullptr,
        .addend = addend,
        .report = report,
    };
    if (!range_is_stated())
        values.rule.lane_of_type = shape.type == element_type::uint8 ? lane::images_of_8_bits : lane::images_of_16_bits;
    place.device.squared_error(owner(), memory.work, request);
    place.device.psnr_values(owner(), memory.work, values, update.wants_gradient() ? nullptr : place.ledger);
    if (place.ledger == nullptr && report->kind != fault_kind::none)
        fail_for(*report, update);
    if (!update.wants_gradient())
        return;
    place.device.error_gradient(owner(), memory.work,
                                {.source = update.source,
                                 .slopes = values.slopes,
                                 .reference = update.reference_gradient,
                                 .candidate = update.candidate_gradient});
    if (place.ledger != nullptr)
        place.ledger->commit(); // not before all that may fail
}

constexpr const char overflow_text[] = "two samples differ by more than a double can hold";

// Ends an update on the CPU, which still has the samples.
void psnr_metric::fail_for(const fault &found, const psnr_update &update) const
{
    const weighted_images &source = update.source;
    switch (found.kind) {
    case fault_kind::weights: {
        image_view measured = source.images.reference;
        measured.channels = source.channels();
        fail_for_weights(source.weights, measured, options_.layout, options_.shave);
    }
    case fault_kind::nonfinite:
        fail_for_nonfinite(source.images, source.weights, options_.layout, options_.shave, found.count);
    case fault_kind::overflow:
        fail(IQA_ERROR_NUMERIC, overflow_text);
    default:
        fail(IQA_ERROR_NUMERIC, "every sample of image ", found.image, " is masked: there is nothing to measure");
    }
}

void psnr_metric::raise(const fault &found) const
{
    text prefix;
    prefix << "update " << found.update << " on the CUDA device: ";
    switch (found.kind) {
    case fault_kind::weights:
        fail(IQA_ERROR_NUMERIC, prefix.view(), "weights has values that are not from 0 to 1");
    case fault_kind::nonfinite:
        fail(IQA_ERROR_NUMERIC, prefix.view(), "the images have ", found.count,
             " non-finite samples, the first in image ", found.image,
             "; set nonfinite to IQA_NONFINITE_PROPAGATE to let them through, or to IQA_NONFINITE_MASK to leave them "
             "out");
    case fault_kind::overflow:
        fail(IQA_ERROR_NUMERIC, prefix.view(), "image ", found.image, ": ", overflow_text);
    default:
        fail(IQA_ERROR_NUMERIC, prefix.view(), "every sample of image ", found.image,
             " is masked: there is nothing to measure");
    }
}

double psnr_metric::peak() const
{
    if (range_is_stated())
        return options_.data_high - options_.data_low;
    const bool has_8_bits = lanes_[lane::images_of_8_bits] != 0;
    if (has_8_bits && lanes_[lane::images_of_16_bits] != 0)
        fail(IQA_ERROR_INCOMPATIBLE, "8-bit and 16-bit images were mixed: their PSNR has no common peak value unless "
                                     "data_low and data_high state it");
    return has_8_bits ? 255.0 : 65535.0;
}

error_total psnr_metric::total_of_all() const
{
    return {exact_value(square_format, &lanes_[lane::errors]),
            to_double(exact_value(pixel_weight_format, &lanes_[lane::weight]))};
}

double psnr_metric::mean_error() const
{
    if (lanes_[lane::nan_images] != 0)
        return std::nan("");
    const error_total all = total_of_all();
    return to_double(all.errors) / all.weight;
}

double psnr_metric::mean_of_images() const
{
    const double infinite = double(lanes_[lane::infinite_images]);
    if (lanes_[lane::nan_images] != 0)
        return std::nan("");
    if (infinite != 0.0 && !capped())
        return HUGE_VAL;
    const double finite = to_double(exact_value(decibel_format, &lanes_[lane::decibels]));
    return (finite + (infinite != 0.0 ? infinite * options_.cap : 0.0)) / double(lanes_[lane::images]);
}

void psnr_metric::require_images() const
{
    if (lanes_[lane::images] == 0)
        fail(IQA_ERROR_NO_DATA, "no image was added yet");
}

size_t psnr_metric::read(int32_t field, std::span<double> out) const
{
    double value = 0.0;
    if (field == IQA_FIELD_VALUE)
        field = options_.aggregate == IQA_MEAN_OF_PSNR ? IQA_FIELD_MEAN_PSNR : IQA_FIELD_PSNR_OF_MEAN_MSE;
    switch (field) {
    case IQA_FIELD_IMAGES:
        value = double(lanes_[lane::images]);
        break;
    case IQA_FIELD_OUT_OF_RANGE:
        value = double(lanes_[lane::outside]);
        break;
    case IQA_FIELD_NONFINITE:
        value = double(lanes_[lane::nonfinite]);
        break;
    case IQA_FIELD_SAMPLES:
        value = total_of_all().weight;
        break;
    case IQA_FIELD_INFINITE_IMAGES:
        value = double(lanes_[lane::infinite_images]);
        break;
    case IQA_FIELD_MSE:
        require_images();
        value = mean_error();
        break;
    case IQA_FIELD_PSNR_OF_MEAN_MSE:
        require_images();
        value = lanes_[lane::nan_images] != 0 ? std::nan("") : psnr_of(rule_for(peak()), total_of_all());
        break;
    case IQA_FIELD_MEAN_PSNR:
        require_images();
        value = mean_of_images();
        break;
    case IQA_FIELD_MEAN_PSNR_OF_FINITE: {
        const int64_t finite = lanes_[lane::images] - lanes_[lane::infinite_images] - lanes_[lane::nan_images];
        if (finite <= 0)
            fail(IQA_ERROR_NO_DATA, "no image with a finite PSNR was added yet");
        value = to_double(exact_value(decibel_format, &lanes_[lane::decibels])) / double(finite);
        break;
    }
    default:
        fail(IQA_ERROR_INVALID_ARGUMENT, "field is ", field, ", which PSNR does not have");
    }
    if (!out.empty())
        out[0] = value;
    return 1;
}

} // namespace

iqa_metric *create_psnr(context &owner, const iqa_psnr_options &options)
{
    psnr_option_table.check(options);
    check_range(options.data_low, options.data_high);
    return iqa_metric::make<psnr_metric>(owner, options);
}

iqa_metric *create_psnr(context &owner, byte_reader bytes)
{
    return create_psnr(owner, psnr_option_table.read(bytes));
}

} // namespace iqa
