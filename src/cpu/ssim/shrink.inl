// SPDX-License-Identifier: MIT
// From one level of a pyramid to the next.
#pragma once

#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/kernels.hpp"
#include "cpu/ssim/source.inl"

namespace iqa::IQA_INSTRUCTION_SET {

// One row of an image half as large, without weights: boxes are summed over slices and rows first, then over columns.
template <class Real>
static void halve_row(const shrink_row &row)
{
    const int64_t columns = row.columns * 2;
    const int64_t stride = round_up(columns, 32);
    Real *const x = static_cast<Real *>(row.memory);
    Real *const y = x + stride;
    Real *const sums[2] = {y + stride, y + 2 * stride};
    Real *const out[2] = {static_cast<Real *>(row.reference), static_cast<Real *>(row.candidate)};
    const int lines = row.factor_z * 2;
    const Real share = Real(1) / Real(2 * lines); // a power of two
    for (int line = 0; line < lines; ++line) {
        const bool first = line == 0;
        read_positions(row.source, row.border, row.first_slice + line / 2, row.first_row + line % 2, row.first_column,
                       columns, first ? sums[0] : x, first ? sums[1] : y, static_cast<Real *>(nullptr));
        for (int64_t i = 0; !first && i < columns; ++i) {
            sums[0][i] = (Real(0) + sums[0][i]) + x[i]; // the sum starts from 0, also where samples are -0
            sums[1][i] = (Real(0) + sums[1][i]) + y[i];
        }
    }
    for (int side = 0; side < 2; ++side)
        for (int64_t i = 0; i < row.columns; ++i)
            out[side][i] = (sums[side][2 * i] + sums[side][2 * i + 1]) * share;
}

// One row of a smaller image, in the same order.
template <class Real>
static void shrink_one_row(const shrink_row &row)
{
    if (row.factor == 2 && row.weights == nullptr)
        return halve_row<Real>(row);
    const sample_source &source = row.source;
    const int64_t columns = row.columns * row.factor;
    const int64_t stride = round_up(columns, 32);
    Real *const x = static_cast<Real *>(row.memory);
    Real *const y = x + stride;
    Real *const m = y + stride;
    Real *const sums[3] = {m + stride, m + 2 * stride, m + 3 * stride};
    const bool weighted = row.weights != nullptr;
    const bool normalised = weighted && row.normalised;
    for (int64_t i = 0; i < (weighted ? 3 : 2) * stride; ++i)
        sums[0][i] = Real(0);
    for (int z = 0; z < row.factor_z; ++z)
        for (int line = 0; line < row.factor; ++line) {
            read_positions(source, row.border, row.first_slice + z, row.first_row + line, row.first_column, columns, x,
                           y, weighted ? m : nullptr);
            for (int64_t i = 0; normalised && i < columns; ++i) {
                x[i] = m[i] == Real(0) ? Real(0) : x[i] * m[i];
                y[i] = m[i] == Real(0) ? Real(0) : y[i] * m[i];
            }
            for (int64_t i = 0; i < columns; ++i) {
                sums[0][i] += x[i];
                sums[1][i] += y[i];
            }
            for (int64_t i = 0; weighted && i < columns; ++i)
                sums[2][i] += m[i];
        }
    const Real count = Real(row.factor_z) * Real(row.factor) * Real(row.factor);
    Real *const out[3] = {static_cast<Real *>(row.reference), static_cast<Real *>(row.candidate),
                          static_cast<Real *>(row.weights)};
    // Over the columns of each box.
    for (int plane = 0; plane < (weighted ? 3 : 2); ++plane) {
        Real *const sum = sums[plane];
        for (int64_t i = 0; i < row.columns; ++i) {
            Real total = sum[i * row.factor];
            for (int j = 1; j < row.factor; ++j)
                total += sum[i * row.factor + j];
            x[i] = total;
        }
        for (int64_t i = 0; i < row.columns; ++i)
            sum[i] = x[i];
    }
    for (int64_t i = 0; i < row.columns; ++i) {
        const Real divisor = normalised ? sums[2][i] : count;
        out[0][i] = divisor == Real(0) ? Real(0) : sums[0][i] / divisor;
        out[1][i] = divisor == Real(0) ? Real(0) : sums[1][i] / divisor;
    }
    for (int64_t i = 0; weighted && i < row.columns; ++i)
        out[2][i] = sums[2][i] / count;
}

} // namespace iqa::IQA_INSTRUCTION_SET
