// SPDX-License-Identifier: MIT
// The options of a confusion metric: checks, the lanes that follow from them, and their bytes in a state file.
#pragma once

#include "metrics/metrics.hpp"
#include "values/confusion.h"

namespace iqa {

// The lanes: counters of elements; for each sum its numbers of samples and of NaN; the cells; the sums.
struct state_plan {
    explicit state_plan(const iqa_confusion_options &options)
        : layout{options.task == IQA_TASK_MULTILABEL      ? confusion_layout::multilabel
                 : options.counts == IQA_COUNTS_PER_CLASS ? confusion_layout::per_class
                                                          : confusion_layout::matrix,
                 options.classes, options.weighted != 0 ? weight_format.digits : 1},
          entries(options.keep_samples != 0 ? entries_of_samples(options.classes) : 0)
    {
    }

    confusion_layout of_sample() const
    {
        confusion_layout sample_layout = layout;
        if (sample_layout.kind == confusion_layout::matrix)
            sample_layout.kind = confusion_layout::per_class;
        return sample_layout;
    }
    int64_t counted() const { return confusion_counters; }
    int64_t nan_counted() const { return counted() + entries; }
    int64_t cells() const { return nan_counted() + entries; }
    int64_t sums() const { return cells() + lanes_of(layout); }
    int64_t lanes() const { return sums() + entries * unit_format.digits; }

    confusion_layout layout;
    int64_t entries;
};

// Checks every field.
iqa_confusion_options resolve(const iqa_confusion_options &options, const iqa_confusion_reading &reading);

// The bytes of excluded classes come behind all other fields.
size_t bytes_of_options(const iqa_confusion_reading &reading);

// `reading.excluded` then points to the copy in `out`.
void write_options(iqa_confusion_options options, iqa_confusion_reading &reading, std::span<std::byte> out);

// From a state with `lanes` lanes. The options have no reading yet; `reading.excluded` points into `bytes`.
iqa_confusion_options read_confusion_options(byte_reader bytes, size_t lanes, iqa_confusion_reading &reading);

} // namespace iqa
