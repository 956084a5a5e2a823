// SPDX-License-Identifier: MIT
#pragma once

#include "cuda/machine/block.h"

namespace iqa::cuda {

// Threads' own variables that live from one step to the next: for steps of at most `Threads` items, each of which sees
// the one of its thread. On a GPU they are registers.
template <class Block, class Item, int Threads>
class own_variables {
public:
    Item &operator[](int thread) { return items_[thread]; }

private:
    Item items_[Threads] = {};
};

#if defined(__CUDACC__)

template <class Item, int Threads>
class own_variables<gpu_block, Item, Threads> {
public:
    IQA_KERNEL Item &operator[](int) { return item_; }

private:
    Item item_ = {};
};

#endif

} // namespace iqa::cuda
