// SPDX-License-Identifier: MIT
// Counts of samples outside the data range, for images whose own kernels do not count them.
#include <algorithm>
#include <atomic>

#include "core/parallel.hpp"
#include "cpu/backend.hpp"
#include "cpu/images/pixel_reader.hpp"
#include "cpu/isa/dispatch.hpp"
#include "cpu/isa/kernels.hpp"

namespace iqa {

namespace {

constexpr int64_t rows_of_a_tile = 16;

class counter {
public:
    counter(const cpu_kernels &kernels, const count_request &request)
        : kernels_(kernels),
          request_(request),
          shape_(request.images.reference),
          interleaved_(interleaves(shape_, shape_.channels) && interleaves(request.images.candidate, shape_.channels)),
          covered_(covers(request.range, shape_.type)),
          checks_weights_(request.weights.dtype == IQA_FLOAT32 || request.weights.dtype == IQA_FLOAT64),
          selective_(request.weights.data != nullptr || request.mask_nonfinite)
    {
    }

    // No sample is outside, and no weight is invalid.
    bool has_nothing_to_do() const { return covered_ && !checks_weights_; }
    int64_t rows() const { return shape_.images * planes() * shape_.depth * shape_.height; }

    pixel_place start_of_row(int64_t index) const
    {
        const int64_t row = index % shape_.height;
        index /= shape_.height;
        const int64_t slice = index % shape_.depth;
        index /= shape_.depth;
        return {index / planes(), index % planes(), slice, row, 0};
    }

    // False on an invalid weight (NaN, below 0, above 1).
    bool count(const pixel_place &at, sample_counts &counts) const
    {
        sample_counts all{};
        if (!covered_)
            count_all(at, all);
        if (!selective_) {
            counts = all;
            return true;
        }
        for (int64_t channel = at.channel; channel < at.channel + channels_of_row(); ++channel) {
            const pixel_place start = {at.image, channel, at.slice, at.row, 0};
            if (checks_weights_ && !are_valid(start))
                return false;
            if (all.outside != 0) // else the row needs no weights
                count_chosen(start, counts);
        }
        return true;
    }

private:
    // Rows of interleaved channels are one row.
    int64_t planes() const { return interleaved_ ? 1 : shape_.channels; }
    int64_t channels_of_row() const { return shape_.channels / planes(); }

    // Without weights.
    void count_all(const pixel_place &at, sample_counts &counts) const
    {
        const auto step = [&](const image_view &view) {
            return interleaved_ ? 1 : view.column_stride;
        };
        const image_view &other = request_.images.candidate;
        const sample_run run = {shape_.type,
                                shape_.at(at.image, at.channel, at.slice, at.row, 0),
                                other.at(at.image, at.channel, at.slice, at.row, 0),
                                shape_.width * channels_of_row(),
                                step(shape_),
                                step(other)};
        kernels_.count_samples(run, request_.range, counts);
    }

    const void *weights_of(const pixel_place &start) const
    {
        const weight_view &view = request_.weights;
        if (view.data == nullptr)
            return nullptr;
        const int64_t index = start.image * view.image_stride + start.channel * view.channel_stride +
                              start.slice * view.slice_stride + start.row * view.row_stride;
        return view.data + index * ((view.dtype & 0xff) / 8);
    }

    bool are_valid(const pixel_place &start) const
    {
        const weight_view &view = request_.weights;
        if (view.channel_stride == 0 && start.channel != 0)
            return true; // they were checked with the first channel
        return kernels_.are_weights(static_cast<weight_type>(view.dtype), weights_of(start), view.column_stride,
                                    shape_.width);
    }

    // One channel of a row.
    void count_chosen(const pixel_place &start, sample_counts &counts) const
    {
        const image_view &other = request_.images.candidate;
        const sample_run run = {shape_.type,
                                shape_.at(start.image, start.channel, start.slice, start.row, 0),
                                other.at(start.image, start.channel, start.slice, start.row, 0),
                                shape_.width,
                                shape_.column_stride,
                                other.column_stride};
        const sample_choice choice = {weights_of(start), static_cast<weight_type>(request_.weights.dtype),
                                      request_.weights.column_stride, request_.mask_nonfinite};
        kernels_.count_chosen(run, choice, request_.range, counts);
    }

    const cpu_kernels &kernels_;
    const count_request &request_;
    const image_view &shape_;
    bool interleaved_, covered_, checks_weights_, selective_;
};

} // namespace

void cpu_count(context &where, count_request &request)
{
    const image_view &shape = request.images.reference;
    std::fill_n(request.counts, shape.images, sample_counts{});
    const counter counting(kernels_for(where), request);
    if (counting.has_nothing_to_do())
        return;
    // Counts add up in any order.
    const int64_t rows = counting.rows();
    const int64_t tiles = divide_up(rows, rows_of_a_tile);
    const int workers = workers_for(where, tiles, shape.images * shape.channels * shape.pixels());
    std::atomic<bool> bad_weight = false;
    for_each_tile(where, workers, tiles, [&](int64_t tile, int) {
        for (int64_t row = tile * rows_of_a_tile; row < std::min(rows, (tile + 1) * rows_of_a_tile); ++row) {
            const pixel_place at = counting.start_of_row(row);
            sample_counts counts{};
            if (!counting.count(at, counts)) {
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
