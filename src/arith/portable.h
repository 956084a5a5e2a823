// SPDX-License-Identifier: MIT
// The base of src/arith. These headers are compiled into CPU kernels of several instruction sets and into CUDA kernels:
// no STL, no Eigen, and internal linkage everywhere, so that the linker cannot hand one instruction set's copy of a
// function to the others.
#pragma once

#include <stdint.h>

#if defined(__CUDACC__)
#define IQA_HD static __host__ __device__ inline
#define IQA_HD_MEMBER __host__ __device__ __forceinline__
#else
#define IQA_HD static inline
#define IQA_HD_MEMBER __attribute__((always_inline)) inline // no copy that the linker could share
#endif

// Functions within loops that are to have lanes, which a call would prevent.
#define IQA_HD_LOOP __attribute__((always_inline)) IQA_HD

// For short loops of known length, on a GPU alone and everywhere. The host's part of a CUDA source does without.
#if defined(__CUDA_ARCH__)
#define IQA_UNROLL_ON_GPU _Pragma("unroll")
#define IQA_UNROLL _Pragma("unroll")
#elif defined(__CUDACC__)
#define IQA_UNROLL_ON_GPU
#define IQA_UNROLL
#else
#define IQA_UNROLL_ON_GPU
#define IQA_UNROLL _Pragma("GCC unroll 16")
#endif

namespace iqa {

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

IQA_HD uint32_t bits_of(float value)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

IQA_HD uint64_t bits_of(double value)
{
    uint64_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

IQA_HD float float_from_bits(uint32_t bits)
{
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

IQA_HD double double_from_bits(uint64_t bits)
{
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

// The quotient rounded up, and the next multiple. Numbers are at least 0; no intermediate result overflows.
template <class Whole, class Part>
IQA_HD constexpr auto divide_up(Whole whole, Part part)
{
    return whole / part + (whole % part != 0 ? 1 : 0);
}

template <class Value, class Multiple>
IQA_HD constexpr auto round_up(Value value, Multiple multiple)
{
    return divide_up(value, multiple) * multiple;
}

// 2^exponent for exponents of normal doubles, -1022 ... 1023.
IQA_HD double power_of_two(int exponent)
{
    return double_from_bits(uint64_t(exponent + 1023) << 52);
}

// floor(log2(value)) of a positive finite value.
IQA_HD int exponent_of(double value)
{
    int shift = 0;
    if (value < 0x1p-1022) {
        value *= 0x1p64;
        shift = 64;
    }
    return int(bits_of(value) >> 52) - 1023 - shift;
}

IQA_HD bool is_finite(double value)
{
    return (bits_of(value) & 0x7ff0000000000000u) != 0x7ff0000000000000u;
}

IQA_HD bool is_finite(float value)
{
    return (bits_of(value) & 0x7f800000u) != 0x7f800000u;
}

// Adding it to a double of up to 2^51 leaves the rounded integer, ties to even, in the low bits: round-to-nearest is in
// force.
constexpr double integer_anchor = 0x1.8p52;

IQA_HD int64_t round_to_integer(double value)
{
    return int64_t(bits_of(value + integer_anchor) - bits_of(integer_anchor));
}

// The nearest integer as a double, ties to even.
IQA_HD double nearest_integer(double value)
{
    return (value + integer_anchor) - integer_anchor;
}

// The largest integer up to the value, as a double.
IQA_HD double whole_part(double value)
{
    const double nearest = nearest_integer(value);
    return nearest - (nearest > value ? 1.0 : 0.0);
}

// a * b + c with one rounding.
IQA_HD double fused_multiply_add(double a, double b, double c)
{
    return __builtin_fma(a, b, c);
}

IQA_HD float fused_multiply_add(float a, float b, float c)
{
#if defined(__FMA__) || defined(__aarch64__) || defined(__CUDA_ARCH__)
    return __builtin_fmaf(a, b, c);
#else
    // Without the instruction: the product is exact in double, the sum is rounded to odd, and the rounding to float
    // then sees on which side of its ties the true value lies (Boldo and Melquiond, "Emulation of FMA and correctly
    // rounded sums: proved algorithms using rounding to odd", IEEE Trans. Computers 57, 2008).
    const double product = double(a) * double(b);
    const double addend = double(c);
    const double sum = product + addend;
    const double part = sum - product;
    const double error = (product - (sum - part)) + (addend - part);
    if (error > 0 || error < 0) {
        const uint64_t bits = bits_of(sum);
        if (!(bits & 1))
            return float(double_from_bits((error > 0) == (sum > 0) ? bits + 1 : bits - 1));
    }
    return float(sum);
#endif
}

// c - a * b with one rounding.
template <class Real>
IQA_HD Real fused_negative_multiply_add(Real a, Real b, Real c)
{
    return fused_multiply_add(-a, b, c);
}

// One pattern for NaN, since processors make and convert them differently.
IQA_HD float with_one_nan(float value)
{
    return value == value ? value : float_from_bits(0x7fc00000u);
}

IQA_HD double with_one_nan(double value)
{
    return value == value ? value : double_from_bits(0x7ff8000000000000u);
}

} // namespace iqa
