// SPDX-License-Identifier: MIT
// One block of memory for many arrays. The same code takes them twice: once to add up their sizes, once to place them.
#pragma once

#include <utility>

#include "arith/portable.h"
#include "core/memory.hpp"

namespace iqa {

class arena {
public:
    arena() = default; // adds up sizes only
    explicit arena(std::byte *memory) noexcept : memory_(memory) {}

    // Aligned to a cache line; NULL while sizes are added up.
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

// The bytes that place(arena) takes.
template <class Place>
size_t size_of(Place &&place)
{
    arena sizes;
    place(sizes);
    return sizes.taken();
}

// Calls place(arena) on a block of the size that it takes. `purpose` names the block in the error text.
template <class Place>
void place_in(scratch &block, const char *purpose, Place &&place)
{
    arena memory(block.take<std::byte>(size_of(place), purpose));
    place(memory);
}

} // namespace iqa
