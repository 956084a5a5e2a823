// SPDX-License-Identifier: MIT
// The results of an update of a confusion metric for each sample: from its cells to the outputs and to sums over
// samples. One text for every device: the CPU runs it class after class and score after score, a GPU one in each
// thread.
#pragma once

#include "core/labels.hpp"
#include "values/confusion.h"

namespace iqa {

struct sample_outputs {
    number_view value, of_classes, counts;

    bool wanted() const { return value.data != nullptr || of_classes.data != nullptr || counts.data != nullptr; }
};

struct sample_plan {
    confusion_layout layout; // of a sample's cells
    sample_outputs outputs;
    score_reader reader; // without counts; `reading.excluded` is in host memory
    int32_t score;
    // Of each entry: the number of scores, the number of NaN among them, and the sum of the others.
    int64_t entries;
    int64_t *counted, *nan_counted; // [entries]
    int64_t *sums;                  // [entries] in unit_format, without carries
};

// Returns the counts of a class, and stores them.
IQA_HD class_counts count_class(const sample_plan &plan, const int64_t *cells, int64_t sample, int64_t index)
{
    const class_counts counts = counts_of_class(plan.layout, cells, index);
    const number_view &out = plan.outputs.counts;
    const double_double each[] = {counts.true_positive, counts.false_positive, counts.false_negative,
                                  counts.true_negative};
    for (int64_t i = 0; out.data != nullptr && i < 4; ++i) {
        if (out.integers)
            out.store(sample, index, i, int64_t(each[i].high) + int64_t(each[i].low));
        else
            out.store(sample, index, i, each[i].high);
    }
    return counts;
}

// The functions below need the counts of all classes in `reader`.
IQA_HD void store_score_of_class(const sample_plan &plan, const score_reader &reader, int64_t sample, int64_t index)
{
    if (plan.outputs.of_classes.data != nullptr)
        plan.outputs.of_classes.store(sample, index, 0, score_of_class(reader, plan.score, index).value);
}

IQA_HD void store_score(const sample_plan &plan, const score_reader &reader, int64_t sample)
{
    if (plan.outputs.value.data != nullptr)
        plan.outputs.value.store(sample, 0, 0, score_of(reader, plan.score).value);
}

IQA_HD void add_entry(const sample_plan &plan, const score_reader &reader, int64_t entry)
{
    const scored score = score_of_entry(reader, entry);
    if (score.skipped)
        return;
    add_to_lane(plan.counted + entry, 1);
    if (score.value != score.value)
        add_to_lane(plan.nan_counted + entry, 1);
    else
        add_digits(unit_format, plan.sums + entry * unit_format.digits, units_of_score(score.value),
                   unit_format.lowest);
}

} // namespace iqa
