// SPDX-License-Identifier: MIT
// The first look at rows of tables, the numbers of their contents, and rows for error texts.
#include "cpu/features/row_pairs.hpp"

#include <atomic>

#include "cpu/backend.hpp"

namespace iqa {

namespace {

// Infinite or NaN if a number is non-finite, or too large.
double largest_square(crew &team, const table_view &table)
{
    const items_of_rows items(table);
    std::atomic<uint64_t> largest = 0; // bits of a double, ordered as its values
    team.each(items.count, items.rows * table.columns, [&](int64_t item, int32_t) {
        uint64_t largest_of_item = 0;
        for (int64_t row = item * items.rows; row < std::min((item + 1) * items.rows, table.rows); ++row) {
            double sum = 0.0;
            visit_row(table, row, [&](int64_t, double value) { sum += value * value; });
            largest_of_item = std::max(largest_of_item, bits_of(sum) << 1 >> 1);
        }
        uint64_t seen = largest.load(std::memory_order_relaxed);
        while (seen < largest_of_item &&
               !largest.compare_exchange_weak(seen, largest_of_item, std::memory_order_relaxed)) {
        }
    });
    return double_from_bits(largest.load(std::memory_order_relaxed));
}

} // namespace

row_squares look_at_rows(crew &team, const table_view &table)
{
    const double largest = largest_square(team, table);
    return {largest, is_finite(largest) ? -1 : first_nonfinite_row(table)};
}

void cpu_row_numbers(context &where, int32_t, memory_source &memory, row_numbers_request &request)
{
    const table_view &table = request.table;
    const int64_t columns = round_up(table.columns, int64_t(2));
    const items_of_rows items(table);
    const int workers = workers_for(where, items.count, table.rows * table.columns);
    scratch masks_memory(memory);
    scratch rows_memory(memory);
    auto *const masks = masks_memory.take<uint64_t>(size_t(columns), "the masks of columns");
    auto *const rows = rows_memory.take<double>(size_t(workers * columns), "rows as doubles");
    for (int64_t column = 0; column < columns; ++column)
        masks[column] = mask_of_column(column);
    crew::run(where, workers, [&](crew &team) {
        team.each(items.count, items.rows * columns, [&](int64_t item, int32_t worker) {
            double *const numbers = rows + worker * columns;
            numbers[columns - 1] = 0.0;
            for (int64_t row = item * items.rows; row < std::min((item + 1) * items.rows, table.rows); ++row) {
                visit_row(table, row, [&](int64_t i, double value) { numbers[i] = with_one_zero(value); });
                uint64_t content = 0;
                for (int64_t i = 0; i < columns; i += 2)
                    content += content_of_pair(numbers[i], numbers[i + 1], masks[i], masks[i + 1]);
                request.numbers[row] = content;
            }
        });
    });
}

void cpu_fetch_row(context &, int32_t, memory_source &, const table_view &table, int64_t row, double *numbers)
{
    visit_row(table, row, [&](int64_t column, double value) { numbers[column] = value; });
}

} // namespace iqa
