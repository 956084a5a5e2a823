// SPDX-License-Identifier: MIT
// Signals end the program with the exit code 128 + their number (130 for Ctrl-C, 143 for SIGTERM), leave no
// half-written file, and let a long run write the results that are done.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace iqa_tool {

// The signal by which the user asked a guarded run to end; 0 before.
extern std::atomic<int> interrupted;

// The exit code after `interrupted`.
int exit_code_of_interrupt() noexcept;

// Installs the handlers. To be called first.
void catch_signals();

// While it lives, Ctrl-C and SIGTERM set `interrupted`, and a blocked read from a pipe fails. A second signal ends the
// program at once.
class interrupt_guard {
public:
    explicit interrupt_guard(bool reads_pipes = false);
    interrupt_guard(const interrupt_guard &) = delete;
    interrupt_guard &operator=(const interrupt_guard &) = delete;
    ~interrupt_guard();
};

// While it lives, a signal that ends the program removes the file.
class temporary_name {
public:
    explicit temporary_name(std::string path);
    temporary_name(const temporary_name &) = delete;
    temporary_name &operator=(const temporary_name &) = delete;
    ~temporary_name();

    const std::string &path() const noexcept { return path_; }

private:
    std::string path_;
    std::size_t slot_;
};

// The progress function of a context that stops when the user interrupts.
int32_t stop_when_interrupted(void *, int64_t, int64_t);

} // namespace iqa_tool
