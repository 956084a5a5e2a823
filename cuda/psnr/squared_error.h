// SPDX-License-Identifier: MIT
// Sums of squared errors, or of other terms, over the pairs of samples of a batch: planes (images, or channels where
// they are wanted apart) are cut into tiles, one for each block at a time; the sums of blocks meet in accounts, which
// are all zero between kernels, and the last block makes the results of them. Where an image's largest difference does
// not lie on the ordinary grids of arith/squared_error.h, a second launch sums it again at its own gain; for other
// images its blocks find nothing to do.
#pragma once

#include "backend/psnr.hpp"
#include "cuda/machine/block.h"

namespace iqa::cuda {

struct plane_account {
    wide_sum limb[error_limbs];
    wide_sum weight; // in units of 2^-pixel_weight_bits
    // Keys of the samples of the reference, and of their order turned round; 0 for no sample.
    uint64_t most, least_of_all;
};

// Numbers that order as doubles do, none of them 0 but for a NaN.
IQA_KERNEL uint64_t key_of(double value)
{
    const uint64_t bits = bits_of(value);
    return bits >> 63 != 0 ? ~bits : bits | uint64_t(1) << 63;
}

IQA_KERNEL double value_of_key(uint64_t key)
{
    return double_from_bits(key >> 63 != 0 ? key & ~(uint64_t(1) << 63) : ~key);
}

struct image_account {
    int64_t outside, nonfinite;
    uint64_t largest; // the bits of the largest scaled difference; more than infinity's where one was NaN
};

struct batch_account {
    uint32_t arrivals;
    uint32_t invalid_weights; // not 0: there are some
};

// What both ways of summing share.
struct error_course {
    error_term term;
    int64_t images, planes; // planes of an image
    int64_t samples;        // of a plane
    int64_t tiles_of_plane;
    data_range range;
    bool counting;
    bool weighing; // else every sample has weight 1
    bool integers; // the terms are
    bool again;    // the second launch
    int usual_exponent;

    plane_account *plane_accounts;
    image_account *image_accounts;
    batch_account *batch;
    int32_t *own_exponents; // [images]: of the gain for a second time, or no_exponent

    fault *report;
    pair_sum *sums;
    int128 *weights;
    sample_counts *counts;
    bool *overflow;
    sample_extremes *extremes; // NULL: not wanted
};

// The sums of some samples, as one thread has them and as a block does: the low and the high halves of the threads' own
// sums apart, so that those of a block fit.
template <int limbs>
struct error_totals {
    int64_t low[limbs], high[limbs];
    uint64_t largest;
    uint32_t outside, nonfinite;

    IQA_KERNEL void add(int limb, int64_t sum)
    {
        low[limb] += int64_t(uint32_t(sum));
        high[limb] += sum >> 32;
    }
    IQA_KERNEL void count(data_range range, double sample)
    {
        outside += !(sample >= range.low && sample <= range.high);
        nonfinite += !is_finite(sample);
    }
    IQA_KERNEL void combine(const error_totals &other)
    {
        IQA_UNROLL_ON_GPU
        for (int limb = 0; limb < limbs; ++limb) {
            low[limb] += other.low[limb];
            high[limb] += other.high[limb];
        }
        largest = other.largest > largest ? other.largest : largest;
        outside += other.outside;
        nonfinite += other.nonfinite;
    }
};

// Terms of one thread split over the grids of arith/squared_error.h. A thread adds at most error_flush of them. The
// largest difference is kept as its bits, or (Bits = uint32_t) as the high half of them: its exponent, wherever
// differences are not subnormal.
template <class Bits>
struct grid_sums {
    uint64_t limb[error_limbs]; // of the bits of anchored numbers
    Bits largest;
    uint32_t additions;

    IQA_KERNEL static constexpr int dropped_bits() { return 64 - 8 * int(sizeof(Bits)); }
    IQA_KERNEL uint64_t bits_of_largest() const { return uint64_t(largest) << dropped_bits(); }

    // A square of what is `base`, times its weight.
    IQA_KERNEL void add(double base, double weight)
    {
        keep_largest(base);
        add_term(base * base * weight);
    }
    IQA_KERNEL void keep_largest(double base)
    {
        const Bits magnitude = Bits(bits_of(base) >> dropped_bits()) & Bits(Bits(~Bits(0)) >> 1);
        largest = magnitude > largest ? magnitude : largest;
    }
    IQA_KERNEL void add_term(double rest)
    {
        IQA_UNROLL_ON_GPU
        for (int i = 0; i < error_limbs; ++i) {
            const double anchored = rest + error_anchor(i);
            limb[i] += bits_of(anchored);
            rest = rest - (anchored - error_anchor(i));
        }
        ++additions;
    }
    template <class Totals>
    IQA_KERNEL void add_to(Totals &totals) const
    {
        IQA_UNROLL_ON_GPU
        for (int i = 0; i < error_limbs; ++i)
            totals.add(i, int64_t(limb[i] - additions * bits_of(error_anchor(i))));
        totals.largest = bits_of_largest() > totals.largest ? bits_of_largest() : totals.largest;
    }
};

// Makes the results of one plane's account, which is empty then.
IQA_KERNEL void collect_plane(const error_course &course, int64_t plane)
{
    const int64_t image = plane / course.planes;
    if (course.again && course.own_exponents[image] == no_exponent)
        return;
    const int gain = course.again ? course.own_exponents[image] : course.usual_exponent;
    plane_account &account = course.plane_accounts[plane];
    pair_sum &sum = course.sums[plane];
    for (int limb = 0; limb < error_limbs; ++limb) {
        sum.limb[limb] = value_of(account.limb[limb]);
        sum.exponent[limb] = course.integers ? integer_error_exponent(limb) : error_exponent(course.term, limb, gain);
    }
    if (course.extremes != nullptr) {
        const bool empty = account.most == 0;
        course.extremes[plane] = {empty ? __builtin_huge_val() : value_of_key(~account.least_of_all),
                                  empty ? -__builtin_huge_val() : value_of_key(account.most)};
    }
    course.weights[plane] = course.weighing ? value_of(account.weight) : int128(course.samples) << pixel_weight_bits;
    account = {};
}

// Likewise of an image, in the first launch.
IQA_KERNEL void collect_image(const error_course &course, int64_t image)
{
    image_account &account = course.image_accounts[image];
    course.counts[image] = {account.outside, account.nonfinite};
    const double largest = double_from_bits(account.largest);
    course.overflow[image] = !is_finite(largest);
    if (!course.integers)
        course.own_exponents[image] = own_error_exponent(course.usual_exponent, largest);
    account = {};
}

template <class Block>
IQA_KERNEL void collect(Block &block, const error_course &course)
{
    constexpr int at_once = 1 << 30; // what a step counts fits an int
    const int64_t planes = course.images * course.planes;
    for (int64_t first = 0; first < planes; first += at_once)
        block.each(int(planes - first < at_once ? planes - first : at_once),
                   [&](int i) { collect_plane(course, first + i); });
    block.each(1, [&](int) {
        if (course.batch->invalid_weights != 0)
            course.report->kind = fault_kind::weights;
        course.batch->invalid_weights = 0;
    });
    for (int64_t first = 0; first < course.images; first += at_once)
        block.each(int(course.images - first < at_once ? course.images - first : at_once), [&](int i) {
            if (course.again)
                course.image_accounts[first + i] = {};
            else
                collect_image(course, first + i);
        });
}

// Adds a block's totals of a tile to the accounts. `first_limb`: what their level 0 is.
template <int limbs>
IQA_KERNEL void add_to_accounts(const error_course &course, int64_t plane, int first_limb,
                                const error_totals<limbs> &totals)
{
    for (int limb = 0; limb < limbs; ++limb)
        add(&course.plane_accounts[plane].limb[first_limb + limb],
            int128(totals.high[limb]) * (int128(1) << 32) + totals.low[limb]);
    image_account &image = course.image_accounts[plane / course.planes];
    keep_most(&image.largest, totals.largest);
    if (totals.outside != 0)
        add(&image.outside, int64_t(totals.outside));
    if (totals.nonfinite != 0)
        add(&image.nonfinite, int64_t(totals.nonfinite));
}

// Runs a way of summing over all tiles: Way::add_tile(block, args, plane, tile, gain).
template <class Way, class Block, class Arguments>
IQA_KERNEL void sum_errors(Block &block, const Arguments &args)
{
    const error_course &course = args.course;
    const int64_t tiles = course.images * course.planes * course.tiles_of_plane;
    for (int64_t index = block.index(); index < tiles; index += block.blocks()) {
        const int64_t plane = index / course.tiles_of_plane;
        const int exponent = course.again ? course.own_exponents[plane / course.planes] : course.usual_exponent;
        if (exponent != no_exponent)
            Way::add_tile(block, args, plane, index - plane * course.tiles_of_plane, power_of_two(exponent));
    }
    if (block.comes_last(&course.batch->arrivals))
        collect(block, course);
}

} // namespace iqa::cuda
