// SPDX-License-Identifier: MIT
// What a device must be able to do: one struct of functions. src/cpu and cuda/ each fill it in and never see each
// other; metrics never see more than this. All results are integers on the grids of src/arith.
#pragma once

#include <span>

#include "arith/border.h"
#include "arith/exact_sum.h"
#include "arith/luma.h"
#include "arith/polynomial_kernel.h"
#include "arith/second_moment.h"
#include "arith/shrink.h"
#include "arith/squared_error.h"
#include "arith/ssim.h"
#include "arith/ssim_blocks.h"
#include "arith/window.h"
#include "core/context.hpp"
#include "core/device.hpp"
#include "core/labels.hpp"
#include "core/tensor.hpp"
#include "values/psnr.h"
#include "values/ssim.h"

namespace iqa {

// An SSIM window and its constants, resolved from the options and the element type.
struct ssim_plan {
    border_mode border;
    int taps_z, taps_y, taps_x; // odd
    const double *weights_z, *weights_y, *weights_x;
    double twice_c1, twice_c2; // for samples multiplied by `scale`
    double covariance;
    double scale; // a power of two that brings the peak value into [1, 2)
    bool double_arithmetic;
    data_range range;
    const luma_rule *luma; // NULL: none; else three channels are measured as one
    bool mask_nonfinite;   // samples that are not finite in either image have weight 0
    bool convolution;      // weights make the window means; else they only weigh the map
    double coverage;       // least share of a window that must not be masked
    bool negative_to_zero; // contrast-structure below 0 becomes 0
    bool wanted[ssim_parts];

    int64_t channels(const image_view &images) const { return luma != nullptr ? 1 : images.channels; }
    bool takes_luma(const image_view &images) const { return luma != nullptr && images.channels == 3; }
    bool weighs(const weight_view &weights) const { return weights.data != nullptr || mask_nonfinite; }
    bool weighs_means(const weight_view &weights) const { return convolution && weighs(weights); }
    // Images as they are, for which there are quicker kernels.
    bool is_plain(const image_view &images, const weight_view &weights) const
    {
        return images.depth == 1 && taps_z == 1 && !weighs(weights) && !takes_luma(images);
    }
    // The taps of z, y and x in the arithmetic's type, one after another. Returns their end.
    template <class Real>
    Real *round_all_taps(Real *to) const
    {
        round_taps(weights_z, taps_z, to);
        round_taps(weights_y, taps_y, to + taps_z);
        round_taps(weights_x, taps_x, to + taps_z + taps_y);
        return to + taps_z + taps_y + taps_x;
    }
};

// SSIM of a batch. The map has extents out_depth x out_height x out_width.
struct ssim_request {
    const ssim_plan *plan;
    image_pair images;
    weight_view weights;
    int64_t out_depth, out_height, out_width;
    output_view map; // of the first wanted part; NaN where a pixel is masked
    bool by_channel; // sums for each channel apart, which costs a little for interleaved images

    // Results, for each image and, with `by_channel`, each channel. NaN and overflow leave sums meaningless.
    int128 *sums;          // [...][ssim_parts], over a map's pixels in units of 2^-ssim_double_bits; with weights or
                           // masks of that times 2^-pixel_weight_bits
    int128 *weight;        // [...]: of the pixels summed, in units of 2^-pixel_weight_bits; only with weights or masks
    sample_counts *counts; // [images], both images together; NULL: not wanted
    bool *not_a_number;    // [images]: some pixel of the map is NaN
};

// Whether a request is for plain images and one sum: product or contrast-structure.
inline bool is_plain(const ssim_request &request)
{
    const ssim_plan &plan = *request.plan;
    const bool one_part = plan.wanted[ssim_product] != plan.wanted[ssim_contrast_structure];
    return plan.is_plain(request.images.reference, request.weights) && !plan.negative_to_zero &&
           !plan.wanted[ssim_luminance] && one_part;
}

// SSIM over blocks of a batch of uint8 or uint16 images of at least block_size pixels down and across.
struct ssim_blocks_request {
    image_pair images;
    data_range range;
    ssim_block_constants constants;

    // Results. A sum is over a channel's blocks in units of 2^-ssim_double_bits.
    int128 *sums;          // [images * channels]
    sample_counts *counts; // [images], both images together
};

// Smaller images: each pixel is the mean of a box. The results are dense, [images][channels][depth][height][width], in
// the arithmetic's type and multiplied by the plan's scale.
struct shrink_request {
    const ssim_plan *plan;
    image_pair images;
    weight_view weights;
    shrink_axis z, y, x;
    std::byte *reference, *candidate;
    std::byte *shrunk_weights; // with weights or masks; else NULL
};

// The derivatives of each image's value with respect to its samples.
struct ssim_gradient_request {
    const ssim_plan *plan; // wants the product, or contrast-structure alone
    image_pair images;
    weight_view weights;
    const double *factors; // [images][channels]: the value's derivative by each pixel of the map; NULL: by none
    output_view reference, candidate; // with the images' own channels; `data` may be NULL
    // Derivatives by the samples of smaller images that were made from these: dense, as made. NULL: none were.
    const shrink_request *smaller;
};

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

// What squared errors are taken of.
struct weighted_images {
    image_pair images;
    weight_view weights;   // without data: 1 for each sample
    const luma_rule *luma; // three channels are measured as one; NULL: channels as they are
    bool mask_nonfinite;   // a sample that is not finite in either image has weight 0

    int64_t channels() const { return luma != nullptr ? 1 : images.reference.channels; }
};

// Squared errors of a batch.
struct squared_error_request {
    weighted_images source;
    data_range range;
    bool by_channel;

    // Results. With an invalid weight, one that is not from 0 to 1, there is a report and nothing else.
    fault *report;
    squared_error_sum *sums; // [images * (by_channel ? channels : 1)]
    int128 *weights;         // likewise: the sum of weights in units of 2^-pixel_weight_bits
    sample_counts *counts;   // [images], of samples with a weight above 0
    bool *overflow;          // [images]: finite samples whose difference overflows a double
};

// Derivatives of each image's value by its samples: see arith/squared_error.h.
struct error_gradient_request {
    weighted_images source;
    const error_slope *slopes;        // [images]
    output_view reference, candidate; // `data` may be NULL
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

struct sample_plan;

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

    // Where an update adds how many samples, elements, ignored and invalid ones there were, and leaves what is at
    // fault, with `tag` as its value. NULL on the CPU, which gives results instead.
    int64_t *counters;
    fault *report;
    double tag;
    const sample_plan *samples; // instead of sample_lanes; NULL where samples are not wanted one by one

    // Results. With an error nothing was added.
    int64_t elements, ignored;
    invalid_labels invalid;
    int64_t bad_weight; // the position of the first weight that is negative, not finite or out of range; else -1
};

// The counters of a confusion_request.
enum : int { sample_counter, element_counter, ignored_counter, invalid_counter, confusion_counters };

// Rows of features for both sets of FID: see arith/feature_grid.h. Either all are added, or none.
struct moment_request {
    table_view sides[2]; // rows may be 0
    double scale;        // 2^p
    bool wide;
};

// tr (S1 S2)^(1/2) of the covariances of two sets, as metrics/fid_distance.hpp defines it.
struct trace_request {
    moment_lanes sets[2]; // in memory of the host
    double unit;          // 2^(-2p)
    bool equal;           // the covariances are equal: only the first is factored

    // Results.
    double norm; // the sum of the singular values of L1^T L2; not of equal covariances
    int64_t ranks[2];
    double least_pivots[2];
};

// Of the rows of a table, as KID looks at them first.
struct row_squares {
    double largest;        // dot product of a row with itself; not finite where a number is not, or where it overflows
    int64_t nonfinite_row; // the first with a number that is not finite; -1: none
};

// KID's sums of kernel values over pairs of rows, for one estimate after another.
struct kernel_sums_request {
    row_set sets[2]; // of each estimate; which rows are `chosen`, draw() says
    int64_t estimates;
    polynomial_kernel kernel;
    void *receiver;
    // Chooses the rows of an estimate, into memory of the host. NULL: all rows are taken.
    void (*draw)(void *receiver, int64_t estimate, keyed_row *const (&rows)[2]);
    void (*done)(void *receiver, int64_t estimate, const pair_sums (&sums)[kinds_of_pairs]);
};

// The Inception Score's sums over the rows of each split, in units of arith/class_scores.h.
struct class_sums_request {
    row_set rows; // in the order in which they are split, `chosen` in memory of the host
    bool logits;
    int64_t splits;
    void *receiver;
    // sums: of the probabilities of each class, and of the rows' negative entropies.
    void (*done)(void *receiver, int64_t split, const int128 *sums);

    // Results. With such rows nothing was done.
    int64_t nonfinite_row; // the first with a number that is not finite; -1: none
    int64_t invalid_row;   // the first whose scores are not what they should be
};

struct backend {
    const char *name;
    // For a device that works behind the caller's back: a metric's account there. NULL: calls end when all is done.
    // `accumulates`: with an addend.
    device_ledger *(*open)(context &owner, int32_t device_id, size_t lanes, bool accumulates);
    void (*ssim)(context &where, workspace &memory, ssim_request &request);
    // `ends`: the ledger whose update this ends too; else NULL.
    void (*ssim_values)(context &where, workspace &memory, const ssim_values_request &request, device_ledger *ends);
    // The derivative of each image's value by each pixel of a channel's map of a scale: factors[images][channels].
    void (*ssim_factors)(context &where, const ssim_values_request &request, int scale, double *factors);
    void (*ssim_blocks)(context &where, workspace &memory, ssim_blocks_request &request);
    void (*ssim_block_values)(context &where, const ssim_block_values_request &request);
    void (*ssim_gradient)(context &where, workspace &memory, const ssim_gradient_request &request);
    // Each of the one before; in the same arithmetic.
    void (*shrink)(context &where, workspace &memory, std::span<const shrink_request> scales);
    void (*count)(context &where, count_request &request);
    void (*squared_error)(context &where, workspace &memory, squared_error_request &request);
    // `ends`: as above.
    void (*psnr_values)(context &where, workspace &memory, const psnr_values_request &request, device_ledger *ends);
    void (*error_gradient)(context &where, workspace &memory, const error_gradient_request &request);
    void (*clear_border)(context &where, const border_view &border);
    void (*confusion)(context &where, workspace &memory, confusion_request &request);
    // Into the lanes of the ledger, at the end of an update. The CPU has core/fid_kernels.hpp instead.
    void (*moments)(context &where, workspace &memory, device_ledger &ledger, const moment_request &request);
    // Returns when it has been done.
    void (*trace)(context &where, int32_t device_id, memory_source &memory, trace_request &request);
    // Likewise. The CPU's are in metrics/kid_pairs.cpp and metrics/inception_score.cpp.
    row_squares (*largest_square)(context &where, int32_t device_id, memory_source &memory, const table_view &table);
    void (*kernel_sums)(context &where, int32_t device_id, memory_source &memory, const kernel_sums_request &request);
    void (*class_sums)(context &where, int32_t device_id, memory_source &memory, class_sums_request &request);
    // One row of a table, to say what is wrong with it.
    void (*fetch_row)(context &where, int32_t device_id, memory_source &memory, const table_view &table, int64_t row,
                      double *numbers);
};

const backend &cpu_backend();
const backend &cuda_backend(); // throws IQA_ERROR_UNAVAILABLE with the reason
const char *cuda_state();

// The backend of the device where a tensor lives, and both tensors of an update.
const backend &backend_of(const iqa_tensor &tensor, const char *name);
const backend &backend_of(const iqa_tensor *reference, const iqa_tensor *candidate);

// What is shaved off an output for each pixel becomes 0; the rest of it is returned. `shape`: the whole image's.
output_view clear_edges(const backend &device, context &where, const output_view &pixels, const image_view &shape,
                        int32_t layout, int32_t shave);

} // namespace iqa
