// SPDX-License-Identifier: MIT
// For .cu files: IQA_ENTRY(kernel) makes a block program (block.h) a kernel that launch() finds. Tests compile the same
// files for their sequential machine, with their own definition of the macro.
#pragma once

#include "cuda/machine/block.h"

namespace iqa::cuda {

template <class Kernel>
const void *entry_of();

#if defined(__CUDACC__)

// The number of blocks that must be resident on a multiprocessor, which limits registers. The default is 0, no limit:
// with 1 the compiler would give a block all registers.
template <class Kernel>
constexpr int least_resident()
{
    if constexpr (requires { Kernel::least_resident; })
        return Kernel::least_resident;
    else
        return 0;
}

template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads, least_resident<Kernel>())
    run_on_gpu(const __grid_constant__ typename Kernel::arguments args)
{
    gpu_block block;
    Kernel::run(block, args);
}

#define IQA_ENTRY(...)                                                                                                 \
    template <>                                                                                                        \
    const void *entry_of<__VA_ARGS__>()                                                                                \
    {                                                                                                                  \
        return reinterpret_cast<const void *>(run_on_gpu<__VA_ARGS__>);                                                \
    }

#endif

} // namespace iqa::cuda
