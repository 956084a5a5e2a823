// SPDX-License-Identifier: MIT
// Sums of squared errors, or of other terms, over the pairs of samples of a batch. Planes (images, or channels that are
// wanted apart) are cut into tiles; a block takes one at a time. Blocks add their sums to accounts, which are zero
// between kernels, and the last block turns them into results. If an image's largest difference does not fit the usual
// grids of arith/squared_error.h, a second launch sums the image again at its own gain; the second launch skips other
// images.
#pragma once

#include "backend/psnr.hpp"
#include "cuda/images/samples.h"
#include "cuda/machine/block.h"

namespace iqa::cuda {

struct plane_account {
    wide_sum limb[error_limbs];
    wide_sum weight; // in units of 2^-pixel_weight_bits
    // The largest key of the reference's samples, and the largest complement of a key; 0: no sample.
    uint64_t most, least_of_all;
};

// Keys have the order of the doubles. Only a NaN can have the key 0.
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
    uint64_t largest; // the bits of the largest scaled difference; above infinity's: NaN
};

struct batch_account {
    uint32_t arrivals;
    uint32_t invalid_weights; // 0: none
};

// The arguments that both ways of summing share.
struct error_task {
    error_term term;
    int64_t images, planes; // planes of an image
    int64_t samples;        // of a plane
    int64_t tiles_of_plane;
    sample_bounds bounds;
    bool counting;
    bool weighing; // false: every sample has weight 1
    bool integers; // terms are integers
    bool again;    // this is the second launch
    int usual_exponent;

    plane_account *plane_accounts;
    image_account *image_accounts;
    batch_account *batch;
    int32_t *second_exponents; // [images]: of the second launch's gain, or no_exponent

    fault *report;
    pair_sum *sums;
    int128 *weights;
    sample_counts *counts;
    bool *overflow;
    sample_extremes *extremes; // NULL: not wanted
};

// The sums of a thread or a block. The low and high halves of the threads' sums are summed apart, so that a block's
// sums fit.
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
    template <class Real>
    IQA_KERNEL void count(const sample_bounds &bounds, Real sample)
    {
        outside += !is_within(sample, bounds);
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

// The terms of one thread, at most error_flush, split over the grids of arith/squared_error.h. `largest` has the bits
// of the largest difference, or (Bits = uint32_t) their high half: enough for its exponent, unless it is subnormal.
template <class Bits>
struct grid_sums {
    uint64_t limb[error_limbs]; // sums of the bits of anchored numbers
    Bits largest;
    uint32_t additions;

    IQA_KERNEL static constexpr int dropped_bits() { return 64 - 8 * int(sizeof(Bits)); }
    IQA_KERNEL uint64_t bits_of_largest() const { return uint64_t(largest) << dropped_bits(); }

    // Adds base^2 * weight.
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

// Turns one plane's account into results, and clears it.
IQA_KERNEL void collect_plane(const error_task &task, int64_t plane)
{
    const int64_t image = plane / task.planes;
    if (task.again && task.second_exponents[image] == no_exponent)
        return;
    const int gain = task.again ? task.second_exponents[image] : task.usual_exponent;
    plane_account &account = task.plane_accounts[plane];
    pair_sum &sum = task.sums[plane];
    for (int limb = 0; limb < error_limbs; ++limb) {
        sum.limb[limb] = value_of(account.limb[limb]);
        sum.exponent[limb] = task.integers ? integer_error_exponent(limb) : error_exponent(task.term, limb, gain);
    }
    if (task.extremes != nullptr) {
        const bool empty = account.most == 0;
        task.extremes[plane] = {empty ? __builtin_huge_val() : value_of_key(~account.least_of_all),
                                empty ? -__builtin_huge_val() : value_of_key(account.most)};
    }
    task.weights[plane] = task.weighing ? value_of(account.weight) : int128(task.samples) << pixel_weight_bits;
    account = {};
}

// The same for an image, in the first launch.
IQA_KERNEL void collect_image(const error_task &task, int64_t image)
{
    image_account &account = task.image_accounts[image];
    task.counts[image] = {account.outside, account.nonfinite};
    const double largest = double_from_bits(account.largest);
    task.overflow[image] = !is_finite(largest);
    if (!task.integers)
        task.second_exponents[image] = second_error_exponent(task.usual_exponent, largest);
    account = {};
}

template <class Block>
IQA_KERNEL void collect(Block &block, const error_task &task)
{
    constexpr int at_once = 1 << 30; // the count of a step is an int
    const int64_t planes = task.images * task.planes;
    for (int64_t first = 0; first < planes; first += at_once)
        block.each(int(planes - first < at_once ? planes - first : at_once),
                   [&](int i) { collect_plane(task, first + i); });
    block.each(1, [&](int) {
        if (task.batch->invalid_weights != 0)
            task.report->kind = fault_kind::weights;
        task.batch->invalid_weights = 0;
    });
    for (int64_t first = 0; first < task.images; first += at_once)
        block.each(int(task.images - first < at_once ? task.images - first : at_once), [&](int i) {
            if (task.again)
                task.image_accounts[first + i] = {};
            else
                collect_image(task, first + i);
        });
}

// Adds a block's totals of a tile to the accounts. `first_limb`: the account's limb for the totals' limb 0.
template <int limbs>
IQA_KERNEL void add_to_accounts(const error_task &task, int64_t plane, int first_limb,
                                const error_totals<limbs> &totals)
{
    for (int limb = 0; limb < limbs; ++limb)
        add(&task.plane_accounts[plane].limb[first_limb + limb],
            int128(totals.high[limb]) * (int128(1) << 32) + totals.low[limb]);
    image_account &image = task.image_accounts[plane / task.planes];
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
    const error_task &task = args.task;
    const int64_t tiles = task.images * task.planes * task.tiles_of_plane;
    for (int64_t index = block.index(); index < tiles; index += block.blocks()) {
        const int64_t plane = index / task.tiles_of_plane;
        const int exponent = task.again ? task.second_exponents[plane / task.planes] : task.usual_exponent;
        if (exponent != no_exponent)
            Way::add_tile(block, args, plane, index - plane * task.tiles_of_plane, power_of_two(exponent));
    }
    if (block.comes_last(&task.batch->arrivals))
        collect(block, task);
}

} // namespace iqa::cuda
