// SPDX-License-Identifier: MIT
// Per-pixel work: counts of samples outside the data range or not finite, and zeros in the margin of outputs.
#pragma once

#include "backend/images.hpp"
#include "cuda/images/samples.h"
#include "cuda/machine/places.h"

namespace iqa::cuda {

struct count_samples {
    struct arguments {
        image_pair images;
        weight_view weights;
        data_range range;
        bool mask_nonfinite;
        sample_order order; // of an image
        int64_t tiles_of_image, samples_of_tile;
        sample_counts *counts; // [images]
        fault *report;
    };
    static constexpr int threads = 256;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t image = block.index() / args.tiles_of_image;
        const int64_t first = (block.index() - image * args.tiles_of_image) * args.samples_of_tile;
        const int64_t left = args.order.samples() - first;
        const int samples = int(left < args.samples_of_tile ? left : args.samples_of_tile);
        const totals sums = block.template reduce<totals>(samples, [&](int i, totals &counts) {
            pixel_place place = place_of(args.order, first + i);
            place.image = image;
            count(args, place, counts);
        });
        block.each(1, [&](int) {
            if (sums.outside != 0)
                add(&args.counts[image].outside, int64_t(sums.outside));
            if (sums.nonfinite != 0)
                add(&args.counts[image].nonfinite, int64_t(sums.nonfinite));
            if (sums.bad_weights != 0)
                args.report->kind = fault_kind::weights; // every block stores the same
        });
    }

private:
    struct totals {
        uint32_t outside, nonfinite, bad_weights;

        IQA_KERNEL void combine(const totals &other)
        {
            outside += other.outside;
            nonfinite += other.nonfinite;
            bad_weights += other.bad_weights;
        }
    };

    IQA_KERNEL static void count(const arguments &args, const pixel_place &at, totals &counts)
    {
        const double weight = weight_at(args.weights, at);
        counts.bad_weights += !(weight >= 0.0 && weight <= 1.0);
        if (weight == 0.0)
            return;
        const image_view *const views[2] = {&args.images.reference, &args.images.candidate};
        double samples[2];
        IQA_UNROLL_ON_GPU
        for (int i = 0; i < 2; ++i)
            samples[i] = sample_of<double>(args.images.reference.type,
                                           views[i]->at(at.image, at.channel, at.slice, at.row, at.column));
        if (args.mask_nonfinite && !(is_finite(samples[0]) && is_finite(samples[1])))
            return;
        IQA_UNROLL_ON_GPU
        for (int i = 0; i < 2; ++i) {
            counts.outside += !(samples[i] >= args.range.low && samples[i] <= args.range.high);
            counts.nonfinite += !is_finite(samples[i]);
        }
    }
};

struct clear_edges_kernel {
    struct arguments {
        margin_view border;
        sample_order order;
        int64_t samples; // of the batch
    };
    static constexpr int threads = 256;
    static constexpr int samples_of_block = 16 * threads;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t first = block.index() * samples_of_block;
        const int64_t left = args.samples - first;
        block.each(int(left < samples_of_block ? left : samples_of_block), [&](int i) {
            const pixel_place at = place_of(args.order, first + i);
            if (is_in_margin(args.border, at.slice, at.row, at.column))
                args.border.pixels.store(at.image, at.channel, at.slice, at.row, at.column, 0.0);
        });
    }
};

} // namespace iqa::cuda
