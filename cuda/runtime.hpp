// SPDX-License-Identifier: MIT
// The few calls of the CUDA runtime that the host side makes, as one table: runtime.cpp has the real ones, and tests
// put in others that fail, one after another, on machines without a GPU.
#pragma once

#include <cstddef>

namespace iqa::cuda {

using status = int; // cudaError_t; 0 is success

constexpr status invalid_value = 1; // cudaErrorInvalidValue
constexpr status out_of_memory = 2; // cudaErrorMemoryAllocation

struct runtime {
    status (*device_count)(int *count);
    status (*get_device)(int *device);
    status (*set_device)(int device);
    // Blocks that can be resident at once on the current device, for one that fills a multiprocessor.
    status (*multiprocessors)(int device, int *count);
    status (*shared_memory)(int device, int *bytes); // at most for one block
    status (*allocate)(void **memory, size_t bytes, void *stream);
    status (*deallocate)(void *memory, void *stream);
    status (*clear)(void *memory, size_t bytes, void *stream);
    // Pageable memory: the source may be reused when the call returns.
    status (*upload)(void *device_memory, const void *memory, size_t bytes, void *stream);
    // The destination is filled when the stream was waited for.
    status (*download)(void *memory, const void *device_memory, size_t bytes, void *stream);
    status (*wait)(void *stream);
    status (*is_capturing)(void *stream, bool *capturing);
    status (*launch)(const void *entry, unsigned blocks, unsigned threads, size_t shared_bytes, const void *arguments,
                     void *stream);
    const char *(*text)(status code);
    void (*forget_error)();
};

extern const runtime &active_runtime;

} // namespace iqa::cuda
