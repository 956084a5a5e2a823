// SPDX-License-Identifier: MIT
// Exact second moments: 16-bit digits, 32-bit sums, 64-bit words.
#pragma once

#include "arith/element_type.h"
#include "arith/half.h"
#include "arith/second_moment.h"
#include "cpu/features/instruction_set.h"
#include "cpu/features/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

namespace {

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

// Two rows of grid integers as planes of digit pairs; the lower half of a pair is the first row's.
template <bool Wide>
void split_rows(const int32_t *first, const int32_t *second, int64_t plane_stride, int16_t *planes)
{
    constexpr int count = Wide ? wide_planes : narrow_planes;
    for (int j = 0; j < panel_width; ++j) {
        int32_t a[count];
        int32_t b[count];
        if constexpr (Wide) {
            split_wide(first[j], a);
            split_wide(second[j], b);
        } else {
            split_narrow(first[j], a);
            split_narrow(second[j], b);
        }
        for (int plane = 0; plane < count; ++plane) {
            const uint32_t pair = (uint32_t(a[plane]) & 0xffffu) | (uint32_t(b[plane]) << 16);
            __builtin_memcpy(planes + plane * plane_stride + 2 * j, &pair, sizeof pair);
        }
    }
}

template <class Element, bool Wide>
bool pack_panel_of(const panel_request &request)
{
    constexpr double limit = double(Wide ? wide_limit : narrow_limit);
    const auto *data = static_cast<const Element *>(request.data);
    int32_t q[2][panel_width];
    int32_t rests[panel_width];
    int64_t sums[panel_width] = {};
    int64_t rest_sums[panel_width] = {};
    int64_t rest_squares[panel_width] = {};
    bool inside = true;
    for (int row = 0; row < request.rows; ++row) {
        const Element *from = data + row * request.row_stride;
        int32_t *to = q[row & 1];
        const bool whole = request.column_stride == 1 && request.columns == panel_width;
        inside &= whole ? quantize_row(from, 1, panel_width, request.gain, limit, to, rests)
                        : quantize_row(from, request.column_stride, request.columns, request.gain, limit, to, rests);
        for (int j = 0; j < panel_width; ++j) {
            sums[j] += to[j];
            rest_sums[j] += rests[j];
            rest_squares[j] += int64_t(rests[j]) * rests[j];
        }
        if ((row & 1) == 0 && row + 1 == request.rows)
            for (int j = 0; j < panel_width; ++j)
                q[1][j] = 0;
        else if ((row & 1) == 0)
            continue;
        split_rows<Wide>(q[0], q[1], request.plane_stride, request.planes + int64_t(row / 2) * panel_width * 2);
    }
    for (int j = 0; j < panel_width; ++j) {
        request.sums[j] = sums[j];
        request.rest_sums[j] = rest_sums[j];
        request.rest_squares[j] = rest_squares[j];
    }
    return inside;
}

bool pack_panel(const panel_request &request)
{
    return with_feature_type(request.type, [&]<class Element>(Element) {
        return request.wide ? pack_panel_of<Element, true>(request) : pack_panel_of<Element, false>(request);
    });
}

template <bool Wide, bool Negative>
void add_products_of(const int32_t *p, int count, int64_t *words)
{
    constexpr int plane = panel_width * panel_width;
    for (int j = 0; j < count; ++j) {
        moment_words block;
        if constexpr (Wide)
            block = from_wide_planes(uint32_t(p[j]), uint32_t(p[plane + j]), uint32_t(p[2 * plane + j]),
                                     uint32_t(p[3 * plane + j]), uint32_t(p[4 * plane + j]));
        else
            block = from_narrow_planes(p[j], p[plane + j], p[2 * plane + j]);
        const moment_words sum = Negative ? carry({words[2 * j] - block.low, words[2 * j + 1] - block.high})
                                          : carry({words[2 * j] + block.low, words[2 * j + 1] + block.high});
        words[2 * j] = sum.low;
        words[2 * j + 1] = sum.high;
    }
}

void add_products(const int32_t *products, bool wide, bool negative, int row, int count, int64_t *words)
{
    const int32_t *p = products + row * panel_width;
    if (wide)
        negative ? add_products_of<true, true>(p, count, words) : add_products_of<true, false>(p, count, words);
    else
        negative ? add_products_of<false, true>(p, count, words) : add_products_of<false, false>(p, count, words);
}

} // namespace

} // namespace iqa::IQA_INSTRUCTION_SET
