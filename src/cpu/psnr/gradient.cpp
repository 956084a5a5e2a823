// SPDX-License-Identifier: MIT
// The gradients of errors, row by row.
#include <algorithm>

#include "core/parallel.hpp"
#include "cpu/backend.hpp"
#include "cpu/images/pixel_reader.hpp"
#include "cpu/isa/dispatch.hpp"

namespace iqa {

namespace {

constexpr int64_t samples_of_a_tile = 1 << 16;

// As one channel, if the channels interleave everywhere.
error_gradient_request simplified(error_gradient_request request)
{
    const int64_t channels = request.source.channels();
    const auto fits = [=](const output_view &view) {
        return view.data == nullptr || interleaves(view, channels);
    };
    if (interleaves(request.source) && fits(request.reference) && fits(request.candidate)) {
        request.source = as_one_channel(request.source);
        request.reference.column_stride = request.candidate.column_stride = 1;
    }
    return request;
}

class batch_of_gradients {
public:
    batch_of_gradients(context &where, workspace &memory, const error_gradient_request &request)
        : where_(where),
          request_(simplified(request)),
          shape_(request_.source.images.reference),
          kernels_(kernels_for(where)),
          reader_(kernels_, request_.source),
          rows_(shape_.depth * shape_.height),
          rows_of_tile_(std::max<int64_t>(1, samples_of_a_tile / (shape_.channels * shape_.width))),
          tiles_of_image_(divide_up(rows_, rows_of_tile_)),
          tiles_(shape_.images * tiles_of_image_),
          workers_(workers_for(where, tiles_, shape_.images * shape_.channels * shape_.pixels())),
          memory_(memory.work.take<pixel_memory>(size_t(workers_), "rows of a gradient"))
    {
    }

    void run()
    {
        for_each_tile(where_, workers_, tiles_, [&](int64_t tile, int worker) {
            const int64_t image = tile / tiles_of_image_;
            const int64_t first = tile % tiles_of_image_ * rows_of_tile_;
            for (int64_t row = first; row < std::min(first + rows_of_tile_, rows_); ++row)
                add_row(image, row, memory_[worker]);
        });
    }

private:
    void add_row(int64_t image, int64_t row, pixel_memory &memory) const
    {
        row_part part = {.image = image,
                         .channel = 0,
                         .slice = row / shape_.height,
                         .row = row % shape_.height,
                         .column = 0,
                         .count = 0};
        for (; part.column < shape_.width; part.column += pixels_at_once) {
            part.count = std::min(pixels_at_once, shape_.width - part.column);
            for (part.channel = 0; part.channel < request_.source.channels(); ++part.channel)
                add_pixels(part, memory);
        }
    }

    void add_pixels(row_part part, pixel_memory &memory) const
    {
        const pixel_run run = reader_.read(part, memory);
        const error_slope &slope = request_.slopes[part.image];
        if (request_.source.luma == nullptr) {
            kernels_.error_derivatives(slope, run.type, run.reference[0], run.candidate[0], run.weights, run.count,
                                       memory.derivatives);
            store(part, memory.derivatives, 1.0);
            return;
        }
        reader_.to_double(run, memory);
        kernels_.error_derivatives(slope, element_type::float64, memory.reference_double, memory.candidate_double,
                                   run.weights, run.count, memory.derivatives);
        const luma_factors &weights = request_.source.luma->weights;
        for (const double factor : {weights.red, weights.green, weights.blue}) {
            store(part, memory.derivatives, factor);
            ++part.channel;
        }
    }

    void store(const row_part &part, const double *derivatives, double factor) const
    {
        store_in(request_.candidate, part, derivatives, factor);
        store_in(request_.reference, part, derivatives, -factor);
    }

    void store_in(const output_view &view, const row_part &part, const double *derivatives, double factor) const
    {
        if (view.data == nullptr)
            return;
        std::byte *const to = view.at(part.image, part.channel, part.slice, part.row, part.column);
        kernels_.store_derivatives(derivatives, factor, part.count, {to, view.is_double, view.column_stride});
    }

    context &where_;
    error_gradient_request request_;
    const image_view &shape_;
    const cpu_kernels &kernels_;
    pixel_reader reader_;
    int64_t rows_, rows_of_tile_, tiles_of_image_, tiles_; // rows_: of an image
    int workers_;
    pixel_memory *memory_;
};

} // namespace

void cpu_error_gradient(context &where, workspace &memory, const error_gradient_request &request)
{
    batch_of_gradients(where, memory, request).run();
}

} // namespace iqa
