// SPDX-License-Identifier: MIT
// AMX's tiles. A tile's number is part of an instruction: GCC's intrinsics take it as a literal only, so these are
// instructions with an argument of a template. Tiles exist from configure() to release().
#pragma once

#include <stdint.h>

namespace iqa::avx512 {

struct amx_tiles {
    static void configure()
    {
        struct shapes {
            uint8_t palette, first_row, reserved[14];
            uint16_t bytes[16]; // of a row of each tile
            uint8_t rows[16];
        };
        alignas(64) static constexpr shapes all = {
            1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
        __asm__ volatile("ldtilecfg %0" : : "m"(all));
    }
    static void release() { __asm__ volatile("tilerelease"); }

    template <int Tile>
    static void clear()
    {
        __asm__ volatile("tilezero %%tmm%c0" : : "i"(Tile));
    }
    // Rows that follow each other.
    template <int Tile>
    static void load(const void *from)
    {
        __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(int64_t(64)), "i"(Tile) : "memory");
    }
    // The stride in int32.
    template <int Tile>
    static void store(int32_t *to, int64_t stride)
    {
        __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride * 4), "i"(Tile) : "memory");
    }
    // Sum[i][j] += the products of four signed bytes Left[i][4 k + t] and Right[k][4 j + t], for each k.
    template <int Sum, int Left, int Right>
    static void add_products()
    {
        __asm__ volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sum), "i"(Left), "i"(Right));
    }
};

} // namespace iqa::avx512
