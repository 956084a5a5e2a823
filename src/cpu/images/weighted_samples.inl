// SPDX-License-Identifier: MIT
// Dense runs of pixels with weights: masks, selection, and luma.
#pragma once

#include "arith/element_type.h"
#include "arith/luma.h"
#include "arith/portable.h"
#include "arith/weight.h"
#include "cpu/images/gather.inl"
#include "cpu/images/kernels.hpp"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

static void gather_weights(weight_type type, const void *data, int64_t step, int64_t count, float *weights)
{
    with_weight_type(type, [&]<class Weight>(Weight) {
        const auto *from = static_cast<const Weight *>(data);
        if (step == 1)
            prefetch_next(from, count * int64_t(sizeof(Weight)));
        for (int64_t i = 0; i < count; ++i)
            weights[i] = weight_on_grid(from[i * step]);
    });
}

// True if all are weights: from 0 to 1.
static bool are_weights(weight_type type, const void *data, int64_t step, int64_t count)
{
    int32_t invalid = 0;
    with_weight_type(type, [&]<class Weight>(Weight) {
        const auto *from = static_cast<const Weight *>(data);
        with_step(step, [&](auto apart) {
            for (int64_t i = 0; i < count; ++i) {
                const Weight weight = from[i * apart];
                invalid |= !((weight >= Weight(0)) & (weight <= Weight(1)));
            }
        });
    });
    return invalid == 0;
}

// An invalid weight stays invalid.
template <class Real>
static void mask_nonfinite_of(const Real *samples, int64_t count, float *weights)
{
    for (int64_t i = 0; i < count; ++i) {
        const float otherwise = weights[i] < 0.0f ? weights[i] : 0.0f;
        weights[i] = is_finite(samples[i]) ? weights[i] : otherwise;
    }
}

static void mask_nonfinite(element_type type, const void *samples, int64_t count, float *weights)
{
    if (type == element_type::float64)
        mask_nonfinite_of(static_cast<const double *>(samples), count, weights);
    else
        mask_nonfinite_of(static_cast<const float *>(samples), count, weights);
}

// Of at most 2^19 weights, so that the sums of the halves of their units fit 32 bits, as all else does in the same
// lanes.
static weight_survey survey_weights(const float *weights, int64_t count)
{
    constexpr int half = pixel_weight_bits / 2;
    int32_t upper = 0;
    int32_t lower = 0;
    int32_t zeros = 0;
    int32_t bits = 0; // of any weight
    for (int64_t i = 0; i < count; ++i) {
        const int32_t units = units_of_weight(weights[i]);
        upper += units >> half;
        lower += units & ((1 << half) - 1);
        zeros += units == 0;
        bits |= units;
    }
    constexpr int32_t fraction = (1 << pixel_weight_bits) - 1;
    return {(int64_t(upper) << half) + lower, zeros, (bits & fraction) != 0, bits < 0};
}

static void replace_masked(element_type type, const void *samples, const float *weights, int64_t count, const void *by,
                           void *replaced)
{
    with_gathered_type(type, [&]<class Sample>(Sample) {
        const Sample *const from = static_cast<const Sample *>(samples);
        Sample *const to = static_cast<Sample *>(replaced);
        const Sample other = *static_cast<const Sample *>(by);
        for (int64_t i = 0; i < count; ++i)
            to[i] = weights[i] != 0.0f ? from[i] : other;
    });
}

template <class Sample>
static void samples_to_double(const void *const *channels, const luma_rule *luma, int64_t count, double *samples)
{
    const Sample *red = static_cast<const Sample *>(channels[0]);
    if (luma == nullptr) {
        for (int64_t i = 0; i < count; ++i)
            samples[i] = double(red[i]);
        return;
    }
    const Sample *green = static_cast<const Sample *>(channels[1]);
    const Sample *blue = static_cast<const Sample *>(channels[2]);
    for (int64_t i = 0; i < count; ++i)
        samples[i] = luma_of(*luma, double(red[i]), double(green[i]), double(blue[i]));
}

static void to_double(element_type type, const void *const *channels, const luma_rule *luma, int64_t count,
                      double *samples)
{
    with_gathered_type(type, [&]<class Sample>(Sample) { samples_to_double<Sample>(channels, luma, count, samples); });
}

} // namespace iqa::IQA_INSTRUCTION_SET
