// SPDX-License-Identifier: MIT
// The elements of an update in memory, and the codes of their labels: see arith/confusion.h.
#pragma once

#include <algorithm>

#include "arith/labels.h"
#include "backend/confusion.hpp"
#include "cpu/isa/dispatch.hpp"

namespace iqa {

// Tables and private cells pay for their clearing up to this many cells for each position.
constexpr int64_t cells_per_position = 4;

// Copies of a table, `stride` cells apart.
constexpr int most_table_copies = 4;
struct table_memory {
    int copies = 1;
    int64_t stride;

    table_memory(int64_t cells, int64_t cell_bytes, int most_copies)
    {
        constexpr int64_t bytes_of_copies = 1 << 18; // within the second cache
        constexpr int64_t stagger = 17 * 64;         // copies a power of two apart would share the same sets of a cache
        while (copies < most_copies && copies * 2 * cells * cell_bytes <= bytes_of_copies)
            copies *= 2;
        stride = (round_up(cells * cell_bytes, int64_t(64)) + (copies > 1 ? stagger : 0)) / cell_bytes;
    }
};

// One sample, or one class of a multilabel sample.
struct counting_unit {
    int64_t sample;
    int64_t label;
};

// A worker's buffers.
struct codes_buffer {
    union {
        uint8_t bytes[2][label_room];
        uint16_t halves[2][label_room];
        uint32_t words[2][label_room];
    };
    int32_t labels[label_block];
    uint32_t targets[label_block];
    double weights[label_block];
    alignas(64) int64_t weight_sums[weight_part_count * (label_block + 1)];
    alignas(64) std::byte scores[score_scratch];
};

class label_source {
public:
    label_source(context &where, const confusion_request &request)
        : kernels(kernels_for(where)),
          pair(*request.labels),
          rules(request.rules),
          sample_space(arranged(pair)),
          positions(sample_space.count()),
          request_(request)
    {
    }

    const cpu_kernels &kernels;
    const label_pair &pair;
    const label_rules &rules;
    const position_space sample_space; // in the order of memory, without the axis of multilabel classes
    const int64_t positions;           // of a unit

    int64_t labels() const { return rules.multilabel ? rules.classes : 1; }
    int64_t elements() const { return positions * pair.samples * labels(); }

    bool has_invalid() const { return rules.invalid_is_error && request_.counters[invalid_counter] != 0; }
    bool failed() const { return has_invalid() || request_.report->kind != fault_kind::none; }

    // The address of a unit's first element.
    const std::byte *base(counting_unit unit, int side) const
    {
        const label_view &view = pair.labels[side];
        const int64_t class_stride = rules.multilabel ? view.class_stride : 0;
        return view.data + (unit.sample * pair.sample_stride[side] + unit.label * class_stride) * label_size(view.type);
    }

    // Codes of up to label_block positions of a unit, on both sides.
    template <class Code>
    void code_unit(counting_unit unit, int64_t first, int64_t count, Code (&codes)[2][label_room],
                   codes_buffer &buffer) const
    {
        for (const int side : {reference_side, candidate_side})
            code_side(sample_space, base(unit, side), side, first, count, codes, buffer);
    }

    // The weights of these positions.
    void weigh_unit(counting_unit unit, int64_t first, int64_t count, codes_buffer &buffer) const
    {
        const int64_t start = unit.sample * pair.sample_stride[weight_side] + unit.label * pair.weight_class_stride;
        const auto copy = [&](const auto *weights) {
            for_each_run(sample_space, weight_side, first, count,
                         [&](int64_t offset, int64_t step, int64_t begin, int64_t length) {
                             for (int64_t i = 0; i < length; ++i)
                                 buffer.weights[begin + i] = weights[start + offset + i * step];
                         });
        };
        if (pair.weight_type == label_type::float32)
            copy(reinterpret_cast<const float *>(pair.weights));
        else
            copy(reinterpret_cast<const double *>(pair.weights));
    }

    // Likewise as sums of the parts of weights: false if one has no such parts.
    bool sum_weights(counting_unit unit, int64_t first, int64_t count, codes_buffer &buffer) const
    {
        const int64_t start = unit.sample * pair.sample_stride[weight_side] + unit.label * pair.weight_class_stride;
        bool summed = true;
        std::fill_n(buffer.weight_sums, weight_part_count, 0);
        for_each_run(sample_space, weight_side, first, count,
                     [&](int64_t offset, int64_t step, int64_t begin, int64_t length) {
                         const std::byte *data = pair.weights + (start + offset) * label_size(pair.weight_type);
                         summed = kernels.sum_weights({pair.weight_type, data, step, length},
                                                      buffer.weight_sums + weight_part_count * begin) &&
                                  summed;
                     });
        return summed;
    }

    // Announces the next labels for prefetching if they lie one after another. Narrow ones come without.
    void announce(counting_unit unit, int64_t next, code_pairs &pairs) const
    {
        for (const int side : {reference_side, candidate_side}) {
            const label_view &view = pair.labels[side];
            if (view.kind != label_kind::index || sample_space.axes != 1 || sample_space.axis[0].stride[side] != 1 ||
                label_size(view.type) < int64_t(sizeof(int32_t)))
                continue;
            pairs.upcoming[side] = base(unit, side) + next * label_size(view.type);
            pairs.upcoming_size[side] = label_size(view.type);
        }
    }

    // Calls body(first, count) for blocks of positions.
    template <class Body>
    static void for_each_block(int64_t first, int64_t end, Body &&body)
    {
        for (; first < end; first += label_block)
            body(first, std::min<int64_t>(label_block, end - first));
    }

    // Report the first fault in the order of the caller's axes, for the error text.
    void find_bad_weight() const
    {
        const int64_t count = pair.positions.count();
        for (int64_t position = 0; position < count; ++position)
            if (!has_exact_sums(pair.weight_at(offset_of(pair.positions, position, weight_side)))) {
                *request_.report = fault_of_weight(position, request_.shape);
                return;
            }
    }

    void find_invalid(codes_buffer &buffer) const
    {
        const int64_t codes = rules.codes;
        const int64_t end = pair.positions.count();
        for (int64_t first = 0; first < end; first += label_block) {
            const int64_t count = std::min<int64_t>(label_block, end - first);
            for (const int side : {reference_side, candidate_side})
                code_side(pair.positions, pair.labels[side].data, side, first, count, buffer.words, buffer);
            for (int64_t i = 0; i < count; ++i)
                for (const int side : {reference_side, candidate_side})
                    if (buffer.words[side][i] == codes && buffer.words[reference_side][i] <= codes) {
                        *request_.report = fault_of_labels(request_.counters[invalid_counter], side, first + i,
                                                           label_at(side, first + i, buffer), request_.shape);
                        return;
                    }
        }
    }

private:
    int64_t label_at(int side, int64_t position, codes_buffer &buffer) const
    {
        const label_view &view = pair.labels[side];
        if (view.kind == label_kind::index) {
            const int64_t offset = offset_of(pair.positions, position, side);
            return shown_label(view, integer_label(view.type, view.data + offset * label_size(view.type)));
        }
        label_scores(pair.positions, view.data, side, position, 1, buffer.words[0], buffer);
        return buffer.labels[0];
    }

    [[gnu::noinline]] static position_space arranged(const label_pair &pair)
    {
        position_space inner;
        for (int i = pair.batched ? 1 : 0; i < pair.positions.axes; ++i)
            if (pair.positions.axis[i].stride[label_index] == 0)
                inner.push(pair.positions.axis[i]);
        return merge_axes(in_order_of_memory(inner), sides);
    }

    // Calls body(offset, step, begin, count) for the runs of `count` positions from `first` on.
    template <class Body>
    static void for_each_run(const position_space &space, int side, int64_t first, int64_t count, Body &&body)
    {
        const position_axis whole{1, {}};
        const position_axis &inner = space.axes > 0 ? space.axis[space.axes - 1] : whole;
        for (int64_t done = 0; done < count;) {
            const int64_t position = first + done;
            const int64_t run = std::min(count - done, inner.extent - position % inner.extent);
            body(offset_of(space, position, side), inner.stride[side], done, run);
            done += run;
        }
    }

    template <class Code>
    void code_labels(const label_run &run, Code *codes) const
    {
        if constexpr (sizeof(Code) == 1)
            kernels.code_labels_in_bytes(run, codes);
        else if constexpr (sizeof(Code) == 2)
            kernels.code_labels_in_16_bits(run, codes);
        else
            kernels.code_labels(run, codes);
    }

    // The labels of scores. `rows` has the codes of the reference's labels, for top_k.
    template <class Code>
    void label_scores(const position_space &space, const std::byte *data, int side, int64_t first, int64_t count,
                      const Code *rows, codes_buffer &buffer) const
    {
        const label_view &view = pair.labels[side];
        const bool top = side == candidate_side && rules.top_k > 1 && view.kind == label_kind::argmax;
        if (top)
            std::copy_n(rows, count, buffer.targets);
        for_each_run(space, side, first, count, [&](int64_t offset, int64_t step, int64_t begin, int64_t length) {
            const score_run run{view.type,     view.kind,         data + offset * label_size(view.type),
                                step,          view.class_stride, length,
                                rules.classes, rules.threshold,   buffer.scores};
            kernels.label_scores(run, buffer.labels + begin);
            if (top)
                kernels.prefer_target(run, buffer.targets + begin, rules.top_k, buffer.labels + begin);
        });
    }

    // Codes of up to label_block positions of one side. The reference comes first.
    template <class Code>
    void code_side(const position_space &space, const std::byte *data, int side, int64_t first, int64_t count,
                   Code (&codes)[2][label_room], codes_buffer &buffer) const
    {
        const label_view &view = pair.labels[side];
        label_run run{view.type,         nullptr, 1, count, rules.codes, rules.ignoring && side == reference_side,
                      rules.ignore_label};
        if (view.kind != label_kind::index) {
            label_scores(space, data, side, first, count, codes[reference_side], buffer);
            run.type = label_type::int32;
            run.data = buffer.labels;
            code_labels(run, codes[side]);
            return;
        }
        for_each_run(space, side, first, count, [&](int64_t offset, int64_t step, int64_t begin, int64_t length) {
            run.data = data + offset * label_size(view.type);
            run.step = step;
            run.count = length;
            code_labels(run, codes[side] + begin);
        });
    }

    const confusion_request &request_;
};

// Adds the elements to the cells of the state: see counts.cpp.
void sum_cells(context &where, workspace &memory, const confusion_request &request, const label_source &source);

} // namespace iqa
