// SPDX-License-Identifier: MIT
// Squared errors of samples with weights, of those that may be masked, of luma and of any strides: each sample is found
// by its place.
#pragma once

#include "cuda/squared_error.h"
#include "cuda/weighted_pixel.h"

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
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        sum_errors<placed_errors>(block, given);
    }

    template <class Block>
    IQA_KERNEL static void add_tile(Block &block, const arguments &given, int64_t plane, int64_t tile, double scale)
    {
        const error_course &course = given.course;
        const int64_t first = tile * given.samples_of_tile;
        const int64_t end =
            first + given.samples_of_tile < course.samples ? first + given.samples_of_tile : course.samples;
        const totals_of_tile totals =
            block.template reduce<totals_of_tile>(threads, [&](int thread, totals_of_tile &own) {
                if (course.integers)
                    add_integers(given, plane, first + thread, end, own);
                else
                    add_reals(given, plane, first + thread, end, scale, own);
            });
        block.each(1, [&](int) {
            add_to_accounts(course, plane, 0, totals);
            if (totals.weight != 0)
                add(&course.plane_accounts[plane].weight, totals.weight);
            if (totals.invalid_weights != 0)
                set_bits(&course.batch->invalid_weights, 1);
        });
    }

private:
    struct totals_of_tile : error_totals<error_levels> {
        int64_t weight;
        uint32_t invalid_weights;

        IQA_KERNEL void combine(const totals_of_tile &other)
        {
            error_totals<error_levels>::combine(other);
            weight += other.weight;
            invalid_weights += other.invalid_weights;
        }
    };

    // Calls use(pixel, place) for the samples of one thread that count.
    template <class Use>
    IQA_KERNEL static void for_each_pixel(const arguments &given, int64_t plane, int64_t first, int64_t end,
                                          totals_of_tile &own, Use &&use)
    {
        const int64_t image = plane / given.course.planes;
        for (int64_t number = first; number < end; number += threads) {
            pixel_place place = place_of(given.order, number);
            place.image = image;
            place.channel += plane - image * given.course.planes;
            const weighted_pixel pixel = read_pixel<Sample>(given.source, place);
            own.weight += units_of_weight(pixel.weight);
            own.invalid_weights += pixel.weight < 0.0f;
            if (pixel.weight == 0.0f)
                continue;
            use(pixel);
            if (given.course.counting)
                count(given, place, pixel, own);
        }
    }

    IQA_KERNEL static void count(const arguments &given, pixel_place place, const weighted_pixel &pixel,
                                 totals_of_tile &own)
    {
        if (!given.source.of_luma) {
            own.count(given.course.range, pixel.reference);
            own.count(given.course.range, pixel.candidate);
            return;
        }
        for (place.channel = 0; place.channel < 3; ++place.channel)
            for (const image_view *view : {&given.source.reference, &given.source.candidate})
                own.count(given.course.range, sample_of<double, Sample>(view->at(
                                                  place.image, place.channel, place.slice, place.row, place.column)));
    }

    // Always with weights: their units make no difference to the sum.
    IQA_KERNEL static void add_integers(const arguments &given, int64_t plane, int64_t first, int64_t end,
                                        totals_of_tile &own)
    {
        uint64_t sum = 0;
        for_each_pixel(given, plane, first, end, own, [&](const weighted_pixel &pixel) {
            const uint32_t difference = uint32_t(int32_t(pixel.reference) - int32_t(pixel.candidate));
            sum += uint64_t(difference * difference) * uint64_t(units_of_weight(pixel.weight));
        });
        own.add(1, int64_t(sum));
    }

    IQA_KERNEL static void add_reals(const arguments &given, int64_t plane, int64_t first, int64_t end, double scale,
                                     totals_of_tile &own)
    {
        grid_sums sums{};
        for_each_pixel(given, plane, first, end, own, [&](const weighted_pixel &pixel) {
            sums.add((pixel.reference - pixel.candidate) * scale, double(pixel.weight));
        });
        sums.add_to(own);
    }
};

} // namespace iqa::cuda
