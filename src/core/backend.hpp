// SPDX-License-Identifier: MIT
// What a device must be able to do: one struct of functions. src/cpu and cuda/ each fill it in and never see each
// other; metrics never see more than this. All results are integers on the grids of src/arith.
#pragma once

#include "arith/border.h"
#include "arith/exact_sum.h"
#include "arith/squared_error.h"
#include "arith/ssim_blocks.h"
#include "core/context.hpp"
#include "core/labels.hpp"
#include "core/tensor.hpp"

namespace iqa {

// An SSIM window and its constants, resolved from the options and the element type.
struct ssim_plan {
    border_mode border;
    int taps_y, taps_x; // odd
    const double *weights_y, *weights_x;
    double twice_c1, twice_c2; // for samples multiplied by `scale`
    double covariance;
    double scale; // a power of two that brings the peak value into [1, 2)
    bool double_arithmetic;
    data_range range;
};

// SSIM of a batch. The map has extents out_height x out_width.
struct ssim_request {
    const ssim_plan *plan;
    image_pair images;
    int64_t out_height, out_width;
    output_view map;
    bool by_channel; // sums for each channel apart, which costs a little for interleaved images

    // Results. A sum is over a map's pixels in units of 2^-ssim_double_bits; NaN and overflow leave it meaningless.
    int128 *sums;          // [images * (by_channel ? channels : 1)]
    sample_counts *counts; // [images], both images together
    bool *not_a_number;    // [images]: some pixel of the map is NaN
};

// SSIM over blocks of a batch of uint8 or uint16 images of at least block_size pixels down and across.
struct ssim_blocks_request {
    image_pair images;
    data_range range;
    ssim_block_constants constants;

    // Results. A sum is over a channel's blocks in units of 2^-ssim_double_bits.
    int128 *sums;          // [images * channels]
    sample_counts *counts; // [images], both images together
};

// An exact sum of squared errors: sum over i of level[i] * 2^exponent[i].
struct squared_error_sum {
    int128 level[error_levels];
    int exponent[error_levels];
};

// Squared errors of a batch.
struct squared_error_request {
    image_pair images;
    data_range range;
    bool by_channel;

    // Results.
    squared_error_sum *sums; // [images * (by_channel ? channels : 1)]
    sample_counts *counts;   // [images]
    bool *overflow;          // [images]: finite samples whose difference overflows a double
};

// How labels become codes; see arith/confusion.h.
struct label_rules {
    int64_t classes; // C
    int64_t codes;   // classes that a label may name: C, or 2 for the yes and no of a multilabel class
    bool multilabel;
    bool ignoring;
    int64_t ignore_label;
    double threshold;
    int64_t top_k;
    bool invalid_is_error;
    bool invalid_is_wrong; // else dropped
};

// Labels outside the classes, and the first of them in the order of the caller's axes.
struct invalid_labels {
    int64_t count; // elements with one on either side
    int side;
    int64_t position; // in label_pair::all
    int64_t label;
};

// Confusion counts of a batch. Either all of it is added, or nothing.
struct confusion_request {
    const label_pair *labels;
    label_rules rules;
    confusion_layout layout;
    int64_t *lanes; // what is added to
    // Where samples are wanted one by one: their counts, cleared before each sample and complete when it is done.
    confusion_layout sample_layout;
    int64_t *sample_lanes; // NULL where they are not
    void (*sample_done)(void *receiver, int64_t sample);
    void *receiver;

    // Results. With an error nothing was added.
    int64_t elements, ignored;
    invalid_labels invalid;
    int64_t bad_weight; // the position of the first weight that is negative, not finite or out of range; else -1
};

struct backend {
    const char *name;
    void (*ssim)(context &where, scratch &memory, ssim_request &request);
    void (*ssim_blocks)(context &where, scratch &memory, ssim_blocks_request &request);
    void (*squared_error)(context &where, scratch &memory, squared_error_request &request);
    void (*confusion)(context &where, scratch &memory, confusion_request &request);
};

const backend &cpu_backend();
const backend &cuda_backend(); // throws IQA_ERROR_UNAVAILABLE with the reason
const char *cuda_state();

// The backend of the device where both tensors of an update live.
const backend &backend_of(const iqa_tensor *reference, const iqa_tensor *candidate);

} // namespace iqa
