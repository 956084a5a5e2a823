// SPDX-License-Identifier: MIT
// State files from anywhere. The input is tried as it is, and with a corrected checksum, so that the fuzzer gets behind
// it. An accepted state must be valid in every respect: it can be read, merged with itself, updated, and written again
// as bytes that give the same state.
#include <cstdint>
#include <cstring>
#include <vector>

#include "iqa_c.h"
#include "require.hpp"

namespace {

// CRC-32 bit by bit, independent of the library's, which uses a table.
uint32_t crc32(const uint8_t *bytes, size_t size)
{
    uint32_t value = 0xffffffffu;
    for (size_t i = 0; i < size; ++i) {
        value ^= bytes[i];
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1) ^ (0xedb88320u & (0u - (value & 1u)));
    }
    return ~value;
}

void read_fields(const iqa_metric *metric)
{
    for (int32_t field = -1; field < 40; ++field) {
        double values[64];
        size_t count = 0;
        iqa_metric_read(metric, field, values, 64, &count);
    }
}

void update(iqa_metric *metric)
{
    static const uint8_t pixels[3 * 16 * 16] = {1, 2, 3};
    const int64_t shape[2] = {16, 16};
    const iqa_tensor image = iqa_cpu_tensor(pixels, IQA_UINT8, 2, shape);
    iqa_metric_update(metric, &image, &image, nullptr);
}

void try_state(iqa_context *context, const uint8_t *bytes, size_t size)
{
    iqa_metric *metric = nullptr;
    const iqa_status status = iqa_metric_deserialize(context, bytes, size, &metric);
    REQUIRE((status == IQA_OK) == (metric != nullptr));
    if (metric == nullptr) {
        REQUIRE(status == IQA_ERROR_CORRUPT || status == IQA_ERROR_INCOMPATIBLE ||
                status == IQA_ERROR_INVALID_ARGUMENT);
        return;
    }
    const std::vector<uint8_t> written = bytes_of(metric);
    iqa_metric *again = nullptr;
    REQUIRE(iqa_metric_deserialize(context, written.data(), written.size(), &again) == IQA_OK);
    REQUIRE(bytes_of(again) == written);
    read_fields(metric);
    if (iqa_metric_merge(metric, again) != IQA_OK)
        REQUIRE(bytes_of(metric) == written);
    update(metric);
    read_fields(metric);
    bytes_of(metric);
    iqa_metric_destroy(again);
    iqa_metric_destroy(metric);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static iqa_context *const context = [] {
        iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
        options.threads = 1;
        iqa_context *made = nullptr;
        REQUIRE(iqa_context_create(&options, &made) == IQA_OK);
        return made;
    }();
    try_state(context, data, size);
    if (size < 4)
        return 0;
    std::vector<uint8_t> repaired(data, data + size);
    const uint32_t checksum = crc32(data, size - 4);
    for (int i = 0; i < 4; ++i)
        repaired[size - 4 + size_t(i)] = uint8_t(checksum >> 8 * i);
    try_state(context, repaired.data(), repaired.size());
    return 0;
}
