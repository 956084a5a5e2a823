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

#include "arith/divider.h"
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
    divider down, across, channels; // tiles
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
    static constexpr int least_resident = is_float ? 3 : 1; // as many as shared memory lets
    static constexpr int rows = is_float ? 16 : 4;          // of a strip
    static constexpr int rows_together = is_float ? 8 : 4;  // that a thread filters down
    static constexpr int columns_together = 8;              // that a thread filters across
    static constexpr int strips = ssim_tile_height / rows;  // of a tile
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
    struct alignas(16) common { // to all threads
        Real pivot;
        uint32_t doubted;
    };
    static constexpr size_t staged_bytes = size_t(staged_rows) * staged_columns * sizeof(staged_pixel);
    static constexpr size_t map_bytes = size_t(rows) * map_stride * sizeof(pixel_means);
    static constexpr size_t shared_bytes = staged_bytes + map_bytes + sizeof(common);
    static_assert(shared_bytes + most_static_shared_bytes <= 64 * 1024);
    static_assert(staged_bytes % 16 == 0 && map_bytes % 16 == 0 && staged_columns <= map_stride);
    static_assert(sizeof(pivot_grid<Real>) <= staged_bytes); // where its samples are gathered

    // A column of a strip is staged by two threads.
    static constexpr int rows_staged = staged_rows / 2;
    static constexpr int rows_ahead = 7; // that are read before they are stored
    static constexpr int staging_tasks = 2 * staged_columns;
    static_assert(staged_rows % 2 == 0 && staging_tasks <= threads);

    struct strip {
        int64_t tile; // of all
        int64_t image, channel;
        int64_t tile_row;
        int tile_rows;
        int64_t row, column; // of the map
        int rows, columns;
        int64_t first_row, first_column; // of the first window, in the image
        Real pivot;
        uint32_t doubted; // a bit for each row whose doubt is looked at
    };

    IQA_KERNEL static Real sample(const image_view &view, const std::byte *address)
    {
        if constexpr (sizeof(Real) == sizeof(double))
            return sample_of<Real>(view.type, address);
        else
            return sample_of<Real, Sample>(address);
    }

    IQA_KERNEL static strip find(const arguments &given, int64_t tile, int part)
    {
        strip own{};
        own.tile = tile;
        const uint32_t row_of_tiles = given.across.quotient(uint32_t(tile));
        const uint32_t plane = given.down.quotient(row_of_tiles);
        const uint32_t image = given.channels.quotient(plane);
        own.image = image;
        own.channel = plane - image * given.channels.divisor;
        own.tile_row = int64_t(row_of_tiles - plane * given.down.divisor) * ssim_tile_height;
        own.column = int64_t(uint32_t(tile) - row_of_tiles * given.across.divisor) * ssim_tile_width;
        own.tile_rows = int(least(ssim_tile_height, given.out_height - own.tile_row));
        own.row = own.tile_row + part * rows;
        const int left = own.tile_rows - part * rows;
        own.rows = left < rows ? left : rows;
        own.columns = int(least(ssim_tile_width, given.out_width - own.column));
        const int64_t margin = given.border == border_mode::valid ? Taps / 2 : 0;
        own.first_row = own.row - Taps / 2 + margin;
        own.first_column = own.column - Taps / 2 + margin;
        return own;
    }

    IQA_KERNEL static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

    // What the pivot of the strip's tile is made of.
    IQA_KERNEL static void put_pivot_sample(const arguments &given, const strip &own, pivot_grid<Real> &grid, int i)
    {
        const image_view &x = given.images.reference;
        const image_view &y = given.images.candidate;
        const int64_t first_row = own.tile_row + own.first_row - own.row; // of the tile's first window
        const int64_t row = pivot_place(first_row, Taps, own.tile_rows, x.height, i / pivot_columns, pivot_rows);
        const int64_t column =
            pivot_place(own.first_column, Taps, own.columns, x.width, i % pivot_columns, pivot_columns);
        grid.put(i, sample(x, x.at(own.image, own.channel, 0, row, column)) * given.scale,
                 sample(y, y.at(own.image, own.channel, 0, row, column)) * given.scale, false);
    }

    // Samples of a column that one thread stages.
    struct column_of_pair {
        const std::byte *reference, *candidate; // of row 0
        int64_t reference_step, candidate_step; // in bytes
        int64_t column, row;                    // in the image, where there is one
        int count;
    };

    // Samples outside the data range, or not finite, of those that the strip counts.
    IQA_KERNEL static void count_samples(const arguments &given, const strip &own, const column_of_pair &of)
    {
        const image_view &x = given.images.reference;
        const image_view &y = given.images.candidate;
        const int64_t margin = given.border == border_mode::valid ? Taps / 2 : 0;
        if (of.column < own_begin(own.column, margin) ||
            of.column >= own_end(own.column + own.columns, given.out_width, x.width, margin))
            return;
        const int64_t begin = own_begin(own.row, margin);
        const int64_t end = own_end(own.row + own.rows, given.out_height, x.height, margin);
        int outside = 0;
        int nonfinite = 0;
        for (int64_t row = of.row > begin ? of.row : begin; row < end && row < of.row + of.count; ++row)
            for (const Real value : {sample(x, of.reference + row * of.reference_step),
                                     sample(y, of.candidate + row * of.candidate_step)}) {
                outside += !is_inside(given, value);
                nonfinite += !is_finite(value);
            }
        ssim_image_total &total = given.totals.images[own.image];
        if (outside != 0)
            add(&total.outside, outside);
        if (nonfinite != 0)
            add(&total.nonfinite, nonfinite);
    }

    IQA_KERNEL static bool is_inside(const arguments &given, Real value)
    {
        return value >= given.low && value <= given.high;
    }

    IQA_KERNEL static staged_pixel staged_of(const arguments &given, const strip &own, Real reference, Real candidate)
    {
        const Real one = reference * given.scale - own.pivot;
        const Real other = candidate * given.scale - own.pivot;
        return {one + other, one - other};
    }

    // By task. Away from the image's edges a column is a walk down from its first sample.
    IQA_KERNEL static void stage_column(const arguments &given, const strip &own, int task, staged_pixel *staged)
    {
        const image_view &x = given.images.reference;
        const image_view &y = given.images.candidate;
        const int column = task % staged_columns;
        const int first = task / staged_columns * rows_staged;
        const int left = own.rows + Taps - 1 - first;
        if (column >= own.columns + Taps - 1 || left <= 0)
            return;
        staged += first * staged_columns + column;
        const int64_t from_column = border_index(given.border, own.first_column + column, x.width);
        const column_of_pair of = {.reference = x.at(own.image, own.channel, 0, 0, from_column),
                                   .candidate = y.at(own.image, own.channel, 0, 0, from_column),
                                   .reference_step = x.row_stride * element_size(x.type),
                                   .candidate_step = y.row_stride * element_size(y.type),
                                   .column = own.first_column + column,
                                   .row = own.first_row + first,
                                   .count = left < rows_staged ? left : rows_staged};
        bool inside = true;
        if (from_column >= 0 && of.count == rows_staged && of.row >= 0 && of.row + rows_staged <= x.height) {
            const std::byte *x_at = of.reference + of.row * of.reference_step;
            const std::byte *y_at = of.candidate + of.row * of.candidate_step;
            IQA_UNROLL_ON_GPU
            for (int from = 0; from < rows_staged; from += rows_ahead) {
                Real reference[rows_ahead];
                Real candidate[rows_ahead];
                IQA_UNROLL_ON_GPU
                for (int k = 0; k < rows_ahead && from + k < rows_staged; ++k) {
                    reference[k] = sample(x, x_at);
                    candidate[k] = sample(y, y_at);
                    x_at += of.reference_step;
                    y_at += of.candidate_step;
                }
                IQA_UNROLL_ON_GPU
                for (int k = 0; k < rows_ahead && from + k < rows_staged; ++k)
                    staged[(from + k) * staged_columns] = staged_of(given, own, reference[k], candidate[k]);
                if (given.counting)
                    IQA_UNROLL_ON_GPU
                for (int k = 0; k < rows_ahead && from + k < rows_staged; ++k)
                    inside = inside && is_inside(given, reference[k]) && is_inside(given, candidate[k]);
            }
        } else {
            for (int r = 0; r < of.count; ++r) {
                const int64_t row = border_index(given.border, of.row + r, x.height);
                const bool zero = row < 0 || from_column < 0;
                const Real reference = zero ? Real(0) : sample(x, of.reference + row * of.reference_step);
                const Real candidate = zero ? Real(0) : sample(y, of.candidate + row * of.candidate_step);
                staged[r * staged_columns] = staged_of(given, own, reference, candidate);
                inside = inside && is_inside(given, reference) && is_inside(given, candidate);
            }
        }
        if (given.counting && !inside) // rare
            count_samples(given, own, of);
    }

    IQA_KERNEL static uint32_t doubted_rows_of(const strip &own)
    {
        uint32_t doubted = 0;
        for (int row = 0; row < own.rows; ++row)
            if (doubts_row(int(own.row - own.tile_row) + row, own.tile_rows))
                doubted |= 1u << row;
        return doubted;
    }

    // The pivot is found first.
    template <class Block>
    IQA_KERNEL static void stage(Block &block, const arguments &given, strip &own, staged_pixel *staged)
    {
        auto &grid = *reinterpret_cast<pivot_grid<Real> *>(staged);
        common &all = *reinterpret_cast<common *>(block.shared() + staged_bytes + map_bytes);
        block.each(pivot_samples, [&](int i) { put_pivot_sample(given, own, grid, i); });
        block.each(1, [&](int) {
            all.pivot = grid.pivot();
            all.doubted = is_float ? doubted_rows_of(own) : 0;
        });
        own.pivot = all.pivot;
        own.doubted = all.doubted;
        block.each(staging_tasks, [&](int task) { stage_column(given, own, task, staged); });
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

    // Window means of neighbouring pixels of a row.
    template <int Columns>
    IQA_KERNEL static void average(const arguments &given, const pixel_means *maps, Real (&means)[Columns][4])
    {
        IQA_UNROLL_ON_GPU
        for (int tap = 0; tap < Taps + Columns - 1; ++tap) {
            const pixel_means down = maps[tap];
            IQA_UNROLL_ON_GPU
            for (int column = 0; column < Columns; ++column)
                if (tap - column >= 0 && tap - column < Taps)
                    IQA_UNROLL_ON_GPU
            for (int which = 0; which < 4; ++which)
                means[column][which] =
                    fused_multiply_add(given.taps_x[tap - column], down.of[which], means[column][which]);
        }
    }

    IQA_KERNEL static ssim_terms<Real> terms_of(const arguments &given, const strip &own, const Real (&means)[4])
    {
        return ssim_terms_of(means[0], means[1], means[2], means[3], own.pivot + own.pivot, given.constants);
    }

    // Some pixels of a row.
    IQA_KERNEL static void measure_pixels(const arguments &given, const strip &own, const pixel_means *maps, int row,
                                          int first, strip_sums &sums)
    {
        if (row >= own.rows || first >= own.columns)
            return;
        Real means[columns_together][4] = {};
        average(given, maps + row * map_stride + first, means);
        const auto add_all = [&](auto &&formula) {
            add_pixels(given, own, means, own.row + row, first, formula, sums);
        };
        using terms = ssim_terms<Real>;
        if (given.part == ssim_product && given.safe)
            add_all([](const terms &of) { return ssim_of<true>(of); });
        else if (given.part == ssim_product)
            add_all([](const terms &of) { return ssim_of<false>(of); });
        else if (given.safe)
            add_all([](const terms &of) { return contrast_structure_of<true>(of); });
        else
            add_all([](const terms &of) { return contrast_structure_of<false>(of); });
    }

    template <class Formula>
    IQA_KERNEL static void add_pixels(const arguments &given, const strip &own,
                                      const Real (&means)[columns_together][4], int64_t row, int first,
                                      Formula &&formula, strip_sums &sums)
    {
        bool not_a_number = false;
        float spread = 0.0f;
        IQA_UNROLL_ON_GPU
        for (int column = 0; column < columns_together; ++column) {
            if (first + column >= own.columns)
                break;
            const Real value = formula(terms_of(given, own, means[column]));
            sums.sum += uint64_t(ssim_fixed(value));
            not_a_number = not_a_number || value != value;
            if constexpr (is_float)
                spread = at_least(means[column][2] + means[column][3], spread);
            if (given.map.data != nullptr)
                given.map.store(own.image, own.channel, 0, row, own.column + first + column, double(value));
        }
        sums.add_spread(spread);
        if (not_a_number)
            sums.spread_bits |= strip_sums::nan_bit;
    }

    // The doubt of one pixel, in the `n`th row that is looked at: by threads of its own, since all the rows of a warp
    // would wait for those few.
    IQA_KERNEL static void doubt_pixel(const arguments &given, const strip &own, const pixel_means *maps, int n,
                                       int column, strip_sums &sums)
    {
        if (column >= own.columns)
            return;
        uint32_t rows_left = own.doubted;
        for (; n > 0; --n)
            rows_left &= rows_left - 1;
        Real means[1][4] = {};
        const int row = __builtin_popcount((rows_left - 1) & ~rows_left); // of the last bit
        average(given, maps + row * map_stride + column, means);
        sums.doubt +=
            uint32_t(doubt_units(ssim_doubt(terms_of(given, own, means[0]), means[0][0], means[0][1], means[0][2],
                                            means[0][3], given.constants, constants_of_doubt_in_float())));
    }

    template <class Block>
    IQA_KERNEL static strip_sums filter_across(Block &block, const arguments &given, const strip &own,
                                               const pixel_means *maps)
    {
        constexpr int measured = rows * (ssim_tile_width / columns_together);
        const int doubted = __builtin_popcount(own.doubted) * ssim_tile_width;
        return block.template reduce<strip_sums>(measured + doubted, [&](int task, strip_sums &sums) {
            if (task < measured)
                return measure_pixels(given, own, maps, task % rows, task / rows * columns_together, sums);
            if constexpr (is_float)
                doubt_pixel(given, own, maps, (task - measured) / ssim_tile_width, (task - measured) % ssim_tile_width,
                            sums);
        });
    }

    template <class Block>
    IQA_KERNEL static strip_sums measure(Block &block, const arguments &given, strip &own)
    {
        staged_pixel *staged = reinterpret_cast<staged_pixel *>(block.shared());
        pixel_means *maps = reinterpret_cast<pixel_means *>(block.shared() + staged_bytes);
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
        strip own = find(given, block.index() / strips, int(block.index() % strips));
        if (own.rows <= 0)
            return;
        const strip_sums sums = measure(block, given, own);
        block.each(1, [&](int) {
            ssim_tile_total &tile = given.doubts.tiles[own.tile];
            add(&tile.sums.sums[given.part], in_double_units(sums.sum));
            if (sums.not_a_number())
                set_bits(&tile.not_a_number, 1u);
            add(given.doubts, own.tile, sums.doubt, int64_t(__builtin_popcount(own.doubted)) * own.columns,
                sums.spread() > float(IQA_SSIM_MOST_SPREAD) * float(given.constants.twice_c2));
        });
    }

    // All strips, or those of tiles that float does not carry.
    template <class Block>
    IQA_KERNEL static void run_in_double(Block &block, const arguments &given)
    {
        const image_view &shape = given.images.reference;
        const int64_t tiles = shape.images * shape.channels * given.down.divisor * given.across.divisor;
        if (given.doubts.tiles == nullptr)
            for (int64_t index = block.index(); index < tiles * strips; index += block.blocks())
                measure_and_add(block, given, find(given, index / strips, int(index % strips)));
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
                add_to_results(given, find(given, tile, 0), value_of(from.sums.sums[given.part]),
                               from.not_a_number != 0);
            });
            return;
        }
        for (int part = 0; part < strips; ++part)
            measure_and_add(block, given, find(given, tile, part));
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
