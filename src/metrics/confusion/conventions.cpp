// SPDX-License-Identifier: MIT
// What other libraries mean by scores of counts, as readings. docs/guide/confusion.md compares them.
#include <iterator>

#include "core/options.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

// Each from the defaults. The order is that of the constants.
constexpr void (*conventions[])(iqa_confusion_reading &) = {
    [](auto &r) { // scikit-learn
        r.empty = IQA_EMPTY_SKIP_IN_AVERAGES;
    },
    [](auto &r) { // torchmetrics
        r.empty = IQA_EMPTY_SKIP_IGNORED_IN_IOU;
    },
    [](auto &r) { // its multilabel scores
        r.empty = IQA_EMPTY_AS_RATIO;
    },
    [](auto &r) { // its DiceScore
        r.over = IQA_OVER_SAMPLES;
    },
    [](auto &r) { // its MeanIoU
        r.average = IQA_AVERAGE_PAIRS;
    },
    [](auto &r) { // MONAI
        r.average = IQA_AVERAGE_MACRO;
        r.over = IQA_OVER_SAMPLES;
        r.empty = IQA_EMPTY_SKIP_UNREFERENCED;
    },
    [](auto &r) { // MONAI, keeping empty classes
        r.average = IQA_AVERAGE_MACRO;
        r.over = IQA_OVER_SAMPLES;
        r.empty = IQA_EMPTY_ONE_ELSE_ZERO;
    },
    [](auto &r) { // MMSegmentation
        r.average = IQA_AVERAGE_MACRO;
        r.zero_division = IQA_ZERO_DIVISION_SKIP;
    },
};

constexpr int32_t count = int32_t(std::size(conventions));
static_assert(count == IQA_CONVENTION_MMSEGMENTATION + 1);

} // namespace

iqa_confusion_reading confusion_convention(int32_t number)
{
    check_constant("convention", number, count - 1, "IQA_CONVENTION_");
    iqa_confusion_reading reading = default_confusion_reading;
    conventions[number](reading);
    return reading;
}

} // namespace iqa
