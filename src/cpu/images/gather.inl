// SPDX-License-Identifier: MIT
// Strided runs of samples into dense memory, as they are or widened.
#pragma once

#include "arith/element_type.h"
#include "arith/half.h"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

// Copies a strided run into dense memory; the 16-bit floating-point types are widened.
static void gather(element_type type, const void *samples, int64_t step, int64_t count, void *dense)
{
    with_sample_type(type, [&]<class Sample>(Sample) {
        const auto *from = static_cast<const Sample *>(samples);
        if constexpr (integer_sample<Sample>) {
            auto *to = static_cast<Sample *>(dense);
            for (int64_t i = 0; i < count; ++i)
                to[i] = from[i * step];
        } else {
            auto *to = static_cast<decltype(widen(Sample())) *>(dense);
            for (int64_t i = 0; i < count; ++i)
                to[i] = widen(from[i * step]);
        }
    });
}

template <class Sample, class Real>
static void widen_run(const void *samples, int64_t step, int64_t count, Real gain, Real *out)
{
    const Sample *from = static_cast<const Sample *>(samples);
    if (step == 1)
        for (int64_t i = 0; i < count; ++i)
            out[i] = Real(widen(from[i])) * gain;
    else
        for (int64_t i = 0; i < count; ++i)
            out[i] = Real(widen(from[i * step])) * gain;
}

// `count` samples from an address on, times a gain.
template <class Real>
static void read_run(element_type type, const void *samples, int64_t step, int64_t count, Real gain, Real *out)
{
    with_sample_type(type, [&]<class Sample>(Sample) { widen_run<Sample>(samples, step, count, gain, out); });
}

static void widen_samples(element_type type, const void *samples, int64_t step, int64_t count, double *out)
{
    read_run(type, samples, step, count, 1.0, out);
}

} // namespace iqa::IQA_INSTRUCTION_SET
