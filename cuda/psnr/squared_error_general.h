// SPDX-License-Identifier: MIT
// The general sums: weights, masks, luma, any strides, and all terms. Walks find the samples. The term is the same for
// all threads.
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
        joint_order<3> order; // of a plane
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
        if (args.source.of_luma)
            add_tile_of<real_terms<luma_samples<Sample>>>(block, args, plane, tile, gain);
        else if constexpr (integer_sample<Sample>)
            add_tile_of<integer_terms>(block, args, plane, tile, gain);
        else
            add_tile_of<real_terms<own_samples<Sample>>>(block, args, plane, tile, gain);
    }

private:
    template <int limbs>
    struct tile_totals : error_totals<limbs> {
        int64_t weight;
        uint64_t most, least_of_all; // keys
        uint32_t invalid_weights;

        IQA_KERNEL void combine(const tile_totals &other)
        {
            error_totals<limbs>::combine(other);
            weight += other.weight;
            most = other.most > most ? other.most : most;
            least_of_all = other.least_of_all > least_of_all ? other.least_of_all : least_of_all;
            invalid_weights += other.invalid_weights;
        }
    };

    // The sums of a thread, by kind of samples.
    struct integer_terms {
        using samples = own_samples<Sample>;
        using totals = tile_totals<1>;
        static constexpr int first_limb = 1; // terms are always weighted: without weights, each has the units of 1
        int64_t sum;

        IQA_KERNEL void add(error_term term, const weighted_pixel<int32_t> &pixel, double)
        {
            const int32_t base = pixel.reference - (is_of_reference(term) ? 0 : pixel.candidate);
            const int64_t units = units_of_weight(pixel.weight);
            if (is_square(term)) {
                const uint32_t magnitude = uint32_t(base);
                sum += int64_t(magnitude * magnitude) * units; // at most 65535^2, which fits 32 bits
            } else {
                sum += int64_t(term == error_term::magnitude && base < 0 ? -base : base) * units;
            }
        }
        IQA_KERNEL void add_to(totals &tile) const { tile.add(0, sum); }
    };

    template <class Samples>
    struct real_terms {
        using samples = Samples;
        using totals = tile_totals<error_limbs>;
        static constexpr int first_limb = 0;
        grid_sums<uint64_t> sums;

        IQA_KERNEL void add(error_term term, const weighted_pixel<typename Samples::number> &pixel, double gain)
        {
            const double reference = double(pixel.reference);
            const double base = (is_of_reference(term) ? reference : reference - double(pixel.candidate)) * gain;
            if (is_square(term))
                return sums.add(base, double(pixel.weight));
            sums.keep_largest(base);
            sums.add_term((term == error_term::magnitude ? __builtin_fabs(base) : base) * double(pixel.weight));
        }
        IQA_KERNEL void add_to(totals &tile) const { sums.add_to(tile); }
    };

    template <class Terms, class Block>
    IQA_KERNEL static void add_tile_of(Block &block, const arguments &args, int64_t plane, int64_t tile, double gain)
    {
        using totals = typename Terms::totals;
        const error_task &task = args.task;
        const int64_t image = plane / task.planes;
        const int64_t channel = plane - image * task.planes;
        const int64_t first = tile * args.samples_of_tile;
        const int64_t left = task.samples - first;
        const int samples = int(left < args.samples_of_tile ? left : args.samples_of_tile);
        const totals sums = block.template reduce<totals>(threads, [&](int thread, totals &of_thread) {
            if (thread >= samples)
                return;
            sample_walk<3, threads> walk(args.order, image, channel, first + thread);
            add_share<Terms>(args, walk, samples - thread, gain, of_thread);
        });
        block.each(1, [&](int) {
            add_to_accounts(task, plane, Terms::first_limb, sums);
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

    // The pixels of a thread: those of a walk over the next `left` samples.
    template <class Terms>
    IQA_KERNEL static void add_share(const arguments &args, sample_walk<3, threads> &walk, int left, double gain,
                                     typename Terms::totals &totals)
    {
        Terms terms{};
        const auto use = [&](const joint_place<3> &place, const auto &pixel) {
            totals.weight += units_of_weight(pixel.weight);
            totals.invalid_weights += pixel.weight < 0.0f;
            if (pixel.weight == 0.0f)
                return;
            terms.add(args.task.term, pixel, gain);
            if (args.task.extremes != nullptr)
                extend(totals, key_of(double(pixel.reference)));
            if (args.task.counting)
                count(args, place, totals);
        };
        for_each_pixel<typename Terms::samples>(args.source, walk, left, use);
        terms.add_to(totals);
    }

    template <class Totals>
    IQA_KERNEL static void extend(Totals &totals, uint64_t key)
    {
        totals.most = key > totals.most ? key : totals.most;
        totals.least_of_all = ~key > totals.least_of_all ? ~key : totals.least_of_all;
    }

    template <class Totals>
    IQA_KERNEL static void count(const arguments &args, const joint_place<3> &place, Totals &totals)
    {
        const pixel_source &source = args.source;
        const int channels = source.of_luma ? 3 : 1;
        for (int channel = 0; channel < channels; ++channel) {
            count_sample(args, source.reference + place.offset[of_reference] + channel * source.reference_channel,
                         totals);
            count_sample(args, source.candidate + place.offset[of_candidate] + channel * source.candidate_channel,
                         totals);
        }
    }

    template <class Totals>
    IQA_KERNEL static void count_sample(const arguments &args, const std::byte *address, Totals &totals)
    {
        totals.count(args.task.bounds, widen(*reinterpret_cast<const Sample *>(address)));
    }
};

} // namespace iqa::cuda
