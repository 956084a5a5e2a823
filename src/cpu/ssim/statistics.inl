// SPDX-License-Identifier: MIT
// The window means of a box of pixels: images and volumes, with weights or without. Slices are staged as s = x' + y',
// d = x' - y' and the weight m; filtered in depth, down and across.
#pragma once

#include "arith/border.h"
#include "arith/ssim.h"
#include "arith/ssim_pivot.h"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/filters.inl"
#include "cpu/ssim/kernels.hpp"
#include "cpu/ssim/source.inl"

namespace iqa::IQA_INSTRUCTION_SET {

// The window means of a box. Memory: rows of staged slices in a ring, maps filtered in depth, maps filtered down, and a
// few rows for the rest.
template <class Lanes>
struct box_statistics {
    using real = typename Lanes::real;

    const ssim_box &box;
    box_memory memory;
    int maps;        // 4, or 5 with the weights' own
    bool weighted;   // weights are staged
    int64_t columns; // of a row with its margins
    real pivot;
    real *staged, *filtered, *down, *rest;

    box_statistics(const ssim_box &of, box_memory layout)
        : box(of),
          memory(layout),
          maps(of.convolution ? most_maps : 4),
          weighted(of.source.weights.data != nullptr || of.source.mask_nonfinite),
          columns(of.x.count + of.x.taps - 1),
          pivot(0),
          staged(static_cast<real *>(of.memory)),
          filtered(staged + layout.staged),
          down(filtered + layout.filtered),
          rest(down + layout.down)
    {
    }

    int rows() const { return box.y.count + box.y.taps - 1; }
    real *plane(int slice, int which) const
    {
        return staged + (staged_planes * (slice % box.z.taps) + which) * memory.rows * memory.stride;
    }
    real *map(int which) const { return filtered + which * memory.rows * memory.stride; }
    real *down_map(int row, int which) const { return down + (most_maps * row + which) * memory.stride; }
    real *spare(int which) const { return rest + which * memory.stride; }

    void find_pivot();
    void stage(int slice);
    template <int count>
    void filter_depth(int first);
    void filter_depth_at(int first) { maps == 4 ? filter_depth<4>(first) : filter_depth<most_maps>(first); }
    template <int together>
    void filter_down(int row);
};

template <class Lanes>
void box_statistics<Lanes>::find_pivot()
{
    const sample_source &source = box.source;
    const auto place = [](const box_axis &axis, int64_t extent, int index, int parts) {
        return pivot_place(axis.first, axis.taps, axis.count, extent, index, parts);
    };
    pivot_grid<real> grid;
    for (int i = 0; i < pivot_samples; ++i) {
        const int row = i / pivot_columns;
        const int64_t z = place(box.z, source.depth, row, pivot_rows);
        const int64_t y = place(box.y, source.height, row, pivot_rows);
        const int64_t x = place(box.x, source.width, i % pivot_columns, pivot_columns);
        real *sample = spare(0);
        read_positions(source, border_mode::replicate, z, y, x, 1, sample, sample + 1, weighted ? sample + 2 : nullptr);
        grid.put(i, sample[0], sample[1], weighted && sample[2] == real(0));
    }
    pivot = grid.pivot();
}

// Slice `slice` of the box with its margins into the ring.
template <class Lanes>
void box_statistics<Lanes>::stage(int slice)
{
    for (int row = 0; row < rows(); ++row) {
        real *sum = plane(slice, 0) + row * memory.stride;
        real *difference = plane(slice, 1) + row * memory.stride;
        real *weight = weighted ? plane(slice, 2) + row * memory.stride : nullptr;
        real *x = spare(0);
        real *y = spare(1);
        read_positions(box.source, box.border, box.z.first + slice, box.y.first + row, box.x.first, columns, x, y,
                       weight);
        for (int64_t i = 0; i < columns; ++i) {
            const real own = x[i] - pivot;
            const real other = y[i] - pivot;
            sum[i] = own + other;
            difference[i] = own - other;
        }
        if (weighted && box.convolution)
            for (int64_t i = 0; i < columns; ++i)
                if (weight[i] == real(0))
                    sum[i] = difference[i] = real(0);
    }
}

// The maps of one slice from the staged ones, `first` on.
template <class Lanes>
template <int count>
void box_statistics<Lanes>::filter_depth(int first)
{
    const real *weights = static_cast<const real *>(box.z.weights);
    for (int row = 0; row < rows(); ++row)
        for (int64_t at = row * memory.stride; at < row * memory.stride + columns; at += Lanes::width) {
            Lanes total[count];
            IQA_UNROLL
            for (int which = 0; which < count; ++which)
                total[which] = Lanes::broadcast(0);
            for (int tap = 0; tap < box.z.taps; ++tap) {
                const Lanes weight = Lanes::broadcast(weights[tap]);
                const Lanes sum = Lanes::load(plane(first + tap, 0) + at);
                const Lanes difference = Lanes::load(plane(first + tap, 1) + at);
                Lanes parts[most_maps] = {sum, difference, sum * sum, difference * difference, weight};
                if constexpr (count == most_maps) {
                    parts[4] = Lanes::load(plane(first + tap, 2) + at);
                    IQA_UNROLL
                    for (int which = 0; which < 4; ++which)
                        parts[which] = parts[which] * parts[4];
                }
                IQA_UNROLL
                for (int which = 0; which < count; ++which)
                    total[which] = fused_multiply_add(weight, parts[which], total[which]);
            }
            IQA_UNROLL
            for (int which = 0; which < count; ++which)
                total[which].store(map(which) + at);
        }
}

// `together` rows of the maps, from `row` on.
template <class Lanes>
template <int together>
void box_statistics<Lanes>::filter_down(int row)
{
    const real *weights = static_cast<const real *>(box.y.weights);
    const int taps = box.y.taps;
    for (int which = 0; which < maps; ++which)
        for (int64_t at = 0; at < columns; at += Lanes::width) {
            Lanes total[together];
            IQA_UNROLL
            for (int own = 0; own < together; ++own)
                total[own] = Lanes::broadcast(0);
            for (int tap = 0; tap < taps + together - 1; ++tap) {
                const Lanes value = Lanes::load(map(which) + (row + tap) * memory.stride + at);
                IQA_UNROLL
                for (int own = 0; own < together; ++own)
                    if (tap - own >= 0 && tap - own < taps)
                        total[own] = fused_multiply_add(Lanes::broadcast(weights[tap - own]), value, total[own]);
            }
            IQA_UNROLL
            for (int own = 0; own < together; ++own)
                total[own].store(down_map(own, which) + at);
        }
}

// The window means at one place of a row that was filtered down, normalised where weights make the means.
template <int taps, class Lanes>
static inline void means_at(const box_statistics<Lanes> &of, const filter_of_row<typename Lanes::real> &filter, int row,
                            int64_t at, Lanes (&means)[most_maps])
{
    IQA_UNROLL
    for (int which = 0; which < 4; ++which)
        means[which] = filter_across < taps, taps ? 1 : 0, Lanes > (filter, of.down_map(row, which) + at);
    if (of.maps == most_maps) {
        means[4] = filter_across < taps, taps ? 1 : 0, Lanes > (filter, of.down_map(row, 4) + at);
        IQA_UNROLL
        for (int which = 0; which < 4; ++which)
            means[which] = ratio_or_one(means[which], means[4]);
    } else {
        means[4] = Lanes::broadcast(1);
    }
}

// Filters row after row of a slice down and hands each to `finish(row of the box, row of the maps)`.
template <class Lanes, class Finish>
static void for_each_row_down(box_statistics<Lanes> &of, int rows, Finish &&finish)
{
    for (int first = 0; first < rows;) {
        const bool together = rows - first >= Lanes::rows_at_once;
        if (together)
            of.template filter_down<Lanes::rows_at_once>(first);
        else
            of.template filter_down<1>(first);
        const int count = together ? Lanes::rows_at_once : 1;
        for (int row = 0; row < count; ++row)
            finish(first + row, row);
        first += count;
    }
}

} // namespace iqa::IQA_INSTRUCTION_SET
