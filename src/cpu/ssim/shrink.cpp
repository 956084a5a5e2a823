// SPDX-License-Identifier: MIT
// From one level of a pyramid to the next, row by row.
#include <algorithm>

#include "core/parallel.hpp"
#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"
#include "cpu/ssim/boxes.hpp"

namespace iqa {

namespace {

// Rows of the larger image. A tile has at least one row of the smaller image.
constexpr int64_t larger_rows_of_a_tile = 32;

template <class Real>
void shrink(context &where, workspace &memory, const shrink_request &request)
{
    const cpu_kernels &kernels = kernels_for(where);
    const image_view &shape = request.images.reference;
    const int64_t channels = request.plan->channels(shape);
    const int64_t depth = request.z.boxes();
    const int64_t height = request.y.boxes();
    const int64_t width = request.x.boxes();
    const int64_t rows = shape.images * channels * depth * height;
    const int64_t rows_of_a_tile = std::max<int64_t>(larger_rows_of_a_tile / request.y.factor, 1);
    const int64_t tiles = divide_up(rows, rows_of_a_tile);
    const int workers = workers_for(where, tiles, shape.images * channels * shape.pixels());
    const size_t worker_size = size_t(shrink_memory(width, request.x.factor)) * sizeof(Real);
    std::byte *block = memory.work.take<std::byte>(size_t(workers) * worker_size, "the rows of smaller images");
    // Planes one after another, but the channels of a row where they lie in the same cache lines.
    const int64_t in_turn = shape.channel_stride < shape.row_stride ? channels : 1;
    const auto shrink_one = [&](int64_t index, int worker) {
        const int64_t turn = index % in_turn;
        int64_t rest = index / in_turn;
        const int64_t y = rest % height;
        rest /= height;
        const int64_t z = rest % depth;
        rest /= depth;
        const int64_t channel = rest % (channels / in_turn) + turn;
        const int64_t image = rest / (channels / in_turn);
        shrink_row row{};
        row.source = source_of(*request.plan, request.images, request.weights, image, channel);
        row.border = border_of(request.x.rule);
        row.factor_z = request.z.factor;
        row.factor = request.x.factor;
        row.normalised = request.plan->convolution;
        row.first_slice = request.z.first() + z * request.z.factor;
        row.first_row = request.y.first() + y * request.y.factor;
        row.first_column = request.x.first();
        row.columns = width;
        const int64_t to = ((image * channels + channel) * depth + z) * height + y;
        const int64_t at = to * width * int64_t(sizeof(Real));
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

} // namespace

void cpu_shrink(context &where, workspace &memory, std::span<const shrink_request> levels)
{
    for (const shrink_request &request : levels)
        if (request.plan->double_arithmetic)
            shrink<double>(where, memory, request);
        else
            shrink<float>(where, memory, request);
}

} // namespace iqa
