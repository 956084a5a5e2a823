// SPDX-License-Identifier: MIT
// The machine that runs kernels compiled by the C++ compiler, with its threads in any order.
#include "cuda/sequential/machine.hpp"
#include "machine.hpp"
#include "require.hpp"

namespace fuzz {

void begin_on_machine(program &code, update_memory &)
{
    auto &machine = test::sequential_machine::get();
    machine.reset();
    machine.order = static_cast<test::thread_order>(code.byte() % 3);
    machine.at_once = code.byte() % 2 == 0;
}

void end_on_machine()
{
    auto &machine = test::sequential_machine::get();
    machine.run_queue();
    REQUIRE(machine.live_bytes == 0);
}

} // namespace fuzz
