// SPDX-License-Identifier: MIT
// The derivative of an error by each sample.
#pragma once

#include "arith/squared_error.h"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

static void error_derivatives(const error_slope &slope, const double *reference, const double *candidate,
                              const float *weights, int64_t count, double *derivatives)
{
    for (int64_t i = 0; i < count; ++i)
        derivatives[i] =
            error_derivative(slope, reference[i], candidate[i], weights == nullptr ? 1.0 : double(weights[i]));
}

} // namespace iqa::IQA_INSTRUCTION_SET
