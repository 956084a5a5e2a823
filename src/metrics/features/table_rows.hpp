// SPDX-License-Identifier: MIT
// Whole rows of the caller's tables as doubles, and random choices of rows.
#pragma once

#include <algorithm>

#include "arith/half.h"
#include "arith/random_order.h"
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

// Brings the `count` rows with the smallest keys of a draw, of `total`, to the front, in the order of their keys.
inline void draw_rows(uint64_t seed, uint64_t draw, int64_t total, int64_t count, keyed_row *rows)
{
    for (int64_t i = 0; i < total; ++i)
        rows[i] = {row_key(seed, draw, uint64_t(i)), i};
    const auto comes_first = [](const keyed_row &a, const keyed_row &b) {
        return a.key != b.key ? a.key < b.key : a.row < b.row;
    };
    if (count < total)
        std::nth_element(rows, rows + count, rows + total, comes_first);
    std::sort(rows, rows + count, comes_first);
}

} // namespace iqa
