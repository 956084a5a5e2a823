// SPDX-License-Identifier: MIT
// Memory of the host or of a device, and growing blocks of it.
#pragma once

#include <cstddef>

#include "core/error.hpp"

namespace iqa {

class memory_source {
public:
    // Aligned to a cache line. `purpose` names it in the error text.
    virtual void *allocate(size_t bytes, const char *purpose) = 0;
    virtual void deallocate(void *memory, size_t bytes) noexcept = 0;
    // Fills with zeros.
    virtual void clear(void *memory, size_t bytes) = 0;
    // Whether a captured graph, which may be launched again, uses the block.
    virtual bool in_graph(const void *) const noexcept { return false; }

protected:
    ~memory_source() = default;
};

// A growing block of memory. Growing drops its content. It never shrinks, so a second call of the same size allocates
// nothing.
class scratch {
public:
    explicit scratch(memory_source &source) noexcept : source_(source) {}
    scratch(const scratch &) = delete;
    scratch &operator=(const scratch &) = delete;
    ~scratch() { release(); }

    void release() noexcept
    {
        source_.deallocate(memory_, size_);
        memory_ = nullptr;
        size_ = 0;
    }

    // Call before changing content: a block that a graph reads is left to the graph.
    void leave_to_graphs() noexcept
    {
        if (source_.in_graph(memory_))
            release();
    }

    template <class Item>
    Item *take(size_t count, const char *purpose)
    {
        if (count > (size_t(-1) >> 1) / sizeof(Item))
            fail(IQA_ERROR_OUT_OF_MEMORY, "out of memory: ", count, " items for ", purpose);
        return static_cast<Item *>(reserve(count * sizeof(Item), purpose));
    }

private:
    void *reserve(size_t bytes, const char *purpose);

    memory_source &source_;
    void *memory_ = nullptr;
    size_t size_ = 0;
};

// The memory of a backend's functions.
struct workspace {
    workspace(memory_source &device, memory_source &host) noexcept
        : work(device), zeros(device), tables(device), tables_on_host(host)
    {
    }

    scratch work;           // undefined content
    scratch zeros;          // all zero between kernels
    scratch tables;         // tables that were last copied to the device,
    scratch tables_on_host; // and the host's copy, to see whether they changed
};

} // namespace iqa
