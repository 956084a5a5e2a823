// SPDX-License-Identifier: MIT
// Integers of the grid as planes of 16-bit digits, whose products products.inl sums modulo 2^32: arith/feature_grid.h.
#pragma once

#include "cpu/features/moments.inl"

namespace iqa::IQA_INSTRUCTION_SET {

namespace {

// Planes are [pair of rows][panel_width][2].
template <bool Wide>
struct digit_cut {
    static constexpr bool wide = Wide;
    static constexpr int rows_together = 2;
    static constexpr int planes = Wide ? wide_planes : narrow_planes;
    // The state is updated after as many rows as 32 bits hold: an update costs as much as some 50 rows of products.
    static constexpr panel_packing packing = {
        .most_rows = Wide ? 508 : 258, .row_step = 2, .bytes = planes * int(sizeof(int16_t)), .sums = planes};
    static_assert(packing.most_rows <= (Wide ? most_rows_wide : most_rows_narrow));
    static_assert(packing.most_rows % packing.row_step == 0);

    // The lower half of a pair is the first row's.
    static void pack(const int32_t (&q)[2][panel_width], int pair_of_rows, int rows, void *packed)
    {
        const int plane_size = rows * panel_width;
        int16_t *const to = static_cast<int16_t *>(packed) + pair_of_rows * panel_width * 2;
        for (int j = 0; j < panel_width; ++j) {
            int32_t a[planes];
            int32_t b[planes];
            if constexpr (Wide) {
                split_wide(q[0][j], a);
                split_wide(q[1][j], b);
            } else {
                split_narrow(q[0][j], a);
                split_narrow(q[1][j], b);
            }
            for (int plane = 0; plane < planes; ++plane) {
                const uint32_t pair = (uint32_t(a[plane]) & 0xffffu) | (uint32_t(b[plane]) << 16);
                __builtin_memcpy(to + plane * plane_size + 2 * j, &pair, sizeof pair);
            }
        }
    }

    static moment_words block(const int32_t *p)
    {
        constexpr int table = products_of_a_table;
        if constexpr (Wide)
            return from_wide_planes(uint32_t(p[0]), uint32_t(p[table]), uint32_t(p[2 * table]), uint32_t(p[3 * table]),
                                    uint32_t(p[4 * table]));
        else
            return from_narrow_planes(p[0], p[table], p[2 * table]);
    }
};

} // namespace

} // namespace iqa::IQA_INSTRUCTION_SET
