// SPDX-License-Identifier: MIT
// Constructors and one-shots of the metrics of feature sets.
#include "api/constructors.hpp"
#include "metrics/metrics.hpp"

extern "C" {

iqa_status iqa_fid_options_init(iqa_fid_options *options, size_t size)
{
    return iqa::guard(nullptr,
                      [&] { iqa::write_defaults(options, size, iqa::default_fid_options, "iqa_fid_options"); });
}

iqa_status iqa_fid_create(iqa_context *context, const iqa_fid_options *options, iqa_metric **out)
{
    return iqa::create(context, options, iqa::default_fid_options, "iqa_fid_options", iqa::create_fid, out);
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

} // extern "C"
