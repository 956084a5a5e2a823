// SPDX-License-Identifier: MIT
// Requests that several image metrics share.
#pragma once

#include "arith/luma.h"
#include "core/device.hpp"
#include "core/tensor.hpp"

namespace iqa {

// Counts of samples outside the data range and of non-finite samples; masked samples are not counted. An invalid weight
// (NaN, below 0, above 1) sets `report`; `counts` is then unspecified.
struct count_request {
    image_pair images;
    weight_view weights;
    data_range range;
    bool mask_nonfinite;
    sample_counts *counts; // [images]
    fault *report;
};

// Images, and the weights of their samples.
struct weighted_images {
    image_pair images;
    weight_view weights;   // without data: 1 for each sample
    const luma_rule *luma; // three channels are measured as one; NULL: each channel is
    bool mask_nonfinite;   // a sample that is not finite in either image has weight 0

    bool masks() const { return mask_nonfinite && !is_integer(images.reference.type); }
    // All samples count alike. Otherwise their positions are needed, to find weights and channels.
    bool is_plain() const { return weights.data == nullptr && luma == nullptr && !masks(); }
    int64_t channels() const { return luma != nullptr ? 1 : images.reference.channels; }
};

} // namespace iqa
