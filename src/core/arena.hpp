// SPDX-License-Identifier: MIT
// One block of memory for many pieces. One text takes them twice: first to know how much they are, then to place them.
#pragma once

#include <utility>

#include "arith/portable.h"
#include "core/memory.hpp"

namespace iqa {

class arena {
public:
    arena() = default; // which only counts
    explicit arena(std::byte *memory) noexcept : memory_(memory) {}

    // Aligned to a cache line; NULL while pieces are only counted.
    template <class Item>
    Item *take(int64_t count)
    {
        const size_t from = std::exchange(taken_, taken_ + round_up(size_t(count) * sizeof(Item), 64));
        return memory_ == nullptr ? nullptr : reinterpret_cast<Item *>(memory_ + from);
    }

    size_t taken() const { return taken_; }

private:
    std::byte *memory_ = nullptr;
    size_t taken_ = 0;
};

// What place(arena) takes, in bytes.
template <class Place>
size_t size_of(Place &&place)
{
    arena sizes;
    place(sizes);
    return sizes.taken();
}

// Calls place(arena) for a block that is as large as it needs. `purpose` names it in the error text.
template <class Place>
void place_in(scratch &block, const char *purpose, Place &&place)
{
    arena memory(block.take<std::byte>(size_of(place), purpose));
    place(memory);
}

} // namespace iqa
