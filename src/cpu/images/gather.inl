// SPDX-License-Identifier: MIT
// Strided runs of samples into dense memory, as they are or widened.
#pragma once

#include "arith/element_type.h"
#include "arith/half.h"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

// The steps of usual images as constants, with which the compiler loads whole vectors.
template <int step>
struct constant_step {
    constexpr operator int64_t() const { return step; }
};

template <class Visit>
static void with_step(int64_t step, const Visit &visit)
{
    switch (step) {
    case 1:
        return visit(constant_step<1>());
    case 3:
        return visit(constant_step<3>());
    case 4:
        return visit(constant_step<4>());
    default:
        return visit(step);
    }
}

// Fetches what is read a few rows later: the rows of a tile lie too far apart for the hardware to foresee. The rows
// between would fill the first cache.
constexpr int rows_ahead = 8;
static inline void prefetch_run(const void *run, int64_t bytes)
{
    for (int64_t at = 0; at < bytes; at += 64)
        __builtin_prefetch(static_cast<const char *>(run) + at, 0, into_second_cache);
    __builtin_prefetch(static_cast<const char *>(run) + bytes - 1, 0, into_second_cache); // the line where the run ends
}

// Fetches what follows a run of a stream, where the processor does not look far enough ahead by itself.
static inline void prefetch_next(const void *run, int64_t bytes)
{
    prefetch_run(reinterpret_cast<const void *>(uintptr_t(run) + uintptr_t(bytes)), bytes);
}

// Copies a strided run into dense memory; the 16-bit floating-point types are widened.
static void gather(element_type type, const void *samples, int64_t step, int64_t count, void *dense)
{
    with_sample_type(type, [&]<class Sample>(Sample) {
        if (step == 1)
            prefetch_next(samples, count * int64_t(sizeof(Sample)));
        const auto copy = [&](auto *__restrict to) {
            const auto *__restrict from = static_cast<const Sample *>(samples);
            with_step(step, [=](auto apart) {
                for (int64_t i = 0; i < count; ++i)
                    if constexpr (integer_sample<Sample>)
                        to[i] = from[i * apart];
                    else
                        to[i] = widen(from[i * apart]);
            });
        };
        if constexpr (integer_sample<Sample>)
            copy(static_cast<Sample *>(dense));
        else
            copy(static_cast<decltype(widen(Sample())) *>(dense));
    });
}

template <class Sample, class Real>
static void widen_run(const void *samples, int64_t step, int64_t count, Real gain, Real *__restrict out)
{
    const Sample *__restrict from = static_cast<const Sample *>(samples);
    with_step(step, [=](auto apart) {
        for (int64_t i = 0; i < count; ++i)
            out[i] = Real(widen(from[i * apart])) * gain;
    });
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
