// SPDX-License-Identifier: MIT
// Weights of pixels: multiples of 2^-24 from 0 to 1, which a float holds exactly; in these units sums are integers.
#pragma once

#include "arith/portable.h"

namespace iqa {

enum : int { pixel_weight_bits = 24 };

// Stands for an invalid weight: NaN, negative or above 1.
constexpr float invalid_weight = -1.0f;

// The nearest multiple, ties to even.
IQA_HD float weight_on_grid(double weight)
{
    return weight >= 0.0 && weight <= 1.0 ? float(nearest_integer(weight * 0x1p24) * 0x1p-24) : invalid_weight;
}

// The same of a float: from 1/2 on it is a multiple, and below it adding 1/2 brings the grid to the last bit.
IQA_HD float weight_on_grid(float weight)
{
    const float nearest = weight < 0.5f ? (weight + 0.5f) - 0.5f : weight;
    return weight >= 0.0f && weight <= 1.0f ? nearest : invalid_weight;
}

// A boolean or byte other than 0 is the weight 1.
IQA_HD float weight_of_element(uint8_t element)
{
    return element != 0 ? 1.0f : 0.0f;
}
IQA_HD float weight_on_grid(uint8_t element)
{
    return weight_of_element(element);
}

IQA_HD double weight_of_element(double element)
{
    return element;
}

IQA_HD int32_t units_of_weight(float weight)
{
    return int32_t(weight * 0x1p24f);
}

// The same, rounded, for a weight that need not lie on the grid.
IQA_HD int64_t weight_units(double weight)
{
    return round_to_integer(weight * 0x1p24);
}

IQA_HD double weight_of_units(double units)
{
    return units * 0x1p-24;
}

// The least covered part of a window that is enough; its taps sum to 1 up to rounding.
template <class Real>
IQA_HD Real least_covered(double needed)
{
    return Real(needed - 0x1p-20);
}

template <class Real>
IQA_HD bool covers_enough(Real covered, double needed)
{
    return covered >= least_covered<Real>(needed);
}

} // namespace iqa
