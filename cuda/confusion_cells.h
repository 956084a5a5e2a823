// SPDX-License-Identifier: MIT
// Counting pairs of labels in the state's cells themselves: for so many classes that no table fits into a block's
// memory, for few elements, and for weights.
#pragma once

#include "cuda/confusion_labels.h"

namespace iqa::cuda {

struct cell_task {
    label_task labels;
    int64_t begin, end; // of the positions of all groups
};

// Adds a weight to the digits of a cell, without carries: it has 53 bits, which reach into three digits.
IQA_KERNEL void add_weight(int64_t *cell, double weight)
{
    if (weight == 0.0)
        return;
    const int exponent = weight_exponent(weight);
    const int position = exponent - weight_format.lowest;
    uint128 digits = uint128(weight * power_of_two(-exponent)) << (position & 31);
    for (int64_t *digit = cell + (position >> 5); digits != 0; ++digit, digits >>= 32)
        if (uint32_t(digits) != 0)
            add(digit, int64_t(uint32_t(digits)));
}

// Equal pairs that a thread met one after another.
struct pair_run {
    int64_t group, label, count;
    label_codes codes;

    IQA_KERNEL bool continues(int64_t next_group, int64_t next_label, label_codes next) const
    {
        return group == next_group && label == next_label && codes.row == next.row && codes.column == next.column;
    }
};

template <bool scores>
struct count_in_cells {
    using arguments = cell_task;
    static constexpr int threads = 256;
    static constexpr size_t shared_bytes = 4 * sizeof(uint32_t);

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &task)
    {
        const label_task &labels = task.labels;
        auto *totals = reinterpret_cast<uint32_t *>(block.shared());
        block.each(total_count, [&](int i) { totals[i] = 0; });
        block.each(threads, [&](int thread) {
            pair_run run{};
            const int64_t step = block.blocks() * threads;
            for (int64_t at = task.begin + block.index() * threads + thread; at < task.end; at += step)
                count_element(labels, at, run, totals);
            finish(labels, run, totals);
        });
        block.each(1, [&](int) {
            if (totals[ignored] != 0)
                add(&labels.counters[ignored_counter], int64_t(totals[ignored]));
            if (totals[invalid] != 0)
                add(&labels.counters[invalid_counter], int64_t(totals[invalid]));
            if (labels.weights == nullptr)
                add_elements(labels.layout, labels.cells, totals[counted]);
        });
        end_launch<scores>(block, labels);
    }

private:
    enum : int { ignored, invalid, counted, total_count };

    IQA_KERNEL static void finish(const label_task &labels, pair_run &run, uint32_t *totals)
    {
        if (run.count == 0)
            return;
        add(&totals[counted], uint32_t(run.count));
        add_pairs(labels, run.group, run.label, run.codes, run.count);
        if (labels.sample_cells != nullptr)
            add_elements(labels.sample_layout, cells_of_sample(labels, run.group), run.count);
        run.count = 0;
    }

    IQA_KERNEL static void count_element(const label_task &labels, int64_t at, pair_run &run, uint32_t *totals)
    {
        const label_rules &rules = labels.rules;
        const int64_t group = quotient_of(at, labels.positions);
        const int64_t position = at - group * labels.positions;
        const label_place place = place_of(labels, group, position);
        const label_codes codes = codes_of<scores>(labels, place);
        const int64_t label = place.offset[label_index];
        double weight = 1.0;
        if (labels.weights != nullptr) {
            weight = weight_at(labels, place.offset[weight_side]);
            if (!has_exact_sums(weight)) {
                keep_first(&labels.report->channel, to_caller(labels.order, at));
                return;
            }
        }
        if (is_ignored(rules, codes)) {
            add(&totals[ignored], 1u);
            return;
        }
        if (is_invalid(rules, codes)) {
            add(&totals[invalid], 1u);
            if (rules.invalid_is_error)
                keep_first(&labels.report->image, invalid_key(labels, group, position, codes));
            if (!rules.invalid_is_wrong)
                return;
        }
        if (labels.weights != nullptr) {
            add_weighted(labels, group, label, codes, weight);
            return;
        }
        if (!run.continues(group, label, codes)) {
            finish(labels, run, totals);
            run = {group, label, 0, codes};
        }
        ++run.count;
    }

    IQA_KERNEL static double weight_at(const label_task &labels, int64_t offset)
    {
        return labels.weight_type == label_type::float32
                   ? double(reinterpret_cast<const float *>(labels.weights)[offset])
                   : reinterpret_cast<const double *>(labels.weights)[offset];
    }

    IQA_KERNEL static void add_weighted(const label_task &labels, int64_t group, int64_t label, label_codes codes,
                                        double weight)
    {
        const auto add_to = [&](confusion_layout layout, int64_t *cells) {
            int64_t own[3];
            for (int i = cells_of_pair(layout, label, codes.row, codes.column, own) - 1; i >= 0; --i)
                add_weight(cells + own[i] * weight_format.digits, weight);
        };
        add_to(labels.layout, labels.cells);
        if (labels.sample_cells != nullptr)
            add_to(labels.sample_layout, cells_of_sample(labels, group));
    }
};

// Passes on the carries of sums of weights, so that digits have room for what follows.
struct carry_weights {
    struct arguments {
        int64_t *cells;
        int64_t count;
    };
    static constexpr int threads = 256;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        block.each(threads, [&](int thread) {
            const int64_t cell = block.index() * threads + thread;
            if (cell < given.count)
                exact_carry(weight_format, given.cells + cell * weight_format.digits);
        });
    }
};

} // namespace iqa::cuda
