// SPDX-License-Identifier: MIT
// The strips that blocks of tiles.h take, and how they come into shared memory: as s = x' + y' and d = x' - y', by
// columns.
#pragma once

#include "arith/divider.h"
#include "arith/ssim_pivot.h"
#include "backend/ssim.hpp"
#include "cuda/images/samples.h"
#include "cuda/ssim/doubt.h"

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
    Real gain;
    Real taps_y[Taps], taps_x[Taps];
    ssim_constants<Real> constants;
    bool safe;
    bool counting;
    bool by_channel;
    ssim_factor part;
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
struct ssim_strips {
    using arguments = ssim_tiles_arguments<Real, Taps>;
    static constexpr bool is_float = sizeof(Real) == sizeof(float);
    static constexpr int threads = 288;
    static constexpr int rows = is_float ? 16 : 4;         // of a strip
    static constexpr int strips = ssim_tile_height / rows; // of a tile
    static constexpr int staged_rows = rows + Taps - 1;
    static constexpr int staged_columns = ssim_tile_width + Taps - 1;

    struct alignas(2 * sizeof(Real)) staged_pixel {
        Real sum, difference;
    };
    struct alignas(16) common { // to all threads
        Real pivot;
        uint32_t doubted;
        uint32_t doubts[doubt_kinds]; // of the rows that are looked at
    };
    static constexpr size_t staged_bytes = size_t(staged_rows) * staged_columns * sizeof(staged_pixel);
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

    IQA_KERNEL static strip find(const arguments &args, int64_t tile, int part)
    {
        strip own{};
        own.tile = tile;
        const uint32_t row_of_tiles = args.across.quotient(uint32_t(tile));
        const uint32_t plane = args.down.quotient(row_of_tiles);
        const uint32_t image = args.channels.quotient(plane);
        own.image = image;
        own.channel = plane - image * args.channels.divisor;
        own.tile_row = int64_t(row_of_tiles - plane * args.down.divisor) * ssim_tile_height;
        own.column = int64_t(uint32_t(tile) - row_of_tiles * args.across.divisor) * ssim_tile_width;
        own.tile_rows = int(least(ssim_tile_height, args.out_height - own.tile_row));
        own.row = own.tile_row + part * rows;
        const int left = own.tile_rows - part * rows;
        own.rows = left < rows ? left : rows;
        own.columns = int(least(ssim_tile_width, args.out_width - own.column));
        const int64_t margin = args.border == border_mode::valid ? Taps / 2 : 0;
        own.first_row = own.row - Taps / 2 + margin;
        own.first_column = own.column - Taps / 2 + margin;
        return own;
    }

    IQA_KERNEL static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

    // What the pivot of the strip's tile is made of.
    IQA_KERNEL static void put_pivot_sample(const arguments &args, const strip &own, pivot_grid<Real> &grid, int i)
    {
        const image_view &x = args.images.reference;
        const image_view &y = args.images.candidate;
        const int64_t first_row = own.tile_row + own.first_row - own.row; // of the tile's first window
        const int64_t row = pivot_place(first_row, Taps, own.tile_rows, x.height, i / pivot_columns, pivot_rows);
        const int64_t column =
            pivot_place(own.first_column, Taps, own.columns, x.width, i % pivot_columns, pivot_columns);
        grid.put(i, sample(x, x.at(own.image, own.channel, 0, row, column)) * args.gain,
                 sample(y, y.at(own.image, own.channel, 0, row, column)) * args.gain, false);
    }

    // Samples of a column that one thread stages.
    struct column_of_pair {
        const std::byte *reference, *candidate; // of row 0
        int64_t reference_step, candidate_step; // in bytes
        int64_t column, row;                    // in the image, where there is one
        int count;
    };

    // Samples outside the data range, or not finite, of those that the strip counts.
    IQA_KERNEL static void count_samples(const arguments &args, const strip &own, const column_of_pair &of)
    {
        const image_view &x = args.images.reference;
        const image_view &y = args.images.candidate;
        const int64_t margin = args.border == border_mode::valid ? Taps / 2 : 0;
        if (of.column < own_begin(own.column, margin) ||
            of.column >= own_end(own.column + own.columns, args.out_width, x.width, margin))
            return;
        const int64_t begin = own_begin(own.row, margin);
        const int64_t end = own_end(own.row + own.rows, args.out_height, x.height, margin);
        int outside = 0;
        int nonfinite = 0;
        for (int64_t row = of.row > begin ? of.row : begin; row < end && row < of.row + of.count; ++row)
            for (const Real value : {sample(x, of.reference + row * of.reference_step),
                                     sample(y, of.candidate + row * of.candidate_step)}) {
                outside += !is_inside(args, value);
                nonfinite += !is_finite(value);
            }
        ssim_image_total &total = args.totals.images[own.image];
        if (outside != 0)
            add(&total.outside, outside);
        if (nonfinite != 0)
            add(&total.nonfinite, nonfinite);
    }

    IQA_KERNEL static bool is_inside(const arguments &args, Real value)
    {
        return value >= args.low && value <= args.high;
    }

    IQA_KERNEL static staged_pixel staged_of(const arguments &args, const strip &own, Real reference, Real candidate)
    {
        const Real one = reference * args.gain - own.pivot;
        const Real other = candidate * args.gain - own.pivot;
        return {one + other, one - other};
    }

    // By task. Away from the image's edges a column is a walk down from its first sample.
    IQA_KERNEL static void stage_column(const arguments &args, const strip &own, int task, staged_pixel *staged)
    {
        const image_view &x = args.images.reference;
        const image_view &y = args.images.candidate;
        const int column = task % staged_columns;
        const int first = task / staged_columns * rows_staged;
        const int left = own.rows + Taps - 1 - first;
        if (column >= own.columns + Taps - 1 || left <= 0)
            return;
        staged += first * staged_columns + column;
        const int64_t from_column = border_index(args.border, own.first_column + column, x.width);
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
                    staged[(from + k) * staged_columns] = staged_of(args, own, reference[k], candidate[k]);
                if (args.counting)
                    IQA_UNROLL_ON_GPU
                for (int k = 0; k < rows_ahead && from + k < rows_staged; ++k)
                    inside = inside && is_inside(args, reference[k]) && is_inside(args, candidate[k]);
            }
        } else {
            for (int r = 0; r < of.count; ++r) {
                const int64_t row = border_index(args.border, of.row + r, x.height);
                const bool zero = row < 0 || from_column < 0;
                const Real reference = zero ? Real(0) : sample(x, of.reference + row * of.reference_step);
                const Real candidate = zero ? Real(0) : sample(y, of.candidate + row * of.candidate_step);
                staged[r * staged_columns] = staged_of(args, own, reference, candidate);
                inside = inside && is_inside(args, reference) && is_inside(args, candidate);
            }
        }
        if (args.counting && !inside) // rare
            count_samples(args, own, of);
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
    IQA_KERNEL static void stage(Block &block, const arguments &args, strip &own, staged_pixel *staged, common &all)
    {
        auto &grid = *reinterpret_cast<pivot_grid<Real> *>(staged);
        block.each(pivot_samples, [&](int i) { put_pivot_sample(args, own, grid, i); });
        block.each(1, [&](int) { all = {grid.pivot(), is_float ? doubted_rows_of(own) : 0, {}}; });
        own.pivot = all.pivot;
        own.doubted = all.doubted;
        block.each(staging_tasks, [&](int task) { stage_column(args, own, task, staged); });
    }
};

} // namespace iqa::cuda
