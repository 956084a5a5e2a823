// SPDX-License-Identifier: MIT
// Confusion metrics: constructors, readings and scores.
#include "api/constructors.hpp"
#include "metrics/metrics.hpp"

namespace {

iqa_confusion_reading convention(int32_t which)
{
    iqa_confusion_reading reading = iqa::default_confusion_reading;
    switch (which) {
    case IQA_CONVENTION_SCIKIT_LEARN:
        reading.empty = IQA_EMPTY_SKIP_IN_AVERAGES;
        break;
    case IQA_CONVENTION_TORCHMETRICS:
        reading.empty = IQA_EMPTY_SKIP_IGNORED_IN_IOU;
        break;
    case IQA_CONVENTION_TORCHMETRICS_MULTILABEL:
        reading.empty = IQA_EMPTY_AS_RATIO;
        break;
    case IQA_CONVENTION_TORCHMETRICS_DICE:
        reading.over = IQA_OVER_SAMPLES;
        break;
    case IQA_CONVENTION_TORCHMETRICS_MEAN_IOU:
        reading.average = IQA_AVERAGE_PAIRS;
        break;
    case IQA_CONVENTION_MONAI:
        reading.average = IQA_AVERAGE_MACRO;
        reading.over = IQA_OVER_SAMPLES;
        reading.empty = IQA_EMPTY_SKIP_UNREFERENCED;
        break;
    case IQA_CONVENTION_MONAI_KEEP_EMPTY:
        reading.average = IQA_AVERAGE_MACRO;
        reading.over = IQA_OVER_SAMPLES;
        reading.empty = IQA_EMPTY_ONE_ELSE_ZERO;
        break;
    case IQA_CONVENTION_MMSEGMENTATION:
        reading.average = IQA_AVERAGE_MACRO;
        reading.zero_division = IQA_ZERO_DIVISION_SKIP;
        break;
    default:
        iqa::fail(IQA_ERROR_INVALID_ARGUMENT, "convention is ", which, "; expected an IQA_CONVENTION_ constant");
    }
    return reading;
}

} // namespace

extern "C" {

iqa_status iqa_confusion_reading_init(iqa_confusion_reading *reading, size_t size)
{
    return iqa::guard(
        nullptr, [&] { iqa::write_defaults(reading, size, iqa::default_confusion_reading, "iqa_confusion_reading"); });
}

iqa_status iqa_confusion_reading_preset(iqa_confusion_reading *reading, size_t size, int32_t which)
{
    return iqa::guard(nullptr, [&] { iqa::write_defaults(reading, size, convention(which), "iqa_confusion_reading"); });
}

iqa_status iqa_confusion_options_init(iqa_confusion_options *options, size_t size)
{
    return iqa::guard(
        nullptr, [&] { iqa::write_defaults(options, size, iqa::default_confusion_options, "iqa_confusion_options"); });
}

iqa_status iqa_confusion_create(iqa_context *context, const iqa_confusion_options *options, iqa_metric **out)
{
    return iqa::create(context, options, iqa::default_confusion_options, "iqa_confusion_options", iqa::create_confusion,
                       out);
}

iqa_status iqa_confusion_score(const iqa_metric *metric, int32_t score, const iqa_confusion_reading *reading,
                               double *out, size_t capacity, size_t *count)
{
    return iqa::guard(metric != nullptr ? &metric->owner() : nullptr, [&] {
        iqa::require(metric, "metric");
        if (out == nullptr && count == nullptr)
            iqa::fail(IQA_ERROR_INVALID_ARGUMENT, "the output is NULL");
        const iqa_confusion_reading how =
            iqa::copy_sized(reading, iqa::default_confusion_reading, "iqa_confusion_reading");
        metric->settle();
        const size_t needed = iqa::read_confusion_score(*metric, score, how, {});
        iqa::give(needed, out != nullptr, capacity, count, "numbers", [&] {
            iqa::read_confusion_score(*metric, score, how, {out, needed});
        });
    });
}

iqa_status iqa_measure_confusion(iqa_context *context, const iqa_confusion_options *options,
                                 const iqa_tensor *reference, const iqa_tensor *candidate, double *value)
{
    return iqa::measure(context, options, iqa_confusion_create, reference, candidate, value);
}

} // extern "C"
