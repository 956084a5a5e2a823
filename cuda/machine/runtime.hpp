// SPDX-License-Identifier: MIT
// The calls of the CUDA runtime that the host side makes, as one table. runtime.cpp has the real ones. Tests without a
// GPU put in others, which can be made to fail one after another.
#pragma once

#include <cstddef>

namespace iqa::cuda {

using status = int; // cudaError_t; 0 is success

constexpr status invalid_value = 1; // cudaErrorInvalidValue
constexpr status out_of_memory = 2; // cudaErrorMemoryAllocation

// The abilities of a device that the library needs.
struct device_abilities {
    int capability, least_capability; // 10 * major + minor; the lowest that has kernels
    bool pools;                       // stream-ordered allocation
    bool pageable;                    // kernels can read any memory of the process
};

struct memory_location {
    bool known;  // to CUDA
    bool mapped; // known, and visible to all devices: host or managed memory
    int device;  // otherwise
};

struct runtime {
    status (*device_count)(int *count);
    status (*abilities)(int device, device_abilities *found); // makes no context
    status (*get_device)(int *device);
    // Push a device's primary context, and pop it. Setting the caller's device back instead would make a context where
    // there was none, or replace the caller's.
    status (*enter_device)(int device);
    status (*leave_device)();
    status (*locate)(const void *memory, memory_location *found);
    status (*device_of_stream)(void *stream, int *device); // -1 for a default stream: each device has one
    status (*multiprocessors)(int device, int *count);
    status (*shared_memory)(int device, int *bytes); // the most that a block can have
    status (*allocate)(void **memory, size_t bytes, void *stream);
    status (*deallocate)(void *memory, void *stream);
    status (*clear)(void *memory, size_t bytes, void *stream);
    // The source must stay until wait() returns: only pageable memory is copied at once.
    status (*upload)(void *device_memory, const void *memory, size_t bytes, void *stream);
    // The destination is filled when wait() returns.
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
