// SPDX-License-Identifier: MIT
// A ledger's blocks of device memory. Some outlive their use: a graph that was captured works with its blocks at each
// launch, and nothing can be given back while a stream is being captured.
#pragma once

#include "core/context.hpp"

namespace iqa::cuda {

class device_memory {
public:
    device_memory(context &owner, int device) noexcept : owner_(owner), device_(device) {}
    device_memory(const device_memory &) = delete;
    device_memory &operator=(const device_memory &) = delete;

    void *allocate(size_t bytes, const char *purpose);
    void deallocate(void *memory) noexcept;

    void join_graph() noexcept; // all that there is
    bool in_graph(const void *memory) const noexcept;

    // Also where it cannot be told, such as on the legacy stream beside a capture.
    bool may_be_capturing() const noexcept;
    void give_back_all() noexcept;
    void forget_all() noexcept; // it stays until the process ends

private:
    struct block {
        void *memory;
        block *next;
        bool in_graph; // a graph was captured since it was taken
        bool unused;   // to be given back
    };

    block *find(const void *memory) const noexcept;
    template <class Condition>
    void give_back(Condition &&condition) noexcept;
    void give_back_unused() noexcept;

    context &owner_;
    const int device_;
    block *blocks_ = nullptr;
};

} // namespace iqa::cuda
