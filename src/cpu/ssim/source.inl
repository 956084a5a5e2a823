// SPDX-License-Identifier: MIT
// Rows of pixels of any form in the arithmetic's type: luma, weights, masks and borders are applied.
#pragma once

#include "arith/border.h"
#include "arith/element_type.h"
#include "arith/luma.h"
#include "arith/portable.h"
#include "arith/weight.h"
#include "cpu/images/gather.inl"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

// Luma is computed in double, whatever the arithmetic.
template <class Real>
static void read_luma(const sample_source &source, const char *samples, int64_t channel_bytes, int64_t step,
                      int64_t count, Real *out)
{
    constexpr int64_t block = 64;
    double parts[3][block];
    for (int64_t from = 0; from < count; from += block) {
        const int64_t length = count - from < block ? count - from : block;
        for (int channel = 0; channel < 3; ++channel)
            read_run<double>(source.type, samples + channel * channel_bytes + from * step * element_size(source.type),
                             step, length, 1.0, parts[channel]);
        for (int64_t i = 0; i < length; ++i)
            out[from + i] = Real(luma_of(*source.luma, parts[0][i], parts[1][i], parts[2][i]) * source.gain);
    }
}

// Columns `from` ... `from + count - 1` of a row inside the image.
template <class Real>
static void read_row(const sample_source &source, const sample_volume &volume, int64_t slice, int64_t row, int64_t from,
                     int64_t count, Real *out)
{
    const int64_t size = element_size(source.type);
    const char *samples = static_cast<const char *>(volume.data) +
                          (slice * volume.slice_stride + row * volume.row_stride + from * volume.column_stride) * size;
    if (row + rows_ahead < source.height)
        prefetch_run(samples + rows_ahead * volume.row_stride * size, count * volume.column_stride * size);
    if (source.luma != nullptr)
        read_luma(source, samples, volume.channel_stride * size, volume.column_stride, count, out);
    else
        read_run(source.type, samples, volume.column_stride, count, Real(source.gain), out);
}

// Weights are valid here.
template <class Real>
static void read_weights(const weight_volume &weights, int64_t slice, int64_t row, int64_t from, int64_t count,
                         Real *out)
{
    const int64_t at = slice * weights.slice_stride + row * weights.row_stride + from * weights.column_stride;
    with_weight_type(weights.type, [&]<class Weight>(Weight) {
        const Weight *data = static_cast<const Weight *>(weights.data) + at;
        prefetch_run(data + rows_ahead * weights.row_stride, count * weights.column_stride * int64_t(sizeof(Weight)));
        with_step(weights.column_stride, [=](auto apart) {
            for (int64_t i = 0; i < count; ++i)
                out[i] = Real(weight_of_element(data[i * apart]));
        });
    });
}

// One row of both images and of the weights, with positions outside the image. Masked samples become 0. Samples of a
// zero border are 0 too, but have weight 1. `weight` is NULL without weights and masks.
template <class Real>
static void read_positions(const sample_source &source, border_mode border, int64_t slice, int64_t row, int64_t first,
                           int64_t count, Real *reference, Real *candidate, Real *weight)
{
    const int64_t z = border_index(border, slice, source.depth);
    const int64_t y = border_index(border, row, source.height);
    const auto read_inside = [&](int64_t to, int64_t column, int64_t length) {
        read_row(source, source.reference, z, y, column, length, reference + to);
        read_row(source, source.candidate, z, y, column, length, candidate + to);
        if (source.weights.data != nullptr)
            read_weights(source.weights, z, y, column, length, weight + to);
        else if (weight != nullptr)
            for (int64_t i = to; i < to + length; ++i)
                weight[i] = Real(1);
        if (source.mask_nonfinite)
            for (int64_t i = to; i < to + length; ++i)
                if (!is_finite(reference[i]) || !is_finite(candidate[i]))
                    weight[i] = Real(0);
    };
    const auto read_zeros = [&](int64_t to, int64_t length) {
        for (int64_t i = to; i < to + length; ++i) {
            reference[i] = candidate[i] = Real(0);
            if (weight != nullptr)
                weight[i] = Real(1);
        }
    };
    if (z < 0 || y < 0)
        return read_zeros(0, count);
    const int64_t inside_from = first < 0 ? (-first < count ? -first : count) : 0;
    const int64_t beyond = first + count - source.width;
    const int64_t inside_to = beyond > 0 ? (beyond < count ? count - beyond : 0) : count;
    if (inside_from < inside_to)
        read_inside(inside_from, first + inside_from, inside_to - inside_from);
    for (int64_t i = 0; i < count; ++i) {
        if (i == inside_from && inside_from < inside_to)
            i = inside_to;
        if (i >= count)
            break;
        const int64_t x = border_index(border, first + i, source.width);
        const int64_t read = x - first; // where it already is, unless the border reaches beyond the run
        if (x < 0) {
            read_zeros(i, 1);
        } else if (read >= inside_from && read < inside_to) {
            reference[i] = reference[read];
            candidate[i] = candidate[read];
            if (weight != nullptr)
                weight[i] = weight[read];
        } else {
            read_inside(i, x, 1);
        }
    }
}

} // namespace iqa::IQA_INSTRUCTION_SET
