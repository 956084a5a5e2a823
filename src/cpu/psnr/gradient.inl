// SPDX-License-Identifier: MIT
// The derivatives of an error by the samples of a run.
#pragma once

#include "arith/squared_error.h"
#include "cpu/images/gather.inl"
#include "cpu/isa/instruction_set.h"
#include "cpu/psnr/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

template <bool of_magnitude, class Sample, class Weight>
static void derivatives_of(const error_slope &slope, const Sample *__restrict reference,
                           const Sample *__restrict candidate, const Weight &weight, int64_t count,
                           double *__restrict derivatives)
{
    const error_slope known = {slope.before, slope.factor, slope.after, of_magnitude};
    for (int64_t i = 0; i < count; ++i)
        derivatives[i] = error_derivative(known, double(reference[i]), double(candidate[i]), weight(i));
}

static void error_derivatives(const error_slope &slope, element_type type, const void *reference, const void *candidate,
                              const float *weights, int64_t count, double *derivatives)
{
    with_gathered_type(type, [&]<class Sample>(Sample) {
        const auto derive = [&](const auto &weight) {
            const auto *x = static_cast<const Sample *>(reference);
            const auto *y = static_cast<const Sample *>(candidate);
            if (slope.of_magnitude)
                derivatives_of<true>(slope, x, y, weight, count, derivatives);
            else
                derivatives_of<false>(slope, x, y, weight, count, derivatives);
        };
        if (weights == nullptr)
            derive([](int64_t) { return 1.0; });
        else
            derive([=](int64_t i) { return double(weights[i]); });
    });
}

// Adding 0 turns -0 into 0.
template <class Real>
static void store_products(const double *values, double factor, int64_t count, int64_t step, Real *to)
{
    with_step(step, [=](auto apart) {
        for (int64_t i = 0; i < count; ++i)
            to[i * apart] = Real(values[i] * factor + 0.0);
    });
}

static void store_derivatives(const double *derivatives, double factor, int64_t count, const derivative_place &to)
{
    if (to.is_double)
        store_products(derivatives, factor, count, to.step, static_cast<double *>(to.data));
    else
        store_products(derivatives, factor, count, to.step, static_cast<float *>(to.data));
}

} // namespace iqa::IQA_INSTRUCTION_SET
