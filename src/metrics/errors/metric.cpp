// SPDX-License-Identifier: MIT
// Mean absolute error and its kin. arith/squared_error.h has the arithmetic, values/errors.h the lanes.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "core/options.hpp"
#include "metrics/image_options.hpp"
#include "metrics/images/pair_metric.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

constexpr option_word measure_words[] = {
    IQA_WORD("mean_absolute_error", IQA_MEAN_ABSOLUTE_ERROR),
    IQA_WORD("mean_squared_error", IQA_MEAN_SQUARED_ERROR),
    IQA_WORD("root_mean_squared_error", IQA_ROOT_MEAN_SQUARED_ERROR),
    IQA_WORD("nrmse_euclidean", IQA_NRMSE_EUCLIDEAN),
    IQA_WORD("nrmse_min_max", IQA_NRMSE_MIN_MAX),
    IQA_WORD("nrmse_mean", IQA_NRMSE_MEAN),
    IQA_WORD("signal_to_noise_ratio", IQA_SIGNAL_TO_NOISE_RATIO),
};

#define IQA_FIELD_OF_ERRORS(field) IQA_OPTION(iqa_errors_options, field)

constexpr option_row rows[] = {
    image_options::layout(IQA_FIELD_OF_ERRORS(layout)),
    image_options::data_low(IQA_FIELD_OF_ERRORS(data_low)),
    image_options::data_high(IQA_FIELD_OF_ERRORS(data_high))
        .says("The highest value of a sample; floating-point images need a range for luma alone"),
    IQA_FIELD_OF_ERRORS(measure)
        .word(measure_words)
        .expects("an IQA_MEAN_ABSOLUTE_ERROR ... IQA_SIGNAL_TO_NOISE_RATIO constant")
        .says("What the value is, and those of images and channels"),
    image_options::nonfinite(IQA_FIELD_OF_ERRORS(nonfinite)),
    image_options::luma(IQA_FIELD_OF_ERRORS(luma)),
    image_options::luma_rounded(IQA_FIELD_OF_ERRORS(luma_rounded)),
    image_options::shave(IQA_FIELD_OF_ERRORS(shave)),
    IQA_FIELD_OF_ERRORS(alone).flag().later("0.2").says(
        "What the measure needs is kept alone, in a fraction of the time; other measures are not read"),
};

constexpr iqa_errors_options standard = IQA_ERRORS_OPTIONS_INIT;

namespace lane = errors_lane;

constexpr exact_field mean_field(int measure)
{
    return {lane::means + measure * lane::mean_size + lane::sum, real_format};
}

constexpr exact_field exact_fields[] = {
    {lane::weight, pixel_weight_format},
    {lane::squares, square_format},
    {lane::magnitudes, real_format},
    mean_field(0),
    mean_field(1),
    mean_field(2),
    mean_field(3),
};
static_assert(measures_of_images == 4);

// The fields in the order of the measures.
constexpr int32_t fields[] = {
    IQA_FIELD_MAE,           IQA_FIELD_MSE,        IQA_FIELD_RMSE, IQA_FIELD_NRMSE_EUCLIDEAN,
    IQA_FIELD_NRMSE_MIN_MAX, IQA_FIELD_NRMSE_MEAN, IQA_FIELD_SNR,
};

class errors_metric final : public pair_metric {
public:
    errors_metric(context &owner, const iqa_errors_options &options);

    size_t read(int32_t field, std::span<double> out) const override;

private:
    error_measure measure_of_options() const { return static_cast<error_measure>(options_.measure); }
    void check_update(const pair_update &update) const override;
    void measure(const backend &device, pair_memory &memory, const pair_update &update, int64_t *addend, fault *report,
                 error_slope *slopes, device_ledger *ends) override;
    double weight() const { return to_double(exact_value(pixel_weight_format, &lanes_[lane::weight])); }
    bool keeps(int measure) const;
    double value_of_measure(int measure) const;
    double mean_over_images(int measure) const;

    iqa_errors_options options_;
    std::array<std::byte, sizeof(iqa_errors_options)> option_bytes_{}; // state bytes are no more
    std::array<int64_t, lane::count> lanes_{};
};

errors_metric::errors_metric(context &owner, const iqa_errors_options &options)
    : pair_metric(owner, metric_kind::errors, "mean errors", pair_options_of(options, false), lanes_, exact_fields),
      options_(options)
{
    place_options(errors_option_table.write(options, option_bytes_));
}

void errors_metric::check_update(const pair_update &update) const
{
    if (update.wants_gradient() && !has_gradient(measure_of_options()))
        fail(IQA_ERROR_INVALID_ARGUMENT,
             update.candidate_gradient.data != nullptr ? "candidate_gradient" : "reference_gradient",
             " is wanted with measure ", options_.measure,
             "; gradients are of IQA_MEAN_ABSOLUTE_ERROR, IQA_MEAN_SQUARED_ERROR or IQA_ROOT_MEAN_SQUARED_ERROR");
}

void errors_metric::measure(const backend &device, pair_memory &memory, const pair_update &update, int64_t *addend,
                            fault *report, error_slope *slopes, device_ledger *ends)
{
    // A term of differences comes last, since it decides which of them overflow.
    constexpr error_term in_order[] = {error_term::reference, error_term::reference_square, error_term::magnitude,
                                       error_term::square};
    std::array<term_sums, error_terms> terms{};
    size_t count = 0;
    for (const error_term term : in_order)
        if (options_.alone == 0 || needs_term(measure_of_options(), term))
            terms[count++].term = term;
    const std::span<term_sums> kept(terms.data(), count);
    const pair_sums_request request = request_sums(memory, update, report, kept);
    const auto find = [&](error_term term) {
        const auto found =
            std::find_if(kept.begin(), kept.end(), [=](const term_sums &sums) { return sums.term == term; });
        return found == kept.end() ? term_sums{} : *found;
    };
    device.sums_of_pairs(owner(), memory.work, request);
    const errors_values_request values{
        .rule = {.measure = measure_of_options(),
                 .alone = options_.alone != 0,
                 .log_of_ten = log_scaled({10.0, 0.0}, 0),
                 .refuses_nonfinite = refuses_nonfinite()},
        .squares = find(error_term::square).sums,
        .magnitudes = find(error_term::magnitude).sums,
        .reference_squares = find(error_term::reference_square).sums,
        .reference = find(error_term::reference).sums,
        .extremes = find(error_term::reference).extremes,
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
    device.values_of_pairs(owner(), memory.work, values, ends);
}

double errors_metric::mean_over_images(int measure) const
{
    const int64_t *mean = &lanes_[size_t(lane::means + (measure - first_of_images) * lane::mean_size)];
    const bool grows = mean[lane::positive_infinite] != 0;
    const bool falls = mean[lane::negative_infinite] != 0;
    if (mean[lane::undefined] != 0 || (grows && falls))
        return std::nan("");
    if (grows || falls)
        return grows ? HUGE_VAL : -HUGE_VAL;
    return mean_of(exact_value(real_format, mean + lane::sum), double(lanes_[lane::images]));
}

// The sum of squares is kept for every measure but the mean absolute error.
bool errors_metric::keeps(int measure) const
{
    const auto asked = static_cast<error_measure>(measure);
    return options_.alone == 0 || measure == options_.measure ||
           (has_gradient(asked) && asked != error_measure::mean_absolute &&
            needs_term(measure_of_options(), error_term::square));
}

double errors_metric::value_of_measure(int measure) const
{
    if (!keeps(measure))
        fail(IQA_ERROR_INVALID_ARGUMENT, "the metric keeps ", measure_words[options_.measure].name, " alone, not ",
             measure_words[measure].name);
    if (lanes_[lane::images] == 0)
        fail(IQA_ERROR_NO_DATA, "no image was added yet");
    if (lanes_[lane::nan_images] != 0)
        return std::nan("");
    if (measure >= first_of_images)
        return mean_over_images(measure);
    error_sums sums{};
    sums.squares = exact_value(square_format, &lanes_[lane::squares]);
    sums.magnitudes = exact_value(real_format, &lanes_[lane::magnitudes]);
    sums.weight = weight();
    return measure_of({}, static_cast<error_measure>(measure), sums);
}

size_t errors_metric::read(int32_t field, std::span<double> out) const
{
    double value = 0.0;
    switch (field) {
    case IQA_FIELD_VALUE:
        value = value_of_measure(options_.measure);
        break;
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
        value = weight();
        break;
    default: {
        const auto *found = std::find(std::begin(fields), std::end(fields), field);
        if (found == std::end(fields))
            fail(IQA_ERROR_INVALID_ARGUMENT, "field is ", field, ", which mean errors do not have");
        value = value_of_measure(int(found - fields));
    }
    }
    if (!out.empty())
        out[0] = value;
    return 1;
}

} // namespace

constinit const options_table<iqa_errors_options> errors_option_table("errors", "iqa_errors_options", standard, rows);

iqa_metric *create_errors(context &owner, const iqa_errors_options &options)
{
    errors_option_table.check(options);
    check_range(options.data_low, options.data_high);
    return iqa_metric::make<errors_metric>(owner, options);
}

} // namespace iqa
