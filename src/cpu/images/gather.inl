// SPDX-License-Identifier: MIT
// Runs of samples, brought next to each other: as they are, or widened.
#pragma once

#include "arith/element_type.h"
#include "arith/half.h"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

// Copies a strided run into dense memory; the 16-bit floating-point types are widened.
template <class Sample, class Dense>
static void gather_samples(const void *samples, int64_t step, int64_t count, void *dense)
{
    const Sample *from = static_cast<const Sample *>(samples);
    Dense *to = static_cast<Dense *>(dense);
    for (int64_t i = 0; i < count; ++i)
        to[i] = Dense(widen(from[i * step]));
}

static void gather(element_type type, const void *samples, int64_t step, int64_t count, void *dense)
{
    switch (type) {
    case element_type::uint8:
        gather_samples<uint8_t, uint8_t>(samples, step, count, dense);
        break;
    case element_type::uint16:
        gather_samples<uint16_t, uint16_t>(samples, step, count, dense);
        break;
    case element_type::int16:
        gather_samples<int16_t, int16_t>(samples, step, count, dense);
        break;
    case element_type::float16:
        gather_samples<float16, float>(samples, step, count, dense);
        break;
    case element_type::bfloat16:
        gather_samples<bfloat16, float>(samples, step, count, dense);
        break;
    case element_type::float32:
        gather_samples<float, float>(samples, step, count, dense);
        break;
    case element_type::float64:
        gather_samples<double, double>(samples, step, count, dense);
        break;
    }
}

template <class Sample, class Real>
static void widen_run(const void *samples, int64_t step, int64_t count, Real scale, Real *out)
{
    const Sample *from = static_cast<const Sample *>(samples);
    if (step == 1)
        for (int64_t i = 0; i < count; ++i)
            out[i] = Real(widen(from[i])) * scale;
    else
        for (int64_t i = 0; i < count; ++i)
            out[i] = Real(widen(from[i * step])) * scale;
}

// `count` samples from an address on, times a scale.
template <class Real>
static void read_run(element_type type, const void *samples, int64_t step, int64_t count, Real scale, Real *out)
{
    switch (type) {
    case element_type::uint8:
        return widen_run<uint8_t>(samples, step, count, scale, out);
    case element_type::uint16:
        return widen_run<uint16_t>(samples, step, count, scale, out);
    case element_type::int16:
        return widen_run<int16_t>(samples, step, count, scale, out);
    case element_type::float16:
        return widen_run<float16>(samples, step, count, scale, out);
    case element_type::bfloat16:
        return widen_run<bfloat16>(samples, step, count, scale, out);
    case element_type::float32:
        return widen_run<float>(samples, step, count, scale, out);
    case element_type::float64:
        return widen_run<double>(samples, step, count, scale, out);
    }
}

static void widen_samples(element_type type, const void *samples, int64_t step, int64_t count, double *out)
{
    read_run(type, samples, step, count, 1.0, out);
}

} // namespace iqa::IQA_INSTRUCTION_SET
