// SPDX-License-Identifier: MIT
// SSIM where anything may be asked for. The pivot belongs to a box (arith/ssim.h); blocks take boxes in parts.
//
// Operations of a pixel of a plain 2-D part of 16 x 64 with 11 x 11 taps and weights: 1.9 samples staged (each some 80
// instructions), 1.2 filtered down (26/8 rows read, 55 fused multiply-adds), 55 across, and one division per part.
#pragma once

#include "cuda/ssim_statistics.h"

namespace iqa::cuda {

// Results of an image or channel: sums of parts, and the weight of the pixels.
struct ssim_accumulator {
    wide_sum sums[ssim_parts];
    wide_sum weight;
};

template <class Real>
struct ssim_boxes_of {
    struct arguments {
        statistics_arguments<Real> statistics;
        divided_maps maps;
        ssim_formula formula;
        bool wanted[ssim_parts];
        bool by_channel;
        output_view map;
        ssim_accumulator *accumulators; // [images or channels]; all zero, and so are the next two
        uint32_t *found_nan;            // [images]
        uint32_t *arrivals;
        // Results: see ssim_request.
        int128 *sums, *weight;
        bool *not_a_number;

        IQA_HD_MEMBER int64_t results() const { return by_channel ? maps.images * maps.channels : maps.images; }
    };
    static constexpr int threads = 256;
    // What each thread sums: the parts' low and high digits, and the weight.
    static constexpr int most_totals = 2 * ssim_parts + 1;

    // In shared memory, for registers are few.
    struct part_of_box {
        map_part<Real> map;
        int64_t first[3]; // the part's first pixel in the map
        int64_t totals[most_totals * threads];
    };
    static constexpr int shared_bytes = (int(sizeof(part_of_box)) + 15) / 16 * 16;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        part_of_box &part = *reinterpret_cast<part_of_box *>(block.shared());
        window_filters<Block, Real> filters(block, given.statistics,
                                            reinterpret_cast<Real *>(block.shared() + shared_bytes));
        for (int64_t index = block.index(); index < given.maps.work(); index += block.blocks()) {
            block.each(most_totals * threads, [&](int i) {
                part.totals[i] = 0;
                if (i == 0)
                    find(given, index, part);
            });
            filters.run(part.map, [&](int slice) {
                if (given.statistics.convolution)
                    finish<weighted_maps>(block, given, filters, part, slice);
                else
                    finish<plain_maps>(block, given, filters, part, slice);
            });
            collect(block, given, part);
        }
        if (block.comes_last(given.arrivals))
            hand_out(block, given);
    }

private:
    IQA_KERNEL static void find(const arguments &given, int64_t index, part_of_box &part)
    {
        const part_place place = place_of_part(given.maps, index);
        map_part<Real> &map = part.map;
        int64_t box_first[3], box_count[3];
        IQA_UNROLL_ON_GPU
        for (int axis = z_axis; axis <= x_axis; ++axis) {
            const int radius = given.statistics.taps[axis] / 2;
            const int before = given.statistics.border == border_mode::valid ? 0 : radius;
            part.first[axis] = place.first[axis];
            map.first[axis] = place.first[axis] - before;
            map.count[axis] = place.count[axis];
            box_first[axis] = place.box_first[axis] - before;
            box_count[axis] = place.box_count[axis];
        }
        map.image = place.image;
        map.channel = place.channel;
        map.pivot = pivot_of_box<Real>(given.statistics.source, map.image, map.channel, box_first, box_count,
                                       given.statistics.taps);
    }

    // The weight of the pixel at a window's centre, in units, where enough of the window is covered.
    IQA_KERNEL static int32_t units_of(const arguments &given, const map_part<Real> &part, int slice, int row,
                                       int column, bool covered)
    {
        const int(&taps)[3] = given.statistics.taps;
        const weighted_pair<Real> centre = pair_at<Real>(
            given.statistics.source,
            {part.image, part.channel, part.first[z_axis] + taps[z_axis] / 2 + slice,
             part.first[y_axis] + taps[y_axis] / 2 + row, part.first[x_axis] + taps[x_axis] / 2 + column});
        return covered ? int32_t(weight_units(centre.weight)) : 0;
    }

    // One slice: values from window means, and what each thread sums of them.
    template <int maps, class Block>
    IQA_KERNEL static void finish(Block &block, const arguments &given, const window_filters<Block, Real> &filters,
                                  part_of_box &own, int slice)
    {
        const map_part<Real> &part = own.map;
        int64_t *totals = own.totals;
        const bool weighted = given.statistics.source.weighted();
        const bool safe = given.formula.safe();
        const ssim_constants<Real> constants = given.formula.template constants<Real>();
        const int first_wanted = given.wanted[ssim_product]              ? ssim_product
                                 : given.wanted[ssim_contrast_structure] ? ssim_contrast_structure
                                                                         : ssim_luminance;
        const int columns = part.count[x_axis];
        const int pixels = part.count[y_axis] * columns;
        block.each(threads, [&](int thread) {
            int128 sums[ssim_parts] = {};
            int64_t weight = 0;
            bool nan = false;
            for (int pixel = thread; pixel < pixels; pixel += threads) {
                const int row = pixel / columns;
                const int column = pixel - row * columns;
                Real means[maps];
                filters.means_at(part, row, column, means);
                ssim_terms<Real> terms =
                    ssim_terms_of(means[0], means[1], means[2], means[3], part.pivot + part.pivot, constants);
                if (given.formula.negative_to_zero)
                    terms.structure_top = clamp_to_zero(terms.structure_top);
                int32_t units = 1;
                if (weighted) {
                    bool covered = true;
                    if constexpr (maps == weighted_maps)
                        covered = covers_enough(means[plain_maps], given.formula.coverage);
                    units = units_of(given, part, slice, row, column, covered);
                    weight += units;
                }
                IQA_UNROLL_ON_GPU
                for (int which = 0; which < ssim_parts; ++which) {
                    if (!given.wanted[which])
                        continue;
                    const Real value = safe ? part_of<true>(terms, which) : part_of<false>(terms, which);
                    nan = nan || (value != value && units != 0);
                    sums[which] += int128(ssim_fixed(value)) * units;
                    if (which == first_wanted && given.map.data != nullptr)
                        given.map.store(part.image, part.channel, own.first[z_axis] + slice, own.first[y_axis] + row,
                                        own.first[x_axis] + column,
                                        units != 0 ? double(value) : double_from_bits(0x7ff8000000000000u));
                }
            }
            if (nan)
                set_bits(&given.found_nan[part.image], 1u);
            totals[thread] += weight;
            IQA_UNROLL_ON_GPU
            for (int which = 0; which < ssim_parts; ++which) {
                totals[(1 + 2 * which) * threads + thread] += int64_t(uint32_t(sums[which]));
                totals[(2 + 2 * which) * threads + thread] += int64_t(sums[which] >> 32);
            }
        });
    }

    // The threads' totals to those of all blocks.
    template <class Block>
    IQA_KERNEL static void collect(Block &block, const arguments &given, const part_of_box &own)
    {
        const map_part<Real> &part = own.map;
        const int64_t *totals = own.totals;
        constexpr int shift = ssim_double_bits - (sizeof(Real) == sizeof(float) ? ssim_float_bits : ssim_double_bits);
        ssim_accumulator *to =
            given.accumulators + (given.by_channel ? part.image * given.maps.channels + part.channel : part.image);
        const auto total = [&](int which) {
            return block.sum(threads, [&](int thread) { return totals[which * threads + thread]; });
        };
        for (int which = 0; which < ssim_parts; ++which) {
            if (!given.wanted[which])
                continue;
            const int64_t low = total(1 + 2 * which);
            const int64_t high = total(2 + 2 * which);
            block.each(1, [&](int) {
                add(&to->sums[which], (int128(high) * (int64_t(1) << 32) + low) * (int64_t(1) << shift));
            });
        }
        if (given.statistics.source.weighted()) {
            const int64_t weight = total(0);
            block.each(1, [&](int) { add(&to->weight, weight); });
        }
    }

    // The sums of all blocks to the request's results.
    template <class Block>
    IQA_KERNEL static void hand_out(Block &block, const arguments &given)
    {
        const bool weighted = given.statistics.source.weighted();
        block.each(int(given.results()), [&](int i) {
            ssim_accumulator &from = given.accumulators[i];
            for (int which = 0; which < ssim_parts; ++which)
                given.sums[i * int64_t(ssim_parts) + which] = value_of(from.sums[which]);
            if (weighted)
                given.weight[i] = value_of(from.weight);
            from = {};
        });
        block.each(int(given.maps.images), [&](int i) {
            given.not_a_number[i] = given.found_nan[i] != 0;
            given.found_nan[i] = 0;
        });
    }
};

} // namespace iqa::cuda
