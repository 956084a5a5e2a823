// SPDX-License-Identifier: MIT
// SSIM of one block of 8 x 8 pixels from integer sums, by the rule of FFmpeg's filter ssim (libavfilter/vf_ssim.c).
// With the sums over the block X of x, Y of y, Q of x^2 + y^2 and P of x y:
//     luminance          = (2 X Y + c1) / (X^2 + Y^2 + c1)                     c1 = round(64 (k1 L)^2)
//     contrast-structure = (2 (64 P - X Y) + c2) / (64 Q - X^2 - Y^2 + c2)     c2 = round(64 63 (k2 L)^2)
// The second is the paper's with the sample covariance. The paper's c1 would have 64^2 instead of 64; this is the
// filter's rule.
//
// Blocks begin at every fourth pixel down and across, as long as they fit; four blocks share a quad of 4 x 4 pixels.
// With 16-bit samples every term above is an integer below 2^53, which a double holds exactly: each numerator is at
// most its denominator in magnitude, |SSIM| <= 1 always, and equal blocks give exactly 1.
#pragma once

#include "arith/portable.h"

namespace iqa {

enum : int { quad_size = 4, block_size = 2 * quad_size };

// Blocks along an axis of `extent` pixels.
IQA_HD int64_t blocks_along(int64_t extent)
{
    return extent < block_size ? 0 : extent / quad_size - 1;
}

struct ssim_block_constants {
    double c1, c2;
};

// Rounded as in the filter. A peak far above all samples leaves 1 for every block; the limit keeps products finite.
IQA_HD double block_constant(double k, double peak, double factor)
{
    const double value = k * k * peak * peak * factor + 0.5;
    return value < 0x1p52 ? double(int64_t(value)) : value < 0x1p200 ? value : 0x1p200;
}

IQA_HD ssim_block_constants block_constants(double k1, double k2, double peak)
{
    return {block_constant(k1, peak, 64.0), block_constant(k2, peak, 64.0 * 63.0)};
}

// Without constants the factors of a flat block are 0 / 0, taken as 1.
IQA_HD double ssim_of_block(double reference, double candidate, double squares, double products,
                            const ssim_block_constants &constants)
{
    const double means = reference * candidate;
    const double square_means = reference * reference + candidate * candidate;
    const double luminance = square_means + constants.c1;
    const double structure = 64.0 * squares - square_means + constants.c2;
    const double flat_luminance = luminance == 0.0 ? 1.0 : 0.0;
    const double flat_structure = structure == 0.0 ? 1.0 : 0.0;
    return (2.0 * means + constants.c1 + flat_luminance) *
           (2.0 * (64.0 * products - means) + constants.c2 + flat_structure) /
           ((luminance + flat_luminance) * (structure + flat_structure));
}

} // namespace iqa
