// SPDX-License-Identifier: MIT
// Single samples of the caller's tensors, in a kernel.
#pragma once

#include "arith/half.h"
#include "core/tensor.hpp"
#include "cuda/machine/block.h"

namespace iqa::cuda {

// The sample at an address, widened exactly.
template <class Real, class Sample>
IQA_KERNEL Real sample_of(const std::byte *address)
{
    return Real(widen(*reinterpret_cast<const Sample *>(address)));
}

template <class Real>
IQA_KERNEL Real sample_of(element_type type, const std::byte *address)
{
    switch (type) {
    case element_type::uint8:
        return sample_of<Real, uint8_t>(address);
    case element_type::uint16:
        return sample_of<Real, uint16_t>(address);
    case element_type::int16:
        return sample_of<Real, int16_t>(address);
    case element_type::float16:
        return sample_of<Real, float16>(address);
    case element_type::bfloat16:
        return sample_of<Real, bfloat16>(address);
    case element_type::float32:
        return sample_of<Real, float>(address);
    default:
        return sample_of<Real, double>(address);
    }
}

} // namespace iqa::cuda
