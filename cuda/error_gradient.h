// SPDX-License-Identifier: MIT
// The gradients of squared errors, one pixel in each thread.
#pragma once

#include "core/backend.hpp"
#include "cuda/weighted_pixel.h"

namespace iqa::cuda {

template <class Sample>
struct error_gradients {
    struct arguments {
        pixel_source source;
        sample_order order; // of what is measured
        int64_t samples;    // of the batch
        const error_slope *slopes;
        output_view reference, candidate; // `data` may be NULL
    };
    static constexpr int threads = 256;
    static constexpr int samples_of_block = 4 * threads;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        const int64_t first = block.index() * samples_of_block;
        const int64_t left = given.samples - first;
        block.each(int(left < samples_of_block ? left : samples_of_block),
                   [&](int i) { differentiate(given, place_of(given.order, first + i)); });
    }

private:
    IQA_KERNEL static void differentiate(const arguments &given, pixel_place at)
    {
        const weighted_pixel pixel = read_pixel<Sample>(given.source, at);
        const double derivative =
            error_derivative(given.slopes[at.image], pixel.reference, pixel.candidate, double(pixel.weight));
        if (!given.source.of_luma) {
            store(given, at, derivative, 1.0);
            return;
        }
        const luma_weights &weights = given.source.luma.weights;
        store(given, at, derivative, weights.red);
        at.channel = 1;
        store(given, at, derivative, weights.green);
        at.channel = 2;
        store(given, at, derivative, weights.blue);
    }

    IQA_KERNEL static void store(const arguments &given, const pixel_place &at, double derivative, double factor)
    {
        store_in(given.candidate, at, derivative * factor);
        store_in(given.reference, at, derivative * -factor);
    }

    // Adding 0 makes -0 a plain 0.
    IQA_KERNEL static void store_in(const output_view &view, const pixel_place &at, double value)
    {
        if (view.data != nullptr)
            view.store(at.image, at.channel, at.slice, at.row, at.column, value + 0.0);
    }
};

} // namespace iqa::cuda
