// SPDX-License-Identifier: MIT
// The requests of PSNR and the mean errors to a device: sums over pairs of samples, and derivatives of errors.
#pragma once

#include "arith/exact_sum.h"
#include "arith/squared_error.h"
#include "backend/images.hpp"

namespace iqa {

// Sums of a term over the pairs of samples of a batch.
struct pair_sums_request {
    error_term term;
    weighted_images source;
    data_range range;
    bool by_channel;

    // Results. An invalid weight (NaN, below 0, above 1) sets `report`; the other results are then unspecified.
    fault *report;
    pair_sum *sums;                      // [images * (by_channel ? channels : 1)]
    int128 *weights;                     // likewise: the sum of weights in units of 2^-pixel_weight_bits
    sample_counts *counts;               // [images], of samples with a weight above 0
    bool *overflow;                      // [images]: the difference of finite samples overflows a double
    sample_extremes *extremes = nullptr; // like the sums; with error_term::reference alone
};

// Derivatives of each image's value by its samples: see arith/squared_error.h.
struct error_gradient_request {
    weighted_images source;
    const error_slope *slopes;        // [images]
    output_view reference, candidate; // `data` may be NULL
};

} // namespace iqa
