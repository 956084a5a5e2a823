// SPDX-License-Identifier: MIT
// Tables that kernels read and that are the same from one update to the next: stored there when they change.
#pragma once

#include "core/context.hpp"

namespace iqa::cuda {

// `fill(table)` writes the table's bytes to memory of the host; what is returned is memory of the device, aligned to a
// cache line, with the same bytes. It is compared with what was stored last: nothing is stored twice in a row.
template <class Fill>
const std::byte *keep_on_device(context &where, workspace &memory, size_t bytes, Fill &&fill);

// ---- Implementation

// The host's copy of the table begins with its size (0: the device has none), and the next one is made behind it.
std::byte *next_table(workspace &memory, size_t bytes);
const std::byte *keep_next_table(context &where, workspace &memory, size_t bytes);

template <class Fill>
const std::byte *keep_on_device(context &where, workspace &memory, size_t bytes, Fill &&fill)
{
    fill(next_table(memory, bytes));
    return keep_next_table(where, memory, bytes);
}

} // namespace iqa::cuda
