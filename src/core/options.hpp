// SPDX-License-Identifier: MIT
// Structs that begin with their size. The fields that a shorter struct lacks have their defaults; a longer struct must
// be zero behind the fields that this library knows.
#pragma once

#include <cstring>

#include "core/error.hpp"

namespace iqa {

// No struct will ever be larger: a larger size means that it was not initialised.
constexpr size_t most_struct_bytes = 4096;

inline void check_struct_size(const char *name, size_t size)
{
    if (size < sizeof(uint32_t) || size > most_struct_bytes)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".struct_size is ", size, "; expected sizeof(", name,
             "), which is at most ", most_struct_bytes);
}

template <class Struct>
Struct copy_sized(const Struct *source, const Struct &defaults, const char *name)
{
    Struct copy = defaults;
    if (source == nullptr)
        return copy;
    const size_t size = source->struct_size;
    check_struct_size(name, size);
    const auto *bytes = reinterpret_cast<const unsigned char *>(source);
    for (size_t i = sizeof(Struct); i < size; ++i)
        if (bytes[i] != 0)
            fail(IQA_ERROR_INVALID_ARGUMENT, name, " has ", size, " bytes and byte ", i,
                 " is not zero; this library knows the first ", sizeof(Struct));
    std::memcpy(&copy, bytes, size < sizeof(Struct) ? size : sizeof(Struct));
    copy.struct_size = sizeof(Struct);
    return copy;
}

// A field that means nothing yet is 0, so that it may mean something later.
template <class Struct>
void check_reserved(const Struct &options)
{
    if (options.reserved != 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, "reserved is ", options.reserved, "; expected 0");
}

template <class Struct>
void write_defaults(Struct *out, size_t size, const Struct &defaults, const char *name)
{
    if (out == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is NULL");
    check_struct_size(name, size);
    std::memset(static_cast<void *>(out), 0, size);
    std::memcpy(static_cast<void *>(out), &defaults, size < sizeof(Struct) ? size : sizeof(Struct));
    out->struct_size = static_cast<uint32_t>(size);
}

// Throws for an extra that this metric does not support.
inline void refuse_extra(const iqa_tensor *extra, const char *name, const char *metric)
{
    if (extra != nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is given, but ", metric, " has no ", name);
}

inline void refuse_range(const iqa_update_extras &extras, const char *metric)
{
    if (extras.data_low != 0 || extras.data_high != 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, "data_low and data_high are given, but ", metric, " has no data range");
}

inline void check_constant(const char *name, int32_t value, int32_t largest, const char *family)
{
    if (value < 0 || value > largest)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is ", value, "; expected an ", family, " constant");
}

} // namespace iqa
