// SPDX-License-Identifier: MIT
// Precision, recall, density and coverage from counts, and how many rows rounding decides about. One text for every
// device.
#pragma once

#include <algorithm>
#include <span>

#include "arith/neighbours.h"

namespace iqa {

// Rows whose ball is blurred by rounding. Rows with k equal ones have no ball, and rightly: equal rows are rounded to
// equal rows. `signatures`: memory for one of each row.
inline int64_t count_blurred(std::span<const row_measures> rows, const double *radii, int64_t k, uint64_t *signatures)
{
    uint64_t *const end =
        std::transform(rows.begin(), rows.end(), signatures, [](const row_measures &row) { return row.signature; });
    std::sort(signatures, end);
    return std::count_if(rows.begin(), rows.end(), [&](const row_measures &row) {
        if (!is_blurred(radii[&row - rows.data()], row.rest_square))
            return false;
        const auto [first, last] = std::equal_range(signatures, end, row.signature);
        return last - first <= k;
    });
}

// A set with more of them than this part is refused.
constexpr int64_t blurred_rows_of_one = 64;

} // namespace iqa
