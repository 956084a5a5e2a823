// SPDX-License-Identifier: MIT
// The requests of SSIM to a device. Results are integers on the grids of arith/ssim.h.
#pragma once

#include "arith/border.h"
#include "arith/exact_sum.h"
#include "arith/luma.h"
#include "arith/shrink.h"
#include "arith/ssim.h"
#include "arith/ssim_blocks.h"
#include "arith/window.h"
#include "core/tensor.hpp"

namespace iqa {

// An SSIM window and its constants, resolved from the options and the element type.
struct ssim_plan {
    border_mode border;
    int size_z, size_y, size_x; // odd
    const double *taps_z, *taps_y, *taps_x;
    double twice_c1, twice_c2; // for samples multiplied by `gain`
    double covariance;
    double gain; // a power of two that brings the peak value into [1, 2)
    bool double_arithmetic;
    data_range range;
    const luma_rule *luma; // three channels are measured as one; NULL: each channel is
    bool mask_nonfinite;   // a sample that is not finite in either image has weight 0
    bool convolution;      // weights apply to the window means; else only to the map
    double coverage;       // least unmasked share of a window
    bool negative_to_zero; // contrast-structure below 0 becomes 0
    bool wanted[ssim_factors];

    int64_t channels(const image_view &images) const { return luma != nullptr ? 1 : images.channels; }
    bool takes_luma(const image_view &images) const { return luma != nullptr && images.channels == 3; }
    bool weighs(const weight_view &weights) const { return weights.data != nullptr || mask_nonfinite; }
    bool weighs_means(const weight_view &weights) const { return convolution && weighs(weights); }
    // Images without weights, luma and depth have quicker kernels.
    bool is_plain(const image_view &images, const weight_view &weights) const
    {
        return images.depth == 1 && size_z == 1 && !weighs(weights) && !takes_luma(images);
    }
    // The taps of z, y and x in the arithmetic's type, one after another. Returns their end.
    template <class Real>
    Real *round_all_taps(Real *to) const
    {
        round_taps(taps_z, size_z, to);
        round_taps(taps_y, size_y, to + size_z);
        round_taps(taps_x, size_x, to + size_z + size_y);
        return to + size_z + size_y + size_x;
    }
};

// SSIM of a batch. The map has extents out_depth x out_height x out_width.
struct ssim_request {
    const ssim_plan *plan;
    image_pair images;
    weight_view weights;
    int64_t out_depth, out_height, out_width;
    output_view map; // of the first wanted factor; NaN where a pixel is masked
    bool by_channel; // a sum for each channel, which costs a little for interleaved images

    // Results, for each image and, with `by_channel`, each channel. With NaN or overflow the sums are unspecified.
    int128 *sums;          // [...][ssim_factors], over a map's pixels in units of 2^-ssim_double_bits; with weights or
                           // masks in units of that times 2^-pixel_weight_bits
    int128 *weight;        // [...]: of the summed pixels, in units of 2^-pixel_weight_bits; only with weights or masks
    sample_counts *counts; // [images], both images together; NULL: not wanted
    bool *not_a_number;    // [images]: some pixel of the map is NaN
};

// True for one sum of values as they are: product or contrast-structure.
inline bool has_one_factor(const ssim_plan &plan)
{
    return plan.wanted[ssim_product] != plan.wanted[ssim_contrast_structure] && !plan.wanted[ssim_luminance] &&
           !plan.negative_to_zero;
}

// True for plain images and one sum.
inline bool is_plain(const ssim_request &request)
{
    return request.plan->is_plain(request.images.reference, request.weights) && has_one_factor(*request.plan);
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

// Smaller images, whose pixels are means of boxes. The results are dense, [images][channels][depth][height][width], in
// the arithmetic's type and multiplied by the plan's gain.
struct shrink_request {
    const ssim_plan *plan;
    image_pair images;
    weight_view weights;
    shrink_axis z, y, x;
    std::byte *reference, *candidate;
    std::byte *shrunk_weights; // with weights or masks; else NULL

    double pixels_of_box() const { return double(z.factor) * y.factor * x.factor; }
    // The weights of boxes where those of pixels count in the means; NULL: all pixels count alike.
    const std::byte *weights_of_means() const { return plan->convolution ? shrunk_weights : nullptr; }
};

// The derivatives of each image's value with respect to its samples: those of the sum over a channel's map, times the
// value's derivative by each pixel of the map, in the plan's arithmetic.
struct ssim_gradient_request {
    const ssim_plan *plan; // wants the product, or contrast-structure alone
    image_pair images;
    weight_view weights;
    const double *factors; // [images][channels]: the value's derivative by each pixel of the map; NULL: all are 0
    output_view reference, candidate; // with the images' own channels; `data` may be NULL
    bool holds_sums;                  // they hold the derivatives of the sums already: see ssim_and_gradient
    // Derivatives by the samples of the smaller images that were made from these, in their form; NULL: no such images.
    const shrink_request *smaller;
};

} // namespace iqa
