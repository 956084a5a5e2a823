// SPDX-License-Identifier: MIT
// Confusion counts of a batch. Two ways, which give the same sums:
//   - tables, in this file: every worker fills private tables of 32-bit counts, which are inspected for invalid labels
//     and added;
//   - sums of the state's cells, in sums.cpp: for weights, for few elements and many classes, and for tables that would
//     exceed the caches.
#include <cstring>

#include "core/parallel.hpp"
#include "cpu/backend.hpp"
#include "cpu/confusion/label_source.hpp"
#include "cpu/confusion/samples.hpp"

namespace iqa {

namespace {

constexpr int64_t positions_of_a_tile = 1 << 16;
constexpr int64_t positions_of_a_wave = int64_t(1) << 31; // fewer than a 32-bit count holds
constexpr int64_t largest_table = 1 << 22;                // counts
constexpr int64_t cells_of_copies = 1 << 16;              // copies of a table stay within the second cache
constexpr int most_copies = 4;
constexpr int64_t stagger = 17 * 16; // counts: copies a power of two apart would share the same sets of the cache

class table_counter {
public:
    table_counter(context &where, workspace &memory, const confusion_request &request, const label_source &source)
        : where_(where),
          memory_(memory),
          request_(request),
          source_(source),
          sample_(request.samples),
          pair_(source.pair),
          rules_(source.rules),
          positions_(source.positions),
          in_bytes_(rules_.codes <= most_byte_classes),
          table_(table_cells(rules_.codes))
    {
    }

    void run()
    {
        const int64_t units = pair_.samples * source_.labels();
        const bool staged = units > 1 || positions_ > positions_of_a_wave;
        while (in_bytes_ && copies_ < most_copies && copies_ * 2 * table_ <= cells_of_copies)
            copies_ *= 2;
        stride_ = round_up(table_, 16) + (copies_ > 1 ? stagger : 0);
        const int64_t tiles = divide_up(std::min(positions_, positions_of_a_wave), tile());
        workers_ = workers_for(where_, tiles, positions_);
        const int64_t state_lanes = staged ? lanes_of(request_.layout) : 0;
        const int64_t table_bytes = workers_ * copies_ * stride_ * int64_t(sizeof(uint32_t));
        const int64_t staging_bytes = round_up(state_lanes * int64_t(sizeof(int64_t)), 64);
        std::byte *block =
            memory_.work.take<std::byte>(size_t(sample_.bytes() + staging_bytes + round_up(table_bytes, 64)) +
                                             size_t(workers_) * sizeof(codes_buffer),
                                         "tables of counts");
        block = sample_.place(block);
        int64_t *staging = reinterpret_cast<int64_t *>(block);
        tables_ = reinterpret_cast<uint32_t *>(block + staging_bytes);
        buffers_ = reinterpret_cast<codes_buffer *>(block + staging_bytes + round_up(table_bytes, 64));
        std::fill_n(staging, state_lanes, 0);
        target_ = staged ? staging : request_.cells;

        for_each_unit([&](counting_unit unit) {
            for (int64_t first = 0; first < positions_; first += positions_of_a_wave)
                count_wave(unit, first, std::min(positions_, first + positions_of_a_wave));
        });
        if (staged && !source_.failed())
            for (int64_t i = 0; i < state_lanes; ++i)
                request_.cells[i] += staging[i];
    }

private:
    template <class Body>
    void for_each_unit(Body &&body)
    {
        for (int64_t sample = 0; sample < pair_.samples; ++sample) {
            sample_.begin();
            for (int64_t label = 0; label < source_.labels(); ++label)
                body(counting_unit{sample, label});
            if (sample_.is_wanted() && !source_.failed())
                sample_.finish(sample);
        }
    }

    int64_t tile() const
    {
        const bool scores = has_class_axis(pair_.labels[0].kind) || has_class_axis(pair_.labels[1].kind);
        return scores ? round_up(divide_up(positions_of_a_tile, rules_.classes), int64_t(label_block))
                      : positions_of_a_tile;
    }

    void count_wave(counting_unit unit, int64_t begin, int64_t end)
    {
        std::memset(tables_, 0, size_t(workers_ * copies_ * stride_) * sizeof(uint32_t));
        const int64_t tiles = divide_up(end - begin, tile());
        for_each_tile(where_, workers_, tiles, [&](int64_t index, int worker) {
            const int64_t first = begin + index * tile();
            count_tile(unit, first, std::min(end, first + tile()), worker);
        });
        inspect_tables();
        if (!source_.failed())
            add_tables(unit);
    }

    void count_tile(counting_unit unit, int64_t begin, int64_t end, int worker) const
    {
        codes_buffer &buffer = buffers_[worker];
        uint32_t *tables = tables_ + worker * copies_ * stride_;
        source_.for_each_block(begin, end, [&](int64_t first, int64_t count) {
            code_pairs pairs{buffer.bytes[0], buffer.bytes[1], count, row_length(rules_.codes), {}, {}};
            announce(unit, first + count, pairs);
            if (in_bytes_) {
                source_.code_unit(unit, first, count, buffer.bytes, buffer);
                source_.kernels.count_byte_pairs(pairs, tables, stride_, copies_);
            } else {
                source_.code_unit(unit, first, count, buffer.words, buffer);
                pairs.rows = buffer.words[0];
                pairs.columns = buffer.words[1];
                source_.kernels.count_pairs(pairs, tables, stride_, copies_);
            }
        });
    }

    // Announces the next labels for prefetching if they lie one after another. Narrow ones come without.
    void announce(counting_unit unit, int64_t next, code_pairs &pairs) const
    {
        for (const int side : {reference_side, candidate_side}) {
            const label_view &view = pair_.labels[side];
            const position_space &space = source_.sample_space;
            if (view.kind != label_kind::index || space.axes != 1 || space.axis[0].stride[side] != 1 ||
                label_size(view.type) < int64_t(sizeof(int32_t)))
                continue;
            pairs.upcoming[side] = source_.base(unit, side) + next * label_size(view.type);
            pairs.upcoming_size[side] = label_size(view.type);
        }
    }

    template <class Body>
    void for_each_table(Body &&body)
    {
        for (int64_t i = 0; i < int64_t(workers_) * copies_; ++i)
            body(tables_ + i * stride_);
    }

    // Counts the ignored and the invalid labels, and removes the invalid ones unless they count as wrong.
    void inspect_tables()
    {
        const int64_t codes = rules_.codes;
        const int64_t length = row_length(codes);
        for_each_table([&](uint32_t *table) {
            for (int64_t column = 0; column < length; ++column) {
                request_.counters[ignored_counter] += table[(codes + 1) * length + column];
                request_.counters[invalid_counter] += table[codes * length + column];
                if (!rules_.invalid_is_wrong)
                    table[codes * length + column] = 0;
            }
            for (int64_t row = 0; row < codes; ++row) {
                request_.counters[invalid_counter] += table[row * length + codes];
                if (!rules_.invalid_is_wrong)
                    table[row * length + codes] = 0;
            }
        });
    }

    void add_tables(counting_unit unit)
    {
        const int64_t counted = row_length(rules_.codes) * row_length(rules_.codes);
        for_each_table([&](const uint32_t *table) {
            if (request_.layout.kind == confusion_layout::matrix)
                for (int64_t i = 0; i < counted; ++i)
                    target_[i] += table[i];
            else
                add_cells(table, unit.label, request_.layout, target_);
            if (sample_.is_wanted())
                add_cells(table, unit.label, sample_.layout(), sample_.cells());
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

    context &where_;
    workspace &memory_;
    const confusion_request &request_;
    const label_source &source_;
    current_sample sample_;
    const label_pair &pair_;
    const label_rules &rules_;
    int64_t positions_; // of a unit
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

void cpu_confusion(context &where, workspace &memory, const confusion_request &request)
{
    const label_source source(where, request);
    const int64_t table = table_cells(source.rules.codes);
    if (source.pair.weights != nullptr || table > largest_table || source.positions * cells_per_position < table)
        sum_cells(where, memory, request, source);
    else
        table_counter(where, memory, request, source).run();
    request.counters[sample_counter] += source.pair.samples;
    request.counters[element_counter] += source.elements();
    if (source.has_invalid() && request.report->kind == fault_kind::none)
        source.find_invalid(*memory.work.take<codes_buffer>(1, "a block of labels"));
}

} // namespace iqa
