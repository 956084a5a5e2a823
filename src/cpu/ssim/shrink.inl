// SPDX-License-Identifier: MIT
// From one level of a pyramid to the next.
#pragma once

#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/kernels.hpp"
#include "cpu/ssim/source.inl"

namespace iqa::IQA_INSTRUCTION_SET {

// Halves two rows into one, in parts that stay in the first cache between the sum of rows and that of columns.
template <class Sample, class Real>
static void halve_two_rows(const Sample *upper, const Sample *lower, int64_t step, int64_t columns, Real gain,
                           Real *out)
{
    constexpr int64_t most = 64;
    Real sums[2 * most];
    for (int64_t from = 0; from < columns; from += most) {
        const int64_t count = columns - from < most ? columns - from : most;
        with_step(step, [&](auto apart) {
            const Sample *const first = upper + 2 * from * apart;
            const Sample *const second = lower + 2 * from * apart;
            const auto add = [&](int64_t samples) {
                for (int64_t i = 0; i < samples; ++i) // the sum starts from 0, also where samples are -0
                    sums[i] = (Real(0) + Real(widen(first[i * apart])) * gain) + Real(widen(second[i * apart])) * gain;
            };
            if (count == most)
                add(2 * most);
            else
                add(2 * count);
        });
        for (int64_t i = 0; i < count; ++i)
            out[from + i] = (sums[2 * i] + sums[2 * i + 1]) * Real(0.25);
    }
}

// The usual case of halve_row(): of a plane, inside the image, as it is. False in another.
template <class Real>
static bool halve_inside(const shrink_row &row)
{
    const sample_source &source = row.source;
    if (row.factor_z != 1 || source.luma != nullptr || row.first_row < 0 || row.first_row + 2 > source.height ||
        row.first_column < 0 || row.first_column + 2 * row.columns > source.width)
        return false;
    with_sample_type(source.type, [&]<class Sample>(Sample) {
        const auto halve = [&](const sample_volume &volume, void *out) {
            const Sample *const upper = static_cast<const Sample *>(volume.data) +
                                        row.first_slice * volume.slice_stride + row.first_row * volume.row_stride +
                                        row.first_column * volume.column_stride;
            const int64_t bytes = 2 * row.columns * volume.column_stride * int64_t(sizeof(Sample));
            for (int line = rows_ahead; line < rows_ahead + 2; ++line)
                if (row.first_row + line < source.height)
                    prefetch_run(upper + line * volume.row_stride, bytes);
            halve_two_rows(upper, upper + volume.row_stride, volume.column_stride, row.columns, Real(source.gain),
                           static_cast<Real *>(out));
        };
        halve(source.reference, row.reference);
        halve(source.candidate, row.candidate);
    });
    return true;
}

// One row of an image half as large, without weights: boxes are summed over slices and rows first, then over columns.
template <class Real>
static void halve_row(const shrink_row &row)
{
    if (halve_inside<Real>(row))
        return;
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

// The sums of `factor` neighbours.
template <class Real, class Factor>
static void sum_each(const Real *__restrict from, int64_t count, Factor factor, Real *__restrict sums)
{
    for (int64_t i = 0; i < count; ++i) {
        Real sum = from[i * factor];
        for (int j = 1; j < factor; ++j)
            sum += from[i * factor + j];
        sums[i] = sum;
    }
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
    const auto sum_columns = [&](auto factor) {
        for (int plane = 0; plane < (weighted ? 3 : 2); ++plane) {
            sum_each(sums[plane], row.columns, factor, x);
            for (int64_t i = 0; i < row.columns; ++i)
                sums[plane][i] = x[i];
        }
    };
    if (row.factor == 2) // the compiler reads pairs as vectors
        sum_columns(constant_step<2>());
    else
        sum_columns(row.factor);
    for (int64_t i = 0; i < row.columns; ++i) {
        const Real divisor = normalised ? sums[2][i] : count;
        out[0][i] = divisor == Real(0) ? Real(0) : sums[0][i] / divisor;
        out[1][i] = divisor == Real(0) ? Real(0) : sums[1][i] / divisor;
    }
    for (int64_t i = 0; weighted && i < row.columns; ++i)
        out[2][i] = sums[2][i] / count;
}

} // namespace iqa::IQA_INSTRUCTION_SET
