// SPDX-License-Identifier: MIT
// Neighbours of rows on a GPU, and which rows lie in whose ball. Squares of distances are the CPU's integers
// (arith/neighbours.h), in tiles of pairs of rows: no matrix of all pairs is in memory.
#pragma once

#include "arith/nearest.h"
#include "arith/neighbours.h"
#include "cuda/features/matrix_tile.h"
#include "cuda/machine/table_rows.h"

namespace iqa::cuda {

// What is known of each row by itself. A thread follows a row.
struct measure_rows {
    struct arguments {
        table_view table;
        double gain;
        row_measures *measures; // [rows]
    };
    static constexpr int threads = staged_rows::threads;
    static constexpr int shared_bytes = staged_rows::numbers * int(sizeof(double));

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t first = block.index() * staged_rows::rows;
        auto *const numbers = reinterpret_cast<double *>(block.shared());
        per_thread<Block, row_measures, threads> rows;
        int64_t column = 0;
        staged_rows::each_chunk(block, args.table, first, numbers, [&](int count) {
            staged_rows::each_row(block, args.table, first, [&](int i) {
                for (int n = 0; n < count; ++n)
                    rows[i].add(column + n, numbers[i * staged_rows::stride + n], args.gain);
            });
            column += count;
        });
        staged_rows::each_row(block, args.table, first, [&](int i) { args.measures[first + i] = rows[i]; });
    }
};

// Rows of a set on the grid.
struct grid_rows {
    table_view table;
    double gain;
    const row_measures *measures;
};

// Squares of the distances of a tile of pairs of rows.
struct distance_tile {
    static constexpr int threads = matrix_tile::threads;
    static constexpr int side = matrix_tile::side;
    static constexpr int shared_bytes = matrix_tile::shared_bytes;

    struct products {
        double of[matrix_tile::columns_of_thread][matrix_tile::rows_of_thread];
    };

    // Calls use(thread, row of the tile, column of the tile, square) for each pair that the sets have, in one step.
    template <class Block, class Use>
    IQA_KERNEL static void each(Block &block, const grid_rows &left, int64_t first_row, const grid_rows &right,
                                int64_t first_column, Use &&use)
    {
        per_thread<Block, products, threads> sums;
        matrix_tile::multiply(
            block, left.table.columns,
            [&](int input, int64_t k, int count, double *to, int i) {
                load(input == 0 ? left : right, input == 0 ? first_row : first_column, k, count, to, i);
            },
            [&](bool first, int i, matrix_tile::elements &elements) {
                elements.end_chain([&](int r, int c, double sum) {
                    double &target = sums[i].of[c][r];
                    target = first ? sum : target + sum;
                });
            });
        block.each(threads, [&](int i) {
            for (int c = 0; c < matrix_tile::columns_of_thread; ++c)
                for (int r = 0; r < matrix_tile::rows_of_thread; ++r) {
                    const int row = matrix_tile::elements::row_of(i, r);
                    const int column = matrix_tile::elements::column_of(i, c);
                    if (first_row + row < left.table.rows && first_column + column < right.table.rows)
                        use(i, row, column,
                            square_of_distance(left.measures[first_row + row].square,
                                               right.measures[first_column + column].square, sums[i].of[c][r]));
                }
        });
    }

private:
    IQA_KERNEL static void load(const grid_rows &rows, int64_t first, int64_t k, int count, double *to, int thread)
    {
        with_feature_type(rows.table.type, [&](auto type) {
            const auto *data = reinterpret_cast<const decltype(type) *>(rows.table.data);
            matrix_tile::load_rows(true, rows.table.rows - first, count, to, thread, [&](int i, int step) {
                const auto number = data[(first + i) * rows.table.row_stride + (k + step) * rows.table.column_stride];
                return to_grid(double(widen(number)), rows.gain);
            });
        });
    }
};

// Takes the distances to some rows of a set into the k smallest of each row. A block has `side` rows, and goes through
// tiles of columns; one thread keeps a row's smallest.
struct find_neighbours {
    struct arguments {
        grid_rows set;
        int64_t k;
        int64_t first_tile, tiles; // of columns; with the first, everything begins
        double *heaps;             // [k][rows]
        double *radii;             // [rows]
    };
    static constexpr int threads = distance_tile::threads;
    static constexpr int side = distance_tile::side;
    static constexpr int shared_bytes = distance_tile::shared_bytes;
    static_assert(side * side * int(sizeof(double)) <= shared_bytes);

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t rows = args.set.table.rows;
        const int64_t first_row = block.index() * side;
        const int rows_of_block = int(rows - first_row < side ? rows - first_row : side);
        auto *const squares = reinterpret_cast<double *>(block.shared()); // [column][row], once products are made
        if (args.first_tile == 0)
            block.each(rows_of_block, [&](int i) {
                constexpr uint64_t infinity = 0x7ff0000000000000u;
                for (int64_t n = 0; n < args.k; ++n)
                    args.heaps[n * rows + first_row + i] = double_from_bits(infinity);
                args.radii[first_row + i] = double_from_bits(infinity);
            });
        for (int64_t tile = args.first_tile; tile < args.first_tile + args.tiles; ++tile) {
            const int64_t first_column = tile * side;
            distance_tile::each(
                block, args.set, first_row, args.set, first_column,
                [&](int, int row, int column, double square) { squares[column * side + row] = square; });
            const int columns = int(rows - first_column < side ? rows - first_column : side);
            block.each(rows_of_block, [&](int i) {
                const int64_t row = first_row + i;
                double *const heap = args.heaps + row;
                double radius = args.radii[row];
                for (int c = 0; c < columns; ++c) {
                    const double square = squares[c * side + i];
                    if (square < radius && first_column + c != row) {
                        replace_largest(heap, rows, args.k, square);
                        radius = *heap;
                    }
                }
                args.radii[row] = radius;
            });
        }
    }
};

// Counts for pairs of a row of the first set and one of the second. A block takes one tile of them.
struct count_in_balls {
    struct arguments {
        grid_rows sets[2];
        const double *radii[2];
        double surface; // 0: a ball has it; 1: squares, which are integers, are below the radius's
        int64_t first_tile;
        uint32_t *precise, *recalled, *covered; // [rows of the second], [rows of the first] twice; zero before
        int64_t *pairs;
    };
    static constexpr int threads = distance_tile::threads;
    static constexpr int side = distance_tile::side;
    static constexpr int shared_bytes = distance_tile::shared_bytes;

    IQA_HD_MEMBER static int64_t tiles(int64_t first_rows, int64_t second_rows)
    {
        return divide_up(first_rows, side) * divide_up(second_rows, side);
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t tile = args.first_tile + block.index();
        const int64_t tiles_across = divide_up(args.sets[1].table.rows, side);
        const int64_t first_row = tile / tiles_across * side;
        const int64_t first_column = tile % tiles_across * side;
        per_thread<Block, int64_t, threads> pairs;
        distance_tile::each(block, args.sets[0], first_row, args.sets[1], first_column,
                            [&](int i, int r, int c, double square) {
                                const int64_t row = first_row + r;
                                const int64_t column = first_column + c;
                                if (square + args.surface <= args.radii[0][row]) {
                                    pairs[i] += 1;
                                    set_bits(&args.covered[row], 1);
                                    set_bits(&args.precise[column], 1);
                                }
                                if (square + args.surface <= args.radii[1][column])
                                    set_bits(&args.recalled[row], 1);
                            });
        const int64_t sum = block.sum(threads, [&](int i) { return pairs[i]; });
        block.each(1, [&](int) { add(args.pairs, sum); });
    }
};

} // namespace iqa::cuda
