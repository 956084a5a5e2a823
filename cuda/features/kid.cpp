// SPDX-License-Identifier: MIT
// Host side of KID's sums, of the numbers of rows' contents, and of rows for error texts. The caller waits for them.
#include "cuda/features/kid.h"

#include <algorithm>

#include "core/crew.hpp"
#include "cuda/backend.hpp"
#include "cuda/features/rows.hpp"
#include "cuda/machine/device.hpp"
#include "cuda/machine/launch.hpp"
#include "values/kid.hpp"

namespace iqa::cuda {

namespace {

// The host checks for cancellation after so many blocks: some 10 ms of a large GPU with 2048 features.
constexpr int64_t tiles_of_launch = 1 << 14;

class pair_summing {
public:
    pair_summing(context &where, memory_source &device, const kernel_means_request &request);

    void run();

private:
    void draw(int64_t first, int64_t count);
    void upload(int64_t first, int64_t count);
    void launch_tiles(int64_t count, int64_t first_tile, int64_t tiles);
    void hand_out(int64_t first, int64_t count);
    void report(int64_t estimate, int64_t piece) const
    {
        report_progress(where_, estimate * pieces_ + piece, request_.estimates * pieces_);
    }

    context &where_;
    const kernel_means_request &request_;
    const int64_t tiles_;  // of an estimate
    const int64_t pieces_; // launches for an estimate
    const int64_t batch_;  // estimates in a launch
    scratch host_memory_;
    scratch device_memory_;
    scratch keys_memory_;
    host_copies copies_;
    add_kernel_values::sums_of_estimate *sums_[2]; // on the host, on the device
    keyed_row *keys_[2];                           // on the host, of all rows of each set
    keyed_row *rows_[2];                           // on the device, of each set
    keyed_row
        *drawn_[2][2]; // on the host: [buffer][set]. The next rows are drawn while a copy may still read the last ones
};

pair_summing::pair_summing(context &where, memory_source &device, const kernel_means_request &request)
    : where_(where),
      request_(request),
      tiles_(add_kernel_values::tiles_of_estimate(request.sets)),
      pieces_(divide_up(tiles_, tiles_of_launch)),
      batch_(std::min(request.estimates, std::max<int64_t>(1, tiles_of_launch / tiles_))),
      host_memory_(where),
      device_memory_(device),
      keys_memory_(where),
      copies_(where)
{
    const int64_t rows = request.draws ? request.sets[0].count + request.sets[1].count : 0;
    const size_t sum_bytes = size_t(batch_) * sizeof(add_kernel_values::sums_of_estimate);
    const size_t row_bytes = size_t(batch_ * rows) * sizeof(keyed_row);
    std::byte *const memory[2] = {
        host_memory_.take<std::byte>(sum_bytes + 2 * row_bytes, "the rows and sums of subsets"),
        device_memory_.take<std::byte>(sum_bytes + row_bytes, "the rows and sums of subsets")};
    for (int side = 0; side < 2; ++side)
        sums_[side] = reinterpret_cast<add_kernel_values::sums_of_estimate *>(memory[side]);
    rows_[0] = reinterpret_cast<keyed_row *>(sums_[1] + batch_);
    drawn_[0][0] = reinterpret_cast<keyed_row *>(sums_[0] + batch_);
    drawn_[1][0] = drawn_[0][0] + batch_ * rows;
    for (keyed_row **const sets : {rows_, drawn_[0], drawn_[1]})
        sets[1] = sets[0] + batch_ * request.sets[0].count;
    if (request.draws) {
        const auto first_rows = size_t(request.sets[0].view.rows);
        keys_[0] =
            keys_memory_.take<keyed_row>(first_rows + size_t(request.sets[1].view.rows), "the drawing of subsets");
        keys_[1] = keys_[0] + first_rows;
    }
}

void pair_summing::draw(int64_t first, int64_t count)
{
    if (!request_.draws)
        return;
    const int64_t rows = request_.sets[0].view.rows + request_.sets[1].view.rows;
    keyed_row *const *const to = drawn_[first / batch_ % 2];
    crew::run(where_, workers_for(where_, 2, rows), [&](crew &team) {
        for (int64_t i = 0; i < count; ++i)
            team.each(2, rows, [&](int64_t set, int32_t) {
                request_.draw(first + i, set, keys_[set]);
                std::copy_n(keys_[set], request_.sets[set].count, to[set] + i * request_.sets[set].count);
            });
    });
}

void pair_summing::upload(int64_t first, int64_t count)
{
    check(active_runtime.clear(sums_[1], size_t(count) * sizeof *sums_[1], stream_of(where_)), "clearing CUDA memory");
    for (int set = 0; set < 2 && request_.draws; ++set)
        check(copies_.upload(rows_[set], drawn_[first / batch_ % 2][set],
                             size_t(count * request_.sets[set].count) * sizeof(keyed_row)),
              "copying the rows of subsets to the device");
}

void pair_summing::launch_tiles(int64_t count, int64_t first_tile, int64_t tiles)
{
    add_kernel_values::arguments args = {.sets = {request_.sets[0], request_.sets[1]},
                                         .kernel = request_.kernel,
                                         .first_tile = first_tile,
                                         .tiles = tiles,
                                         .estimates = sums_[1]};
    for (int set = 0; set < 2; ++set)
        args.sets[set].chosen = request_.draws ? rows_[set] : nullptr;
    launch<add_kernel_values>(where_, count * tiles, add_kernel_values::shared_bytes, args);
}

void pair_summing::hand_out(int64_t first, int64_t count)
{
    fetch(copies_, sums_[0], sums_[1], count, "summing kernel values");
    for (int64_t i = 0; i < count; ++i) {
        pair_sums sums[kinds_of_pairs];
        for (int kind = 0; kind < kinds_of_pairs; ++kind)
            for (int limb = 0; limb < kernel_limbs; ++limb) {
                const add_kernel_values::sums_of_pairs &from = sums_[0][i].kinds[kind];
                sums[kind].pairs.limbs[limb] = value_of(from.pairs[limb]);
                sums[kind].diagonal.limbs[limb] = value_of(from.diagonal[limb]);
            }
        request_.values[first + i] =
            kid_value(sums, request_.sets[0].count, request_.sets[1].count, request_.biased, request_.kernel.unit);
    }
}

void pair_summing::run()
{
    draw(0, batch_);
    for (int64_t first = 0; first < request_.estimates; first += batch_) {
        const int64_t count = std::min(batch_, request_.estimates - first);
        upload(first, count);
        for (int64_t piece = 0; piece < pieces_; ++piece) {
            if (piece > 0)
                check(copies_.wait(), "summing kernel values");
            report(first, piece);
            const int64_t first_tile = piece * tiles_of_launch;
            launch_tiles(count, first_tile, std::min(tiles_of_launch, tiles_ - first_tile));
        }
        const int64_t next = first + count; // drawn while the device works
        draw(next, std::min(batch_, request_.estimates - next));
        hand_out(first, count);
    }
    report(request_.estimates, 0);
}

} // namespace

row_squares squares_of_rows(context &where, memory_source &memory, const table_view &table)
{
    using tally = find_largest_square::tally;
    scratch host_memory(where);
    scratch device_memory(memory);
    host_copies copies(where);
    auto *const found = host_memory.take<tally>(1, "the look at all features");
    auto *const device_found = device_memory.take<tally>(1, "the look at all features");
    launch<find_largest_square>(where, divide_up(table.rows, staged_rows::rows), find_largest_square::shared_bytes,
                                {.table = table, .found = device_found});
    fetch(copies, found, device_found, 1, "looking at all features");
    return {double_from_bits(found->largest), found->nonfinite == 0 ? -1 : int64_t(~found->nonfinite)};
}

void kernel_means(context &where, int32_t device_id, memory_source &memory, kernel_means_request &request)
{
    const current_device current(device_id);
    const waiting_call call(where);
    for (int set = 0; set < 2; ++set)
        request.squares[set] = squares_of_rows(where, memory, request.sets[set].view);
    if (choose_unit(request.kernel, request.squares[0].largest, request.squares[1].largest))
        pair_summing(where, memory, request).run();
}

void row_numbers(context &where, int32_t device_id, memory_source &memory, row_numbers_request &request)
{
    const current_device current(device_id);
    const waiting_call call(where);
    scratch device_memory(memory);
    host_copies copies(where);
    const table_view &table = request.table;
    auto *const to = device_memory.take<uint64_t>(size_t(table.rows), "the numbers of rows");
    launch<number_rows>(where, divide_up(table.rows, staged_rows::rows), number_rows::shared_bytes,
                        {.table = table, .numbers = to});
    fetch(copies, request.numbers, to, table.rows, "reading the numbers of rows");
}

void fetch_row(context &where, int32_t device_id, memory_source &memory, const table_view &table, int64_t row,
               double *numbers)
{
    const current_device current(device_id);
    scratch device_memory(memory);
    host_copies copies(where);
    auto *const to = device_memory.take<double>(size_t(table.columns), "a row of a table");
    launch<copy_row>(where, divide_up(table.columns, copy_row::threads), 0, {.table = table, .row = row, .to = to});
    fetch(copies, numbers, to, table.columns, "reading a row of a table");
}

} // namespace iqa::cuda
