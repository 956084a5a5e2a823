// SPDX-License-Identifier: MIT
// place.hpp on the sequential machine.
#include "cuda/places/place.hpp"

#include <cstdlib>
#include <cstring>

#include "cuda/sequential/machine.hpp"

namespace test::place {

const char *missing()
{
    return nullptr;
}

void *take(size_t bytes)
{
    return std::malloc(bytes);
}

void give_back(void *memory)
{
    std::free(memory);
}

void to_device(void *device, const void *host, size_t bytes)
{
    std::memcpy(device, host, bytes);
}

void to_host(void *host, const void *device, size_t bytes)
{
    sequential_machine::get().run_queue();
    std::memcpy(host, device, bytes);
}

void wait()
{
    sequential_machine::get().run_queue();
}

} // namespace test::place
