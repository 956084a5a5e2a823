// SPDX-License-Identifier: MIT
// The arguments of the kernels for samples.
#pragma once

#include "arith/element_type.h"

namespace iqa {

// One image plane, or one image with interleaved channels. Strides in elements.
struct sample_plane {
    const void *data;
    int64_t row_stride;
    int64_t column_stride;
};

// A run of samples of both images. Steps in elements.
struct sample_run {
    element_type type;
    const void *reference, *candidate;
    int64_t count;
    int64_t reference_step, candidate_step;
    const float *weights = nullptr; // dense; NULL: each is 1
};

// The samples of a run that count: those whose weight is above 0, and of them only pairs of finite ones where others
// are masked.
struct sample_choice {
    const void *weights; // of each sample, `weight_step` elements apart; NULL: each is 1
    weight_type type;
    int64_t weight_step;
    bool mask_nonfinite;
};

// The weights of a run after non-finite samples were masked.
struct weight_survey {
    int64_t units;       // their sum in units of 2^-pixel_weight_bits
    int64_t zeros;       // how many are 0
    bool any_fractional; // a weight is neither 0 nor 1
    bool any_invalid;
};

} // namespace iqa
