// SPDX-License-Identifier: MIT
// Confusion metrics: constructors, readings and scores.
#include "api/constructors.hpp"
#include "metrics/metrics.hpp"

extern "C" {

iqa_status iqa_confusion_reading_init(iqa_confusion_reading *reading, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::confusion_reading_table.init(reading, size); });
}

iqa_status iqa_confusion_reading_preset(iqa_confusion_reading *reading, size_t size, int32_t convention)
{
    return iqa::guard(nullptr, [&] {
        iqa::write_defaults(reading, size, iqa::confusion_convention(convention), "iqa_confusion_reading");
    });
}

iqa_status iqa_confusion_options_init(iqa_confusion_options *options, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::confusion_option_table.init(options, size); });
}

iqa_status iqa_confusion_create(iqa_context *context, const iqa_confusion_options *options, iqa_metric **out)
{
    return iqa::create(context, options, iqa::confusion_option_table, iqa::create_confusion, out);
}

iqa_status iqa_confusion_score(const iqa_metric *metric, int32_t score, const iqa_confusion_reading *reading,
                               double *out, size_t capacity, size_t *count)
{
    return iqa::guard(metric != nullptr ? &metric->owner() : nullptr, [&] {
        iqa::require(metric, "metric");
        if (out == nullptr && count == nullptr)
            iqa::fail(IQA_ERROR_INVALID_ARGUMENT, "the output is NULL");
        const iqa_confusion_reading checked = iqa::confusion_reading_table.copy(reading);
        metric->settle();
        const size_t needed = iqa::read_confusion_score(*metric, score, checked, {});
        iqa::give(needed, out != nullptr, capacity, count, "numbers", [&] {
            iqa::read_confusion_score(*metric, score, checked, {out, needed});
        });
    });
}

iqa_status iqa_measure_confusion(iqa_context *context, const iqa_confusion_options *options,
                                 const iqa_tensor *reference, const iqa_tensor *candidate, double *value)
{
    return iqa::measure(context, options, iqa_confusion_create, reference, candidate, value);
}

} // extern "C"
