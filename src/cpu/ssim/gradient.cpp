// SPDX-License-Identifier: MIT
// Derivatives of SSIM: divides the images into tiles, makes the adjoints of the filters, and adds what smaller scales
// give.
#include <algorithm>

#include "arith/window.h"
#include "core/parallel.hpp"
#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"
#include "cpu/ssim/boxes.hpp"

namespace iqa {

namespace {

int64_t row_of_band(int64_t count)
{
    return round_up(count, 32) + 32; // vectors may read beyond the last pixel
}

// For each pixel q of an axis and each window centre p = q - radius ... q + radius, the sum of the taps with which the
// window sees the pixel: [taps][row_of_band(extent)].
template <class Real>
void fill_adjoint(border_mode border, int64_t extent, int taps, const Real *weights, Real *band)
{
    const int radius = taps / 2;
    const int64_t stride = row_of_band(extent);
    const int64_t first = border == border_mode::valid ? radius : 0;
    std::fill_n(band, taps * stride, Real(0));
    for (int64_t p = first; p < extent - first; ++p)
        for (int tap = 0; tap < taps; ++tap) {
            const int64_t q = border_index(border, p + tap - radius, extent);
            if (q >= 0)
                band[(p - q + radius) * stride + q] += weights[tap];
        }
}

// Where a worker's finished rows go.
struct gradient_rows {
    const ssim_gradient_request *request;
    int64_t image, channel, slice, row, column;
    int columns;
};

// What the smaller images' derivatives add to one of the pixel's.
template <class Real>
double share_of_smaller(const shrink_request &smaller, const std::byte *gradient, int64_t box, int times)
{
    const double count = double(smaller.z.factor) * smaller.y.factor * smaller.x.factor;
    const double value = double(reinterpret_cast<const Real *>(gradient)[box]);
    const double weight =
        smaller.shrunk_weights == nullptr ? 1.0 : double(reinterpret_cast<const Real *>(smaller.shrunk_weights)[box]);
    return share_of_derivative(value, times, count, weight);
}

// Stores a row of derivatives of both images (NULL: zeros), with what smaller images add, for each channel of luma.
// `Made`: the type of smaller images, that of the plan's arithmetic.
template <class Real, class Made>
void store_gradient_row(void *receiver, int slice_of_tile, int row_of_tile, const void *reference,
                        const void *candidate)
{
    const gradient_rows &to = *static_cast<const gradient_rows *>(receiver);
    const ssim_gradient_request &request = *to.request;
    const ssim_plan &plan = *request.plan;
    const image_view &shape = request.images.reference;
    const shrink_request *smaller = request.smaller;
    const int64_t slice = to.slice + slice_of_tile;
    const int64_t row = to.row + row_of_tile;
    const box_share none = {-1, 0};
    const box_share z = smaller == nullptr ? none : share_of(smaller->z, slice);
    const box_share y = smaller == nullptr ? none : share_of(smaller->y, row);
    const bool normalised = plan.weighs_means(request.weights);
    const bool of_luma = plan.takes_luma(shape);

    const struct {
        const output_view &out;
        const Real *own;
        const std::byte *smaller;
    } sides[] = {{request.reference, static_cast<const Real *>(reference), smaller ? smaller->reference : nullptr},
                 {request.candidate, static_cast<const Real *>(candidate), smaller ? smaller->candidate : nullptr}};
    if (smaller == nullptr && !of_luma) {
        for (const auto &side : sides)
            if (side.out.data != nullptr)
                for (int i = 0; i < to.columns; ++i)
                    side.out.store(to.image, to.channel, slice, row, to.column + i,
                                   side.own == nullptr ? 0.0 : double(side.own[i]) * plan.scale);
        return;
    }
    for (int i = 0; i < to.columns; ++i) {
        const int64_t column = to.column + i;
        const box_share x = z.box < 0 || y.box < 0 ? none : share_of(smaller->x, column);
        int64_t box = -1;
        double weight = 1.0;
        if (x.box >= 0) {
            const int64_t plane = to.image * plan.channels(shape) + to.channel;
            box = ((plane * smaller->z.boxes() + z.box) * smaller->y.boxes() + y.box) * smaller->x.boxes() + x.box;
            weight = normalised ? weight_at(request.weights, to.image, to.channel, slice, row, column) : 1.0;
        }
        for (const auto &side : sides) {
            if (side.out.data == nullptr)
                continue;
            double value = side.own == nullptr ? 0.0 : double(side.own[i]);
            if (box >= 0)
                value += weight * share_of_smaller<Made>(*smaller, side.smaller, box, z.times * y.times * x.times);
            value *= plan.scale;
            if (of_luma) {
                const luma_weights &luma = plan.luma->weights;
                const double parts[3] = {luma.red, luma.green, luma.blue};
                for (int channel = 0; channel < 3; ++channel)
                    side.out.store(to.image, channel, slice, row, column, value * parts[channel]);
            } else {
                side.out.store(to.image, to.channel, slice, row, column, value);
            }
        }
    }
}

// All tiles in the arithmetic of `Real`, or those whose spread was too much for the plan's, which is that of `Made`.
template <class Real, class Made>
class batch_of_gradients {
public:
    batch_of_gradients(context &where, const ssim_gradient_request &request)
        : kernels_(kernels_for(where)),
          request_(request),
          plan_(*request.plan),
          shape_(request.images.reference),
          channels_(plan_.channels(shape_)),
          tile_depth_(plan_.taps_z == 1 ? 1 : ssim_gradient_depth),
          tile_height_(plan_.taps_z == 1 ? ssim_tile_height : ssim_box_height),
          deep_(divide_up(shape_.depth, tile_depth_)),
          down_(divide_up(shape_.height, tile_height_)),
          across_(divide_up(shape_.width, ssim_tile_width)),
          total_(shape_.images * channels_ * deep_ * down_ * across_)
    {
        workers_ = workers_for(where, total_, 4 * shape_.images * channels_ * shape_.pixels());
        const int64_t rows = std::min<int64_t>(shape_.height, tile_height_);
        const int64_t columns = std::min<int64_t>(shape_.width, ssim_tile_width);
        worker_size_ = size_t(ssim_gradient_memory(rows, columns, plan_.taps_z, plan_.taps_y, plan_.taps_x).total()) *
                       sizeof(Real);
        bands_[0] = plan_.taps_z * row_of_band(shape_.depth);
        bands_[1] = plan_.taps_y * row_of_band(shape_.height);
        bands_[2] = plan_.taps_x * row_of_band(shape_.width);
    }

    int64_t tiles() const { return total_; }
    size_t bytes() const { return bytes_of_taps(plan_) + bytes_of_bands() + size_t(workers_) * worker_size_; }

    // `spread` [tiles]: where the spread of a tile was too much for its arithmetic; `again`: only those tiles.
    void run(context &where, std::byte *block, bool *spread, bool again)
    {
        place(block);
        for_each_tile(where, workers_, total_, [&](int64_t tile, int worker) {
            if (!again || spread[tile])
                spread[tile] = !compute(tile, worker);
        });
    }

private:
    size_t bytes_of_bands() const { return size_t(bands_[0] + bands_[1] + bands_[2]) * sizeof(Real); }

    void place(std::byte *block)
    {
        const size_t taps = bytes_of_taps(plan_);
        taps_ = place_taps<Real>(plan_, block);
        adjoint_[0] = reinterpret_cast<Real *>(block + taps);
        adjoint_[1] = adjoint_[0] + bands_[0];
        adjoint_[2] = adjoint_[1] + bands_[1];
        worker_memory_ = block + taps + bytes_of_bands();
        fill_adjoint(plan_.border, shape_.depth, plan_.taps_z, static_cast<const Real *>(taps_.z), adjoint_[0]);
        fill_adjoint(plan_.border, shape_.height, plan_.taps_y, static_cast<const Real *>(taps_.y), adjoint_[1]);
        fill_adjoint(plan_.border, shape_.width, plan_.taps_x, static_cast<const Real *>(taps_.x), adjoint_[2]);
    }

    bool compute(int64_t index, int worker) const
    {
        const int64_t column = index % across_ * ssim_tile_width;
        index /= across_;
        const int64_t row = index % down_ * tile_height_;
        index /= down_;
        const int64_t slice = index % deep_ * tile_depth_;
        index /= deep_;
        const int64_t image = index / channels_;
        const int64_t channel = index % channels_;
        const int columns = int(std::min<int64_t>(ssim_tile_width, shape_.width - column));
        const int rows = int(std::min<int64_t>(tile_height_, shape_.height - row));
        const int slices = int(std::min<int64_t>(tile_depth_, shape_.depth - slice));
        gradient_rows to = {&request_, image, channel, slice, row, column, columns};
        const double factor = request_.factors == nullptr ? 0.0 : request_.factors[image * channels_ + channel];
        if (factor == 0.0) { // nothing of its own: what smaller images add, or zeros
            for (int z = 0; z < slices; ++z)
                for (int y = 0; y < rows; ++y)
                    store_gradient_row<Real, Made>(&to, z, y, nullptr, nullptr);
            return true;
        }

        ssim_gradient_tile tile{};
        ssim_box &box = tile.box;
        box.source = source_of(plan_, request_.images, request_.weights, image, channel);
        box.border = plan_.border;
        box.z = {slice, slices, plan_.taps_z, taps_.z};
        box.y = {row, rows, plan_.taps_y, taps_.y};
        box.x = {column, columns, plan_.taps_x, taps_.x};
        box.twice_c1 = plan_.twice_c1;
        box.twice_c2 = plan_.twice_c2;
        box.covariance = plan_.covariance;
        box.convolution = plan_.weighs_means(request_.weights);
        box.negative_to_zero = plan_.negative_to_zero;
        tile.product = plan_.wanted[ssim_product];
        const int64_t extents[3] = {shape_.depth, shape_.height, shape_.width};
        const int taps[3] = {plan_.taps_z, plan_.taps_y, plan_.taps_x};
        const int64_t firsts[3] = {slice, row, column};
        for (int axis = 0; axis < 3; ++axis) {
            const int64_t margin = plan_.border == border_mode::valid ? taps[axis] / 2 : 0;
            tile.map_first[axis] = margin;
            tile.map_end[axis] = extents[axis] - margin;
            tile.adjoint[axis] = adjoint_[axis] + firsts[axis];
            tile.adjoint_stride[axis] = row_of_band(extents[axis]);
        }
        tile.factor = factor;
        tile.coverage = plan_.coverage;
        tile.memory = worker_memory_ + size_t(worker) * worker_size_;
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
    int64_t tile_depth_, tile_height_;
    int64_t deep_, down_, across_;
    int64_t total_;
    int workers_ = 1;
    size_t worker_size_ = 0;
    int64_t bands_[3]{}; // items of each axis' adjoint
    box_taps taps_{};
    Real *adjoint_[3]{};
    std::byte *worker_memory_ = nullptr;
};

} // namespace

void cpu_ssim_gradient(context &where, workspace &memory, const ssim_gradient_request &request)
{
    const auto take = [&](size_t bytes) {
        return memory.work.take<std::byte>(bytes, "the tiles of SSIM gradients");
    };
    if (request.plan->double_arithmetic) {
        batch_of_gradients<double, double> batch(where, request);
        const size_t flags = size_t(round_up(batch.tiles(), 64));
        std::byte *block = take(flags + batch.bytes());
        return batch.run(where, block + flags, reinterpret_cast<bool *>(block), false);
    }
    batch_of_gradients<float, float> batch(where, request);
    batch_of_gradients<double, float> careful(where, request);
    const size_t flags = size_t(round_up(batch.tiles(), 64));
    std::byte *block = take(flags + std::max(batch.bytes(), careful.bytes()));
    bool *const spread = reinterpret_cast<bool *>(block);
    batch.run(where, block + flags, spread, false);
    if (std::find(spread, spread + batch.tiles(), true) != spread + batch.tiles())
        careful.run(where, block + flags, spread, true);
}

} // namespace iqa
