// SPDX-License-Identifier: MIT
// Samples and weights of SSIM's images one by one, at positions inside and outside the images, as the CPU reads them.
#pragma once

#include "arith/border.h"
#include "arith/luma.h"
#include "core/tensor.hpp"
#include "cuda/images/samples.h"

namespace iqa::cuda {

enum : int { z_axis, y_axis, x_axis };

template <class Real>
struct ssim_source {
    image_pair images;
    sample_places reference, candidate, weights;
    weight_type type_of_weights;
    Real gain; // multiplies each sample; a power of two
    luma_rule luma;
    bool of_luma; // three channels are measured as one
    bool mask_nonfinite;

    IQA_HD_MEMBER bool weighted() const { return weights.first != nullptr || mask_nonfinite; }
};

template <class Real>
struct weighted_pair {
    Real reference, candidate, weight;
};

// Where the samples of a pixel lie, and its weight.
struct pair_address {
    const std::byte *reference, *candidate, *weight;
};

template <class Real>
IQA_KERNEL pair_address address_of(const ssim_source<Real> &source, const pixel_place &at)
{
    return {source.reference.at(at), source.candidate.at(at), source.weights.at(at)};
}

template <class Real>
IQA_KERNEL pair_address moved(const ssim_source<Real> &source, const pair_address &from, int64_t slices, int64_t rows,
                              int64_t columns)
{
    return {source.reference.moved(from.reference, slices, rows, columns),
            source.candidate.moved(from.candidate, slices, rows, columns),
            source.weights.moved(from.weight, slices, rows, columns)};
}

template <class Real, class Sample>
IQA_KERNEL Real sample_in(const ssim_source<Real> &source, const sample_places &places, const std::byte *address)
{
    if (!source.of_luma)
        return sample_of<Real, Sample>(address) * source.gain;
    const double red = sample_of<double, Sample>(address);
    const double green = sample_of<double, Sample>(address + places.channel);
    const double blue = sample_of<double, Sample>(address + 2 * places.channel);
    return Real(luma_of(source.luma, red, green, blue) * double(source.gain));
}

// The weight without regard to the samples.
template <class Real>
IQA_KERNEL Real stated_weight_in(const ssim_source<Real> &source, const std::byte *address)
{
    if (source.weights.first == nullptr)
        return Real(1);
    return with_weight_type(source.type_of_weights, [&](auto type) {
        return Real(weight_of_element(*reinterpret_cast<const decltype(type) *>(address)));
    });
}

template <class Real>
IQA_KERNEL weighted_pair<Real> pair_in(const ssim_source<Real> &source, const pair_address &at)
{
    weighted_pair<Real> pair = with_sample_type(source.images.reference.type, [&](auto sample) {
        using Sample = decltype(sample);
        return weighted_pair<Real>{sample_in<Real, Sample>(source, source.reference, at.reference),
                                   sample_in<Real, Sample>(source, source.candidate, at.candidate), Real(0)};
    });
    pair.weight = stated_weight_in(source, at.weight);
    if (source.mask_nonfinite && (!is_finite(pair.reference) || !is_finite(pair.candidate)))
        pair.weight = Real(0);
    return pair;
}

// The weight of a pixel inside the images. Weights are valid.
template <class Real>
IQA_KERNEL Real weight_at(const ssim_source<Real> &source, const pixel_place &at)
{
    return source.mask_nonfinite ? pair_in(source, address_of(source, at)).weight
                                 : stated_weight_in(source, source.weights.at(at));
}

// In a border of zeros.
template <class Real>
constexpr weighted_pair<Real> pair_of_zeros = {Real(0), Real(0), Real(1)};

// A slice, row or column of -1 lies in a border of zeros.
template <class Real>
IQA_KERNEL weighted_pair<Real> pair_at(const ssim_source<Real> &source, const pixel_place &at)
{
    if (at.slice < 0 || at.row < 0 || at.column < 0)
        return pair_of_zeros<Real>;
    return pair_in(source, address_of(source, at));
}

} // namespace iqa::cuda
