// SPDX-License-Identifier: MIT
// SSIM of plain images with a window of few taps: strips of the tiles that share a pivot (arith/ssim.h), each by one
// block. A strip is staged in shared memory as s = x' + y' and d = x' - y', filtered down into four maps, eight rows to
// a thread, then across, eight columns to a thread, and finished in registers: nothing leaves the multiprocessor but
// sums (and the map, where it is wanted). The operations of each pixel are those of src/cpu/ssim.inl, in its order.
// Float arithmetic is followed by the kernel in double, which takes its sums of the tiles that it carries and measures
// the others again.
//
// Of each pixel, with 11 taps and strips of 16 rows: 91 fused multiply-adds, 5 products, about 30 operations of the
// formula, 14 of staging, 6 shared loads and stores of 8 or 16 bytes: some 150 issue slots. Bytes: each sample is read
// 1.75 times, mostly from the caches.
#pragma once

#include "arith/ssim_pivot.h"
#include "core/backend.hpp"
#include "cuda/samples.h"
#include "cuda/ssim_doubt.h"

namespace iqa::cuda {

// What all strips of an image, or of a channel, add to. Zero between kernels.
struct ssim_plane_total {
    wide_sum sum;
};

struct ssim_image_total {
    int64_t outside, nonfinite;
    uint32_t not_a_number;
    uint32_t unused;
};

struct ssim_totals {
    ssim_plane_total *planes; // [images * parts]
    ssim_image_total *images; // [images]
    uint32_t *arrivals;
};

template <class Real, int Taps>
struct ssim_tiles_arguments {
    image_pair images;
    int64_t out_height, out_width;
    int64_t down, across; // tiles
    border_mode border;
    Real scale;
    Real taps_y[Taps], taps_x[Taps];
    ssim_constants<Real> constants;
    bool safe;
    bool counting;
    bool by_channel;
    ssim_part part;
    Real low, high; // the data range, for samples of this arithmetic's type
    output_view map;
    ssim_doubts doubts;
    ssim_totals totals;
    int128 *sums;
    sample_counts *counts; // NULL: not wanted
    bool *not_a_number;
};

// `Sample` is void where the type of the samples is looked up for each of them.
template <class Real, class Sample, int Taps>
struct ssim_tiles {
    using arguments = ssim_tiles_arguments<Real, Taps>;
    static constexpr bool is_float = sizeof(Real) == sizeof(float);
    static constexpr int threads = 288;
    static constexpr int rows = is_float ? 16 : 4;         // of a strip
    static constexpr int rows_together = is_float ? 8 : 4; // that a thread filters down
    static constexpr int columns_together = 8;             // that a thread filters across
    static constexpr int strips = ssim_tile_height / rows; // of a tile
    static constexpr int staged_rows = rows + Taps - 1;
    static constexpr int staged_columns = ssim_tile_width + Taps - 1;
    // Threads of a warp filter rows of different strides across: this one keeps them in different banks.
    static constexpr int map_stride = 141;

    struct alignas(2 * sizeof(Real)) staged_pixel {
        Real sum, difference;
    };
    struct alignas(16) pixel_means {
        Real of[4];
    };
    static constexpr size_t staged_bytes = size_t(staged_rows) * staged_columns * sizeof(staged_pixel);
    static constexpr size_t map_bytes = size_t(rows) * map_stride * sizeof(pixel_means);
    static constexpr size_t shared_bytes = staged_bytes + map_bytes + 16; // and the pivot
    static_assert(shared_bytes + most_static_shared_bytes <= 64 * 1024);
    static_assert(staged_bytes % 16 == 0 && map_bytes % 16 == 0 && staged_columns <= map_stride);
    static_assert(sizeof(pivot_grid<Real>) <= staged_bytes); // where its samples are gathered

    struct strip {
        int64_t tile; // of all
        int64_t image, channel;
        int64_t tile_row;
        int tile_rows;
        int64_t row, column; // of the map
        int rows, columns;
        int64_t first_row, first_column;                          // of the first window, in the image
        int64_t own_row, own_row_end, own_column, own_column_end; // the samples that this strip counts
        Real pivot;
    };

    IQA_KERNEL static Real sample(const image_view &view, int64_t image, int64_t channel, int64_t row, int64_t column)
    {
        const std::byte *address = view.at(image, channel, 0, row, column);
        if constexpr (sizeof(Real) == sizeof(double))
            return sample_of<Real>(view.type, address);
        else
            return sample_of<Real, Sample>(address);
    }

    IQA_KERNEL static strip find(const arguments &given, int64_t index)
    {
        strip own{};
        const int64_t part = index % strips;
        index /= strips;
        own.tile = index;
        const int64_t tile_column = index % given.across * ssim_tile_width;
        index /= given.across;
        own.tile_row = index % given.down * ssim_tile_height;
        index /= given.down;
        const int64_t channels = given.images.reference.channels;
        own.image = index / channels;
        own.channel = index % channels;
        const int64_t margin = given.border == border_mode::valid ? Taps / 2 : 0;
        own.tile_rows = int(least(ssim_tile_height, given.out_height - own.tile_row));
        own.row = own.tile_row + part * rows;
        own.column = tile_column;
        own.rows = int(least(rows, own.tile_row + own.tile_rows - own.row));
        own.columns = int(least(ssim_tile_width, given.out_width - tile_column));
        own.first_row = own.row - Taps / 2 + margin;
        own.first_column = own.column - Taps / 2 + margin;
        if (own.rows <= 0)
            return own;
        const image_view &shape = given.images.reference;
        own.own_row = own_begin(own.row, margin);
        own.own_row_end = own_end(own.row + own.rows, given.out_height, shape.height, margin);
        own.own_column = own_begin(own.column, margin);
        own.own_column_end = own_end(own.column + own.columns, given.out_width, shape.width, margin);
        return own;
    }

    // The pivot of the strip's tile, by all threads.
    template <class Block>
    IQA_KERNEL static Real find_pivot(Block &block, const arguments &given, const strip &own)
    {
        auto &grid = *reinterpret_cast<pivot_grid<Real> *>(block.shared());
        Real *const pivot = reinterpret_cast<Real *>(block.shared() + staged_bytes + map_bytes);
        const image_view &shape = given.images.reference;
        const int64_t first_row = own.tile_row + own.first_row - own.row; // of the tile's first window
        block.each(pivot_samples, [&](int i) {
            const int64_t row =
                pivot_place(first_row, Taps, own.tile_rows, shape.height, i / pivot_columns, pivot_rows);
            const int64_t column =
                pivot_place(own.first_column, Taps, own.columns, shape.width, i % pivot_columns, pivot_columns);
            grid.put(i, sample(given.images.reference, own.image, own.channel, row, column) * given.scale,
                     sample(given.images.candidate, own.image, own.channel, row, column) * given.scale, false);
        });
        block.each(1, [&](int) { *pivot = grid.pivot(); });
        return *pivot;
    }

    IQA_KERNEL static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

    // Outside the data range, and not finite.
    IQA_KERNEL static void count_sample(const arguments &given, Real value, int &outside, int &nonfinite)
    {
        outside += !(value >= given.low && value <= given.high);
        nonfinite += !is_finite(value);
    }

    template <class Block>
    IQA_KERNEL static void stage(Block &block, const arguments &given, const strip &own, staged_pixel *staged)
    {
        const image_view &x = given.images.reference;
        const image_view &y = given.images.candidate;
        ssim_image_total &total = given.totals.images[own.image];
        block.each((own.rows + Taps - 1) * staged_columns, [&](int i) {
            const int64_t row_here = own.first_row + i / staged_columns;
            const int64_t column_here = own.first_column + i % staged_columns;
            if (i % staged_columns >= own.columns + Taps - 1)
                return;
            const int64_t row = border_index(given.border, row_here, x.height);
            const int64_t column = border_index(given.border, column_here, x.width);
            if (row < 0 || column < 0) { // a zero
                staged[i] = {(Real(0) - own.pivot) + (Real(0) - own.pivot), Real(0)};
                return;
            }
            const Real reference = sample(x, own.image, own.channel, row, column);
            const Real candidate = sample(y, own.image, own.channel, row, column);
            const Real one = reference * given.scale - own.pivot;
            const Real other = candidate * given.scale - own.pivot;
            staged[i] = {one + other, one - other};
            if (given.counting && row_here >= own.own_row && row_here < own.own_row_end &&
                column_here >= own.own_column && column_here < own.own_column_end) {
                int outside = 0;
                int nonfinite = 0;
                count_sample(given, reference, outside, nonfinite);
                count_sample(given, candidate, outside, nonfinite);
                if (outside != 0) { // rare
                    add(&total.outside, outside);
                    add(&total.nonfinite, nonfinite);
                }
            }
        });
    }

    template <class Block>
    IQA_KERNEL static void filter_down(Block &block, const arguments &given, const strip &own,
                                       const staged_pixel *staged, pixel_means *maps)
    {
        constexpr int groups = rows / rows_together;
        block.each(staged_columns * groups, [&](int task) {
            const int column = task % staged_columns;
            const int first = task / staged_columns * rows_together;
            if (column >= own.columns + Taps - 1 || first >= own.rows)
                return;
            Real total[rows_together][4] = {};
            IQA_UNROLL_ON_GPU
            for (int tap = 0; tap < Taps + rows_together - 1; ++tap) {
                const staged_pixel pixel = staged[(first + tap) * staged_columns + column];
                const Real parts[4] = {pixel.sum, pixel.difference, pixel.sum * pixel.sum,
                                       pixel.difference * pixel.difference};
                IQA_UNROLL_ON_GPU
                for (int row = 0; row < rows_together; ++row)
                    if (tap - row >= 0 && tap - row < Taps)
                        IQA_UNROLL_ON_GPU
                for (int which = 0; which < 4; ++which)
                    total[row][which] = fused_multiply_add(given.taps_y[tap - row], parts[which], total[row][which]);
            }
            IQA_UNROLL_ON_GPU
            for (int row = 0; row < rows_together; ++row)
                maps[(first + row) * map_stride + column] = {
                    {total[row][0], total[row][1], total[row][2], total[row][3]}};
        });
    }

    // Of a strip: sixteen bytes, since the tile leaves little shared memory to combine them in.
    struct strip_sums {
        static constexpr uint32_t nan_bit = 0x80000000u;

        uint64_t sum; // NaN brings in any bits
        uint32_t doubt;
        uint32_t spread_bits; // of a float of at least 0, which are ordered like it; and whether some pixel is NaN

        IQA_HD_MEMBER float spread() const { return float_from_bits(spread_bits & ~nan_bit); }
        IQA_HD_MEMBER bool not_a_number() const { return (spread_bits & nan_bit) != 0; }
        IQA_HD_MEMBER void add_spread(float value)
        {
            spread_bits = bits_of(at_least(value, spread())) | (spread_bits & nan_bit);
        }
        IQA_HD_MEMBER void combine(const strip_sums &other)
        {
            sum += other.sum;
            doubt += other.doubt;
            spread_bits |= other.spread_bits & nan_bit;
            add_spread(other.spread());
        }
    };

    IQA_KERNEL static Real finish_pixel(const arguments &given, const Real (&means)[4], Real twice_pivot, bool doubting,
                                        strip_sums &sums)
    {
        const ssim_terms<Real> terms =
            ssim_terms_of(means[0], means[1], means[2], means[3], twice_pivot, given.constants);
        if constexpr (is_float) {
            sums.add_spread(means[2] + means[3]);
            if (doubting)
                sums.doubt += uint32_t(doubt_units(ssim_doubt(terms, means[0], means[1], means[2], means[3],
                                                              given.constants, constants_of_doubt_in_float())));
        }
        if (given.part == ssim_product)
            return given.safe ? ssim_of<true>(terms) : ssim_of<false>(terms);
        return given.safe ? contrast_structure_of<true>(terms) : contrast_structure_of<false>(terms);
    }

    template <class Block>
    IQA_KERNEL static strip_sums filter_across(Block &block, const arguments &given, const strip &own,
                                               const pixel_means *maps)
    {
        constexpr int groups = ssim_tile_width / columns_together;
        const Real twice_pivot = own.pivot + own.pivot;
        return block.template reduce<strip_sums>(rows * groups, [&](int task, strip_sums &sums) {
            const int row = task % rows;
            const int first = task / rows * columns_together;
            if (row >= own.rows || first >= own.columns)
                return;
            const bool doubting = is_float && doubts_row(int(own.row - own.tile_row) + row, own.tile_rows);
            Real total[columns_together][4] = {};
            IQA_UNROLL_ON_GPU
            for (int tap = 0; tap < Taps + columns_together - 1; ++tap) {
                const pixel_means means = maps[row * map_stride + first + tap];
                IQA_UNROLL_ON_GPU
                for (int column = 0; column < columns_together; ++column)
                    if (tap - column >= 0 && tap - column < Taps)
                        IQA_UNROLL_ON_GPU
                for (int which = 0; which < 4; ++which)
                    total[column][which] =
                        fused_multiply_add(given.taps_x[tap - column], means.of[which], total[column][which]);
            }
            IQA_UNROLL_ON_GPU
            for (int column = 0; column < columns_together; ++column) {
                if (first + column >= own.columns)
                    break;
                const Real value = finish_pixel(given, total[column], twice_pivot, doubting, sums);
                sums.sum += uint64_t(ssim_fixed(value));
                if (value != value)
                    sums.spread_bits |= strip_sums::nan_bit;
                if (given.map.data != nullptr)
                    given.map.store(own.image, own.channel, 0, own.row + row, own.column + first + column,
                                    double(value));
            }
        });
    }

    template <class Block>
    IQA_KERNEL static strip_sums measure(Block &block, const arguments &given, strip &own)
    {
        staged_pixel *staged = reinterpret_cast<staged_pixel *>(block.shared());
        pixel_means *maps = reinterpret_cast<pixel_means *>(block.shared() + staged_bytes);
        own.pivot = find_pivot(block, given, own);
        stage(block, given, own, staged);
        filter_down(block, given, own, staged, maps);
        return filter_across(block, given, own, maps);
    }

    IQA_KERNEL static int128 in_double_units(uint64_t sum)
    {
        constexpr int shift = ssim_double_bits - (is_float ? ssim_float_bits : ssim_double_bits);
        return int128(int64_t(sum)) * (int64_t(1) << shift);
    }

    // What a strip or tile adds to the results.
    IQA_KERNEL static void add_to_results(const arguments &given, const strip &own, int128 sum, bool not_a_number)
    {
        const int64_t plane = given.by_channel ? own.image * given.images.reference.channels + own.channel : own.image;
        add(&given.totals.planes[plane].sum, sum);
        if (not_a_number)
            set_bits(&given.totals.images[own.image].not_a_number, 1u);
    }

    // By the last block: hands out what all of them added, and leaves zeros.
    template <class Block>
    IQA_KERNEL static void collect(Block &block, const arguments &given)
    {
        const image_view &shape = given.images.reference;
        const int64_t parts = given.by_channel ? shape.channels : 1;
        block.each(int(shape.images * parts), [&](int i) {
            wide_sum &sum = given.totals.planes[i].sum;
            for (int part = 0; part < ssim_parts; ++part)
                given.sums[i * ssim_parts + part] = part == given.part ? value_of(sum) : int128(0);
            sum = {};
        });
        block.each(int(shape.images), [&](int i) {
            ssim_image_total &total = given.totals.images[i];
            if (given.counts != nullptr)
                given.counts[i] = {total.outside, total.nonfinite};
            given.not_a_number[i] = total.not_a_number != 0;
            total = {};
        });
        clear(block, given.doubts, shape.images * shape.channels);
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        if constexpr (is_float)
            run_in_float(block, given);
        else
            run_in_double(block, given);
    }

    template <class Block>
    IQA_KERNEL static void run_in_float(Block &block, const arguments &given)
    {
        strip own = find(given, block.index());
        if (own.rows <= 0)
            return;
        const strip_sums sums = measure(block, given, own);
        block.each(1, [&](int) {
            ssim_tile_total &tile = given.doubts.tiles[own.tile];
            add(&tile.sums.sums[given.part], in_double_units(sums.sum));
            if (sums.not_a_number())
                set_bits(&tile.not_a_number, 1u);
            const int before = int(own.row - own.tile_row);
            int looked_at = 0;
            for (int row = 0; row < own.rows; ++row)
                looked_at += doubts_row(before + row, own.tile_rows);
            add(given.doubts, own.tile, sums.doubt, int64_t(looked_at) * own.columns,
                sums.spread() > float(IQA_SSIM_MOST_SPREAD) * float(given.constants.twice_c2));
        });
    }

    // All strips, or those of tiles that float does not carry.
    template <class Block>
    IQA_KERNEL static void run_in_double(Block &block, const arguments &given)
    {
        const image_view &shape = given.images.reference;
        const int64_t tiles = shape.images * shape.channels * given.down * given.across;
        if (given.doubts.tiles == nullptr)
            for (int64_t index = block.index(); index < tiles * strips; index += block.blocks())
                measure_and_add(block, given, find(given, index));
        else
            for (int64_t tile = block.index(); tile < tiles; tile += block.blocks())
                finish_tile(block, given, tile);
        if (block.comes_last(given.totals.arrivals))
            collect(block, given);
    }

    template <class Block>
    IQA_KERNEL static void finish_tile(Block &block, const arguments &given, int64_t tile)
    {
        if (given.doubts.carries(tile)) {
            block.each(1, [&](int) {
                const ssim_tile_total &from = given.doubts.tiles[tile];
                add_to_results(given, find(given, tile * strips), value_of(from.sums.sums[given.part]),
                               from.not_a_number != 0);
            });
            return;
        }
        for (int part = 0; part < strips; ++part)
            measure_and_add(block, given, find(given, tile * strips + part));
    }

    template <class Block>
    IQA_KERNEL static void measure_and_add(Block &block, const arguments &given, strip own)
    {
        if (own.rows <= 0)
            return;
        const strip_sums sums = measure(block, given, own);
        block.each(1, [&](int) { add_to_results(given, own, in_double_units(sums.sum), sums.not_a_number()); });
    }
};

} // namespace iqa::cuda
