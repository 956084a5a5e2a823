// SPDX-License-Identifier: MIT
// KID on a GPU: kernel values of pairs of rows, in the CPU's order of operations, summed as integers without a matrix.
#pragma once

#include "arith/polynomial_kernel.h"
#include "cuda/features/matrix_tile.h"
#include "cuda/machine/table_rows.h"

namespace iqa::cuda {

// Finds the largest dot product of a row with itself, and the first row with a number that is not finite. A thread
// follows a row.
struct find_largest_square {
    struct tally {
        uint64_t largest;   // its bits, which order as the numbers do
        uint64_t nonfinite; // complement of the row; 0: none
    };
    struct arguments {
        table_view table;
        tally *found; // zero before
    };
    static constexpr int threads = staged_rows::threads;
    static constexpr int shared_bytes = staged_rows::numbers * int(sizeof(double));

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t first = block.index() * staged_rows::rows;
        auto *const numbers = reinterpret_cast<double *>(block.shared());
        per_thread<Block, row, threads> rows;
        staged_rows::each_chunk(block, args.table, first, numbers, [&](int count) {
            staged_rows::each_row(block, args.table, first, [&](int i) {
                for (int column = 0; column < count; ++column) {
                    const double value = numbers[i * staged_rows::stride + column];
                    rows[i].sum += value * value;
                    rows[i].nonfinite = rows[i].nonfinite || !is_finite(value);
                }
            });
        });
        staged_rows::each_row(block, args.table, first, [&](int i) {
            keep_most(&args.found->largest, bits_of(rows[i].sum) << 1 >> 1);
            if (rows[i].nonfinite)
                keep_most(&args.found->nonfinite, ~uint64_t(first + i));
        });
    }

private:
    struct row {
        double sum;
        bool nonfinite;
    };
};

// Adds the kernel values of pairs of rows to the sums of estimates. A block takes one tile of one matrix of pairs.
struct add_kernel_values {
    struct sums_of_pairs {
        wide_sum pairs[kernel_limbs];
        wide_sum diagonal[kernel_limbs];
    };
    struct sums_of_estimate {
        sums_of_pairs kinds[kinds_of_pairs];
    };
    struct arguments {
        row_set sets[2]; // chosen[estimates][count]
        polynomial_kernel kernel;
        int64_t first_tile, tiles; // of each estimate
        sums_of_estimate *estimates;
    };
    static constexpr int threads = matrix_tile::threads;
    static constexpr int least_resident = 2; // one computes while the other waits for memory
    static constexpr int side = matrix_tile::side;
    static constexpr int shared_bytes = matrix_tile::shared_bytes + 2 * side * int(sizeof(int64_t));

    // Tiles of all three matrices. Blocks above the diagonal of a matrix within a set return at once.
    IQA_HD_MEMBER static int64_t tiles_of_estimate(const row_set (&sets)[2])
    {
        const int64_t first = divide_up(sets[0].count, side);
        const int64_t second = divide_up(sets[1].count, side);
        return first * first + second * second + first * second;
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t estimate = block.index() / args.tiles;
        const pair_tile tile = find_tile(args, args.first_tile + block.index() % args.tiles);
        const bool within = tile.kind != between_sets;
        if (within && tile.row + side <= tile.column)
            return;
        const row_set &left = args.sets[tile.kind == within_second ? 1 : 0];
        const row_set &right = args.sets[tile.kind == within_first ? 0 : 1];
        auto *const offsets = reinterpret_cast<int64_t *>(block.shared() + matrix_tile::shared_bytes);
        block.each(2 * side, [&](int i) {
            const row_set &set = i < side ? left : right;
            const int64_t index = (i < side ? tile.row : tile.column) + i % side;
            offsets[i] = index < set.count ? set.row(set.chosen == nullptr ? index : estimate * set.count + index) *
                                                 set.view.row_stride
                                           : 0;
        });

        per_thread<Block, thread_values, threads> values;
        matrix_tile::multiply(
            block, left.view.columns,
            [&](int input, int64_t k, int count, double *to, int i) {
                if (input == 0)
                    load(left, left.count - tile.row, offsets, k, count, to, i);
                else
                    load(right, right.count - tile.column, offsets + side, k, count, to, i);
            },
            [&](bool first, int i, matrix_tile::elements &products) {
                products.end_chain([&](int r, int c, double sum) {
                    double &target = values[i].products[c][r];
                    target = first ? sum : target + sum;
                });
            });

        block.each(threads, [&](int i) {
            for (int c = 0; c < matrix_tile::columns_of_thread; ++c)
                for (int r = 0; r < matrix_tile::rows_of_thread; ++r) {
                    const int64_t row = tile.row + matrix_tile::elements::row_of(i, r);
                    const int64_t column = tile.column + matrix_tile::elements::column_of(i, c);
                    if (row < left.count && column < right.count && !(within && row < column))
                        values[i].add(kernel_value(args.kernel, values[i].products[c][r]) * args.kernel.unit,
                                      within && row == column);
                }
        });
        sums_of_pairs &to = args.estimates[estimate].kinds[tile.kind];
        for (int limb = 0; limb < kernel_limbs; ++limb) {
            const int64_t pairs = block.sum(threads, [&](int i) { return values[i].pairs[limb]; });
            const int64_t diagonal = block.sum(threads, [&](int i) { return values[i].diagonal[limb]; });
            block.each(1, [&](int) {
                add(&to.pairs[limb], pairs);
                add(&to.diagonal[limb], diagonal);
            });
        }
    }

private:
    struct thread_values {
        double products[matrix_tile::columns_of_thread][matrix_tile::rows_of_thread];
        int64_t pairs[kernel_limbs], diagonal[kernel_limbs];

        IQA_HD_MEMBER void add(double value, bool on_diagonal)
        {
            int64_t limbs[kernel_limbs] = {};
            add_to_limbs(value, limbs);
            for (int limb = 0; limb < kernel_limbs; ++limb) {
                pairs[limb] += on_diagonal ? 0 : limbs[limb];
                diagonal[limb] += on_diagonal ? limbs[limb] : 0;
            }
        }
    };

    // A tile: its matrix of pairs, first row and first column.
    struct pair_tile {
        int kind;
        int64_t row, column;
    };

    IQA_KERNEL static pair_tile find_tile(const arguments &args, int64_t tile)
    {
        const int64_t first = divide_up(args.sets[0].count, side);
        const int64_t second = divide_up(args.sets[1].count, side);
        if (tile < first * first)
            return {within_first, tile / first * side, tile % first * side};
        tile -= first * first;
        const int kind = tile < second * second ? within_second : between_sets;
        tile -= kind == within_second ? 0 : second * second;
        return {kind, tile / second * side, tile % second * side};
    }

    IQA_KERNEL static void load(const row_set &set, int64_t rows, const int64_t *offsets, int64_t k, int count,
                                double *to, int thread)
    {
        with_feature_type(set.view.type, [&](auto type) {
            const auto *data = reinterpret_cast<const decltype(type) *>(set.view.data);
            matrix_tile::load_rows(true, rows, count, to, thread, [&](int i, int step) {
                return data[offsets[i] + (k + step) * set.view.column_stride];
            });
        });
    }
};

} // namespace iqa::cuda
