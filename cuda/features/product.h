// SPDX-License-Identifier: MIT
// Products of float64 matrices, one tile for each block.
#pragma once

#include "arith/matrix.h"
#include "cuda/features/matrix_tile.h"

namespace iqa::cuda {

struct multiply_matrices {
    struct arguments {
        matrix_product product;
        const int64_t *stopped; // the product is skipped if this is not negative; may be NULL
    };
    static constexpr int threads = matrix_tile::threads;
    static constexpr int side = matrix_tile::side;
    static constexpr int shared_bytes = matrix_tile::shared_bytes;

    static int64_t blocks(int64_t rows, int64_t columns) { return divide_up(rows, side) * divide_up(columns, side); }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const matrix_product &product = args.product;
        const int64_t tiles_down = divide_up(product.rows, side);
        const int64_t row = block.index() % tiles_down * side;
        const int64_t column = block.index() / tiles_down * side;
        if (product.lower_only && row + side <= column)
            return;
        if (args.stopped != nullptr && *args.stopped >= 0)
            return;
        const double sign = product.subtract ? -1.0 : 1.0;
        matrix_tile::multiply(
            block, product.depth,
            [&](int input, int64_t k, int count, double *to, int i) {
                if (input == 0)
                    load(product.a, row, product.rows, k, count, sign, to, i);
                else
                    load(product.b, column, product.columns, k, count, 1.0, to, i);
            },
            [&](bool first, int i, matrix_tile::elements &sums) {
                sums.end_chain([&](int r, int c, double sum) {
                    const int64_t to_row = row + matrix_tile::elements::row_of(i, r);
                    const int64_t to_column = column + matrix_tile::elements::column_of(i, c);
                    if (to_row >= product.rows || to_column >= product.columns)
                        return;
                    double &target = product.c.column(to_column)[to_row];
                    target = first && !product.subtract ? sum : target + sum;
                });
            });
    }

private:
    IQA_KERNEL static void load(const operand &from, int64_t first, int64_t end, int64_t k, int count, double sign,
                                double *to, int thread)
    {
        matrix_tile::load_rows(from.transposed, end - first, count, to, thread,
                               [&](int i, int step) { return sign * from.at(first + i, k + step); });
    }
};

} // namespace iqa::cuda
