// SPDX-License-Identifier: MIT
// The size of a grid whose blocks loop over the work.
#pragma once

#include <cstdint>

namespace iqa::cuda {

// The multiprocessors of the current device; each device is asked once.
int multiprocessors();

// Enough blocks to fill the current device, but at most `work`, and at most as many as fit `budget` with `slice` bytes
// each; at least one.
int64_t resident_blocks(int64_t work, int64_t slice, int64_t budget);

} // namespace iqa::cuda
