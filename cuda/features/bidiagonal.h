// SPDX-License-Identifier: MIT
// Bidiagonalisation and bisection on a GPU: the steps of src/cpu/features/bidiagonal.cpp, in their order and with their
// names. Four launches reduce a column; each one reads results of many blocks of the one before. Both products of a
// column read the matrix, which fits the second-level cache of a large GPU at 2048 features.
#pragma once

#include "arith/bidiagonal.h"
#include "cuda/features/chains.h"
#include "cuda/features/product.h"

namespace iqa::cuda {

// The state of the current column.
struct column_state {
    reflector from_left, from_right;
    double row_head;
    uint32_t arrivals;
};

struct reduction_view {
    matrix k;
    int64_t rows, columns;  // padded
    double *left, *right;   // [most_pairs][rows], [most_pairs][columns]
    double *partial;        // [column chunks][rows]
    double *column_tail;    // [rows]
    double *row_tail;       // [columns]
    double *chunk_squares;  // of rows, or of columns
    double *diagonal, *off; // [columns]
    double *along;          // [most_pairs]: left_s . tail of the column, then right_s . v
    double *products;       // [columns]: columns of the matrix times the tail of the column
    column_state *state;

    IQA_HD_MEMBER double *left_of(int pair) const { return left + pair * rows; }
    IQA_HD_MEMBER double *right_of(int pair) const { return right + pair * columns; }
};

constexpr int reduction_threads = 256;
static_assert(reduction_threads == row_chunk);

// Squares of chunks first ... last - 1, in ascending order.
IQA_KERNEL double sum_of_chunks(const double *squares, int64_t first, int64_t last)
{
    return sum_of_values(squares + first, 1, int(last - first));
}

// Ends column k - 1 with x = tau A v, updates column k, and makes the reflector that clears it.
struct update_column {
    struct arguments {
        reduction_view view;
        int64_t k;
        int pairs;   // of the columns before k
        bool finish; // end column k - 1
        bool start;  // start column k
    };
    static constexpr int threads = reduction_threads;
    static constexpr int shared_bytes = (2 * most_pairs + row_chunk + dot_lanes) * int(sizeof(double));

    IQA_HD_MEMBER static int64_t first_row(const arguments &args)
    {
        return lanes_down(args.finish ? args.k - 1 : args.k);
    }
    static int64_t blocks(const arguments &args)
    {
        return divide_up(args.view.rows, row_chunk) - first_row(args) / row_chunk;
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const reduction_view &view = args.view;
        const int64_t chunk = first_row(args) / row_chunk + block.index();
        auto *const right_of_column = reinterpret_cast<double *>(block.shared());
        double *const along = right_of_column + most_pairs;
        double *const tail = along + most_pairs;
        double *const partial = tail + row_chunk;
        double *const column = view.k.column(args.k);
        const int64_t from = lanes_down(args.k);
        block.each(args.pairs, [&](int s) {
            right_of_column[s] = view.right_of(s)[args.k];
            along[s] = view.along[s];
        });
        block.each(threads, [&](int thread) {
            const int64_t r = chunk * row_chunk + thread;
            if (args.finish && r >= first_row(args) && r < view.rows)
                finish_x(args, along, r);
            tail[thread] = 0.0;
            if (!args.start || r < from || r >= view.rows)
                return;
            column[r] = subtract_combination(column[r], view.left + r, view.rows, right_of_column, args.pairs);
            view.column_tail[r] = tail[thread] = r <= args.k ? 0.0 : column[r];
        });
        if (!args.start)
            return;
        const int64_t begin = from > chunk * row_chunk ? from - chunk * row_chunk : 0;
        const int64_t end = view.rows - chunk * row_chunk < row_chunk ? view.rows - chunk * row_chunk : row_chunk;
        block.each(dot_lanes,
                   [&](int lane) { partial[lane] = lane_of_dot(tail + begin, tail + begin, end - begin, lane); });
        block.each(1, [&](int) { view.chunk_squares[chunk] = sum_of_lanes(partial); });
        if (!block.comes_last(&view.state->arrivals))
            return;
        block.each(1, [&](int) {
            const double squares =
                sum_of_chunks(view.chunk_squares, args.k / row_chunk, divide_up(view.rows, row_chunk));
            view.state->from_left = make_reflector(column[args.k], squares);
            view.diagonal[args.k] = view.state->from_left.beta;
        });
    }

private:
    IQA_KERNEL static void finish_x(const arguments &args, const double *along, int64_t r)
    {
        const reduction_view &view = args.view;
        const int64_t first_chunk = args.k / column_chunk;
        const int chunks = int(divide_up(view.columns, column_chunk) - first_chunk);
        double x = sum_of_values(view.partial + first_chunk * view.rows + r, view.rows, chunks);
        x = fused_multiply_add(view.state->from_right.scale, x, view.k.column(args.k)[r]);
        x = subtract_combination(x, view.left + r, view.rows, along, args.pairs - 1);
        view.left_of(args.pairs - 1)[r] = x * view.state->from_right.tau;
    }
};

struct column_arguments {
    reduction_view view;
    int64_t k;
    int pairs; // of the columns before k
};

constexpr int dots_of_a_block = reduction_threads / dot_lanes;

// Dot products of the tail of column k with the columns of the matrix and with left_s; and u.
struct reflect_from_left {
    using arguments = column_arguments;
    static constexpr int threads = reduction_threads;
    static constexpr int shared_bytes = threads * int(sizeof(double));

    IQA_HD_MEMBER static int64_t dots(const arguments &args)
    {
        return args.pairs + args.view.columns - lanes_down(args.k + 1);
    }
    static int64_t blocks(const arguments &args)
    {
        const int64_t dot_blocks = divide_up(dots(args), dots_of_a_block);
        const int64_t row_blocks = divide_up(args.view.rows - lanes_down(args.k), threads);
        return dot_blocks > row_blocks ? dot_blocks : row_blocks;
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const reduction_view &view = args.view;
        const int64_t from = lanes_down(args.k);
        auto *const partial = reinterpret_cast<double *>(block.shared());
        const int64_t first = block.index() * dots_of_a_block;
        block.each(threads, [&](int thread) {
            const int64_t dot = first + thread / dot_lanes;
            if (dot >= dots(args))
                return;
            const double *const vector =
                dot < args.pairs ? view.left_of(int(dot)) : view.k.column(dot - args.pairs + lanes_down(args.k + 1));
            partial[thread] = lane_of_dot(vector + from, view.column_tail + from, view.rows - from, thread % dot_lanes);
        });
        block.each(dots_of_a_block, [&](int n) {
            const int64_t dot = first + n;
            if (dot >= dots(args))
                return;
            double *const to =
                dot < args.pairs ? view.along + dot : view.products + dot - args.pairs + lanes_down(args.k + 1);
            *to = sum_of_lanes(partial + n * dot_lanes);
        });
        double *const u = view.left_of(args.pairs);
        block.each(threads, [&](int thread) {
            const int64_t r = from + block.index() * threads + thread;
            if (r < view.rows)
                u[r] = r < args.k ? 0.0 : r == args.k ? 1.0 : view.column_tail[r] * view.state->from_left.scale;
        });
    }
};

// For a chunk of columns and a tile of rows: y = tau A^T u, the row that u leaves behind, and that row's part of A v.
struct multiply_both_ways {
    using arguments = column_arguments;
    static constexpr int threads = reduction_threads;
    static constexpr int shared_bytes = (2 * most_pairs + 3 * column_chunk + dot_lanes) * int(sizeof(double));

    static int64_t row_tiles(const arguments &args) { return divide_up(args.view.rows - lanes_down(args.k), threads); }
    static int64_t blocks(const arguments &args)
    {
        return row_tiles(args) * (divide_up(args.view.columns, column_chunk) - (args.k + 1) / column_chunk);
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const reduction_view &view = args.view;
        const int64_t k = args.k;
        const int64_t from = lanes_down(k);
        const int64_t tiles = divide_up(view.rows - from, threads);
        const int64_t tile = block.index() % tiles;
        const int64_t chunk = (k + 1) / column_chunk + block.index() / tiles;
        const int64_t begin = lanes_down(k + 1) > chunk * column_chunk ? lanes_down(k + 1) : chunk * column_chunk;
        const int64_t end = view.columns < (chunk + 1) * column_chunk ? view.columns : (chunk + 1) * column_chunk;
        auto *const along_left = reinterpret_cast<double *>(block.shared());
        double *const left_of_row = along_left + most_pairs;
        double *const tail = left_of_row + most_pairs;
        double *const values = tail + column_chunk;
        double *const partial = values + 2 * column_chunk;
        const reflector u = view.state->from_left;
        block.each(args.pairs, [&](int s) {
            left_of_row[s] = view.left_of(s)[k];
            along_left[s] = fused_multiply_add(u.scale, view.along[s], left_of_row[s]);
        });
        // y without its factor tau, and the updated row of the matrix.
        const int count = int(end - begin);
        block.each(2 * count, [&](int item) {
            const int64_t c = begin + item % count;
            const bool updates_row = item >= count;
            const double element = view.k.column(c)[k];
            values[item] =
                subtract_combination(updates_row ? element : fused_multiply_add(u.scale, view.products[c], element),
                                     view.right + c, view.columns, updates_row ? left_of_row : along_left, args.pairs);
        });
        block.each(count, [&](int n) {
            const int64_t c = begin + n;
            const double y = c <= k ? 0.0 : values[n] * u.tau;
            const double row = values[count + n] - y;
            tail[n] = c <= k + 1 ? 0.0 : row;
            if (tile != 0)
                return;
            view.right_of(args.pairs)[c] = y;
            view.row_tail[c] = tail[n];
            if (c == k + 1)
                view.state->row_head = row;
        });
        block.each(threads, [&](int thread) {
            const int64_t r = from + tile * threads + thread;
            if (r < view.rows)
                view.partial[chunk * view.rows + r] =
                    add_combination(0.0, view.k.column(begin) + r, view.k.stride, 1.0, tail, count);
        });
        if (tile == 0) {
            block.each(dot_lanes, [&](int lane) { partial[lane] = lane_of_dot(tail, tail, end - begin, lane); });
            block.each(1, [&](int) { view.chunk_squares[chunk] = sum_of_lanes(partial); });
        }
        if (!block.comes_last(&view.state->arrivals))
            return;
        block.each(1, [&](int) {
            const double squares =
                sum_of_chunks(view.chunk_squares, (k + 1) / column_chunk, divide_up(view.columns, column_chunk));
            view.state->from_right = make_reflector(view.state->row_head, squares);
            view.off[k] = view.state->from_right.beta;
        });
    }
};

// v, and right_s . v for all pairs so far, with y.
struct reflect_from_right {
    using arguments = column_arguments;
    static constexpr int threads = reduction_threads;
    static constexpr int shared_bytes = threads * int(sizeof(double));

    static int64_t blocks(const arguments &args)
    {
        const int64_t dot_blocks = divide_up(args.pairs + 1, dots_of_a_block);
        const int64_t column_blocks = divide_up(args.view.columns - lanes_down(args.k + 1), threads);
        return dot_blocks > column_blocks ? dot_blocks : column_blocks;
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const reduction_view &view = args.view;
        const int64_t from = lanes_down(args.k + 1);
        const double scale = view.state->from_right.scale;
        auto *const partial = reinterpret_cast<double *>(block.shared());
        const int first = int(block.index()) * dots_of_a_block;
        block.each(threads, [&](int thread) {
            const int s = first + thread / dot_lanes;
            if (s <= args.pairs)
                partial[thread] =
                    lane_of_dot(view.right_of(s) + from, view.row_tail + from, view.columns - from, thread % dot_lanes);
        });
        block.each(dots_of_a_block, [&](int n) {
            const int s = first + n;
            if (s <= args.pairs)
                view.along[s] =
                    fused_multiply_add(scale, sum_of_lanes(partial + n * dot_lanes), view.right_of(s)[args.k + 1]);
        });
        double *const v = view.right_of(args.pairs + 1);
        block.each(threads, [&](int thread) {
            const int64_t c = from + block.index() * threads + thread;
            if (c < view.columns)
                v[c] = c == args.k + 1 ? 1.0 : view.row_tail[c] * scale;
        });
    }
};

// The singular values of a bidiagonal matrix, one for each block of one warp. Each step of a bisection needs the one
// before, and counting is one chain of divisions. So the threads count for all middles that the next few steps can
// reach, a binary tree, and the steps then only follow the tree.
struct bisect {
    struct arguments {
        const double *diagonal_squared, *off_squared; // [order]
        int64_t order;
        double *values; // [order]
    };
    static constexpr int threads = 32;
    static constexpr int levels = 5; // of the tree
    static constexpr int nodes = (1 << levels) - 1;
    static constexpr int shared_bytes = 2 * (nodes + 1) * int(sizeof(bool));
    static_assert(nodes <= threads);

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const double index = double(block.index());
        // For each node, in two turns: while a slow thread still reads one tree, others write the next.
        auto *const above = reinterpret_cast<bool(*)[nodes + 1]>(block.shared());
        interval range = {0.0, 1.0};
        for (int step = 0, turn = 0; step < bisection_steps; step += levels, turn ^= 1) {
            const int steps = bisection_steps - step < levels ? bisection_steps - step : levels;
            block.each((1 << steps) - 1, [&](int i) {
                const int node = i + 1; // its children 2 node and 2 node + 1 are the lower and the upper half
                int depth = 0;
                while (node >> (depth + 1) != 0)
                    ++depth;
                interval half = range;
                for (int level = depth - 1; level >= 0; --level)
                    half.halve((node >> level & 1) != 0);
                above[turn][node] = values_below(args, half.middle()) <= index;
            });
            int node = 1;
            for (int level = 0; level < steps; ++level) {
                const bool upper = above[turn][node];
                range.halve(upper);
                node = 2 * node + (upper ? 1 : 0);
            }
        }
        block.each(1, [&](int) { args.values[block.index()] = range.middle(); });
    }

private:
    struct interval {
        double low, high;

        IQA_HD_MEMBER double middle() const { return 0.5 * (low + high); }
        IQA_HD_MEMBER void halve(bool upper)
        {
            const double between = middle();
            low = upper ? between : low;
            high = upper ? high : between;
        }
    };

    IQA_KERNEL static double values_below(const arguments &args, double middle)
    {
        const double shift = middle * middle;
        double state = -shift;
        double below = 0.0;
        for (int64_t k = 0; k < args.order; ++k)
            sturm_step(args.diagonal_squared[k], args.off_squared[k], shift, &state, &below);
        return below;
    }
};

} // namespace iqa::cuda
