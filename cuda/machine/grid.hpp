// SPDX-License-Identifier: MIT
// How many blocks a grid takes whose blocks go on to the next piece of work.
#pragma once

#include <cstdint>

namespace iqa::cuda {

// Of the current device; asked once for each.
int multiprocessors();

// Enough blocks to fill the current device, but no more than there is work, nor than have `slice` bytes each within
// `budget`; at least one.
int64_t resident_blocks(int64_t work, int64_t slice, int64_t budget);

} // namespace iqa::cuda
