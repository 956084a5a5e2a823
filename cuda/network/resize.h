// SPDX-License-Identifier: MIT
// Pictures at a network's size, in the order of arith/resize.h, on a GPU: the weights of both axes, then rows, then
// columns. A thread computes a sample as one chain.
#pragma once

#include "arith/resize.h"
#include "backend/network.hpp"
#include "cuda/images/samples.h"
#include "cuda/machine/block.h"

namespace iqa::cuda {

// One axis of all pictures: the weights and input samples of each output sample.
struct resized_axis {
    int64_t source, target;
    double *weights; // [target][most_taps]
    resize_taps *taps;
    int64_t most_taps;
};

struct fill_axes {
    struct arguments {
        resize_rule rule;
        resized_axis axes[2];
    };
    static constexpr int threads = 64;
    static constexpr int least_resident = 8; // nothing is spilled

    IQA_HD_MEMBER static int64_t blocks(const resized_axis &axis) { return divide_up(axis.target, threads); }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t of_first = blocks(args.axes[0]);
        const resized_axis &axis = args.axes[block.index() < of_first ? 0 : 1];
        const int64_t first = (block.index() < of_first ? block.index() : block.index() - of_first) * threads;
        const int64_t left = axis.target - first;
        block.each(int(left < threads ? left : threads), [&](int i) {
            axis.taps[first + i] = resize_weights(args.rule, axis.source, axis.target, first + i,
                                                  axis.weights + (first + i) * axis.most_taps);
        });
    }
};

// Some pictures, and what is between both axes.
struct pictures_to_resize {
    image_view pictures;
    data_range range;
    resize_rule rule;
    resized_axis down, across;
    double *rows; // [pictures][height][input's width][channels]
    feature_map input;
    int64_t first;            // the number of the first picture in its group
    uint64_t *faulty_picture; // complement of the first one's number; 0: none

    IQA_HD_MEMBER int64_t row_samples() const { return across.target * pictures.channels; }
};

// A block takes a row of a picture.
struct resize_rows {
    using arguments = pictures_to_resize;
    static constexpr int threads = 256;
    static constexpr int least_resident = 4; // nothing is spilled

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const image_view &pictures = args.pictures;
        const int64_t picture = block.index() / pictures.height;
        const int64_t row = block.index() % pictures.height;
        double *const to = args.rows + block.index() * args.row_samples();
        with_sample_type(pictures.type, [&]<class Sample>(Sample) {
            block.each(int(args.row_samples()), [&](int i) {
                const auto channels = unsigned(pictures.channels);
                const unsigned column = unsigned(i) / channels;
                const resize_taps taps = args.across.taps[column];
                const double *const weights = args.across.weights + column * args.across.most_taps;
                const std::byte *from = pictures.at(picture, unsigned(i) % channels, 0, row, taps.first);
                double sum = 0.0;
                for (int tap = 0; tap < taps.count; ++tap) {
                    const double sample = byte_sample(sample_of<double, Sample>(from), args.range.low, args.range.high);
                    sum = fused_multiply_add(weights[tap], sample, sum);
                    from += pictures.column_stride * int64_t(sizeof(Sample));
                }
                to[i] = sum;
            });
        });
    }
};

// A block takes a row of the input. One channel stands for all of them.
struct resize_columns {
    using arguments = pictures_to_resize;
    static constexpr int threads = 256;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const feature_map &input = args.input;
        const int64_t picture = block.index() / input.height;
        const int64_t row = block.index() % input.height;
        const resize_taps taps = args.down.taps[row];
        const double *const weights = args.down.weights + row * args.down.most_taps;
        const double *const from = args.rows + (picture * args.pictures.height + taps.first) * args.row_samples();
        float *const to = input.at(args.first + picture, row, 0);
        block.each(input.width * input.channels, [&](int i) {
            const unsigned column = unsigned(i) / unsigned(input.channels);
            const int64_t at = args.pictures.channels == 1 ? int64_t(column) : i;
            double sum = 0.0;
            for (int tap = 0; tap < taps.count; ++tap)
                sum = fused_multiply_add(weights[tap], from[tap * args.row_samples() + at], sum);
            if (!is_finite(sum))
                keep_most(args.faulty_picture, ~uint64_t(args.first + picture));
            to[i] = network_sample(args.rule, sum);
        });
    }
};

} // namespace iqa::cuda
