// SPDX-License-Identifier: MIT
// Confusion counts of a batch. Two ways, which give the same sums:
//   - tables: every worker fills tables of 32-bit counts of its own, they are looked at for invalid labels, and added;
//   - straight: all labels are checked first, and then each element is added to the state. For weights, for few
//     elements and many classes, and for so many classes that a table would be larger than the caches.
#include <algorithm>
#include <cstring>

#include "arith/labels.h"
#include "core/parallel.hpp"
#include "cpu/backend.hpp"
#include "cpu/dispatch.hpp"

namespace iqa {

namespace {

constexpr int64_t positions_of_a_tile = 1 << 16;
constexpr int64_t positions_of_a_wave = int64_t(1) << 31; // fewer than a 32-bit count holds
constexpr int64_t largest_table = 1 << 22;                // counts
constexpr int64_t cells_per_position = 4;                 // of a table that is worth its clearing
constexpr int64_t cells_of_copies = 1 << 16;              // copies of a table stay within the second cache
constexpr int most_copies = 4;
constexpr int64_t stagger = 17 * 16; // counts: copies a power of two apart would share the same sets of the cache

int64_t round_up(int64_t value, int64_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

// What one sample, or one class of a multilabel sample, is counted from.
struct unit {
    int64_t sample;
    int64_t label;
};

// A worker's buffers.
struct codes_buffer {
    union {
        uint8_t bytes[2][label_block];
        uint32_t words[2][label_block];
    };
    int32_t labels[label_block];
    uint32_t targets[label_block];
};

class confusion_batch {
public:
    confusion_batch(context &where, workspace &memory, confusion_request &request)
        : where_(where),
          kernels_(kernels_for(where)),
          request_(request),
          pair_(*request.labels),
          rules_(request.rules),
          memory_(memory),
          of_sample_(arranged(pair_)),
          positions_(of_sample_.count()),
          in_bytes_(rules_.codes <= most_byte_classes),
          table_(table_cells(rules_.codes))
    {
    }

    void run()
    {
        const int64_t unit_count = pair_.samples * labels();
        request_.elements = positions_ * unit_count;
        request_.ignored = 0;
        request_.invalid = {};
        request_.bad_weight = -1;
        const bool straight =
            pair_.weights != nullptr || table_ > largest_table || positions_ * cells_per_position < table_;
        if (straight)
            run_straight();
        else
            run_tables(unit_count > 1 || positions_ > positions_of_a_wave);
        if (rules_.invalid_is_error && request_.invalid.count != 0)
            find_invalid();
    }

private:
    [[gnu::noinline]] static position_space arranged(const label_pair &pair)
    {
        position_space inner;
        for (int i = pair.batched ? 1 : 0; i < pair.all.axes; ++i)
            if (pair.all.axis[i].stride[label_index] == 0)
                inner.push(pair.all.axis[i]);
        return merge_axes(in_order_of_memory(inner), sides);
    }

    int64_t labels() const { return rules_.multilabel ? rules_.classes : 1; }

    bool failed() const { return (rules_.invalid_is_error && request_.invalid.count != 0) || request_.bad_weight >= 0; }

    template <class Body>
    void for_each_unit(Body &&body)
    {
        for (int64_t sample = 0; sample < pair_.samples; ++sample) {
            if (request_.sample_lanes != nullptr)
                std::fill_n(request_.sample_lanes, lanes_of(request_.sample_layout), 0);
            for (int64_t label = 0; label < labels(); ++label)
                body(unit{sample, label});
            if (request_.sample_lanes != nullptr && !failed())
                request_.sample_done(request_.receiver, sample);
        }
    }

    // ---- Codes

    // The first element of a unit.
    const std::byte *base(unit which, int side) const
    {
        const label_view &view = pair_.labels[side];
        const int64_t class_stride = rules_.multilabel ? view.class_stride : 0;
        return view.data +
               (which.sample * pair_.sample_stride[side] + which.label * class_stride) * label_size(view.type);
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
            kernels_.code_labels_in_bytes(run, codes);
        else
            kernels_.code_labels(run, codes);
    }

    // The labels of scores. `rows` has the codes of the reference's labels, for top_k.
    template <class Code>
    void label_scores(const position_space &space, const std::byte *data, int side, int64_t first, int64_t count,
                      const Code *rows, codes_buffer &buffer) const
    {
        const label_view &view = pair_.labels[side];
        const bool top = side == candidate_side && rules_.top_k > 1 && view.kind == label_kind::argmax;
        if (top)
            std::copy_n(rows, count, buffer.targets);
        for_each_run(space, side, first, count, [&](int64_t offset, int64_t step, int64_t begin, int64_t length) {
            const score_run run{view.type,      view.kind,         data + offset * label_size(view.type),
                                step,           view.class_stride, length,
                                rules_.classes, rules_.threshold};
            kernels_.label_scores(run, buffer.labels + begin);
            if (top)
                kernels_.prefer_target(run, buffer.targets + begin, rules_.top_k, buffer.labels + begin);
        });
    }

    // Codes of up to label_block positions of one side. The reference comes first.
    template <class Code>
    void code_side(const position_space &space, const std::byte *data, int side, int64_t first, int64_t count,
                   Code (&codes)[2][label_block], codes_buffer &buffer) const
    {
        const label_view &view = pair_.labels[side];
        label_run run{view.type,          nullptr, 1, count, rules_.codes, rules_.ignoring && side == reference_side,
                      rules_.ignore_label};
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

    // Calls body(first, count) for blocks of positions.
    template <class Body>
    static void for_each_block(int64_t first, int64_t end, Body &&body)
    {
        for (; first < end; first += label_block)
            body(first, std::min<int64_t>(label_block, end - first));
    }

    // ---- Tables

    void run_tables(bool staged)
    {
        copies_ = 1;
        while (in_bytes_ && copies_ < most_copies && copies_ * 2 * table_ <= cells_of_copies)
            copies_ *= 2;
        stride_ = round_up(table_, 16) + (copies_ > 1 ? stagger : 0);
        const int64_t tiles = (std::min(positions_, positions_of_a_wave) + tile() - 1) / tile();
        workers_ = workers_for(where_, tiles, positions_);
        const int64_t state_lanes = staged ? lanes_of(request_.layout) : 0;
        const int64_t table_bytes = workers_ * copies_ * stride_ * int64_t(sizeof(uint32_t));
        const int64_t staging_bytes = round_up(state_lanes * int64_t(sizeof(int64_t)), 64);
        std::byte *block = memory_.work.take<std::byte>(size_t(staging_bytes + round_up(table_bytes, 64)) +
                                                            size_t(workers_) * sizeof(codes_buffer),
                                                        "tables of counts");
        int64_t *staging = reinterpret_cast<int64_t *>(block);
        tables_ = reinterpret_cast<uint32_t *>(block + staging_bytes);
        buffers_ = reinterpret_cast<codes_buffer *>(block + staging_bytes + round_up(table_bytes, 64));
        std::fill_n(staging, state_lanes, 0);
        target_ = staged ? staging : request_.lanes;

        for_each_unit([&](unit which) {
            for (int64_t first = 0; first < positions_; first += positions_of_a_wave)
                count_wave(which, first, std::min(positions_, first + positions_of_a_wave));
        });
        if (staged && !failed())
            for (int64_t i = 0; i < state_lanes; ++i)
                request_.lanes[i] += staging[i];
    }

    int64_t tile() const
    {
        const bool scores = has_class_axis(pair_.labels[0].kind) || has_class_axis(pair_.labels[1].kind);
        return scores ? std::max<int64_t>(label_block, positions_of_a_tile / rules_.classes) : positions_of_a_tile;
    }

    void count_wave(unit which, int64_t begin, int64_t end)
    {
        std::memset(tables_, 0, size_t(workers_ * copies_ * stride_) * sizeof(uint32_t));
        const int64_t tiles = (end - begin + tile() - 1) / tile();
        for_each_tile(where_, workers_, tiles, [&](int64_t index, int worker) {
            const int64_t first = begin + index * tile();
            count_tile(which, first, std::min(end, first + tile()), worker);
        });
        inspect_tables();
        if (!failed())
            add_tables(which);
    }

    void count_tile(unit which, int64_t begin, int64_t end, int worker) const
    {
        codes_buffer &buffer = buffers_[worker];
        uint32_t *tables = tables_ + worker * copies_ * stride_;
        for_each_block(begin, end, [&](int64_t first, int64_t count) {
            code_pairs pairs{buffer.bytes[0], buffer.bytes[1], count, row_length(rules_.codes), {}, {}};
            announce(which, first + count, pairs);
            if (in_bytes_) {
                for (const int side : {reference_side, candidate_side})
                    code_side(of_sample_, base(which, side), side, first, count, buffer.bytes, buffer);
                kernels_.count_byte_pairs(pairs, tables, stride_, copies_);
            } else {
                for (const int side : {reference_side, candidate_side})
                    code_side(of_sample_, base(which, side), side, first, count, buffer.words, buffer);
                pairs.rows = buffer.words[0];
                pairs.columns = buffer.words[1];
                kernels_.count_pairs(pairs, tables);
            }
        });
    }

    // Labels that lie one after another are fetched ahead.
    void announce(unit which, int64_t next, code_pairs &pairs) const
    {
        for (const int side : {reference_side, candidate_side}) {
            const label_view &view = pair_.labels[side];
            const position_space &space = of_sample_;
            if (view.kind != label_kind::index || space.axes != 1 || space.axis[0].stride[side] != 1)
                continue;
            pairs.upcoming[side] = base(which, side) + next * label_size(view.type);
            pairs.upcoming_size[side] = label_size(view.type);
        }
    }

    template <class Body>
    void for_each_table(Body &&body)
    {
        for (int64_t i = 0; i < int64_t(workers_) * copies_; ++i)
            body(tables_ + i * stride_);
    }

    // Takes the ignored and the invalid labels out of the tables, unless the latter are to be counted.
    void inspect_tables()
    {
        const int64_t codes = rules_.codes;
        const int64_t length = row_length(codes);
        for_each_table([&](uint32_t *table) {
            for (int64_t column = 0; column < length; ++column) {
                request_.ignored += table[(codes + 1) * length + column];
                request_.invalid.count += table[codes * length + column];
                if (!rules_.invalid_is_wrong)
                    table[codes * length + column] = 0;
            }
            for (int64_t row = 0; row < codes; ++row) {
                request_.invalid.count += table[row * length + codes];
                if (!rules_.invalid_is_wrong)
                    table[row * length + codes] = 0;
            }
        });
    }

    void add_tables(unit which)
    {
        const int64_t counted = row_length(rules_.codes) * row_length(rules_.codes);
        for_each_table([&](const uint32_t *table) {
            if (request_.layout.kind == confusion_layout::matrix)
                for (int64_t i = 0; i < counted; ++i)
                    target_[i] += table[i];
            else
                add_cells(table, which.label, request_.layout, target_);
            if (request_.sample_lanes != nullptr)
                add_cells(table, which.label, request_.sample_layout, request_.sample_lanes);
        });
    }

    void add_cells(const uint32_t *table, int64_t label, confusion_layout layout, int64_t *lanes) const
    {
        const int64_t length = row_length(rules_.codes);
        int64_t cells[3];
        for (int64_t row = 0; row < length; ++row)
            for (int64_t column = 0; column < length; ++column) {
                const int64_t count = table[row * length + column];
                if (count == 0)
                    continue;
                for (int i = cells_of_pair(layout, label, row, column, cells) - 1; i >= 0; --i)
                    lanes[cells[i]] += count;
            }
    }

    // ---- Straight

    void run_straight()
    {
        buffers_ = memory_.work.take<codes_buffer>(1, "a block of labels");
        const int64_t codes = rules_.codes;
        for (int64_t sample = 0; sample < pair_.samples; ++sample)
            for (int64_t label = 0; label < labels(); ++label)
                for_each_element({sample, label}, [&](unit which, int64_t position, int64_t row, int64_t column) {
                    request_.ignored += row > codes;
                    request_.invalid.count += row <= codes && (row == codes || column == codes);
                    if (pair_.weights != nullptr && request_.bad_weight < 0 && !has_exact_sums(weight(which, position)))
                        find_bad_weight();
                });
        if (failed())
            return;
        for_each_unit([&](unit each) {
            for_each_element(each, [&](unit which, int64_t position, int64_t row, int64_t column) {
                const bool invalid = row == codes || column == codes;
                if (row <= codes && (!invalid || rules_.invalid_is_wrong))
                    add_element(which, position, row, column);
            });
        });
    }

    template <class Body>
    void for_each_element(unit which, Body &&body) const
    {
        for_each_block(0, positions_, [&](int64_t first, int64_t count) {
            for (const int side : {reference_side, candidate_side})
                code_side(of_sample_, base(which, side), side, first, count, buffers_->words, *buffers_);
            for (int64_t i = 0; i < count; ++i)
                body(which, first + i, int64_t(buffers_->words[0][i]), int64_t(buffers_->words[1][i]));
        });
    }

    void add_element(unit which, int64_t position, int64_t row, int64_t column)
    {
        int128 mantissa = 1;
        int exponent = 0;
        if (pair_.weights != nullptr) {
            const double value = weight(which, position);
            exponent = weight_exponent(value);
            mantissa = int128(value * power_of_two(-exponent));
        }
        add_to(request_.layout, request_.lanes, which.label, row, column, mantissa, exponent);
        if (request_.sample_lanes != nullptr)
            add_to(request_.sample_layout, request_.sample_lanes, which.label, row, column, mantissa, exponent);
    }

    static void add_to(confusion_layout layout, int64_t *lanes, int64_t label, int64_t row, int64_t column,
                       int128 mantissa, int exponent)
    {
        int64_t cells[3];
        for (int i = cells_of_pair(layout, label, row, column, cells) - 1; i >= 0; --i) {
            if (layout.cell_lanes == 1)
                ++lanes[cells[i]];
            else
                exact_add(weight_format, lanes + cells[i] * layout.cell_lanes, mantissa, exponent);
        }
    }

    // ---- Weights

    double weight(unit which, int64_t position) const
    {
        return pair_.weight_at(which.sample * pair_.sample_stride[weight_side] +
                               which.label * pair_.weight_class_stride + offset_of(of_sample_, position, weight_side));
    }

    void find_bad_weight()
    {
        const int64_t count = pair_.all.count();
        for (int64_t position = 0; position < count; ++position)
            if (!has_exact_sums(pair_.weight_at(offset_of(pair_.all, position, weight_side)))) {
                request_.bad_weight = position;
                return;
            }
    }

    // ---- The first invalid label, for the error text

    void find_invalid()
    {
        codes_buffer &buffer = *buffers_;
        const int64_t codes = rules_.codes;
        const int64_t end = pair_.all.count();
        bool found = false;
        for (int64_t first = 0; first < end && !found; first += label_block) {
            const int64_t count = std::min<int64_t>(label_block, end - first);
            for (const int side : {reference_side, candidate_side})
                code_side(pair_.all, pair_.labels[side].data, side, first, count, buffer.words, buffer);
            for (int64_t i = 0; i < count && !found; ++i) {
                const bool ignored = buffer.words[0][i] > codes;
                for (int side = candidate_side; side >= reference_side && !ignored; --side)
                    if (buffer.words[side][i] == codes) {
                        request_.invalid.side = side;
                        request_.invalid.position = first + i;
                        found = true;
                    }
            }
        }
        const int side = request_.invalid.side;
        const label_view &view = pair_.labels[side];
        if (view.kind == label_kind::index) {
            const int64_t offset = offset_of(pair_.all, request_.invalid.position, side);
            request_.invalid.label = integer_label(view.type, view.data + offset * label_size(view.type));
        } else {
            label_scores(pair_.all, view.data, side, request_.invalid.position, 1, buffer.words[0], buffer);
            request_.invalid.label = buffer.labels[0];
        }
    }

    context &where_;
    const cpu_kernels &kernels_;
    confusion_request &request_;
    const label_pair &pair_;
    const label_rules &rules_;
    workspace &memory_;
    position_space of_sample_; // in the order that suits memory, without the axis of multilabel classes
    int64_t positions_;        // of a unit
    bool in_bytes_;
    int64_t table_; // cells of a table
    int workers_ = 1;
    int copies_ = 1;
    int64_t stride_ = 0;
    uint32_t *tables_ = nullptr;
    codes_buffer *buffers_ = nullptr;
    int64_t *target_ = nullptr;
};

} // namespace

void cpu_confusion(context &where, workspace &memory, confusion_request &request)
{
    confusion_batch(where, memory, request).run();
}

} // namespace iqa
