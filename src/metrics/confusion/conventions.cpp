// SPDX-License-Identifier: MIT
// What other libraries mean by scores of counts, as readings. docs/guide/confusion.md compares them.
#include <iterator>

#include "core/options.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

// What differs from the default reading. The order is that of the constants.
constexpr struct {
    int32_t average, over, empty, zero_division;
} conventions[] = {
    {IQA_AVERAGE_UNSTATED, IQA_OVER_ELEMENTS, IQA_EMPTY_SKIP_IN_AVERAGES, IQA_ZERO_DIVISION_ZERO},    // scikit-learn
    {IQA_AVERAGE_UNSTATED, IQA_OVER_ELEMENTS, IQA_EMPTY_SKIP_IGNORED_IN_IOU, IQA_ZERO_DIVISION_ZERO}, // torchmetrics
    {IQA_AVERAGE_UNSTATED, IQA_OVER_ELEMENTS, IQA_EMPTY_AS_RATIO, IQA_ZERO_DIVISION_ZERO},      // its multilabel scores
    {IQA_AVERAGE_UNSTATED, IQA_OVER_SAMPLES, IQA_EMPTY_SKIP, IQA_ZERO_DIVISION_ZERO},           // its DiceScore
    {IQA_AVERAGE_PAIRS, IQA_OVER_ELEMENTS, IQA_EMPTY_SKIP, IQA_ZERO_DIVISION_ZERO},             // its MeanIoU
    {IQA_AVERAGE_MACRO, IQA_OVER_SAMPLES, IQA_EMPTY_SKIP_UNREFERENCED, IQA_ZERO_DIVISION_ZERO}, // MONAI
    {IQA_AVERAGE_MACRO, IQA_OVER_SAMPLES, IQA_EMPTY_ONE_ELSE_ZERO, IQA_ZERO_DIVISION_ZERO}, // MONAI, keeping empty ones
    {IQA_AVERAGE_MACRO, IQA_OVER_ELEMENTS, IQA_EMPTY_SKIP, IQA_ZERO_DIVISION_SKIP},         // MMSegmentation
};

constexpr int32_t count = int32_t(std::size(conventions));
static_assert(count == IQA_CONVENTION_MMSEGMENTATION + 1);

} // namespace

iqa_confusion_reading confusion_convention(int32_t number)
{
    check_constant("convention", number, count - 1, "IQA_CONVENTION_");
    iqa_confusion_reading reading = default_confusion_reading;
    reading.average = conventions[number].average;
    reading.over = conventions[number].over;
    reading.empty = conventions[number].empty;
    reading.zero_division = conventions[number].zero_division;
    return reading;
}

} // namespace iqa
