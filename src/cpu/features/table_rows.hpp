// SPDX-License-Identifier: MIT
// Whole rows of the caller's tables as doubles.
#pragma once

#include "arith/half.h"
#include "core/tensor.hpp"

namespace iqa {

namespace detail {

template <class Number, class Function>
void visit_row_of(const table_view &view, int64_t row, Function &&function)
{
    const Number *const numbers = reinterpret_cast<const Number *>(view.data) + row * view.row_stride;
    if (view.column_stride == 1) // a loop that becomes lanes
        for (int64_t j = 0; j < view.columns; ++j)
            function(j, double(widen(numbers[j])));
    else
        for (int64_t j = 0; j < view.columns; ++j)
            function(j, double(widen(numbers[j * view.column_stride])));
}

} // namespace detail

// Calls function(column, value) for each number of a row.
template <class Function>
void visit_row(const table_view &view, int64_t row, Function &&function)
{
    switch (view.type) {
    case element_type::float16:
        return detail::visit_row_of<float16>(view, row, function);
    case element_type::bfloat16:
        return detail::visit_row_of<bfloat16>(view, row, function);
    case element_type::float32:
        return detail::visit_row_of<float>(view, row, function);
    default:
        return detail::visit_row_of<double>(view, row, function);
    }
}

// The first row with a number that is not finite, or -1.
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
