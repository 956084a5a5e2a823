// SPDX-License-Identifier: MIT
// Per-pixel work: counts of samples outside the data range or not finite, and zeros in the margin of outputs.
#pragma once

#include "backend/images.hpp"
#include "cuda/images/walk.h"

namespace iqa::cuda {

struct count_samples {
    enum : int { reference, candidate, weights, tensors };

    struct arguments {
        const std::byte *first[tensors]; // NULL: every weight is 1
        joint_order<tensors> order;      // of an image
        element_type type;
        weight_type type_of_weights;
        sample_bounds bounds;
        bool mask_nonfinite;
        int64_t samples; // of an image
        int64_t tiles_of_image, samples_of_tile;
        sample_counts *counts; // [images]
        fault *report;
    };
    static constexpr int threads = 256;
    static constexpr int most_of_thread = 32;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t image = block.index() / args.tiles_of_image;
        const int64_t first = (block.index() - image * args.tiles_of_image) * args.samples_of_tile;
        const int64_t left = args.samples - first;
        const int samples = int(left < args.samples_of_tile ? left : args.samples_of_tile);
        const totals sums = block.template reduce<totals>(threads, [&](int thread, totals &counts) {
            sample_walk<tensors, threads> walk(args.order, image, 0, first + thread);
            with_sample_type(args.type, [&](auto type) {
                for (int i = thread; i < samples; i += threads) {
                    joint_place<tensors> place[1];
                    walk.take(place);
                    count<decltype(type)>(args, place[0], counts);
                }
            });
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

    // Counts a weight that is not valid. True for a weight of 0.
    IQA_KERNEL static bool is_masked(const arguments &args, const joint_place<tensors> &at, totals &counts)
    {
        if (args.first[weights] == nullptr)
            return false;
        return with_weight_type(args.type_of_weights, [&](auto type) {
            const auto weight =
                weight_of_element(*reinterpret_cast<const decltype(type) *>(args.first[weights] + at.offset[weights]));
            counts.bad_weights += !(weight >= 0 && weight <= 1);
            return weight == 0;
        });
    }

    template <class Sample>
    IQA_KERNEL static void count(const arguments &args, const joint_place<tensors> &at, totals &counts)
    {
        using Real = decltype(widen(Sample()));
        if (is_masked(args, at, counts))
            return;
        Real samples[2];
        IQA_UNROLL_ON_GPU
        for (int i = 0; i < 2; ++i)
            samples[i] = sample_of<Real, Sample>(args.first[i] + at.offset[i]);
        if (args.mask_nonfinite && !(is_finite(samples[0]) && is_finite(samples[1])))
            return;
        IQA_UNROLL_ON_GPU
        for (int i = 0; i < 2; ++i) {
            counts.outside += !is_within(samples[i], args.bounds);
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
