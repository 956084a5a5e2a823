// SPDX-License-Identifier: MIT
// The last step of derivatives whose factor was not known before: see ssim_and_gradient in backend/backend.hpp.
#pragma once

#include "arith/portable.h"
#include "cpu/images/gather.inl"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

template <class Held>
static void finish_derivatives_in(const derivatives_of_sum &run, Held *held)
{
    const float *const __restrict shares = run.shares;
    const int64_t count = run.count;
    const float factor = run.factor;
    const double scale = run.scale;
    const double gain = run.gain;
    const auto times_factor = [=](Held derivative) {
        return double(float(derivative) * factor);
    };
    const auto stored = [=](double derivative) {
        return with_one_nan(Held(derivative * gain));
    };
    with_step(run.step, [=](auto apart) {
        if (shares == nullptr) // adding 0 would turn -0 into 0
            for (int64_t i = 0; i < count; ++i)
                held[i * apart] = stored(times_factor(held[i * apart]));
        else
            for (int64_t i = 0; i < count / 2; ++i) {
                const double share = double(shares[i]) * scale;
                Held *const first = held + 2 * i * apart;
                Held *const second = first + apart;
                *first = stored(times_factor(*first) + share);
                *second = stored(times_factor(*second) + share);
            }
    });
}

static void finish_derivatives(const derivatives_of_sum &run)
{
    if (run.is_double)
        finish_derivatives_in(run, static_cast<double *>(run.data));
    else
        finish_derivatives_in(run, static_cast<float *>(run.data));
}

} // namespace iqa::IQA_INSTRUCTION_SET
