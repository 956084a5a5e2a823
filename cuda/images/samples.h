// SPDX-License-Identifier: MIT
// Reads single samples of the caller's tensors in a kernel.
#pragma once

#include "arith/half.h"
#include "core/tensor.hpp"
#include "cuda/machine/block.h"

namespace iqa::cuda {

// Widening is exact.
template <class Real, class Sample>
IQA_KERNEL Real sample_of(const std::byte *address)
{
    return Real(widen(*reinterpret_cast<const Sample *>(address)));
}

template <class Real>
IQA_KERNEL Real sample_of(element_type type, const std::byte *address)
{
    return with_sample_type(type, [&](auto sample) { return sample_of<Real, decltype(sample)>(address); });
}

// Not for NaN.
template <class Real>
IQA_KERNEL bool is_within(Real value, Real low, Real high)
{
    return value >= low && value <= high;
}

// The data range, in float32 too for samples that float32 holds.
struct sample_bounds {
    data_range exact;
    float low, high;
};

IQA_KERNEL bool is_within(double value, const sample_bounds &bounds)
{
    return is_within(value, bounds.exact.low, bounds.exact.high);
}

IQA_KERNEL bool is_within(float value, const sample_bounds &bounds)
{
    return is_within(value, bounds.low, bounds.high);
}

// Where the samples or weights of a batch lie: steps in bytes from one to the next along each axis.
struct sample_places {
    const std::byte *first; // NULL: nowhere
    int64_t image, channel, slice, row, column;

    IQA_HD_MEMBER const std::byte *at(const pixel_place &place) const
    {
        return moved(first + place.image * image + place.channel * channel, place.slice, place.row, place.column);
    }
    // The address that lies so many slices, rows and columns further.
    IQA_HD_MEMBER const std::byte *moved(const std::byte *from, int64_t slices, int64_t rows, int64_t columns) const
    {
        return from + slices * slice + rows * row + columns * column;
    }
};

// `size`: of a sample, weight or output.
template <class View>
sample_places places_of(const View &view, int64_t size)
{
    if (view.data == nullptr)
        return {};
    return {view.data,
            view.image_stride * size,
            view.channel_stride * size,
            view.slice_stride * size,
            view.row_stride * size,
            view.column_stride * size};
}

} // namespace iqa::cuda
