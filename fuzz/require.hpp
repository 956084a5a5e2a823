// SPDX-License-Identifier: MIT
// A condition that must hold for every input; the fuzzer keeps an input that breaks it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "iqa_c.h"

#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                        \
            std::abort();                                                                                              \
        }                                                                                                              \
    } while (false)

// A metric's state. Writing it must always succeed.
inline std::vector<uint8_t> bytes_of(const iqa_metric *metric)
{
    size_t size = 0;
    REQUIRE(iqa_metric_serialize(metric, nullptr, 0, &size) == IQA_OK);
    std::vector<uint8_t> bytes(size);
    REQUIRE(iqa_metric_serialize(metric, bytes.data(), size, nullptr) == IQA_OK);
    return bytes;
}
