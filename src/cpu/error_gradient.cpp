// SPDX-License-Identifier: MIT
// The gradients of squared errors, row by row.
#include <algorithm>

#include "core/parallel.hpp"
#include "cpu/backend.hpp"
#include "cpu/dispatch.hpp"
#include "cpu/pixel_reader.hpp"

namespace iqa {

namespace {

constexpr int64_t samples_of_a_tile = 1 << 16;

// `values` is NULL for zeros. Adding 0 makes -0 a plain 0.
template <class Real>
void store_values(Real *to, int64_t step, int64_t count, const double *values, double factor)
{
    for (int64_t i = 0; i < count; ++i)
        to[i * step] = values != nullptr ? Real(values[i] * factor + 0.0) : Real(0);
}

class batch_of_gradients {
public:
    batch_of_gradients(context &where, scratch &memory, const error_gradient_request &request)
        : where_(where),
          request_(request),
          shape_(request.source.images.reference),
          kernels_(kernels_for(where)),
          reader_(kernels_, request.source),
          rows_of_slice_(shape_.height + 2 * request.margin),
          rows_(rows_of_slice_ * (shape_.depth + 2 * request.margin_z))
    {
        const int64_t samples_of_row = shape_.channels * (shape_.width + 2 * request.margin);
        rows_of_tile_ = std::max<int64_t>(1, samples_of_a_tile / samples_of_row);
        tiles_of_image_ = (rows_ + rows_of_tile_ - 1) / rows_of_tile_;
        tiles_ = shape_.images * tiles_of_image_;
        workers_ = workers_for(where, tiles_, shape_.images * rows_ * samples_of_row);
        memory_ = memory.take<pixel_memory>(size_t(workers_), "rows of a gradient");
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
    // A row of the whole image, its margins included.
    void add_row(int64_t image, int64_t row, pixel_memory &memory) const
    {
        const int64_t margin = request_.margin;
        pixel_place place = {.image = image,
                             .channel = 0,
                             .slice = row / rows_of_slice_ - request_.margin_z,
                             .row = row % rows_of_slice_ - margin,
                             .column = -margin,
                             .count = shape_.width + 2 * margin};
        const bool inside =
            place.slice >= 0 && place.slice < shape_.depth && place.row >= 0 && place.row < shape_.height;
        if (!inside) {
            store_zeros(place);
            return;
        }
        place.count = margin;
        store_zeros(place);
        place.column = shape_.width;
        store_zeros(place);
        for (place.column = 0; place.column < shape_.width; place.column += pixels_at_once) {
            place.count = std::min(pixels_at_once, shape_.width - place.column);
            for (place.channel = 0; place.channel < request_.source.channels(); ++place.channel)
                add_pixels(place, memory);
            place.channel = 0;
        }
    }

    void add_pixels(pixel_place place, pixel_memory &memory) const
    {
        const pixel_run run = reader_.read(place, memory);
        reader_.to_double(run, memory);
        kernels_.error_derivatives(request_.slopes[place.image], memory.reference_double, memory.candidate_double,
                                   run.weights, run.count, memory.derivatives);
        if (request_.source.luma == nullptr) {
            store(place, memory.derivatives, 1.0);
            return;
        }
        const luma_weights &weights = request_.source.luma->weights;
        for (const double factor : {weights.red, weights.green, weights.blue}) {
            store(place, memory.derivatives, factor);
            ++place.channel;
        }
    }

    void store_zeros(pixel_place place) const
    {
        for (place.channel = 0; place.channel < shape_.channels; ++place.channel)
            store(place, nullptr, 0.0);
    }

    void store(const pixel_place &place, const double *derivatives, double factor) const
    {
        store_in(request_.candidate, place, derivatives, factor);
        store_in(request_.reference, place, derivatives, -factor);
    }

    void store_in(const output_view &view, const pixel_place &place, const double *derivatives, double factor) const
    {
        if (view.data == nullptr)
            return;
        const int64_t index = place.image * view.image_stride + place.channel * view.channel_stride +
                              (place.slice + request_.margin_z) * view.slice_stride +
                              (place.row + request_.margin) * view.row_stride +
                              (place.column + request_.margin) * view.column_stride;
        if (view.is_double)
            store_values(reinterpret_cast<double *>(view.data) + index, view.column_stride, place.count, derivatives,
                         factor);
        else
            store_values(reinterpret_cast<float *>(view.data) + index, view.column_stride, place.count, derivatives,
                         factor);
    }

    context &where_;
    const error_gradient_request &request_;
    const image_view &shape_;
    const cpu_kernels &kernels_;
    pixel_reader reader_;
    int64_t rows_of_slice_, rows_;
    int64_t rows_of_tile_ = 1, tiles_of_image_ = 1, tiles_ = 1;
    int workers_ = 1;
    pixel_memory *memory_ = nullptr;
};

} // namespace

void cpu_error_gradient(context &where, scratch &memory, const error_gradient_request &request)
{
    batch_of_gradients(where, memory, request).run();
}

} // namespace iqa
