// SPDX-License-Identifier: MIT
// One-dimensional filters. `known`: the number of taps where the compiler knows it, or else 0.
#pragma once

#include "cuda/machine/block.h"

namespace iqa::cuda {

constexpr int usual_taps = 11; // for which there are kernels

// Calls step(tap) for each tap.
template <int known, class Step>
IQA_KERNEL void each_tap(int taps, Step &&step)
{
    if constexpr (known != 0) {
        IQA_UNROLL_ON_GPU
        for (int tap = 0; tap < known; ++tap)
            step(tap);
    } else {
        for (int tap = 0; tap < taps; ++tap)
            step(tap);
    }
}

// Outputs that follow one another share what they read: output i has `taps` rows from row i on. Adds the rows from
// `from` to before `until`, which load(row, values) reads; weight(tap, output) is also asked for outputs that are not
// wanted.
template <int known, class Real, int outputs, int maps, class Load, class Weight>
IQA_KERNEL void filter_rows(int taps, int from, int until, Real (&totals)[outputs][maps], Load &&load, Weight &&weight)
{
    const auto add = [&](int row, int taps_of_output) {
        Real values[maps];
        load(row, values);
        IQA_UNROLL_ON_GPU
        for (int output = 0; output < outputs; ++output) {
            const int tap = row - output;
            if (tap < 0 || tap >= taps_of_output)
                continue;
            const Real factor = weight(tap, output);
            IQA_UNROLL_ON_GPU
            for (int map = 0; map < maps; ++map)
                totals[output][map] = fused_multiply_add(factor, values[map], totals[output][map]);
        }
    };
    if constexpr (known != 0) {
        IQA_UNROLL_ON_GPU
        for (int row = 0; row < known + outputs - 1; ++row)
            if (row >= from && row < until)
                add(row, known);
    } else {
        for (int row = from; row < until; ++row)
            add(row, taps);
    }
}

} // namespace iqa::cuda
