// SPDX-License-Identifier: MIT
// SSIM of plain images with a window of few taps. Tiles share a pivot (arith/ssim.h) and are cut into strips; a block
// takes one. A strip is staged in shared memory as s = x' + y' and d = x' - y', filtered down into four maps, eight
// rows to a thread, then across, eight columns to a thread, and finished in registers. Only sums leave the
// multiprocessor, and the map if it is wanted. Each pixel takes the operations of src/cpu/ssim/tiles.inl in its order.
// The kernel in double follows the kernel in float: it takes over the sums of tiles that float carries, and measures
// the others again.
//
// For each pixel, with 11 taps and strips of 16 rows: 101 fused multiply-adds, in 245 issue slots (bench/
// cuda_slots.hpp). Bytes: each sample is read 1.75 times, mostly from the caches.
#pragma once

#include "cuda/ssim/strip.h"

namespace iqa::cuda {

// `Sample` is void if the type is looked up for each sample.
template <class Real, class Sample, int Taps>
struct ssim_tiles {
    using source = ssim_strips<Real, Sample, Taps>;
    using arguments = typename source::arguments;
    using strip = typename source::strip;
    using staged_pixel = typename source::staged_pixel;
    using common = typename source::common;
    static constexpr bool is_float = source::is_float;
    static constexpr int threads = source::threads;
    static constexpr int least_resident = is_float ? 3 : 1; // the limit of shared memory
    static constexpr int rows = source::rows;
    static constexpr int strips = source::strips;
    static constexpr int staged_columns = source::staged_columns;
    static constexpr int rows_together = is_float ? 8 : 4; // filtered down by a thread
    static constexpr int columns_together = 8;             // filtered across by a thread
    // The threads of a warp filter different rows across: this stride keeps them in different banks.
    static constexpr int map_stride = 141;
    static constexpr int value_stride = ssim_tile_width + 1; // the same for the map's values

    struct alignas(16) pixel_means {
        Real values[4];
    };
    static constexpr size_t staged_bytes = source::staged_bytes;
    static constexpr size_t map_bytes = size_t(rows) * map_stride * sizeof(pixel_means);
    static constexpr size_t shared_bytes = staged_bytes + map_bytes + sizeof(common);
    static_assert(shared_bytes + most_static_shared_bytes <= 64 * 1024);
    static_assert(staged_bytes % 16 == 0 && map_bytes % 16 == 0 && staged_columns <= map_stride);
    static_assert(rows * value_stride * sizeof(Real) <= staged_bytes); // the map's values replace the staged pixels

    template <class Block>
    IQA_KERNEL static void filter_down(Block &block, const arguments &args, const strip &area,
                                       const staged_pixel *staged, pixel_means *maps)
    {
        constexpr int groups = rows / rows_together;
        block.each_thread(staged_columns * groups, [&](int task) {
            const int column = task % staged_columns;
            const int first = task / staged_columns * rows_together;
            if (column >= area.columns + Taps - 1 || first >= area.rows)
                return;
            Real total[rows_together][4] = {};
            IQA_UNROLL_ON_GPU
            for (int tap = 0; tap < Taps + rows_together - 1; ++tap) {
                const staged_pixel pixel = staged[(first + tap) * staged_columns + column];
                const Real products[4] = {pixel.sum, pixel.difference, pixel.sum * pixel.sum,
                                          pixel.difference * pixel.difference};
                IQA_UNROLL_ON_GPU
                for (int row = 0; row < rows_together; ++row)
                    if (tap - row >= 0 && tap - row < Taps)
                        IQA_UNROLL_ON_GPU
                for (int map = 0; map < 4; ++map)
                    total[row][map] = fused_multiply_add(args.taps_y[tap - row], products[map], total[row][map]);
            }
            IQA_UNROLL_ON_GPU
            for (int row = 0; row < rows_together; ++row)
                maps[(first + row) * map_stride + column] = {
                    {total[row][0], total[row][1], total[row][2], total[row][3]}};
        });
    }

    // Window means of neighbouring pixels of a row.
    template <int Columns>
    IQA_KERNEL static void average(const arguments &args, const pixel_means *maps, Real (&means)[Columns][4])
    {
        IQA_UNROLL_ON_GPU
        for (int tap = 0; tap < Taps + Columns - 1; ++tap) {
            const pixel_means down = maps[tap];
            IQA_UNROLL_ON_GPU
            for (int column = 0; column < Columns; ++column)
                if (tap - column >= 0 && tap - column < Taps)
                    IQA_UNROLL_ON_GPU
            for (int map = 0; map < 4; ++map)
                means[column][map] =
                    fused_multiply_add(args.taps_x[tap - column], down.values[map], means[column][map]);
        }
    }

    IQA_KERNEL static ssim_terms<Real> terms_of(const arguments &args, const strip &area, const Real (&means)[4])
    {
        return ssim_terms_of(means[0], means[1], means[2], means[3], area.pivot + area.pivot, args.constants);
    }

    // The sum of neighbouring pixels of a row, columns_together from `first` on; meaningless with a NaN.
    IQA_KERNEL static int64_t measure_pixels(const arguments &args, const strip &area, const pixel_means *maps, int row,
                                             int first, Real *values)
    {
        if (row >= area.rows || first >= area.columns)
            return 0;
        Real means[columns_together][4] = {};
        average(args, maps + row * map_stride + first, means);
        const auto add_all = [&](auto &&formula) {
            return add_pixels(args, area, means, first, formula, values + row * value_stride);
        };
        using terms = ssim_terms<Real>;
        if (args.factor == ssim_product && args.safe)
            return add_all([](const terms &pixel) { return ssim_of<true>(pixel); });
        if (args.factor == ssim_product)
            return add_all([](const terms &pixel) { return ssim_of<false>(pixel); });
        if (args.safe)
            return add_all([](const terms &pixel) { return contrast_structure_of<true>(pixel); });
        return add_all([](const terms &pixel) { return contrast_structure_of<false>(pixel); });
    }

    template <class Formula>
    IQA_KERNEL static int64_t add_pixels(const arguments &args, const strip &area,
                                         const Real (&means)[columns_together][4], int first, Formula &&formula,
                                         Real *values)
    {
        uint64_t sum = 0;
        bool not_a_number = false;
        float spread = 0.0f;
        IQA_UNROLL_ON_GPU
        for (int column = 0; column < columns_together; ++column) {
            if (first + column >= area.columns)
                break;
            const Real value = formula(terms_of(args, area, means[column]));
            sum += uint64_t(ssim_fixed(value));
            not_a_number = not_a_number || value != value;
            if constexpr (is_float)
                spread = at_least(means[column][2] + means[column][3], spread);
            if (args.map.data != nullptr)
                values[first + column] = value;
        }
        if constexpr (is_float)
            if (spread > float(IQA_SSIM_MOST_SPREAD) * float(args.constants.twice_c2)) // rare
                set_bits(&args.doubts.tiles[area.tile].spread, 1u);
        if (not_a_number) // rare
            set_bits(is_float ? &args.doubts.tiles[area.tile].not_a_number
                              : &args.totals.images[area.image].not_a_number,
                     1u);
        return int64_t(sum);
    }

    // The doubt of one pixel in the `n`th doubted row. Separate threads compute it: a warp has many rows, and all would
    // wait for the few doubted ones.
    IQA_KERNEL static void doubt_pixel(const arguments &args, const strip &area, const pixel_means *maps, int n,
                                       int column, uint32_t *doubts)
    {
        if (column >= area.columns)
            return;
        uint32_t rows_left = area.doubted;
        for (; n > 0; --n)
            rows_left &= rows_left - 1;
        Real means[1][4] = {};
        const int row = __builtin_popcount((rows_left - 1) & ~rows_left); // the lowest bit's
        average(args, maps + row * map_stride + column, means);
        const float doubt = ssim_doubt(terms_of(args, area, means[0]), means[0][0], means[0][1], means[0][2],
                                       means[0][3], args.constants, constants_of_doubt_in_float());
        add(&doubts[doubt_kind(doubt)], uint32_t(doubt_units(doubt)));
    }

    template <class Block>
    IQA_KERNEL static common &common_of(Block &block)
    {
        return *reinterpret_cast<common *>(block.shared() + staged_bytes + map_bytes);
    }

    template <class Block>
    IQA_KERNEL static int64_t filter_across(Block &block, const arguments &args, const strip &area,
                                            const pixel_means *maps, Real *values)
    {
        constexpr int measured = rows * (ssim_tile_width / columns_together);
        const int doubted = __builtin_popcount(area.doubted) * ssim_tile_width;
        return block.sum(measured + doubted, [&](int task) -> int64_t {
            if (task < measured)
                return measure_pixels(args, area, maps, task % rows, task / rows * columns_together, values);
            if constexpr (is_float)
                doubt_pixel(args, area, maps, (task - measured) / ssim_tile_width, (task - measured) % ssim_tile_width,
                            common_of(block).doubts);
            return 0;
        });
    }

    // Neighbouring threads store neighbouring pixels.
    template <class Block>
    IQA_KERNEL static void store_map(Block &block, const arguments &args, const strip &area, const Real *values)
    {
        block.each(area.rows * ssim_tile_width, [&](int i) {
            const int row = i / ssim_tile_width;
            const int column = i % ssim_tile_width;
            if (column < area.columns)
                args.map.store(area.image, area.channel, 0, area.row + row, area.column + column,
                               double(values[row * value_stride + column]));
        });
    }

    template <class Block>
    IQA_KERNEL static int64_t measure(Block &block, const arguments &args, strip &area)
    {
        staged_pixel *staged = reinterpret_cast<staged_pixel *>(block.shared());
        pixel_means *maps = reinterpret_cast<pixel_means *>(block.shared() + staged_bytes);
        source::stage(block, args, area, staged, common_of(block));
        filter_down(block, args, area, staged, maps);
        Real *const values = reinterpret_cast<Real *>(block.shared()); // over the staged pixels
        const int64_t sum = filter_across(block, args, area, maps, values);
        if (args.map.data != nullptr)
            store_map(block, args, area, values);
        return sum;
    }

    // Adds the sum of a strip or tile to the results.
    IQA_KERNEL static void add_to_results(const arguments &args, const strip &area, int128 sum)
    {
        const int64_t plane = args.by_channel ? area.image * args.images.reference.channels + area.channel : area.image;
        add(&args.totals.planes[plane].sum, sum);
    }

    // For the last block: stores the results and clears the totals.
    template <class Block>
    IQA_KERNEL static void collect(Block &block, const arguments &args)
    {
        const image_view &shape = args.images.reference;
        const int64_t planes = args.by_channel ? shape.channels : 1;
        block.each(int(shape.images * planes), [&](int i) {
            wide_sum &sum = args.totals.planes[i].sum;
            for (int factor = 0; factor < ssim_factors; ++factor)
                args.sums[i * ssim_factors + factor] = factor == args.factor ? value_of(sum) : int128(0);
            sum = {};
        });
        block.each(int(shape.images), [&](int i) {
            ssim_image_total &total = args.totals.images[i];
            if (args.counts != nullptr)
                args.counts[i] = {total.outside, total.nonfinite};
            args.not_a_number[i] = total.not_a_number != 0;
            total = {};
        });
        clear(block, args.doubts, shape.images * shape.channels);
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        if constexpr (is_float)
            run_in_float(block, args);
        else
            run_in_double(block, args);
    }

    template <class Block>
    IQA_KERNEL static void run_in_float(Block &block, const arguments &args)
    {
        strip area = source::find(args, block.index() / strips, int(block.index() % strips));
        if (area.rows <= 0)
            return;
        const int64_t sum = measure(block, args, area);
        block.each_thread(1, [&](int) {
            add(&args.doubts.tiles[area.tile].sums.sums[args.factor], in_double_units<Real>(sum));
            doubt_total doubt = {int64_t(__builtin_popcount(area.doubted)) * area.columns, {}};
            for (int kind = 0; kind < doubt_kinds; ++kind)
                doubt.sums[kind] = common_of(block).doubts[kind];
            add(args.doubts, area.tile, doubt);
        });
    }

    // Measures all strips, or those of tiles that float does not carry.
    template <class Block>
    IQA_KERNEL static void run_in_double(Block &block, const arguments &args)
    {
        const image_view &shape = args.images.reference;
        const int64_t tiles = shape.images * shape.channels * args.down.divisor * args.across.divisor;
        if (args.doubts.tiles == nullptr)
            for (int64_t index = block.index(); index < tiles * strips; index += block.blocks())
                measure_and_add(block, args, source::find(args, index / strips, int(index % strips)));
        else
            for (int64_t tile = block.index(); tile < tiles; tile += block.blocks())
                finish_tile(block, args, tile);
        if (block.comes_last(args.totals.arrivals))
            collect(block, args);
    }

    template <class Block>
    IQA_KERNEL static void finish_tile(Block &block, const arguments &args, int64_t tile)
    {
        if (args.doubts.carries(tile)) {
            block.each(1, [&](int) {
                const ssim_tile_total &from = args.doubts.tiles[tile];
                const strip area = source::find(args, tile, 0);
                add_to_results(args, area, value_of(from.sums.sums[args.factor]));
                if (from.not_a_number != 0)
                    set_bits(&args.totals.images[area.image].not_a_number, 1u);
            });
            return;
        }
        for (int index = 0; index < strips; ++index)
            measure_and_add(block, args, source::find(args, tile, index));
    }

    template <class Block>
    IQA_KERNEL static void measure_and_add(Block &block, const arguments &args, strip area)
    {
        if (area.rows <= 0)
            return;
        const int64_t sum = measure(block, args, area);
        block.each_thread(1, [&](int) { add_to_results(args, area, in_double_units<Real>(sum)); });
    }
};

} // namespace iqa::cuda
