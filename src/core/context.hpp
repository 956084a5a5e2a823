// SPDX-License-Identifier: MIT
// Where and how to run: threads, instruction set, memory, callbacks; and the text of the last failure.
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "core/error.hpp"
#include "iqa_c.h"

struct iqa_context {
public:
    static iqa_context *create(const iqa_context_options &options);

    void retain() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept;

    // Memory from the caller's allocator, aligned to a cache line. `purpose` names it in the error text.
    void *allocate(size_t bytes, const char *purpose);
    void deallocate(void *memory, size_t bytes) noexcept;

    const iqa_context_options &options() const noexcept { return options_; }
    int threads() const noexcept { return threads_; }
    void log(const char *message) const noexcept;

    const char *last_error() const noexcept { return error_.c_str(); }
    void set_error(const iqa::text &message) noexcept { error_ = message; }

private:
    explicit iqa_context(const iqa_context_options &options);

    iqa_context_options options_;
    int threads_;
    std::atomic<int64_t> holders_ = 1;
    iqa::text error_;
};

namespace iqa {

using context = ::iqa_context;

// A growing block of memory of one context. Content is not kept when it grows; it never shrinks, so a second call of
// the same size allocates nothing.
class scratch {
public:
    explicit scratch(context &owner) noexcept : owner_(owner) {}
    scratch(const scratch &) = delete;
    scratch &operator=(const scratch &) = delete;
    ~scratch() { owner_.deallocate(memory_, size_); }

    template <class Item>
    Item *take(size_t count, const char *purpose)
    {
        if (count > (size_t(-1) >> 1) / sizeof(Item))
            fail(IQA_ERROR_OUT_OF_MEMORY, "out of memory: ", count, " items for ", purpose);
        return static_cast<Item *>(reserve(count * sizeof(Item), purpose));
    }

private:
    void *reserve(size_t bytes, const char *purpose);

    context &owner_;
    void *memory_ = nullptr;
    size_t size_ = 0;
};

} // namespace iqa
