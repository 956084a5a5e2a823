// SPDX-License-Identifier: MIT
// The machine that the device's half of a comparison runs on: sequential_machine.cpp for fuzzing, and the one that
// executes PTX in the tests (tests/cuda/ptx/requests.cpp).
#pragma once

#include "requests.hpp"

namespace fuzz {

// Takes from the program what is the machine's to choose. Tensors of the device will lie in the memory given.
void begin_on_machine(program &code, update_memory &of_device);

// All that was enqueued has run, and nothing is left of it.
void end_on_machine();

} // namespace fuzz
