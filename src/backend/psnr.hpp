// SPDX-License-Identifier: MIT
// The requests of PSNR and the mean errors to a device: sums over pairs of samples, and derivatives of errors.
#pragma once

#include <span>

#include "arith/exact_sum.h"
#include "arith/squared_error.h"
#include "backend/images.hpp"

namespace iqa {

struct term_sums {
    error_term term;
    // Results.
    pair_sum *sums = nullptr;            // [images * (by_channel ? channels : 1)]
    sample_extremes *extremes = nullptr; // like the sums; of error_term::reference alone
};

// Sums of some terms, each once at most, over the pairs of samples of a batch.
struct pair_sums_request {
    std::span<const term_sums> terms;
    weighted_images source;
    data_range range;
    bool by_channel;

    // Results. An invalid weight (NaN, below 0, above 1) sets `report`; the other results are then unspecified.
    fault *report;
    int128 *weights;       // like a term's sums: the sum of weights in units of 2^-pixel_weight_bits
    sample_counts *counts; // [images], of samples with a weight above 0
    bool *overflow;        // [images]: the last term of finite samples overflows a double
};

// Derivatives of each image's value by its samples: see arith/squared_error.h.
struct error_gradient_request {
    weighted_images source;
    const error_slope *slopes;        // [images]
    output_view reference, candidate; // `data` may be NULL
};

} // namespace iqa
