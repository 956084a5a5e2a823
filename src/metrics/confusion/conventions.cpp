// SPDX-License-Identifier: MIT
// Other libraries' scores of counts, as readings. docs/guide/confusion.md compares them.
#include <iterator>

#include "metrics/metrics.hpp"

namespace iqa {

namespace {

constexpr option_preset<iqa_confusion_reading> conventions[] = {
    {IQA_WORD("scikit_learn", IQA_CONVENTION_SCIKIT_LEARN),
     [](iqa_confusion_reading &r) {
         r.empty = IQA_EMPTY_SKIP_IN_AVERAGES;
     }},
    {IQA_WORD("torchmetrics", IQA_CONVENTION_TORCHMETRICS),
     [](iqa_confusion_reading &r) {
         r.empty = IQA_EMPTY_SKIP_IGNORED_IN_IOU;
     }},
    {IQA_WORD("torchmetrics_multilabel", IQA_CONVENTION_TORCHMETRICS_MULTILABEL),
     [](iqa_confusion_reading &r) {
         r.empty = IQA_EMPTY_AS_RATIO;
     }},
    {IQA_WORD("torchmetrics_dice", IQA_CONVENTION_TORCHMETRICS_DICE),
     [](iqa_confusion_reading &r) {
         r.over = IQA_OVER_SAMPLES;
     }},
    {IQA_WORD("torchmetrics_mean_iou", IQA_CONVENTION_TORCHMETRICS_MEAN_IOU),
     [](iqa_confusion_reading &r) {
         r.average = IQA_AVERAGE_PAIRS;
     }},
    {IQA_WORD("monai", IQA_CONVENTION_MONAI),
     [](iqa_confusion_reading &r) {
         r.average = IQA_AVERAGE_MACRO;
         r.over = IQA_OVER_SAMPLES;
         r.empty = IQA_EMPTY_SKIP_UNREFERENCED;
     }},
    {IQA_WORD("monai_keep_empty", IQA_CONVENTION_MONAI_KEEP_EMPTY),
     [](iqa_confusion_reading &r) {
         r.average = IQA_AVERAGE_MACRO;
         r.over = IQA_OVER_SAMPLES;
         r.empty = IQA_EMPTY_ONE_ELSE_ZERO;
     }},
    {IQA_WORD("mmsegmentation", IQA_CONVENTION_MMSEGMENTATION),
     [](iqa_confusion_reading &r) {
         r.average = IQA_AVERAGE_MACRO;
         r.zero_division = IQA_ZERO_DIVISION_SKIP;
     }},
};

} // namespace

constinit const std::array<option_word, std::size(conventions)> confusion_convention_words = words_of(conventions);

iqa_confusion_reading confusion_convention(int32_t number)
{
    check_constant("convention", number, int32_t(std::size(conventions)) - 1, "IQA_CONVENTION_");
    iqa_confusion_reading reading = confusion_reading_table.defaults();
    conventions[number].change(reading);
    return reading;
}

} // namespace iqa
