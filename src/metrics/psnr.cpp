// SPDX-License-Identifier: MIT
// Peak signal-to-noise ratio: options, checks, and what is accumulated. The arithmetic is in arith/squared_error.h.
#include <array>
#include <cmath>

#include "core/backend.hpp"
#include "core/options.hpp"
#include "core/samples.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

// Without a stated range the peak follows from the element type: samples of the types are counted apart, so that the
// state stays a sum of integers and still knows its peak.
namespace lane {
enum : int {
    images,
    infinite_images,
    nan_images,
    samples,
    samples_of_8_bits,
    samples_of_16_bits,
    outside,
    nonfinite,
    decibels, // over the images with a finite value
    errors = decibels + decibel_format.digits,
    count = errors + square_format.digits
};
}

constexpr exact_field exact_fields[] = {{lane::decibels, decibel_format}, {lane::errors, square_format}};

constexpr size_t option_bytes = 3 * sizeof(int32_t) + 4 * sizeof(double);

constexpr double smallest_base = 1.0001;

iqa_psnr_options resolve(const iqa_psnr_options &options)
{
    check_constant("layout", options.layout, IQA_LAYOUT_NCHW, "IQA_LAYOUT_");
    check_constant("aggregate", options.aggregate, IQA_MEAN_OF_PSNR, "IQA_PSNR_OF_MEAN_MSE or IQA_MEAN_OF_PSNR");
    check_constant("nonfinite", options.nonfinite, IQA_NONFINITE_PROPAGATE, "IQA_NONFINITE_");
    check_range(options.data_low, options.data_high);
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
    bool capped() const { return options_.cap != IQA_PSNR_NO_CAP; }
    bool range_is_stated() const { return options_.data_low < options_.data_high; }
    double peak() const;
    double decibels(double peak, scaled_value sum, double count) const;
    double mean_error() const;
    double mean_of_images() const;
    void require_images() const;

    iqa_psnr_options options_;
    double_double log_of_base_;
    std::array<std::byte, option_bytes> option_bytes_{};
    std::array<int64_t, lane::count> lanes_{};
    scratch sums_, counts_, flags_, work_;
};

psnr_metric::psnr_metric(context &owner, const iqa_psnr_options &options)
    : iqa_metric(owner, metric_kind::psnr, option_bytes_, lanes_, exact_fields),
      options_(options),
      log_of_base_(log_scaled({options.log_base, 0.0}, 0)),
      sums_(owner),
      counts_(owner),
      flags_(owner),
      work_(owner)
{
    byte_writer writer(option_bytes_);
    for (const int32_t value : {options.layout, options.aggregate, options.nonfinite})
        writer.put(value);
    for (const double value : {options.data_low, options.data_high, options.log_base, options.cap})
        writer.put(value);
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

// The PSNR of `count` samples; infinite without an error and without a cap.
double psnr_metric::decibels(double peak, scaled_value sum, double count) const
{
    if (sum.mantissa == 0.0)
        return capped() ? options_.cap : HUGE_VAL;
    const double value = psnr_value(peak, sum, count, log_of_base_);
    return value < options_.cap ? value : options_.cap;
}

void psnr_metric::update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras)
{
    const backend &device = backend_of(reference, candidate);
    const image_pair images = view_images(reference, candidate, options_.layout);
    const image_view &shape = images.reference;
    const data_range range = resolve_range(options_.data_low, options_.data_high, shape.type);
    const output_view per_image = view_per_image(extras.per_image, shape);
    const output_view per_channel = view_per_channel(extras.per_channel, shape);
    if (extras.map != nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "map is given, but PSNR has no map");
    refuse_label_extras(extras);

    const size_t count = size_t(shape.images);
    const int64_t parts = per_channel.data != nullptr ? shape.channels : 1;
    squared_error_request request{
        .images = images,
        .range = range,
        .by_channel = parts != 1,
        .sums = sums_.take<squared_error_sum>(count * size_t(parts), "the sums of a batch"),
        .counts = counts_.take<sample_counts>(count, "the counts of a batch"),
        .overflow = flags_.take<bool>(count, "the flags of a batch"),
    };
    device.squared_error(owner(), work_, request);

    std::array<int64_t, lane::count> addend{};
    bool overflow = false;
    for (size_t image = 0; image < count; ++image) {
        addend[lane::outside] += request.counts[image].outside;
        addend[lane::nonfinite] += request.counts[image].nonfinite;
        overflow = overflow || (request.overflow[image] && request.counts[image].nonfinite == 0);
    }
    if (addend[lane::nonfinite] != 0 && options_.nonfinite == IQA_NONFINITE_ERROR)
        fail_for_nonfinite(images, options_.layout, 0, addend[lane::nonfinite]);
    if (overflow)
        fail(IQA_ERROR_NUMERIC, "two samples differ by more than a double can hold");

    const double peak = range.high - range.low;
    const int64_t channel_samples = shape.height * shape.width;
    const int64_t image_samples = channel_samples * shape.channels;
    for (int64_t image = 0; image < shape.images; ++image) {
        const bool is_nan = request.counts[image].nonfinite != 0;
        const std::span<const squared_error_sum> sums(request.sums + image * parts, size_t(parts));
        for (int64_t channel = 0; per_channel.data != nullptr && channel < shape.channels; ++channel)
            per_channel.store(
                image, channel, 0, 0, 0,
                is_nan ? std::nan("")
                       : decibels(peak, value_of(sums.subspan(size_t(channel), 1)), double(channel_samples)));
        if (!is_nan)
            for (const squared_error_sum &sum : sums)
                add_errors(&addend[lane::errors], sum);

        const scaled_value sum = is_nan ? scaled_value{} : value_of(sums);
        const double value = is_nan ? std::nan("") : decibels(peak, sum, double(image_samples));
        if (per_image.data != nullptr)
            per_image.store(image, 0, 0, 0, 0, value);
        ++addend[lane::images];
        addend[lane::samples] += image_samples;
        if (is_nan)
            ++addend[lane::nan_images];
        else if (sum.mantissa == 0.0)
            ++addend[lane::infinite_images];
        else
            exact_add(decibel_format, &addend[lane::decibels], int128(value * 0x1p64), decibel_format.lowest);
    }
    if (!range_is_stated())
        addend[shape.type == element_type::uint8 ? lane::samples_of_8_bits : lane::samples_of_16_bits] =
            addend[lane::samples];
    commit(addend);
}

double psnr_metric::peak() const
{
    if (range_is_stated())
        return options_.data_high - options_.data_low;
    const bool has_8_bits = lanes_[lane::samples_of_8_bits] != 0;
    if (has_8_bits && lanes_[lane::samples_of_16_bits] != 0)
        fail(IQA_ERROR_INCOMPATIBLE, "8-bit and 16-bit images were mixed: their PSNR has no common peak value unless "
                                     "data_low and data_high state it");
    return has_8_bits ? 255.0 : 65535.0;
}

double psnr_metric::mean_error() const
{
    if (lanes_[lane::nan_images] != 0)
        return std::nan("");
    return to_double(exact_value(square_format, &lanes_[lane::errors])) / double(lanes_[lane::samples]);
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
        value = double(lanes_[lane::samples]);
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
        value = lanes_[lane::nan_images] != 0 ? std::nan("")
                                              : decibels(peak(), exact_value(square_format, &lanes_[lane::errors]),
                                                         double(lanes_[lane::samples]));
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
    for (int32_t *value : {&options.layout, &options.aggregate, &options.nonfinite})
        *value = bytes.get<int32_t>();
    for (double *value : {&options.data_low, &options.data_high, &options.log_base, &options.cap})
        *value = bytes.get<double>();
    bytes.expect_end("options");
    return create_psnr(owner, options);
}

} // namespace iqa
