// SPDX-License-Identifier: MIT
// The requests of confusion counts to a device.
#pragma once

#include "core/device.hpp"
#include "core/labels.hpp"
#include "values/confusion_samples.h"

namespace iqa {

// The rules from labels to codes; see arith/confusion.h.
struct label_rules {
    int64_t classes; // C
    int64_t codes;   // number of valid labels: C, or 2 for the yes and no of a multilabel class
    bool multilabel;
    bool ignoring;
    int64_t ignore_label;
    double threshold;
    int64_t top_k;
    bool invalid_is_error;
    bool invalid_is_wrong; // else invalid labels are dropped
};

// Confusion counts of a batch. With a fault the sums are unspecified, but cells in host memory are unchanged.
struct confusion_request {
    const label_pair *labels;
    label_rules rules;
    confusion_layout layout;

    // Results, added to the cells. The counters are 0 before the call.
    int64_t *cells;
    int64_t *counters;
    const sample_plan *samples; // NULL: no results for single samples

    fault *report; // of this update
    int64_t shape; // of a fault: the metric's number for the shape of the labels
};

} // namespace iqa
