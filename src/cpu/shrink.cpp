// SPDX-License-Identifier: MIT
// From one scale to the next, row by row; and the counting of samples outside the range.
#include <algorithm>
#include <atomic>

#include "core/parallel.hpp"
#include "core/samples.hpp"
#include "cpu/backend.hpp"
#include "cpu/dispatch.hpp"
#include "cpu/ssim_boxes.hpp"

namespace iqa {

namespace {

constexpr int64_t rows_of_a_tile = 16;

template <class Real>
void shrink(context &where, scratch &memory, const shrink_request &request)
{
    const cpu_kernels &kernels = kernels_for(where);
    const image_view &shape = request.images.reference;
    const int64_t channels = request.plan->channels(shape);
    const int64_t depth = request.z.boxes();
    const int64_t height = request.y.boxes();
    const int64_t width = request.x.boxes();
    const int64_t rows = shape.images * channels * depth * height;
    const int64_t tiles = (rows + rows_of_a_tile - 1) / rows_of_a_tile;
    const int workers = workers_for(where, tiles, shape.images * channels * shape.pixels());
    const size_t worker_size = size_t(shrink_memory(width, request.x.factor)) * sizeof(Real);
    std::byte *block = memory.take<std::byte>(size_t(workers) * worker_size, "the rows of smaller images");
    const auto shrink_one = [&](int64_t index, int worker) {
        int64_t rest = index;
        const int64_t y = rest % height;
        rest /= height;
        const int64_t z = rest % depth;
        rest /= depth;
        shrink_row row{};
        row.source = source_of(*request.plan, request.images, request.weights, rest / channels, rest % channels);
        row.border = border_of(request.x.rule);
        row.factor_z = request.z.factor;
        row.factor = request.x.factor;
        row.normalised = request.plan->convolution;
        row.first_slice = request.z.first() + z * request.z.factor;
        row.first_row = request.y.first() + y * request.y.factor;
        row.first_column = request.x.first();
        row.columns = width;
        const int64_t at = index * width * int64_t(sizeof(Real));
        row.reference = request.reference + at;
        row.candidate = request.candidate + at;
        row.weights = request.shrunk_weights == nullptr ? nullptr : request.shrunk_weights + at;
        row.memory = block + size_t(worker) * worker_size;
        if constexpr (sizeof(Real) == sizeof(double))
            kernels.shrink_double(row);
        else
            kernels.shrink_float(row);
    };
    for_each_tile(where, workers, tiles, [&](int64_t tile, int worker) {
        for (int64_t row = tile * rows_of_a_tile; row < std::min(rows, (tile + 1) * rows_of_a_tile); ++row)
            shrink_one(row, worker);
    });
}

// Counting without weights: runs of samples.
void count_row(const cpu_kernels &kernels, const count_request &request, int64_t image, int64_t channel, int64_t slice,
               int64_t row, sample_counts &counts)
{
    const image_view &x = request.images.reference;
    const image_view &y = request.images.candidate;
    const sample_run run = {x.type,
                            x.at(image, channel, slice, row, 0),
                            y.at(image, channel, slice, row, 0),
                            x.width,
                            x.column_stride,
                            y.column_stride};
    kernels.count_samples(run, request.range, counts);
}

// With weights, or where non-finite samples are masked: one after another. Returns false at a weight that is none.
bool count_weighted_row(count_request &request, int64_t image, int64_t channel, int64_t slice, int64_t row,
                        sample_counts &counts)
{
    const weight_view &weights = request.weights;
    for (int64_t column = 0; column < request.images.reference.width; ++column) {
        if (weights.data != nullptr) {
            const double weight = weight_at(weights, image, channel, slice, row, column);
            if (!(weight >= 0 && weight <= 1)) {
                request.bad = {image, channel, slice, row, column};
                return false;
            }
            if (weight == 0)
                continue;
        }
        const double x = load_sample(request.images.reference, image, channel, slice, row, column);
        const double y = load_sample(request.images.candidate, image, channel, slice, row, column);
        if (request.mask_nonfinite && !(is_finite(x) && is_finite(y)))
            continue;
        for (const double sample : {x, y}) {
            counts.nonfinite += !is_finite(sample);
            counts.outside += !(sample >= request.range.low && sample <= request.range.high);
        }
    }
    return true;
}

} // namespace

void cpu_shrink(context &where, scratch &memory, const shrink_request &request)
{
    if (request.plan->double_arithmetic)
        shrink<double>(where, memory, request);
    else
        shrink<float>(where, memory, request);
}

void cpu_count(context &where, count_request &request)
{
    const cpu_kernels &kernels = kernels_for(where);
    const image_view &shape = request.images.reference;
    std::fill_n(request.counts, shape.images, sample_counts{});
    request.bad.image = -1;
    const bool one_by_one = request.weights.data != nullptr || request.mask_nonfinite;
    if (!one_by_one && covers(request.range, shape.type))
        return;
    for (int64_t image = 0; image < shape.images; ++image)
        for (int64_t channel = 0; channel < shape.channels; ++channel)
            for (int64_t slice = 0; slice < shape.depth; ++slice)
                for (int64_t row = 0; row < shape.height; ++row) {
                    sample_counts &counts = request.counts[image];
                    if (!one_by_one)
                        count_row(kernels, request, image, channel, slice, row, counts);
                    else if (!count_weighted_row(request, image, channel, slice, row, counts))
                        return;
                }
}

} // namespace iqa
