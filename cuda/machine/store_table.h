// SPDX-License-Identifier: MIT
// A piece of a small table, which comes with the launch: memory of the host is not read after the call, as a copy from
// it could be where the caller's allocator gives pinned memory, or the device reads any.
#pragma once

#include "cuda/machine/block.h"

namespace iqa::cuda {

struct store_table {
    static constexpr int threads = 256;
    static constexpr int most_bytes = 2048; // arguments may have 4 KB

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
