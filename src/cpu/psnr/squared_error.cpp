// SPDX-License-Identifier: MIT
// Sums of squared errors, and of other terms, over the pairs of samples of a batch. Exact sums have no order, so images
// are cut into runs of samples in the order of memory.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/waves.hpp"
#include "cpu/backend.hpp"
#include "cpu/images/pixel_reader.hpp"
#include "cpu/isa/dispatch.hpp"

namespace iqa {

namespace {

constexpr int64_t samples_of_a_tile = 1 << 16; // at least
constexpr int64_t bytes_of_a_dense_tile = 1 << 18;
constexpr int64_t bytes_of_a_piece = 16384;
constexpr int64_t bytes_of_a_line = 64; // of the cache

constexpr sample_extremes no_samples = {HUGE_VAL, -HUGE_VAL};

struct tile_result {
    pair_total pairs[error_terms]; // of the request's terms
    sample_counts counts;
    int64_t weight_units;
    bool invalid_weight;
};

// A term of the request at a gain.
struct gained_term {
    size_t index;
    int exponent;
};

// The runs of a plane: an image, or a channel if channels are wanted apart.
struct run_layout {
    int64_t planes;   // of an image
    int64_t rows;     // runs of a plane
    int64_t length;   // samples of a run
    int64_t channels; // whose runs follow one another before the next line of pixels
    int64_t reference_step, candidate_step;
    int64_t samples_of_tile, rows_of_tile, tiles_of_row;

    int64_t tiles_of_plane() const { return divide_up(rows, rows_of_tile) * tiles_of_row; }
};

struct axis {
    int64_t extent, stride;
};

// True if the samples of these axes fill one stretch of memory.
bool dense(std::array<axis, 4> axes)
{
    std::sort(axes.begin(), axes.end(), [](const axis &x, const axis &y) {
        return x.stride != y.stride ? x.stride < y.stride : x.extent < y.extent;
    });
    int64_t expected = 1;
    for (const axis &next : axes) {
        if (next.extent == 1)
            continue;
        if (next.stride != expected)
            return false;
        expected *= next.extent;
    }
    return true;
}

bool dense(const image_view &view, bool one_channel)
{
    return dense({{{one_channel ? 1 : view.channels, one_channel ? 0 : view.channel_stride},
                   {view.depth, view.slice_stride},
                   {view.height, view.row_stride},
                   {view.width, view.column_stride}}});
}

run_layout lay_out(const weighted_images &source, bool by_channel)
{
    const image_view &x = source.images.reference;
    const image_view &y = source.images.candidate;
    const bool same_order = (by_channel || x.channel_stride == y.channel_stride) && x.slice_stride == y.slice_stride &&
                            x.row_stride == y.row_stride && x.column_stride == y.column_stride;
    run_layout layout{};
    layout.planes = by_channel ? source.channels() : 1;
    layout.channels = 1;
    layout.reference_step = layout.candidate_step = 1;
    layout.samples_of_tile = samples_of_a_tile;
    const int64_t channels = by_channel ? 1 : source.channels();
    const int64_t lines = x.depth * x.height;
    if (source.is_plain() && same_order && dense(x, by_channel) && dense(y, by_channel)) {
        layout.rows = 1;
        layout.length = channels * lines * x.width;
        layout.samples_of_tile = std::max(samples_of_a_tile, bytes_of_a_dense_tile / element_size(x.type));
    } else {
        layout.channels = channels;
        layout.rows = channels * lines;
        layout.length = x.width;
        layout.reference_step = x.column_stride;
        layout.candidate_step = y.column_stride;
    }
    layout.rows_of_tile = std::max<int64_t>(1, layout.samples_of_tile / layout.length);
    layout.tiles_of_row = divide_up(layout.length, layout.samples_of_tile);
    return layout;
}

class batch_of_runs {
public:
    batch_of_runs(context &where, workspace &memory, const pair_sums_request &request)
        : where_(where),
          kernels_(kernels_for(where)),
          request_(request),
          source_(!request.by_channel && interleaves(request.source) ? as_one_channel(request.source) : request.source),
          shape_(source_.images.reference),
          plain_(source_.is_plain()),
          integers_(is_integer(shape_.type) && source_.luma == nullptr),
          layout_(lay_out(source_, request.by_channel)),
          reader_(kernels_, source_),
          waves_(where, shape_.images * tiles_of_image(), shape_.images * shape_.channels * shape_.pixels())
    {
        place_in(memory.work, "the runs of samples", [&](arena &block) {
            waves_.place(block, plain_ ? 2 * size_t(bytes_of_a_piece) : sizeof(pixel_memory));
            largest_ = block.take<double>(shape_.images * terms());
        });
    }

    void run()
    {
        std::fill_n(request_.counts, shape_.images, sample_counts{});
        std::fill_n(request_.overflow, shape_.images, false);
        gained_term usual[error_terms];
        for (size_t i = 0; i < request_.terms.size(); ++i)
            usual[i] = {
                i,
                integers_ ? 0 : usual_error_exponent(request_.terms[i].term, request_.range.high - request_.range.low)};
        add_images(0, shape_.images, {usual, request_.terms.size()}, !covers(request_.range, shape_.type));
        if (invalid_weight_)
            request_.report->kind = fault_kind::weights;
        if (integers_ || invalid_weight_)
            return;
        for (int64_t image = 0; image < shape_.images; ++image) {
            request_.overflow[image] = !is_finite(largest_of(image)[terms() - 1]);
            for (size_t i = 0; i < request_.terms.size(); ++i) {
                const gained_term second = {i, second_error_exponent(usual[i].exponent, largest_of(image)[i])};
                if (second.exponent != no_exponent)
                    add_images(image, 1, {&second, 1}, false);
            }
        }
    }

private:
    int64_t terms() const { return int64_t(request_.terms.size()); }
    double *largest_of(int64_t image) const { return largest_ + image * terms(); }
    int64_t tiles_of_image() const { return layout_.planes * layout_.tiles_of_plane(); }

    void add_images(int64_t first_image, int64_t images, std::span<const gained_term> passes, bool counting)
    {
        clear(first_image, images, passes);
        waves_.run(
            where_, first_image * tiles_of_image(), (first_image + images) * tiles_of_image(),
            [&](int64_t tile, int worker, tile_result &result) { compute(tile, worker, passes, counting, result); },
            [&](int64_t tile, const tile_result &result) { collect(tile, passes, result); });
    }

    void clear(int64_t first_image, int64_t images, std::span<const gained_term> passes)
    {
        const int64_t first = first_image * layout_.planes;
        const int64_t planes = images * layout_.planes;
        for (const auto &[index, exponent] : passes) {
            const term_sums &to = request_.terms[index];
            pair_sum zero{};
            for (int limb = 0; limb < error_limbs; ++limb)
                zero.exponent[limb] =
                    integers_ ? integer_error_exponent(limb) : error_exponent(to.term, limb, exponent);
            std::fill_n(to.sums + first, planes, zero);
            if (to.extremes != nullptr)
                std::fill_n(to.extremes + first, planes, no_samples);
            for (int64_t image = first_image; image < first_image + images; ++image)
                largest_of(image)[index] = 0.0;
        }
        // If every sample counts, the weight is their number.
        const int64_t samples = source_.channels() / layout_.planes * shape_.pixels();
        std::fill_n(request_.weights + first, planes, plain_ ? int128(samples) << pixel_weight_bits : int128(0));
    }

    void compute(int64_t index, int worker, std::span<const gained_term> passes, bool counting,
                 tile_result &result) const
    {
        result = {};
        for (pair_total &pairs : result.pairs) {
            pairs.least_sample = request_.range.high;
            pairs.most_sample = request_.range.low;
            pairs.reference = no_samples;
        }
        const int64_t column = index % layout_.tiles_of_row * layout_.samples_of_tile;
        const int64_t plane = index / layout_.tiles_of_plane();
        const int64_t first_row = index % layout_.tiles_of_plane() / layout_.tiles_of_row * layout_.rows_of_tile;
        const int64_t end_row = std::min(first_row + layout_.rows_of_tile, layout_.rows);
        for (int64_t row = first_row; row < end_row; ++row) {
            const int64_t line = row / layout_.channels;
            const row_part part = {.image = plane / layout_.planes,
                                   .channel = plane % layout_.planes + row % layout_.channels,
                                   .slice = line / shape_.height,
                                   .row = line % shape_.height,
                                   .column = column,
                                   .count = std::min(layout_.samples_of_tile, layout_.length - column)};
            if (plain_)
                add_run(part, worker, passes, counting, result);
            else
                add_pixels(part, worker, passes, counting, result);
        }
    }

    // The terms of the reference alone may have weights where those of differences need none.
    void add_terms(const sample_run &run, const sample_run &of_reference, std::span<const gained_term> passes,
                   tile_result &result) const
    {
        for (const auto &[index, exponent] : passes) {
            const error_term term = request_.terms[index].term;
            kernels_.sums_of_pairs(term, is_of_reference(term) ? of_reference : run, power_of_two(exponent),
                                   result.pairs[index]);
        }
    }

    // Runs are cut into pieces that stay in the first-level cache between one term, the next and counting, or another
    // way to sum the same samples, which bytes never need.
    void add_run(const row_part &part, int worker, std::span<const gained_term> passes, bool counting,
                 tile_result &result) const
    {
        const auto samples_of = [&](const image_view &view, int64_t step) {
            return view.at(part.image, part.channel, part.slice, part.row, 0) +
                   part.column * step * element_size(view.type);
        };
        const sample_run run = {shape_.type,
                                samples_of(source_.images.reference, layout_.reference_step),
                                samples_of(source_.images.candidate, layout_.candidate_step),
                                part.count,
                                layout_.reference_step,
                                layout_.candidate_step};
        const bool widened = run.type == element_type::float16 || run.type == element_type::bfloat16;
        const bool dense = run.reference_step == 1 && run.candidate_step == 1 && !widened;
        const int64_t size = element_size(run.type);
        const bool read_once = dense && size == 1 && passes.size() == 1 && !counting;
        const int64_t samples_of_a_piece =
            read_once ? run.count : bytes_of_a_piece / (widened ? int64_t(sizeof(float)) : size);
        const int64_t beyond_line = int64_t(reinterpret_cast<uintptr_t>(run.reference) % bytes_of_a_line);
        int64_t count = samples_of_a_piece;
        if (dense && run.count > count && beyond_line != 0)
            count = divide_up(bytes_of_a_line - beyond_line, size); // so that the loads of later pieces split no line
        sample_run piece = run;
        for (int64_t first = 0; first < run.count; first += piece.count, count = samples_of_a_piece) {
            piece.reference = static_cast<const std::byte *>(run.reference) + first * run.reference_step * size;
            piece.candidate = static_cast<const std::byte *>(run.candidate) + first * run.candidate_step * size;
            piece.count = std::min(count, run.count - first);
            const sample_run samples = dense ? piece : gather(piece, widened, worker);
            add_terms(samples, samples, passes, result);
            if (counting && may_have_outside(result.pairs[passes.back().index]))
                kernels_.count_samples(piece, request_.range, result.counts);
        }
    }

    // False if no sample of the tile so far lies outside the range. Integers are cheap to count, and luma does not
    // bound its three samples, so both return true.
    bool may_have_outside(const pair_total &total) const
    {
        return is_integer(shape_.type) || source_.luma != nullptr || total.nonfinite ||
               total.least_sample < request_.range.low || total.most_sample > request_.range.high;
    }

    sample_run gather(const sample_run &piece, bool widened, int worker) const
    {
        std::byte *x = waves_.memory_of(worker);
        std::byte *y = x + bytes_of_a_piece;
        kernels_.gather(piece.type, piece.reference, piece.reference_step, piece.count, x);
        kernels_.gather(piece.type, piece.candidate, piece.candidate_step, piece.count, y);
        return {widened ? element_type::float32 : piece.type, x, y, piece.count, 1, 1};
    }

    // Masked samples are replaced first, so that no later step sees them.
    void add_pixels(row_part part, int worker, std::span<const gained_term> passes, bool counting,
                    tile_result &result) const
    {
        auto &memory = *reinterpret_cast<pixel_memory *>(waves_.memory_of(worker));
        const int64_t end = part.column + part.count;
        for (; part.column < end; part.column += pixels_at_once) {
            part.count = std::min(pixels_at_once, end - part.column);
            pixel_run run = reader_.read(part, memory);
            const weight_survey survey = reader_.survey_weights(run);
            if (survey.any_invalid) {
                result.invalid_weight = true; // the update is refused, and the sums hold for weights only
                return;
            }
            result.weight_units += survey.units;
            const int64_t first = reader_.replace_masked(run, survey, memory);
            if (first == run.count)
                continue;
            sample_run samples = {run.type, run.reference[0], run.candidate[0], run.count, 1, 1};
            if (source_.luma != nullptr) {
                reader_.to_double(run, memory);
                samples.type = element_type::float64;
                samples.reference = memory.reference_double;
                samples.candidate = memory.candidate_double;
            }
            if (survey.any_fractional) {
                samples.weights = run.weights;
                add_terms(samples, samples, passes, result);
            } else {
                sample_run of_reference = samples;
                of_reference.weights = survey.zeros != 0 ? run.weights : nullptr;
                add_terms(samples, of_reference, passes, result);
            }
            if (counting && may_have_outside(result.pairs[passes.back().index]))
                for (int channel = 0; channel < run.channels; ++channel)
                    count(run, channel, first, survey.zeros, result.counts);
        }
    }

    // Without the `masked` samples, which are what the reference has at position `first`.
    void count(const pixel_run &run, int channel, int64_t first, int64_t masked, sample_counts &counts) const
    {
        const std::byte *const x = static_cast<const std::byte *>(run.reference[channel]);
        const std::byte *const other = x + first * element_size(run.type);
        sample_counts one{};
        kernels_.count_samples({run.type, x, run.candidate[channel], run.count, 1, 1}, request_.range, counts);
        kernels_.count_samples({run.type, other, other, 1, 1, 1}, request_.range, one);
        counts.outside -= masked * one.outside;
        counts.nonfinite -= masked * one.nonfinite;
    }

    void collect(int64_t tile, std::span<const gained_term> passes, const tile_result &result)
    {
        const int64_t plane = tile / layout_.tiles_of_plane();
        const int64_t image = plane / layout_.planes;
        invalid_weight_ = invalid_weight_ || result.invalid_weight;
        request_.counts[image].outside += result.counts.outside;
        request_.counts[image].nonfinite += result.counts.nonfinite;
        request_.weights[plane] += result.weight_units;
        for (const auto &[index, exponent] : passes) {
            const pair_total &pairs = result.pairs[index];
            const term_sums &to = request_.terms[index];
            double &largest = largest_of(image)[index];
            largest = std::max(largest, pairs.nonfinite ? HUGE_VAL : pairs.largest);
            for (int limb = 0; limb < error_limbs; ++limb)
                to.sums[plane].limb[limb] += pairs.limb[limb];
            if (to.extremes == nullptr)
                continue;
            sample_extremes &extremes = to.extremes[plane];
            extremes.least = std::min(extremes.least, pairs.reference.least);
            extremes.most = std::max(extremes.most, pairs.reference.most);
        }
    }

    context &where_;
    const cpu_kernels &kernels_;
    const pair_sums_request &request_;
    weighted_images source_;
    const image_view &shape_;
    bool plain_;
    bool integers_; // the terms are integers
    run_layout layout_;
    pixel_reader reader_;
    waves<tile_result> waves_;
    bool invalid_weight_ = false;
    double *largest_ = nullptr; // of each image, of each term: the largest scaled difference, or sample
};

} // namespace

void cpu_sums_of_pairs(context &where, workspace &memory, const pair_sums_request &request)
{
    batch_of_runs(where, memory, request).run();
}

} // namespace iqa
