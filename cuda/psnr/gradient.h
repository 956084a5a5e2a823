// SPDX-License-Identifier: MIT
// The gradients of squared errors, a few pixels for each thread.
#pragma once

#include "backend/psnr.hpp"
#include "cuda/images/weighted_pixel.h"

namespace iqa::cuda {

template <class Sample>
struct error_gradients {
    struct arguments {
        pixel_source source;
        sample_order order; // of the measured channels
        int64_t samples;    // of the batch
        const error_slope *slopes;
        output_view reference, candidate; // `data` may be NULL
    };
    static constexpr int threads = 256;
    static constexpr int samples_of_block = pixels_at_once * threads;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        block.each(threads, [&](int thread) {
            const int64_t first = block.index() * samples_of_block + thread;
            pixel_place places[pixels_at_once];
            weighted_pixel pixels[pixels_at_once];
            IQA_UNROLL_ON_GPU
            for (int k = 0; k < pixels_at_once; ++k) {
                const int64_t number = first + k * threads;
                places[k] = place_of(args.order, number < args.samples ? number : args.samples - 1);
            }
            read_pixels<Sample>(args.source, places, pixels);
            IQA_UNROLL_ON_GPU
            for (int k = 0; k < pixels_at_once; ++k)
                if (first + k * threads < args.samples)
                    differentiate(args, places[k], pixels[k]);
        });
    }

private:
    IQA_KERNEL static void differentiate(const arguments &args, pixel_place at, const weighted_pixel &pixel)
    {
        const double derivative =
            error_derivative(args.slopes[at.image], pixel.reference, pixel.candidate, double(pixel.weight));
        if (!args.source.of_luma) {
            store(args, at, derivative, 1.0);
            return;
        }
        const luma_factors &weights = args.source.luma.weights;
        store(args, at, derivative, weights.red);
        at.channel = 1;
        store(args, at, derivative, weights.green);
        at.channel = 2;
        store(args, at, derivative, weights.blue);
    }

    IQA_KERNEL static void store(const arguments &args, const pixel_place &at, double derivative, double factor)
    {
        store_in(args.candidate, at, derivative * factor);
        store_in(args.reference, at, derivative * -factor);
    }

    // Adding 0 turns -0 into 0.
    IQA_KERNEL static void store_in(const output_view &view, const pixel_place &at, double value)
    {
        if (view.data != nullptr)
            view.store(at.image, at.channel, at.slice, at.row, at.column, value + 0.0);
    }
};

} // namespace iqa::cuda
