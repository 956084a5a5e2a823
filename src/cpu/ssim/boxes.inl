// SPDX-License-Identifier: MIT
// A box of an SSIM map in the general case. Plain images have the quicker tiles.inl, with the same arithmetic.
#pragma once

#include "arith/ssim.h"
#include "arith/ssim_doubt.h"
#include "arith/weight.h"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/kernels.hpp"
#include "cpu/ssim/statistics.inl"

namespace iqa::IQA_INSTRUCTION_SET {

// Adds a row of values, each times its pixel's weight (NULL: 1). From float arithmetic the products, and the sum of a
// row of products, fit an int64.
template <class Real>
static void add_row(const Real *values, const int32_t *weights, int count, int128 &sum, bool &not_a_number)
{
    constexpr bool is_float = sizeof(Real) == sizeof(float);
    static_assert(int(ssim_float_bits) + int(pixel_weight_bits) + 7 <= 62 && ssim_tile_width <= 1 << 7);
    constexpr int shift = ssim_double_bits - (is_float ? ssim_float_bits : ssim_double_bits);
    int nans = 0;
    uint64_t total = 0; // NaN contributes arbitrary bits
    if (weights == nullptr) {
        for (int i = 0; i < count; ++i) {
            nans += values[i] != values[i];
            total += uint64_t(ssim_fixed(values[i]));
        }
        sum += int128(int64_t(total)) * (int64_t(1) << shift);
    } else if constexpr (is_float) {
        for (int i = 0; i < count; ++i) {
            nans += (values[i] != values[i]) & (weights[i] != 0);
            total += uint64_t(ssim_fixed(values[i])) * uint64_t(int64_t(weights[i]));
        }
        sum += int128(int64_t(total)) * (int64_t(1) << shift);
    } else {
        for (int i = 0; i < count; ++i) {
            nans += (values[i] != values[i]) & (weights[i] != 0);
            sum += int128(ssim_fixed(values[i])) * weights[i];
        }
    }
    not_a_number = not_a_number || nans != 0;
}

// Adds the spreads and doubts of a row. `units`: the pixels' weights; NULL: each is 1.
static void add_doubts(const float *spreads, const float *doubts, const int32_t *units, int count, float most_spread,
                       ssim_box_result &result)
{
    int32_t wide = 0;
    if (units == nullptr)
        for (int i = 0; i < count; ++i)
            wide |= spreads[i] > most_spread;
    else
        for (int i = 0; i < count; ++i)
            wide |= (spreads[i] > most_spread) & (units[i] != 0);
    result.spread = result.spread || wide != 0;
    if (doubts == nullptr)
        return;
    for (int i = 0; i < count; ++i) {
        const int64_t weight = units == nullptr ? 1 : units[i] >> doubt_weight_shift;
        result.doubt.sums[doubt_kind(doubts[i])] += doubt_units(doubts[i]) * weight;
        result.doubt.pixels += weight;
    }
}

template <bool safe, int taps, class Lanes>
static void finish_box_row(box_statistics<Lanes> &statistics, const ssim_constants<Lanes> &constants, int slice,
                           int row, int down_row, ssim_box_result &result)
{
    using real = typename Lanes::real;
    const ssim_box &box = statistics.box;
    const filter_of_row<taps, 1, Lanes> across(static_cast<const real *>(box.x.filter), box.x.taps, 1);
    const Lanes twice_pivot = Lanes::broadcast(statistics.pivot + statistics.pivot);
    constexpr bool is_float = sizeof(real) == sizeof(float);
    real *coverage = statistics.spare(0);
    real *values = statistics.spare(1); // a row for each factor
    real *spreads = statistics.spare(1 + ssim_factors);
    real *doubts = is_float && doubts_row(row, box.y.count) ? statistics.spare(2 + ssim_factors) : nullptr;
    for (int64_t at = 0; at < box.x.count; at += Lanes::width) {
        Lanes means[most_maps];
        means_at<taps>(statistics, across, down_row, at, means);
        ssim_terms<Lanes> terms = ssim_terms_of(means[0], means[1], means[2], means[3], twice_pivot, constants);
        if constexpr (is_float) {
            (means[2] + means[3]).store(spreads + at);
            if (doubts != nullptr)
                ssim_doubt(terms, means[0], means[1], means[2], means[3], constants,
                           constants_of_doubt<Lanes>(Lanes::broadcast))
                    .store(doubts + at);
        }
        if (box.negative_to_zero)
            terms.structure_top = clamp_to_zero(terms.structure_top);
        for (int factor = 0; factor < ssim_factors; ++factor)
            if (box.wanted[factor])
                factor_of<safe>(terms, factor).store(values + factor * statistics.memory.stride + at);
        if (statistics.maps == most_maps)
            means[4].store(coverage + at);
    }

    int32_t units[ssim_tile_width];
    if (statistics.weighted) {
        // The weight of the pixel at the window's centre, or 0 if too little of the window is covered.
        const real *centre = statistics.plane(slice + box.z.taps / 2, 2) +
                             (row + box.y.taps / 2) * statistics.memory.stride + box.x.taps / 2;
        int64_t total = 0;
        for (int i = 0; i < box.x.count; ++i) {
            const bool covered = statistics.maps != most_maps || covers_enough(coverage[i], box.coverage);
            units[i] = covered ? int32_t(weight_units(centre[i])) : 0;
            total += units[i];
        }
        result.weight += total;
    }
    const int32_t *weights = statistics.weighted ? units : nullptr;
    if constexpr (is_float)
        add_doubts(spreads, doubts, weights, box.x.count, IQA_SSIM_MOST_SPREAD * float(box.twice_c2), result);
    for (int factor = 0; factor < ssim_factors; ++factor)
        if (box.wanted[factor])
            add_row(values + factor * statistics.memory.stride, weights, box.x.count, result.sums[factor],
                    result.not_a_number);
    if (box.store_row != nullptr) {
        real *first = values;
        while (!box.wanted[(first - values) / statistics.memory.stride])
            first += statistics.memory.stride;
        for (int i = 0; weights != nullptr && i < box.x.count; ++i)
            if (weights[i] == 0)
                first[i] = real(__builtin_nan(""));
        box.store_row(box.receiver, slice, row, first);
    }
}

template <class Real>
static void ssim_of_box(const ssim_box &box, ssim_box_result &result)
{
    using lanes_type = typename lanes_of<Real>::type;
    result = {};
    box_statistics<lanes_type> statistics(
        box, ssim_box_memory(box.y.count + box.y.taps - 1, box.x.count + box.x.taps - 1, box.z.taps));
    const ssim_constants<lanes_type> constants = {lanes_type::broadcast(Real(box.twice_c1)),
                                                  lanes_type::broadcast(Real(box.twice_c2)),
                                                  lanes_type::broadcast(Real(box.covariance))};
    const bool safe = box.twice_c1 * box.twice_c2 >= IQA_SSIM_SAFE_PRODUCT;
    auto finish = safe ? finish_box_row<true, 0, lanes_type> : finish_box_row<false, 0, lanes_type>;
    if (safe && box.x.taps == 11)
        finish = finish_box_row<true, 11, lanes_type>;

    statistics.find_pivot();
    for (int first = 0; first < box.z.count; first += statistics.slices_from(first))
        statistics.measure(first, [&](int slice, int row, int down_row) {
            finish(statistics, constants, slice, row, down_row, result);
        });
}

} // namespace iqa::IQA_INSTRUCTION_SET
