// SPDX-License-Identifier: MIT
// The window means of a box of pixels: images and volumes, with or without weights. Slices are staged as s = x' + y',
// d = x' - y' and the weight m, and filtered in depth, down and across.
#pragma once

#include "arith/border.h"
#include "arith/ssim.h"
#include "arith/ssim_doubt.h"
#include "arith/ssim_pivot.h"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/filters.inl"
#include "cpu/ssim/kernels.hpp"
#include "cpu/ssim/source.inl"

namespace iqa::IQA_INSTRUCTION_SET {

// What staged weights are, so that work is left out which would change no bit. Where all are 1, each window is covered
// by the same share, so that there is no fifth map. Where they are 0 and 1, they need not multiply staged samples,
// which are 0 where the weight is.
enum class weight_kind { ones, mask, any };

// The window means of a box; index k is that of a mean: s, d, s^2, d^2, m. Memory: staged slices in a ring, maps
// filtered in depth, maps filtered down, and a few spare rows. Windows of one slice are filtered down as staged.
template <class Lanes>
struct box_statistics {
    using real = typename Lanes::real;

    const ssim_box &box;
    box_memory memory;
    bool weighted;    // weights are staged
    weight_kind kind; // of the weights staged so far that apply to window means
    real whole;       // how much of a window of weights of 1 is covered: the sum of its taps, rounded as the filters do
    int64_t columns;  // of a row with its margins
    int together;     // slices that are filtered together
    int staged_slices;
    int first_row, end_row; // of the box, that are wanted
    real pivot;
    real *staged, *filtered, *down, *rest;

    box_statistics(const ssim_box &area, box_memory layout)
        : box(area),
          memory(layout),
          weighted(area.source.weights.data != nullptr || area.source.mask_nonfinite),
          kind(weight_kind::ones),
          whole(area.convolution ? covered(area.x, covered(area.y, covered(area.z, 1))) : 1),
          columns(area.x.count + area.x.taps - 1),
          together(area.z.taps == 1 ? 1 : Lanes::rows_at_once),
          staged_slices(0),
          first_row(0),
          end_row(area.y.count),
          pivot(0),
          staged(static_cast<real *>(area.memory)),
          filtered(staged + layout.staged),
          down(filtered + layout.filtered),
          rest(down + layout.down)
    {
    }

    static real covered(const box_axis &axis, real each)
    {
        real total = 0;
        for (int tap = 0; tap < axis.taps; ++tap)
            total = fused_multiply_add(static_cast<const real *>(axis.filter)[tap], each, total);
        return total;
    }

    // True if window means are divided by what the weights cover.
    bool normalises() const { return kind != weight_kind::ones || whole != real(1); }
    int rows() const { return box.y.count + box.y.taps - 1; }
    int slots() const { return ssim_ring_slices(box.z.taps, together); }
    real *plane(int slice, int index) const
    {
        return staged + (staged_planes * (slice % slots()) + index) * memory.rows * memory.stride;
    }
    real *map(int line, int k) const { return filtered + (most_maps * line + k) * memory.rows * memory.stride; }
    real *down_map(int row, int k) const { return down + (most_maps * row + k) * memory.stride; }
    real *spare(int index) const { return rest + index * memory.stride; }

    void find_pivot(const span_of_outputs &in_z, const span_of_outputs &in_y, const span_of_outputs &in_x);
    void stage(int slice);
    template <int slices, int taps, weight_kind kind>
    void filter_depth(int first);
    template <int slices, int taps>
    void filter_depth_at(int first)
    {
        if (kind == weight_kind::ones)
            filter_depth<slices, taps, weight_kind::ones>(first);
        else if (kind == weight_kind::mask)
            filter_depth<slices, taps, weight_kind::mask>(first);
        else
            filter_depth<slices, taps, weight_kind::any>(first);
    }
    template <int rows, int taps, weight_kind kind>
    void filter_down(int line, int row);
    template <int rows, int taps>
    void filter_down_at(int line, int row)
    {
        if (kind == weight_kind::ones)
            filter_down<rows, taps, weight_kind::ones>(line, row);
        else if (kind == weight_kind::mask)
            filter_down<rows, taps, weight_kind::mask>(line, row);
        else
            filter_down<rows, taps, weight_kind::any>(line, row);
    }
    // The slices that are measured together from `first` on. Single ones come first, so that those of the adjoint,
    // which end together with them, have none between.
    int slices_from(int first) const { return (box.z.count - first) % together == 0 ? together : 1; }
    template <class Finish>
    void measure(int first, const Finish &finish);
};

constexpr int maps_of(weight_kind kind)
{
    return kind == weight_kind::ones ? most_maps - 1 : most_maps;
}

// The values of the maps at one vector of staged rows; `next`: from sums to differences to weights.
template <weight_kind kind, class Lanes>
static inline void staged_values(const typename Lanes::real *sum, int64_t next, Lanes (&values)[maps_of(kind)])
{
    values[0] = Lanes::load(sum);
    values[1] = Lanes::load(sum + next);
    values[2] = values[0] * values[0];
    values[3] = values[1] * values[1];
    if constexpr (kind != weight_kind::ones)
        values[4] = Lanes::load(sum + 2 * next);
    if constexpr (kind == weight_kind::any) {
        IQA_UNROLL
        for (int k = 0; k < 4; ++k)
            values[k] = values[k] * values[4];
    }
}

// The values of maps that are `next` apart.
template <int count, class Lanes>
static inline void load_maps(const typename Lanes::real *first, int64_t next, Lanes (&values)[count])
{
    IQA_UNROLL
    for (int k = 0; k < count; ++k)
        values[k] = Lanes::load(first + k * next);
}

template <class Lanes>
void box_statistics<Lanes>::find_pivot(const span_of_outputs &in_z, const span_of_outputs &in_y,
                                       const span_of_outputs &in_x)
{
    const sample_source &source = box.source;
    const auto position = [](const span_of_outputs &span, int64_t extent, int index, int parts) {
        return pivot_position(span.first, 1, span.count, extent, index, parts);
    };
    pivot_grid<real> grid;
    for (int i = 0; i < pivot_samples; ++i) {
        const int row = i / pivot_columns;
        const int64_t z = position(in_z, source.depth, row, pivot_rows);
        const int64_t y = position(in_y, source.height, row, pivot_rows);
        const int64_t x = position(in_x, source.width, i % pivot_columns, pivot_columns);
        real *sample = spare(0);
        read_positions(source, border_mode::replicate, z, y, x, 1, sample, sample + 1, weighted ? sample + 2 : nullptr);
        grid.put(i, sample[0], sample[1], weighted && sample[2] == real(0));
    }
    pivot = grid.pivot();
}

// Stages a slice of the box, with its margins, in the ring.
template <class Lanes>
void box_statistics<Lanes>::stage(int slice)
{
    const sample_source &source = box.source;
    if (!weighted && source.luma == nullptr && source.reference.column_stride == 1 &&
        source.candidate.column_stride == 1) {
        real *const pivots = spare(0);
        for (int64_t i = 0; i < columns; ++i)
            pivots[i] = pivot;
        with_sample_type(source.type, [&]<class Sample>(Sample) {
            for (int row = first_row; row < end_row + box.y.taps - 1; ++row)
                stage_positions<Sample>(source, box.border, box.z.first + slice, box.y.first + row, box.x.first,
                                        columns, pivots, plane(slice, 0) + row * memory.stride,
                                        plane(slice, 1) + row * memory.stride);
        });
        return;
    }
    for (int row = first_row; row < end_row + box.y.taps - 1; ++row) {
        real *sum = plane(slice, 0) + row * memory.stride;
        real *difference = plane(slice, 1) + row * memory.stride;
        real *weight = weighted ? plane(slice, 2) + row * memory.stride : nullptr;
        real *x = spare(0);
        real *y = spare(1);
        read_positions(source, box.border, box.z.first + slice, box.y.first + row, box.x.first, columns, x, y, weight);
        if (!weighted || !box.convolution) {
            for (int64_t i = 0; i < columns; ++i) {
                const real reference = x[i] - pivot;
                const real candidate = y[i] - pivot;
                sum[i] = reference + candidate;
                difference[i] = reference - candidate;
            }
            continue;
        }
        int32_t zeros = 0;
        int32_t between = 0;
        for (int64_t i = 0; i < columns; ++i) {
            const real reference = x[i] - pivot;
            const real candidate = y[i] - pivot;
            const real s = reference + candidate;
            const real d = reference - candidate;
            sum[i] = weight[i] != real(0) ? s : real(0);
            difference[i] = weight[i] != real(0) ? d : real(0);
            zeros |= weight[i] == real(0);
            between |= (weight[i] != real(0)) & (weight[i] != real(1));
        }
        if (between != 0)
            kind = weight_kind::any;
        else if (zeros != 0 && kind == weight_kind::ones)
            kind = weight_kind::mask;
    }
}

// The maps of `slices` slices, filtered in depth from the staged slices from `first` on.
template <class Lanes>
template <int slices, int taps, weight_kind kind>
void box_statistics<Lanes>::filter_depth(int first)
{
    constexpr int count = maps_of(kind);
    const int ring = slots();
    const int first_slot = first % ring;
    const int64_t next = memory.rows * memory.stride; // plane
    for (int row = 0; row < rows(); ++row) {
        const real *from = staged + row * memory.stride;
        filter_rows_down<slices, taps, count, Lanes>(
            box.z.taps, columns,
            [filter = static_cast<const real *>(box.z.filter)](int, int tap) -> const real & { return filter[tap]; },
            [=](int tap) {
                const int slot = first_slot + tap < ring ? first_slot + tap : first_slot + tap - ring;
                return from + staged_planes * next * slot;
            },
            [=](const real *sum, Lanes(&values)[count]) { staged_values<kind>(sum, next, values); },
            [=, this](int line, int k) { return map(line, k) + row * memory.stride; });
    }
}

// Filters `rows` rows of the maps of a slice down, from `row` on.
template <class Lanes>
template <int rows, int taps, weight_kind kind>
void box_statistics<Lanes>::filter_down(int line, int row)
{
    constexpr int count = maps_of(kind);
    const int64_t stride = memory.stride;
    const int64_t next = memory.rows * stride; // the next map or plane
    const real *filter = static_cast<const real *>(box.y.filter);
    const auto weight = [filter](int, int tap) -> const real & {
        return filter[tap];
    };
    const auto out = [this](int to, int k) {
        return down_map(to, k);
    };
    if (box.z.taps == 1) {
        const real *from = plane(0, 0) + row * stride;
        filter_rows_down<rows, taps, count, Lanes>(
            box.y.taps, columns, weight, [=](int tap) { return from + tap * stride; },
            [=](const real *sum, Lanes(&values)[count]) { staged_values<kind>(sum, next, values); }, out);
    } else {
        const real *from = map(line, 0) + row * stride;
        filter_rows_down<rows, taps, count, Lanes>(
            box.y.taps, columns, weight, [=](int tap) { return from + tap * stride; },
            [=](const real *first, Lanes(&values)[count]) { load_maps(first, next, values); }, out);
    }
}

// The window sums at one vector of a row, and after divide() the window means. The last is what the weights cover.
template <class Lanes>
struct window_means {
    Lanes k[most_maps];

    void divide()
    {
        IQA_UNROLL
        for (int i = 0; i < most_maps - 1; ++i)
            k[i] = ratio_or_one(k[i], k[most_maps - 1]);
    }
};

template <int taps, class Lanes>
[[gnu::always_inline]] static inline window_means<Lanes>
sums_at(const box_statistics<Lanes> &statistics, const filter_of_row<taps, 1, Lanes> &across, int row, int64_t at)
{
    const typename Lanes::real *const first = statistics.down_map(row, 0) + at;
    const int64_t next = statistics.memory.stride;
    window_means<Lanes> sums;
    if (statistics.kind == weight_kind::ones) {
        across.template filter<most_maps - 1>(first, next, sums.k);
        sums.k[most_maps - 1] = Lanes::broadcast(statistics.whole);
    } else {
        across.template filter<most_maps>(first, next, sums.k);
    }
    return sums;
}

// True if the weights of all pixels at the centres of the box's windows are 0.
template <class Lanes>
static bool nothing_counts(const box_statistics<Lanes> &statistics)
{
    const ssim_box &box = statistics.box;
    const sample_source &source = box.source;
    if (source.weights.data == nullptr)
        return false;
    const auto inside = [](const box_axis &axis, int64_t extent) {
        const int64_t first = axis.first + axis.taps / 2;
        const int64_t begin = larger_of<int64_t>(first, 0);
        return span_of_outputs{begin, smaller_of<int64_t>(first + axis.count, extent) - begin};
    };
    const auto [slice, slices] = inside(box.z, source.depth);
    const auto [row, rows] = inside(box.y, source.height);
    const auto [column, columns] = inside(box.x, source.width);
    typename Lanes::real *const weights = statistics.spare(0);
    int32_t counted = 0;
    for (int64_t z = slice; z < slice + slices; ++z)
        for (int64_t y = row; y < row + rows && counted == 0; ++y) {
            read_weights(source.weights, z, y, column, columns, weights);
            for (int64_t i = 0; i < columns; ++i)
                counted |= weights[i] != 0;
        }
    return counted == 0;
}

// The sum of rows of values, each times its pixel's weight, or each as it is.
template <bool weighted, class Lanes>
struct sum_of_rows {
    weighted_sum<typename Lanes::real> sum;

    void add(Lanes value, Lanes weight, int) { sum.add(value, weight); }
};

template <class Lanes>
struct sum_of_rows<false, Lanes> {
    fixed_sum<typename Lanes::real> sum;

    void add(Lanes value, Lanes, int count) { sum.add(value, count); }
};

// Adds the doubts of a row. `weights`: the pixels', in units; NULL: each is 1.
static void add_doubts(const float *doubts, const float *weights, int count, doubt_total &total)
{
    int32_t kinds[ssim_tile_width];
    int32_t amounts[ssim_tile_width];
    int32_t pixels = 0;
    for (int i = 0; i < count; ++i) {
        const int32_t weight = weights == nullptr ? 1 : int32_t(weights[i]) >> doubt_weight_shift;
        kinds[i] = doubt_kind(doubts[i]);
        amounts[i] = doubt_units(doubts[i]) * weight;
        pixels += weight;
    }
    total.pixels += pixels;
    for (int i = 0; i < count; ++i)
        total.sums[kinds[i]] += amounts[i];
}

// finish(at, begin(at, sums)) for each vector of a row that was filtered down. What begin() divides is divided while
// the next vector is filtered: what waits for it would otherwise fill the processor's queues.
template <int taps, class Lanes, class Begin, class Finish>
[[gnu::always_inline]] static inline void for_sums_of_row(const box_statistics<Lanes> &statistics,
                                                          const filter_of_row<taps, 1, Lanes> &across, int row,
                                                          const Begin &begin, const Finish &finish)
{
    const int columns = statistics.box.x.count;
    window_means<Lanes> sums = sums_at(statistics, across, row, 0);
    auto begun = begin(0, sums);
    for (int64_t at = 0; at < columns; at += Lanes::width) {
        const bool more = at + Lanes::width < columns;
        const auto now = begun;
        if (more)
            sums = sums_at(statistics, across, row, at + Lanes::width);
        finish(at, now);
        if (more)
            begun = begin(at + Lanes::width, sums);
    }
}

// Measures the slices_from(first) slices: stages what they need, filters in depth and down, and calls
// finish(slice, row of the box, rows) for rows that were filtered down together.
template <class Lanes>
template <class Finish>
void box_statistics<Lanes>::measure(int first, const Finish &finish)
{
    constexpr int at_once = Lanes::rows_at_once;
    const int slices = slices_from(first);
    for (; staged_slices < first + slices + box.z.taps - 1; ++staged_slices)
        stage(staged_slices);
    if (box.z.taps == 11 && slices == at_once)
        filter_depth_at<at_once, 11>(first);
    else if (box.z.taps > 1)
        slices == at_once ? filter_depth_at<at_once, 0>(first) : filter_depth_at<1, 0>(first);
    for (int line = 0; line < slices; ++line)
        for (int row = first_row; row < end_row;) {
            const int count = end_row - row >= at_once ? at_once : 1;
            if (count == 1)
                filter_down_at<1, 0>(line, row);
            else if (box.y.taps == 11)
                filter_down_at<at_once, 11>(line, row);
            else
                filter_down_at<at_once, 0>(line, row);
            finish(first + line, row, count);
            row += count;
        }
}

} // namespace iqa::IQA_INSTRUCTION_SET
