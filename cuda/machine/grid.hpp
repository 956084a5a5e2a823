// SPDX-License-Identifier: MIT
// The size of a grid whose blocks loop over the work.
#pragma once

#include <algorithm>
#include <cstdint>

#include "arith/portable.h"

namespace iqa::cuda {

// The multiprocessors of the current device; each device is asked once.
int multiprocessors();

// Enough blocks to fill the current device, but at most `work`, and at most as many as fit `budget` with `slice` bytes
// each; at least one.
int64_t resident_blocks(int64_t work, int64_t slice, int64_t budget);

// How many items each thread takes where some 1024 blocks, which keep any GPU of today busy, share them.
inline int64_t items_of_thread(int64_t items, int threads, int most)
{
    constexpr int64_t blocks_wanted = 1024;
    return std::clamp<int64_t>(divide_up(items, blocks_wanted * threads), 1, most);
}

} // namespace iqa::cuda
