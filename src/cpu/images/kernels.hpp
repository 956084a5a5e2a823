// SPDX-License-Identifier: MIT
// What the kernels for samples work on.
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
    const float *weights = nullptr; // dense and above 0; NULL: 1 for each
};

// What a run of weights holds, after samples that are not finite were masked.
struct weight_survey {
    int64_t units;     // their sum in units of 2^-pixel_weight_bits
    bool some_zero;    // some are 0
    bool some_between; // some are neither 0 nor 1
    bool some_invalid;
};

} // namespace iqa
