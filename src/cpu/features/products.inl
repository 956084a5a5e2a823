// SPDX-License-Identifier: MIT
// Sums of products of digit pairs, in register tiles over a lane type.
#pragma once

#include "cpu/features/kernels.hpp"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

namespace {

template <class Lanes>
void multiply_panels(const int16_t *left, const int16_t *right, int pairs, int32_t *products)
{
    constexpr int width = panel_width;
    constexpr int lanes = Lanes::count;
    constexpr int tile_rows = Lanes::tile_rows;
    constexpr int vectors = Lanes::tile_vectors;
    for (int i0 = 0; i0 < width; i0 += tile_rows)
        for (int j0 = 0; j0 < width; j0 += vectors * lanes) {
            Lanes sums[tile_rows][vectors];
            for (auto &row_sums : sums)
                for (auto &sum : row_sums)
                    sum = Lanes::zero();
            for (int pair = 0; pair < pairs; ++pair) {
                const int16_t *a = left + (pair * width + i0) * 2;
                const int16_t *b = right + (pair * width + j0) * 2;
                Lanes columns[vectors];
#pragma GCC unroll 4
                for (int v = 0; v < vectors; ++v)
                    columns[v] = Lanes::load(b + v * lanes * 2);
#pragma GCC unroll 16
                for (int i = 0; i < tile_rows; ++i) {
                    const Lanes row = Lanes::repeat_pair(a + i * 2);
#pragma GCC unroll 4
                    for (int v = 0; v < vectors; ++v)
                        sums[i][v] = add_products_of_pairs(sums[i][v], row, columns[v]);
                }
            }
            for (int i = 0; i < tile_rows; ++i)
                for (int v = 0; v < vectors; ++v)
                    sums[i][v].store(products + (i0 + i) * width + j0 + v * lanes);
        }
}

} // namespace

} // namespace iqa::IQA_INSTRUCTION_SET
