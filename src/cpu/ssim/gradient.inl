// SPDX-License-Identifier: MIT
// The derivative of a weighted sum of map pixels with respect to the samples of a tile of the image, by the chain rule
// through the window means: with g_k(p) the derivative with respect to mean k of map pixel p, and A_k(q) the sum of
// g_k(p) w(q - p) over the windows that contain q (once for each position that reads q at a border),
//     d/dy = m (A_s - A_d + 2 s A_ss - 2 d A_dd)      d/dx = m (A_s + A_d + 2 s A_ss + 2 d A_dd)
// The adjoint of each axis' filter is a band of coefficients for each pixel, made on the host. Slices go through a
// ring, so memory does not grow with depth.
#pragma once

#include "arith/border.h"
#include "arith/ssim.h"
#include "arith/ssim_doubt.h"
#include "arith/weight.h"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/filters.inl"
#include "cpu/ssim/kernels.hpp"
#include "cpu/ssim/statistics.inl"

namespace iqa::IQA_INSTRUCTION_SET {

// The box of map pixels, inside the image or not, whose windows contain pixels of the tile.
static ssim_box box_around(const ssim_gradient_tile &tile)
{
    ssim_box box = tile.box;
    box_axis *const axes[] = {&box.z, &box.y, &box.x};
    for (box_axis *axis : axes) {
        const int radius = axis->taps / 2;
        axis->first -= 2 * radius; // from a pixel to the first tap of the first window that contains it
        axis->count += 2 * radius;
    }
    // Windows outside a valid map are computed from replicated samples, and have factor 0.
    if (box.border == border_mode::valid)
        box.border = border_mode::replicate;
    box.memory = tile.memory;
    return box;
}

static gradient_memory memory_of(const ssim_gradient_tile &tile)
{
    const ssim_box &box = tile.box;
    return ssim_gradient_memory(box.y.count, box.x.count, box.z.taps, box.y.taps, box.x.taps);
}

template <class Lanes>
struct gradient_of_tile {
    using real = typename Lanes::real;

    const ssim_gradient_tile &tile;
    const ssim_box around;
    box_statistics<Lanes> statistics;
    ssim_constants<Lanes> constants;
    int radius[3];
    int64_t rows; // of map pixels around the tile
    real *ring, *deep, *low, *out;
    real most_spread = 0; // of a window of the map

    explicit gradient_of_tile(const ssim_gradient_tile &area)
        : tile(area),
          around(box_around(area)),
          statistics(around, memory_of(area).statistics),
          constants{Lanes::broadcast(real(area.box.twice_c1)), Lanes::broadcast(real(area.box.twice_c2)),
                    Lanes::broadcast(real(area.box.covariance))},
          radius{area.box.z.taps / 2, area.box.y.taps / 2, area.box.x.taps / 2},
          rows(around.y.count)
    {
        const gradient_memory memory = memory_of(area);
        ring = static_cast<real *>(area.memory) + memory.statistics.total();
        deep = ring + memory.ring;
        low = deep + memory.deep;
        out = low + memory.low;
    }

    int64_t stride() const { return statistics.memory.stride; }
    bool carries() const
    {
        return sizeof(real) != sizeof(float) || !(most_spread > real(IQA_SSIM_MOST_SPREAD) * real(tile.box.twice_c2));
    }
    real *derivative(int slice, int row, int k) const
    {
        return ring + ((4 * (slice % tile.box.z.taps) + k) * rows + row) * stride();
    }
    real *combined(int row, int k) const { return deep + (k * rows + row) * stride(); }

    void differentiate(int slice);
    void differentiate_row(int slice, int row, int down_row);
    void combine_depth(int slice);
    void combine_row(int slice, int row);
};

// g_k of one row of map pixels.
template <class Lanes>
void gradient_of_tile<Lanes>::differentiate_row(int slice, int row, int down_row)
{
    const filter_of_row<real> filter = {static_cast<const real *>(around.x.filter), around.x.taps, 1};
    const Lanes twice_pivot = Lanes::broadcast(statistics.pivot + statistics.pivot);
    const Lanes zero = Lanes::broadcast(0);
    real *const factors = statistics.spare(2);
    real *const coverage = statistics.spare(3);
    const int count = around.x.count;

    // The factor of each map pixel, times its weight; 0 outside the map.
    const int64_t z = tile.box.z.first - radius[0] + slice;
    const int64_t y = tile.box.y.first - radius[1] + row;
    const bool outside = z < tile.map_first[0] || z >= tile.map_end[0] || y < tile.map_first[1] || y >= tile.map_end[1];
    const real *centre = statistics.weighted
                             ? statistics.plane(slice + radius[0], 2) + (row + radius[1]) * stride() + radius[2]
                             : nullptr;
    for (int i = 0; i < count; ++i) {
        const int64_t x = tile.box.x.first - radius[2] + i;
        const bool inside = !outside && x >= tile.map_first[2] && x < tile.map_end[2];
        const real weight = centre == nullptr ? real(1) : real(weight_of_units(double(weight_units(centre[i]))));
        factors[i] = inside ? real(tile.factor) * weight : real(0);
    }
    real *const g[4] = {derivative(slice, row, 0), derivative(slice, row, 1), derivative(slice, row, 2),
                        derivative(slice, row, 3)};
    for (int64_t at = 0; at < count; at += Lanes::width) {
        Lanes means[most_maps];
        means_at<0>(statistics, filter, down_row, at, means);
        ssim_terms<Lanes> terms = ssim_terms_of(means[0], means[1], means[2], means[3], twice_pivot, constants);
        const ssim_derivatives<Lanes> found =
            ssim_derivatives_of(terms, means[0], means[1], constants, zero, tile.product);
        found.mean_sum.store(g[0] + at);
        found.mean_difference.store(g[1] + at);
        found.square_sum.store(g[2] + at);
        found.square_difference.store(g[3] + at);
        if (statistics.maps == most_maps)
            means[4].store(coverage + at);
        if (around.negative_to_zero)
            terms.structure_top.store(statistics.spare(4) + at);
        (means[2] + means[3]).store(statistics.spare(5) + at);
    }
    for (int i = 0; i < count; ++i)
        if (factors[i] != real(0) && statistics.spare(5)[i] > most_spread)
            most_spread = statistics.spare(5)[i];
    for (int i = 0; i < count; ++i) {
        real factor = factors[i];
        if (statistics.maps == most_maps && factor != real(0))
            factor = covers_enough(coverage[i], tile.coverage) ? factor / coverage[i] : real(0);
        if (around.negative_to_zero && !(statistics.spare(4)[i] > real(0)))
            factor = real(0);
        for (real *derivatives : g) // a factor of 0 clears non-finite derivatives too
            derivatives[i] = factor == real(0) ? real(0) : derivatives[i] * factor;
    }
}

template <class Lanes>
void gradient_of_tile<Lanes>::differentiate(int slice)
{
    statistics.filter_depth_at(slice);
    for_each_row_down(statistics, around.y.count,
                      [&](int row, int down_row) { differentiate_row(slice, row, down_row); });
}

// The adjoint in depth, for one slice of the tile.
template <class Lanes>
void gradient_of_tile<Lanes>::combine_depth(int slice)
{
    const real *band = static_cast<const real *>(tile.adjoint[0]) + slice;
    for (int k = 0; k < 4; ++k)
        for (int row = 0; row < rows; ++row)
            for (int64_t at = 0; at < around.x.count; at += Lanes::width) {
                Lanes total = Lanes::broadcast(0);
                for (int tap = 0; tap < tile.box.z.taps; ++tap)
                    total = fused_multiply_add(Lanes::broadcast(band[tap * tile.adjoint_stride[0]]),
                                               Lanes::load(derivative(slice + tap, row, k) + at), total);
                total.store(combined(row, k) + at);
            }
}

// One row of the tile: the adjoint down and across, and the derivatives of the samples.
template <class Lanes>
void gradient_of_tile<Lanes>::combine_row(int slice, int row)
{
    const real *band = static_cast<const real *>(tile.adjoint[1]) + row;
    for (int k = 0; k < 4; ++k)
        for (int64_t at = 0; at < around.x.count; at += Lanes::width) {
            Lanes total = Lanes::broadcast(0);
            for (int tap = 0; tap < tile.box.y.taps; ++tap)
                total = fused_multiply_add(Lanes::broadcast(band[tap * tile.adjoint_stride[1]]),
                                           Lanes::load(combined(row + tap, k) + at), total);
            total.store(low + k * stride() + at);
        }

    const real *across = static_cast<const real *>(tile.adjoint[2]);
    const int staged_slice = slice + 2 * radius[0];
    const int64_t offset = (row + 2 * radius[1]) * stride() + 2 * radius[2];
    const real *sum = statistics.plane(staged_slice, 0) + offset;
    const real *difference = statistics.plane(staged_slice, 1) + offset;
    const real *weight =
        statistics.weighted && around.convolution ? statistics.plane(staged_slice, 2) + offset : nullptr;
    for (int64_t at = 0; at < tile.box.x.count; at += Lanes::width) {
        Lanes totals[4];
        for (int k = 0; k < 4; ++k) {
            Lanes total = Lanes::broadcast(0);
            for (int tap = 0; tap < tile.box.x.taps; ++tap)
                total = fused_multiply_add(Lanes::load(across + tap * tile.adjoint_stride[2] + at),
                                           Lanes::load(low + k * stride() + at + tap), total);
            totals[k] = total;
        }
        const Lanes s = Lanes::load(sum + at);
        const Lanes d = Lanes::load(difference + at);
        const Lanes by_sum = totals[0] + (s + s) * totals[2];
        const Lanes by_difference = totals[1] + (d + d) * totals[3];
        Lanes by_reference = by_sum + by_difference;
        Lanes by_candidate = by_sum - by_difference;
        if (weight != nullptr) {
            const Lanes pixel_weight = Lanes::load(weight + at);
            by_reference = by_reference * pixel_weight;
            by_candidate = by_candidate * pixel_weight;
        }
        by_reference.store(out + at);
        by_candidate.store(out + stride() + at);
    }
    tile.store_row(tile.receiver, slice, row, out, out + stride());
}

template <class Real>
static bool ssim_gradient(const ssim_gradient_tile &tile)
{
    gradient_of_tile<typename lanes_of<Real>::type> work(tile);
    work.statistics.find_pivot();
    const int depth = tile.box.z.taps - 1;
    for (int slice = 0; slice < depth; ++slice)
        work.statistics.stage(slice);
    for (int slice = 0; slice < work.around.z.count; ++slice) {
        work.statistics.stage(slice + depth);
        work.differentiate(slice);
        if (slice < depth)
            continue;
        work.combine_depth(slice - depth);
        for (int row = 0; row < tile.box.y.count; ++row)
            work.combine_row(slice - depth, row);
    }
    return work.carries();
}

} // namespace iqa::IQA_INSTRUCTION_SET
