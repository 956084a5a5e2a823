// SPDX-License-Identifier: MIT
// One tile of an SSIM map: rows are staged as s = x' + y' and d = x' - y', filtered down into four maps, filtered
// across, and turned into SSIM and its sum while they are in the cache.
//
// Memory of a tile, in rows of `ssim_row_samples`: a ring of staged rows (s, d), the maps M_s, M_d, E_ss, E_dd of the
// rows filtered together (index k), the pivots, the finished values, spreads and doubts, and at the end the addresses
// of the staged rows in order.
#pragma once

#include "arith/border.h"
#include "arith/half.h"
#include "arith/ssim.h"
#include "arith/ssim_doubt.h"
#include "arith/ssim_pivot.h"
#include "cpu/images/count.inl"
#include "cpu/images/gather.inl"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/filters.inl"
#include "cpu/ssim/kernels.hpp"
#include "cpu/ssim/source.inl"

namespace iqa::IQA_INSTRUCTION_SET {

template <class Lanes>
struct ssim_workspace {
    using real = typename Lanes::real;

    const ssim_tile &tile;
    const real *taps_y;
    const real *taps_x;
    int64_t stride; // samples from one row of the memory to the next
    int ring_rows;
    real *ring;
    real *filtered;
    real *pivot;
    real *values;
    // The largest spreads and the sums of doubts, each lane by lane for the vectors that hold whole pixels.
    real *spreads;
    int32_t *doubts;
    const real **staged_in_order;

    real *staged(int row) const { return ring + 2 * stride * (row % ring_rows); }
    real *map(int row, int k) const { return filtered + stride * (4 * row + k); }
};

template <class Real, class Sample, class Check>
static void stage_strided_run(const Sample *reference, int64_t reference_step, const Sample *candidate,
                              int64_t candidate_step, int64_t count, Real gain, const Real *pivot, Real *sum,
                              Real *difference, Check &check)
{
    Check checked = check; // a local, which no store aliases
    for (int64_t i = 0; i < count; ++i)
        stage_pair(reference[i * reference_step], candidate[i * candidate_step], gain, pivot[i], sum[i], difference[i],
                   checked);
    check = checked;
}

// Stages one row of the tile with its margins, whose samples are given to `check`. `row` counts from the first row
// under the tile's windows.
template <class Sample, class Lanes, class Check>
static void stage_row(const ssim_workspace<Lanes> &work, int row, Check &check)
{
    using real = typename Lanes::real;
    const ssim_tile &tile = work.tile;
    const int channels = tile.channels;
    const int64_t pixels = tile.columns + tile.size_x - 1;
    real *sum = work.staged(row);
    real *difference = sum + work.stride;
    const real gain = real(tile.gain);

    const int64_t y = border_index(tile.border, tile.first_row + row, tile.height);
    const auto stage_zeros = [&](int64_t from, int64_t to) {
        for (int64_t i = from * channels; i < to * channels; ++i) {
            sum[i] = (real(0) - work.pivot[i]) + (real(0) - work.pivot[i]);
            difference[i] = real(0);
        }
    };
    if (y < 0) {
        stage_zeros(0, pixels);
        return;
    }
    const Sample *reference = static_cast<const Sample *>(tile.reference.data) + y * tile.reference.row_stride;
    const Sample *candidate = static_cast<const Sample *>(tile.candidate.data) + y * tile.candidate.row_stride;
    const int64_t reference_step = tile.reference.column_stride;
    const int64_t candidate_step = tile.candidate.column_stride;
    const auto stage_pixels = [&](int64_t from, int64_t to, int64_t column) {
        const int64_t at = from * channels;
        const Sample *x_run = reference + column * reference_step;
        const Sample *y_run = candidate + column * candidate_step;
        if (reference_step == channels && candidate_step == channels) {
            if (y + rows_ahead < tile.height) {
                const int64_t bytes = (to - from) * channels * int64_t(sizeof(Sample));
                prefetch_run(x_run + rows_ahead * tile.reference.row_stride, bytes);
                prefetch_run(y_run + rows_ahead * tile.candidate.row_stride, bytes);
            }
            stage_run(x_run, y_run, (to - from) * channels, gain, work.pivot + at, sum + at, difference + at, check);
        } else
            stage_strided_run(x_run, reference_step, y_run, candidate_step, to - from, gain, work.pivot + at, sum + at,
                              difference + at, check);
    };
    const auto copy_pixel = [&](int64_t to, int64_t from) {
        for (int channel = 0; channel < channels; ++channel) {
            sum[to * channels + channel] = sum[from * channels + channel];
            difference[to * channels + channel] = difference[from * channels + channel];
        }
    };
    for_positions(
        tile.border, tile.first_column, pixels, tile.width,
        [&](int64_t to, int64_t column, int64_t length) { stage_pixels(to, to + length, column); }, copy_pixel,
        [&](int64_t to) { stage_zeros(to, to + 1); });
}

// The pivot of each channel.
template <class Sample, class Lanes>
static void fill_pivots(const ssim_workspace<Lanes> &work)
{
    using real = typename Lanes::real;
    const ssim_tile &tile = work.tile;
    const real gain = real(tile.gain);
    int64_t rows[pivot_rows];
    int64_t columns[pivot_columns];
    for (int i = 0; i < pivot_rows; ++i)
        rows[i] = pivot_position(tile.first_row, tile.size_y, tile.rows, tile.height, i, pivot_rows);
    for (int i = 0; i < pivot_columns; ++i)
        columns[i] = pivot_position(tile.first_column, tile.size_x, tile.columns, tile.width, i, pivot_columns);
    for (int channel = 0; channel < tile.channels; ++channel) {
        pivot_grid<real> grid;
        for (int row = 0; row < pivot_rows; ++row)
            for (int column = 0; column < pivot_columns; ++column) {
                const auto sample = [&](const sample_plane &side) {
                    const Sample *samples = static_cast<const Sample *>(side.data);
                    const int64_t at = rows[row] * side.row_stride + columns[column] * side.column_stride;
                    return real(widen(samples[at + channel])) * gain;
                };
                grid.put(row * pivot_columns + column, sample(tile.reference), sample(tile.candidate), false);
            }
        const real pivot = grid.pivot();
        real *const pivots = work.pivot; // a local, which no store aliases
        const int64_t stride = work.stride;
        if (tile.channels == 1)
            for (int64_t i = 0; i < stride; ++i)
                pivots[i] = pivot;
        else
            for (int64_t i = channel; i < stride; i += tile.channels)
                pivots[i] = pivot;
    }
}

// Filters `rows` rows of the tile down, from `first` on, into the four maps. `taps` replaces the window's size, for
// unrolling, unless it is 0.
template <int rows, int taps, class Lanes>
static void filter_down(const ssim_workspace<Lanes> &work, int first)
{
    using real = typename Lanes::real;
    const ssim_tile &tile = work.tile;
    const int64_t stride = work.stride;
    const real *const beyond_ring = work.ring + 2 * stride * work.ring_rows;
    const real *staged_row = work.staged(first);
    for (int tap = 0; tap < tile.size_y + rows - 1; ++tap) {
        work.staged_in_order[tap] = staged_row;
        staged_row += 2 * stride;
        if (staged_row == beyond_ring)
            staged_row = work.ring;
    }
    const auto *const *staged = work.staged_in_order;
    filter_rows_down<rows, taps, 4, Lanes>(
        tile.size_y, int64_t(tile.columns + tile.size_x - 1) * tile.channels,
        [filter = work.taps_y](int, int tap) -> const real & { return filter[tap]; },
        [=](int tap) { return staged[tap]; },
        [=](const real *from, Lanes(&values)[4]) {
            values[0] = Lanes::load(from);
            values[1] = Lanes::load(from + stride);
            values[2] = values[0] * values[0];
            values[3] = values[1] * values[1];
        },
        [&](int row, int k) { return work.map(row, k); });
}

// Adds a row of interleaved values to the sums of their channels.
template <class Real>
static void add_by_channel(const Real *values, int64_t samples, int channels, int64_t unit, int128 *sums)
{
    constexpr int period = 48; // of whole vectors, and of whole pixels of 1 to 4 channels
    static_assert(ssim_most_interleaved == 4);
    uint64_t partial[period] = {}; // NaN contributes arbitrary bits
    int64_t at = 0;
    for (; at + period <= samples; at += period)
        for (int i = 0; i < period; ++i)
            partial[i] += uint64_t(ssim_fixed(values[at + i]));
    for (int i = 0; at + i < samples; ++i)
        partial[i] += uint64_t(ssim_fixed(values[at + i]));
    uint64_t totals[ssim_most_interleaved] = {};
    for (int i = 0; i < period; i += channels)
        for (int channel = 0; channel < channels; ++channel)
            totals[channel] += partial[i + channel];
    for (int channel = 0; channel < channels; ++channel)
        sums[channel] += int128(int64_t(totals[channel])) * unit;
}

// The means of s, d, s^2 and d^2 under the windows of a vector of pixels.
template <class Lanes>
struct window_means_of_pixels {
    Lanes k[4];
};

// Filters the `rows` rows from `first` on across and finishes them: SSIM, or contrast-structure alone, and its sums.
template <bool safe, bool product, int taps, int channels, class Lanes>
static void finish_rows(const ssim_workspace<Lanes> &work, const ssim_constants<Lanes> &given, int first, int rows,
                        ssim_tile_result &result)
{
    using real = typename Lanes::real;
    constexpr int width = Lanes::width;
    constexpr int shift = ssim_double_bits - (sizeof(real) == sizeof(float) ? ssim_float_bits : ssim_double_bits);
    const ssim_tile &tile = work.tile;
    const int64_t samples = int64_t(tile.columns) * tile.channels;
    const int vectors = channels ? channels : tile.channels;
    const bool keep_values = tile.store_row != nullptr || tile.by_channel;
    // Locals, which no store aliases.
    const filter_of_row<taps, channels, Lanes> across(work.taps_x, tile.size_x, vectors);
    const ssim_constants<Lanes> constants = given;
    const int64_t next = work.stride;
    const real *const pivots = work.pivot;
    real *const values = work.values;
    Lanes spread[channels ? channels : int(ssim_most_interleaved)];
    for (int i = 0; i < vectors; ++i)
        spread[i] = Lanes::load(work.spreads + i * width);
    for (int row = 0; row < rows; ++row) {
        const real *const maps = work.map(row, 0);
        const bool doubting = doubts_row(first + row, tile.rows);
        fixed_sum<real> sum;
        const auto filter_at = [&](int64_t at) __attribute__((always_inline))
        {
            window_means_of_pixels<Lanes> means;
            across.template filter<4>(maps + at, next, means.k);
            return means;
        };
        window_means_of_pixels<Lanes> coming;
        if constexpr (Lanes::filters_ahead)
            coming = filter_at(0);
        // One vector, of which `count` lanes are pixels: all of them, which the compiler knows, but at the end of a
        // row.
        const auto finish = [&](int64_t at, int i, int count) __attribute__((always_inline))
        {
            const window_means_of_pixels<Lanes> means = Lanes::filters_ahead ? coming : filter_at(at);
            const auto &[mean_sum, mean_difference, square_sum, square_difference] = means.k;
            if constexpr (Lanes::filters_ahead)
                if (at + width < samples)
                    coming = filter_at(at + width);
            const Lanes pivot = Lanes::load(pivots + at);
            const ssim_terms<Lanes> terms =
                ssim_terms_of(mean_sum, mean_difference, square_sum, square_difference, pivot + pivot, constants);
            const Lanes value = product ? ssim_of<safe>(terms) : contrast_structure_of<safe>(terms);
            sum.add(value, count);
            if (keep_values)
                value.store(values + at);
            if constexpr (sizeof(real) == sizeof(float)) {
                Lanes squares = square_sum + square_difference;
                if (count < width) // lanes beyond the last pixel hold stale samples
                    squares = first_lanes(squares, count);
                spread[i] = at_least(squares, spread[i]);
                if (__builtin_expect(doubting, 0))
                    add_doubt(first_lanes(ssim_doubt(terms, mean_sum, mean_difference, square_sum, square_difference,
                                                     constants, constants_of_doubt<Lanes>(Lanes::broadcast)),
                                          count),
                              work.doubts + i * doubt_kinds * width);
            }
        };
        int64_t at = 0;
        for (; at + vectors * width <= samples; at += vectors * width) {
            IQA_UNROLL_MUCH
            for (int i = 0; i < vectors; ++i)
                finish(at + i * width, i, width);
        }
        for (int i = 0; at < samples; ++i, at += width)
            finish(at, i, int(samples - at < width ? samples - at : width));
        result.not_a_number = result.not_a_number || sum.any_nan();
        if (tile.by_channel)
            add_by_channel(values, samples, tile.channels, int64_t(1) << shift, result.sums);
        else
            result.sums[0] += int128(sum.total()) * (int64_t(1) << shift);
        if (tile.store_row != nullptr)
            tile.store_row(tile.receiver, 0, first + row, values);
    }
    for (int i = 0; i < vectors; ++i)
        spread[i].store(work.spreads + i * width);
}

// Adds up the doubts of a tile's rows, and checks its spreads.
template <class Lanes>
static void collect_doubts(const ssim_workspace<Lanes> &work, ssim_tile_result &result)
{
    constexpr int width = Lanes::width;
    const ssim_tile &tile = work.tile;
    const float most_spread = IQA_SSIM_MOST_SPREAD * float(tile.twice_c2);
    with_step(tile.channels, [&](auto channels) {
        float spreads[ssim_most_interleaved] = {};
        for (int i = 0; i < channels * width; ++i)
            spreads[i % channels] = iqa::at_least(work.spreads[i], spreads[i % channels]);
        for (int vector = 0; vector < channels; ++vector)
            for (int kind = 0; kind < doubt_kinds; ++kind) {
                const int32_t *lanes = work.doubts + (vector * doubt_kinds + kind) * width;
                for (int i = 0; i < width; ++i)
                    result.doubts[(vector * width + i) % channels][kind] += lanes[i];
            }
        for (int channel = 0; channel < channels; ++channel)
            result.spread[channel] = spreads[channel] > most_spread;
    });
}

// Counts the samples of one row of the image that belong to this tile.
static void count_row_of_tile(const ssim_tile &tile, int64_t row, sample_counts &counts)
{
    if (row < tile.counted_row || row >= tile.counted_row + tile.counted_rows)
        return;
    const sample_plane *const sides[] = {&tile.reference, &tile.candidate};
    for (const sample_plane *side : sides) {
        const bool dense = side->column_stride == tile.channels;
        const char *data =
            static_cast<const char *>(side->data) +
            (row * side->row_stride + tile.counted_column * side->column_stride) * element_size(tile.type);
        if (dense) {
            count_run(tile.type, data, tile.counted_columns * tile.channels, 1, tile.range, counts);
        } else {
            for (int channel = 0; channel < tile.channels; ++channel)
                count_run(tile.type, data + channel * element_size(tile.type), tile.counted_columns,
                          side->column_stride, tile.range, counts);
        }
    }
}

// Stages a row of the tile, and counts its samples outside the range, of which most images have none.
template <class Sample, class Lanes>
static void stage_and_count_row(const ssim_workspace<Lanes> &work, int row, sample_counts &counts)
{
    const ssim_tile &tile = work.tile;
    if (!tile.counting) {
        any_sample check;
        return stage_row<Sample>(work, row, check);
    }
    range_check<Lanes, decltype(limit_for(Sample()))> check(tile.range);
    stage_row<Sample>(work, row, check);
    if (!check.holds())
        count_row_of_tile(tile, tile.first_row + row, counts);
}

template <class Lanes>
static void run_tile(const ssim_workspace<Lanes> &work, ssim_tile_result &result)
{
    using real = typename Lanes::real;
    const ssim_tile &tile = work.tile;
    const ssim_constants<Lanes> constants = {Lanes::broadcast(real(tile.twice_c1)),
                                             Lanes::broadcast(real(tile.twice_c2)),
                                             Lanes::broadcast(real(tile.covariance))};
    const bool safe = is_safe_product(tile.twice_c1, tile.twice_c2);

    void (*down)(const ssim_workspace<Lanes> &, int) = filter_down<Lanes::rows_at_once, 0, Lanes>;
    void (*down_last)(const ssim_workspace<Lanes> &, int) = filter_down<1, 0, Lanes>;
    if (tile.size_y == 11) {
        down = filter_down<Lanes::rows_at_once, 11, Lanes>;
        down_last = filter_down<1, 11, Lanes>;
    } else if (tile.size_y == 7) {
        down = filter_down<Lanes::rows_at_once, 7, Lanes>;
        down_last = filter_down<1, 7, Lanes>;
    }
    auto finish = safe ? finish_rows<true, true, 0, 0, Lanes> : finish_rows<false, true, 0, 0, Lanes>;
    if (!tile.product)
        finish = safe ? finish_rows<true, false, 0, 0, Lanes> : finish_rows<false, false, 0, 0, Lanes>;
    if (safe && tile.size_x == 11 && tile.channels == 1)
        finish = tile.product ? finish_rows<true, true, 11, 1, Lanes> : finish_rows<true, false, 11, 1, Lanes>;
    else if (safe && tile.size_x == 11 && tile.channels == 3)
        finish = tile.product ? finish_rows<true, true, 11, 3, Lanes> : finish_rows<true, false, 11, 3, Lanes>;
    else if (safe && tile.product && tile.size_x == 7 && tile.channels == 1)
        finish = finish_rows<true, true, 7, 1, Lanes>;
    else if (safe && tile.product && tile.size_x == 7 && tile.channels == 3)
        finish = finish_rows<true, true, 7, 3, Lanes>;

    void (*stage)(const ssim_workspace<Lanes> &, int, sample_counts &) = nullptr;
    with_sample_type(tile.type, [&]<class Sample>(Sample) {
        stage = stage_and_count_row<Sample, Lanes>;
        fill_pivots<Sample>(work);
    });

    __builtin_memset(work.spreads, 0, sizeof(real) * uint64_t(tile.channels) * Lanes::width);
    __builtin_memset(work.doubts, 0, sizeof(int32_t) * uint64_t(tile.channels) * doubt_kinds * Lanes::width);
    int staged_rows = 0;
    for (int first = 0; first < tile.rows;) {
        const int rows = tile.rows - first >= Lanes::rows_at_once ? Lanes::rows_at_once : 1;
        for (; staged_rows < first + rows + tile.size_y - 1; ++staged_rows)
            stage(work, staged_rows, result.counts);
        (rows == Lanes::rows_at_once ? down : down_last)(work, first);
        finish(work, constants, first, rows, result);
        first += rows;
    }
    if constexpr (sizeof(real) == sizeof(float))
        collect_doubts(work, result);
}

template <class Real>
static void ssim_of_tile(const ssim_tile &tile, ssim_tile_result &result)
{
    using lanes_type = typename lanes_of<Real>::type;
    result = {};
    const int64_t stride = ssim_row_samples(tile.columns, tile.size_x, tile.channels);
    const int ring_rows = tile.size_y - 1 + ssim_rows_at_once;
    Real *ring = static_cast<Real *>(tile.memory);
    Real *filtered = ring + 2 * ring_rows * stride;
    Real *pivot = filtered + 4 * ssim_rows_at_once * stride;
    Real *values = pivot + stride;
    constexpr int64_t most_lanes = ssim_most_interleaved * lanes_type::width;
    const ssim_workspace<lanes_type> work = {
        .tile = tile,
        .taps_y = static_cast<const Real *>(tile.taps_y),
        .taps_x = static_cast<const Real *>(tile.taps_x),
        .stride = stride,
        .ring_rows = ring_rows,
        .ring = ring,
        .filtered = filtered,
        .pivot = pivot,
        .values = values,
        .spreads = values + stride,
        .doubts = reinterpret_cast<int32_t *>(values + stride + most_lanes),
        .staged_in_order = reinterpret_cast<const Real **>(values + stride + (1 + doubt_kinds) * most_lanes),
    };
    run_tile(work, result);
}

} // namespace iqa::IQA_INSTRUCTION_SET
