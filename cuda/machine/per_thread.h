// SPDX-License-Identifier: MIT
// Variables of threads that live from one step to the next, in steps of at most `Threads` items. On a GPU they are
// registers.
#pragma once

#include "cuda/machine/block.h"

namespace iqa::cuda {

template <class Block, class Item, int Threads>
class per_thread {
public:
    Item &operator[](int thread) { return items_[thread]; }

private:
    Item items_[Threads] = {};
};

#if defined(__CUDACC__)

template <class Item, int Threads>
class per_thread<gpu_block, Item, Threads> {
public:
    IQA_KERNEL Item &operator[](int) { return item_; }

private:
    Item item_ = {};
};

#endif

} // namespace iqa::cuda
