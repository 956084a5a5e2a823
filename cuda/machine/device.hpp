// SPDX-License-Identifier: MIT
// The device and the stream of a call of the CUDA backend.
#pragma once

#include <exception>

#include "core/context.hpp"
#include "cuda/machine/runtime.hpp"

namespace iqa::cuda {

// Makes a device current while this object lives.
class current_device {
public:
    explicit current_device(int device);
    current_device(const current_device &) = delete;
    current_device &operator=(const current_device &) = delete;
    ~current_device();

private:
    bool entered_ = false; // false: the device was current already
};

// Asynchronous copies to and from host memory that may end with this scope. The destructor waits for pending copies
// (after a failed call, nothing else has). Declare it after that memory.
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

// Of a call that returns when its work is done, for its kernels read the caller's memory: where the call fails, the
// destructor waits for those that it launched. Declare it after the current device, before all memory.
class waiting_call {
public:
    explicit waiting_call(const context &where) : where_(where) {}
    waiting_call(const waiting_call &) = delete;
    waiting_call &operator=(const waiting_call &) = delete;
    ~waiting_call();

private:
    const context &where_;
    const int exceptions_ = std::uncaught_exceptions();
};

bool is_capturing(const context &where);
// Throws during a capture, for work that a CUDA graph must not contain.
void refuse_while_capturing(const context &where, const char *what);

device_abilities abilities_of(int device);
// Why the library cannot use a device; empty if it can.
text problem_of(int device, const device_abilities &found);

// Throws if the context's stream belongs to another device.
void check_stream(const context &where, int device);

} // namespace iqa::cuda
