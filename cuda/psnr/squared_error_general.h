// SPDX-License-Identifier: MIT
// Squared errors of samples with weights, of those that may be masked, of luma and of any strides, and all other terms:
// each sample is found by its place. The term is the same for all threads.
#pragma once

#include <type_traits>

#include "cuda/images/weighted_pixel.h"
#include "cuda/psnr/squared_error.h"

namespace iqa::cuda {

template <class Sample>
struct placed_errors {
    struct arguments {
        error_course course;
        pixel_source source;
        sample_order order; // of a plane
        int64_t samples_of_tile;
    };
    static constexpr int threads = 256;
    static constexpr int most_of_thread = 64; // products of integers and weights fit 64 bits so often

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        sum_errors<placed_errors>(block, args);
    }

    template <class Block>
    IQA_KERNEL static void add_tile(Block &block, const arguments &args, int64_t plane, int64_t tile, double gain)
    {
        const error_course &course = args.course;
        const int64_t first = tile * args.samples_of_tile;
        const int64_t end =
            first + args.samples_of_tile < course.samples ? first + args.samples_of_tile : course.samples;
        const totals_of_tile totals =
            block.template reduce<totals_of_tile>(threads, [&](int thread, totals_of_tile &own) {
                if constexpr (std::is_integral_v<Sample>)
                    if (course.integers)
                        return add_integers(args, plane, first + thread, end, own);
                add_reals(args, plane, first + thread, end, gain, own);
            });
        block.each(1, [&](int) {
            add_to_accounts(course, plane, 0, totals);
            plane_account &account = course.plane_accounts[plane];
            if (totals.weight != 0)
                add(&account.weight, totals.weight);
            if (course.extremes != nullptr) {
                keep_most(&account.most, totals.most);
                keep_most(&account.least_of_all, totals.least_of_all);
            }
            if (totals.invalid_weights != 0)
                set_bits(&course.batch->invalid_weights, 1);
        });
    }

private:
    struct totals_of_tile : error_totals<error_limbs> {
        int64_t weight;
        uint64_t most, least_of_all; // keys
        uint32_t invalid_weights;

        IQA_KERNEL void combine(const totals_of_tile &other)
        {
            error_totals<error_limbs>::combine(other);
            weight += other.weight;
            most = other.most > most ? other.most : most;
            least_of_all = other.least_of_all > least_of_all ? other.least_of_all : least_of_all;
            invalid_weights += other.invalid_weights;
        }
    };

    // Calls use(pixel, place) for the samples of one thread that count.
    template <class Use>
    IQA_KERNEL static void for_each_pixel(const arguments &args, int64_t plane, int64_t first, int64_t end,
                                          totals_of_tile &own, Use &&use)
    {
        const int64_t image = plane / args.course.planes;
        const int64_t channel = plane - image * args.course.planes;
        for (int64_t number = first; number < end; number += pixels_at_once * threads) {
            pixel_place places[pixels_at_once];
            weighted_pixel pixels[pixels_at_once];
            IQA_UNROLL_ON_GPU
            for (int k = 0; k < pixels_at_once; ++k) {
                const int64_t own_number = number + k * threads;
                places[k] = place_of(args.order, own_number < end ? own_number : end - 1);
                places[k].image = image;
                places[k].channel += channel;
            }
            read_pixels<Sample>(args.source, places, pixels);
            IQA_UNROLL_ON_GPU
            for (int k = 0; k < pixels_at_once; ++k) {
                if (number + k * threads >= end)
                    continue;
                own.weight += units_of_weight(pixels[k].weight);
                own.invalid_weights += pixels[k].weight < 0.0f;
                if (pixels[k].weight == 0.0f)
                    continue;
                use(pixels[k]);
                if (args.course.extremes != nullptr)
                    extend(own, key_of(pixels[k].reference));
                if (args.course.counting)
                    count(args, places[k], pixels[k], own);
            }
        }
    }

    IQA_KERNEL static void extend(totals_of_tile &own, uint64_t key)
    {
        own.most = key > own.most ? key : own.most;
        own.least_of_all = ~key > own.least_of_all ? ~key : own.least_of_all;
    }

    IQA_KERNEL static void count(const arguments &args, pixel_place place, const weighted_pixel &pixel,
                                 totals_of_tile &own)
    {
        if (!args.source.of_luma) {
            own.count(args.course.range, pixel.reference);
            own.count(args.course.range, pixel.candidate);
            return;
        }
        for (place.channel = 0; place.channel < 3; ++place.channel)
            for (const image_view *view : {&args.source.reference, &args.source.candidate})
                own.count(args.course.range, sample_of<double, Sample>(view->at(place.image, place.channel, place.slice,
                                                                                place.row, place.column)));
    }

    // Always with weights: their units make no difference to the sum.
    IQA_KERNEL static void add_integers(const arguments &args, int64_t plane, int64_t first, int64_t end,
                                        totals_of_tile &own)
    {
        const error_term term = args.course.term;
        int64_t sum = 0;
        for_each_pixel(args, plane, first, end, own, [&](const weighted_pixel &pixel) {
            int64_t base = int64_t(pixel.reference) - (is_of_reference(term) ? 0 : int64_t(pixel.candidate));
            if (is_square(term))
                base *= base;
            else if (term == error_term::magnitude)
                base = base < 0 ? -base : base;
            sum += base * units_of_weight(pixel.weight);
        });
        own.add(1, sum);
    }

    IQA_KERNEL static void add_reals(const arguments &args, int64_t plane, int64_t first, int64_t end, double gain,
                                     totals_of_tile &own)
    {
        const error_term term = args.course.term;
        grid_sums<uint64_t> sums{};
        for_each_pixel(args, plane, first, end, own, [&](const weighted_pixel &pixel) {
            const double base = (is_of_reference(term) ? pixel.reference : pixel.reference - pixel.candidate) * gain;
            if (is_square(term))
                return sums.add(base, double(pixel.weight));
            sums.keep_largest(base);
            sums.add_term((term == error_term::magnitude ? __builtin_fabs(base) : base) * double(pixel.weight));
        });
        sums.add_to(own);
    }
};

} // namespace iqa::cuda
