// SPDX-License-Identifier: MIT
// Peak signal-to-noise ratio: options, checks, and what is accumulated. The arithmetic is in arith/squared_error.h.
#include <array>
#include <cmath>
#include <numeric>

#include "core/backend.hpp"
#include "core/options.hpp"
#include "core/samples.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

// Without a stated range the peak follows from the element type: images of the types are counted apart, so that the
// state stays a sum of integers and still knows its peak.
namespace lane {
enum : int {
    images,
    infinite_images,
    nan_images,
    images_of_8_bits,
    images_of_16_bits,
    outside,
    nonfinite,
    weight,                                         // of all samples
    decibels = weight + pixel_weight_format.digits, // over the images with a finite value
    errors = decibels + decibel_format.digits,
    count = errors + square_format.digits
};
}

constexpr exact_field exact_fields[] = {
    {lane::weight, pixel_weight_format}, {lane::decibels, decibel_format}, {lane::errors, square_format}};

// Every field that a state file has, in its order.
template <class Options, class Visit>
void visit_fields(Options &o, Visit visit)
{
    for (auto *value : {&o.layout, &o.aggregate, &o.nonfinite})
        visit(*value);
    for (auto *value : {&o.data_low, &o.data_high, &o.log_base, &o.cap})
        visit(*value);
    for (auto *value : {&o.luma, &o.luma_rounded, &o.shave, &o.gradient})
        visit(*value);
}

constexpr size_t option_bytes = 7 * sizeof(int32_t) + 4 * sizeof(double);

constexpr double smallest_base = 1.0001;

iqa_psnr_options resolve(const iqa_psnr_options &options)
{
    check_constant("layout", options.layout, IQA_LAYOUT_NDHWC, "IQA_LAYOUT_");
    check_constant("aggregate", options.aggregate, IQA_MEAN_OF_PSNR, "IQA_PSNR_OF_MEAN_MSE or IQA_MEAN_OF_PSNR");
    check_constant("nonfinite", options.nonfinite, IQA_NONFINITE_MASK, "IQA_NONFINITE_");
    check_constant("luma", options.luma, IQA_LUMA_BT709_STUDIO, "IQA_LUMA_");
    check_constant("gradient", options.gradient, IQA_GRADIENT_OF_MSE, "IQA_GRADIENT_OF_");
    check_range(options.data_low, options.data_high);
    if (options.luma_rounded != 0 && options.luma_rounded != 1)
        fail(IQA_ERROR_INVALID_ARGUMENT, "luma_rounded is ", options.luma_rounded, "; expected 0 or 1");
    if (options.shave < 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, "shave is ", options.shave, "; expected 0 or more pixels");
    if (!(std::isfinite(options.log_base) && options.log_base >= smallest_base))
        fail(IQA_ERROR_INVALID_ARGUMENT, "log_base is ", options.log_base, "; expected a finite number of at least ",
             smallest_base);
    if (!(std::isfinite(options.cap) && options.cap >= 0))
        fail(IQA_ERROR_INVALID_ARGUMENT, "cap is ", options.cap,
             "; expected a finite number of at least 0, or IQA_PSNR_NO_CAP");
    return options;
}

class psnr_metric final : public iqa_metric {
public:
    psnr_metric(context &owner, const iqa_psnr_options &options);

    void update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras) override;
    size_t read(int32_t field, std::span<double> out) const override;

private:
    // A sum of squared errors, and of the weights of its samples.
    struct total {
        scaled_value errors;
        double weight;
    };

    bool capped() const { return options_.cap != IQA_PSNR_NO_CAP; }
    bool range_is_stated() const { return options_.data_low < options_.data_high; }
    bool measures_luma(const image_view &shape) const;
    double peak() const;
    double decibels(double peak, const total &sum) const;
    error_slope slope(double peak, const total &sum) const;
    total total_of_all() const;
    double mean_error() const;
    double mean_of_images() const;
    void require_images() const;

    iqa_psnr_options options_;
    double_double log_of_base_;
    std::array<std::byte, option_bytes> option_bytes_{};
    std::array<int64_t, lane::count> lanes_{};
    scratch sums_, weights_, counts_, flags_, slopes_;
    workspace work_;
};

psnr_metric::psnr_metric(context &owner, const iqa_psnr_options &options)
    : iqa_metric(owner, metric_kind::psnr, option_bytes_, lanes_, exact_fields),
      options_(options),
      log_of_base_(log_scaled({options.log_base, 0.0}, 0)),
      sums_(owner),
      weights_(owner),
      counts_(owner),
      flags_(owner),
      slopes_(owner),
      work_(owner, owner)
{
    byte_writer writer(option_bytes_);
    visit_fields(options, [&](const auto &value) { writer.put(value); });
}

void add_errors(int64_t *lanes, const squared_error_sum &sum)
{
    for (int level = 0; level < error_levels; ++level)
        exact_add(square_format, lanes, sum.level[level], sum.exponent[level]);
}

// The value of a few sums together. A function of its own for the sake of small stacks.
[[gnu::noinline]] scaled_value value_of(std::span<const squared_error_sum> sums)
{
    std::array<int64_t, square_format.digits> lanes{};
    for (const squared_error_sum &sum : sums)
        add_errors(lanes.data(), sum);
    return exact_value(square_format, lanes.data());
}

double weight_of(int128 units)
{
    return weight_of_units(double(units));
}

// The PSNR of some samples; infinite without an error and without a cap, NaN without a sample.
double psnr_metric::decibels(double peak, const total &sum) const
{
    if (sum.weight == 0.0)
        return std::nan("");
    if (sum.errors.mantissa == 0.0)
        return capped() ? options_.cap : HUGE_VAL;
    const double value = psnr_value(peak, sum.errors, sum.weight, log_of_base_);
    return value < options_.cap ? value : options_.cap;
}

// Of an image's own value: 0 where that does not move with its samples.
error_slope psnr_metric::slope(double peak, const total &sum) const
{
    if (options_.gradient == IQA_GRADIENT_OF_MSE)
        return slope_of_mean(sum.weight);
    if (sum.errors.mantissa == 0.0 || decibels(peak, sum) == options_.cap)
        return {1.0, 0.0, 1.0};
    return slope_of_psnr(sum.errors, log_of_base_);
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

void psnr_metric::update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras)
{
    const backend &device = backend_of(reference, candidate);
    const image_pair whole = view_images(reference, candidate, options_.layout);
    const element_type type = whole.reference.type;
    const data_range range = resolve_range(options_.data_low, options_.data_high, type);
    const double peak = range.high - range.low;
    const bool of_luma = measures_luma(whole.reference);
    const luma_rule luma = luma_for(static_cast<luma_kind>(options_.luma), options_.luma_rounded != 0, peak);
    const weight_view weights = view_weights(extras.weights, whole.reference, options_.layout, of_luma);
    const weighted_images source = {
        .images = shave_edges(whole, options_.layout, options_.shave),
        .weights = shave_edges(weights, options_.layout, options_.shave),
        .luma = of_luma ? &luma : nullptr,
        .mask_nonfinite = options_.nonfinite == IQA_NONFINITE_MASK,
    };
    image_view measured = source.images.reference;
    measured.channels = source.channels();
    const output_view per_image = view_per_image(extras.per_image, measured);
    const output_view per_channel = view_per_channel(extras.per_channel, measured);
    const auto view_gradient = [&](const iqa_tensor *tensor, const char *name) {
        const image_view &shape = whole.reference;
        return shave_edges(
            view_pixels(tensor, name, shape, options_.layout, shape.channels, shape.depth, shape.height, shape.width),
            shape, options_.layout, options_.shave);
    };
    const output_view candidate_gradient = view_gradient(extras.candidate_gradient, "candidate_gradient");
    const output_view reference_gradient = view_gradient(extras.reference_gradient, "reference_gradient");
    const bool wants_gradient = candidate_gradient.data != nullptr || reference_gradient.data != nullptr;
    refuse_extra(extras.map, "map", "PSNR");
    refuse_extra(extras.counts, "counts", "PSNR");

    const size_t count = size_t(measured.images);
    const int64_t parts = per_channel.data != nullptr ? measured.channels : 1;
    squared_error_request request{
        .source = source,
        .range = range,
        .by_channel = parts != 1,
        .invalid_weight = false,
        .sums = sums_.take<squared_error_sum>(count * size_t(parts), "the sums of a batch"),
        .weights = weights_.take<int128>(count * size_t(parts), "the weights of a batch"),
        .counts = counts_.take<sample_counts>(count, "the counts of a batch"),
        .overflow = flags_.take<bool>(count, "the flags of a batch"),
    };
    error_slope *slopes = slopes_.take<error_slope>(count, "the slopes of a batch");
    device.squared_error(owner(), work_, request);

    if (request.invalid_weight)
        fail_for_weights(source.weights, measured, options_.layout, options_.shave);
    std::array<int64_t, lane::count> addend{};
    bool overflow = false;
    for (size_t image = 0; image < count; ++image) {
        addend[lane::outside] += request.counts[image].outside;
        addend[lane::nonfinite] += request.counts[image].nonfinite;
        overflow = overflow || (request.overflow[image] && request.counts[image].nonfinite == 0);
    }
    if (addend[lane::nonfinite] != 0 && options_.nonfinite == IQA_NONFINITE_ERROR)
        fail_for_nonfinite(source.images, source.weights, options_.layout, options_.shave, addend[lane::nonfinite]);
    if (overflow)
        fail(IQA_ERROR_NUMERIC, "two samples differ by more than a double can hold");

    for (int64_t image = 0; image < measured.images; ++image) {
        const bool is_nan = request.counts[image].nonfinite != 0;
        const std::span<const squared_error_sum> sums(request.sums + image * parts, size_t(parts));
        const std::span<const int128> part_weights(request.weights + image * parts, size_t(parts));
        const int128 units = std::accumulate(part_weights.begin(), part_weights.end(), int128(0));
        if (units == 0)
            fail(IQA_ERROR_NUMERIC, "every sample of image ", image, " is masked: there is nothing to measure");
        for (int64_t channel = 0; per_channel.data != nullptr && channel < measured.channels; ++channel) {
            const total part = {value_of(sums.subspan(size_t(channel), 1)), weight_of(part_weights[size_t(channel)])};
            per_channel.store(image, channel, 0, 0, 0, is_nan ? std::nan("") : decibels(peak, part));
        }
        if (!is_nan)
            for (const squared_error_sum &sum : sums)
                add_errors(&addend[lane::errors], sum);

        const total sum = {is_nan ? scaled_value{} : value_of(sums), weight_of(units)};
        const double value = is_nan ? std::nan("") : decibels(peak, sum);
        if (per_image.data != nullptr)
            per_image.store(image, 0, 0, 0, 0, value);
        if (wants_gradient)
            slopes[image] = is_nan ? error_slope{1.0, std::nan(""), 1.0} : slope(peak, sum);
        ++addend[lane::images];
        exact_add(pixel_weight_format, &addend[lane::weight], units, pixel_weight_format.lowest);
        if (is_nan)
            ++addend[lane::nan_images];
        else if (sum.errors.mantissa == 0.0)
            ++addend[lane::infinite_images];
        else
            exact_add(decibel_format, &addend[lane::decibels], int128(value * 0x1p64), decibel_format.lowest);
    }
    if (!range_is_stated())
        addend[type == element_type::uint8 ? lane::images_of_8_bits : lane::images_of_16_bits] = measured.images;
    if (wants_gradient)
        device.error_gradient(
            owner(), work_,
            {.source = source, .slopes = slopes, .reference = reference_gradient, .candidate = candidate_gradient});
    commit(addend);
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

psnr_metric::total psnr_metric::total_of_all() const
{
    return {exact_value(square_format, &lanes_[lane::errors]),
            to_double(exact_value(pixel_weight_format, &lanes_[lane::weight]))};
}

double psnr_metric::mean_error() const
{
    if (lanes_[lane::nan_images] != 0)
        return std::nan("");
    const total all = total_of_all();
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
        value = lanes_[lane::nan_images] != 0 ? std::nan("") : decibels(peak(), total_of_all());
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
    return iqa_metric::make<psnr_metric>(owner, resolve(options));
}

iqa_metric *create_psnr(context &owner, byte_reader bytes)
{
    iqa_psnr_options options = default_psnr_options;
    visit_fields(options, [&]<class Value>(Value &value) { value = bytes.get<Value>(); });
    bytes.expect_end("options");
    return create_psnr(owner, options);
}

} // namespace iqa
