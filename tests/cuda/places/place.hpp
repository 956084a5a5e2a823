// SPDX-License-Identifier: MIT
// Where the tensors of a device test are: on the sequential machine (sequential.cpp) or on a GPU (gpu.cpp).
#pragma once

#include <cstddef>

namespace test::place {

// NULL, or why there is no device here.
const char *missing();

void *take(size_t bytes);
void give_back(void *memory);
void to_device(void *device, const void *host, size_t bytes);
void to_host(void *host, const void *device, size_t bytes); // after all that was enqueued before

void wait(); // for all that was enqueued

} // namespace test::place
