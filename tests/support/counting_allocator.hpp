// SPDX-License-Identifier: MIT
// Memory of a context that is counted, and that can run out.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "support/catch.hpp"
#include "support/support.hpp"

namespace test {

// Counts what it gives, and refuses one allocation, or all from one on.
class counting_allocator {
public:
    int64_t bytes = 0;
    int64_t most = 0; // bytes at a time
    int64_t made = 0;
    int64_t refuse_from = INT64_MAX; // the number of an allocation, from 0: the next one while none was made
    int64_t refuse_only = INT64_MAX;

    context_pointer make_context(int threads)
    {
        iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
        options.threads = threads;
        options.allocate = [](void *user, size_t size) {
            return static_cast<counting_allocator *>(user)->take(size);
        };
        options.deallocate = [](void *user, void *memory, size_t size) {
            static_cast<counting_allocator *>(user)->bytes -= int64_t(size);
            std::free(memory);
        };
        options.allocator_user = this;
        iqa_context *context = nullptr;
        REQUIRE(iqa_context_create(&options, &context) == IQA_OK);
        return context_pointer(context);
    }

private:
    void *take(size_t size)
    {
        const int64_t number = made++;
        if (number >= refuse_from || number == refuse_only)
            return nullptr;
        bytes += int64_t(size);
        most = std::max(most, bytes);
        return std::malloc(size);
    }
};

} // namespace test
