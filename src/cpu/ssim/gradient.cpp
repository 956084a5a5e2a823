// SPDX-License-Identifier: MIT
// Derivatives of SSIM: divides the images into tiles, makes the adjoints of the filters, and adds the derivatives by
// smaller levels.
#include <algorithm>

#include "arith/window.h"
#include "core/parallel.hpp"
#include "core/waves.hpp"
#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"
#include "cpu/ssim/boxes.hpp"
#include "cpu/ssim/rows.hpp"

namespace iqa {

namespace {

int64_t row_of_band(int64_t count)
{
    return round_up(count, 32) + 32; // vectors may read beyond the last pixel
}

// For each pixel q of an axis and each window centre p = q - radius ... q + radius, the sum of the taps that read q:
// [taps][row_of_band(extent)].
template <class Real>
void fill_adjoint(border_mode border, int64_t extent, int taps, const Real *filter, Real *band)
{
    const int radius = taps / 2;
    const int64_t stride = row_of_band(extent);
    const int64_t first = map_margin(border, taps);
    std::fill_n(band, taps * stride, Real(0));
    for (int64_t p = first; p < extent - first; ++p)
        for (int tap = 0; tap < taps; ++tap) {
            const int64_t q = border_index(border, p + tap - radius, extent);
            if (q >= 0)
                band[(p - q + radius) * stride + q] += filter[tap];
        }
}

// Values of a request, which are added up beside the derivatives.
struct sums_beside {
    ssim_request *request;
    doubt_total *doubts; // [images][channels]
    const double *slope; // the factor of all derivatives; NULL: not known yet, so that those of sums are stored

    void add(const tile_grid::place &at, const ssim_tile_value &value) const
    {
        const ssim_plan &plan = *request->plan;
        const int64_t plane = at.image * plan.channels(request->images.reference) + at.plane;
        const int64_t sum = request->by_channel ? plane : at.image;
        request->sums[sum * ssim_factors + (plan.wanted[ssim_product] ? ssim_product : ssim_contrast_structure)] +=
            value.sum * (int64_t(1) << (ssim_double_bits - ssim_float_bits));
        if (plan.weighs(request->weights))
            request->weight[sum] += value.weight;
        request->not_a_number[at.image] = request->not_a_number[at.image] || value.not_a_number;
        doubts[plane].add(value.doubt);
    }
};

// The destination of a tile's finished rows.
struct gradient_rows {
    const ssim_gradient_request *request;
    int64_t image, channel, slice, row, column;
    int columns;
    double gain;
};

// The first pixel of the smaller image's row that has shares of this one.
int64_t first_box_of_row(const gradient_rows &to, const box_share &z, const box_share &y)
{
    const shrink_request &smaller = *to.request->smaller;
    const int64_t plane = to.image * to.request->plan->channels(to.request->images.reference) + to.channel;
    return ((plane * smaller.z.boxes() + z.box) * smaller.y.boxes() + y.box) * smaller.x.boxes();
}

// The weights that a row's pixels have in the means of boxes.
template <class Made>
void read_weights(const gradient_rows &to, int64_t slice, int64_t row, Made *weights)
{
    const ssim_gradient_request &request = *to.request;
    const weight_view &view = request.weights;
    std::fill_n(weights, to.columns, Made(1));
    if (view.data != nullptr)
        with_weight_type(static_cast<weight_type>(view.dtype), [&]<class Weight>(Weight) {
            const Weight *const from =
                reinterpret_cast<const Weight *>(view.data) + view.index(to.image, to.channel, slice, row, to.column);
            for (int i = 0; i < to.columns; ++i)
                weights[i] = Made(weight_of_element(from[i * view.column_stride]));
        });
    if (!request.plan->mask_nonfinite)
        return;
    const int channels = request.plan->takes_luma(request.images.reference) ? 3 : 1;
    for (const image_view *side : {&request.images.reference, &request.images.candidate})
        for (int channel = 0; channel < channels; ++channel)
            with_sample_type(side->type, [&]<class Sample>(Sample) {
                const std::byte *const first = side->at(to.image, to.channel + channel, slice, row, to.column);
                for (int i = 0; i < to.columns; ++i)
                    if (!is_finite(widen(reinterpret_cast<const Sample *>(first)[i * side->column_stride])))
                        weights[i] = Made(0);
            });
}

// Adds the shares of smaller images to the derivatives of a row's pixels, whose weights are in `weights_of_pixels`
// (NULL: all count alike). `Made`: the type of smaller images, that of the plan's arithmetic.
template <class Made>
void add_shares(const gradient_rows &to, int64_t slice, int64_t row, const Made *weights_of_pixels,
                const std::byte *smaller_gradient, double *derivatives)
{
    const shrink_request &smaller = *to.request->smaller;
    const shrink_axis &axis = smaller.x;
    const box_share z = share_of(smaller.z, slice);
    const box_share y = share_of(smaller.y, row);
    if (z.box < 0 || y.box < 0)
        return;
    const int64_t first_box = first_box_of_row(to, z, y);
    const Made *gradient = reinterpret_cast<const Made *>(smaller_gradient) + first_box;
    const bool weighted = weights_of_pixels != nullptr;
    const Made *weights = weighted ? reinterpret_cast<const Made *>(smaller.weights_of_means()) + first_box : nullptr;
    const double count = smaller.pixels_of_box();
    const auto share_of_box = [&](int64_t box, int times) {
        return share_of_derivative(double(gradient[box]), z.times * y.times * times, count,
                                   weighted ? double(weights[box]) : 1.0);
    };
    const auto weigh = [&](int pixel, double share) {
        return weighted ? double(weights_of_pixels[pixel]) * share : share;
    };
    const int64_t boxes = axis.boxes();
    const double scale = share_of_derivative(1.0, z.times * y.times, count, 1.0); // a multiple of a power of two
    int i = 0;
    for (int64_t box = (to.column - axis.first()) / axis.factor; box < boxes && i < to.columns; ++box) {
        const int64_t first = axis.first() + box * axis.factor;
        const bool inside = first >= 0 && first + axis.factor <= axis.extent; // each pixel is in the box once
        if (inside && axis.factor == 2 && first == to.column + i) {
            // The usual boxes, as far as they lie inside.
            const int64_t end = std::min(to.column + to.columns, axis.extent);
            const int whole = int(std::min(boxes - box, (end - first) / 2));
            const auto add = [&](auto &&share_of_pair) {
                for (int k = 0; k < whole; ++k) {
                    const double share = share_of_pair(box + k);
                    derivatives[i + 2 * k] += weigh(i + 2 * k, share);
                    derivatives[i + 2 * k + 1] += weigh(i + 2 * k + 1, share);
                }
            };
            if (weighted)
                add([&](int64_t pair) { return share_of_box(pair, 1); });
            else
                add([&](int64_t pair) { return double(gradient[pair]) * scale; });
            if (whole > 0) {
                i += 2 * whole;
                box += whole - 1;
                continue;
            }
        }
        double share = share_of_box(box, 1);
        for (const int64_t end = std::min<int64_t>(first + axis.factor - to.column, to.columns); i < end; ++i) {
            if (!inside)
                share = share_of_box(box, share_of(axis, to.column + i).times);
            derivatives[i] += weigh(i, share);
        }
    }
}

// Stores a row of derivatives of both images (NULL: zeros), with the shares of smaller images, for each channel of
// luma.
template <class Real, class Made>
void store_gradient_row(void *receiver, int slice_of_tile, int row_of_tile, const void *reference,
                        const void *candidate)
{
    const gradient_rows &to = *static_cast<const gradient_rows *>(receiver);
    const ssim_gradient_request &request = *to.request;
    const ssim_plan &plan = *request.plan;
    const shrink_request *smaller = request.smaller;
    const int64_t slice = to.slice + slice_of_tile;
    const int64_t row = to.row + row_of_tile;
    const bool of_luma = plan.takes_luma(request.images.reference);
    const bool weighted = smaller != nullptr && smaller->weights_of_means() != nullptr;
    Made weights_of_pixels[ssim_tile_width];
    if (weighted)
        read_weights(to, slice, row, weights_of_pixels);

    const struct {
        const output_view &out;
        const Real *derivatives;
        const std::byte *smaller;
    } sides[] = {{request.reference, static_cast<const Real *>(reference), smaller ? smaller->reference : nullptr},
                 {request.candidate, static_cast<const Real *>(candidate), smaller ? smaller->candidate : nullptr}};
    for (const auto &side : sides) {
        if (side.out.data == nullptr)
            continue;
        const auto store = [&](int64_t channel, const auto *values, double factor) {
            store_row(side.out, to.image, channel, slice, row, to.column, values, 1, to.columns, factor);
        };
        if (smaller == nullptr && !of_luma && side.derivatives != nullptr) {
            store(to.channel, side.derivatives, to.gain);
            continue;
        }
        double values[ssim_tile_width] = {};
        if (side.derivatives != nullptr)
            std::copy_n(side.derivatives, to.columns, values);
        if (smaller != nullptr)
            add_shares<Made>(to, slice, row, weighted ? weights_of_pixels : nullptr, side.smaller, values);
        if (!of_luma) {
            store(to.channel, values, to.gain);
            continue;
        }
        const luma_factors &luma = plan.luma->weights;
        const double weights[3] = {luma.red, luma.green, luma.blue};
        for (double &value : values)
            value *= to.gain;
        for (int channel = 0; channel < 3; ++channel)
            store(channel, values, weights[channel]);
    }
}

// Finishes derivatives of sums, which the outputs of a request hold, in float.
class batch_of_sums {
public:
    batch_of_sums(context &where, const ssim_gradient_request &request)
        : where_(where), kernels_(kernels_for(where)), request_(request), shape_(request.images.reference)
    {
    }

    void run()
    {
        constexpr int64_t rows_of_a_tile = 16;
        const int64_t rows = shape_.depth * shape_.height;
        const int64_t tiles_of_image = divide_up(rows, rows_of_a_tile);
        const int64_t tiles = shape_.images * tiles_of_image;
        const int workers = workers_for(where_, tiles, 2 * shape_.images * shape_.channels * shape_.pixels());
        for_each_tile(where_, workers, tiles, [&](int64_t tile, int) {
            const int64_t image = tile / tiles_of_image;
            const int64_t first = tile % tiles_of_image * rows_of_a_tile;
            for (int64_t row = first; row < std::min(first + rows_of_a_tile, rows); ++row)
                for (int64_t channel = 0; channel < shape_.channels; ++channel)
                    finish_row({&request_, image, channel, row / shape_.height, row % shape_.height, 0, 0,
                                request_.plan->gain});
        });
    }

private:
    void finish_row(gradient_rows to) const
    {
        const double factor = request_.factors[to.image * shape_.channels + to.channel];
        to.column = factor == 0.0 ? 0 : finish_at_once(to, factor);
        for (; to.column < shape_.width; to.column += to.columns) {
            to.columns = int(std::min<int64_t>(shape_.width - to.column, ssim_tile_width));
            if (factor == 0.0) {
                store_gradient_row<float, float>(&to, 0, 0, nullptr, nullptr);
                continue;
            }
            float derivatives[2][ssim_tile_width];
            multiply(request_.reference, to, factor, derivatives[0]);
            multiply(request_.candidate, to, factor, derivatives[1]);
            store_gradient_row<float, float>(&to, 0, 0, derivatives[0], derivatives[1]);
        }
    }

    // Finishes pixels from the first one on, and returns their number: none where shares are not those of pairs.
    int64_t finish_at_once(const gradient_rows &at, double factor) const
    {
        const shrink_request *const smaller = request_.smaller;
        derivatives_of_sum run = {.data = nullptr,
                                  .is_double = false,
                                  .step = 1,
                                  .count = shape_.width,
                                  .shares = nullptr,
                                  .factor = float(factor),
                                  .scale = 0.0,
                                  .gain = at.gain};
        int64_t first_box = 0;
        if (smaller != nullptr) {
            const box_share z = share_of(smaller->z, at.slice);
            const box_share y = share_of(smaller->y, at.row);
            const shrink_axis &x = smaller->x;
            if (z.box < 0 || y.box < 0 || x.factor != 2 || x.first() != 0 || smaller->weights_of_means() != nullptr)
                return 0;
            first_box = first_box_of_row(at, z, y);
            run.count = 2 * std::min(x.boxes(), shape_.width / 2);
            run.scale = share_of_derivative(1.0, z.times * y.times, smaller->pixels_of_box(), 1.0);
        }
        const auto finish = [&](const output_view &out, const std::byte *shares) {
            if (out.data == nullptr)
                return;
            run.data = out.at(at.image, at.channel, at.slice, at.row, 0);
            run.is_double = out.is_double;
            run.step = out.column_stride;
            run.shares = shares == nullptr ? nullptr : reinterpret_cast<const float *>(shares) + first_box;
            kernels_.finish_derivatives(run);
        };
        finish(request_.reference, smaller == nullptr ? nullptr : smaller->reference);
        finish(request_.candidate, smaller == nullptr ? nullptr : smaller->candidate);
        return run.count;
    }

    static void multiply(const output_view &out, const gradient_rows &at, double factor, float *derivatives)
    {
        if (out.data == nullptr)
            return;
        const auto multiply_by = [&]<class Held>(const Held *held) {
            for (int i = 0; i < at.columns; ++i)
                derivatives[i] = float(held[i * out.column_stride]) * float(factor);
        };
        const std::byte *const first = out.at(at.image, at.channel, at.slice, at.row, at.column);
        if (out.is_double)
            multiply_by(reinterpret_cast<const double *>(first));
        else
            multiply_by(reinterpret_cast<const float *>(first));
    }

    context &where_;
    const cpu_kernels &kernels_;
    const ssim_gradient_request &request_;
    const image_view &shape_;
};

// All tiles in the arithmetic of `Real`, or the tiles whose spread is too large for the plan's, which is that of
// `Made`.
template <class Real, class Made>
class batch_of_gradients {
public:
    batch_of_gradients(context &where, const ssim_gradient_request &request)
        : kernels_(kernels_for(where)),
          request_(request),
          plan_(*request.plan),
          shape_(request.images.reference),
          channels_(plan_.channels(shape_)),
          grid_{.planes = channels_,
                .depth = shape_.depth,
                .height = shape_.height,
                .width = shape_.width,
                .tile_depth = plan_.size_z == 1 ? 1 : ssim_box_depth,
                .tile_height = plan_.size_z == 1 ? int(ssim_tile_height) : int(ssim_box_height),
                .tile_width = ssim_tile_width,
                .planes_together = shape_.column_stride != 1},
          waves_(where, tiles(), 4 * shape_.images * channels_ * shape_.pixels()),
          items_of_worker_(ssim_gradient_memory(std::min(grid_.height, grid_.tile_height),
                                                std::min(grid_.width, grid_.tile_width), plan_.size_z, plan_.size_y,
                                                plan_.size_x)
                               .total())
    {
    }

    int64_t tiles() const { return shape_.images * grid_.tiles_of_image(); }
    size_t bytes()
    {
        return size_of([&](arena &memory) { place(memory); });
    }

    // `spread` [tiles]: set if the spread of a tile is too large for the arithmetic. `again`: only tiles so marked.
    // `sums`: see sums_beside; NULL: the factors are the request's.
    void run(context &where, std::byte *block, bool *spread, bool again, const sums_beside *sums)
    {
        arena memory(block);
        place(memory);
        fill_adjoint(plan_.border, shape_.depth, plan_.size_z, static_cast<const Real *>(taps_.z), adjoint_[0]);
        fill_adjoint(plan_.border, shape_.height, plan_.size_y, static_cast<const Real *>(taps_.y), adjoint_[1]);
        fill_adjoint(plan_.border, shape_.width, plan_.size_x, static_cast<const Real *>(taps_.x), adjoint_[2]);
        waves_.run(
            where, 0, tiles(),
            [&](int64_t tile, int worker, ssim_tile_value &value) {
                value = {};
                if (!again || spread[tile])
                    spread[tile] = !compute(grid_.at(tile), worker, sums, value);
            },
            [&](int64_t tile, const ssim_tile_value &value) {
                if (sums != nullptr)
                    sums->add(grid_.at(tile), value);
            });
    }

private:
    void place(arena &memory)
    {
        taps_ = place_taps<Real>(plan_, memory);
        adjoint_[0] = memory.take<Real>(plan_.size_z * row_of_band(shape_.depth));
        adjoint_[1] = memory.take<Real>(plan_.size_y * row_of_band(shape_.height));
        adjoint_[2] = memory.take<Real>(plan_.size_x * row_of_band(shape_.width));
        waves_.place(memory, size_t(items_of_worker_) * sizeof(Real));
    }

    bool compute(const tile_grid::place &at, int worker, const sums_beside *sums, ssim_tile_value &value) const
    {
        const auto [image, channel, slice, row, column, slices, rows, columns] = at;
        const bool stores_sums = sums != nullptr && sums->slope == nullptr;
        gradient_rows to = {&request_, image, channel, slice, row, column, columns, stores_sums ? 1.0 : plan_.gain};
        const double factor = stores_sums                   ? 1.0
                              : sums != nullptr             ? *sums->slope
                              : request_.factors == nullptr ? 0.0
                                                            : request_.factors[image * channels_ + channel];
        if (factor == 0.0) { // only shares of smaller images, or zeros
            for (int z = 0; z < slices; ++z)
                for (int y = 0; y < rows; ++y)
                    store_gradient_row<Real, Made>(&to, z, y, nullptr, nullptr);
            return true;
        }

        ssim_gradient_tile tile{};
        ssim_box &box = tile.box;
        box.source = source_of(plan_, request_.images, request_.weights, image, channel);
        box.border = plan_.border;
        box.z = {slice, slices, plan_.size_z, taps_.z};
        box.y = {row, rows, plan_.size_y, taps_.y};
        box.x = {column, columns, plan_.size_x, taps_.x};
        box.twice_c1 = plan_.twice_c1;
        box.twice_c2 = plan_.twice_c2;
        box.covariance = plan_.covariance;
        box.convolution = plan_.weighs_means(request_.weights);
        box.negative_to_zero = plan_.negative_to_zero;
        tile.product = plan_.wanted[ssim_product];
        const int64_t extents[3] = {shape_.depth, shape_.height, shape_.width};
        const int taps[3] = {plan_.size_z, plan_.size_y, plan_.size_x};
        const int64_t firsts[3] = {slice, row, column};
        for (int axis = 0; axis < 3; ++axis) {
            const int64_t margin = map_margin(plan_.border, taps[axis]);
            tile.map_first[axis] = margin;
            tile.map_end[axis] = extents[axis] - margin;
            tile.adjoint[axis] = adjoint_[axis] + firsts[axis];
            tile.adjoint_stride[axis] = row_of_band(extents[axis]);
        }
        tile.factor = factor;
        tile.coverage = plan_.coverage;
        tile.value = sums == nullptr ? nullptr : &value;
        tile.memory = waves_.memory_of(worker);
        tile.store_row = store_gradient_row<Real, Made>;
        tile.receiver = &to;
        if constexpr (sizeof(Real) == sizeof(double))
            return kernels_.ssim_gradient_double(tile);
        else
            return kernels_.ssim_gradient_float(tile);
    }

    const cpu_kernels &kernels_;
    const ssim_gradient_request &request_;
    const ssim_plan &plan_;
    const image_view &shape_;
    int64_t channels_;
    tile_grid grid_;
    waves<ssim_tile_value> waves_;
    int64_t items_of_worker_;
    box_taps taps_{};
    Real *adjoint_[3]{};
};

// All derivatives of a request in float, and then in double where that does not carry.
class gradient_passes {
public:
    gradient_passes(context &where, const ssim_gradient_request &request)
        : in_float_(where, request), in_double_(where, request)
    {
    }

    int64_t tiles() const { return in_float_.tiles(); }
    void place(arena &memory)
    {
        spread_ = memory.take<bool>(tiles());
        block_ = memory.take<std::byte>(int64_t(std::max(in_float_.bytes(), in_double_.bytes())));
    }
    // False if a tile has to be computed in double.
    bool run_in_float(context &where, const sums_beside *sums)
    {
        in_float_.run(where, block_, spread_, false, sums);
        return std::find(spread_, spread_ + tiles(), true) == spread_ + tiles();
    }
    void run_in_double(context &where, const sums_beside *sums) { in_double_.run(where, block_, spread_, true, sums); }

private:
    batch_of_gradients<float, float> in_float_;
    batch_of_gradients<double, float> in_double_;
    bool *spread_ = nullptr;
    std::byte *block_ = nullptr;
};

constexpr const char *purpose = "the tiles of SSIM gradients";

} // namespace

void cpu_ssim_gradient(context &where, workspace &memory, const ssim_gradient_request &request)
{
    if (request.holds_sums)
        return batch_of_sums(where, request).run();
    if (!request.plan->double_arithmetic) {
        gradient_passes passes(where, request);
        place_in(memory.work, purpose, [&](arena &work) { passes.place(work); });
        if (!passes.run_in_float(where, nullptr))
            passes.run_in_double(where, nullptr);
        return;
    }
    batch_of_gradients<double, double> batch(where, request);
    bool *spread = nullptr;
    std::byte *block = nullptr;
    place_in(memory.work, purpose, [&](arena &work) {
        spread = work.take<bool>(batch.tiles());
        block = work.take<std::byte>(int64_t(batch.bytes()));
    });
    batch.run(where, block, spread, false, nullptr);
}

// The window means around a tile of pixels contain those of the map's tile beside it, so that a pass of its own is left
// out. What float does not carry is measured in that pass after all.
bool cpu_ssim_and_gradient(context &where, workspace &memory, ssim_request &request, ssim_gradient_request gradient,
                           const double *slope)
{
    const ssim_plan &plan = *request.plan;
    const image_view &shape = request.images.reference;
    const bool safe = is_safe_product(plan.twice_c1, plan.twice_c2);
    if (!has_one_factor(plan) || plan.double_arithmetic || !safe || request.map.data != nullptr)
        return false;
    if (slope == nullptr && plan.takes_luma(shape))
        return false; // outputs of three channels do not hold its sums
    const int64_t images = shape.images;
    if (request.counts != nullptr) {
        count_request counting{request.images, request.weights, plan.range, plan.mask_nonfinite, request.counts, {}};
        cpu_count(where, counting);
        if (std::any_of(request.counts, request.counts + images,
                        [](const sample_counts &counts) { return counts.nonfinite != 0; }))
            return false;
    }
    const int64_t planes = images * plan.channels(shape);
    const int64_t sums_kept = request.by_channel ? planes : images;
    const bool weighing = plan.weighs(request.weights);
    gradient_passes passes(where, gradient);
    sums_beside sums{&request, nullptr, slope};
    place_in(memory.work, purpose, [&](arena &work) {
        passes.place(work);
        sums.doubts = work.take<doubt_total>(planes);
    });
    std::fill_n(request.sums, sums_kept * ssim_factors, 0);
    if (weighing)
        std::fill_n(request.weight, sums_kept, 0);
    std::fill_n(request.not_a_number, images, false);
    std::fill_n(sums.doubts, planes, doubt_total{});
    const bool carried = passes.run_in_float(where, &sums);
    if (!carried && slope == nullptr)
        return false; // outputs of float might not hold sums from double
    const bool is_sure = carried && std::none_of(sums.doubts, sums.doubts + planes, [=](const doubt_total &plane) {
                             return plane.too_much_for_plane(weighing);
                         });
    if (!carried)
        passes.run_in_double(where, &sums);
    if (!is_sure)
        cpu_ssim(where, memory, request);
    return true;
}

} // namespace iqa
