// SPDX-License-Identifier: MIT
// The last step of a level's derivatives, where the smaller image's pixels are means of two by two.
#pragma once

#include "core/tensor.hpp"
#include "cpu/images/gather.inl"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

template <class Held>
static void finish_pairs_of(const pairs_of_derivatives &run, Held *held)
{
    const float *const __restrict shares = run.shares;
    const float factor = run.factor;
    const double scale = run.scale;
    const double gain = run.gain;
    const int64_t pairs = run.pairs;
    with_step(run.step, [=](auto apart) {
        for (int64_t pair = 0; pair < pairs; ++pair) {
            const double share = double(shares[pair]) * scale;
            Held *const first = held + 2 * pair * apart;
            Held *const second = first + apart;
            *first = with_one_nan(Held((double(float(*first) * factor) + share) * gain));
            *second = with_one_nan(Held((double(float(*second) * factor) + share) * gain));
        }
    });
}

static void finish_pairs(const pairs_of_derivatives &run)
{
    if (run.is_double)
        finish_pairs_of(run, static_cast<double *>(run.data));
    else
        finish_pairs_of(run, static_cast<float *>(run.data));
}

} // namespace iqa::IQA_INSTRUCTION_SET
