// SPDX-License-Identifier: MIT
// For tests of metrics that are built a second time with tensors on the sequential machine: outputs are there when an
// update returns.
#include "cuda/sequential/machine.hpp"

namespace {

[[maybe_unused]] const bool at_once = test::sequential_machine::get().at_once = true;

} // namespace
