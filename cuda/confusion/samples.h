// SPDX-License-Identifier: MIT
// The scores of each sample from its counts, and their sums: a block for each sample, a thread for each score.
#pragma once

#include "cuda/confusion/labels.h"

namespace iqa::cuda {

struct sample_task {
    sample_plan plan;     // its excluded classes are in device memory
    const int64_t *cells; // of the samples from `first` on
    class_counts *counts; // [samples from `first` on][classes]
    int64_t first;
};

IQA_KERNEL_APART void count_class_apart(const sample_plan &plan, const int64_t *cells, int64_t sample, int64_t index,
                                        class_counts &counts)
{
    counts = count_class(plan, cells, sample, index);
}

struct finish_samples {
    using arguments = sample_task;
    static constexpr int threads = 256;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &task)
    {
        const sample_plan &plan = task.plan;
        const int64_t sample = task.first + block.index();
        score_reader reader = plan.reader;
        class_counts *counts = task.counts + block.index() * reader.classes;
        reader.counts = counts;
        const int64_t *cells = task.cells + block.index() * lanes_of(plan.layout);
        block.each(int(reader.classes), [&](int k) { count_class_apart(plan, cells, sample, k, counts[k]); });
        block.each(int(reader.classes), [&](int k) { store_score_of_class(plan, reader, sample, k); });
        block.each(1, [&](int) { store_score(plan, reader, sample); });
        block.each(int(plan.entries), [&](int i) {
            add_entry(plan, reader,
                      plan.entries - 1 - i); // averages take longest, the last ones most: they start first
        });
    }
};

} // namespace iqa::cuda
