// SPDX-License-Identifier: MIT
// From the counts of each sample: its scores, and what is summed of them. A block for a sample, a thread for a score.
#pragma once

#include "cuda/confusion/labels.h"
#include "values/confusion_samples.h"

namespace iqa::cuda {

struct sample_task {
    sample_plan plan; // what is excluded is memory of the device
    confusion_layout layout;
    const int64_t *cells; // of the samples from `first` on
    class_counts *counts; // [samples from there on][classes]
    int64_t first;
};

IQA_KERNEL_APART void count_class(const sample_task &task, const int64_t *cells, int64_t sample, int64_t index,
                                  class_counts &counts)
{
    counts = counts_of_class(task.layout, cells, index);
    if (task.plan.outputs.counts.data != nullptr)
        store_counts(task.plan.outputs.counts, sample, index, counts);
}

struct finish_samples {
    using arguments = sample_task;
    static constexpr int threads = 256;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &task)
    {
        const sample_plan &plan = task.plan;
        const sample_outputs &outputs = plan.outputs;
        const int64_t sample = task.first + block.index();
        score_reader reader = plan.reader;
        class_counts *counts = task.counts + block.index() * reader.classes;
        reader.counts = counts;
        const int64_t *cells = task.cells + block.index() * lanes_of(task.layout);
        block.each(int(reader.classes), [&](int k) { count_class(task, cells, sample, k, counts[k]); });
        if (outputs.of_classes.data != nullptr)
            block.each(int(reader.classes), [&](int k) {
                outputs.of_classes.store(sample, k, 0, score_of_class(reader, plan.score, k).value);
            });
        if (outputs.value.data != nullptr)
            block.each(1, [&](int) { outputs.value.store(sample, 0, 0, score_of(reader, plan.score).value); });
        block.each(int(plan.entries), [&](int i) {
            const int64_t entry = plan.entries - 1 - i; // averages take longest, and the last of them most
            const scored own = score_of_entry(reader, entry);
            if (own.skipped)
                return;
            add(plan.counted + entry, int64_t(1));
            if (own.value != own.value)
                add(plan.nan_counted + entry, int64_t(1));
            else
                add_units(plan.sums + entry * unit_format.digits, units_of_score(own.value));
        });
    }

private:
    // Without carries, which the state passes on.
    IQA_KERNEL static void add_units(int64_t *digits, int128 units)
    {
        add(digits, int64_t(uint32_t(units)));
        add(digits + 1, int64_t(uint32_t(units >> 32)));
        add(digits + 2, int64_t(units >> 64));
    }
};

} // namespace iqa::cuda
