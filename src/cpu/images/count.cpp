// SPDX-License-Identifier: MIT
// Counts of samples outside the data range, for images whose own kernels do not count them.
#include <algorithm>
#include <atomic>

#include "core/parallel.hpp"
#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"
#include "cpu/isa/kernels.hpp"

namespace iqa {

namespace {

constexpr int64_t rows_of_a_tile = 16;

// Counting without weights: runs of samples.
void count_row(const cpu_kernels &kernels, const count_request &request, const pixel_place &at, sample_counts &counts)
{
    const image_view &x = request.images.reference;
    const image_view &y = request.images.candidate;
    const sample_run run = {x.type,
                            x.at(at.image, at.channel, at.slice, at.row, 0),
                            y.at(at.image, at.channel, at.slice, at.row, 0),
                            x.width,
                            x.column_stride,
                            y.column_stride};
    kernels.count_samples(run, request.range, counts);
}

constexpr int64_t block = 128; // keeps frames small

// Marks the samples of a block that count; false on an invalid weight (NaN, below 0, above 1).
bool weigh_block(const weight_view &weights, const pixel_place &at, int64_t count, bool *counted)
{
    for (int64_t i = 0; i < count; ++i) {
        const double weight = weight_at(weights, at.image, at.channel, at.slice, at.row, at.column + i);
        if (!(weight >= 0 && weight <= 1))
            return false;
        counted[i] = weight > 0;
    }
    return true;
}

// With weights, or with non-finite samples masked; false on an invalid weight.
bool count_weighted_row(const cpu_kernels &kernels, const count_request &request, pixel_place at, sample_counts &counts)
{
    const image_view &shape = request.images.reference;
    // A row without a sample outside the range needs no weights.
    sample_counts unweighted{};
    if (!covers(request.range, shape.type))
        count_row(kernels, request, at, unweighted);
    const bool inside = unweighted.outside == 0;
    const bool checked = request.weights.dtype == IQA_FLOAT32 || request.weights.dtype == IQA_FLOAT64;
    if (inside && !checked)
        return true;
    bool counted[block];
    double samples[2][block];
    for (; at.column < shape.width; at.column += block) {
        const int64_t count = std::min(block, shape.width - at.column);
        std::fill_n(counted, count, true);
        if (request.weights.data != nullptr && !weigh_block(request.weights, at, count, counted))
            return false;
        if (inside)
            continue;
        const image_view *const sides[] = {&shape, &request.images.candidate};
        for (int side = 0; side < 2; ++side)
            kernels.widen(shape.type, sides[side]->at(at.image, at.channel, at.slice, at.row, at.column),
                          sides[side]->column_stride, count, samples[side]);
        if (request.mask_nonfinite)
            for (int64_t i = 0; i < count; ++i)
                counted[i] = counted[i] && is_finite(samples[0][i]) && is_finite(samples[1][i]);
        int64_t outside = 0;
        int64_t nonfinite = 0;
        for (const auto &row : samples)
            for (int64_t i = 0; i < count; ++i) {
                outside += counted[i] & !(row[i] >= request.range.low && row[i] <= request.range.high);
                nonfinite += counted[i] & !is_finite(row[i]);
            }
        counts.outside += outside;
        counts.nonfinite += nonfinite;
    }
    return true;
}

} // namespace

void cpu_count(context &where, count_request &request)
{
    const cpu_kernels &kernels = kernels_for(where);
    const image_view &shape = request.images.reference;
    std::fill_n(request.counts, shape.images, sample_counts{});
    const bool selective = request.weights.data != nullptr || request.mask_nonfinite;
    const bool checked = request.weights.dtype == IQA_FLOAT32 || request.weights.dtype == IQA_FLOAT64;
    if (!checked && covers(request.range, shape.type))
        return; // no sample is outside, and no weight is invalid
    // Counts add up in any order.
    const int64_t rows = shape.images * shape.channels * shape.depth * shape.height;
    const int64_t tiles = divide_up(rows, rows_of_a_tile);
    const int workers = workers_for(where, tiles, rows * shape.width);
    std::atomic<bool> bad_weight = false;
    const auto start_of_row = [&](int64_t index) {
        const int64_t row = index % shape.height;
        index /= shape.height;
        const int64_t slice = index % shape.depth;
        index /= shape.depth;
        return pixel_place{index / shape.channels, index % shape.channels, slice, row, 0};
    };
    for_each_tile(where, workers, tiles, [&](int64_t tile, int) {
        for (int64_t row = tile * rows_of_a_tile; row < std::min(rows, (tile + 1) * rows_of_a_tile); ++row) {
            pixel_place at = start_of_row(row);
            sample_counts counts{};
            if (!selective) {
                count_row(kernels, request, at, counts);
            } else if (!count_weighted_row(kernels, request, at, counts)) {
                bad_weight = true;
                return;
            }
            sample_counts &total = request.counts[at.image];
            std::atomic_ref(total.outside).fetch_add(counts.outside, std::memory_order_relaxed);
            std::atomic_ref(total.nonfinite).fetch_add(counts.nonfinite, std::memory_order_relaxed);
        }
    });
    if (bad_weight)
        request.report->kind = fault_kind::weights;
}

} // namespace iqa
