// SPDX-License-Identifier: MIT
// The 16-bit floating-point types, widened exactly.
#pragma once

#include "arith/portable.h"

namespace iqa {

struct float16 {
    uint16_t bits;
};

struct bfloat16 {
    uint16_t bits;
};

// Moves exponent and fraction into position and multiplies by 2^112, which also normalises subnormals; infinities and
// NaN get the largest exponent. The GPU's instruction is as exact.
IQA_HD float widen(float16 value)
{
#if defined(__CUDA_ARCH__)
    float wide;
    asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(value.bits));
    return wide;
#else
    const uint32_t magnitude = uint32_t(value.bits & 0x7fff) << 13;
    const uint32_t special = magnitude >= 0x0f800000u ? 0x7f800000u : 0u;
    const uint32_t sign = uint32_t(value.bits & 0x8000) << 16;
    return float_from_bits(bits_of(float_from_bits(magnitude) * 0x1p112f) | special | sign);
#endif
}

IQA_HD float widen(bfloat16 value)
{
    return float_from_bits(uint32_t(value.bits) << 16);
}

IQA_HD float widen(uint8_t value)
{
    return float(value);
}

IQA_HD float widen(uint16_t value)
{
    return float(value);
}

IQA_HD float widen(int16_t value)
{
    return float(value);
}

IQA_HD float widen(float value)
{
    return value;
}

IQA_HD double widen(double value)
{
    return value;
}

} // namespace iqa
