// SPDX-License-Identifier: MIT
// The device and the stream that calls of the CUDA backend work on.
#pragma once

#include "core/context.hpp"
#include "cuda/machine/runtime.hpp"

namespace iqa::cuda {

// Makes a device current for as long as it lives.
class current_device {
public:
    explicit current_device(int device);
    current_device(const current_device &) = delete;
    current_device &operator=(const current_device &) = delete;
    ~current_device();

private:
    bool entered_ = false; // else it was current already
};

// Asynchronous copies from and to memory of the host that ends with this scope or soon after, so the scope does not end
// before the last copy: by wait(), or where a call failed by itself. Declare it behind that memory.
class host_copies {
public:
    explicit host_copies(const context &where) : where_(where) {}
    host_copies(const host_copies &) = delete;
    host_copies &operator=(const host_copies &) = delete;
    ~host_copies();

    status upload(void *device_memory, const void *memory, size_t bytes);
    status download(void *memory, const void *device_memory, size_t bytes);
    status wait();

private:
    const context &where_;
    bool pending_ = false;
};

bool is_capturing(const context &where);
// Refuses what a CUDA graph that is being captured must not contain.
void refuse_while_capturing(const context &where, const char *what);

device_abilities abilities_of(int device);
// Why the library cannot use a device; empty where it can.
text problem_of(int device, const device_abilities &found);

// Refuses tensors of a device that the context's stream is not of.
void check_stream(const context &where, int device);

} // namespace iqa::cuda
