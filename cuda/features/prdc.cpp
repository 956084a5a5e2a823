// SPDX-License-Identifier: MIT
// Host side of neighbours of rows, and of which rows lie in whose ball. The caller waits for them.
#include "cuda/features/prdc.h"

#include <algorithm>

#include "core/parallel.hpp"
#include "cuda/backend.hpp"
#include "cuda/features/rows.hpp"
#include "cuda/machine/device.hpp"
#include "cuda/machine/launch.hpp"

namespace iqa::cuda {

namespace {

// The host checks for cancellation after so many tiles: some 10 ms of a large GPU with 2048 features.
constexpr int64_t tiles_of_launch = 1 << 14;

class neighbour_search {
public:
    neighbour_search(context &where, memory_source &device, neighbours_request &request);

    void run(double gain);

private:
    void find_radii(int set);
    void count();
    void report_step();

    context &where_;
    neighbours_request &request_;
    scratch device_memory_;
    scratch heaps_memory_;
    scratch host_memory_;
    host_copies copies_;
    grid_rows sets_[2];
    row_measures *measures_[2];
    double *radii_[2];
    double *heaps_;
    int64_t *pairs_;   // then the flags
    int64_t *on_host_; // likewise
    int64_t flags_;
    int64_t done_ = 0;
    int64_t total_ = 0;
};

int64_t tiles_of(int64_t rows)
{
    return divide_up(rows, find_neighbours::side);
}

// Tiles of columns in one launch for all rows of a set.
int64_t columns_of_launch(int64_t rows)
{
    return std::clamp<int64_t>(tiles_of_launch / tiles_of(rows), 1, tiles_of(rows));
}

neighbour_search::neighbour_search(context &where, memory_source &device, neighbours_request &request)
    : where_(where),
      request_(request),
      device_memory_(device),
      heaps_memory_(device),
      host_memory_(where),
      copies_(where),
      flags_(2 * request.sets[0].count + request.sets[1].count)
{
    const int64_t rows = request.sets[0].count + request.sets[1].count;
    const size_t of_rows = size_t(rows) * (sizeof(row_measures) + sizeof(double));
    const size_t of_counts = sizeof(int64_t) + size_t(flags_) * sizeof(uint32_t);
    std::byte *const bytes = device_memory_.take<std::byte>(of_rows + of_counts, "what is known of each row");
    measures_[0] = reinterpret_cast<row_measures *>(bytes);
    radii_[0] = reinterpret_cast<double *>(measures_[0] + rows);
    pairs_ = reinterpret_cast<int64_t *>(radii_[0] + rows);
    measures_[1] = measures_[0] + request.sets[0].count;
    radii_[1] = radii_[0] + request.sets[0].count;
    on_host_ = reinterpret_cast<int64_t *>(host_memory_.take<std::byte>(of_counts, "the counts of rows in balls"));
    heaps_ = heaps_memory_.take<double>(request.most_neighbours(), "the nearest neighbours of rows");
    for (const row_set &set : request.sets)
        total_ += divide_up(tiles_of(set.count), columns_of_launch(set.count));
    total_ += divide_up(count_in_balls::tiles(request.sets[0].count, request.sets[1].count), tiles_of_launch);
}

// Before a launch: waits for the one before, so that the call ends soon after it is cancelled.
void neighbour_search::report_step()
{
    check(copies_.wait(), "finding neighbours");
    report_progress(where_, done_++, total_);
}

void neighbour_search::find_radii(int set)
{
    const table_view &table = sets_[set].table;
    const int64_t tiles = tiles_of(table.rows);
    const int64_t columns = columns_of_launch(table.rows);
    for (int64_t first = 0; first < tiles; first += columns) {
        report_step();
        launch<find_neighbours>(where_, tiles, find_neighbours::shared_bytes,
                                {.set = sets_[set],
                                 .k = request_.k,
                                 .first_tile = first,
                                 .tiles = std::min(columns, tiles - first),
                                 .heaps = heaps_,
                                 .radii = radii_[set]});
    }
}

void neighbour_search::count()
{
    const int64_t first_rows = request_.sets[0].count;
    const int64_t second_rows = request_.sets[1].count;
    auto *const flags = reinterpret_cast<uint32_t *>(pairs_ + 1);
    const size_t bytes = sizeof(int64_t) + size_t(flags_) * sizeof(uint32_t);
    check(active_runtime.clear(pairs_, bytes, stream_of(where_)), "clearing CUDA memory");
    const int64_t tiles = count_in_balls::tiles(first_rows, second_rows);
    for (int64_t first = 0; first < tiles; first += tiles_of_launch) {
        report_step();
        launch<count_in_balls>(where_, std::min(tiles_of_launch, tiles - first), count_in_balls::shared_bytes,
                               {.sets = {sets_[0], sets_[1]},
                                .radii = {radii_[0], radii_[1]},
                                .surface = request_.surface(),
                                .first_tile = first,
                                .precise = flags,
                                .recalled = flags + second_rows,
                                .covered = flags + second_rows + first_rows,
                                .pairs = pairs_});
    }
    fetch(copies_, reinterpret_cast<std::byte *>(on_host_), reinterpret_cast<std::byte *>(pairs_), int64_t(bytes),
          "counting rows in balls");
    const auto *const found = reinterpret_cast<const uint32_t *>(on_host_ + 1);
    const auto number = [&](int64_t first, int64_t count) {
        return int64_t(std::count(found + first, found + first + count, 1u));
    };
    request_.counts = {.precise = number(0, second_rows),
                       .recalled = number(second_rows, first_rows),
                       .covered = number(second_rows + first_rows, first_rows),
                       .pairs = on_host_[0]};
}

void neighbour_search::run(double gain)
{
    for (int set = 0; set < 2; ++set) {
        const table_view &table = request_.sets[set].view;
        sets_[set] = {.table = table, .gain = gain, .measures = measures_[set]};
        launch<measure_rows>(where_, divide_up(table.rows, staged_rows::rows), measure_rows::shared_bytes,
                             {.table = table, .gain = gain, .measures = measures_[set]});
    }
    find_radii(0);
    find_radii(1);
    count();
    for (int set = 0; set < 2; ++set) {
        fetch(copies_, request_.measures[set], measures_[set], request_.sets[set].count, "measuring rows");
        fetch(copies_, request_.radii[set], radii_[set], request_.sets[set].count, "finding neighbours");
    }
    report_progress(where_, total_, total_);
}

} // namespace

void neighbours(context &where, int32_t device_id, memory_source &memory, neighbours_request &request)
{
    const current_device current(device_id);
    const waiting_call call(where);
    neighbour_search work(where, memory, request);
    for (int set = 0; set < 2; ++set)
        request.squares[set] = squares_of_rows(where, memory, request.sets[set].view);
    if (request.has_finite_squares())
        work.run(power_of_two(request.fraction_bits()));
}

} // namespace iqa::cuda
