// SPDX-License-Identifier: MIT
#include "cuda/machine/tables.hpp"

#include <algorithm>
#include <cstring>

#include "cuda/machine/device.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/machine/store_table.h"

namespace iqa::cuda {

namespace {

struct host_tables {
    size_t *kept_bytes;
    std::byte *kept, *next;
};

host_tables tables_on_host(workspace &memory, size_t bytes)
{
    constexpr size_t line = 64;
    const size_t padded = round_up(bytes, line);
    std::byte *base = memory.tables_on_host.take<std::byte>(line + 2 * padded, "the tables of kernels");
    return {reinterpret_cast<size_t *>(base), base + line, base + line + padded};
}

void store_on_device(context &where, std::byte *to, const std::byte *table, size_t bytes)
{
    for (size_t first = 0; first < bytes; first += store_table::most_bytes) {
        store_table::arguments piece{};
        piece.to = reinterpret_cast<unsigned char *>(to) + first;
        piece.bytes = int(std::min<size_t>(store_table::most_bytes, bytes - first));
        std::memcpy(piece.table, table + first, size_t(piece.bytes));
        launch<store_table>(where, 1, 0, piece);
    }
}

} // namespace

std::byte *next_table(workspace &memory, size_t bytes)
{
    const host_tables tables = tables_on_host(memory, bytes);
    if (*tables.kept_bytes != bytes)
        *tables.kept_bytes = 0; // the next table may be written over it
    return tables.next;
}

const std::byte *keep_next_table(context &where, workspace &memory, size_t bytes)
{
    const host_tables tables = tables_on_host(memory, bytes);
    constexpr const char *purpose = "the tables of kernels";
    if (*tables.kept_bytes == bytes && std::memcmp(tables.kept, tables.next, bytes) == 0)
        return memory.tables.take<std::byte>(bytes, purpose);
    *tables.kept_bytes = 0;
    refuse_while_capturing(where, "storing another window or table");
    memory.tables.leave_to_graphs();
    std::byte *on_device = memory.tables.take<std::byte>(bytes, purpose);
    store_on_device(where, on_device, tables.next, bytes);
    std::memcpy(tables.kept, tables.next, bytes);
    *tables.kept_bytes = bytes;
    return on_device;
}

} // namespace iqa::cuda
