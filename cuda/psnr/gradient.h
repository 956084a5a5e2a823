// SPDX-License-Identifier: MIT
// The gradients of squared errors, a few pixels for each thread.
#pragma once

#include "backend/psnr.hpp"
#include "cuda/images/weighted_pixel.h"

namespace iqa::cuda {

template <class Sample>
struct error_gradients {
    struct output {
        std::byte *data; // NULL: not wanted
        int64_t channel; // step in bytes
        bool is_double;
    };
    enum : int { of_reference_gradient = of_weights + 1, of_candidate_gradient, tensors };

    struct arguments {
        pixel_source source;
        joint_order<tensors> order; // of an image
        int64_t samples;            // of an image
        int64_t tiles_of_image, samples_of_tile;
        const error_slope *slopes; // [images]
        output reference, candidate;
    };
    static constexpr int threads = 256;
    static constexpr int most_of_thread = 16;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t image = block.index() / args.tiles_of_image;
        const int64_t first = (block.index() - image * args.tiles_of_image) * args.samples_of_tile;
        const int64_t left = args.samples - first;
        const int samples = int(left < args.samples_of_tile ? left : args.samples_of_tile);
        block.each(samples < threads ? samples : threads, [&](int thread) {
            sample_walk<tensors, threads> walk(args.order, image, 0, first + thread);
            const error_slope slope = args.slopes[image];
            if (args.source.of_luma)
                differentiate<luma_samples<Sample>>(args, slope, walk, samples - thread);
            else
                differentiate<own_samples<Sample>>(args, slope, walk, samples - thread);
        });
    }

private:
    template <class Samples>
    IQA_KERNEL static void differentiate(const arguments &args, const error_slope &slope,
                                         sample_walk<tensors, threads> &walk, int left)
    {
        for_each_pixel<Samples>(args.source, walk, left, [&](const joint_place<tensors> &place, const auto &pixel) {
            store(args, place,
                  error_derivative(slope, double(pixel.reference), double(pixel.candidate), double(pixel.weight)));
        });
    }

    IQA_KERNEL static void store(const arguments &args, const joint_place<tensors> &at, double derivative)
    {
        store_in(args, args.candidate, at.offset[of_candidate_gradient], derivative);
        store_in(args, args.reference, at.offset[of_reference_gradient], -derivative);
    }

    // Adding 0 turns -0 into 0.
    IQA_KERNEL static void store_in(const arguments &args, const output &to, int64_t offset, double value)
    {
        if (to.data == nullptr)
            return;
        if (!args.source.of_luma)
            return store_output(to.data + offset, to.is_double, value + 0.0);
        const luma_factors &factors = args.source.luma.weights;
        store_output(to.data + offset, to.is_double, value * factors.red + 0.0);
        store_output(to.data + offset + to.channel, to.is_double, value * factors.green + 0.0);
        store_output(to.data + offset + 2 * to.channel, to.is_double, value * factors.blue + 0.0);
    }
};

} // namespace iqa::cuda
