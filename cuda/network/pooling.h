// SPDX-License-Identifier: MIT
// Pools, and the margins of maps, on a GPU. A thread follows the window of some neighbouring channels in the order of
// arith/network.h.
#pragma once

#include "arith/network.h"
#include "backend/network.hpp"
#include "cuda/machine/block.h"

namespace iqa::cuda {

// Zeros around each map. A block takes a row of a picture.
struct clear_map_margin {
    struct arguments {
        feature_map map;
    };
    static constexpr int threads = 128;

    IQA_HD_MEMBER static int64_t rows(const feature_map &map) { return map.height + 2 * int64_t(map.margin); }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const feature_map &map = args.map;
        const int64_t row = block.index() % rows(map) - map.margin;
        float *const from = map.at(block.index() / rows(map), row, -map.margin);
        const int side = map.margin * int(map.pixel_stride);
        const int inner = map.width * int(map.pixel_stride);
        const bool outside = row < 0 || row >= map.height;
        block.each(outside ? 2 * side + inner : 2 * side,
                   [&](int i) { from[outside || i < side ? i : i + inner] = 0.0f; });
    }
};

// What a pool keeps of the samples that it has met.
struct largest_sample {
    float largest;

    IQA_HD_MEMBER void begin(float first) { largest = first; }
    IQA_HD_MEMBER void add(float sample) { largest = larger_sample(largest, sample); }
    IQA_HD_MEMBER float result(double) const { return largest; }
};
struct mean_of_samples {
    double sum;

    IQA_HD_MEMBER void begin(float) { sum = 0.0; }
    IQA_HD_MEMBER void add(float sample) { sum += double(sample); }
    IQA_HD_MEMBER float result(double samples) const { return float(sum / samples); }
};

// `Channels`: how many a thread takes; the map's are a multiple of it.
template <class Total, int Channels>
struct pool {
    struct arguments {
        network_step step;
        uint32_t work; // threads in all: pixels of all pictures times shares of the channels
    };
    static constexpr int threads = 256;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const auto first = uint32_t(block.index()) * threads;
        const uint32_t left = args.work - first;
        block.each(int(left < threads ? left : threads), [&](int i) { follow(args.step, first + uint32_t(i)); });
    }

private:
    struct alignas(Channels * sizeof(float)) samples {
        float values[Channels];
    };

    IQA_KERNEL static void follow(const network_step &step, uint32_t number)
    {
        const feature_map &from = step.from;
        const feature_map &to = step.to;
        const window &reach = step.reach;
        const uint32_t shares = uint32_t(to.channels) / Channels;
        const int channel = int(number % shares) * Channels;
        const uint32_t pixel = number / shares;
        const int column = int(pixel % uint32_t(to.width));
        const int row = int(pixel / uint32_t(to.width) % uint32_t(to.height));
        const int picture = int(pixel / uint32_t(to.width) / uint32_t(to.height));
        const int above = row * reach.step - reach.above;
        const int left = column * reach.step - reach.left;
        const int rows = int(samples_inside(above, reach.rows, from.height));
        const int columns = int(samples_inside(left, reach.columns, from.width));
        const float *const first = from.at(picture, above > 0 ? above : 0, left > 0 ? left : 0) + channel;
        Total totals[Channels];
        IQA_UNROLL_ON_GPU
        for (int c = 0; c < Channels; ++c)
            totals[c].begin(first[c]);
        for (int r = 0; r < rows; ++r)
            for (int s = 0; s < columns; ++s) {
                const samples next =
                    *reinterpret_cast<const samples *>(first + r * from.row_stride + s * from.pixel_stride);
                IQA_UNROLL_ON_GPU
                for (int c = 0; c < Channels; ++c)
                    totals[c].add(next.values[c]);
            }
        samples result;
        IQA_UNROLL_ON_GPU
        for (int c = 0; c < Channels; ++c)
            result.values[c] = totals[c].result(double(rows) * columns);
        *reinterpret_cast<samples *>(to.at(picture, row, column) + channel) = result;
    }
};

} // namespace iqa::cuda
