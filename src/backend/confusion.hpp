// SPDX-License-Identifier: MIT
// What confusion counts ask of a device.
#pragma once

#include "core/device.hpp"
#include "core/labels.hpp"
#include "values/confusion_samples.h"

namespace iqa {

// How labels become codes; see arith/confusion.h.
struct label_rules {
    int64_t classes; // C
    int64_t codes;   // classes that a label may name: C, or 2 for the yes and no of a multilabel class
    bool multilabel;
    bool ignoring;
    int64_t ignore_label;
    double threshold;
    int64_t top_k;
    bool invalid_is_error;
    bool invalid_is_wrong; // else dropped
};

// Confusion counts of a batch. With a fault what was added means nothing, but cells of the host are as they were.
struct confusion_request {
    const label_pair *labels;
    label_rules rules;
    confusion_layout layout;

    // What is added to. The counters are 0 before: the counts of this update.
    int64_t *cells;
    int64_t *counters;
    const sample_plan *samples; // NULL: samples are not wanted one by one

    fault *report; // of this update
    double tag;    // the value of a fault
};

// The positions are those of label_pair::all.
IQA_HD fault fault_of_weight(int64_t position, double tag)
{
    return {fault_kind::label_weight, weight_side, position, 0, 0, tag, 0};
}

// So many elements have a label outside the classes on either side. The first of them is told.
IQA_HD fault fault_of_labels(int64_t count, int side, int64_t position, int64_t label, double tag)
{
    return {fault_kind::labels, side, position, label, count, tag, 0};
}

} // namespace iqa
