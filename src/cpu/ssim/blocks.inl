// SPDX-License-Identifier: MIT
// One tile of block SSIM. A line of quads (4 x 4 pixels) is summed at a time, first down its columns and then across;
// two lines make a row of blocks.
//
// Every sum fits 32 bits: the products of 16-bit samples are summed in two halves.
#pragma once

#include "arith/element_type.h"
#include "arith/ssim.h"
#include "arith/ssim_blocks.h"
#include "cpu/images/gather.inl"
#include "cpu/isa/instruction_set.h"
#include "cpu/ssim/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

// The sums over columns, quads and blocks.
enum quad_sum { quad_reference, quad_candidate, quad_squares, quad_products, quad_squares_high, quad_products_high };

template <class Sample>
struct quad_sums_of;
template <>
struct quad_sums_of<uint8_t> {
    enum : int { count = quad_products + 1 };
};
template <>
struct quad_sums_of<uint16_t> {
    enum : int { count = quad_products_high + 1 };
};

// The four rows of a line of quads.
template <class Sample>
struct quad_rows {
    const Sample *row[quad_size];
};

// Sums down the columns of a line. `columns` is a multiple of quad_size.
template <class Sample>
static void add_columns(const quad_rows<Sample> &reference, const quad_rows<Sample> &candidate, int columns,
                        uint32_t *__restrict sums)
{
    const Sample *const *x = reference.row;
    const Sample *const *y = candidate.row;
    const auto down = [](auto &&term) {
        return term(0) + term(1) + term(2) + term(3);
    };
    const auto product = [](Sample a, Sample b) {
        return uint32_t(a) * uint32_t(b);
    };
    const auto low = [=](Sample a, Sample b) {
        return product(a, b) & 0xffffu;
    };
    const auto high = [=](Sample a, Sample b) {
        return product(a, b) >> 16;
    };
    IQA_NO_OVERLAP
    for (int i = 0; i < columns; ++i) {
        sums[quad_reference * columns + i] = down([=](int row) { return uint32_t(x[row][i]); });
        sums[quad_candidate * columns + i] = down([=](int row) { return uint32_t(y[row][i]); });
        sums[quad_squares * columns + i] =
            down([=](int row) { return low(x[row][i], x[row][i]) + low(y[row][i], y[row][i]); });
        sums[quad_products * columns + i] = down([=](int row) { return low(x[row][i], y[row][i]); });
        if constexpr (sizeof(Sample) == 2) {
            sums[quad_squares_high * columns + i] =
                down([=](int row) { return high(x[row][i], x[row][i]) + high(y[row][i], y[row][i]); });
            sums[quad_products_high * columns + i] = down([=](int row) { return high(x[row][i], y[row][i]); });
        }
    }
}

// Sums of each four columns.
static void add_quads(const uint32_t *__restrict columns, int quads, uint32_t *__restrict sums)
{
    for (int i = 0; i < quads; ++i)
        sums[i] = columns[4 * i] + columns[4 * i + 1] + columns[4 * i + 2] + columns[4 * i + 3];
}

template <class Sample>
static int64_t ssim_of_block_row(const uint32_t *upper, const uint32_t *lower, int blocks,
                                 const ssim_block_constants &constants)
{
    const auto sum = [=](int kind, int i) {
        const uint32_t *above = upper + kind * (blocks + 1) + i;
        const uint32_t *below = lower + kind * (blocks + 1) + i;
        return double(int32_t(above[0] + above[1] + below[0] + below[1]));
    };
    int64_t total = 0;
    for (int i = 0; i < blocks; ++i) {
        double squares = sum(quad_squares, i);
        double products = sum(quad_products, i);
        if constexpr (sizeof(Sample) == 2) {
            squares += 65536.0 * sum(quad_squares_high, i);
            products += 65536.0 * sum(quad_products_high, i);
        }
        total +=
            ssim_fixed(ssim_of_block(sum(quad_reference, i), sum(quad_candidate, i), squares, products, constants));
    }
    return total;
}

// The rows of one line of quads; copied to `dense` if samples are not adjacent.
template <class Sample>
static quad_rows<Sample> rows_of_line(const sample_plane &plane, element_type type, int line, int columns,
                                      Sample *dense)
{
    quad_rows<Sample> rows{};
    for (int i = 0; i < quad_size; ++i) {
        rows.row[i] = static_cast<const Sample *>(plane.data) + (int64_t(line) * quad_size + i) * plane.row_stride;
        if (plane.column_stride != 1) {
            gather(type, rows.row[i], plane.column_stride, columns, dense + i * columns);
            rows.row[i] = dense + i * columns;
        }
    }
    return rows;
}

template <class Sample>
static int128 ssim_of_blocks(const ssim_block_tile &tile)
{
    constexpr int count = quad_sums_of<Sample>::count;
    const int quads = tile.columns + 1;
    const int columns = quads * quad_size;
    uint32_t *column_sums = static_cast<uint32_t *>(tile.memory);
    uint32_t *lines[2] = {column_sums + count * columns, column_sums + count * (columns + quads)};
    Sample *dense = reinterpret_cast<Sample *>(column_sums + count * (columns + 2 * quads));
    int128 total = 0;
    for (int line = 0; line <= tile.rows; ++line) {
        add_columns(rows_of_line(tile.reference, tile.type, line, columns, dense),
                    rows_of_line(tile.candidate, tile.type, line, columns, dense + quad_size * columns), columns,
                    column_sums);
        for (int kind = 0; kind < count; ++kind)
            add_quads(column_sums + kind * columns, quads, lines[line % 2] + kind * quads);
        if (line > 0)
            total += ssim_of_block_row<Sample>(lines[0], lines[1], tile.columns, tile.constants);
    }
    return total;
}

static int128 ssim_blocks(const ssim_block_tile &tile)
{
    return tile.type == element_type::uint8 ? ssim_of_blocks<uint8_t>(tile) : ssim_of_blocks<uint16_t>(tile);
}

} // namespace iqa::IQA_INSTRUCTION_SET
