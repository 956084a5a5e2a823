// SPDX-License-Identifier: MIT
// Counts of samples outside the data range.
#pragma once

#include "arith/element_type.h"
#include "arith/half.h"
#include "arith/portable.h"
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
    with_sample_type(type, [&]<class Sample>(Sample) {
        if constexpr (integer_sample<Sample>)
            count_samples_of<int32_t, Sample>(data, count, step, range, counts);
        else
            count_samples_of<decltype(widen(Sample())), Sample>(data, count, step, range, counts);
    });
}

static void count_samples(const sample_run &run, data_range range, sample_counts &counts)
{
    count_run(run.type, run.reference, run.count, run.reference_step, range, counts);
    count_run(run.type, run.candidate, run.count, run.candidate_step, range, counts);
}

} // namespace iqa::IQA_INSTRUCTION_SET
