// SPDX-License-Identifier: MIT
// The derivative of a weighted sum of map pixels with respect to the samples of a tile of the image, by the chain rule
// through the window means: with g_k(p) the derivative with respect to mean k of map pixel p, and A_k(q) the sum of
// g_k(p) w(q - p) over the windows that see q (in every way that its border makes them see it),
//     d/dy = m (A_s - A_d + 2 s A_ss - 2 d A_dd)      d/dx = m (A_s + A_d + 2 s A_ss + 2 d A_dd)
// The adjoint of each axis' filter is a band of weights for each pixel, made on the host. Slices go through a ring, so
// memory does not grow with depth.
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

// The box of map pixels, image or not, whose windows see the tile.
static ssim_box box_around(const ssim_gradient_tile &tile)
{
    ssim_box box = tile.box;
    box_axis *const axes[] = {&box.z, &box.y, &box.x};
    for (box_axis *axis : axes) {
        const int radius = axis->taps / 2;
        axis->first -= 2 * radius; // from the pixel to the first tap of the first window that sees it
        axis->count += 2 * radius;
    }
    // Windows that a valid map lacks are computed from whatever lies there and then taken off.
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
    box_statistics<Lanes> of;
    ssim_constants<Lanes> constants;
    int radius[3];
    int64_t rows; // of map pixels around the tile
    real *ring, *deep, *low, *out;
    real most_spread = 0; // of a window of the map

    explicit gradient_of_tile(const ssim_gradient_tile &given)
        : tile(given),
          around(box_around(given)),
          of(around, memory_of(given).statistics),
          constants{Lanes::broadcast(real(given.box.twice_c1)), Lanes::broadcast(real(given.box.twice_c2)),
                    Lanes::broadcast(real(given.box.covariance))},
          radius{given.box.z.taps / 2, given.box.y.taps / 2, given.box.x.taps / 2},
          rows(around.y.count)
    {
        const gradient_memory memory = memory_of(given);
        ring = static_cast<real *>(given.memory) + memory.statistics.total();
        deep = ring + memory.ring;
        low = deep + memory.deep;
        out = low + memory.low;
    }

    int64_t stride() const { return of.memory.stride; }
    bool carries() const
    {
        return sizeof(real) != sizeof(float) || !(most_spread > real(IQA_SSIM_MOST_SPREAD) * real(tile.box.twice_c2));
    }
    real *derivative(int slice, int row, int which) const
    {
        return ring + ((4 * (slice % tile.box.z.taps) + which) * rows + row) * stride();
    }
    real *combined(int row, int which) const { return deep + (which * rows + row) * stride(); }

    void differentiate(int slice);
    void differentiate_row(int slice, int row, int down_row);
    void combine_depth(int slice);
    void combine_row(int slice, int row);
};

// g_k of one row of map pixels.
template <class Lanes>
void gradient_of_tile<Lanes>::differentiate_row(int slice, int row, int down_row)
{
    const filter_of_row<real> filter = {static_cast<const real *>(around.x.weights), around.x.taps, 1};
    const Lanes twice_pivot = Lanes::broadcast(of.pivot + of.pivot);
    const Lanes zero = Lanes::broadcast(0);
    real *const factors = of.spare(2);
    real *const coverage = of.spare(3);
    const int count = around.x.count;

    // The factor of each map pixel: 0 where there is none, else by its weight.
    const int64_t z = tile.box.z.first - radius[0] + slice;
    const int64_t y = tile.box.y.first - radius[1] + row;
    const bool outside = z < tile.map_first[0] || z >= tile.map_end[0] || y < tile.map_first[1] || y >= tile.map_end[1];
    const real *centre =
        of.weighted ? of.plane(slice + radius[0], 2) + (row + radius[1]) * stride() + radius[2] : nullptr;
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
        means_at<0>(of, filter, down_row, at, means);
        ssim_terms<Lanes> terms = ssim_terms_of(means[0], means[1], means[2], means[3], twice_pivot, constants);
        const ssim_derivatives<Lanes> found =
            ssim_derivatives_of(terms, means[0], means[1], constants, zero, tile.product);
        found.mean_sum.store(g[0] + at);
        found.mean_difference.store(g[1] + at);
        found.square_sum.store(g[2] + at);
        found.square_difference.store(g[3] + at);
        if (of.maps == most_maps)
            means[4].store(coverage + at);
        if (around.negative_to_zero)
            terms.structure_top.store(of.spare(4) + at);
        (means[2] + means[3]).store(of.spare(5) + at);
    }
    for (int i = 0; i < count; ++i)
        if (factors[i] != real(0) && of.spare(5)[i] > most_spread)
            most_spread = of.spare(5)[i];
    for (int i = 0; i < count; ++i) {
        real factor = factors[i];
        if (of.maps == most_maps && factor != real(0))
            factor = covers_enough(coverage[i], tile.coverage) ? factor / coverage[i] : real(0);
        if (around.negative_to_zero && !(of.spare(4)[i] > real(0)))
            factor = real(0);
        for (real *own : g)
            own[i] = factor == real(0) ? real(0) : own[i] * factor; // also where something is not finite
    }
}

template <class Lanes>
void gradient_of_tile<Lanes>::differentiate(int slice)
{
    of.filter_depth_at(slice);
    for_each_row_down(of, around.y.count, [&](int row, int down_row) { differentiate_row(slice, row, down_row); });
}

// The adjoint in depth, for one slice of the tile.
template <class Lanes>
void gradient_of_tile<Lanes>::combine_depth(int slice)
{
    const real *band = static_cast<const real *>(tile.adjoint[0]) + slice;
    for (int which = 0; which < 4; ++which)
        for (int row = 0; row < rows; ++row)
            for (int64_t at = 0; at < around.x.count; at += Lanes::width) {
                Lanes total = Lanes::broadcast(0);
                for (int tap = 0; tap < tile.box.z.taps; ++tap)
                    total = fused_multiply_add(Lanes::broadcast(band[tap * tile.adjoint_stride[0]]),
                                               Lanes::load(derivative(slice + tap, row, which) + at), total);
                total.store(combined(row, which) + at);
            }
}

// One row of the tile: the adjoint down and across, and the derivatives of the samples.
template <class Lanes>
void gradient_of_tile<Lanes>::combine_row(int slice, int row)
{
    const real *band = static_cast<const real *>(tile.adjoint[1]) + row;
    for (int which = 0; which < 4; ++which)
        for (int64_t at = 0; at < around.x.count; at += Lanes::width) {
            Lanes total = Lanes::broadcast(0);
            for (int tap = 0; tap < tile.box.y.taps; ++tap)
                total = fused_multiply_add(Lanes::broadcast(band[tap * tile.adjoint_stride[1]]),
                                           Lanes::load(combined(row + tap, which) + at), total);
            total.store(low + which * stride() + at);
        }

    const real *across = static_cast<const real *>(tile.adjoint[2]);
    const int own_slice = slice + 2 * radius[0];
    const int64_t own = (row + 2 * radius[1]) * stride() + 2 * radius[2];
    const real *sum = of.plane(own_slice, 0) + own;
    const real *difference = of.plane(own_slice, 1) + own;
    const real *weight = of.weighted && around.convolution ? of.plane(own_slice, 2) + own : nullptr;
    for (int64_t at = 0; at < tile.box.x.count; at += Lanes::width) {
        Lanes totals[4];
        for (int which = 0; which < 4; ++which) {
            Lanes total = Lanes::broadcast(0);
            for (int tap = 0; tap < tile.box.x.taps; ++tap)
                total = fused_multiply_add(Lanes::load(across + tap * tile.adjoint_stride[2] + at),
                                           Lanes::load(low + which * stride() + at + tap), total);
            totals[which] = total;
        }
        const Lanes s = Lanes::load(sum + at);
        const Lanes d = Lanes::load(difference + at);
        const Lanes by_sum = totals[0] + (s + s) * totals[2];
        const Lanes by_difference = totals[1] + (d + d) * totals[3];
        Lanes by_reference = by_sum + by_difference;
        Lanes by_candidate = by_sum - by_difference;
        if (weight != nullptr) {
            const Lanes own_weight = Lanes::load(weight + at);
            by_reference = by_reference * own_weight;
            by_candidate = by_candidate * own_weight;
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
    work.of.find_pivot();
    const int depth = tile.box.z.taps - 1;
    for (int slice = 0; slice < depth; ++slice)
        work.of.stage(slice);
    for (int slice = 0; slice < work.around.z.count; ++slice) {
        work.of.stage(slice + depth);
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
