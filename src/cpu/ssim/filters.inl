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

// The taps of a filter across from `tap` on, their number known to the compiler.
template <int tap, int taps, int channels, class Lanes>
static inline Lanes filter_from_tap(const typename Lanes::real *filter, const typename Lanes::real *map, Lanes total)
{
    if constexpr (tap == taps) {
        return total;
    } else {
        const Lanes value = Lanes::template load_beyond<tap * channels>(map);
        total = fused_multiply_add(Lanes::broadcast(filter[tap]), value, total);
        return filter_from_tap<tap + 1, taps, channels>(filter, map, total);
    }
}

// A filter across. Template arguments `taps` and `channels` replace the members, for unrolling, unless they are 0.
template <class Real>
struct filter_of_row {
    const Real *coefficients;
    int taps, channels;
};

// Filters one map across, at one vector of positions.
template <int taps, int channels, class Lanes>
static inline Lanes filter_across(const filter_of_row<typename Lanes::real> &filter, const typename Lanes::real *map)
{
    Lanes total = Lanes::broadcast(0);
    if constexpr (taps != 0) {
        return filter_from_tap<0, taps, channels>(filter.coefficients, map, total);
    } else {
        for (int tap = 0; tap < filter.taps; ++tap)
            total = fused_multiply_add(Lanes::broadcast(filter.coefficients[tap]),
                                       Lanes::load(map + int64_t(tap) * filter.channels), total);
        return total;
    }
}

} // namespace iqa::IQA_INSTRUCTION_SET
