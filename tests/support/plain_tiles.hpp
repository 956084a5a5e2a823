// SPDX-License-Identifier: MIT
// What AMX's tiles do (src/cpu/features/tiles_amx.h), byte by byte, so that any machine can test the kernel over them.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace test {

struct plain_tiles {
    static void configure()
    {
        must(!configured);
        configured = true;
        std::memset(tiles, 0, sizeof tiles);
    }
    static void release()
    {
        must(configured);
        configured = false;
    }
    template <int Tile>
    static void clear()
    {
        must(configured);
        std::memset(tiles[Tile], 0, tile_bytes);
    }
    template <int Tile>
    static void load(const void *from)
    {
        must(configured);
        std::memcpy(tiles[Tile], from, tile_bytes);
    }
    template <int Tile>
    static void store(int32_t *to, int64_t stride)
    {
        must(configured);
        for (int i = 0; i < 16; ++i)
            std::memcpy(to + i * stride, tiles[Tile][i], row_bytes);
    }
    template <int Sum, int Left, int Right>
    static void add_products()
    {
        must(configured);
        for (int i = 0; i < 16; ++i)
            for (int k = 0; k < 16; ++k)
                for (int j = 0; j < 16; ++j) {
                    int32_t sum = 0;
                    for (int t = 0; t < 4; ++t)
                        sum += tiles[Left][i][4 * k + t] * tiles[Right][k][4 * j + t];
                    int32_t before;
                    std::memcpy(&before, tiles[Sum][i] + 4 * j, sizeof before);
                    // One that wraps would be an exception of the sanitizers.
                    const int32_t after = before + sum;
                    std::memcpy(tiles[Sum][i] + 4 * j, &after, sizeof after);
                }
    }

    static inline thread_local bool configured = false;

private:
    static constexpr size_t row_bytes = 64;
    static constexpr size_t tile_bytes = 16 * row_bytes;
    static inline thread_local int8_t tiles[8][16][row_bytes];

    static void must(bool condition)
    {
        if (!condition)
            throw std::logic_error("tiles are used outside of configure() and release()");
    }
};

} // namespace test
