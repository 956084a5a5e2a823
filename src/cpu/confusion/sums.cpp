// SPDX-License-Identifier: MIT
// Sums of the state's cells; see counts.cpp. With enough elements each worker has private cells, which are added to the
// state at the end, and tables of pairs for blocks of weights that split into two integers: a table is emptied into the
// cells before it is full, and when its label ends. Other elements are added one by one. With few of them or very many
// cells, one worker adds to the state directly, and takes everything back if the update fails.
#include <type_traits>

#include "core/parallel.hpp"
#include "cpu/confusion/label_source.hpp"
#include "cpu/confusion/samples.hpp"

namespace iqa {

namespace {

constexpr int64_t positions_of_a_tile = 1 << 14;
constexpr int64_t tiles_of_a_wave = 1 << 15; // 2^29 elements: a digit has room for 2^31 - 1 weights
constexpr int64_t most_private_lanes = 1 << 21;
constexpr int weight_cell_bytes = weight_part_count * sizeof(int64_t);

class cell_sums {
public:
    cell_sums(context &where, workspace &memory, const confusion_request &request, const label_source &source)
        : where_(where),
          request_(request),
          source_(source),
          sample_(request.samples),
          weighted_(source.pair.weights != nullptr),
          tiles_of_unit_(divide_up(source.positions, positions_of_a_tile)),
          table_cells_(table_cells(source.rules.codes)),
          table_(table_cells_, weight_cell_bytes, most_table_copies)
    {
        const int64_t group = sample_.is_wanted() ? source.labels() : source.labels() * source.pair.samples;
        workers_ = workers_for(where, tiles_of_unit_ * group, source.positions * group);
        private_ = pays_for_private_cells();
        if (!private_) {
            workers_ = 1;
            private_ = pays_for_private_cells();
        }
        has_tables_ = pays_for_tables();
        take_memory(memory);
    }

    void run()
    {
        try {
            sum();
        } catch (...) {
            take_back();
            throw;
        }
        if (source_.failed())
            take_back();
        else if (private_)
            gather(request_.layout, &worker_state::lanes, request_.cells);
    }

private:
    struct alignas(64) worker_state {
        codes_buffer buffer;
        int64_t ignored, invalid;
        bool bad_weight;
        int64_t *lanes, *sample_lanes; // private or shared; `sample_lanes` is NULL if samples are not wanted
        weight_tables tables;
        int64_t label;   // of the tables
        int64_t weights; // in them
    };

    bool pays_for_private_cells() const
    {
        const int64_t elements_of_sample = source_.positions * source_.labels();
        return lanes_of(request_.layout) + sample_.lanes() <= most_private_lanes &&
               lanes_of(request_.layout) * workers_ <= cells_per_position * source_.elements() &&
               sample_.lanes() * workers_ <= cells_per_position * elements_of_sample;
    }

    bool pays_for_tables() const
    {
        const bool one_label = source_.labels() == 1 && !sample_.is_wanted();
        const int64_t elements = source_.positions * (one_label ? source_.pair.samples : 1);
        return weighted_ && private_ && source_.rules.codes <= most_byte_classes &&
               table_cells_ * workers_ <= cells_per_position * elements;
    }

    void take_memory(workspace &memory)
    {
        const int64_t private_lanes =
            private_ ? round_up(lanes_of(request_.layout), 8) + round_up(sample_.lanes(), 8) : 0;
        const int64_t table_lanes = has_tables_ ? table_.copies * table_.stride * weight_part_count : 0;
        const int64_t worker_lanes = private_lanes + table_lanes;
        const size_t bytes = size_t(workers_) * (sizeof(worker_state) + size_t(worker_lanes) * sizeof(int64_t));
        auto *block = memory.work.take<std::byte>(size_t(sample_.bytes()) + bytes, "sums of cells");
        states_ = reinterpret_cast<worker_state *>(sample_.place(block));
        auto *lanes = reinterpret_cast<int64_t *>(states_ + workers_);
        std::fill_n(lanes, workers_ * worker_lanes, 0);
        for (int i = 0; i < workers_; ++i) {
            worker_state &state = states_[i];
            state.ignored = state.invalid = 0;
            state.bad_weight = false;
            state.lanes = private_ ? lanes + i * worker_lanes : request_.cells;
            state.sample_lanes = !sample_.is_wanted() ? nullptr
                                 : private_           ? state.lanes + round_up(lanes_of(request_.layout), 8)
                                                      : sample_.cells();
            state.tables = {lanes + i * worker_lanes + private_lanes, table_.stride * weight_part_count, table_.copies,
                            state.buffer.weight_sums};
            state.label = state.weights = 0;
        }
    }

    void sum()
    {
        const int64_t tiles = tiles_of_unit_ * source_.labels();
        if (!sample_.is_wanted())
            return sum_tiles(0, tiles * source_.pair.samples);
        for (int64_t sample = 0; sample < source_.pair.samples; ++sample) {
            sample_.begin();
            for (int i = 0; private_ && i < workers_; ++i)
                std::fill_n(states_[i].sample_lanes, sample_.lanes(), 0);
            sum_tiles(sample * tiles, (sample + 1) * tiles);
            if (private_)
                gather(sample_.layout(), &worker_state::sample_lanes, sample_.cells());
            if (!source_.failed())
                sample_.finish(sample);
        }
    }

    void sum_tiles(int64_t begin, int64_t end)
    {
        for (; begin < end; begin += tiles_of_a_wave) {
            const int64_t tiles = std::min(end - begin, tiles_of_a_wave);
            for_each_tile(where_, workers_, tiles, [&](int64_t tile, int index) {
                add_tile(begin + tile, states_[index], 1);
                if (!private_)
                    done_ = begin + tile + 1;
            });
            collect();
            uncarried_ += tiles;
            if (private_ && uncarried_ >= tiles_of_a_wave) {
                for (int i = 0; i < workers_; ++i)
                    carry(request_.layout, states_[i].lanes);
                uncarried_ = 0;
            }
        }
    }

    void add_tile(int64_t tile, worker_state &state, int64_t sign) const
    {
        const int64_t index = tile / tiles_of_unit_;
        const counting_unit unit{index / source_.labels(), index % source_.labels()};
        const int64_t begin = tile % tiles_of_unit_ * positions_of_a_tile;
        codes_buffer &buffer = state.buffer;
        source_.for_each_block(
            begin, std::min(source_.positions, begin + positions_of_a_tile), [&](int64_t first, int64_t count) {
                if (has_tables_ && add_to_tables(unit, first, count, state))
                    return;
                source_.code_unit(unit, first, count, buffer.words, buffer);
                if (weighted_) {
                    source_.weigh_unit(unit, first, count, buffer);
                    state.bad_weight = !have_exact_sums(buffer, count) || state.bad_weight;
                }
                const int64_t chosen = weighted_ ? choose<true>(state, count) : choose<false>(state, count);
                add_block(request_.layout, buffer, chosen, unit.label, sign, state.lanes);
                if (state.sample_lanes != nullptr)
                    add_block(sample_.layout(), buffer, chosen, unit.label, sign, state.sample_lanes);
            });
    }

    bool add_to_tables(counting_unit unit, int64_t first, int64_t count, worker_state &state) const
    {
        codes_buffer &buffer = state.buffer;
        if (!source_.sum_weights(unit, first, count, buffer))
            return false;
        if (state.label != unit.label || state.weights + count > weights_of_a_table)
            empty_tables(state);
        state.label = unit.label;
        state.weights += count;
        source_.code_unit(unit, first, count, buffer.bytes, buffer);
        code_pairs pairs{buffer.bytes[0], buffer.bytes[1], count, row_length(source_.rules.codes), {}, {}};
        source_.announce(unit, first + count, pairs);
        const code_counters counters = source_.kernels.add_weights(pairs, state.tables);
        state.ignored += counters.ignored;
        state.invalid += counters.invalid;
        return true;
    }

    // Moves what the tables hold to the cells. The sums of labels that count nowhere stay, and are never read.
    void empty_tables(worker_state &state) const
    {
        const int64_t length = row_length(source_.rules.codes);
        const int64_t end = source_.rules.codes + source_.rules.invalid_is_wrong; // of the codes that are added
        for (int64_t row = 0; state.weights != 0 && row < end; ++row)
            for (int64_t column = 0; column < end; ++column)
                if (const int128 sum = take_sum(state.tables, row * length + column); sum != 0) {
                    add_sum(request_.layout, sum, state.label, row, column, state.lanes);
                    if (state.sample_lanes != nullptr)
                        add_sum(sample_.layout(), sum, state.label, row, column, state.sample_lanes);
                }
        state.weights = 0;
    }

    // The sum of a cell, in lower units, which is 0 afterwards.
    static int128 take_sum(const weight_tables &tables, int64_t cell)
    {
        int64_t lower = 0;
        uint64_t upper = 0;
        for (int i = 0; i < tables.copies; ++i) {
            int64_t *parts = tables.first + i * tables.stride + cell * weight_part_count;
            lower += parts[0];
            upper += uint64_t(parts[1]);
            parts[0] = parts[1] = 0;
        }
        return (int128(upper) << (upper_weight_exponent - lower_weight_exponent)) + lower;
    }

    static void add_sum(confusion_layout layout, int128 sum, int64_t label, int64_t row, int64_t column, int64_t *lanes)
    {
        int64_t cells[3];
        for (int k = cells_of_pair(layout, label, row, column, cells) - 1; k >= 0; --k)
            add_digits(weight_format, lanes + cells[k] * layout.cell_lanes, sum, lower_weight_exponent);
    }

    // Weights that have no exact sums become 0.
    static bool have_exact_sums(codes_buffer &buffer, int64_t count)
    {
        bool all = true;
        for (int64_t i = 0; i < count; ++i)
            if (!has_exact_sums(buffer.weights[i])) [[unlikely]] {
                buffer.weights[i] = 0;
                all = false;
            }
        return all;
    }

    // Moves the elements that add something to the front of the buffer, and returns how many there are. No processor
    // foresees where labels are ignored, so nothing is decided by branches.
    template <bool weighted>
    int64_t choose(worker_state &state, int64_t count) const
    {
        const auto codes = uint32_t(source_.rules.codes);
        const uint32_t end = codes + source_.rules.invalid_is_wrong; // of the codes that are added
        uint32_t *rows = state.buffer.words[reference_side];
        uint32_t *columns = state.buffer.words[candidate_side];
        double *weights = state.buffer.weights;
        int64_t chosen = 0;
        int64_t ignored = 0;
        int64_t invalid = 0;
        for (int64_t i = 0; i < count; ++i) {
            const uint32_t row = rows[i];
            const uint32_t column = columns[i];
            ignored += row > codes;
            invalid += std::max(row, column) == codes;
            rows[chosen] = row;
            columns[chosen] = column;
            if constexpr (weighted) {
                const double weight = weights[i];
                weights[chosen] = weight;
                chosen += (std::max(row, column) < end) & (weight > 0.0);
            } else {
                chosen += std::max(row, column) < end;
            }
        }
        state.ignored += ignored;
        state.invalid += invalid;
        return chosen;
    }

    void add_block(confusion_layout layout, const codes_buffer &buffer, int64_t count, int64_t label, int64_t sign,
                   int64_t *lanes) const
    {
        const auto add = [&](auto kind) {
            if (sign > 0)
                add_elements<kind(), 1>(layout, buffer, count, label, lanes);
            else
                add_elements<kind(), -1>(layout, buffer, count, label, lanes);
        };
        using kinds = decltype(layout.kind);
        switch (layout.kind) {
        case confusion_layout::matrix:
            return add(std::integral_constant<kinds, confusion_layout::matrix>());
        case confusion_layout::per_class:
            return add(std::integral_constant<kinds, confusion_layout::per_class>());
        default:
            return add(std::integral_constant<kinds, confusion_layout::multilabel>());
        }
    }

    // The loop knows the kind of the layout.
    template <auto kind, int sign>
    void add_elements(confusion_layout layout, const codes_buffer &buffer, int64_t count, int64_t label,
                      int64_t *lanes) const
    {
        const uint32_t *rows = buffer.words[reference_side];
        const uint32_t *columns = buffer.words[candidate_side];
        const bool carrying = !private_;
        const int64_t cell_lanes = layout.cell_lanes;
        layout.kind = kind;
        for (int64_t i = 0; i < count; ++i) {
            const weight_digits weight = cell_lanes > 1 ? digits_of_weight(buffer.weights[i]) : weight_digits{};
            int64_t cells[3];
            for (int k = cells_of_pair(layout, label, rows[i], columns[i], cells) - 1; k >= 0; --k) {
                int64_t *cell = lanes + cells[k] * cell_lanes;
                if (cell_lanes == 1) {
                    *cell += sign;
                    continue;
                }
                for (int digit = 0; digit < weight_digits::count; ++digit)
                    cell[weight.first + digit] += sign * weight.digit[digit];
                if (carrying)
                    exact_carry(weight_format, cell);
            }
        }
    }

    // Adds up the counters of the workers.
    void collect()
    {
        for (int i = 0; i < workers_; ++i) {
            worker_state &state = states_[i];
            empty_tables(state);
            request_.counters[ignored_counter] += state.ignored;
            request_.counters[invalid_counter] += state.invalid;
            state.ignored = state.invalid = 0;
            if (state.bad_weight && request_.report->kind == fault_kind::none)
                source_.find_bad_weight();
        }
    }

    void gather(confusion_layout layout, int64_t *worker_state::*lanes, int64_t *sum) const
    {
        for (int i = 0; i < workers_; ++i)
            for (int64_t lane = 0; lane < lanes_of(layout); ++lane)
                sum[lane] += (states_[i].*lanes)[lane];
        carry(layout, sum);
    }

    static void carry(confusion_layout layout, int64_t *lanes)
    {
        for (int64_t cell = 0; layout.cell_lanes > 1 && cell < cells_of(layout); ++cell)
            exact_carry(weight_format, lanes + cell * layout.cell_lanes);
    }

    // Subtracting leaves the state as it was, since its digits are canonical.
    void take_back()
    {
        states_->sample_lanes = nullptr;
        for (int64_t tile = 0; tile < done_; ++tile)
            add_tile(tile, *states_, -1);
    }

    context &where_;
    const confusion_request &request_;
    const label_source &source_;
    current_sample sample_;
    const bool weighted_;
    const int64_t tiles_of_unit_;
    const int64_t table_cells_; // of pairs
    const table_memory table_;
    int workers_ = 1;
    bool private_ = true;
    bool has_tables_ = false;
    worker_state *states_ = nullptr; // [workers]
    int64_t done_ = 0;               // tiles that are in the state
    int64_t uncarried_ = 0;          // tiles since the last carries
};

} // namespace

void sum_cells(context &where, workspace &memory, const confusion_request &request, const label_source &source)
{
    cell_sums(where, memory, request, source).run();
}

} // namespace iqa
