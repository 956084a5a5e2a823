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

// The rest of a filter across with a known number of taps, from one tap on.
template <int tap, int taps, int channels, class Lanes>
static inline Lanes filter_from_tap(const typename Lanes::real *weights, const typename Lanes::real *map, Lanes total)
{
    if constexpr (tap == taps) {
        return total;
    } else {
        const Lanes value = Lanes::template load_beyond<tap * channels>(map);
        total = fused_multiply_add(Lanes::broadcast(weights[tap]), value, total);
        return filter_from_tap<tap + 1, taps, channels>(weights, map, total);
    }
}

// A filter across: `taps` and `channels` are constants where the compiler may unroll, else 0 and taken from here.
template <class Real>
struct filter_of_row {
    const Real *weights;
    int taps, channels;
};

// Filters one map across, at one place.
template <int taps, int channels, class Lanes>
static inline Lanes filter_across(const filter_of_row<typename Lanes::real> &filter, const typename Lanes::real *map)
{
    Lanes total = Lanes::broadcast(0);
    if constexpr (taps != 0) {
        return filter_from_tap<0, taps, channels>(filter.weights, map, total);
    } else {
        for (int tap = 0; tap < filter.taps; ++tap)
            total = fused_multiply_add(Lanes::broadcast(filter.weights[tap]),
                                       Lanes::load(map + int64_t(tap) * filter.channels), total);
        return total;
    }
}

} // namespace iqa::IQA_INSTRUCTION_SET
