// SPDX-License-Identifier: MIT
// A box of an SSIM map in the general case. Plain images have the quicker tiles.inl, with the same arithmetic.
#pragma once

#include "arith/comparison.h"
#include "arith/ssim.h"
#include "arith/ssim_doubt.h"
#include "arith/weight.h"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/kernels.hpp"
#include "cpu/ssim/statistics.inl"

namespace iqa::IQA_INSTRUCTION_SET {

// Measures the `rows` rows from `first` on, which were filtered down together. `only`: the factor that is wanted;
// ssim_factors: any. `most_spread`: of pixels that count, lane by lane.
template <bool safe, int taps, bool weighted, int only, class Lanes>
static void finish_box_rows(const box_statistics<Lanes> &statistics, const ssim_constants<Lanes> &constants, int slice,
                            int first, int rows, Lanes &most_spread, ssim_box_result &result)
{
    using real = typename Lanes::real;
    constexpr bool is_float = sizeof(real) == sizeof(float);
    constexpr int shift = ssim_double_bits - (is_float ? ssim_float_bits : ssim_double_bits);
    constexpr int factors = only == ssim_factors ? int(ssim_factors) : 1;
    const ssim_box &box = statistics.box;
    const filter_of_row<taps, 1, Lanes> across(static_cast<const real *>(box.x.filter), box.x.taps, 1);
    const Lanes twice_pivot = Lanes::broadcast(statistics.pivot + statistics.pivot);
    const Lanes zero = Lanes::broadcast(0);
    const Lanes units = Lanes::broadcast(real(1 << pixel_weight_bits));
    const Lanes least_coverage = Lanes::broadcast(least_covered<real>(box.coverage));
    const auto factor_at = [](int index) {
        return only == ssim_factors ? index : only;
    };
    const auto wanted = [&](int index) {
        return only != ssim_factors || box.wanted[index];
    };
    int stored = factors; // the first wanted factor
    for (int i = factors; box.store_row != nullptr && i-- > 0;)
        stored = wanted(i) ? i : stored;
    real *const weights = statistics.spare(0);
    real *const values = statistics.spare(1); // of the stored factor
    const bool normalises = statistics.normalises();

    Lanes spread = most_spread;
    sum_of_rows<weighted, Lanes> sums[factors];
    for (int row = 0; row < rows; ++row) {
        const real *const centres = statistics.plane(slice + box.z.taps / 2, 2) +
                                    (first + row + box.y.taps / 2) * statistics.memory.stride + box.x.taps / 2;
        real *const doubts = is_float && doubts_row(first + row, box.y.count) ? statistics.spare(2) : nullptr;
        const bool keep_weights = doubts != nullptr || box.store_row != nullptr;
        const auto begin = [&](int64_t, window_means<Lanes> sums_of_windows) __attribute__((always_inline))
        {
            if (normalises)
                sums_of_windows.divide();
            return sums_of_windows;
        };
        const auto finish = [&](int64_t at, const window_means<Lanes> &of_windows) __attribute__((always_inline))
        {
            const auto &means = of_windows.k;
            const int count = int(box.x.count - at < Lanes::width ? box.x.count - at : Lanes::width);
            ssim_terms<Lanes> terms = ssim_terms_of(means[0], means[1], means[2], means[3], twice_pivot, constants);
            // The weight of the pixel at the window's centre in units, or 0 if too little of the window is covered.
            Lanes weight = zero;
            if constexpr (weighted) {
                weight = nearest_integers(Lanes::load(centres + at) * units);
                if (count < Lanes::width)
                    weight = first_lanes(weight, count);
                if (normalises)
                    weight = keep_if<comparison::at_least>(weight, means[4], least_coverage);
                if (keep_weights)
                    weight.store(weights + at);
            }
            if constexpr (is_float) {
                Lanes squares = means[2] + means[3];
                if constexpr (weighted)
                    squares = keep_if<comparison::unequal>(squares, weight, zero);
                else if (count < Lanes::width)
                    squares = first_lanes(squares, count);
                spread = at_least(squares, spread);
                if (__builtin_expect(doubts != nullptr, 0))
                    ssim_doubt(terms, means[0], means[1], means[2], means[3], constants,
                               constants_of_doubt<Lanes>(Lanes::broadcast))
                        .store(doubts + at);
            }
            if (box.negative_to_zero)
                terms.structure_top = clamp_to_zero(terms.structure_top);
            IQA_UNROLL
            for (int i = 0; i < factors; ++i) {
                if (!wanted(i))
                    continue;
                const Lanes value = factor_of<safe>(terms, factor_at(i));
                sums[i].add(value, weight, count);
                if (i == stored)
                    value.store(values + at);
            }
        };
        for_sums_of_row<taps>(statistics, across, row, begin, finish);
        if constexpr (is_float)
            if (doubts != nullptr)
                add_doubts(doubts, weighted ? weights : nullptr, box.x.count, result.doubt);
        if (box.store_row != nullptr) {
            for (int i = 0; weighted && i < box.x.count; ++i)
                if (weights[i] == real(0))
                    values[i] = real(__builtin_nan(""));
            box.store_row(box.receiver, slice, first + row, values);
        }
    }
    most_spread = spread;

    int64_t weight = 0;
    for (int i = 0; i < factors; ++i) {
        if (!wanted(i))
            continue;
        const auto &sum = sums[i].sum;
        result.sums[factor_at(i)] += int128(sum.total()) * (int64_t(1) << shift);
        result.not_a_number = result.not_a_number || sum.any_nan();
        if constexpr (weighted)
            weight = sum.weight();
    }
    result.weight += weight;
}

template <bool weighted, class Lanes>
static void measure_box(box_statistics<Lanes> &statistics, ssim_box_result &result)
{
    using real = typename Lanes::real;
    const ssim_box &box = statistics.box;
    const ssim_constants<Lanes> constants = {Lanes::broadcast(real(box.twice_c1)), Lanes::broadcast(real(box.twice_c2)),
                                             Lanes::broadcast(real(box.covariance))};
    const bool safe = is_safe_product(box.twice_c1, box.twice_c2);
    const bool several = box.wanted[ssim_luminance] || box.wanted[ssim_product] == box.wanted[ssim_contrast_structure];
    auto finish = safe ? finish_box_rows<true, 0, weighted, ssim_factors, Lanes>
                       : finish_box_rows<false, 0, weighted, ssim_factors, Lanes>;
    if (safe && box.x.taps == 11)
        finish = several                    ? finish_box_rows<true, 11, weighted, ssim_factors, Lanes>
                 : box.wanted[ssim_product] ? finish_box_rows<true, 11, weighted, ssim_product, Lanes>
                                            : finish_box_rows<true, 11, weighted, ssim_contrast_structure, Lanes>;

    const auto outputs = [](const box_axis &axis) {
        return span_of_outputs{axis.first + axis.taps / 2, axis.count};
    };
    statistics.find_pivot(outputs(box.z), outputs(box.y), outputs(box.x));
    Lanes spread = Lanes::broadcast(0);
    for (int first = 0; first < box.z.count; first += statistics.slices_from(first))
        statistics.measure(first, [&](int slice, int row, int rows) {
            finish(statistics, constants, slice, row, rows, spread, result);
        });
    if constexpr (sizeof(real) == sizeof(float)) {
        real lanes[Lanes::width];
        spread.store(lanes);
        for (const real lane : lanes)
            result.spread = result.spread || lane > IQA_SSIM_MOST_SPREAD * float(box.twice_c2);
    }
}

template <class Real>
static void ssim_of_box(const ssim_box &box, ssim_box_result &result)
{
    using lanes_type = typename lanes_of<Real>::type;
    result = {};
    box_statistics<lanes_type> statistics(
        box, ssim_box_memory(box.y.count + box.y.taps - 1, box.x.count + box.x.taps - 1, box.z.taps));
    if (!statistics.weighted)
        return measure_box<false>(statistics, result);
    if (!nothing_counts(statistics))
        return measure_box<true>(statistics, result);
    if (box.store_row == nullptr)
        return;
    Real *const values = statistics.spare(0);
    for (int i = 0; i < box.x.count; ++i)
        values[i] = Real(__builtin_nan(""));
    for (int slice = 0; slice < box.z.count; ++slice)
        for (int row = 0; row < box.y.count; ++row)
            box.store_row(box.receiver, slice, row, values);
}

} // namespace iqa::IQA_INSTRUCTION_SET
