// SPDX-License-Identifier: MIT
// Confusion counts of a batch. Two ways, which give the same sums:
//   - tables, in this file: every worker fills private tables, which are inspected for invalid labels and added. Their
//     counts have 32 bits where codes are bytes, else 16, with a list of those that began again from 0;
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
constexpr int64_t carries_of_a_wave = 1 << 12;            // of 16-bit counts
constexpr int64_t largest_table = 1 << 22;                // counts

static_assert(table_cells(most_16_bit_classes) > largest_table);

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
          wave_(in_bytes_ ? positions_of_a_wave : carries_of_a_wave * pairs_of_carry),
          table_(table_cells(rules_.codes))
    {
    }

    void run()
    {
        const int64_t units = pair_.samples * source_.labels();
        const bool staged = units > 1 || positions_ > wave_;
        const table_memory counts = in_bytes_ ? table_memory(table_, sizeof(uint32_t), most_table_copies)
                                              : table_memory(table_, sizeof(uint16_t), 1);
        copies_ = counts.copies;
        stride_ = counts.stride;
        const int64_t tiles = divide_up(std::min(positions_, wave_), tile());
        workers_ = workers_for(where_, tiles, positions_);
        const int64_t state_lanes = staged ? lanes_of(request_.layout) : 0;
        table_bytes_ = workers_ * copies_ * stride_ * int64_t(in_bytes_ ? sizeof(uint32_t) : sizeof(uint16_t));
        const int64_t carries = in_bytes_ ? 0 : carries_of_a_wave; // of a worker
        const int64_t carried_bytes = workers_ * carries * int64_t(sizeof(uint32_t));
        const int64_t staging_bytes = round_up(state_lanes * int64_t(sizeof(int64_t)), 64);
        auto *block = memory_.work.take<std::byte>(
            size_t(sample_.bytes() + staging_bytes + round_up(table_bytes_, 64) + carried_bytes) +
                size_t(workers_) * sizeof(worker_state),
            "tables of counts");
        block = sample_.place(block);
        int64_t *staging = reinterpret_cast<int64_t *>(block);
        tables_ = block + staging_bytes;
        auto *carried = reinterpret_cast<uint32_t *>(tables_ + round_up(table_bytes_, 64));
        states_ = reinterpret_cast<worker_state *>(tables_ + round_up(table_bytes_, 64) + carried_bytes);
        for (int i = 0; i < workers_; ++i) {
            states_[i].tables = {table<uint32_t>(i * copies_), stride_, copies_};
            states_[i].carrying = {table<uint16_t>(i), carried + i * carries, 0};
        }
        std::fill_n(staging, state_lanes, 0);
        target_ = staged ? staging : request_.cells;

        for_each_unit([&](counting_unit unit) {
            for (int64_t first = 0; first < positions_; first += wave_)
                count_wave(unit, first, std::min(positions_, first + wave_));
        });
        if (staged && !source_.failed())
            for (int64_t i = 0; i < state_lanes; ++i)
                request_.cells[i] += staging[i];
    }

private:
    struct alignas(64) worker_state {
        codes_buffer buffer;
        count_tables tables;     // of bytes
        carrying_table carrying; // else
    };

    template <class Count>
    Count *table(int64_t index) const
    {
        return reinterpret_cast<Count *>(tables_) + index * stride_;
    }

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
        std::memset(tables_, 0, size_t(table_bytes_));
        for (int i = 0; i < workers_; ++i)
            states_[i].carrying.carries = 0;
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
        worker_state &state = states_[worker];
        codes_buffer &buffer = state.buffer;
        source_.for_each_block(begin, end, [&](int64_t first, int64_t count) {
            code_pairs pairs{buffer.bytes[0], buffer.bytes[1], count, row_length(rules_.codes), {}, {}};
            source_.announce(unit, first + count, pairs);
            if (in_bytes_) {
                source_.code_unit(unit, first, count, buffer.bytes, buffer);
                source_.kernels.count_byte_pairs(pairs, state.tables);
            } else {
                source_.code_unit(unit, first, count, buffer.halves, buffer);
                pairs.rows = buffer.halves[0];
                pairs.columns = buffer.halves[1];
                source_.kernels.count_pairs(pairs, state.carrying);
            }
        });
    }

    template <class Body>
    void for_each_table(Body &&body) const
    {
        for (int64_t i = 0; i < int64_t(workers_) * copies_; ++i)
            if (in_bytes_)
                body(table<uint32_t>(i));
            else
                body(table<uint16_t>(i));
    }

    // Calls body(row, column) for each carry.
    template <class Body>
    void for_each_carry(Body &&body) const
    {
        const int64_t length = row_length(rules_.codes);
        for (int i = 0; i < workers_; ++i) {
            const carrying_table &carrying = states_[i].carrying;
            for (int64_t k = 0; k < carrying.carries; ++k)
                body(carrying.carried[k] / length, carrying.carried[k] % length);
        }
    }

    bool is_invalid(int64_t row, int64_t column) const { return row == rules_.codes || column == rules_.codes; }

    // Counts the ignored and the invalid labels, and removes the invalid ones unless they count as wrong.
    void inspect_tables()
    {
        const int64_t codes = rules_.codes;
        const int64_t length = row_length(codes);
        for_each_table([&](auto *table) {
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
        for_each_carry([&](int64_t row, int64_t column) {
            if (row > codes)
                request_.counters[ignored_counter] += pairs_of_carry;
            else if (is_invalid(row, column))
                request_.counters[invalid_counter] += pairs_of_carry;
        });
    }

    void add_tables(counting_unit unit)
    {
        for_each_table([&](const auto *table) {
            if (request_.layout.kind == confusion_layout::matrix)
                add_counts(table, row_length(rules_.codes) * row_length(rules_.codes));
            else
                add_cells(table, unit.label, request_.layout, target_);
            if (sample_.is_wanted())
                add_cells(table, unit.label, sample_.layout(), sample_.cells());
        });
        for_each_carry([&](int64_t row, int64_t column) {
            if (row > rules_.codes || (is_invalid(row, column) && !rules_.invalid_is_wrong))
                return;
            add_pairs(pairs_of_carry, row, column, unit.label, request_.layout, target_);
            if (sample_.is_wanted())
                add_pairs(pairs_of_carry, row, column, unit.label, sample_.layout(), sample_.cells());
        });
    }

    // Adds to a matrix. Most counts of a large one are 0, and then its lanes need not come from memory.
    template <class Count>
    void add_counts(const Count *table, int64_t count)
    {
        constexpr int some = 64 / sizeof(Count);
        for (int64_t first = 0; first < count; first += some) {
            const int part = int(std::min<int64_t>(some, count - first));
            Count bits = 0;
            for (int i = 0; i < part; ++i)
                bits |= table[first + i];
            for (int i = 0; bits != 0 && i < part; ++i)
                target_[first + i] += table[first + i];
        }
    }

    template <class Count>
    void add_cells(const Count *table, int64_t label, confusion_layout layout, int64_t *lanes) const
    {
        const int64_t length = row_length(rules_.codes);
        for (int64_t row = 0; row < length; ++row)
            for (int64_t column = 0; column < length; ++column)
                if (const int64_t count = table[row * length + column]; count != 0)
                    add_pairs(count, row, column, label, layout, lanes);
    }

    static void add_pairs(int64_t count, int64_t row, int64_t column, int64_t label, confusion_layout layout,
                          int64_t *lanes)
    {
        int64_t cells[3];
        for (int i = cells_of_pair(layout, label, row, column, cells) - 1; i >= 0; --i)
            lanes[cells[i]] += count;
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
    int64_t wave_;  // positions between clearings of the tables
    int64_t table_; // cells of a table
    int workers_ = 1;
    int copies_ = 1;
    int64_t stride_ = 0;
    int64_t table_bytes_ = 0; // of all tables
    std::byte *tables_ = nullptr;
    worker_state *states_ = nullptr; // [workers]
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
