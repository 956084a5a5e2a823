// SPDX-License-Identifier: MIT
#include "cuda/features/moments.h"

#include <algorithm>

#include "cuda/backend.hpp"
#include "cuda/machine/grid.hpp"
#include "cuda/machine/launch.hpp"

namespace iqa::cuda {

namespace {

// With so many blocks, the time in which only the last ones run is short.
constexpr int64_t blocks_of_a_multiprocessor = 4;

// Adding to the lanes costs as much as the products of some hundred rows.
constexpr int64_t least_rows_of_block = 256;

template <int Slices>
typename add_moments<Slices>::side share(const table_view &table, int64_t *lanes, int64_t blocks_wanted)
{
    if (table.rows == 0)
        return {};
    const int64_t tiles = add_moments<Slices>::tiles_of(table.columns);
    const int64_t splits =
        std::max(divide_up(table.rows, most_rows_sliced),
                 std::min(divide_up(blocks_wanted, tiles), divide_up(table.rows, least_rows_of_block)));
    const int64_t rows = divide_up(divide_up(table.rows, splits), slice_tile_rows) * slice_tile_rows;
    return {table, lanes, rows, tiles * divide_up(table.rows, rows)};
}

template <int Slices>
void add(context &where, const moment_request &request, const uint32_t *sound)
{
    const int64_t wanted = blocks_of_a_multiprocessor * multiprocessors();
    const typename add_moments<Slices>::arguments args = {
        .sides = {share<Slices>(request.sides[0], request.sets[0].lanes, wanted),
                  share<Slices>(request.sides[1], request.sets[1].lanes, wanted)},
        .gain = request.grid.gain(),
        .sound = sound};
    launch<add_moments<Slices>>(where, args.sides[0].blocks + args.sides[1].blocks, add_moments<Slices>::shared_bytes,
                                args);
}

} // namespace

// The kernel that adds is launched last, so that it may add in place: after a failed call, nothing was added.
void moments(context &where, workspace &memory, const moment_request &request, device_ledger *ends)
{
    auto *const seen = memory.zeros.take<check_features::tally>(1, "the check of features");
    auto *const sound = memory.work.take<uint32_t>(1, "the check of features");
    launch<check_features>(where,
                           check_features::blocks_of(request.sides[0]) + check_features::blocks_of(request.sides[1]), 0,
                           {.sides = {request.sides[0], request.sides[1]},
                            .gain = request.grid.gain(),
                            .limit = request.grid.limit(),
                            .seen = seen,
                            .report = request.report,
                            .sound = sound});
    ends->commit();
    if (request.grid.wide)
        add<wide_slices>(where, request, sound);
    else
        add<narrow_slices>(where, request, sound);
}

} // namespace iqa::cuda
