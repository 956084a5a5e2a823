// SPDX-License-Identifier: MIT
// Runs a kernel for two sets in one launch: the first blocks take the first set, the others the second.
#pragma once

#include "cuda/machine/block.h"

namespace iqa::cuda {

// A block that sees only its set's part of the grid.
template <class Block>
class part_of_grid {
public:
    IQA_KERNEL part_of_grid(Block &block, int64_t index, int64_t blocks) : block_(block), index_(index), blocks_(blocks)
    {
    }

    IQA_KERNEL int64_t index() const { return index_; }
    IQA_KERNEL int64_t blocks() const { return blocks_; }
    IQA_KERNEL char *shared() const { return block_.shared(); }

    template <class Body>
    IQA_KERNEL void each(int count, Body &&body)
    {
        block_.each(count, body);
    }

    IQA_KERNEL bool comes_last(uint32_t *arrivals) { return block_.comes_last(arrivals, blocks_); }

private:
    Block &block_;
    int64_t index_, blocks_;
};

template <class Kernel>
struct both_sets {
    struct arguments {
        typename Kernel::arguments sets[2];
        int64_t blocks_of_set;
    };
    static constexpr int threads = Kernel::threads;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int set = block.index() < args.blocks_of_set ? 0 : 1;
        part_of_grid<Block> part(block, block.index() - set * args.blocks_of_set, args.blocks_of_set);
        Kernel::run(part, args.sets[set]);
    }
};

} // namespace iqa::cuda
