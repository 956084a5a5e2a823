// SPDX-License-Identifier: MIT
// Integers of the grid as slices of 8 bits (arith/feature_grid.h), over a type of tiles: tiles_amx.h.
#pragma once

#include "cpu/features/moments.inl"

namespace iqa::IQA_INSTRUCTION_SET {

namespace {

// A tile has 16 rows of 64 bytes: of a left factor 16 columns of a panel, each 64 rows of features; of a right factor
// 16 groups of four rows, each 16 columns. Sums are 16 x 16 int32.
constexpr int tile_side = 16;
constexpr int tile_words = tile_side * tile_side;
constexpr int tile_bytes = 4 * tile_words;
constexpr int tile_depth = 64;
static_assert(panel_width == 2 * tile_side);

// A panel is [as left, right factor][slice][64 rows][two tiles].
template <bool Wide>
struct slice_cut {
    static constexpr bool wide = Wide;
    static constexpr int rows_together = 4;
    static constexpr int slices = Wide ? wide_slices : narrow_slices;
    static constexpr int weights = 2 * slices - 1;
    // Far fewer rows than 32 bits hold: panels of an item stay in the second-level cache.
    static constexpr panel_packing packing = {
        .most_rows = 1024, .row_step = tile_depth, .bytes = 2 * slices, .sums = weights};
    static_assert(packing.most_rows <= most_rows_sliced && packing.most_rows % packing.row_step == 0);

    static void pack(const int32_t (&q)[4][panel_width], int group, int rows, void *packed)
    {
        constexpr int groups = tile_depth / rows_together;
        const int slice_words = rows * panel_width / 4;
        int32_t *const left = static_cast<int32_t *>(packed) + group / groups * 2 * tile_words;
        int32_t *const right = left + slices * slice_words;
        uint32_t words[4][panel_width];
        for (int row = 0; row < 4; ++row)
            for (int j = 0; j < panel_width; ++j)
                words[row][j] = slices_of(q[row][j]);
        for (int slice = 0; slice < slices; ++slice) {
            int32_t four_rows[panel_width];
            for (int j = 0; j < panel_width; ++j) {
                uint32_t bytes = 0;
                for (int row = 0; row < 4; ++row)
                    bytes |= ((words[row][j] >> (8 * slice)) & 0xffu) << (8 * row);
                four_rows[j] = int32_t(bytes);
            }
            int32_t *const to_left = left + slice * slice_words + group % groups;
            int32_t *const to_right = right + slice * slice_words + group % groups * tile_side;
            for (int j = 0; j < panel_width; ++j)
                to_left[j * groups] = four_rows[j];
            for (int tile = 0; tile < 2; ++tile)
                __builtin_memcpy(to_right + tile * tile_words, four_rows + tile * tile_side, tile_side * 4);
        }
    }

    static moment_words block(const int32_t *p)
    {
        int32_t sums[weights];
        for (int weight = 0; weight < weights; ++weight)
            sums[weight] = p[weight * products_of_a_table];
        return from_slices(sums);
    }
};

// Four tiles of sums, and two of each factor: products of every left slice with every right one, by their weight.
template <class Tiles, int Slices>
void multiply_slices_of(const char *left, const char *right, int rows, int32_t *products)
{
    const int slice_bytes = rows * panel_width;
    Tiles::configure();
    for (int weight = 0; weight < 2 * Slices - 1; ++weight) {
        Tiles::template clear<0>();
        Tiles::template clear<1>();
        Tiles::template clear<2>();
        Tiles::template clear<3>();
        const int first = weight < Slices ? 0 : weight - Slices + 1;
        for (int slice = first; slice <= weight - first; ++slice) {
            const char *a = left + slice * slice_bytes;
            const char *b = right + (Slices + weight - slice) * slice_bytes;
            for (int row = 0; row < rows; row += tile_depth) {
                Tiles::template load<4>(a);
                Tiles::template load<5>(a + tile_bytes);
                Tiles::template load<6>(b);
                Tiles::template load<7>(b + tile_bytes);
                Tiles::template add_products<0, 4, 6>();
                Tiles::template add_products<1, 4, 7>();
                Tiles::template add_products<2, 5, 6>();
                Tiles::template add_products<3, 5, 7>();
                a += 2 * tile_bytes;
                b += 2 * tile_bytes;
            }
        }
        int32_t *const to = products + weight * products_of_a_table;
        int32_t *const below = to + tile_side * panel_width;
        Tiles::template store<0>(to, panel_width);
        Tiles::template store<1>(to + tile_side, panel_width);
        Tiles::template store<2>(below, panel_width);
        Tiles::template store<3>(below + tile_side, panel_width);
    }
    Tiles::release();
}

template <class Tiles>
void multiply_slices(const void *left, const void *right, int rows, bool wide, int32_t *products)
{
    const char *a = static_cast<const char *>(left);
    const char *b = static_cast<const char *>(right);
    wide ? multiply_slices_of<Tiles, wide_slices>(a, b, rows, products)
         : multiply_slices_of<Tiles, narrow_slices>(a, b, rows, products);
}

} // namespace

} // namespace iqa::IQA_INSTRUCTION_SET
