// SPDX-License-Identifier: MIT
// What a context's progress callback is told, and a callback that cancels.
#pragma once

#include <cstdint>

#include "support/catch.hpp"
#include "support/support.hpp"

namespace test {

class progress_watch {
public:
    int64_t calls = 0;
    int64_t last = 0;
    int64_t total = 0;
    int64_t stop_after = INT64_MAX; // calls
    bool ascending = true;          // and never beyond the total

    context_pointer make_context(int threads)
    {
        iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
        options.threads = threads;
        options.progress = [](void *user, int64_t done, int64_t of) {
            return static_cast<progress_watch *>(user)->note(done, of);
        };
        options.progress_user = this;
        iqa_context *context = nullptr;
        REQUIRE(iqa_context_create(&options, &context) == IQA_OK);
        return context_pointer(context);
    }

private:
    int32_t note(int64_t done, int64_t of)
    {
        ascending = ascending && done >= last && done <= of;
        last = done;
        total = of;
        return ++calls > stop_after ? 1 : 0;
    }
};

} // namespace test
