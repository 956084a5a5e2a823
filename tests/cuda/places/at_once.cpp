// SPDX-License-Identifier: MIT
// For tests of metrics that run again with tensors on the sequential machine: updates run at once, so that outputs are
// complete when an update returns.
#include "cuda/sequential/machine.hpp"
#include "support/support.hpp"

namespace test {

const int32_t device_of_tests = IQA_CUDA;

namespace {

[[maybe_unused]] const bool at_once = sequential_machine::get().at_once = true;

} // namespace

} // namespace test
