// SPDX-License-Identifier: MIT
// The general sums: weights, masks, luma, any strides, and all terms. Each sample is addressed by its place. The term
// is the same for all threads.
#pragma once

#include <type_traits>

#include "cuda/images/weighted_pixel.h"
#include "cuda/psnr/squared_error.h"

namespace iqa::cuda {

template <class Sample>
struct placed_errors {
    struct arguments {
        error_task task;
        pixel_source source;
        sample_order order; // of a plane
        int64_t samples_of_tile;
    };
    static constexpr int threads = 256;
    static constexpr int most_of_thread = 64; // so many products of integers and weights fit 64 bits

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        sum_errors<placed_errors>(block, args);
    }

    template <class Block>
    IQA_KERNEL static void add_tile(Block &block, const arguments &args, int64_t plane, int64_t tile, double gain)
    {
        const error_task &task = args.task;
        const int64_t first = tile * args.samples_of_tile;
        const int64_t end = first + args.samples_of_tile < task.samples ? first + args.samples_of_tile : task.samples;
        const tile_totals sums = block.template reduce<tile_totals>(threads, [&](int thread, tile_totals &totals) {
            if constexpr (std::is_integral_v<Sample>)
                if (task.integers)
                    return add_integers(args, plane, first + thread, end, totals);
            add_reals(args, plane, first + thread, end, gain, totals);
        });
        block.each(1, [&](int) {
            add_to_accounts(task, plane, 0, sums);
            plane_account &account = task.plane_accounts[plane];
            if (sums.weight != 0)
                add(&account.weight, sums.weight);
            if (task.extremes != nullptr) {
                keep_most(&account.most, sums.most);
                keep_most(&account.least_of_all, sums.least_of_all);
            }
            if (sums.invalid_weights != 0)
                set_bits(&task.batch->invalid_weights, 1);
        });
    }

private:
    struct tile_totals : error_totals<error_limbs> {
        int64_t weight;
        uint64_t most, least_of_all; // keys
        uint32_t invalid_weights;

        IQA_KERNEL void combine(const tile_totals &other)
        {
            error_totals<error_limbs>::combine(other);
            weight += other.weight;
            most = other.most > most ? other.most : most;
            least_of_all = other.least_of_all > least_of_all ? other.least_of_all : least_of_all;
            invalid_weights += other.invalid_weights;
        }
    };

    // Calls use(pixel) for each of the thread's pixels with a weight that is not 0.
    template <class Use>
    IQA_KERNEL static void for_each_pixel(const arguments &args, int64_t plane, int64_t first, int64_t end,
                                          tile_totals &totals, Use &&use)
    {
        const int64_t image = plane / args.task.planes;
        const int64_t channel = plane - image * args.task.planes;
        for (int64_t number = first; number < end; number += pixels_at_once * threads) {
            pixel_place places[pixels_at_once];
            weighted_pixel pixels[pixels_at_once];
            IQA_UNROLL_ON_GPU
            for (int k = 0; k < pixels_at_once; ++k) {
                const int64_t pixel_number = number + k * threads;
                places[k] = place_of(args.order, pixel_number < end ? pixel_number : end - 1);
                places[k].image = image;
                places[k].channel += channel;
            }
            read_pixels<Sample>(args.source, places, pixels);
            IQA_UNROLL_ON_GPU
            for (int k = 0; k < pixels_at_once; ++k) {
                if (number + k * threads >= end)
                    continue;
                totals.weight += units_of_weight(pixels[k].weight);
                totals.invalid_weights += pixels[k].weight < 0.0f;
                if (pixels[k].weight == 0.0f)
                    continue;
                use(pixels[k]);
                if (args.task.extremes != nullptr)
                    extend(totals, key_of(pixels[k].reference));
                if (args.task.counting)
                    count(args, places[k], pixels[k], totals);
            }
        }
    }

    IQA_KERNEL static void extend(tile_totals &totals, uint64_t key)
    {
        totals.most = key > totals.most ? key : totals.most;
        totals.least_of_all = ~key > totals.least_of_all ? ~key : totals.least_of_all;
    }

    IQA_KERNEL static void count(const arguments &args, pixel_place place, const weighted_pixel &pixel,
                                 tile_totals &totals)
    {
        if (!args.source.of_luma) {
            totals.count(args.task.range, pixel.reference);
            totals.count(args.task.range, pixel.candidate);
            return;
        }
        for (place.channel = 0; place.channel < 3; ++place.channel)
            for (const image_view *view : {&args.source.reference, &args.source.candidate})
                totals.count(args.task.range, sample_of<double, Sample>(view->at(
                                                  place.image, place.channel, place.slice, place.row, place.column)));
    }

    // Terms are always weighted: without weights, each pixel has the units of weight 1.
    IQA_KERNEL static void add_integers(const arguments &args, int64_t plane, int64_t first, int64_t end,
                                        tile_totals &totals)
    {
        const error_term term = args.task.term;
        int64_t sum = 0;
        for_each_pixel(args, plane, first, end, totals, [&](const weighted_pixel &pixel) {
            int64_t base = int64_t(pixel.reference) - (is_of_reference(term) ? 0 : int64_t(pixel.candidate));
            if (is_square(term))
                base *= base;
            else if (term == error_term::magnitude)
                base = base < 0 ? -base : base;
            sum += base * units_of_weight(pixel.weight);
        });
        totals.add(1, sum);
    }

    IQA_KERNEL static void add_reals(const arguments &args, int64_t plane, int64_t first, int64_t end, double gain,
                                     tile_totals &totals)
    {
        const error_term term = args.task.term;
        grid_sums<uint64_t> sums{};
        for_each_pixel(args, plane, first, end, totals, [&](const weighted_pixel &pixel) {
            const double base = (is_of_reference(term) ? pixel.reference : pixel.reference - pixel.candidate) * gain;
            if (is_square(term))
                return sums.add(base, double(pixel.weight));
            sums.keep_largest(base);
            sums.add_term((term == error_term::magnitude ? __builtin_fabs(base) : base) * double(pixel.weight));
        });
        sums.add_to(totals);
    }
};

} // namespace iqa::cuda
