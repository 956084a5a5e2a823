// SPDX-License-Identifier: MIT
// From an element type at run time to a kernel of that type.
#pragma once

#include "arith/element_type.h"
#include "arith/half.h"

namespace iqa::cuda {

// Calls use(Sample()).
template <class Use>
void with_sample_type(element_type type, Use &&use)
{
    switch (type) {
    case element_type::uint8:
        return use(uint8_t());
    case element_type::uint16:
        return use(uint16_t());
    case element_type::int16:
        return use(int16_t());
    case element_type::float16:
        return use(float16());
    case element_type::bfloat16:
        return use(bfloat16());
    case element_type::float32:
        return use(float());
    case element_type::float64:
        return use(double());
    }
}

} // namespace iqa::cuda
