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

// Labels outside the classes, and the first of them in the order of the caller's axes.
struct invalid_labels {
    int64_t count; // elements with one on either side
    int side;
    int64_t position; // in label_pair::all
    int64_t label;
};

// Confusion counts of a batch. Either all of it is added, or nothing.
struct confusion_request {
    const label_pair *labels;
    label_rules rules;
    confusion_layout layout;
    int64_t *lanes; // what is added to
    // Where samples are wanted one by one: their counts, cleared before each sample and complete when it is done.
    confusion_layout sample_layout;
    int64_t *sample_lanes; // NULL where they are not
    void (*sample_done)(void *receiver, int64_t sample);
    void *receiver;

    // Where an update adds how many samples, elements, ignored and invalid ones there were, and leaves what is at
    // fault, with `tag` as its value. NULL on the CPU, which gives results instead.
    int64_t *counters;
    fault *report;
    double tag;
    const sample_plan *samples; // instead of sample_lanes; NULL where samples are not wanted one by one

    // Results. With an error nothing was added.
    int64_t elements, ignored;
    invalid_labels invalid;
    int64_t bad_weight; // the position of the first weight that is negative, not finite or out of range; else -1
};

} // namespace iqa
