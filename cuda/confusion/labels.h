// SPDX-License-Identifier: MIT
// Shared by the kernels of confusion counts: the labels of a position, their codes, faults, and the end of an update.
#pragma once

#include "arith/labels.h"
#include "backend/confusion.hpp"
#include "cuda/machine/places.h"

// Keeps rare code (once per launch, or for faults) out of the loops that run for every label.
#if defined(__CUDACC__)
#define IQA_KERNEL_APART static __device__ __noinline__
#else
#define IQA_KERNEL_APART static inline
#endif

namespace iqa::cuda {

// Positions are numbered in the order of the reference's memory, in groups: one for each sample that is counted apart,
// else one group. caller_order converts to and from the order of the caller's axes.
struct caller_order {
    int axes;
    struct {
        int64_t extent, stride;
    } axis[most_label_axes]; // in the order of memory
};

struct label_task {
    label_view labels[2];
    const std::byte *weights;
    label_type weight_type;
    label_rules rules;
    int64_t groups;
    int64_t group_stride[strides];
    int64_t positions; // of a group
    position_space space;
    caller_order order; // of all groups
    // Results. `sample_cells` begins with `first_group`; NULL: no counts of samples.
    confusion_layout layout, sample_layout;
    int64_t *cells, *sample_cells;
    int64_t first_group;
    int64_t *counters;
    fault *report;
    uint32_t *arrivals;
    bool ends;       // this launch is the update's last
    int64_t samples; // of the update
    int64_t shape;
};

// The offsets of a position's elements in the tensors.
struct label_offsets {
    int64_t value[caller_position];
};

IQA_KERNEL label_offsets offsets_of(const label_task &task, int64_t group, int64_t position)
{
    label_offsets offsets;
    for (int k = 0; k < caller_position; ++k)
        offsets.value[k] = group * task.group_stride[k];
    for (int i = task.space.axes - 1; i >= 0; --i) {
        const position_axis &axis = task.space.axis[i];
        const int64_t rest = i > 0 ? quotient_of(position, axis.extent) : 0; // the outermost axis has the rest
        const int64_t index = position - rest * axis.extent;
        for (int k = 0; k < caller_position; ++k)
            offsets.value[k] += index * axis.stride[k];
        position = rest;
    }
    return offsets;
}

IQA_KERNEL int64_t to_caller(const caller_order &order, int64_t position)
{
    int64_t caller = 0;
    for (int i = order.axes - 1; i >= 0; --i) {
        caller += position % order.axis[i].extent * order.axis[i].stride;
        position /= order.axis[i].extent;
    }
    return caller;
}

IQA_KERNEL int64_t from_caller(const caller_order &order, int64_t caller)
{
    int64_t position = 0;
    for (int i = 0; i < order.axes; ++i)
        position = position * order.axis[i].extent + caller / order.axis[i].stride % order.axis[i].extent;
    return position;
}

IQA_KERNEL_APART int32_t label_of_scores(const label_rules &rules, const label_view &view, const std::byte *address)
{
    int32_t label = 0;
    with_labels(view.type, address, [&](const auto *scores) {
        switch (view.kind) {
        case label_kind::argmax:
            label = argmax_label(scores, view.class_stride, rules.classes);
            break;
        case label_kind::one_hot:
            label = one_hot_label(scores, view.class_stride, rules.classes);
            break;
        default:
            label = threshold_label(*scores, rules.threshold);
        }
    });
    return label;
}

IQA_KERNEL_APART bool is_in_top_of_scores(const label_rules &rules, const label_view &view, const std::byte *address,
                                          int64_t target)
{
    bool found = false;
    with_labels(view.type, address, [&](const auto *scores) {
        found = is_in_top(scores, view.class_stride, rules.classes, target, rules.top_k);
    });
    return found;
}

// The label of one side. `scores`: the side may have scores instead of labels.
template <bool scores>
IQA_KERNEL int64_t label_of(const label_task &task, int side, int64_t offset)
{
    const label_view &view = task.labels[side];
    const std::byte *address = view.data + offset * label_size(view.type);
    if (scores && view.kind != label_kind::index)
        return label_of_scores(task.rules, view, address);
    return integer_label(view.type, address);
}

struct label_codes {
    uint32_t row, column;
};

IQA_KERNEL uint32_t code_of_row(const label_rules &rules, int64_t label)
{
    // Without an ignored label, -1 takes its place and gets the code of labels outside the classes.
    const auto codes = uint32_t(rules.codes);
    return code_of_label<true>(label, uint64_t(codes), codes, rules.ignoring ? codes + 1 : codes,
                               rules.ignoring ? rules.ignore_label : -1);
}

IQA_KERNEL uint32_t code_of_column(const label_rules &rules, int64_t label)
{
    const auto codes = uint32_t(rules.codes);
    return code_of_label<false>(label, uint64_t(codes), codes, codes, int64_t(0));
}

template <bool scores>
IQA_KERNEL label_codes codes_of(const label_task &task, const label_offsets &offsets)
{
    const label_rules &rules = task.rules;
    const uint32_t row = code_of_row(rules, label_of<scores>(task, reference_side, offsets.value[reference_side]));
    int64_t candidate = label_of<scores>(task, candidate_side, offsets.value[candidate_side]);
    const label_view &view = task.labels[candidate_side];
    if (scores && rules.top_k > 1 && candidate >= 0 && row < uint32_t(rules.codes) &&
        is_in_top_of_scores(rules, view, view.data + offsets.value[candidate_side] * label_size(view.type), row))
        candidate = row;
    return {row, code_of_column(rules, candidate)};
}

IQA_KERNEL bool is_ignored(const label_rules &rules, label_codes codes)
{
    return codes.row > uint32_t(rules.codes);
}

IQA_KERNEL bool is_invalid(const label_rules &rules, label_codes codes)
{
    return !is_ignored(rules, codes) && (codes.row == uint32_t(rules.codes) || codes.column == uint32_t(rules.codes));
}

// ---- Cells. In counts per class, the first cell of every pair is the number of elements. All threads would wait for
// it, so add_elements() adds to it once for a block.

template <class AddCell>
IQA_KERNEL void for_each_cell(confusion_layout layout, int64_t label, label_codes codes, AddCell &&add_cell)
{
    int64_t cells[3];
    const int count = cells_of_pair(layout, label, int64_t(codes.row), int64_t(codes.column), cells);
    const int first = layout.kind == confusion_layout::per_class ? 1 : 0;
    for (int i = 0; i < 3; ++i) // constant bounds keep the array in registers
        if (i >= first && i < count)
            add_cell(cells[i]);
}

IQA_KERNEL int64_t *cells_of_sample(const label_task &task, int64_t group)
{
    return task.sample_cells + (group - task.first_group) * lanes_of(task.sample_layout);
}

// `count` equal pairs, without weights.
IQA_KERNEL void add_pairs(const label_task &task, int64_t group, int64_t label, label_codes codes, int64_t count)
{
    for_each_cell(task.layout, label, codes, [&](int64_t cell) { add(task.cells + cell, count); });
    if (task.sample_cells != nullptr)
        for_each_cell(task.sample_layout, label, codes,
                      [&](int64_t cell) { add(cells_of_sample(task, group) + cell, count); });
}

IQA_KERNEL void add_elements(confusion_layout layout, int64_t *cells, int64_t count)
{
    if (layout.kind == confusion_layout::per_class && count != 0)
        add(cells + 3 * layout.classes, count);
}

// ---- Faults. While an update runs, its report holds the rank of the first fault.

IQA_KERNEL void keep_first(const label_task &task, fault_kind kind, int64_t key)
{
    keep_most(&task.report->rank, fault_rank(kind, key));
}

// If both sides are invalid, the reference comes first.
IQA_KERNEL int64_t invalid_key(const label_task &task, int64_t group, int64_t position, label_codes codes)
{
    const int64_t caller = to_caller(task.order, group * task.positions + position);
    return caller * 2 + (codes.row == uint32_t(task.rules.codes) ? 0 : 1);
}

template <bool scores>
IQA_KERNEL_APART void keep_if_invalid(const label_task &task, int64_t group, int64_t position)
{
    const label_codes codes = codes_of<scores>(task, offsets_of(task, group, position));
    if (is_invalid(task.rules, codes))
        keep_first(task, fault_kind::labels, invalid_key(task, group, position, codes));
}

template <bool scores>
IQA_KERNEL_APART void end_update(const label_task &task)
{
    task.counters[sample_counter] += task.samples;
    task.counters[element_counter] += task.groups * task.positions;
    fault &report = *task.report;
    if (report.rank == 0)
        return;
    const int64_t key = first_of_rank(report.rank);
    if (kind_of_rank(report.rank) == fault_kind::label_weight) {
        report = fault_of_weight(key, task.shape);
    } else {
        const int side = key % 2 == 0 ? reference_side : candidate_side;
        const int64_t position = from_caller(task.order, key / 2);
        const int64_t group = position / task.positions;
        const label_offsets offsets = offsets_of(task, group, position - group * task.positions);
        const int64_t label = shown_label(task.labels[side], label_of<scores>(task, side, offsets.value[side]));
        report = fault_of_labels(task.counters[invalid_counter], side, key / 2, label, task.shape);
    }
}

template <bool scores, class Block>
IQA_KERNEL void end_launch(Block &block, const label_task &task)
{
    if (block.comes_last(task.arrivals) && task.ends)
        block.each(1, [&](int) { end_update<scores>(task); });
}

} // namespace iqa::cuda
