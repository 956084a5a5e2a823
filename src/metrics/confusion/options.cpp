// SPDX-License-Identifier: MIT
#include "metrics/confusion/options.hpp"

#include <algorithm>
#include <cmath>

#include "core/labels.hpp"
#include "core/options.hpp"
#include "metrics/confusion/scores.hpp"

namespace iqa {

namespace {

constexpr int32_t most_classes = 65536;
constexpr int64_t most_lanes = int64_t(1) << 27; // 1 GiB of cells

// One list of the fields for writing and for reading them.
template <class Function>
void for_each_option(iqa_confusion_options &options, iqa_confusion_reading &reading, Function &&function)
{
    for (int32_t *value : {&options.classes, &options.task, &options.reference, &options.candidate, &options.class_axis,
                           &options.batched, &options.counts, &options.out_of_range, &options.ignore, &options.top_k,
                           &options.weighted, &options.keep_samples, &options.score, &reading.average, &reading.over,
                           &reading.empty, &reading.zero_division, &reading.generalized_weights})
        function(*value);
    function(options.ignore_label);
    function(options.threshold);
    function(reading.beta);
    function(reading.excluded_count);
}

constexpr size_t option_bytes = 18 * sizeof(int32_t) + 4 * sizeof(int64_t);

void check_flag(const char *name, int32_t value)
{
    if (value != 0 && value != 1)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is ", value, "; expected 0 or 1");
}

void check_kind(const char *name, int32_t kind, const iqa_confusion_options &options)
{
    check_constant(name, kind, IQA_LABELS_THRESHOLD, "IQA_LABELS_");
    if (options.task == IQA_TASK_MULTILABEL && has_class_axis(static_cast<label_kind>(kind)))
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is ", kind,
             "; multilabel takes IQA_LABELS_INDEX (1 for yes, 0 for no) or IQA_LABELS_THRESHOLD");
    if (options.task == IQA_TASK_MULTICLASS && kind == IQA_LABELS_THRESHOLD && options.classes != 2)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is IQA_LABELS_THRESHOLD, which tells 2 classes apart, but classes is ",
             options.classes);
}

} // namespace

iqa_confusion_options resolve(const iqa_confusion_options &given, const iqa_confusion_reading &reading)
{
    iqa_confusion_options options = given;
    if (options.classes < 1 || options.classes > most_classes)
        fail(IQA_ERROR_INVALID_ARGUMENT, "classes is ", options.classes, "; expected 1 to ", most_classes);
    check_constant("task", options.task, IQA_TASK_MULTILABEL, "IQA_TASK_");
    check_kind("reference", options.reference, options);
    check_kind("candidate", options.candidate, options);
    check_constant("counts", options.counts, IQA_COUNTS_PER_CLASS, "IQA_COUNTS_");
    check_constant("out_of_range", options.out_of_range, IQA_OUT_OF_RANGE_WRONG, "IQA_OUT_OF_RANGE_");
    if (options.out_of_range == IQA_OUT_OF_RANGE_WRONG && options.task == IQA_TASK_MULTILABEL)
        fail(IQA_ERROR_INVALID_ARGUMENT, "out_of_range is IQA_OUT_OF_RANGE_WRONG, which multilabel does not have: what "
                                         "is neither yes nor no is wrong for no class");
    check_flag("batched", options.batched);
    check_flag("ignore", options.ignore);
    check_flag("weighted", options.weighted);
    check_flag("keep_samples", options.keep_samples);
    if (options.class_axis < -most_label_axes || options.class_axis >= most_label_axes)
        fail(IQA_ERROR_INVALID_ARGUMENT, "class_axis is ", options.class_axis, "; expected -32 to 31");
    if (std::isnan(options.threshold))
        fail(IQA_ERROR_INVALID_ARGUMENT, "threshold is NaN; expected a number");
    if (options.top_k < 1 || options.top_k > options.classes)
        fail(IQA_ERROR_INVALID_ARGUMENT, "top_k is ", options.top_k, "; expected 1 to ", options.classes,
             ", the number of classes");
    if (options.top_k > 1 && options.candidate != IQA_LABELS_ARGMAX)
        fail(IQA_ERROR_INVALID_ARGUMENT, "top_k is ", options.top_k, "; it needs IQA_LABELS_ARGMAX candidates");
    if (options.score != IQA_SCORE_NONE)
        check_reading(reading, options.score, options.classes);
    else
        check_reading(reading, IQA_SCORE_MCC, options.classes);
    const int64_t lanes = lanes_of(state_plan(options).layout);
    if (lanes > most_lanes)
        fail(IQA_ERROR_INVALID_ARGUMENT, "classes is ", options.classes, ": a matrix of them would take ", lanes >> 17,
             " MiB, and 1024 MiB is the limit; set counts to IQA_COUNTS_PER_CLASS");
    if (options.ignore == 0)
        options.ignore_label = 0;
    return options;
}

size_t bytes_of_options(const iqa_confusion_reading &reading)
{
    return option_bytes + size_t(reading.excluded_count);
}

void write_options(iqa_confusion_options options, iqa_confusion_reading &reading, std::span<std::byte> out)
{
    byte_writer writer(out);
    for_each_option(options, reading, [&](auto &value) { writer.put(value); });
    if (reading.excluded == nullptr)
        return;
    std::byte *excluded = out.data() + option_bytes;
    std::transform(reading.excluded, reading.excluded + reading.excluded_count, excluded,
                   [](uint8_t is_excluded) { return std::byte(is_excluded != 0); });
    reading.excluded = reinterpret_cast<const uint8_t *>(excluded);
}

iqa_confusion_options read_confusion_options(byte_reader bytes, size_t lanes, iqa_confusion_reading &reading)
{
    iqa_confusion_options options = default_confusion_options;
    for_each_option(options, reading,
                    [&](auto &value) { value = bytes.get<std::remove_reference_t<decltype(value)>>(); });
    if (reading.excluded_count != 0) {
        if (reading.excluded_count != options.classes)
            fail(IQA_ERROR_CORRUPT, "the state excludes ", reading.excluded_count, " of ", options.classes, " classes");
        reading.excluded = reinterpret_cast<const uint8_t *>(bytes.take(size_t(options.classes)).data());
    }
    bytes.expect_end("options");
    if (options.classes < 1 || options.classes > most_classes || int64_t(lanes) != state_plan(options).lanes())
        fail(IQA_ERROR_CORRUPT, "the state has ", lanes, " lanes, which is not what its options need");
    return options;
}

} // namespace iqa
