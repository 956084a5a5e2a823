// SPDX-License-Identifier: MIT
// The machine that the device's half of a comparison runs on: sequential_machine.cpp for fuzzing, and the one that
// executes PTX in the tests (tests/cuda/ptx/requests.cpp).
#pragma once

#include "requests.hpp"

namespace fuzz {

// Takes the machine's own choices from the program. Tensors of the device will lie in `of_device`.
void begin_on_machine(program &code, update_memory &of_device);

// Checks that everything enqueued has run, and clears the machine.
void end_on_machine();

} // namespace fuzz
