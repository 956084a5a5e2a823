// SPDX-License-Identifier: MIT
// Rows of the caller's tables in a kernel.
#pragma once

#include "arith/element_type.h"
#include "arith/half.h"
#include "arith/random_order.h"
#include "core/tensor.hpp"
#include "cuda/machine/block.h"
#include "cuda/machine/per_thread.h"

namespace iqa::cuda {

// Whether neighbours of a column are closer in memory than neighbours of a row.
IQA_KERNEL bool is_column_major(const table_view &table)
{
    const auto distance = [](int64_t stride) {
        return stride < 0 ? -stride : stride;
    };
    return distance(table.row_stride) < distance(table.column_stride);
}

// A tile of a table as doubles in shared memory, where a thread can follow a row; 0 outside the table.
struct staged_rows {
    static constexpr int threads = 256;
    static constexpr int rows = 64;
    static constexpr int columns = 32;
    static constexpr int stride = columns + 1; // odd: neighbouring rows use different banks
    static constexpr int numbers = rows * stride;
    static constexpr int numbers_of_thread = rows * columns / threads;

    // Neighbouring threads read along the axis with the smaller stride.
    template <class Block>
    IQA_KERNEL static void load(Block &block, const table_view &table, int64_t first_row, int64_t first_column,
                                double *to)
    {
        const bool down = is_column_major(table);
        with_feature_type(table.type, [&](auto type) {
            const auto *data = reinterpret_cast<const decltype(type) *>(table.data);
            block.each(threads, [&](int i) {
                double values[numbers_of_thread];
                for (int n = 0; n < numbers_of_thread; ++n) {
                    const int at = n * threads + i;
                    const int64_t row = first_row + (down ? at % rows : at / columns);
                    const int64_t column = first_column + (down ? at / rows : at % columns);
                    const bool inside = row < table.rows && column < table.columns;
                    values[n] =
                        inside ? double(widen(data[row * table.row_stride + column * table.column_stride])) : 0.0;
                }
                for (int n = 0; n < numbers_of_thread; ++n) {
                    const int at = n * threads + i;
                    to[down ? at % rows * stride + at / rows : at / columns * stride + at % columns] = values[n];
                }
            });
        });
    }

    // Calls use(row) for each row of the tile that the table has, in one step.
    template <class Block, class Use>
    IQA_KERNEL static void each_row(Block &block, const table_view &table, int64_t first_row, Use &&use)
    {
        const int64_t left = table.rows - first_row;
        block.each(int(left < rows ? left : rows), use);
    }

    // Loads all columns, a tile at a time, and calls body(columns of the tile) after each load.
    template <class Block, class Body>
    IQA_KERNEL static void each_chunk(Block &block, const table_view &table, int64_t first_row, double *to, Body &&body)
    {
        for (int64_t first = 0; first < table.columns; first += columns) {
            load(block, table, first_row, first, to);
            const int64_t left = table.columns - first;
            body(int(left < columns ? left : columns));
        }
    }
};

// The number of each row's content. A thread follows a row.
struct number_rows {
    static_assert(staged_rows::columns % 2 == 0); // a pair of columns is in one tile; beyond the last one is 0

    struct arguments {
        table_view table;
        uint64_t *numbers; // [rows]
    };
    static constexpr int threads = staged_rows::threads;
    static constexpr int shared_bytes = (staged_rows::numbers + staged_rows::columns) * int(sizeof(double));

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t first = block.index() * staged_rows::rows;
        auto *const values = reinterpret_cast<double *>(block.shared());
        auto *const masks = reinterpret_cast<uint64_t *>(values + staged_rows::numbers);
        per_thread<Block, uint64_t, threads> sums;
        int64_t column = 0;
        staged_rows::each_chunk(block, args.table, first, values, [&](int count) {
            block.each(staged_rows::columns, [&](int k) { masks[k] = mask_of_column(column + k); });
            staged_rows::each_row(block, args.table, first, [&](int i) {
                const double *row = values + i * staged_rows::stride;
                for (int k = 0; k < count; k += 2)
                    sums[i] +=
                        content_of_pair(with_one_zero(row[k]), with_one_zero(row[k + 1]), masks[k], masks[k + 1]);
            });
            column += count;
        });
        staged_rows::each_row(block, args.table, first, [&](int i) { args.numbers[first + i] = sums[i]; });
    }
};

// Copies one row as doubles.
struct copy_row {
    struct arguments {
        table_view table;
        int64_t row;
        double *to;
    };
    static constexpr int threads = 256;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const table_view &table = args.table;
        const int64_t first = block.index() * threads;
        const int64_t left = table.columns - first;
        with_feature_type(table.type, [&]<class Number>(Number) {
            const Number *data = reinterpret_cast<const Number *>(table.data);
            block.each(int(left < threads ? left : threads), [&](int i) {
                args.to[first + i] =
                    double(widen(data[args.row * table.row_stride + (first + i) * table.column_stride]));
            });
        });
    }
};

} // namespace iqa::cuda
