// SPDX-License-Identifier: MIT
// Products of float64 matrices in the order of arith/trace_order.h: each element is chains of fused multiply-adds,
// steps ascending, that one thread makes.
#pragma once

#include "arith/matrix.h"
#include "arith/trace_order.h"
#include "cuda/own_variables.h"

namespace iqa::cuda {

struct multiply_matrices {
    struct arguments {
        matrix_product product;
        const int64_t *stopped; // nothing is done once this is not negative; NULL: it never is
    };
    static constexpr int threads = 256;
    static constexpr int side = 64;  // of a block's tile
    static constexpr int steps = 32; // between two barriers
    static constexpr int stride = side + 2;
    static constexpr int shared_bytes = 2 * steps * stride * int(sizeof(double));

    static int64_t blocks(int64_t rows, int64_t columns) { return chunks_of(rows, side) * chunks_of(columns, side); }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        const matrix_product &product = given.product;
        const int64_t tiles_down = chunks_of(product.rows, side);
        const int64_t row = block.index() % tiles_down * side;
        const int64_t column = block.index() / tiles_down * side;
        if (product.lower_only && row + side <= column)
            return;
        if (given.stopped != nullptr && *given.stopped >= 0)
            return;
        auto *const a = reinterpret_cast<double *>(block.shared());
        double *const b = a + steps * stride;
        const double sign = product.subtract ? -1.0 : 1.0;
        own_variables<Block, elements, threads> own;
        for (int64_t from = 0; from < product.depth; from += chain_depth) {
            const int64_t end = from + chain_depth < product.depth ? from + chain_depth : product.depth;
            for (int64_t k = from; k < end; k += steps) {
                const int count = int(end - k < steps ? end - k : steps);
                block.each(threads, [&](int i) {
                    load(product.a, row, product.rows, k, count, sign, a, i);
                    load(product.b, column, product.columns, k, count, 1.0, b, i);
                });
                block.each(threads, [&](int i) { own[i].add_products(a, b, count, i); });
            }
            const bool first = from == 0;
            block.each(threads, [&](int i) {
                own[i].end_chain(
                    first && !product.subtract,
                    [&](int r, int c) -> double & { return product.c.column(column + c)[row + r]; }, product.rows - row,
                    product.columns - column, i);
            });
        }
    }

private:
    static constexpr int rows_of_thread = 4;
    static constexpr int columns_of_thread = 4;

    struct alignas(16) pair {
        double of[2];
    };

    // Two neighbouring rows, twice, and four neighbouring columns: so a warp reads whole lines of shared memory.
    struct elements {
        double sums[columns_of_thread][rows_of_thread];

        IQA_HD_MEMBER static int row_of(int i, int r) { return i % 16 * 2 + r % 2 + r / 2 * 32; }
        IQA_HD_MEMBER static int column_of(int i, int c) { return i / 16 * columns_of_thread + c; }

        IQA_HD_MEMBER void add_products(const double *a, const double *b, int count, int i)
        {
            const double *left = a + row_of(i, 0);
            const double *right = b + column_of(i, 0);
            for (int k = 0; k < count; ++k, left += stride, right += stride) {
                const pair rows[2] = {*reinterpret_cast<const pair *>(left),
                                      *reinterpret_cast<const pair *>(left + 32)};
                const pair columns[2] = {*reinterpret_cast<const pair *>(right),
                                         *reinterpret_cast<const pair *>(right + 2)};
                for (int c = 0; c < columns_of_thread; ++c)
                    for (int r = 0; r < rows_of_thread; ++r)
                        sums[c][r] = fused_multiply_add(rows[r / 2].of[r % 2], columns[c / 2].of[c % 2], sums[c][r]);
            }
        }

        template <class Element>
        IQA_HD_MEMBER void end_chain(bool put, Element &&element, int64_t rows, int64_t columns, int i)
        {
            for (int c = 0; c < columns_of_thread; ++c)
                for (int r = 0; r < rows_of_thread; ++r) {
                    if (row_of(i, r) < rows && column_of(i, c) < columns) {
                        double &target = element(row_of(i, r), column_of(i, c));
                        target = put ? sums[c][r] : target + sums[c][r];
                    }
                    sums[c][r] = 0.0;
                }
        }
    };

    // Some steps of an operand into [step][stride], in the order in which they lie in memory.
    IQA_KERNEL static void load(const operand &from, int64_t first, int64_t end, int64_t k, int count, double sign,
                                double *to, int thread)
    {
        constexpr int each = side * steps / threads;
        double values[each];
        for (int n = 0; n < each; ++n) {
            const int at = n * threads + thread;
            const int i = from.transposed ? at / steps : at % side;
            const int step = from.transposed ? at % steps : at / side;
            const bool inside = first + i < end && step < count;
            const int64_t place =
                from.transposed ? (first + i) * from.stride + k + step : (k + step) * from.stride + first + i;
            values[n] = inside ? sign * from.data[place] : 0.0;
        }
        for (int n = 0; n < each; ++n) {
            const int at = n * threads + thread;
            const int i = from.transposed ? at / steps : at % side;
            const int step = from.transposed ? at % steps : at / side;
            to[step * stride + i] = values[n];
        }
    }
};

} // namespace iqa::cuda
