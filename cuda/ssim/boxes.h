// SPDX-License-Identifier: MIT
// General SSIM: any window, volumes, weights, luma, all factors. A box of map pixels has one pivot (arith/ssim.h);
// blocks take boxes in parts. The kernel in double follows the kernel in float, as for tiles (tiles.h).
//
// Operations for a pixel of a plain 2-D part of 16 x 64 with 11 x 11 taps and weights: 1.9 samples staged (each some
// 100 instructions), 1.2 filtered down (18/8 rows read, 55 fused multiply-adds), 55 across, and one division for each
// factor.
#pragma once

#include "cuda/ssim/doubt.h"
#include "cuda/ssim/statistics.h"

namespace iqa::cuda {

//
// `known`: see window_filters.
template <class Real, int known>
struct ssim_boxes_of {
    struct arguments {
        statistics_arguments<Real> statistics;
        divided_maps maps;
        ssim_formula formula;
        bool wanted[ssim_factors];
        bool by_channel;
        output_view map;
        ssim_doubts doubts;
        ssim_accumulator *accumulators; // [images or channels]; zero between updates, as are the next two
        uint32_t *found_nan;            // [images]
        uint32_t *arrivals;
        // Results, as in ssim_request.
        int128 *sums, *weight;
        bool *not_a_number;

        IQA_HD_MEMBER int64_t results() const { return by_channel ? maps.images * maps.channels : maps.images; }
    };
    static constexpr bool is_float = sizeof(Real) == sizeof(float);
    static constexpr int threads = 256;
    // The totals of each thread: the weight, the factors' low and high digits, and the pixels whose doubt is computed.
    static constexpr int weight_total = 0, factor_totals = 1, looked_at_total = 1 + 2 * ssim_factors;
    static constexpr int most_totals = looked_at_total + (is_float ? 1 : 0);

    // In shared memory, to save registers.
    struct part_of_box {
        map_part<Real> map;
        part_extents extents;
        int64_t box;
        uint32_t spread, not_a_number;   // set by any thread
        uint32_t doubts[doubt_kinds][2]; // low and high digits of 16 bits
        pivot_grid<Real> grid;
        int64_t totals[most_totals * threads];
    };
    static constexpr int shared_bytes = round_up(int(sizeof(part_of_box)), 16);

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        part_of_box &part = *reinterpret_cast<part_of_box *>(block.shared());
        window_filters<Block, Real, known> filters(block, args.statistics,
                                                   reinterpret_cast<Real *>(block.shared() + shared_bytes));
        if constexpr (is_float) {
            for (int64_t index = block.index(); index < args.maps.work(); index += block.blocks())
                measure(block, args, filters, part, [&] { return extents_of_part(args.maps, index); });
        } else {
            finish_boxes(block, args, filters, part);
            if (block.comes_last(args.arrivals))
                hand_out(block, args);
        }
    }

private:
    IQA_KERNEL static int before_first(const arguments &args, int axis)
    {
        return args.statistics.border == border_mode::valid ? 0 : args.statistics.taps[axis] / 2;
    }

    // Takes the sums of boxes that float carries, and measures the others. Blocks share a box, each with the parts that
    // lie beside each other: to look at a box for a single part would be slow where float carries all.
    template <class Block, class Filters>
    IQA_KERNEL static void finish_boxes(Block &block, const arguments &args, Filters &filters, part_of_box &part)
    {
        const divided_maps &maps = args.maps;
        const bool follows = args.doubts.tiles != nullptr;
        const int parts = maps.parts_of_box(z_axis) * maps.parts_of_box(y_axis) * maps.parts_of_box(x_axis);
        const int beside = follows ? maps.parts_of_box(x_axis) : 1;
        const int groups = parts / beside;
        const int together = block.blocks() < groups ? 1 : groups;
        const int64_t step = block.blocks() / together;
        const int place = int(block.index() % together);
        if (block.index() >= step * together)
            return;
        for (int64_t box = block.index() / together; box < maps.all_boxes(); box += step) {
            if (follows && args.doubts.carries(box)) {
                if (place == 0)
                    block.each(1, [&](int) { take_from_float(args, box); });
                continue;
            }
            for (int group = place; group < groups; group += together)
                for (int index = group * beside; index < (group + 1) * beside; ++index)
                    if (extents_in_box(maps, box, index).has_pixels())
                        measure(block, args, filters, part, [&] { return extents_in_box(maps, box, index); });
        }
    }

    IQA_KERNEL static void find(const arguments &args, const part_extents &extents, part_of_box &part)
    {
        part.extents = extents;
        part.box = args.maps.box_of(extents);
        part.spread = part.not_a_number = 0;
        for (uint32_t(&digits)[2] : part.doubts)
            digits[0] = digits[1] = 0;
        map_part<Real> &map = part.map;
        for (int axis = z_axis; axis <= x_axis; ++axis) {
            map.first[axis] = part.extents.first[axis] - before_first(args, axis);
            map.count[axis] = part.extents.count[axis];
        }
        map.image = part.extents.image;
        map.channel = part.extents.channel;
    }

    template <class Block, class Filters, class Extents>
    IQA_KERNEL static void measure(Block &block, const arguments &args, Filters &filters, part_of_box &part,
                                   Extents &&extents)
    {
        block.each(most_totals * threads, [&](int i) {
            part.totals[i] = 0;
            if (i == 0)
                find(args, extents(), part);
        });
        const map_part<Real> &map = part.map;
        int64_t first[3], count[3];
        box_of_part(args, part.extents, first, count);
        find_pivot(block, args.statistics.source, map.image, map.channel, first, count, args.statistics.taps, part.grid,
                   part.map.pivot);
        filters.run(part.map, [&](int slice) {
            if (args.statistics.convolution)
                finish<weighted_maps>(block, args, filters, part, slice);
            else
                finish<plain_maps>(block, args, filters, part, slice);
        });
        collect(block, args, part);
    }

    // The first windows and the extents of the part's box.
    IQA_KERNEL static void box_of_part(const arguments &args, const part_extents &extents, int64_t (&first)[3],
                                       int64_t (&count)[3])
    {
        IQA_UNROLL_ON_GPU
        for (int axis = z_axis; axis <= x_axis; ++axis) {
            first[axis] = extents.box_first[axis] - before_first(args, axis);
            count[axis] = extents.box_count[axis];
        }
    }

    IQA_KERNEL static ssim_accumulator &results_of(const arguments &args, const part_extents &extents)
    {
        return args
            .accumulators[args.by_channel ? extents.image * args.maps.channels + extents.channel : extents.image];
    }

    IQA_KERNEL static void take_from_float(const arguments &args, int64_t box)
    {
        const part_extents extents = extents_in_box(args.maps, box, 0);
        const ssim_tile_total &from = args.doubts.tiles[box];
        ssim_accumulator &to = results_of(args, extents);
        for (int factor = 0; factor < ssim_factors; ++factor)
            add(&to.sums[factor], value_of(from.sums.sums[factor]));
        add(&to.weight, value_of(from.sums.weight));
        if (from.not_a_number != 0)
            set_bits(&args.found_nan[extents.image], 1u);
    }

    // The weight of the pixel at a window's centre, in units; 0 if too little of the window is covered.
    IQA_KERNEL static int32_t units_of(const arguments &args, const map_part<Real> &part, int slice, int row,
                                       int column, bool covered)
    {
        const int(&taps)[3] = args.statistics.taps;
        const Real weight =
            weight_at(args.statistics.source,
                      {part.image, part.channel, part.first[z_axis] + taps[z_axis] / 2 + slice,
                       part.first[y_axis] + taps[y_axis] / 2 + row, part.first[x_axis] + taps[x_axis] / 2 + column});
        return covered ? int32_t(weight_units(weight)) : 0;
    }

    // One slice: values from window means, added to the threads' totals.
    template <int maps, class Block>
    IQA_KERNEL static void finish(Block &block, const arguments &args,
                                  const window_filters<Block, Real, known> &filters, part_of_box &part, int slice)
    {
        const map_part<Real> &map = part.map;
        int64_t *totals = part.totals;
        const bool weighted = args.statistics.source.weighted();
        const bool safe = args.formula.safe();
        const ssim_constants<Real> constants = args.formula.template constants<Real>();
        const int first_wanted = args.wanted[ssim_product]              ? ssim_product
                                 : args.wanted[ssim_contrast_structure] ? ssim_contrast_structure
                                                                        : ssim_luminance;
        const int columns = map.count[x_axis];
        const int pixels = map.count[y_axis] * columns;
        const int rows_before = int(part.extents.first[y_axis] - part.extents.box_first[y_axis]);
        const int rows_of_box = part.extents.box_count[y_axis];
        block.each(threads, [&](int thread) {
            int128 sums[ssim_factors] = {};
            int64_t weight = 0;
            int64_t looked_at = 0;
            bool nan = false;
            bool spread = false;
            for (int pixel = thread; pixel < pixels; pixel += threads) {
                const int row = pixel / columns;
                const int column = pixel - row * columns;
                Real means[maps];
                filters.means_at(map, row, column, means);
                ssim_terms<Real> terms =
                    ssim_terms_of(means[0], means[1], means[2], means[3], map.pivot + map.pivot, constants);
                int32_t units = 1;
                if (weighted) {
                    bool covered = true;
                    if constexpr (maps == weighted_maps)
                        covered = covers_enough(means[plain_maps], args.formula.coverage);
                    units = units_of(args, map, slice, row, column, covered);
                    weight += units;
                }
                if constexpr (is_float) {
                    spread = spread || (units != 0 && means[2] + means[3] > most_spread(args));
                    if (doubts_row(rows_before + row, rows_of_box)) {
                        const int64_t counts_for = weighted ? units >> doubt_weight_shift : 1;
                        const float doubt = ssim_doubt(terms, means[0], means[1], means[2], means[3], constants,
                                                       constants_of_doubt_in_float());
                        const int64_t doubts = doubt_units(doubt) * counts_for;
                        add(&part.doubts[doubt_kind(doubt)][0], uint32_t(doubts & 0xffff));
                        add(&part.doubts[doubt_kind(doubt)][1], uint32_t(doubts >> 16));
                        looked_at += counts_for;
                    }
                }
                if (args.formula.negative_to_zero)
                    terms.structure_top = clamp_to_zero(terms.structure_top);
                IQA_UNROLL_ON_GPU
                for (int factor = 0; factor < ssim_factors; ++factor) {
                    if (!args.wanted[factor])
                        continue;
                    const Real value = safe ? factor_of<true>(terms, factor) : factor_of<false>(terms, factor);
                    nan = nan || (value != value && units != 0);
                    sums[factor] += int128(ssim_fixed(value)) * units;
                    if (factor == first_wanted && args.map.data != nullptr)
                        args.map.store(map.image, map.channel, part.extents.first[z_axis] + slice,
                                       part.extents.first[y_axis] + row, part.extents.first[x_axis] + column,
                                       units != 0 ? double(value) : double_from_bits(0x7ff8000000000000u));
                }
            }
            if (nan)
                set_bits(&part.not_a_number, 1u);
            if (spread)
                set_bits(&part.spread, 1u);
            totals[weight_total * threads + thread] += weight;
            IQA_UNROLL_ON_GPU
            for (int factor = 0; factor < ssim_factors; ++factor) {
                totals[(factor_totals + 2 * factor) * threads + thread] += int64_t(uint32_t(sums[factor]));
                totals[(factor_totals + 2 * factor + 1) * threads + thread] += int64_t(sums[factor] >> 32);
            }
            if constexpr (is_float)
                totals[looked_at_total * threads + thread] += looked_at;
        });
    }

    IQA_KERNEL static float most_spread(const arguments &args)
    {
        return float(IQA_SSIM_MOST_SPREAD) * float(args.formula.twice_c2);
    }

    // Adds the threads' totals to those of the box, or of all blocks.
    template <class Block>
    IQA_KERNEL static void collect(Block &block, const arguments &args, const part_of_box &part)
    {
        const int64_t *totals = part.totals;
        constexpr int shift = ssim_double_bits - (is_float ? ssim_float_bits : ssim_double_bits);
        ssim_accumulator &to = is_float ? args.doubts.tiles[part.box].sums : results_of(args, part.extents);
        const auto total = [&](int index) {
            return block.sum(threads, [&](int thread) { return totals[index * threads + thread]; });
        };
        for (int factor = 0; factor < ssim_factors; ++factor) {
            if (!args.wanted[factor])
                continue;
            const int64_t low = total(factor_totals + 2 * factor);
            const int64_t high = total(factor_totals + 2 * factor + 1);
            block.each(1, [&](int) {
                add(&to.sums[factor], (int128(high) * (int64_t(1) << 32) + low) * (int64_t(1) << shift));
            });
        }
        if (args.statistics.source.weighted()) {
            const int64_t weight = total(weight_total);
            block.each(1, [&](int) { add(&to.weight, weight); });
        }
        if constexpr (is_float) {
            doubt_total doubt = {total(looked_at_total), {}};
            block.each(1, [&](int) {
                for (int kind = 0; kind < doubt_kinds; ++kind)
                    doubt.sums[kind] = part.doubts[kind][0] + (int64_t(part.doubts[kind][1]) << 16);
                add(args.doubts, part.box, doubt);
                if (part.spread != 0)
                    set_bits(&args.doubts.tiles[part.box].spread, 1u);
                if (part.not_a_number != 0)
                    set_bits(&args.doubts.tiles[part.box].not_a_number, 1u);
            });
        } else {
            block.each(1, [&](int) {
                if (part.not_a_number != 0)
                    set_bits(&args.found_nan[part.extents.image], 1u);
            });
        }
    }

    // Turns the sums of all blocks into the request's results.
    template <class Block>
    IQA_KERNEL static void hand_out(Block &block, const arguments &args)
    {
        const bool weighted = args.statistics.source.weighted();
        block.each(int(args.results()), [&](int i) {
            ssim_accumulator &from = args.accumulators[i];
            for (int factor = 0; factor < ssim_factors; ++factor)
                args.sums[i * int64_t(ssim_factors) + factor] = value_of(from.sums[factor]);
            if (weighted)
                args.weight[i] = value_of(from.weight);
            from = {};
        });
        block.each(int(args.maps.images), [&](int i) {
            args.not_a_number[i] = args.found_nan[i] != 0;
            args.found_nan[i] = 0;
        });
        clear(block, args.doubts, args.maps.images * args.maps.channels);
    }
};

} // namespace iqa::cuda
