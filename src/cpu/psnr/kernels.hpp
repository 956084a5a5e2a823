// SPDX-License-Identifier: MIT
// The totals of the kernels for sums over pairs of samples, and the places of derivatives.
#pragma once

#include "arith/squared_error.h"
#include "cpu/images/kernels.hpp"

namespace iqa {

// Sums over runs of samples: see arith/squared_error.h.
struct pair_total {
    int128 limb[error_limbs];
    double largest; // |difference|, or |reference|, after scaling; infinite if a difference overflowed
    // Of floating-point samples: bounds of all samples, and true if a sample may be non-finite. They spare ordinary
    // images a second pass over every sample.
    double least_sample, most_sample;
    bool nonfinite;
    sample_extremes reference; // with error_term::reference alone
};

// Where derivatives are stored: the first one's address, and the step to the next in elements.
struct derivative_place {
    void *data;
    bool is_double; // else float
    int64_t step;
};

} // namespace iqa
