// SPDX-License-Identifier: MIT
// Whole rows of the caller's tables as doubles.
#pragma once

#include "arith/half.h"
#include "core/tensor.hpp"

namespace iqa {

// Calls function(column, value) for each number of a row.
template <class Function>
void visit_row(const table_view &view, int64_t row, Function &&function)
{
    with_feature_type(view.type, [&]<class Number>(Number) {
        const Number *const numbers = reinterpret_cast<const Number *>(view.data) + row * view.row_stride;
        if (view.column_stride == 1) // vectorises
            for (int64_t j = 0; j < view.columns; ++j)
                function(j, double(widen(numbers[j])));
        else
            for (int64_t j = 0; j < view.columns; ++j)
                function(j, double(widen(numbers[j * view.column_stride])));
    });
}

// The first row with a non-finite number, or -1.
inline int64_t first_nonfinite_row(const table_view &table)
{
    for (int64_t row = 0; row < table.rows; ++row) {
        bool finite = true;
        visit_row(table, row, [&](int64_t, double value) { finite = finite && is_finite(value); });
        if (!finite)
            return row;
    }
    return -1;
}

} // namespace iqa
