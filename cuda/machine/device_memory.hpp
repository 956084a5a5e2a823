// SPDX-License-Identifier: MIT
// A ledger's blocks of device memory. A block can outlive its use: each launch of a captured graph works with the
// blocks of the capture, and nothing can be given back while a stream is being captured.
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

    void join_graph() noexcept; // marks all blocks
    bool in_graph(const void *memory) const noexcept;

    // Also true if the runtime cannot tell, as for the legacy stream during a capture.
    bool may_be_capturing() const noexcept;
    void give_back_all() noexcept;
    void forget_all() noexcept; // leaks the memory

private:
    struct block {
        void *memory;
        block *next;
        bool in_graph; // a graph was captured since the allocation
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
