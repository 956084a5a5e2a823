// SPDX-License-Identifier: MIT
// Rows of pixels of any form in the arithmetic's type: luma, weights, masks and borders are applied.
#pragma once

#include "arith/border.h"
#include "arith/comparison.h"
#include "arith/element_type.h"
#include "arith/luma.h"
#include "arith/portable.h"
#include "arith/weight.h"
#include "cpu/images/count.inl"
#include "cpu/images/gather.inl"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/filters.inl"
#include "cpu/ssim/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

// The positions `first` ... `first + count - 1` of a row: those inside the image at once, by inside(to, column,
// length), and each other one by zero(to), by copy(to, from) of one that is there already, or by inside() again.
template <class Inside, class Copy, class Zero>
[[gnu::always_inline]] static inline void for_positions(border_mode border, int64_t first, int64_t count,
                                                        int64_t extent, const Inside &inside, const Copy &copy,
                                                        const Zero &zero)
{
    const int64_t begin = first < 0 ? (-first < count ? -first : count) : 0;
    const int64_t beyond = first + count - extent;
    const int64_t end = beyond > 0 ? (beyond < count ? count - beyond : 0) : count;
    if (begin < end)
        inside(begin, first + begin, end - begin);
    if (begin == 0 && end == count)
        return;
    for (int64_t to = 0; to < count; ++to) {
        if (to == begin && begin < end)
            to = end;
        if (to >= count)
            break;
        const int64_t column = border_index(border, first + to, extent);
        const int64_t from = column - first;
        if (column < 0)
            zero(to);
        else if (from >= begin && from < end)
            copy(to, from);
        else
            inside(to, column, 1);
    }
}

// Whether all of some samples are within a range: as numbers and as vectors of lanes, which are 1 until one is not.
// NaN is not.
template <class Lanes, class Limit>
struct range_check {
    using real = typename Lanes::real;

    Limit low;
    Limit high;
    int32_t outside = 0;
    Lanes inside = Lanes::broadcast(1);

    explicit range_check(data_range range) : low(at_least(range.low, Limit())), high(at_most(range.high, Limit())) {}

    void add(Limit sample) { outside |= !((sample >= low) & (sample <= high)); }
    void add_lanes(Lanes samples)
    {
        inside = keep_if<comparison::at_least>(inside, samples, Lanes::broadcast(real(low)));
        inside = keep_if<comparison::at_least>(inside, Lanes::broadcast(real(high)), samples);
    }
    bool holds() const
    {
        real lanes[Lanes::width];
        inside.store(lanes);
        int32_t any = outside;
        for (const real lane : lanes)
            any |= lane != 1;
        return any == 0;
    }
};

// Asks for no range.
struct any_sample {
    template <class Limit>
    void add(Limit) const
    {
    }
    template <class Lanes>
    void add_lanes(Lanes) const
    {
    }
};

// s and d of a pair of samples, which are given to `check`. Multiplying by the gain, a power of two, is exact.
template <class Real, class Sample, class Check>
[[gnu::always_inline]] static inline void stage_pair(Sample reference, Sample candidate, Real gain, Real pivot,
                                                     Real &sum, Real &difference, Check &check)
{
    check.add(limit_for(reference));
    check.add(limit_for(candidate));
    const Real x = Real(widen(reference)) * gain - pivot;
    const Real y = Real(widen(candidate)) * gain - pivot;
    sum = x + y;
    difference = x - y;
}

// The same of a run of samples.
template <class Real, class Sample, class Check>
static void stage_run(const Sample *__restrict reference, const Sample *__restrict candidate, int64_t count, Real gain,
                      const Real *__restrict pivot, Real *__restrict sum, Real *__restrict difference, Check &check)
{
    using lanes_type = typename lanes_of<Real>::type;
    Check checked = check; // a local, which no store aliases
    constexpr bool by_lanes = lanes_type::width > 1 && requires
    {
        lanes_type::load(reference);
    };
    if constexpr (by_lanes) {
        constexpr int64_t width = lanes_type::width;
        if (count >= width) {
            const lanes_type factor = lanes_type::broadcast(gain);
            for (int64_t i = 0; i < count; i += width) {
                const int64_t at = i + width <= count ? i : count - width; // the last ones may be staged twice
                const lanes_type middle = lanes_type::load(pivot + at);
                const lanes_type first = lanes_type::load(reference + at);
                const lanes_type second = lanes_type::load(candidate + at);
                checked.add_lanes(first);
                checked.add_lanes(second);
                const lanes_type x = first * factor - middle;
                const lanes_type y = second * factor - middle;
                (x + y).store(sum + at);
                (x - y).store(difference + at);
            }
            check = checked;
            return;
        }
    }
    const auto stage = [&](int64_t i) {
        stage_pair(reference[i], candidate[i], gain, pivot[i], sum[i], difference[i], checked);
    };
    int64_t i = 0;
    if constexpr (!by_lanes) {
        // Numbers of samples that the compiler knows, so that short rows and the ends of long ones are vectors too.
        constexpr int64_t many = 64;
        constexpr int64_t few = 16;
        for (const int64_t end = count / many * many; i < end; ++i)
            stage(i);
        for (; i + few <= count; i += few)
            for (int64_t j = i; j < i + few; ++j)
                stage(j);
    }
    for (; i < count; ++i)
        stage(i);
    check = checked;
}

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
    const auto copy_position = [&](int64_t to, int64_t from) {
        reference[to] = reference[from];
        candidate[to] = candidate[from];
        if (weight != nullptr)
            weight[to] = weight[from];
    };
    for_positions(border, first, count, source.width, read_inside, copy_position,
                  [&](int64_t to) { read_zeros(to, 1); });
}

// Likewise s and d of rows without luma and weights, whose pixels lie next to each other.
template <class Sample, class Real>
static void stage_positions(const sample_source &source, border_mode border, int64_t slice, int64_t row, int64_t first,
                            int64_t count, const Real *pivot, Real *sum, Real *difference)
{
    const int64_t z = border_index(border, slice, source.depth);
    const int64_t y = border_index(border, row, source.height);
    const auto stage_zeros = [&](int64_t to, int64_t length) {
        for (int64_t i = to; i < to + length; ++i) {
            sum[i] = (Real(0) - pivot[i]) + (Real(0) - pivot[i]);
            difference[i] = Real(0);
        }
    };
    if (z < 0 || y < 0)
        return stage_zeros(0, count);
    const auto row_of = [&](const sample_volume &side) {
        return static_cast<const Sample *>(side.data) + z * side.slice_stride + y * side.row_stride;
    };
    const Sample *const reference = row_of(source.reference);
    const Sample *const candidate = row_of(source.candidate);
    const auto stage_inside = [&](int64_t to, int64_t column, int64_t length) {
        if (length > 1 && y + rows_ahead < source.height) {
            const int64_t bytes = length * int64_t(sizeof(Sample));
            prefetch_run(reference + column + rows_ahead * source.reference.row_stride, bytes);
            prefetch_run(candidate + column + rows_ahead * source.candidate.row_stride, bytes);
        }
        any_sample check;
        stage_run(reference + column, candidate + column, length, Real(source.gain), pivot + to, sum + to,
                  difference + to, check);
    };
    const auto copy_position = [&](int64_t to, int64_t from) {
        sum[to] = sum[from];
        difference[to] = difference[from];
    };
    for_positions(border, first, count, source.width, stage_inside, copy_position,
                  [&](int64_t to) { stage_zeros(to, 1); });
}

} // namespace iqa::IQA_INSTRUCTION_SET
