// SPDX-License-Identifier: MIT
// Pivoted Cholesky on a GPU: the steps of src/cpu/features/cholesky.cpp, in their order. A launch finishes one column,
// and its last block then chooses the next pivot.
#pragma once

#include "arith/second_moment.h"
#include "cuda/features/chains.h"
#include "cuda/features/product.h"

namespace iqa::cuda {

struct cholesky_state {
    int64_t rank; // -1: not known yet
    double noise;
    double least_pivot;
    uint32_t arrivals;
};

struct cholesky_view {
    matrix s; // input: order x order, lower triangle; destroyed
    matrix l; // output: order x rank, rows in the order of the features; zero at the start
    int64_t order;
    int64_t most_rank;
    double *diagonal;
    int64_t *permutation;
    cholesky_state *state;
};

// Fills the lower triangle with the covariance of one set, and the rest of the matrix with 0.
struct fill_covariance {
    struct arguments {
        moment_lanes lanes;
        double unit; // 2^(-2p)
        matrix s;
    };
    static constexpr int threads = 256;

    static int64_t blocks(const matrix &s, int64_t order) { return divide_up(s.stride, threads) * order; }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t blocks_down = divide_up(args.s.stride, threads);
        const int64_t j = block.index() / blocks_down;
        const int64_t first = block.index() % blocks_down * threads;
        block.each(threads, [&](int thread) {
            const int64_t i = first + thread;
            if (i < args.s.stride)
                args.s.column(j)[i] = i < j || i >= args.lanes.features ? 0.0 : covariance(args.lanes, i, j, args.unit);
        });
    }
};

// Chooses an element of the diagonal, in one block. The first of equal ones wins.
struct pivot_choice {
    static constexpr int threads = 256;
    struct candidate {
        double value;
        int64_t index;
    };
    static constexpr int shared_bytes = 2 * threads * int(sizeof(candidate));

    template <bool Largest>
    IQA_HD_MEMBER static bool wins(const candidate &a, const candidate &b)
    {
        if (a.value != b.value)
            return Largest ? a.value > b.value : a.value < b.value;
        return a.index < b.index;
    }

    // The best of diagonal[first] ... diagonal[end - 1].
    template <bool Largest, class Block>
    IQA_KERNEL static candidate best(Block &block, const double *diagonal, int64_t first, int64_t end,
                                     candidate *candidates)
    {
        const int count = int(end - first < threads ? end - first : threads);
        block.each(count, [&](int thread) {
            candidate winner = {diagonal[first + thread], first + thread};
            for (int64_t i = winner.index + threads; i < end; i += threads) {
                const candidate other = {diagonal[i], i};
                winner = wins<Largest>(other, winner) ? other : winner;
            }
            candidates[thread] = winner;
        });
        for (int left = count; left > 1;) {
            const int half = (left + 1) / 2;
            block.each(left - half, [&](int thread) {
                if (wins<Largest>(candidates[thread + half], candidates[thread]))
                    candidates[thread] = candidates[thread + half];
            });
            left = half;
        }
        return candidates[0];
    }

    // Swaps the largest diagonal element to column k of the panel that begins at column `first`, or sets the rank.
    template <class Block>
    IQA_KERNEL static void choose(Block &block, const cholesky_view &view, int64_t first, int64_t k)
    {
        auto *const candidates = reinterpret_cast<candidate *>(block.shared());
        const candidate pivot = best<true>(block, view.diagonal, k, view.order, candidates);
        if (!(pivot.value > view.state->noise) || k >= view.most_rank) {
            const candidate least = best<false>(block, view.diagonal, k, view.order, candidates + threads);
            block.each(1, [&](int) {
                view.state->least_pivot = least.value;
                view.state->rank = k;
            });
        } else if (pivot.index != k) {
            swap_features(block, view, first, k, pivot.index);
        }
    }

private:
    template <class Item>
    IQA_HD_MEMBER static void swap(Item &a, Item &b)
    {
        const Item kept = a;
        a = b;
        b = kept;
    }

    // Swaps features a < b in the lower triangle, from column `first` on.
    template <class Block>
    IQA_KERNEL static void swap_features(Block &block, const cholesky_view &view, int64_t first, int64_t a, int64_t b)
    {
        const matrix &s = view.s;
        block.each(int(view.order - first), [&](int item) {
            const int64_t i = first + item;
            if (i < a)
                swap(s.column(i)[a], s.column(i)[b]);
            else if (i == a)
                swap(view.diagonal[a], view.diagonal[b]), swap(view.permutation[a], view.permutation[b]);
            else if (i < b)
                swap(s.column(a)[i], s.column(i)[b]);
            else if (i > b)
                swap(s.column(a)[i], s.column(b)[i]);
        });
    }
};

struct start_cholesky {
    using arguments = cholesky_view;
    static constexpr int threads = pivot_choice::threads;
    static constexpr int shared_bytes = pivot_choice::shared_bytes;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &view)
    {
        block.each(int(view.order), [&](int i) {
            view.permutation[i] = i;
            view.diagonal[i] = view.s.column(i)[i];
        });
        const auto largest = pivot_choice::best<true>(block, view.diagonal, 0, view.order,
                                                      reinterpret_cast<pivot_choice::candidate *>(block.shared()));
        block.each(1, [&](int) {
            *view.state = {-1, pivot_noise(view.order, largest.value > 0.0 ? largest.value : 0.0), 0.0, 0};
        });
    }
};

// Chooses the pivot of the first column of a panel.
struct choose_first_pivot {
    struct arguments {
        cholesky_view view;
        int64_t k;
    };
    static constexpr int threads = pivot_choice::threads;
    static constexpr int shared_bytes = pivot_choice::shared_bytes;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        if (args.view.state->rank < 0)
            pivot_choice::choose(block, args.view, args.k, args.k);
    }
};

// Column k of L below its pivot. Subtracts the earlier columns of its panel, which the trailing matrix does not have
// yet.
struct finish_cholesky_column {
    struct arguments {
        cholesky_view view;
        int64_t first, last; // of the panel
        int64_t k;
    };
    static constexpr int threads = pivot_choice::threads;
    static constexpr int shared_bytes = pivot_choice::shared_bytes;

    static int64_t blocks(int64_t order, int64_t k) { return k + 1 < order ? divide_up(order - k - 1, threads) : 1; }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const cholesky_view &view = args.view;
        if (view.state->rank >= 0)
            return;
        const int count = int(args.k - args.first);
        auto *const coefficients = reinterpret_cast<double *>(block.shared());
        block.each(count, [&](int t) { coefficients[t] = view.s.column(args.first + t)[args.k]; });
        const double pivot = __builtin_sqrt(view.diagonal[args.k]);
        const double inverse = 1.0 / pivot;
        double *const column = view.s.column(args.k);
        const int64_t begin = args.k + 1 + block.index() * threads;
        block.each(threads, [&](int thread) {
            const int64_t i = begin + thread;
            if (i >= view.order)
                return;
            const double value =
                subtract_combination(column[i], view.s.column(args.first) + i, view.s.stride, coefficients, count) *
                inverse;
            column[i] = value;
            view.diagonal[i] = fused_multiply_add(-value, value, view.diagonal[i]);
        });
        if (!block.comes_last(&view.state->arrivals))
            return;
        block.each(1, [&](int) { column[args.k] = pivot; });
        if (args.k + 1 < args.last)
            pivot_choice::choose(block, view, args.first, args.k + 1);
    }
};

// Copies the finished columns of a panel to L, with rows in the order of the features.
struct place_cholesky_columns {
    struct arguments {
        cholesky_view view;
        int64_t first;
    };
    static constexpr int threads = 256;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const cholesky_view &view = args.view;
        const int64_t k = args.first + block.index();
        if (view.state->rank >= 0 && k >= view.state->rank)
            return;
        block.each(int(view.order - k), [&](int item) {
            const int64_t i = k + item;
            view.l.column(k)[view.permutation[i]] = view.s.column(k)[i];
        });
    }
};

} // namespace iqa::cuda
