// SPDX-License-Identifier: MIT
// Constructors and one-shots of the metrics of feature sets and class scores.
#include <algorithm>

#include "api/constructors.hpp"
#include "metrics/metrics.hpp"

namespace {

iqa_context *context_of(const iqa_metric *const *shards, size_t count)
{
    return shards != nullptr && count > 0 && shards[0] != nullptr ? &shards[0]->owner() : nullptr;
}

std::span<const iqa_metric *const> span_of(const iqa_metric *const *shards, size_t count)
{
    iqa::require(shards, "shards");
    if (count == 0)
        iqa::fail(IQA_ERROR_INVALID_ARGUMENT, "count is 0; expected at least 2 shards");
    return {shards, count};
}

void give(const iqa::mean_and_deviation &result, double *mean, double *standard_deviation)
{
    *mean = result.mean;
    if (standard_deviation != nullptr)
        *standard_deviation = result.standard_deviation;
}

void give(std::span<const double> values, double *out, size_t capacity, size_t *count)
{
    if (count != nullptr)
        *count = values.size();
    std::copy_n(values.begin(), std::min(capacity, values.size()), out);
}

} // namespace

extern "C" {

iqa_status iqa_fid_options_init(iqa_fid_options *options, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::fid_option_table.init(options, size); });
}

iqa_status iqa_fid_create(iqa_context *context, const iqa_fid_options *options, iqa_metric **out)
{
    return iqa::create(context, options, iqa::fid_option_table, iqa::create_fid, out);
}

iqa_status iqa_measure_fid(iqa_context *context, const iqa_fid_options *options, const iqa_tensor *reference,
                           const iqa_tensor *candidate, double *value)
{
    return iqa::measure(context, options, iqa_fid_create, reference, candidate, value);
}

iqa_status iqa_fid_reset_side(iqa_metric *metric, int32_t side)
{
    return iqa::guard(metric != nullptr ? &metric->owner() : nullptr, [&] {
        iqa::require(metric, "metric");
        iqa::reset_fid_side(*metric, side);
    });
}

iqa_status iqa_fid_from_statistics(iqa_context *context, const iqa_tensor *mean_reference,
                                   const iqa_tensor *covariance_reference, const iqa_tensor *mean_candidate,
                                   const iqa_tensor *covariance_candidate, double *out, size_t capacity, size_t *count)
{
    return iqa::guard(context, [&] {
        iqa::require(context, "context");
        iqa::require(mean_reference, "mean_reference");
        iqa::require(covariance_reference, "covariance_reference");
        iqa::require(mean_candidate, "mean_candidate");
        iqa::require(covariance_candidate, "covariance_candidate");
        iqa::require(out, "out");
        give(iqa::fid_from_statistics(*context, {mean_reference, covariance_reference},
                                      {mean_candidate, covariance_candidate}),
             out, capacity, count);
    });
}

iqa_status iqa_fid_extrapolate(const iqa_metric *const *shards, size_t count, double *value, double *slope)
{
    return iqa::guard(context_of(shards, count), [&] {
        iqa::require(value, "value");
        const iqa::fid_line line = iqa::fid_extrapolate(span_of(shards, count));
        *value = line.at_infinity;
        if (slope != nullptr)
            *slope = line.slope;
    });
}

iqa_status iqa_fid_jackknife(const iqa_metric *const *shards, size_t count, double *value, double *standard_error)
{
    return iqa::guard(context_of(shards, count), [&] {
        iqa::require(value, "value");
        iqa::require(standard_error, "standard_error");
        const iqa::fid_estimate estimate = iqa::fid_jackknife(span_of(shards, count));
        *value = estimate.value;
        *standard_error = estimate.standard_error;
    });
}

iqa_status iqa_kid_options_init(iqa_kid_options *options, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::kid_option_table.init(options, size); });
}

iqa_status iqa_measure_kid(iqa_context *context, const iqa_kid_options *options, const iqa_tensor *reference,
                           const iqa_tensor *candidate, double *mean, double *standard_deviation)
{
    return iqa::guard(context, [&] {
        iqa::require(context, "context");
        iqa::require(reference, "reference");
        iqa::require(candidate, "candidate");
        iqa::require(mean, "mean");
        give(iqa::measure_kid(*context, iqa::kid_option_table.copy(options), *reference, *candidate), mean,
             standard_deviation);
    });
}

iqa_status iqa_prdc_options_init(iqa_prdc_options *options, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::prdc_option_table.init(options, size); });
}

iqa_status iqa_measure_prdc(iqa_context *context, const iqa_prdc_options *options, const iqa_tensor *reference,
                            const iqa_tensor *candidate, double *out, size_t capacity, size_t *count)
{
    return iqa::guard(context, [&] {
        iqa::require(context, "context");
        iqa::require(reference, "reference");
        iqa::require(candidate, "candidate");
        iqa::require(out, "out");
        give(iqa::measure_prdc(*context, iqa::prdc_option_table.copy(options), *reference, *candidate), out, capacity,
             count);
    });
}

iqa_status iqa_inception_score_options_init(iqa_inception_score_options *options, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::inception_score_option_table.init(options, size); });
}

iqa_status iqa_measure_inception_score(iqa_context *context, const iqa_inception_score_options *options,
                                       const iqa_tensor *scores, double *mean, double *standard_deviation)
{
    return iqa::guard(context, [&] {
        iqa::require(context, "context");
        iqa::require(scores, "scores");
        iqa::require(mean, "mean");
        give(iqa::measure_inception_score(*context, iqa::inception_score_option_table.copy(options), *scores), mean,
             standard_deviation);
    });
}

} // extern "C"
