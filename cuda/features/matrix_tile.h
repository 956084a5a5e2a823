// SPDX-License-Identifier: MIT
// A tile of dot products of float64 rows, in the order of arith/trace_order.h: one thread computes an element as chains
// of fused multiply-adds in ascending order.
#pragma once

#include "arith/half.h"
#include "arith/trace_order.h"
#include "cuda/machine/per_thread.h"

namespace iqa::cuda {

struct matrix_tile {
    static constexpr int threads = 256;
    static constexpr int side = 64;
    static constexpr int steps = 32; // between two barriers
    static constexpr int stride = side + 2;
    static constexpr int shared_bytes = 2 * steps * stride * int(sizeof(double));
    static constexpr int rows_of_thread = 4;
    static constexpr int columns_of_thread = 4;

    struct alignas(16) pair {
        double values[2];
    };

    // The elements of one thread: twice two neighbouring rows, and four neighbouring columns, so that a warp reads
    // whole lines of shared memory.
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
                        sums[c][r] =
                            fused_multiply_add(rows[r / 2].values[r % 2], columns[c / 2].values[c % 2], sums[c][r]);
            }
        }

        // Passes each sum to use(r, c, sum), and begins the next chain.
        template <class Use>
        IQA_HD_MEMBER void end_chain(Use &&use)
        {
            for (int c = 0; c < columns_of_thread; ++c)
                for (int r = 0; r < rows_of_thread; ++r) {
                    use(r, c, sums[c][r]);
                    sums[c][r] = 0.0;
                }
        }
    };

    // load(side, first step, count, memory, thread) loads the rows of one side, as load_rows() does.
    // end(first, thread, elements) is called when a chain ends: after each chain_depth steps, and after all `depth`.
    template <class Block, class Load, class End>
    IQA_KERNEL static void multiply(Block &block, int64_t depth, Load &&load, End &&end)
    {
        auto *const a = reinterpret_cast<double *>(block.shared());
        double *const b = a + steps * stride;
        per_thread<Block, elements, threads> outputs;
        for (int64_t from = 0; from < depth; from += chain_depth) {
            const int64_t to = from + chain_depth < depth ? from + chain_depth : depth;
            for (int64_t k = from; k < to; k += steps) {
                const int count = int(to - k < steps ? to - k : steps);
                block.each(threads, [&](int i) {
                    load(0, k, count, a, i);
                    load(1, k, count, b, i);
                });
                block.each(threads, [&](int i) { outputs[i].add_products(a, b, count, i); });
            }
            block.each(threads, [&](int i) { end(from == 0, i, outputs[i]); });
        }
    }

    // Stores up to `count` steps of `side` rows at [step][stride], 0 outside. They are read in the order of memory: by
    // row, or by step. number(row, step) returns a number of any type.
    template <class Number>
    IQA_KERNEL static void load_rows(bool by_row, int64_t rows, int count, double *to, int thread, Number &&number)
    {
        constexpr int each = side * steps / threads;
        decltype(number(0, 0)) values[each];
        for (int n = 0; n < each; ++n) {
            const int at = n * threads + thread;
            const int i = by_row ? at / steps : at % side;
            const int step = by_row ? at % steps : at / side;
            values[n] = i < rows && step < count ? number(i, step) : decltype(number(0, 0)){};
        }
        for (int n = 0; n < each; ++n) {
            const int at = n * threads + thread;
            const int i = by_row ? at / steps : at % side;
            const int step = by_row ? at % steps : at / side;
            to[step * stride + i] = double(widen(values[n]));
        }
    }
};

} // namespace iqa::cuda
