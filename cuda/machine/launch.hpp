// SPDX-License-Identifier: MIT
// Checked calls of the runtime, and kernel launches.
#pragma once

#include <type_traits>

#include "core/context.hpp"
#include "core/memory.hpp"
#include "cuda/machine/device.hpp"
#include "cuda/machine/runtime.hpp"

namespace iqa::cuda {

// Throws IQA_ERROR_OUT_OF_MEMORY or IQA_ERROR_CUDA with the runtime's text.
void check(status code, const char *what);

// The kernel's entry for the runtime's launch(). Defined by the .cu files, or by the tests' sequential machine.
template <class Kernel>
const void *entry_of();

inline void *stream_of(const context &where)
{
    return where.options().cuda_stream;
}

inline void check_blocks(int64_t blocks)
{
    constexpr int64_t most_blocks = 0x7fffffff;
    if (blocks > most_blocks)
        fail(IQA_ERROR_SHAPE, "the tensors need ", blocks, " blocks of a CUDA grid, which has at most ", most_blocks);
}

template <class Kernel>
void launch(const context &where, int64_t blocks, size_t shared_bytes, const typename Kernel::arguments &args)
{
    static_assert(std::is_trivially_copyable_v<typename Kernel::arguments>);
    check_blocks(blocks);
    if (blocks > 0)
        check(active_runtime.launch(entry_of<Kernel>(), unsigned(blocks), Kernel::threads, shared_bytes, &args,
                                    stream_of(where)),
              "launching a kernel");
}

// Copies to host memory, and waits.
template <class Item>
void fetch(host_copies &copies, Item *to, const Item *from, int64_t count, const char *what)
{
    check(copies.download(to, from, size_t(count) * sizeof(Item)), what);
    check(copies.wait(), what);
}

// Launches the kernel that clears `memory.zeros` after the kernels before it. A failure gives that memory up.
template <class Launch>
void launch_after(workspace &memory, Launch &&launch_next)
{
    try {
        launch_next();
    } catch (...) {
        memory.zeros.release();
        throw;
    }
}

} // namespace iqa::cuda
