// SPDX-License-Identifier: MIT
// Stores a piece of a small table, which comes with the launch. A copy could read host memory after the call, if that
// memory is pinned or the device can read pageable memory.
#pragma once

#include "cuda/machine/block.h"

namespace iqa::cuda {

struct store_table {
    static constexpr int threads = 256;
    static constexpr int most_bytes = 2048; // a kernel takes at most 4 KB of arguments

    struct arguments {
        unsigned char *to;
        int bytes;
        unsigned char table[most_bytes];
    };

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        block.each(args.bytes, [&](int i) { args.to[i] = args.table[i]; });
    }
};

} // namespace iqa::cuda
