// SPDX-License-Identifier: MIT
// The few calls of the CUDA runtime that the host side makes, as one table: runtime.cpp has the real ones, and tests
// put in others that fail, one after another, on machines without a GPU.
#pragma once

#include <cstddef>

namespace iqa::cuda {

using status = int; // cudaError_t; 0 is success

constexpr status invalid_value = 1; // cudaErrorInvalidValue
constexpr status out_of_memory = 2; // cudaErrorMemoryAllocation

// What a device can do of what the library needs.
struct device_abilities {
    int capability, least_capability; // ten times the major number and the minor one; the least that has kernels here
    bool pools;                       // memory can be taken in the order of a stream
    bool pageable;                    // kernels can read any memory of the process
};

// Where memory is, as far as CUDA knows it.
struct memory_place {
    bool known;  // to CUDA
    bool mapped; // known, and the memory of all devices: the host's, or managed
    int device;  // otherwise
};

struct runtime {
    status (*device_count)(int *count);
    status (*abilities)(int device, device_abilities *found); // makes no context
    status (*get_device)(int *device);
    // A device's primary context on top of what is current, and off again. What was current is not touched: setting a
    // device back would make a context where there was none, or replace one of the caller's own.
    status (*enter_device)(int device);
    status (*leave_device)();
    status (*locate)(const void *memory, memory_place *found);
    status (*device_of_stream)(void *stream, int *device); // -1 for a default stream: each device has one
    // Blocks that can be resident at once on the current device, for one that fills a multiprocessor.
    status (*multiprocessors)(int device, int *count);
    status (*shared_memory)(int device, int *bytes); // at most for one block
    status (*allocate)(void **memory, size_t bytes, void *stream);
    status (*deallocate)(void *memory, void *stream);
    status (*clear)(void *memory, size_t bytes, void *stream);
    // The source may be read until the stream was waited for: only what is in pageable memory is taken at once.
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
