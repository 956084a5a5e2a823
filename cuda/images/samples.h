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

} // namespace iqa::cuda
