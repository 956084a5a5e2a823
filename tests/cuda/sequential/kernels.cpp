// SPDX-License-Identifier: MIT
// The kernels of every .cu file, compiled for the tests' sequential machine.
#include "cuda/sequential/machine.hpp"

#define IQA_ENTRY(...)                                                                                                 \
    template <>                                                                                                        \
    const void *entry_of<__VA_ARGS__>()                                                                                \
    {                                                                                                                  \
        return test::sequential_entry<__VA_ARGS__>();                                                                  \
    }

#include "cuda/sequential/every_kernel.hpp"
