// SPDX-License-Identifier: MIT
// Element types of images, with DLPack's numbers: code << 8 | bits.
#pragma once

#include "arith/half.h"
#include "arith/portable.h"

namespace iqa {

enum class element_type : int32_t {
    uint8 = 0x0108,
    uint16 = 0x0110,
    int16 = 0x0010,
    float16 = 0x0210,
    bfloat16 = 0x0410,
    float32 = 0x0220,
    float64 = 0x0240
};

IQA_HD constexpr bool is_integer(element_type type)
{
    return type == element_type::uint8 || type == element_type::uint16 || type == element_type::int16;
}

// Types of pixel weights.
enum class weight_type : int32_t { boolean = 0x0608, uint8 = 0x0108, float32 = 0x0220, float64 = 0x0240 };

// Bytes of a sample or weight: the codes of both types end with the bits.
template <class Type>
IQA_HD constexpr int64_t element_size(Type type)
{
    return (static_cast<int32_t>(type) & 0xff) / 8;
}

// Calls use(Sample()) with the C++ type of that name, and returns its result.
template <class Use>
IQA_HD auto with_sample_type(element_type type, Use &&use)
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
    default:
        return use(double());
    }
}

// Likewise for features and class scores, which are floating-point.
template <class Use>
IQA_HD auto with_feature_type(element_type type, Use &&use)
{
    switch (type) {
    case element_type::float16:
        return use(float16());
    case element_type::bfloat16:
        return use(bfloat16());
    case element_type::float32:
        return use(float());
    default:
        return use(double());
    }
}

// Likewise for gathered samples: the 16-bit floating-point types are widened to float.
template <class Use>
IQA_HD auto with_gathered_type(element_type type, Use &&use)
{
    switch (type) {
    case element_type::uint8:
        return use(uint8_t());
    case element_type::uint16:
        return use(uint16_t());
    case element_type::int16:
        return use(int16_t());
    case element_type::float64:
        return use(double());
    default:
        return use(float());
    }
}

// Likewise; booleans come as bytes.
template <class Use>
IQA_HD auto with_weight_type(weight_type type, Use &&use)
{
    switch (type) {
    case weight_type::float32:
        return use(float());
    case weight_type::float64:
        return use(double());
    default:
        return use(uint8_t());
    }
}

template <class Sample>
concept integer_sample = requires
{
    Sample() % Sample();
};

struct data_range {
    double low;
    double high;
};

// The span of an integer type.
IQA_HD constexpr data_range span_of(element_type type)
{
    return type == element_type::uint8    ? data_range{0, 255}
           : type == element_type::uint16 ? data_range{0, 65535}
                                          : data_range{-32768, 32767};
}

// Can no sample of this type lie outside the range?
IQA_HD constexpr bool covers(data_range range, element_type type)
{
    return is_integer(type) && range.low <= span_of(type).low && range.high >= span_of(type).high;
}

// Samples outside the data range; those that are not finite are among them, and counted again.
struct sample_counts {
    int64_t outside;
    int64_t nonfinite;
};

} // namespace iqa
