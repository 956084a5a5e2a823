// SPDX-License-Identifier: MIT
// For .cu files: IQA_ENTRY(kernel) makes a kernel of a block program (block.h), which launch() then finds. Tests
// compile the same files for their sequential machine and define the macro themselves.
#pragma once

#include "cuda/machine/block.h"

namespace iqa::cuda {

template <class Kernel>
const void *entry_of();

#if defined(__CUDACC__)

// Blocks that are to be resident on a multiprocessor, as far as registers decide. Where a kernel does not say, nothing
// is asked for: with 1 the compiler would give a block all registers that there are.
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
