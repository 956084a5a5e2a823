// SPDX-License-Identifier: MIT
// Random choices of rows.
#pragma once

#include <algorithm>

#include "arith/random_order.h"

namespace iqa {

// Moves the `count` rows with the smallest keys of a draw, among `total`, to the front, in the order of their keys.
// `numbers`: of the rows' contents; NULL: their indices are taken.
inline void draw_rows(uint64_t seed, uint64_t draw, const uint64_t *numbers, int64_t total, int64_t count,
                      keyed_row *rows)
{
    for (int64_t i = 0; i < total; ++i)
        rows[i] = {row_key(seed, draw, numbers != nullptr ? numbers[i] : uint64_t(i)), i};
    const auto comes_first = [](const keyed_row &a, const keyed_row &b) {
        return a.key != b.key ? a.key < b.key : a.row < b.row;
    };
    if (count < total)
        std::nth_element(rows, rows + count, rows + total, comes_first);
    std::sort(rows, rows + count, comes_first);
}

} // namespace iqa
