// SPDX-License-Identifier: MIT
// Counts pairs of labels in the cells of the state: for more classes than a table in shared memory holds, for few
// elements, and for weights. Sums of weights are made in shared memory if the cells fit.
#pragma once

#include "cuda/confusion/labels.h"

namespace iqa::cuda {

struct cell_task {
    label_task labels;
    int64_t begin, end;  // of the positions of all groups
    int64_t block_lanes; // sums of weights in shared memory; 0: straight in the cells
};

// A sum, without carries, of weights whose digits are at the same place, as most are.
struct weight_sum : weight_digits {
    // Adds the sum to a cell and starts again.
    IQA_KERNEL void finish(int64_t *cell)
    {
        for (int i = 0; i < count; ++i) {
            if (digit[i] != 0)
                add(cell + first + i, digit[i]);
            digit[i] = 0;
        }
    }
};

// A thread's run of equal pairs of labels.
struct pair_run {
    int64_t group, label, count;
    label_codes codes;
    weight_sum weights;

    IQA_KERNEL bool continues(int64_t next_group, int64_t next_label, label_codes next) const
    {
        return group == next_group && label == next_label && codes.row == next.row && codes.column == next.column;
    }
};

template <bool scores>
struct count_in_cells {
    using arguments = cell_task;
    static constexpr int threads = 256;
    static constexpr size_t bytes_of_totals = 4 * sizeof(uint32_t); // followed by the cells of block_lanes

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &task)
    {
        const label_task &labels = task.labels;
        const targets to{reinterpret_cast<uint32_t *>(block.shared()),
                         task.block_lanes != 0 ? reinterpret_cast<int64_t *>(block.shared() + bytes_of_totals)
                                               : labels.cells};
        block.each(total_count, [&](int i) { to.totals[i] = 0; });
        block.each(int(task.block_lanes), [&](int i) { to.cells[i] = 0; });
        block.each(threads, [&](int thread) {
            pair_run run{};
            const int64_t step = block.blocks() * threads * neighbours;
            int64_t first = task.begin + (block.index() * threads + thread) * neighbours;
            for (; first < task.end; first += step)
                for (int64_t at = first; at < first + neighbours && at < task.end; ++at)
                    count_element(labels, at, run, to);
            finish(labels, run, to);
        });
        block.each(1, [&](int) {
            if (to.totals[ignored] != 0)
                add(&labels.counters[ignored_counter], int64_t(to.totals[ignored]));
            if (to.totals[invalid] != 0)
                add(&labels.counters[invalid_counter], int64_t(to.totals[invalid]));
            add_elements(labels.layout, labels.cells, to.totals[counted]);
        });
        block.each(int(task.block_lanes), [&](int i) {
            if (to.cells[i] != 0)
                add(labels.cells + i, to.cells[i]);
        });
        end_launch<scores>(block, labels);
    }

private:
    enum : int { ignored, invalid, counted, total_count };
    static constexpr int neighbours = 8; // of a thread: label maps have runs of equal labels

    struct targets {
        uint32_t *totals;
        int64_t *cells;
    };

    IQA_KERNEL static void finish(const label_task &labels, pair_run &run, const targets &to)
    {
        if (labels.weights != nullptr) {
            finish_weights(labels, run, to);
        } else if (run.count != 0) {
            add(&to.totals[counted], uint32_t(run.count));
            add_pairs(labels, run.group, run.label, run.codes, run.count);
            if (labels.sample_cells != nullptr)
                add_elements(labels.sample_layout, cells_of_sample(labels, run.group), run.count);
        }
        run.count = 0;
    }

    IQA_KERNEL static void finish_weights(const label_task &labels, pair_run &run, const targets &to)
    {
        const weight_sum sum = run.weights;
        const auto add_to = [&](confusion_layout layout, int64_t *cells) {
            int64_t indices[3];
            const int count = cells_of_pair(layout, run.label, run.codes.row, run.codes.column, indices);
            for (int i = 0; i < 3; ++i) { // constant bounds keep the array in registers
                run.weights = sum;
                if (i < count)
                    run.weights.finish(cells + indices[i] * weight_format.digits);
            }
        };
        add_to(labels.layout, to.cells);
        if (labels.sample_cells != nullptr)
            add_to(labels.sample_layout, cells_of_sample(labels, run.group));
        run.weights = {};
    }

    IQA_KERNEL static void count_element(const label_task &labels, int64_t at, pair_run &run, const targets &to)
    {
        const label_rules &rules = labels.rules;
        const int64_t group = quotient_of(at, labels.positions);
        const int64_t position = at - group * labels.positions;
        const label_offsets offsets = offsets_of(labels, group, position);
        const label_codes codes = codes_of<scores>(labels, offsets);
        const int64_t label = offsets.value[label_index];
        double weight = 1.0;
        if (labels.weights != nullptr) {
            weight = weight_at(labels, offsets.value[weight_side]);
            if (!has_exact_sums(weight)) {
                keep_first(labels, fault_kind::label_weight, to_caller(labels.order, at));
                return;
            }
        }
        if (is_ignored(rules, codes)) {
            add(&to.totals[ignored], 1u);
            return;
        }
        if (is_invalid(rules, codes)) {
            add(&to.totals[invalid], 1u);
            if (rules.invalid_is_error)
                keep_first(labels, fault_kind::labels, invalid_key(labels, group, position, codes));
            if (!rules.invalid_is_wrong)
                return;
        }
        if (!run.continues(group, label, codes)) {
            finish(labels, run, to);
            run = {group, label, 0, codes, {}};
        }
        if (labels.weights == nullptr)
            ++run.count;
        else
            add_weight(labels, run, weight, to);
    }

    IQA_KERNEL static void add_weight(const label_task &labels, pair_run &run, double weight, const targets &to)
    {
        const weight_digits digits = digits_of_weight(weight);
        if (run.weights.first != digits.first) {
            finish_weights(labels, run, to);
            run.weights.first = digits.first;
        }
        for (int i = 0; i < weight_digits::count; ++i)
            run.weights.digit[i] += digits.digit[i];
    }

    IQA_KERNEL static double weight_at(const label_task &labels, int64_t offset)
    {
        return labels.weight_type == label_type::float32
                   ? double(reinterpret_cast<const float *>(labels.weights)[offset])
                   : reinterpret_cast<const double *>(labels.weights)[offset];
    }
};

// Propagates the carries of sums of weights, so that the digits have room for more addends.
struct carry_weights {
    struct arguments {
        int64_t *cells;
        int64_t count;
    };
    static constexpr int threads = 256;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        block.each(threads, [&](int thread) {
            const int64_t cell = block.index() * threads + thread;
            if (cell < args.count)
                exact_carry(weight_format, args.cells + cell * weight_format.digits);
        });
    }
};

} // namespace iqa::cuda
