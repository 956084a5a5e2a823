// SPDX-License-Identifier: MIT
// The device of a device test: the sequential machine (sequential.cpp) or a GPU (gpu.cpp).
#pragma once

#include <cstddef>

namespace test::place {

// NULL, or why there is no device.
const char *missing();

void *take(size_t bytes);
void give_back(void *memory);
void to_device(void *device, const void *host, size_t bytes);
void to_host(void *host, const void *device, size_t bytes); // after all enqueued work

void wait(); // for all enqueued work

} // namespace test::place
