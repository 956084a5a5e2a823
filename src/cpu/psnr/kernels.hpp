// SPDX-License-Identifier: MIT
// What the kernels of sums over pairs of samples add to.
#pragma once

#include "arith/squared_error.h"
#include "cpu/images/kernels.hpp"

namespace iqa {

// What the runs of samples add to: see arith/squared_error.h.
struct pair_total {
    int128 limb[error_limbs];
    double largest; // |difference|, or |reference|, after scaling; infinite if a difference overflowed
    // Of floating-point samples: bounds of all of them, and whether there may be non-finite ones. It spares ordinary
    // images a second look at every sample.
    double least_sample, most_sample;
    bool nonfinite;
    sample_extremes reference; // with error_term::reference alone
};

} // namespace iqa
