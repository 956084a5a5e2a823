// SPDX-License-Identifier: MIT
// The window means of a box of pixels: images and volumes, with or without weights. Slices are staged as s = x' + y',
// d = x' - y' and the weight m, and filtered in depth, down and across.
#pragma once

#include "arith/border.h"
#include "arith/ssim.h"
#include "arith/ssim_pivot.h"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/filters.inl"
#include "cpu/ssim/kernels.hpp"
#include "cpu/ssim/source.inl"

namespace iqa::IQA_INSTRUCTION_SET {

// The window means of a box; index k is that of a mean: s, d, s^2, d^2, m. Memory: staged slices in a ring, maps
// filtered in depth, maps filtered down, and a few spare rows.
template <class Lanes>
struct box_statistics {
    using real = typename Lanes::real;

    const ssim_box &box;
    box_memory memory;
    int maps;        // 4, or 5 with that of the weights
    bool weighted;   // weights are staged
    int64_t columns; // of a row with its margins
    real pivot;
    real *staged, *filtered, *down, *rest;

    box_statistics(const ssim_box &area, box_memory layout)
        : box(area),
          memory(layout),
          maps(area.convolution ? most_maps : 4),
          weighted(area.source.weights.data != nullptr || area.source.mask_nonfinite),
          columns(area.x.count + area.x.taps - 1),
          pivot(0),
          staged(static_cast<real *>(area.memory)),
          filtered(staged + layout.staged),
          down(filtered + layout.filtered),
          rest(down + layout.down)
    {
    }

    int rows() const { return box.y.count + box.y.taps - 1; }
    real *plane(int slice, int index) const
    {
        return staged + (staged_planes * (slice % box.z.taps) + index) * memory.rows * memory.stride;
    }
    real *map(int k) const { return filtered + k * memory.rows * memory.stride; }
    real *down_map(int row, int k) const { return down + (most_maps * row + k) * memory.stride; }
    real *spare(int index) const { return rest + index * memory.stride; }

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
    const auto position = [](const box_axis &axis, int64_t extent, int index, int parts) {
        return pivot_position(axis.first, axis.taps, axis.count, extent, index, parts);
    };
    pivot_grid<real> grid;
    for (int i = 0; i < pivot_samples; ++i) {
        const int row = i / pivot_columns;
        const int64_t z = position(box.z, source.depth, row, pivot_rows);
        const int64_t y = position(box.y, source.height, row, pivot_rows);
        const int64_t x = position(box.x, source.width, i % pivot_columns, pivot_columns);
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
    for (int row = 0; row < rows(); ++row) {
        real *sum = plane(slice, 0) + row * memory.stride;
        real *difference = plane(slice, 1) + row * memory.stride;
        real *weight = weighted ? plane(slice, 2) + row * memory.stride : nullptr;
        real *x = spare(0);
        real *y = spare(1);
        read_positions(box.source, box.border, box.z.first + slice, box.y.first + row, box.x.first, columns, x, y,
                       weight);
        for (int64_t i = 0; i < columns; ++i) {
            const real reference = x[i] - pivot;
            const real candidate = y[i] - pivot;
            sum[i] = reference + candidate;
            difference[i] = reference - candidate;
        }
        if (weighted && box.convolution)
            for (int64_t i = 0; i < columns; ++i)
                if (weight[i] == real(0))
                    sum[i] = difference[i] = real(0);
    }
}

// The maps of one slice, filtered in depth from the staged slices from `first` on.
template <class Lanes>
template <int count>
void box_statistics<Lanes>::filter_depth(int first)
{
    const real *filter = static_cast<const real *>(box.z.filter);
    for (int row = 0; row < rows(); ++row)
        for (int64_t at = row * memory.stride; at < row * memory.stride + columns; at += Lanes::width) {
            Lanes total[count];
            IQA_UNROLL
            for (int k = 0; k < count; ++k)
                total[k] = Lanes::broadcast(0);
            for (int tap = 0; tap < box.z.taps; ++tap) {
                const Lanes weight = Lanes::broadcast(filter[tap]);
                const Lanes sum = Lanes::load(plane(first + tap, 0) + at);
                const Lanes difference = Lanes::load(plane(first + tap, 1) + at);
                Lanes values[most_maps] = {sum, difference, sum * sum, difference * difference, weight};
                if constexpr (count == most_maps) {
                    values[4] = Lanes::load(plane(first + tap, 2) + at);
                    IQA_UNROLL
                    for (int k = 0; k < 4; ++k)
                        values[k] = values[k] * values[4];
                }
                IQA_UNROLL
                for (int k = 0; k < count; ++k)
                    total[k] = fused_multiply_add(weight, values[k], total[k]);
            }
            IQA_UNROLL
            for (int k = 0; k < count; ++k)
                total[k].store(map(k) + at);
        }
}

// Filters `together` rows of the maps down, from `row` on.
template <class Lanes>
template <int together>
void box_statistics<Lanes>::filter_down(int row)
{
    const real *filter = static_cast<const real *>(box.y.filter);
    const int taps = box.y.taps;
    for (int k = 0; k < maps; ++k)
        for (int64_t at = 0; at < columns; at += Lanes::width) {
            Lanes total[together];
            IQA_UNROLL
            for (int line = 0; line < together; ++line)
                total[line] = Lanes::broadcast(0);
            for (int tap = 0; tap < taps + together - 1; ++tap) {
                const Lanes value = Lanes::load(map(k) + (row + tap) * memory.stride + at);
                IQA_UNROLL
                for (int line = 0; line < together; ++line)
                    if (tap - line >= 0 && tap - line < taps)
                        total[line] = fused_multiply_add(Lanes::broadcast(filter[tap - line]), value, total[line]);
            }
            IQA_UNROLL
            for (int line = 0; line < together; ++line)
                total[line].store(down_map(line, k) + at);
        }
}

// The window means at one vector of a row that was filtered down, normalised if they are weighted.
template <int taps, class Lanes>
static inline void means_at(const box_statistics<Lanes> &statistics, const filter_of_row<typename Lanes::real> &filter,
                            int row, int64_t at, Lanes (&means)[most_maps])
{
    IQA_UNROLL
    for (int k = 0; k < 4; ++k)
        means[k] = filter_across < taps, taps ? 1 : 0, Lanes > (filter, statistics.down_map(row, k) + at);
    if (statistics.maps == most_maps) {
        means[4] = filter_across < taps, taps ? 1 : 0, Lanes > (filter, statistics.down_map(row, 4) + at);
        IQA_UNROLL
        for (int k = 0; k < 4; ++k)
            means[k] = ratio_or_one(means[k], means[4]);
    } else {
        means[4] = Lanes::broadcast(1);
    }
}

// Filters the rows of a slice down and calls finish(row of the box, row of the maps) for each.
template <class Lanes, class Finish>
static void for_each_row_down(box_statistics<Lanes> &statistics, int rows, Finish &&finish)
{
    for (int first = 0; first < rows;) {
        const bool together = rows - first >= Lanes::rows_at_once;
        if (together)
            statistics.template filter_down<Lanes::rows_at_once>(first);
        else
            statistics.template filter_down<1>(first);
        const int count = together ? Lanes::rows_at_once : 1;
        for (int row = 0; row < count; ++row)
            finish(first + row, row);
        first += count;
    }
}

} // namespace iqa::IQA_INSTRUCTION_SET
