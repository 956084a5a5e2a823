// SPDX-License-Identifier: MIT
// The digit lanes of any machine: one pair. kernels.inl needs them beside the lane types.
#pragma once

#include <stdint.h>

namespace iqa::baseline {

constexpr int product_columns = 4;

struct digit_lanes {
    static constexpr int count = 1;
    static constexpr int tile_rows = 4;
    static constexpr int tile_vectors = 2;
    int32_t first; // the sum, or the first digit of a pair
    int32_t second;

    static digit_lanes zero() { return {0, 0}; }
    static digit_lanes load(const int16_t *pair) { return {pair[0], pair[1]}; }
    static digit_lanes repeat_pair(const int16_t *pair) { return load(pair); }
    void store(int32_t *to) const { *to = first; }

    friend digit_lanes add_products_of_pairs(digit_lanes sum, digit_lanes a, digit_lanes b)
    {
        return {int32_t(uint32_t(sum.first) + uint32_t(a.first * b.first) + uint32_t(a.second * b.second)), 0};
    }
};

} // namespace iqa::baseline
