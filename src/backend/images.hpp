// SPDX-License-Identifier: MIT
// Requests that several image metrics have in common.
#pragma once

#include "arith/luma.h"
#include "core/device.hpp"
#include "core/tensor.hpp"

namespace iqa {

// Samples outside the data range and not finite; masked ones are not counted. A weight that is none is reported, and
// the counts mean nothing then.
struct count_request {
    image_pair images;
    weight_view weights;
    data_range range;
    bool mask_nonfinite;
    sample_counts *counts; // [images]
    fault *report;
};

// Images, and what of them counts.
struct weighted_images {
    image_pair images;
    weight_view weights;   // without data: 1 for each sample
    const luma_rule *luma; // three channels are measured as one; NULL: channels as they are
    bool mask_nonfinite;   // a sample that is not finite in either image has weight 0

    bool masks() const { return mask_nonfinite && !is_integer(images.reference.type); }
    // All samples are taken as they are. Otherwise their places are needed, to find their weights and channels.
    bool is_plain() const { return weights.data == nullptr && luma == nullptr && !masks(); }
    int64_t channels() const { return luma != nullptr ? 1 : images.reference.channels; }
};

} // namespace iqa
