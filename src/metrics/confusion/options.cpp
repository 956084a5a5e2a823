// SPDX-License-Identifier: MIT
#include "metrics/confusion/options.hpp"

#include <algorithm>

#include "core/labels.hpp"
#include "metrics/confusion/scores.hpp"

namespace iqa {

namespace {

constexpr int64_t most_lanes = int64_t(1) << 27; // 1 GiB of cells

// The order of state bytes: numbers of 4 bytes, then of 8, and of each the options' before the reading's.
template <class Options, class Reading, class Visit>
void visit_fields(Options &options, Reading &reading, Visit &&visit)
{
    for (const size_t width : {sizeof(int32_t), sizeof(int64_t)}) {
        visit(confusion_option_table, &options, width);
        visit(confusion_reading_table, &reading, width);
    }
}

void check_kind(const char *name, int32_t kind, const iqa_confusion_options &options)
{
    if (options.task == IQA_TASK_MULTILABEL && has_class_axis(static_cast<label_kind>(kind)))
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is ", kind,
             "; multilabel takes IQA_LABELS_INDEX (1 for yes, 0 for no) or IQA_LABELS_THRESHOLD");
    if (options.task == IQA_TASK_MULTICLASS && kind == IQA_LABELS_THRESHOLD && options.classes != 2)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is IQA_LABELS_THRESHOLD, which tells 2 classes apart, but classes is ",
             options.classes);
}

} // namespace

iqa_confusion_options resolve(const iqa_confusion_options &stated, const iqa_confusion_reading &reading)
{
    iqa_confusion_options options = stated;
    confusion_option_table.check(options);
    check_kind("reference", options.reference, options);
    check_kind("candidate", options.candidate, options);
    if (options.out_of_range == IQA_OUT_OF_RANGE_WRONG && options.task == IQA_TASK_MULTILABEL)
        fail(IQA_ERROR_INVALID_ARGUMENT, "out_of_range is IQA_OUT_OF_RANGE_WRONG, which multilabel does not have: what "
                                         "is neither yes nor no is wrong for no class");
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
    return state_bytes(confusion_option_table) + state_bytes(confusion_reading_table) + size_t(reading.excluded_count);
}

void write_options(iqa_confusion_options options, iqa_confusion_reading &reading, std::span<std::byte> out)
{
    byte_writer writer(out);
    visit_fields(options, reading, [&](const option_table &table, const void *fields, size_t width) {
        write_fields(table, fields, writer, width);
    });
    if (reading.excluded == nullptr)
        return;
    std::byte *excluded = out.data() + writer.position();
    std::transform(reading.excluded, reading.excluded + reading.excluded_count, excluded,
                   [](uint8_t is_excluded) { return std::byte(is_excluded != 0); });
    reading.excluded = reinterpret_cast<const uint8_t *>(excluded);
}

iqa_confusion_options read_confusion_options(byte_reader bytes, size_t lanes, iqa_confusion_reading &reading)
{
    iqa_confusion_options options = confusion_option_table.defaults();
    visit_fields(options, reading, [&](const option_table &table, void *fields, size_t width) {
        read_fields(table, fields, bytes, width);
    });
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
