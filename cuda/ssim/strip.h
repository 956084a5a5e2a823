// SPDX-License-Identifier: MIT
// The strips that blocks of tiles.h take, and their staging in shared memory: s = x' + y' and d = x' - y', column by
// column.
#pragma once

#include "arith/divider.h"
#include "arith/ssim_pivot.h"
#include "backend/ssim.hpp"
#include "cuda/images/samples.h"
#include "cuda/ssim/doubt.h"

namespace iqa::cuda {

// The sum of all strips of an image or a channel. Zero between kernels.
struct ssim_plane_total {
    wide_sum sum;
};

struct ssim_image_total {
    int64_t outside, nonfinite;
    uint32_t not_a_number;
    uint32_t unused;
};

// Samples outside the data range or not finite.
struct refused_samples {
    int outside, nonfinite;

    template <class Real>
    IQA_KERNEL void look_at(Real value, Real low, Real high)
    {
        outside += !is_within(value, low, high);
        nonfinite += !is_finite(value);
    }
};

IQA_KERNEL void add(ssim_image_total &total, const refused_samples &more)
{
    if (more.outside != 0)
        add(&total.outside, more.outside);
    if (more.nonfinite != 0)
        add(&total.nonfinite, more.nonfinite);
}

struct ssim_totals {
    ssim_plane_total *planes; // [images], or [images * channels]
    ssim_image_total *images; // [images]
    uint32_t *arrivals;
};

// A sum of values on the grid of the arithmetic's type, on that of double.
template <class Real>
IQA_KERNEL int128 in_double_units(int64_t sum)
{
    constexpr int shift = sizeof(Real) == sizeof(float) ? ssim_double_bits - ssim_float_bits : 0;
    return int128(sum) * (int64_t(1) << shift);
}

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
    ssim_factor factor;
    Real low, high; // the data range, in the arithmetic's type
    output_view map;
    ssim_doubts doubts;
    ssim_totals totals;
    int128 *sums;
    sample_counts *counts; // NULL: not wanted
    bool *not_a_number;
};

// `Sample` is void if the type is looked up for each sample.
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
    struct alignas(16) common { // shared by all threads
        Real pivot;
        uint32_t doubted;
        uint32_t doubts[doubt_kinds]; // of the doubted rows
    };
    static constexpr size_t staged_bytes = size_t(staged_rows) * staged_columns * sizeof(staged_pixel);
    static_assert(sizeof(pivot_grid<Real>) <= staged_bytes); // the grid lies there before staging

    // A column of a strip is staged by two threads.
    static constexpr int rows_staged = staged_rows / 2;
    static constexpr int rows_ahead = 7; // read before they are stored
    static constexpr int staging_tasks = 2 * staged_columns;
    static_assert(staged_rows % 2 == 0 && staging_tasks <= threads);

    struct strip {
        int64_t tile; // its number in the batch
        int64_t image, channel;
        int64_t tile_row;
        int tile_rows;
        int64_t row, column; // of the map
        int rows, columns;
        int64_t first_row, first_column; // of the first window, in the image
        Real pivot;
        uint32_t doubted; // a bit for each row whose doubt is computed
    };

    IQA_KERNEL static Real sample(const image_view &view, const std::byte *address)
    {
        if constexpr (sizeof(Real) == sizeof(double))
            return sample_of<Real>(view.type, address);
        else
            return sample_of<Real, Sample>(address);
    }

    IQA_KERNEL static strip find(const arguments &args, int64_t tile, int index)
    {
        strip area{};
        area.tile = tile;
        const uint32_t row_of_tiles = args.across.quotient(uint32_t(tile));
        const uint32_t plane = args.down.quotient(row_of_tiles);
        const uint32_t image = args.channels.quotient(plane);
        area.image = image;
        area.channel = plane - image * args.channels.divisor;
        area.tile_row = int64_t(row_of_tiles - plane * args.down.divisor) * ssim_tile_height;
        area.column = int64_t(uint32_t(tile) - row_of_tiles * args.across.divisor) * ssim_tile_width;
        area.tile_rows = int(least(ssim_tile_height, args.out_height - area.tile_row));
        area.row = area.tile_row + index * rows;
        const int left = area.tile_rows - index * rows;
        area.rows = left < rows ? left : rows;
        area.columns = int(least(ssim_tile_width, args.out_width - area.column));
        const int64_t margin = map_margin(args.border, Taps);
        area.first_row = area.row - Taps / 2 + margin;
        area.first_column = area.column - Taps / 2 + margin;
        return area;
    }

    IQA_KERNEL static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

    // One sample for the pivot of the strip's tile.
    IQA_KERNEL static void put_pivot_sample(const arguments &args, const strip &area, pivot_grid<Real> &grid, int i)
    {
        const image_view &x = args.images.reference;
        const image_view &y = args.images.candidate;
        const int64_t first_row = area.tile_row + area.first_row - area.row; // of the tile's first window
        const int64_t row = pivot_position(first_row, Taps, area.tile_rows, x.height, i / pivot_columns, pivot_rows);
        const int64_t column =
            pivot_position(area.first_column, Taps, area.columns, x.width, i % pivot_columns, pivot_columns);
        grid.put(i, sample(x, x.at(area.image, area.channel, 0, row, column)) * args.gain,
                 sample(y, y.at(area.image, area.channel, 0, row, column)) * args.gain, false);
    }

    // The samples of a column that one thread stages.
    struct column_of_pair {
        const std::byte *reference, *candidate; // of row 0
        int64_t reference_step, candidate_step; // in bytes
        int64_t column, row;                    // in the image, where there is one
        int count;
    };

    // Counts samples outside the data range or not finite, among those that belong to the strip.
    IQA_KERNEL static void count_samples(const arguments &args, const strip &area, const column_of_pair &samples)
    {
        const image_view &x = args.images.reference;
        const image_view &y = args.images.candidate;
        const int64_t margin = map_margin(args.border, Taps);
        if (samples.column < counted_begin(area.column, margin) ||
            samples.column >= counted_end(area.column + area.columns, args.out_width, x.width, margin))
            return;
        const int64_t begin = counted_begin(area.row, margin);
        const int64_t end = counted_end(area.row + area.rows, args.out_height, x.height, margin);
        refused_samples refused{};
        for (int64_t row = samples.row > begin ? samples.row : begin; row < end && row < samples.row + samples.count;
             ++row)
            for (const Real value : {sample(x, samples.reference + row * samples.reference_step),
                                     sample(y, samples.candidate + row * samples.candidate_step)})
                refused.look_at(value, args.low, args.high);
        add(args.totals.images[area.image], refused);
    }

    IQA_KERNEL static bool is_inside(const arguments &args, Real value)
    {
        return is_within(value, args.low, args.high);
    }

    IQA_KERNEL static staged_pixel staged_of(const arguments &args, const strip &area, Real reference, Real candidate)
    {
        const Real x = reference * args.gain - area.pivot;
        const Real y = candidate * args.gain - area.pivot;
        return {x + y, x - y};
    }

    // One staging task. Away from the image's edges it steps down the column.
    IQA_KERNEL static void stage_column(const arguments &args, const strip &area, int task, staged_pixel *staged)
    {
        const image_view &x = args.images.reference;
        const image_view &y = args.images.candidate;
        const int column = task % staged_columns;
        const int first = task / staged_columns * rows_staged;
        const int left = area.rows + Taps - 1 - first;
        if (column >= area.columns + Taps - 1 || left <= 0)
            return;
        staged += first * staged_columns + column;
        const int64_t from_column = border_index(args.border, area.first_column + column, x.width);
        const column_of_pair samples = {.reference = x.at(area.image, area.channel, 0, 0, from_column),
                                        .candidate = y.at(area.image, area.channel, 0, 0, from_column),
                                        .reference_step = x.row_stride * element_size(x.type),
                                        .candidate_step = y.row_stride * element_size(y.type),
                                        .column = area.first_column + column,
                                        .row = area.first_row + first,
                                        .count = left < rows_staged ? left : rows_staged};
        bool inside = true;
        if (from_column >= 0 && samples.count == rows_staged && samples.row >= 0 &&
            samples.row + rows_staged <= x.height) {
            const std::byte *x_at = samples.reference + samples.row * samples.reference_step;
            const std::byte *y_at = samples.candidate + samples.row * samples.candidate_step;
            IQA_UNROLL_ON_GPU
            for (int from = 0; from < rows_staged; from += rows_ahead) {
                Real reference[rows_ahead];
                Real candidate[rows_ahead];
                IQA_UNROLL_ON_GPU
                for (int k = 0; k < rows_ahead && from + k < rows_staged; ++k) {
                    reference[k] = sample(x, x_at);
                    candidate[k] = sample(y, y_at);
                    x_at += samples.reference_step;
                    y_at += samples.candidate_step;
                }
                IQA_UNROLL_ON_GPU
                for (int k = 0; k < rows_ahead && from + k < rows_staged; ++k)
                    staged[(from + k) * staged_columns] = staged_of(args, area, reference[k], candidate[k]);
                if (args.counting)
                    IQA_UNROLL_ON_GPU
                for (int k = 0; k < rows_ahead && from + k < rows_staged; ++k)
                    inside = inside && is_inside(args, reference[k]) && is_inside(args, candidate[k]);
            }
        } else {
            for (int r = 0; r < samples.count; ++r) {
                const int64_t row = border_index(args.border, samples.row + r, x.height);
                const bool zero = row < 0 || from_column < 0;
                const Real reference = zero ? Real(0) : sample(x, samples.reference + row * samples.reference_step);
                const Real candidate = zero ? Real(0) : sample(y, samples.candidate + row * samples.candidate_step);
                staged[r * staged_columns] = staged_of(args, area, reference, candidate);
                inside = inside && is_inside(args, reference) && is_inside(args, candidate);
            }
        }
        if (args.counting && !inside) // rare
            count_samples(args, area, samples);
    }

    IQA_KERNEL static uint32_t doubted_rows_of(const strip &area)
    {
        uint32_t doubted = 0;
        for (int row = 0; row < area.rows; ++row)
            if (doubts_row(int(area.row - area.tile_row) + row, area.tile_rows))
                doubted |= 1u << row;
        return doubted;
    }

    // Finds the pivot, then stages the strip.
    template <class Block>
    IQA_KERNEL static void stage(Block &block, const arguments &args, strip &area, staged_pixel *staged, common &shared)
    {
        auto &grid = *reinterpret_cast<pivot_grid<Real> *>(staged);
        block.each_thread(pivot_samples, [&](int i) { put_pivot_sample(args, area, grid, i); });
        block.each_thread(1, [&](int) { shared = {grid.pivot(), is_float ? doubted_rows_of(area) : 0, {}}; });
        area.pivot = shared.pivot;
        area.doubted = shared.doubted;
        block.each_thread(staging_tasks, [&](int task) { stage_column(args, area, task, staged); });
    }
};

} // namespace iqa::cuda
