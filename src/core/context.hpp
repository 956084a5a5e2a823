// SPDX-License-Identifier: MIT
// Threads, instruction set, memory and callbacks of calls, and the text of the last failure.
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "core/error.hpp"
#include "core/memory.hpp"
#include "core/option_table.hpp"
#include "iqa_c.h"

namespace iqa {

class device_ledger;

}

struct iqa_context final : public iqa::memory_source {
public:
    static iqa_context *create(iqa_context_options options);

    void retain() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept;

    // Memory from the caller's allocator.
    void *allocate(size_t bytes, const char *purpose) override;
    void deallocate(void *memory, size_t bytes) noexcept override;
    void clear(void *memory, size_t bytes) override;

    // Ledgers that could not free their memory yet, and another attempt for all of them.
    void keep_ledger(iqa::device_ledger &ledger) noexcept;
    void close_ledgers(bool last = false) noexcept;

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
    std::atomic<iqa::device_ledger *> ledgers_ = nullptr; // a finalizer of any thread may add one
};

namespace iqa {

using context = ::iqa_context;

extern const options_table<iqa_context_options> context_option_table;

} // namespace iqa
