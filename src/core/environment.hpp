// SPDX-License-Identifier: MIT
// What the process's surroundings say: the library's environment variables, OpenMP's, and the quota of the control
// group. They are read once, when the first context is made.
#pragma once

#include <cstdint>

namespace iqa {

// More threads than this are never used: each needs memory of its own.
constexpr int most_threads = 1024;

// Fails where one of the library's own variables has a value that it cannot have.
void check_environment();

// The highest IQA_ISA_... that the variable IQA_ISA allows.
int instruction_set_of_environment() noexcept;

// What IQA_THREADS_ALL stands for: IQA_NUM_THREADS, or else the smallest of the processors that the process may run on,
// OMP_NUM_THREADS, OMP_THREAD_LIMIT and the processors of the quota.
int threads_of_environment() noexcept;

// Processors, rounded up, that the process's control group and those above it may use: INT64_MAX where nothing limits
// them. `root` comes before every path, "" but in tests.
int64_t processors_of_quota(const char *root) noexcept;

} // namespace iqa
