// SPDX-License-Identifier: MIT
// The boundary of the C API: the only place where exceptions are caught. A call runs in the library's floating-point
// mode and restores the caller's, and errno.
#pragma once

#include <cerrno>
#include <exception>
#include <new>

#include "core/context.hpp"
#include "core/parallel.hpp"

namespace iqa {

// The text of this thread's last failed call without a context.
extern constinit thread_local text error_without_context;

template <class Function>
iqa_status guard(context *where, Function &&function) noexcept
{
    const int error_number = errno;
    const floating_point_mode mode;
    iqa_status status = IQA_OK;
    const auto report = [&](iqa_status found, const text &message) {
        status = found;
        if (where != nullptr)
            where->set_error(message);
        else
            error_without_context = message;
    };
    try {
        function();
    } catch (const error &failure) {
        report(failure.status, failure.message);
    } catch (const std::bad_alloc &) {
        report(IQA_ERROR_OUT_OF_MEMORY, text() << "out of memory");
    } catch (...) {
        report(IQA_ERROR_INTERNAL, text() << "an unexpected exception: a defect of the library");
    }
    errno = error_number;
    return status;
}

template <class Pointer>
void require(const Pointer *pointer, const char *name)
{
    if (pointer == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, " is NULL");
}

// The two-call pattern: stores the number of items, and copies them if there is a buffer, which must hold all.
template <class Copy>
void give(size_t needed, bool has_buffer, size_t capacity, size_t *count, const char *items, Copy &&copy)
{
    if (count != nullptr)
        *count = needed;
    if (!has_buffer)
        return;
    if (capacity < needed)
        fail(IQA_ERROR_BUFFER_SIZE, "the buffer holds ", capacity, " ", items, "; ", needed, " are needed");
    copy();
}

} // namespace iqa
