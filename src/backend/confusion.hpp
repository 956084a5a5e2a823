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
    int64_t shape; // of a fault: the metric's number for the shape of the labels
};

} // namespace iqa
