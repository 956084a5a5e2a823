// SPDX-License-Identifier: MIT
// What an update of a confusion metric gives for each sample.
#pragma once

#include "core/labels.hpp"
#include "values/confusion.h"

namespace iqa {

struct sample_outputs {
    number_view value, of_classes, counts;

    bool wanted() const { return value.data != nullptr || of_classes.data != nullptr || counts.data != nullptr; }
};

// For a device that makes them itself. Where `entries` is not 0, their scores are added up too.
struct sample_plan {
    sample_outputs outputs;
    score_reader reader; // without counts; what is excluded is memory of the host
    int32_t score;
    int64_t entries;
    int64_t *counted, *nan_counted; // [entries]
    int64_t *sums;                  // [entries] in unit_format
};

IQA_HD void store_counts(const number_view &out, int64_t sample, int64_t index, const class_counts &counts)
{
    const double_double own[] = {counts.true_positive, counts.false_positive, counts.false_negative,
                                 counts.true_negative};
    for (int64_t i = 0; i < 4; ++i) {
        if (out.integers)
            out.store(sample, index, i, int64_t(own[i].high) + int64_t(own[i].low));
        else
            out.store(sample, index, i, own[i].high);
    }
}

} // namespace iqa
