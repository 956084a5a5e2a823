// SPDX-License-Identifier: MIT
// Counts of samples outside the data range.
#pragma once

#include "arith/element_type.h"
#include "arith/half.h"
#include "arith/portable.h"
#include "cpu/images/gather.inl"
#include "cpu/images/kernels.hpp"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

// The smallest Limit that is at least `bound`, and the largest that is at most `bound`. Comparing a sample with these
// is the same as comparing it with the double.
static float at_least(double bound, float)
{
    const float near = float(bound);
    if (double(near) >= bound)
        return near;
    const uint32_t bits = bits_of(near);
    return near == 0 ? 0x1p-149f : float_from_bits(near > 0 ? bits + 1 : bits - 1);
}

static double at_least(double bound, double)
{
    return bound;
}

static int32_t at_least(double bound, int32_t)
{
    constexpr double beyond = 100000.0; // further than any 16-bit sample
    if (bound <= -beyond)
        return int32_t(-beyond);
    if (bound >= beyond)
        return int32_t(beyond);
    const int32_t whole = int32_t(bound);
    return double(whole) < bound ? whole + 1 : whole;
}

template <class Limit>
static Limit at_most(double bound, Limit kind)
{
    return -at_least(-bound, kind);
}

// A sample as it is compared with the range, in the type of its limits.
template <class Sample>
static auto limit_for(Sample sample)
{
    if constexpr (integer_sample<Sample>)
        return int32_t(sample);
    else
        return widen(sample);
}

template <class Limit, class Sample>
static int64_t count_outside(const Sample *samples, int64_t count, int64_t step, data_range range)
{
    constexpr int64_t block = 1 << 20; // counts of one block fit the lanes of the samples
    const Limit low = at_least(range.low, Limit());
    const Limit high = at_most(range.high, Limit());
    int64_t outside = 0;
    for (int64_t from = 0; from < count; from += block) {
        const int64_t to = count - from > block ? from + block : count;
        int32_t part = 0;
        if (step == 1) {
            for (int64_t i = from; i < to; ++i) {
                const Limit value = Limit(widen(samples[i]));
                part += !((value >= low) & (value <= high));
            }
        } else {
            for (int64_t i = from; i < to; ++i) {
                const Limit value = Limit(widen(samples[i * step]));
                part += !((value >= low) & (value <= high));
            }
        }
        outside += part;
    }
    return outside;
}

template <class Limit, class Sample>
static void count_samples_of(const void *data, int64_t count, int64_t step, data_range range, sample_counts &counts)
{
    const Sample *samples = static_cast<const Sample *>(data);
    const int64_t outside = count_outside<Limit>(samples, count, step, range);
    counts.outside += outside;
    if (outside == 0)
        return;
    for (int64_t i = 0; i < count; ++i)
        counts.nonfinite += !is_finite(widen(samples[i * step]));
}

static void count_run(element_type type, const void *data, int64_t count, int64_t step, data_range range,
                      sample_counts &counts)
{
    with_sample_type(type, [&]<class Sample>(Sample sample) {
        count_samples_of<decltype(limit_for(sample)), Sample>(data, count, step, range, counts);
    });
}

static void count_samples(const sample_run &run, data_range range, sample_counts &counts)
{
    count_run(run.type, run.reference, run.count, run.reference_step, range, counts);
    count_run(run.type, run.candidate, run.count, run.candidate_step, range, counts);
}

// In float, or in double for samples of float64.
template <class Real>
static void count_chosen_in(const sample_run &run, const sample_choice &choice, data_range range, sample_counts &counts)
{
    constexpr int64_t block = 128; // keeps frames small
    const Real low = at_least(range.low, Real());
    const Real high = at_most(range.high, Real());
    Real samples[2][block];
    int32_t chosen[block];
    for (int64_t from = 0; from < run.count; from += block) {
        const int64_t length = run.count - from < block ? run.count - from : block;
        const auto read = [&](const void *data, int64_t step, Real *to) {
            with_sample_type(run.type, [&]<class Sample>(Sample) {
                widen_run<Sample>(static_cast<const Sample *>(data) + from * step, step, length, Real(1), to);
            });
        };
        read(run.reference, run.reference_step, samples[0]);
        read(run.candidate, run.candidate_step, samples[1]);
        for (int64_t i = 0; i < length; ++i)
            chosen[i] = 1;
        if (choice.weights != nullptr)
            with_weight_type(choice.type, [&]<class Weight>(Weight) {
                const auto *weights = static_cast<const Weight *>(choice.weights) + from * choice.weight_step;
                with_step(choice.weight_step, [&](auto apart) {
                    for (int64_t i = 0; i < length; ++i)
                        chosen[i] = weights[i * apart] > Weight(0);
                });
            });
        if (choice.mask_nonfinite)
            for (int64_t i = 0; i < length; ++i)
                chosen[i] &= int32_t(is_finite(samples[0][i])) & int32_t(is_finite(samples[1][i]));
        int32_t outside = 0;
        int32_t nonfinite = 0;
        for (const auto &side : samples)
            for (int64_t i = 0; i < length; ++i) {
                outside += chosen[i] & !((side[i] >= low) & (side[i] <= high));
                nonfinite += chosen[i] & !is_finite(side[i]);
            }
        counts.outside += outside;
        counts.nonfinite += nonfinite;
    }
}

static void count_chosen(const sample_run &run, const sample_choice &choice, data_range range, sample_counts &counts)
{
    if (run.type == element_type::float64)
        count_chosen_in<double>(run, choice, range, counts);
    else
        count_chosen_in<float>(run, choice, range, counts);
}

} // namespace iqa::IQA_INSTRUCTION_SET
