// SPDX-License-Identifier: MIT
// Peak signal-to-noise ratio. arith/squared_error.h has the arithmetic, values/psnr.h the lanes.
#include <array>
#include <cmath>

#include "core/options.hpp"
#include "metrics/image_options.hpp"
#include "metrics/images/pair_metric.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

constexpr option_word cap_words[] = {IQA_WORD("none", IQA_PSNR_NO_CAP)};

constexpr option_word aggregate_words[] = {
    IQA_WORD("psnr_of_mean_mse", IQA_PSNR_OF_MEAN_MSE),
    IQA_WORD("mean_of_psnr", IQA_MEAN_OF_PSNR),
};

constexpr option_word gradient_words[] = {
    IQA_WORD("psnr", IQA_GRADIENT_OF_PSNR),
    IQA_WORD("mse", IQA_GRADIENT_OF_MSE),
};

constexpr double smallest_base = 1.0001;

#define IQA_FIELD_OF_PSNR(field) IQA_OPTION(iqa_psnr_options, field)

constexpr option_row rows[] = {
    image_options::layout(IQA_FIELD_OF_PSNR(layout)),
    IQA_FIELD_OF_PSNR(aggregate)
        .word(aggregate_words)
        .expects("an IQA_PSNR_OF_MEAN_MSE or IQA_MEAN_OF_PSNR constant")
        .says("What the PSNR of several images is: that of their mean error, or the mean of theirs"),
    image_options::nonfinite(IQA_FIELD_OF_PSNR(nonfinite)),
    image_options::data_low(IQA_FIELD_OF_PSNR(data_low)),
    image_options::data_high(IQA_FIELD_OF_PSNR(data_high)),
    IQA_FIELD_OF_PSNR(log_base).at_least(smallest_base).says("The base of the logarithm; 10 gives dB"),
    IQA_FIELD_OF_PSNR(cap).at_least(0).or_word(cap_words).says("Greater values, and that of equal images, are reported "
                                                               "as this"),
    image_options::luma(IQA_FIELD_OF_PSNR(luma)),
    image_options::luma_rounded(IQA_FIELD_OF_PSNR(luma_rounded)),
    image_options::shave(IQA_FIELD_OF_PSNR(shave)),
    IQA_FIELD_OF_PSNR(gradient).word(gradient_words).says("What the gradients of an update are of"),
};

constexpr iqa_psnr_options standard = IQA_PSNR_OPTIONS_INIT;

namespace lane = psnr_lane;

constexpr exact_field exact_fields[] = {
    {lane::weight, pixel_weight_format}, {lane::decibels, decibel_format}, {lane::errors, square_format}};

class psnr_metric final : public pair_metric {
public:
    psnr_metric(context &owner, const iqa_psnr_options &options);

    size_t read(int32_t field, std::span<double> out) const override;

private:
    bool capped() const { return options_.cap != IQA_PSNR_NO_CAP; }
    psnr_rule rule_for(double peak) const;
    void measure(const backend &device, pair_memory &memory, const pair_update &update, int64_t *addend, fault *report,
                 error_slope *slopes, device_ledger *ends) override;
    double peak() const;
    error_total total_of_all() const;
    double mean_error() const;
    double mean_of_images() const;
    void require_images() const;

    iqa_psnr_options options_;
    double_double log_of_base_;
    std::array<std::byte, sizeof(iqa_psnr_options)> option_bytes_{}; // state bytes are no more
    std::array<int64_t, lane::count> lanes_{};
};

psnr_metric::psnr_metric(context &owner, const iqa_psnr_options &options)
    : pair_metric(owner, metric_kind::psnr, "PSNR", pair_options_of(options, true), lanes_, exact_fields),
      options_(options),
      log_of_base_(log_scaled({options.log_base, 0.0}, 0))
{
    place_options(psnr_option_table.write(options, option_bytes_));
}

psnr_rule psnr_metric::rule_for(double peak) const
{
    return {
        .peak = peak,
        .log_of_base = log_of_base_,
        .cap = options_.cap,
        .capped = capped(),
        .gradient_of_mean_error = options_.gradient == IQA_GRADIENT_OF_MSE,
        .refuses_nonfinite = refuses_nonfinite(),
        .lane_of_type = -1,
    };
}

void psnr_metric::measure(const backend &device, pair_memory &memory, const pair_update &update, int64_t *addend,
                          fault *report, error_slope *slopes, device_ledger *ends)
{
    term_sums squares = {.term = error_term::square};
    const pair_sums_request request = request_sums(memory, update, report, {&squares, 1});
    psnr_values_request values{
        .rule = rule_for(update.range.high - update.range.low),
        .sums = squares.sums,
        .weights = request.weights,
        .counts = request.counts,
        .overflow = request.overflow,
        .images = update.images(),
        .planes = update.planes(),
        .per_image = update.per_image,
        .per_channel = update.per_channel,
        .slopes = slopes,
        .addend = addend,
        .report = report,
    };
    if (!update.has_stated_range)
        values.rule.lane_of_type = update.source.images.reference.type == element_type::uint8 ? lane::images_of_8_bits
                                                                                              : lane::images_of_16_bits;
    device.sums_of_pairs(owner(), memory.work, request);
    device.values_of_pairs(owner(), memory.work, values, ends);
}

double psnr_metric::peak() const
{
    if (options_.data_low < options_.data_high)
        return options_.data_high - options_.data_low;
    if (lanes_[lane::images_of_8_bits] + lanes_[lane::images_of_16_bits] != lanes_[lane::images])
        fail(IQA_ERROR_INCOMPATIBLE, "updates stated data ranges of their own: the PSNR of their mean error has no "
                                     "common peak value; set aggregate to IQA_MEAN_OF_PSNR");
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
    const error_total total = total_of_all();
    return to_double(total.errors) / total.weight;
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

constinit const options_table<iqa_psnr_options> psnr_option_table("psnr", "iqa_psnr_options", standard, rows);

iqa_metric *create_psnr(context &owner, const iqa_psnr_options &options)
{
    psnr_option_table.check(options);
    check_range(options.data_low, options.data_high);
    return iqa_metric::make<psnr_metric>(owner, options);
}

} // namespace iqa
