// SPDX-License-Identifier: MIT
// Exact second moments of a block of rows, over a way to cut the integers of the grid: digits.inl or slices.inl.
#pragma once

#include "arith/element_type.h"
#include "arith/half.h"
#include "arith/second_moment.h"
#include "cpu/features/instruction_set.h"
#include "cpu/features/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

namespace {

constexpr int products_of_a_table = panel_width * panel_width;

// One row of a panel as grid integers and rests, zero beyond `count`. False if a feature is outside the limit.
template <class Element>
bool quantize_row(const Element *from, int64_t stride, int count, double gain, double limit, int32_t *q, int32_t *rests)
{
    int outside = 0;
    for (int j = 0; j < count; ++j) {
        const double feature = widen(from[j * stride]);
        const double value = to_grid(feature, gain);
        const bool inside = __builtin_fabs(value) <= limit;
        outside |= inside ? 0 : 1;
        q[j] = int32_t(inside ? value : 0.0);
        rests[j] = rest_of(inside ? feature : 0.0, gain, inside ? value : 0.0);
    }
    for (int j = count; j < panel_width; ++j)
        q[j] = rests[j] = 0;
    return outside == 0;
}

template <class Element, class Cut>
bool pack_panel_of(const panel_request &request)
{
    constexpr double limit = double(Cut::wide ? wide_limit : narrow_limit);
    const auto *data = static_cast<const Element *>(request.data);
    int32_t q[Cut::rows_together][panel_width];
    int32_t rests[panel_width];
    int64_t sums[panel_width] = {};
    int64_t rest_sums[panel_width] = {};
    int64_t rest_squares[panel_width] = {};
    bool inside = true;
    const int rows = int(round_up(request.rows, Cut::packing.row_step));
    for (int row = 0; row < rows; ++row) {
        int32_t *to = q[row % Cut::rows_together];
        if (row < request.rows) {
            const Element *from = data + row * request.row_stride;
            const bool whole = request.column_stride == 1 && request.columns == panel_width;
            inside &= whole
                          ? quantize_row(from, 1, panel_width, request.gain, limit, to, rests)
                          : quantize_row(from, request.column_stride, request.columns, request.gain, limit, to, rests);
            for (int j = 0; j < panel_width; ++j) {
                sums[j] += to[j];
                rest_sums[j] += rests[j];
                rest_squares[j] += int64_t(rests[j]) * rests[j];
            }
        } else {
            for (int j = 0; j < panel_width; ++j)
                to[j] = 0;
        }
        if (row % Cut::rows_together == Cut::rows_together - 1)
            Cut::pack(q, row / Cut::rows_together, rows, request.packed);
    }
    for (int j = 0; j < panel_width; ++j) {
        request.sums[j] = sums[j];
        request.rest_sums[j] = rest_sums[j];
        request.rest_squares[j] = rest_squares[j];
    }
    return inside;
}

template <template <bool Wide> class Cut>
bool pack_panel(const panel_request &request)
{
    return with_feature_type(request.type, [&]<class Element>(Element) {
        return request.wide ? pack_panel_of<Element, Cut<true>>(request) : pack_panel_of<Element, Cut<false>>(request);
    });
}

template <class Cut, bool Negative>
void add_products_of(const int32_t *products, int count, int64_t *words)
{
    for (int j = 0; j < count; ++j) {
        const moment_words block = Cut::block(products + j);
        const moment_words sum = Negative ? carry({words[2 * j] - block.low, words[2 * j + 1] - block.high})
                                          : carry({words[2 * j] + block.low, words[2 * j + 1] + block.high});
        words[2 * j] = sum.low;
        words[2 * j + 1] = sum.high;
    }
}

template <template <bool Wide> class Cut>
void add_products(const int32_t *products, bool wide, bool negative, int row, int count, int64_t *words)
{
    const int32_t *p = products + row * panel_width;
    if (wide)
        negative ? add_products_of<Cut<true>, true>(p, count, words)
                 : add_products_of<Cut<true>, false>(p, count, words);
    else
        negative ? add_products_of<Cut<false>, true>(p, count, words)
                 : add_products_of<Cut<false>, false>(p, count, words);
}

template <template <bool Wide> class Cut>
constexpr moment_kernels moment_table(const char *name, decltype(moment_kernels::multiply_panels) multiply)
{
    return {
        .name = name,
        .wide = Cut<true>::packing,
        .narrow = Cut<false>::packing,
        .pack_panel = pack_panel<Cut>,
        .multiply_panels = multiply,
        .add_products = add_products<Cut>,
    };
}

} // namespace

} // namespace iqa::IQA_INSTRUCTION_SET
