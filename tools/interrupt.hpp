// SPDX-License-Identifier: MIT
//
// Ctrl-C ends a long run in good order: what is done is written.
#pragma once

#include <atomic>
#include <csignal>
#include <cstdint>

namespace iqa_tool {

/** Becomes true when the user presses Ctrl-C (or the program is asked to end). */
extern std::atomic<bool> interrupted;

/** While it lives, Ctrl-C sets `interrupted`; a second Ctrl-C ends the program as usual. */
class interrupt_guard {
public:
    interrupt_guard();
    interrupt_guard(const interrupt_guard &) = delete;
    interrupt_guard &operator=(const interrupt_guard &) = delete;
    ~interrupt_guard();

private:
    struct sigaction before_interrupt_ {};
    struct sigaction before_terminate_ {};
};

/** The progress function of a context that stops when the user interrupts. */
int32_t stop_when_interrupted(void *, int64_t, int64_t);

} // namespace iqa_tool
