// SPDX-License-Identifier: MIT
#include "cpu/features/moments.hpp"

#include <algorithm>
#include <atomic>

#include "core/crew.hpp"
#include "cpu/backend.hpp"

namespace iqa {

namespace {

// Panels whose products one item computes, along each side: their planes stay in the second-level cache.
constexpr int64_t panels_per_item = 4;

constexpr int64_t pairs_per_cache_line = 4;

constexpr int64_t products_of_a_table = int64_t(panel_width) * panel_width;

// The number of pairs of `count` items, each with itself and with every item before it.
int64_t pairs_of(int64_t count)
{
    return count * (count + 1) / 2;
}

class accumulation {
public:
    accumulation(const moment_kernels &kernels, context &where, scratch &memory, const moment_request &request,
                 int side);

    // Adds all blocks of rows. If a block is at fault or the call is cancelled, subtracts the blocks before it, which
    // restores the state, a sum of integers. Returns the block at fault, or -1.
    int64_t add_all(crew &team);

    void take_back(crew &team, int64_t blocks);

    int64_t blocks() const { return divide_up(view_.rows, block_rows_); }

    int64_t rows_of_a_block() const { return block_rows_; }

private:
    bool pack(crew &team, int64_t first_row, int64_t rows);
    void multiply(crew &team, int64_t rows, bool negative);
    void multiply_tile(int64_t left, int64_t right, int rows, bool negative, int32_t *products);
    bool apply(crew &team, int64_t block, bool negative);

    const moment_kernels &kernels_;
    const feature_grid grid_;
    const panel_packing packing_;
    const table_view view_;
    const moment_lanes state_;
    const int64_t block_rows_;
    const int64_t panels_;
    const int64_t panel_bytes_;
    const int64_t products_of_a_worker_;
    std::byte *packed_;
    int64_t *sums_; // of features, of rests and of the squares of rests
    int32_t *products_;
};

accumulation::accumulation(const moment_kernels &kernels, context &where, scratch &memory,
                           const moment_request &request, int side)
    : kernels_(kernels),
      grid_(request.grid),
      packing_(grid_.wide ? kernels.wide : kernels.narrow),
      view_(request.sides[side]),
      state_(request.sets[side]),
      block_rows_(std::min<int64_t>(packing_.most_rows, round_up(view_.rows, packing_.row_step))),
      panels_(divide_up(view_.columns, panel_width)),
      panel_bytes_(block_rows_ * panel_width * packing_.bytes),
      products_of_a_worker_(packing_.sums * products_of_a_table)
{
    const int64_t packed_bytes = panels_ * panel_bytes_;
    const int64_t sum_bytes = 3 * panels_ * panel_width * int64_t(sizeof(int64_t));
    const int64_t product_bytes = where.threads() * products_of_a_worker_ * int64_t(sizeof(int32_t));
    packed_ = memory.take<std::byte>(size_t(packed_bytes + sum_bytes + product_bytes), "a block of features");
    sums_ = reinterpret_cast<int64_t *>(packed_ + packed_bytes);
    products_ = reinterpret_cast<int32_t *>(packed_ + packed_bytes + sum_bytes);
}

bool accumulation::pack(crew &team, int64_t first_row, int64_t rows)
{
    std::atomic<bool> inside = true;
    const int64_t size = element_size(view_.type);
    team.each(panels_, rows * panel_width, [&](int64_t panel, int32_t) {
        const int64_t column = panel * panel_width;
        const int64_t offset = first_row * view_.row_stride + column * view_.column_stride;
        const panel_request request{
            .type = view_.type,
            .data = view_.data + offset * size,
            .row_stride = view_.row_stride,
            .column_stride = view_.column_stride,
            .rows = int(rows),
            .columns = int(std::min<int64_t>(panel_width, view_.columns - column)),
            .gain = grid_.gain(),
            .wide = grid_.wide,
            .packed = packed_ + panel * panel_bytes_,
            .sums = sums_ + column,
            .rest_sums = sums_ + panels_ * panel_width + column,
            .rest_squares = sums_ + 2 * panels_ * panel_width + column,
        };
        if (!kernels_.pack_panel(request))
            inside.store(false, std::memory_order_relaxed);
    });
    return inside.load(std::memory_order_relaxed);
}

// The products of two packed panels, left >= right, into the words of the state.
void accumulation::multiply_tile(int64_t left, int64_t right, int rows, bool negative, int32_t *products)
{
    const int64_t first_row = left * panel_width;
    const int64_t first_column = right * panel_width;
    const int64_t last_row = std::min(first_row + panel_width, view_.columns);
    // The words of the tile are many short runs, far apart: prefetched while the products are computed.
    for (int64_t i = first_row; i < last_row; ++i)
        for (int64_t j = first_column; j < std::min(first_column + panel_width, i + 1); j += pairs_per_cache_line)
            __builtin_prefetch(state_.words(i, j), 1);
    kernels_.multiply_panels(packed_ + left * panel_bytes_, packed_ + right * panel_bytes_, rows, grid_.wide, products);
    for (int64_t i = first_row; i < last_row; ++i) {
        const int count = int(std::min<int64_t>(panel_width, i - first_column + 1));
        kernels_.add_products(products, grid_.wide, negative, int(i - first_row), count, state_.words(i, first_column));
    }
}

void accumulation::multiply(crew &team, int64_t rows, bool negative)
{
    const int64_t groups = divide_up(panels_, panels_per_item);
    const int packed_rows = int(round_up(rows, packing_.row_step));
    const int64_t cost = panels_per_item * panels_per_item * products_of_a_table * rows;
    team.each(pairs_of(groups), cost, [&](int64_t item, int32_t worker) {
        int64_t left_group = 0;
        while (pairs_of(left_group + 1) <= item)
            ++left_group;
        const int64_t right_group = item - pairs_of(left_group);
        int32_t *const products = products_ + worker * products_of_a_worker_;
        const int64_t last_left = std::min((left_group + 1) * panels_per_item, panels_);
        for (int64_t left = left_group * panels_per_item; left < last_left; ++left) {
            const int64_t last_right = std::min((right_group + 1) * panels_per_item, left + 1);
            for (int64_t right = right_group * panels_per_item; right < last_right; ++right)
                multiply_tile(left, right, packed_rows, negative, products);
        }
    });
}

bool accumulation::apply(crew &team, int64_t block, bool negative)
{
    const int64_t first_row = block * block_rows_;
    const int64_t rows = std::min(block_rows_, view_.rows - first_row);
    if (!pack(team, first_row, rows))
        return false;
    multiply(team, rows, negative);
    const int64_t *const rest_sums = sums_ + panels_ * panel_width;
    const int64_t *const rest_squares = rest_sums + panels_ * panel_width;
    for (int64_t i = 0; i < view_.columns; ++i) {
        state_.sums()[i] += negative ? -sums_[i] : sums_[i];
        add_carried(state_.rest_sum(i), {negative ? -rest_sums[i] : rest_sums[i], 0});
        add_carried(state_.rest_squares(i), {negative ? -rest_squares[i] : rest_squares[i], 0});
    }
    state_.rows() += negative ? -rows : rows;
    return true;
}

void accumulation::take_back(crew &team, int64_t blocks)
{
    for (int64_t block = 0; block < blocks; ++block)
        apply(team, block, true);
}

int64_t accumulation::add_all(crew &team)
{
    for (int64_t block = 0; block < blocks(); ++block)
        if (!team.proceed(block, blocks()) || !apply(team, block, false)) {
            take_back(team, block);
            return block;
        }
    return -1;
}

int workers_for_rows(const context &where, const table_view &view)
{
    return workers_for(where, where.threads(), view.rows * view.columns);
}

void report_first_feature(const moment_request &request, int side, int64_t first_row)
{
    const table_view &view = request.sides[side];
    for (int64_t row = first_row; row < view.rows; ++row)
        for (int64_t column = 0; column < view.columns; ++column) {
            const double value = number_at(view, row, column);
            if (!within(to_grid(value, request.grid.gain()), request.grid.limit())) {
                *request.report = fault_of_feature(side, row, column, value);
                return;
            }
        }
    fail(IQA_ERROR_INTERNAL, "a feature outside the range was seen but not found");
}

// Adds the rows of one side, or no row. False: a feature is at fault.
bool add_rows(const moment_kernels &kernels, context &where, scratch &memory, const moment_request &request, int side)
{
    const table_view &view = request.sides[side];
    if (view.rows == 0)
        return true;
    accumulation work(kernels, where, memory, request, side);
    int64_t fault = -1;
    crew::run(where, workers_for_rows(where, view), [&](crew &team) { fault = work.add_all(team); });
    if (fault >= 0)
        report_first_feature(request, side, fault * work.rows_of_a_block());
    return fault < 0;
}

// Subtracts rows that were added, which restores the state. Cannot fail and cannot be cancelled.
void take_back_rows(const moment_kernels &kernels, context &where, scratch &memory, const moment_request &request,
                    int side)
{
    const table_view &view = request.sides[side];
    if (view.rows == 0)
        return;
    accumulation work(kernels, where, memory, request, side);
    crew::run(where, workers_for_rows(where, view), [&](crew &team) { work.take_back(team, work.blocks()); });
}

} // namespace

void add_moments(const moment_kernels &kernels, context &where, scratch &memory, const moment_request &request)
{
    if (!add_rows(kernels, where, memory, request, 0))
        return;
    bool complete = false;
    try {
        complete = add_rows(kernels, where, memory, request, 1);
    } catch (...) {
        take_back_rows(kernels, where, memory, request, 0);
        throw;
    }
    if (!complete)
        take_back_rows(kernels, where, memory, request, 0);
}

void cpu_moments(context &where, workspace &memory, const moment_request &request, device_ledger *)
{
    add_moments(moment_kernels_for(where), where, memory.work, request);
}

} // namespace iqa
