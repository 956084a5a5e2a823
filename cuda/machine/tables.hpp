// SPDX-License-Identifier: MIT
// Tables for kernels that rarely change between updates: the device gets a table only when it changed.
#pragma once

#include "core/context.hpp"

namespace iqa::cuda {

// `fill(table)` writes the table to host memory. Returns device memory with the same bytes, aligned to a cache line. A
// table that equals the last one is not stored again.
template <class Fill>
const std::byte *keep_on_device(context &where, workspace &memory, size_t bytes, Fill &&fill);

// ---- Implementation

// Host memory: the size of the kept table (0: the device has none), the kept table, the next table.
std::byte *next_table(workspace &memory, size_t bytes);
const std::byte *keep_next_table(context &where, workspace &memory, size_t bytes);

template <class Fill>
const std::byte *keep_on_device(context &where, workspace &memory, size_t bytes, Fill &&fill)
{
    fill(next_table(memory, bytes));
    return keep_next_table(where, memory, bytes);
}

} // namespace iqa::cuda
