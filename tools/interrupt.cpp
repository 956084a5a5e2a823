// SPDX-License-Identifier: MIT
#include "interrupt.hpp"

namespace iqa_tool {

std::atomic<bool> interrupted{false};

static_assert(std::atomic<bool>::is_always_lock_free); // it is set by a signal handler

extern "C" {

static void on_interrupt(int)
{
    interrupted = true;
}
}

interrupt_guard::interrupt_guard()
{
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &before_interrupt_);
    sigaction(SIGTERM, &action, &before_terminate_);
}

interrupt_guard::~interrupt_guard()
{
    sigaction(SIGINT, &before_interrupt_, nullptr);
    sigaction(SIGTERM, &before_terminate_, nullptr);
}

int32_t stop_when_interrupted(void *, int64_t, int64_t)
{
    return interrupted ? 1 : 0;
}

} // namespace iqa_tool
