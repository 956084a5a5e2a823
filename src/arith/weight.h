// SPDX-License-Identifier: MIT
// Weights of pixels: multiples of 2^-24 from 0 to 1, which a float holds exactly and whose sum is an integer.
#pragma once

#include "arith/portable.h"

namespace iqa {

enum : int { pixel_weight_bits = 24 };

// What stands for a weight that is none: NaN, negative or above 1.
constexpr float invalid_weight = -1.0f;

// The nearest multiple, ties to even.
IQA_HD float weight_on_grid(double weight)
{
    constexpr double anchor = 0x1.8p52; // adding it rounds to integers
    const double units = (weight * 0x1p24 + anchor) - anchor;
    return weight >= 0.0 && weight <= 1.0 ? float(units * 0x1p-24) : invalid_weight;
}

IQA_HD int32_t units_of_weight(float weight)
{
    return int32_t(weight * 0x1p24f);
}

} // namespace iqa
