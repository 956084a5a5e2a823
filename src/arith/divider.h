// SPDX-License-Identifier: MIT
// Division by a number that many divisions have in common: a product and a shift (T. Granlund, P. L. Montgomery,
// "Division by invariant integers using multiplication", PLDI 1994).
#pragma once

#include "arith/portable.h"

namespace iqa {

struct divider {
    uint32_t divisor, multiplier;
    int shift;

    // Of numbers below 2^31.
    IQA_HD_MEMBER uint32_t quotient(uint32_t number) const { return uint32_t(uint64_t(number) * multiplier >> shift); }
};

// By 1 ... 2^31 - 1. The multiplier is less than 1 above 2^shift / divisor, so a quotient is less than 1 / divisor
// above the exact one, which is too little to reach the next whole number.
IQA_HD divider divider_by(uint32_t divisor)
{
    int bits = 0;
    while ((uint64_t(1) << bits) < divisor)
        ++bits;
    const int shift = 31 + bits;
    return {divisor, uint32_t(divide_up(uint64_t(1) << shift, divisor)), shift};
}

} // namespace iqa
