// SPDX-License-Identifier: MIT
#include "files/interrupt.hpp"

#include <array>
#include <csignal>
#include <stdexcept>
#include <unistd.h>

namespace iqa_tool {

std::atomic<int> interrupted{0};

namespace {

std::atomic<bool> is_guarded{false};
std::array<std::atomic<const char *>, 16> names_to_remove{};

static_assert(std::atomic<int>::is_always_lock_free &&
              std::atomic<const char *>::is_always_lock_free); // for the handler

} // namespace

extern "C" {

static void on_signal(int number)
{
    const bool is_request = number == SIGINT || number == SIGTERM;
    if (is_request && is_guarded && interrupted == 0) {
        interrupted = number;
        return;
    }
    for (const std::atomic<const char *> &name : names_to_remove)
        if (const char *path = name)
            unlink(path);
    _exit(128 + number);
}
}

int exit_code_of_interrupt() noexcept
{
    return 128 + interrupted;
}

void catch_signals()
{
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
        struct sigaction before {};
        sigaction(number, nullptr, &before);
        const bool is_ignored = before.sa_handler == SIG_IGN; // by nohup, say
        if (!is_ignored || number == SIGINT || number == SIGTERM)
            sigaction(number, &action, nullptr);
    }
}

interrupt_guard::interrupt_guard(bool reads_pipes)
{
    for (const int number : {SIGINT, SIGTERM}) {
        struct sigaction action {};
        sigaction(number, nullptr, &action);
        action.sa_flags = reads_pipes ? 0 : SA_RESTART;
        sigaction(number, &action, nullptr);
    }
    is_guarded = true;
}

interrupt_guard::~interrupt_guard()
{
    is_guarded = false;
}

temporary_name::temporary_name(std::string path) : path_(std::move(path)), slot_(0)
{
    for (const char *free = nullptr; slot_ < names_to_remove.size(); ++slot_, free = nullptr)
        if (names_to_remove[slot_].compare_exchange_strong(free, path_.c_str()))
            return;
    throw std::logic_error("too many files are written at the same time");
}

temporary_name::~temporary_name()
{
    names_to_remove[slot_] = nullptr;
}

int32_t stop_when_interrupted(void *, int64_t, int64_t)
{
    return interrupted != 0 ? 1 : 0;
}

} // namespace iqa_tool
