// SPDX-License-Identifier: MIT
// The derivative of a weighted sum of map pixels with respect to the samples of a tile of the image, by the chain rule
// through the window means: with g_k(p) the derivative with respect to mean k of map pixel p, and A_k(q) the sum of
// g_k(p) w(q - p) over the windows that contain q (once for each position that reads q at a border),
//     d/dy = m (A_s - A_d + 2 s A_ss - 2 d A_dd)      d/dx = m (A_s + A_d + 2 s A_ss + 2 d A_dd)
// A factor that all have multiplies these, so that it may be found later.
// The adjoint of each axis' filter is a band of coefficients for each pixel, made on the host. Far from the ends of the
// axis it is the filter itself, which is symmetric. Slices go through a ring, so memory does not grow with depth.
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

// What a row of derivatives adds up beside them.
enum class beside { nothing, values, weighted_values };

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
    Lanes most_spread; // of windows of the map, lane by lane
    // The map's tile beside this one, in map pixels around it: see `value` of the tile.
    int own_slice, own_slices, own_row, own_rows, own_column, own_columns;

    explicit gradient_of_tile(const ssim_gradient_tile &area)
        : tile(area),
          around(box_around(area)),
          statistics(around, memory_of(area).statistics),
          constants{Lanes::broadcast(real(area.box.twice_c1)), Lanes::broadcast(real(area.box.twice_c2)),
                    Lanes::broadcast(real(area.box.covariance))},
          radius{area.box.z.taps / 2, area.box.y.taps / 2, area.box.x.taps / 2},
          rows(around.y.count),
          most_spread(Lanes::broadcast(0)),
          own_slice(int(area.map_first[0]) + radius[0]),
          own_slices(
              int(count_beside_pixels(area.box.z.first, area.box.z.count, area.map_first[0], area.box.source.depth))),
          own_row(int(area.map_first[1]) + radius[1]),
          own_rows(
              int(count_beside_pixels(area.box.y.first, area.box.y.count, area.map_first[1], area.box.source.height))),
          own_column(int(area.map_first[2]) + radius[2]),
          own_columns(
              int(count_beside_pixels(area.box.x.first, area.box.x.count, area.map_first[2], area.box.source.width)))
    {
        const int64_t first_centre = around.y.first + radius[1];
        statistics.first_row = int(larger_of<int64_t>(area.map_first[1] - first_centre, 0));
        statistics.end_row = int(smaller_of<int64_t>(area.map_end[1] - first_centre, around.y.count));
        const gradient_memory memory = memory_of(area);
        ring = static_cast<real *>(area.memory) + memory.statistics.total();
        deep = ring + memory.ring;
        low = deep + memory.deep;
        out = low + memory.low;
    }

    int64_t stride() const { return statistics.memory.stride; }
    // The maps of a slice, in the ring or combined in depth.
    int64_t slice_items() const { return 4 * rows * stride(); }
    real *derivatives_of(int slice) const { return ring + slice % statistics.slots() * slice_items(); }
    const real *combined(int slice, int line) const
    {
        return around.z.taps == 1 ? derivatives_of(slice) : deep + line * slice_items();
    }
    real *low_map(int line, int k) const { return low + (4 * line + k) * stride(); }
    // True if the windows that contain these pixels of an axis of the tile lie inside the image: their adjoint is the
    // filter.
    static bool are_inner(const box_axis &axis, int64_t extent, int64_t first, int64_t count)
    {
        const int64_t margin = axis.taps - 1;
        return axis.first + first >= margin && axis.first + first + count <= extent - margin;
    }

    bool carries() const;
    real *plain_factors() const { return statistics.spare(2); }
    void find_factors();
    const real *weighted_factors(int slice, int row) const;
    bool has_slice(int slice) const
    {
        const int64_t z = around.z.first + radius[0] + slice;
        return z >= tile.map_first[0] && z < tile.map_end[0];
    }
    void clear_rows(int slice, int first, int end);
    // 1 in the columns of the map's tile beside this one, else 0.
    real *own_mask() const { return statistics.spare(4); }
    template <int taps, bool product, beside sums>
    void differentiate_row(int slice, int row, int down_row);
    template <beside sums>
    auto row_of_taps() const
    {
        if (around.x.taps == 11)
            return tile.product ? &gradient_of_tile::template differentiate_row<11, true, sums>
                                : &gradient_of_tile::template differentiate_row<11, false, sums>;
        return tile.product ? &gradient_of_tile::template differentiate_row<0, true, sums>
                            : &gradient_of_tile::template differentiate_row<0, false, sums>;
    }
    void differentiate(int first);
    template <int slices, int taps, bool inner>
    void combine_depth(int slice);
    template <int together, int taps, bool inner>
    void combine_down(const real *maps, int row);
    template <int taps>
    void combine_across(int slice, int row, int line);
    template <int taps>
    void combine(int slice, int line);
    void combine_at(int first, int slices);
};

template <class Lanes>
bool gradient_of_tile<Lanes>::carries() const
{
    real lanes[Lanes::width];
    most_spread.store(lanes);
    real most = lanes[0];
    for (const real lane : lanes)
        most = lane > most ? lane : most;
    return sizeof(real) != sizeof(float) || !(most > real(IQA_SSIM_MOST_SPREAD) * real(tile.box.twice_c2));
}

// 1 for each map pixel of a row inside the map; 0 in columns outside, and in lanes beyond the row.
template <class Lanes>
void gradient_of_tile<Lanes>::find_factors()
{
    const int64_t x = around.x.first + radius[2];
    for (int64_t i = 0; i < stride(); ++i)
        plain_factors()[i] =
            x + i >= tile.map_first[2] && x + i < tile.map_end[2] && i < around.x.count ? real(1) : real(0);
    for (int64_t i = 0; i < stride(); ++i)
        own_mask()[i] = i >= own_column && i < own_column + own_columns ? real(1) : real(0);
}

// The same times the pixels' weights, for one row.
template <class Lanes>
const typename Lanes::real *gradient_of_tile<Lanes>::weighted_factors(int slice, int row) const
{
    const real *centre = statistics.plane(slice + radius[0], 2) + (row + radius[1]) * stride() + radius[2];
    real *const factors = statistics.spare(3);
    for (int64_t i = 0; i < around.x.count; ++i)
        factors[i] = plain_factors()[i] * real(weight_of_units(double(weight_units(centre[i]))));
    for (int64_t i = around.x.count; i < round_up(around.x.count, Lanes::width); ++i)
        factors[i] = real(0);
    return factors;
}

// Rows outside the map.
template <class Lanes>
void gradient_of_tile<Lanes>::clear_rows(int slice, int first, int end)
{
    for (int k = 0; k < 4; ++k)
        for (int row = first; row < end; ++row)
            for (int i = 0; i < around.x.count; ++i)
                derivatives_of(slice)[(k * rows + row) * stride() + i] = real(0);
}

// g_k of one row of map pixels, and the sums of values of those of the map's tile.
template <class Lanes>
template <int taps, bool product, beside sums>
void gradient_of_tile<Lanes>::differentiate_row(int slice, int row, int down_row)
{
    const filter_of_row<taps, 1, Lanes> across(static_cast<const real *>(around.x.filter), around.x.taps, 1);
    const Lanes twice_pivot = Lanes::broadcast(statistics.pivot + statistics.pivot);
    const Lanes zero = Lanes::broadcast(0);
    const Lanes units = Lanes::broadcast(real(1 << pixel_weight_bits));
    const Lanes least_coverage = Lanes::broadcast(least_covered<real>(tile.coverage));
    real *const first = derivatives_of(slice) + row * stride();
    const int64_t next = rows * stride();
    real *const g[4] = {first, first + next, first + 2 * next, first + 3 * next};
    const real *const factors = statistics.weighted ? weighted_factors(slice, row) : plain_factors();
    Lanes spread = most_spread;
    struct pixels {
        ssim_terms<Lanes> terms;
        ssim_quotients<Lanes> quotients;
        Lanes mean_sum, mean_difference, factor;
        Lanes value, weight; // of the map, if it is measured
    };
    constexpr bool weighing = sums == beside::weighted_values;
    const bool measured = sums != beside::nothing && row >= own_row && row < own_row + own_rows && slice >= own_slice &&
                          slice < own_slice + own_slices;
    const real *const own = own_mask();
    real *const doubts = measured && doubts_row(row - own_row, own_rows) ? statistics.spare(5) : nullptr;
    real *const weights = statistics.spare(6); // of those of the map's tile
    const real *const centres = statistics.plane(slice + radius[0], 2) + (row + radius[1]) * stride() + radius[2];
    sum_of_rows<weighing, Lanes> total;
    const bool normalises = statistics.normalises();
    const auto begin = [&](int64_t at, window_means<Lanes> of_windows) __attribute__((always_inline))
    {
        if (normalises)
            of_windows.divide();
        const auto &means = of_windows.k;
        Lanes factor = Lanes::load(factors + at);
        if constexpr (sizeof(real) == sizeof(float))
            spread = at_least(keep_if<comparison::unequal>(means[2] + means[3], factor, zero), spread);
        if (normalises) {
            factor = keep_if<comparison::unequal>(factor / means[4], factor, zero);
            factor = keep_if<comparison::at_least>(factor, means[4], least_coverage);
        }
        pixels begun;
        begun.terms = ssim_terms_of(means[0], means[1], means[2], means[3], twice_pivot, constants);
        begun.quotients = ssim_quotients_of<false>(begun.terms, zero, product);
        begun.mean_sum = means[0];
        begun.mean_difference = means[1];
        begun.factor = factor;
        begun.value = begun.weight = zero;
        if constexpr (sums != beside::nothing) {
            begun.value = product ? ssim_of<true>(begun.terms) : contrast_structure_of<true>(begun.terms);
            if constexpr (weighing) {
                const Lanes weight = nearest_integers(Lanes::load(centres + at) * units);
                begun.weight = keep_if<comparison::unequal>(weight, Lanes::load(own + at), zero);
                if (normalises)
                    begun.weight = keep_if<comparison::at_least>(begun.weight, means[4], least_coverage);
                if (__builtin_expect(doubts != nullptr, 0))
                    begun.weight.store(weights + at);
            } else {
                begun.value = keep_if<comparison::unequal>(begun.value, Lanes::load(own + at), zero);
            }
            if (__builtin_expect(doubts != nullptr, 0))
                ssim_doubt(begun.terms, means[0], means[1], means[2], means[3], constants,
                           constants_of_doubt<Lanes>(Lanes::broadcast))
                    .store(doubts + at);
        }
        return begun;
    };
    const auto finish = [&](int64_t at, const pixels &begun) __attribute__((always_inline))
    {
        const ssim_derivatives<Lanes> found = ssim_derivatives_of(begun.terms, begun.quotients, begun.mean_sum,
                                                                  begun.mean_difference, constants, zero, product);
        if constexpr (sums != beside::nothing)
            total.add(begun.value, begun.weight, Lanes::width);
        Lanes factor = begun.factor;
        if (around.negative_to_zero)
            factor = keep_if<comparison::greater>(factor, begun.terms.structure_top, zero);
        // A factor of 0 clears non-finite derivatives too.
        const Lanes derivatives[4] = {found.mean_sum, found.mean_difference, found.square_sum, found.square_difference};
        IQA_UNROLL
        for (int k = 0; k < 4; ++k)
            keep_if<comparison::unequal>(derivatives[k] * factor, factor, zero).store(g[k] + at);
    };
    for_sums_of_row<taps>(statistics, across, down_row, begin, finish);
    most_spread = spread;
    if (!measured)
        return;
    tile.value->sum += total.sum.total();
    tile.value->not_a_number = tile.value->not_a_number || total.sum.any_nan();
    if constexpr (weighing)
        tile.value->weight += total.sum.weight();
    if constexpr (sizeof(real) == sizeof(float))
        if (doubts != nullptr)
            add_doubts(doubts + own_column, weighing ? weights + own_column : nullptr, own_columns, tile.value->doubt);
}

// g_k of the slices of map pixels that are measured together from `first` on.
template <class Lanes>
void gradient_of_tile<Lanes>::differentiate(int first)
{
    auto row_of = row_of_taps<beside::nothing>();
    if constexpr (sizeof(real) == sizeof(float))
        if (tile.value != nullptr)
            row_of = statistics.weighted ? row_of_taps<beside::weighted_values>() : row_of_taps<beside::values>();
    for (int slice = first; slice < first + statistics.slices_from(first); ++slice) {
        clear_rows(slice, 0, has_slice(slice) ? statistics.first_row : around.y.count);
        clear_rows(slice, statistics.end_row, around.y.count);
    }
    statistics.measure(first, [&](int slice, int row, int together) {
        for (int i = 0; i < together && has_slice(slice); ++i)
            (this->*row_of)(slice, row + i, i);
    });
}

// The adjoint in depth, for `slices` slices of the tile from `slice` on.
template <class Lanes>
template <int slices, int taps, bool inner>
void gradient_of_tile<Lanes>::combine_depth(int slice)
{
    const real *filter = static_cast<const real *>(around.z.filter);
    const real *band = static_cast<const real *>(tile.adjoint[0]) + slice;
    const int64_t band_stride = tile.adjoint_stride[0];
    const int slots = statistics.slots();
    const int first_slot = slice % slots;
    const int64_t next = rows * stride(); // map
    const int64_t items = slice_items();
    for (int64_t row = 0; row < rows; ++row) {
        const real *from = ring + row * stride();
        real *to = deep + row * stride();
        filter_rows_down<slices, taps, 4, Lanes>(
            around.z.taps, around.x.count,
            [=](int line, int tap) -> const real & { return inner ? filter[tap] : band[tap * band_stride + line]; },
            [=](int tap) {
                const int slot = first_slot + tap < slots ? first_slot + tap : first_slot + tap - slots;
                return from + slot * items;
            },
            [=](const real *first, Lanes(&values)[4]) { load_maps(first, next, values); },
            [=](int line, int k) { return to + line * items + k * next; });
    }
}

// The adjoint down, for `together` rows of the tile from `row` on.
template <class Lanes>
template <int together, int taps, bool inner>
void gradient_of_tile<Lanes>::combine_down(const real *maps, int row)
{
    const real *filter = static_cast<const real *>(around.y.filter);
    const real *band = static_cast<const real *>(tile.adjoint[1]) + row;
    const int64_t band_stride = tile.adjoint_stride[1];
    const int64_t line = stride();
    const int64_t next = rows * line; // map
    const real *from = maps + row * line;
    filter_rows_down<together, taps, 4, Lanes>(
        around.y.taps, around.x.count,
        [=](int to, int tap) -> const real & { return inner ? filter[tap] : band[tap * band_stride + to]; },
        [=](int tap) { return from + tap * line; },
        [=](const real *first, Lanes(&values)[4]) { load_maps(first, next, values); },
        [this](int to, int k) { return low_map(to, k); });
}

// One row of the tile: the adjoint across, and the derivatives of the samples.
template <class Lanes>
template <int taps>
void gradient_of_tile<Lanes>::combine_across(int slice, int row, int line)
{
    const filter_of_row<taps, 1, Lanes> across(static_cast<const real *>(around.x.filter), around.x.taps, 1);
    const real *band = static_cast<const real *>(tile.adjoint[2]);
    const real *const maps = low_map(line, 0);
    const int64_t next = stride();
    const int staged_slice = slice + 2 * radius[0];
    const int64_t offset = (row + 2 * radius[1]) * stride() + 2 * radius[2];
    const real *sum = statistics.plane(staged_slice, 0) + offset;
    const real *difference = statistics.plane(staged_slice, 1) + offset;
    const real *weight =
        statistics.weighted && around.convolution ? statistics.plane(staged_slice, 2) + offset : nullptr;
    real *const by_both[2] = {out, out + stride()};
    const Lanes factor = Lanes::broadcast(real(tile.factor));
    const int count = tile.box.x.count;
    for (int64_t at = 0; at < count; at += Lanes::width) {
        Lanes totals[4];
        const int64_t left = count - at;
        if (are_inner(tile.box.x, tile.box.source.width, at, left < Lanes::width ? left : Lanes::width)) {
            across.template filter<4>(maps + at, next, totals);
        } else {
            for (int k = 0; k < 4; ++k) {
                totals[k] = Lanes::broadcast(0);
                for (int tap = 0; tap < around.x.taps; ++tap)
                    totals[k] = fused_multiply_add(Lanes::load(band + tap * tile.adjoint_stride[2] + at),
                                                   Lanes::load(maps + k * next + at + tap), totals[k]);
            }
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
        (by_reference * factor).store(by_both[0] + at);
        (by_candidate * factor).store(by_both[1] + at);
    }
    tile.store_row(tile.receiver, slice, row, by_both[0], by_both[1]);
}

// A slice of the tile from the derivatives combined in depth.
template <class Lanes>
template <int taps>
void gradient_of_tile<Lanes>::combine(int slice, int line)
{
    const real *maps = combined(slice, line);
    for (int first = 0; first < tile.box.y.count;) {
        constexpr int at_once = Lanes::rows_at_once;
        const int count = tile.box.y.count - first >= at_once ? at_once : 1;
        if (count == 1)
            combine_down<1, taps, false>(maps, first);
        else if (are_inner(tile.box.y, tile.box.source.height, first, count))
            combine_down<at_once, taps, true>(maps, first);
        else
            combine_down<at_once, taps, false>(maps, first);
        for (int row = 0; row < count; ++row)
            combine_across<taps>(slice, first + row, row);
        first += count;
    }
}

// Slices of the tile, once the derivatives of all map pixels around them are there.
template <class Lanes>
void gradient_of_tile<Lanes>::combine_at(int first, int slices)
{
    const bool eleven = around.y.taps == 11 && around.x.taps == 11;
    for (int slice = first; slice < first + slices;) {
        const int count = first + slices - slice >= statistics.together ? statistics.together : 1;
        if (around.z.taps > 1 && count == 1)
            combine_depth<1, 0, false>(slice);
        else if (around.z.taps == 11 && are_inner(tile.box.z, tile.box.source.depth, slice, count))
            combine_depth<Lanes::rows_at_once, 11, true>(slice);
        else if (around.z.taps > 1)
            combine_depth<Lanes::rows_at_once, 0, false>(slice);
        for (int line = 0; line < count; ++line)
            eleven ? combine<11>(slice + line, line) : combine<0>(slice + line, line);
        slice += count;
    }
}

template <class Real>
static bool ssim_gradient(const ssim_gradient_tile &tile)
{
    gradient_of_tile<typename lanes_of<Real>::type> work(tile);
    // Only then are all products 0 whatever the samples.
    const bool is_usual = work.around.convolution && tile.factor > 0.0 && is_finite(tile.factor);
    if (is_usual && nothing_counts(work.statistics)) {
        for (int slice = 0; slice < tile.box.z.count; ++slice)
            for (int row = 0; row < tile.box.y.count; ++row)
                tile.store_row(tile.receiver, slice, row, nullptr, nullptr);
        return true;
    }
    work.find_factors();
    const auto outputs = [&tile](const box_axis &axis, int index, int64_t extent) {
        return outputs_beside_pixels(axis.first, axis.count, tile.map_first[index], extent);
    };
    const ssim_box &box = tile.box;
    work.statistics.find_pivot(outputs(box.z, 0, box.source.depth), outputs(box.y, 1, box.source.height),
                               outputs(box.x, 2, box.source.width));
    const int depth = tile.box.z.taps - 1;
    int combined = 0;
    for (int first = 0; first < work.around.z.count;) {
        const int slices = work.statistics.slices_from(first);
        work.differentiate(first);
        first += slices;
        if (first > depth) {
            work.combine_at(combined, first - depth - combined);
            combined = first - depth;
        }
    }
    return work.carries();
}

} // namespace iqa::IQA_INSTRUCTION_SET
