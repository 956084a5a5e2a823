// SPDX-License-Identifier: MIT
// Sums of the state's cells, element by element; see counts.cpp. Where there are enough elements each worker has
// cells of its own, which are added to the state at the end. Few elements, or those of very many cells, are added to
// the state at once by one worker, which takes them back where the update fails.
#include "core/parallel.hpp"
#include "cpu/confusion/label_source.hpp"
#include "cpu/confusion/samples.hpp"

namespace iqa {

namespace {

constexpr int64_t positions_of_a_tile = 1 << 14;
constexpr int64_t tiles_of_a_wave = 1 << 15; // 2^29 elements: a digit has room for 2^31 - 1 weights
constexpr int64_t largest_own = 1 << 21;     // lanes of a worker

class cell_sums {
public:
    cell_sums(context &where, workspace &memory, const confusion_request &request, const label_source &source)
        : where_(where),
          request_(request),
          source_(source),
          sample_(request.samples),
          weighted_(source.pair.weights != nullptr),
          tiles_of_unit_(divide_up(source.positions, positions_of_a_tile))
    {
        const int64_t group = sample_.is_wanted() ? source.labels() : source.labels() * source.pair.samples;
        workers_ = workers_for(where, tiles_of_unit_ * group, source.positions * group);
        own_ = is_worth_own_cells();
        if (!own_) {
            workers_ = 1;
            own_ = is_worth_own_cells();
        }
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
        else if (own_)
            gather(request_.layout, &worker::lanes, request_.cells);
    }

private:
    struct alignas(64) worker {
        codes_buffer buffer;
        int64_t ignored, invalid;
        bool bad_weight;
        int64_t *lanes, *sample_lanes; // its own, or the ones that all add to; NULL where samples are not wanted
    };

    bool is_worth_own_cells() const
    {
        const int64_t of_sample = source_.positions * source_.labels();
        return lanes_of(request_.layout) + sample_.lanes() <= largest_own &&
               lanes_of(request_.layout) * workers_ <= cells_per_position * source_.elements() &&
               sample_.lanes() * workers_ <= cells_per_position * of_sample;
    }

    void take_memory(workspace &memory)
    {
        const int64_t own = own_ ? round_up(lanes_of(request_.layout), 8) + round_up(sample_.lanes(), 8) : 0;
        const size_t bytes = size_t(workers_) * (sizeof(worker) + size_t(own) * sizeof(int64_t));
        auto *block = memory.work.take<std::byte>(size_t(sample_.bytes()) + bytes, "sums of cells");
        worker_ = reinterpret_cast<worker *>(sample_.place(block));
        auto *lanes = reinterpret_cast<int64_t *>(worker_ + workers_);
        std::fill_n(lanes, workers_ * own, 0);
        for (int i = 0; i < workers_; ++i) {
            worker &each = worker_[i];
            each.ignored = each.invalid = 0;
            each.bad_weight = false;
            each.lanes = own_ ? lanes + i * own : request_.cells;
            each.sample_lanes = !sample_.is_wanted() ? nullptr
                                : own_               ? each.lanes + round_up(lanes_of(request_.layout), 8)
                                                     : sample_.cells();
        }
    }

    void sum()
    {
        const int64_t tiles = tiles_of_unit_ * source_.labels();
        if (!sample_.is_wanted())
            return sum_tiles(0, tiles * source_.pair.samples);
        for (int64_t sample = 0; sample < source_.pair.samples; ++sample) {
            sample_.begin();
            for (int i = 0; own_ && i < workers_; ++i)
                std::fill_n(worker_[i].sample_lanes, sample_.lanes(), 0);
            sum_tiles(sample * tiles, (sample + 1) * tiles);
            if (own_)
                gather(sample_.layout(), &worker::sample_lanes, sample_.cells());
            if (!source_.failed())
                sample_.finish(sample);
        }
    }

    void sum_tiles(int64_t begin, int64_t end)
    {
        for (; begin < end; begin += tiles_of_a_wave) {
            const int64_t tiles = std::min(end - begin, tiles_of_a_wave);
            for_each_tile(where_, workers_, tiles, [&](int64_t tile, int index) {
                add_tile(begin + tile, worker_[index], 1);
                if (!own_)
                    done_ = begin + tile + 1;
            });
            collect();
            uncarried_ += tiles;
            if (own_ && uncarried_ >= tiles_of_a_wave) {
                for (int i = 0; i < workers_; ++i)
                    carry(request_.layout, worker_[i].lanes);
                uncarried_ = 0;
            }
        }
    }

    void add_tile(int64_t tile, worker &own, int64_t sign) const
    {
        const int64_t number = tile / tiles_of_unit_;
        const unit which{number / source_.labels(), number % source_.labels()};
        const int64_t begin = tile % tiles_of_unit_ * positions_of_a_tile;
        const int64_t codes = source_.rules.codes;
        const bool invalid_is_wrong = source_.rules.invalid_is_wrong;
        codes_buffer &buffer = own.buffer;
        source_.for_each_block(
            begin, std::min(source_.positions, begin + positions_of_a_tile), [&](int64_t first, int64_t count) {
                source_.code_unit(which, first, count, buffer.words, buffer);
                if (weighted_)
                    source_.weigh_unit(which, first, count, buffer);
                for (int64_t i = 0; i < count; ++i) {
                    const int64_t row = buffer.words[reference_side][i];
                    const int64_t column = buffer.words[candidate_side][i];
                    const bool invalid = row <= codes && (row == codes || column == codes);
                    const bool bad_weight = weighted_ && !has_exact_sums(buffer.weights[i]);
                    own.bad_weight = own.bad_weight || bad_weight;
                    own.ignored += row > codes;
                    own.invalid += invalid;
                    if (row <= codes && (!invalid || invalid_is_wrong) && !bad_weight)
                        add_element(own, which.label, row, column,
                                    weighted_ ? digits_of_weight(buffer.weights[i]) : weight_digits{}, sign);
                }
            });
    }

    void add_element(const worker &own, int64_t label, int64_t row, int64_t column, const weight_digits &weight,
                     int64_t sign) const
    {
        add_to(request_.layout, own.lanes, label, row, column, weight, sign);
        if (own.sample_lanes != nullptr)
            add_to(sample_.layout(), own.sample_lanes, label, row, column, weight, sign);
    }

    void add_to(confusion_layout layout, int64_t *lanes, int64_t label, int64_t row, int64_t column,
                const weight_digits &weight, int64_t sign) const
    {
        int64_t cells[3];
        for (int i = cells_of_pair(layout, label, row, column, cells) - 1; i >= 0; --i) {
            int64_t *cell = lanes + cells[i] * layout.cell_lanes;
            if (layout.cell_lanes == 1) {
                *cell += sign;
                continue;
            }
            for (int k = 0; k < weight_digits::count; ++k)
                cell[weight.first + k] += sign * weight.digit[k];
            if (!own_)
                exact_carry(weight_format, cell);
        }
    }

    // What the workers found.
    void collect()
    {
        for (int i = 0; i < workers_; ++i) {
            worker &each = worker_[i];
            request_.counters[ignored_counter] += each.ignored;
            request_.counters[invalid_counter] += each.invalid;
            each.ignored = each.invalid = 0;
            if (each.bad_weight && request_.report->kind == fault_kind::none)
                source_.find_bad_weight();
        }
    }

    void gather(confusion_layout layout, int64_t *worker::*own, int64_t *to) const
    {
        for (int i = 0; i < workers_; ++i)
            for (int64_t lane = 0; lane < lanes_of(layout); ++lane)
                to[lane] += (worker_[i].*own)[lane];
        carry(layout, to);
    }

    static void carry(confusion_layout layout, int64_t *lanes)
    {
        for (int64_t cell = 0; layout.cell_lanes > 1 && cell < cells_of(layout); ++cell)
            exact_carry(weight_format, lanes + cell * layout.cell_lanes);
    }

    // The digits of the state have one form: sums that are taken back leave it as it was.
    void take_back()
    {
        worker_->sample_lanes = nullptr;
        for (int64_t tile = 0; tile < done_; ++tile)
            add_tile(tile, *worker_, -1);
    }

    context &where_;
    const confusion_request &request_;
    const label_source &source_;
    current_sample sample_;
    const bool weighted_;
    const int64_t tiles_of_unit_;
    int workers_ = 1;
    bool own_ = true;
    worker *worker_ = nullptr;
    int64_t done_ = 0;      // tiles that are in the state
    int64_t uncarried_ = 0; // tiles since the last carries
};

} // namespace

void sum_cells(context &where, workspace &memory, const confusion_request &request, const label_source &source)
{
    cell_sums(where, memory, request, source).run();
}

} // namespace iqa
