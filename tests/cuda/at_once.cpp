// SPDX-License-Identifier: MIT
// For tests that were written for the CPU: whatever is enqueued has been done when the call returns.
#include "cuda/sequential.hpp"

namespace {

const bool at_once = test::sequential_machine::get().at_once = true;

} // namespace
