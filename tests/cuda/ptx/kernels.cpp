// SPDX-License-Identifier: MIT
// The kernels of every .cu file, under the names that their PTX has.
#include <typeinfo>

#include <cxxabi.h>

#include "cuda/machine/block.h"
#include "cuda/ptx/device.hpp"

namespace iqa::cuda {

extern const int least_capability;
const int least_capability = 75;

template <class Kernel>
const void *entry_of();

namespace {

template <class Kernel>
const void *ptx_entry()
{
    static const test::ptx::kernel_entry entry = {test::ptx::demangled(typeid(Kernel).name()),
                                                  sizeof(typename Kernel::arguments)};
    return &entry;
}

} // namespace

} // namespace iqa::cuda

#define IQA_ENTRY(...)                                                                                                 \
    template <>                                                                                                        \
    const void *entry_of<__VA_ARGS__>()                                                                                \
    {                                                                                                                  \
        return ptx_entry<__VA_ARGS__>();                                                                               \
    }

#include "cuda/sequential/every_kernel.hpp"
