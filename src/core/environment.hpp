// SPDX-License-Identifier: MIT
// Settings of the process: the library's environment variables, OpenMP's, and the quota of the control group. They are
// read once, when the first context is made.
#pragma once

#include <cstdint>

namespace iqa {

// The most threads that are ever used, since each needs its own memory.
constexpr int most_threads = 1024;

// Throws for an invalid value of one of the library's variables.
void check_environment();

// The highest IQA_ISA_... that the variable IQA_ISA allows.
int instruction_set_of_environment() noexcept;

// The meaning of IQA_THREADS_ALL: IQA_NUM_THREADS if set; else the smallest of the process's processors,
// OMP_NUM_THREADS, OMP_THREAD_LIMIT and the processors of the quota.
int threads_of_environment() noexcept;

// The processors, rounded up, that the process's control group and those above it may use; INT64_MAX without a limit.
// `root` is put before every path; it is "" outside of tests.
int64_t processors_of_quota(const char *root) noexcept;

} // namespace iqa
