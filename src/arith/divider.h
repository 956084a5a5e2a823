// SPDX-License-Identifier: MIT
// Division by a divisor that many divisions share: a product and a shift (T. Granlund, P. L. Montgomery,
// "Division by invariant integers using multiplication", PLDI 1994).
#pragma once

#include "arith/portable.h"

namespace iqa {

struct divider {
    uint32_t divisor, multiplier;
    int shift;

    // `number`: below 2^31.
    IQA_HD_MEMBER uint32_t quotient(uint32_t number) const { return uint32_t(uint64_t(number) * multiplier >> shift); }
};

// `divisor`: 1 ... 2^31 - 1. The multiplier exceeds 2^shift / divisor by less than 1, so a quotient exceeds the exact
// one by less than 1 / divisor, which is too little to reach the next integer.
IQA_HD divider divider_by(uint32_t divisor)
{
    int bits = 0;
    while ((uint64_t(1) << bits) < divisor)
        ++bits;
    const int shift = 31 + bits;
    return {divisor, uint32_t(divide_up(uint64_t(1) << shift, divisor)), shift};
}

} // namespace iqa
