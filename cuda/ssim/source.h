// SPDX-License-Identifier: MIT
// Samples and weights of SSIM's images one by one, at positions inside and outside the images, as the CPU reads them.
#pragma once

#include "arith/border.h"
#include "arith/luma.h"
#include "core/tensor.hpp"
#include "cuda/images/samples.h"

namespace iqa::cuda {

enum : int { z_axis, y_axis, x_axis };

struct ssim_source {
    image_pair images;
    weight_view weights;
    double gain; // multiplies each sample; a power of two
    luma_rule luma;
    bool of_luma; // three channels are measured as one
    bool mask_nonfinite;

    IQA_HD_MEMBER bool weighted() const { return weights.data != nullptr || mask_nonfinite; }
};

template <class Real>
struct weighted_pair {
    Real reference, candidate, weight;
};

template <class Real>
IQA_KERNEL Real sample_at(const ssim_source &source, const image_view &view, const pixel_place &at)
{
    const std::byte *address = view.at(at.image, at.channel, at.slice, at.row, at.column);
    if (!source.of_luma)
        return sample_of<Real>(view.type, address) * Real(source.gain);
    const int64_t next = view.channel_stride * element_size(view.type);
    const double red = sample_of<double>(view.type, address);
    const double green = sample_of<double>(view.type, address + next);
    const double blue = sample_of<double>(view.type, address + 2 * next);
    return Real(luma_of(source.luma, red, green, blue) * source.gain);
}

// A slice, row or column of -1 lies in a border of zeros. Weights are valid.
template <class Real>
IQA_KERNEL weighted_pair<Real> pair_at(const ssim_source &source, const pixel_place &at)
{
    if (at.slice < 0 || at.row < 0 || at.column < 0)
        return {Real(0), Real(0), Real(1)};
    weighted_pair<Real> pair;
    pair.reference = sample_at<Real>(source, source.images.reference, at);
    pair.candidate = sample_at<Real>(source, source.images.candidate, at);
    pair.weight = Real(weight_at(source.weights, at.image, at.channel, at.slice, at.row, at.column));
    if (source.mask_nonfinite && (!is_finite(pair.reference) || !is_finite(pair.candidate)))
        pair.weight = Real(0);
    return pair;
}

} // namespace iqa::cuda
