// SPDX-License-Identifier: MIT
// The lanes of an arithmetic, and filters across a row.
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
