// SPDX-License-Identifier: MIT
// The lanes of an arithmetic, and filters down rows and across a row.
#pragma once

#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

template <class Real>
struct lanes_of;
template <>
struct lanes_of<float> {
    using type = lanes_float;
};
template <>
struct lanes_of<double> {
    using type = lanes_double;
};

// Filters `rows` rows (or slices) of `count` maps down, together: weight(row, tap) is a coefficient of the filter,
// source(tap) is row `tap` of the first map, read(from, values) loads all maps at one vector of a row, and out(row, k)
// receives map k of a row. Template argument `taps` replaces `size`, for unrolling, unless it is 0.
template <int rows, int taps, int count, class Lanes, class Weight, class Source, class Read, class Out>
static inline void filter_rows_down(int size, int64_t columns, const Weight &weight, const Source &source,
                                    const Read &read, const Out &out)
{
    if constexpr (taps != 0)
        size = taps;
    for (int64_t at = 0; at < columns; at += Lanes::width) {
        Lanes total[rows][count];
        IQA_UNROLL
        for (int row = 0; row < rows; ++row)
            IQA_UNROLL
        for (int k = 0; k < count; ++k)
            total[row][k] = Lanes::broadcast(0);
        IQA_UNROLL_MUCH
        for (int tap = 0; tap < size + rows - 1; ++tap) {
            Lanes values[count];
            const typename Lanes::real *from = source(tap) + at;
            IQA_FORGET(from);
            read(from, values);
            IQA_UNROLL
            for (int row = 0; row < rows; ++row) {
                const int tap_of_row = tap - row;
                if (tap_of_row < 0 || tap_of_row >= size)
                    continue;
                const Lanes coefficient = Lanes::broadcast_here(weight(row, tap_of_row));
                IQA_UNROLL
                for (int k = 0; k < count; ++k)
                    total[row][k] = fused_multiply_add(coefficient, values[k], total[row][k]);
            }
        }
        IQA_UNROLL
        for (int row = 0; row < rows; ++row)
            IQA_UNROLL
        for (int k = 0; k < count; ++k)
            total[row][k].store(out(row, k) + at);
    }
}

// A filter across rows, of several maps together, tap by tap, so that no sum waits for itself. Template arguments
// `taps` and `step` are its size and the samples from one tap to the next, or 0 where the compiler does not know them.
template <int taps, int step, class Lanes>
struct filter_of_row {
    using real = typename Lanes::real;

    real coefficients[taps]; // a copy, which no store aliases

    filter_of_row(const real *given, int, int) { __builtin_memcpy(coefficients, given, sizeof coefficients); }

    // Filters `count` maps, `next` samples apart, at one vector of positions.
    template <int count>
    void filter(const real *map, int64_t next, Lanes *totals) const
    {
        IQA_UNROLL
        for (int k = 0; k < count; ++k)
            totals[k] = Lanes::broadcast(0);
        add_tap<0, count>(map, next, totals);
    }

private:
    template <int tap, int count>
    void add_tap(const real *map, int64_t next, Lanes *totals) const
    {
        if constexpr (tap < taps) {
            const Lanes coefficient = Lanes::broadcast_here(coefficients[tap]);
            IQA_UNROLL
            for (int k = 0; k < count; ++k)
                totals[k] =
                    fused_multiply_add(coefficient, Lanes::template load_beyond<tap * step>(map + k * next), totals[k]);
            add_tap<tap + 1, count>(map, next, totals);
        }
    }
};

template <int step, class Lanes>
struct filter_of_row<0, step, Lanes> {
    using real = typename Lanes::real;

    const real *coefficients;
    int taps;
    int apart; // samples from one tap to the next

    filter_of_row(const real *given, int size, int distance) : coefficients(given), taps(size), apart(distance) {}

    template <int count>
    void filter(const real *map, int64_t next, Lanes *totals) const
    {
        IQA_UNROLL
        for (int k = 0; k < count; ++k)
            totals[k] = Lanes::broadcast(0);
        for (int tap = 0; tap < taps; ++tap) {
            const Lanes coefficient = Lanes::broadcast(coefficients[tap]);
            IQA_UNROLL
            for (int k = 0; k < count; ++k)
                totals[k] =
                    fused_multiply_add(coefficient, Lanes::load(map + k * next + int64_t(tap) * apart), totals[k]);
        }
    }
};

} // namespace iqa::IQA_INSTRUCTION_SET
