// SPDX-License-Identifier: MIT
// Dense runs of pixels with weights: which of them count, and their luma.
#pragma once

#include "arith/element_type.h"
#include "arith/luma.h"
#include "arith/portable.h"
#include "arith/weight.h"
#include "cpu/images/kernels.hpp"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

static void gather_weights(weight_type type, const void *data, int64_t step, int64_t count, float *weights)
{
    switch (type) {
    case weight_type::float32:
        for (int64_t i = 0; i < count; ++i)
            weights[i] = weight_on_grid(double(static_cast<const float *>(data)[i * step]));
        break;
    case weight_type::float64:
        for (int64_t i = 0; i < count; ++i)
            weights[i] = weight_on_grid(static_cast<const double *>(data)[i * step]);
        break;
    default: // bool, uint8
        for (int64_t i = 0; i < count; ++i)
            weights[i] = static_cast<const uint8_t *>(data)[i * step] != 0 ? 1.0f : 0.0f;
        break;
    }
}

// An invalid weight stays one.
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

static weight_survey survey_weights(const float *weights, int64_t count)
{
    int64_t units = 0;
    int32_t zero = 0;
    int32_t between = 0;
    int32_t invalid = 0;
    for (int64_t i = 0; i < count; ++i) {
        units += units_of_weight(weights[i]);
        zero |= weights[i] == 0.0f;
        between |= (weights[i] != 0.0f) & (weights[i] != 1.0f);
        invalid |= weights[i] < 0.0f;
    }
    return {units, zero != 0, between != 0, invalid != 0};
}

template <class Sample>
static int64_t keep_weighted_of(Sample *samples, const float *weights, int64_t count)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; ++i) {
        const bool wanted = weights[i] != 0.0f;
        samples[kept] = samples[i];
        kept += wanted;
    }
    return kept;
}

static int64_t keep_weighted(element_type type, void *samples, const float *weights, int64_t count)
{
    switch (type) {
    case element_type::uint8:
        return keep_weighted_of(static_cast<uint8_t *>(samples), weights, count);
    case element_type::uint16:
        return keep_weighted_of(static_cast<uint16_t *>(samples), weights, count);
    case element_type::int16:
        return keep_weighted_of(static_cast<int16_t *>(samples), weights, count);
    case element_type::float64:
        return keep_weighted_of(static_cast<double *>(samples), weights, count);
    default:
        return keep_weighted_of(static_cast<float *>(samples), weights, count);
    }
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
    switch (type) {
    case element_type::uint8:
        samples_to_double<uint8_t>(channels, luma, count, samples);
        break;
    case element_type::uint16:
        samples_to_double<uint16_t>(channels, luma, count, samples);
        break;
    case element_type::int16:
        samples_to_double<int16_t>(channels, luma, count, samples);
        break;
    case element_type::float64:
        samples_to_double<double>(channels, luma, count, samples);
        break;
    default:
        samples_to_double<float>(channels, luma, count, samples);
        break;
    }
}

} // namespace iqa::IQA_INSTRUCTION_SET
