// SPDX-License-Identifier: MIT
#include "core/context.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/device.hpp"
#include "core/environment.hpp"

namespace {

constexpr size_t cache_line = 64;

void *allocate_from_c_library(void *, size_t bytes)
{
    return std::malloc(bytes);
}

void deallocate_to_c_library(void *, void *memory, size_t)
{
    std::free(memory);
}

constexpr iqa::option_word thread_words[] = {IQA_WORD("all", IQA_THREADS_ALL)};

constexpr iqa::option_word instruction_set_words[] = {
    IQA_WORD("baseline", IQA_ISA_BASELINE),
    IQA_WORD("avx2", IQA_ISA_AVX2),
    IQA_WORD("avx512", IQA_ISA_AVX512),
    IQA_WORD("best", IQA_ISA_BEST),
};

constexpr iqa::option_row rows[] = {
    IQA_OPTION(iqa_context_options, threads)
        .at_least(1)
        .or_word(thread_words)
        .outside_of_state()
        .says("CPU threads that work at the same time"),
    IQA_OPTION(iqa_context_options, instruction_set)
        .word(instruction_set_words)
        .outside_of_state()
        .says("The highest instruction set to use; all give the same bits"),
};

constexpr iqa_context_options standard = IQA_CONTEXT_OPTIONS_INIT;

} // namespace

constinit const iqa::options_table<iqa_context_options> iqa::context_option_table("context", "iqa_context_options",
                                                                                  standard, rows);

iqa_context *iqa_context::create(iqa_context_options options)
{
    if ((options.allocate == nullptr) != (options.deallocate == nullptr))
        iqa::fail(IQA_ERROR_INVALID_ARGUMENT, "allocate and deallocate must both be given or both be NULL");
    iqa::context_option_table.check(options);
    iqa::check_environment();
    if (options.allocate == nullptr) {
        options.allocate = allocate_from_c_library;
        options.deallocate = deallocate_to_c_library;
    }
    void *memory = options.allocate(options.allocator_user, sizeof(iqa_context));
    if (memory == nullptr)
        iqa::fail(IQA_ERROR_OUT_OF_MEMORY, "out of memory: ", sizeof(iqa_context), " bytes for a context");
    return new (memory) iqa_context(options);
}

iqa_context::iqa_context(const iqa_context_options &options)
    : options_(options),
      threads_(options.threads == IQA_THREADS_ALL ? iqa::threads_of_environment()
                                                  : std::min(options.threads, iqa::most_threads))
{
}

void iqa_context::release() noexcept
{
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;
    close_ledgers(true);
    const iqa_context_options options = options_;
    this->~iqa_context();
    options.deallocate(options.allocator_user, this, sizeof(iqa_context));
}

void iqa_context::keep_ledger(iqa::device_ledger &ledger) noexcept
{
    ledger.next_open = ledgers_.load();
    while (!ledgers_.compare_exchange_weak(ledger.next_open, &ledger)) {
    }
}

void iqa_context::close_ledgers(bool last) noexcept
{
    iqa::device_ledger *ledger = ledgers_.exchange(nullptr);
    while (ledger != nullptr) {
        iqa::device_ledger *const next = ledger->next_open;
        ledger->close(last);
        ledger = next;
    }
}

// The block begins up to a cache line after the caller's memory; the byte before it holds the distance.
void *iqa_context::allocate(size_t bytes, const char *purpose)
{
    void *memory = nullptr;
    if (bytes <= SIZE_MAX - cache_line)
        memory = options_.allocate(options_.allocator_user, bytes + cache_line);
    if (memory == nullptr)
        iqa::fail(IQA_ERROR_OUT_OF_MEMORY, "out of memory: ", bytes, " bytes for ", purpose);
    const size_t offset = cache_line - reinterpret_cast<uintptr_t>(memory) % cache_line;
    unsigned char *block = static_cast<unsigned char *>(memory) + offset;
    block[-1] = static_cast<unsigned char>(offset);
    return block;
}

void iqa_context::deallocate(void *memory, size_t bytes) noexcept
{
    if (memory == nullptr)
        return;
    unsigned char *block = static_cast<unsigned char *>(memory);
    options_.deallocate(options_.allocator_user, block - block[-1], bytes + cache_line);
}

void iqa_context::clear(void *memory, size_t bytes)
{
    std::memset(memory, 0, bytes);
}

void iqa_context::log(const char *message) const noexcept
{
    if (options_.log != nullptr)
        options_.log(options_.log_user, message);
}
