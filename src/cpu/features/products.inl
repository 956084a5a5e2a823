// SPDX-License-Identifier: MIT
// Sums of products of digit pairs, in register tiles over a lane type.
#pragma once

#include "arith/feature_grid.h"
#include "cpu/features/kernels.hpp"
#include "cpu/isa/instruction_set.h"

namespace iqa::IQA_INSTRUCTION_SET {

namespace {

template <class Lanes>
void multiply_planes(const int16_t *left, const int16_t *right, int pairs, int32_t *products)
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

template <class Lanes>
void multiply_digits(const void *left, const void *right, int rows, bool wide, int32_t *products)
{
    const int plane_size = rows * panel_width;
    const int planes = wide ? wide_planes : narrow_planes;
    for (int plane = 0; plane < planes; ++plane)
        multiply_planes<Lanes>(static_cast<const int16_t *>(left) + plane * plane_size,
                               static_cast<const int16_t *>(right) + plane * plane_size, rows / 2,
                               products + plane * panel_width * panel_width);
}

} // namespace

} // namespace iqa::IQA_INSTRUCTION_SET
