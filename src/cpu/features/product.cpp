// SPDX-License-Identifier: MIT
#include "cpu/features/product.hpp"

#include <algorithm>

namespace iqa {

namespace {

// A block of C that one worker computes, in register tiles: its share of packed A stays in the second-level cache.
constexpr int64_t block_row_tiles = 8;
constexpr int64_t block_column_tiles = 32;

// The largest register tile of any instruction set, for tiles that cross the edge of C.
constexpr int most_tile_elements = 24 * 8;

// Panel `panel` of an operand as [depth][width], zero beyond `count`.
void pack_panel(const operand &from, int64_t panel, int width, int64_t count, int64_t first, int depth, double sign,
                double *packed)
{
    const int64_t begin = panel * width;
    const int inside = int(std::min<int64_t>(width, count - begin));
    // A few steps at a time, so that whole cache lines are read and written, transposed or not.
    constexpr int steps = 8;
    for (int first_k = 0; first_k < depth; first_k += steps)
        for (int i = 0; i < inside; ++i)
            for (int k = first_k; k < std::min(first_k + steps, depth); ++k)
                packed[k * width + i] = sign * from.at(begin + i, first + k);
    for (int i = inside; i < width; ++i)
        for (int k = 0; k < depth; ++k)
            packed[k * width + i] = 0.0;
}

} // namespace

multiplier::multiplier(context &where, const fid_kernels &kernels, int64_t most_rows)
    : kernels_(kernels), memory_(where)
{
    const int64_t size_a = round_up(most_rows, kernels.tile_rows) * chain_depth;
    const int64_t size_b = round_up(most_rows, kernels.tile_columns) * chain_depth;
    packed_a_ = memory_.take<double>(size_t(size_a + size_b), "the panels of a matrix product");
    packed_b_ = packed_a_ + size_a;
}

void multiplier::run(crew &team, const matrix_product &request, operand_ends ends)
{
    for (int64_t from = 0; from < request.depth; from += chain_depth) {
        const chain steps = {.from = from,
                             .depth = int(std::min<int64_t>(chain_depth, request.depth - from)),
                             .ends = ends,
                             .add = request.subtract || from != 0};
        pack(team, request, steps);
        multiply_packed(team, request, steps);
    }
}

void multiplier::pack(crew &team, const matrix_product &request, const chain &steps)
{
    const int width_a = kernels_.tile_rows;
    const int width_b = kernels_.tile_columns;
    const int64_t panels_a = divide_up(request.rows, width_a);
    const int64_t panels_b = divide_up(request.columns, width_b);
    const double sign = request.subtract ? -1.0 : 1.0;
    team.each(panels_a + panels_b, int64_t(width_a) * steps.depth, [&](int64_t item, int32_t) {
        const int64_t panel = item - panels_a;
        if (panel < 0)
            pack_panel(request.a, item, width_a, request.rows, steps.from, steps.depth, sign,
                       packed_a_ + item * width_a * chain_depth);
        else
            pack_panel(request.b, panel, width_b, request.columns, steps.from, steps.depth, 1.0,
                       packed_b_ + panel * width_b * chain_depth);
    });
}

void multiplier::multiply_packed(crew &team, const matrix_product &request, const chain &steps)
{
    const int64_t row_blocks = divide_up(request.rows, block_row_tiles * kernels_.tile_rows);
    const int64_t column_blocks = divide_up(request.columns, block_column_tiles * kernels_.tile_columns);
    const int64_t cost =
        block_row_tiles * kernels_.tile_rows * block_column_tiles * kernels_.tile_columns * int64_t(steps.depth);
    team.each(row_blocks * column_blocks, cost,
              [&](int64_t item, int32_t) { multiply_block(request, steps, item % row_blocks, item / row_blocks); });
}

void multiplier::multiply_block(const matrix_product &request, const chain &steps, int64_t row_block,
                                int64_t column_block)
{
    const int height = kernels_.tile_rows;
    const int width = kernels_.tile_columns;
    const int64_t first_row_tile = row_block * block_row_tiles;
    const int64_t first_column_tile = column_block * block_column_tiles;
    const int64_t last_row_tile = std::min(first_row_tile + block_row_tiles, divide_up(request.rows, height));
    const int64_t last_column_tile =
        std::min(first_column_tile + block_column_tiles, divide_up(request.columns, width));
    int32_t list[chain_depth];
    const int32_t *listed = nullptr;
    int depth = steps.depth;
    if (steps.ends.a != nullptr) {
        const int64_t *const end_a = steps.ends.a + steps.from;
        const int64_t *const end_b = steps.ends.b + steps.from;
        depth = 0;
        for (int k = 0; k < steps.depth; ++k)
            if (end_a[k] >= first_row_tile * height && end_b[k] >= first_column_tile * width)
                list[depth++] = k;
        listed = list;
    }
    for (int64_t column_tile = first_column_tile; column_tile < last_column_tile; ++column_tile)
        for (int64_t row_tile = first_row_tile; row_tile < last_row_tile; ++row_tile) {
            const int64_t row = row_tile * height;
            const int64_t column = column_tile * width;
            if (request.lower_only && row + height <= column)
                continue;
            const double *a = packed_a_ + row * chain_depth;
            const double *b = packed_b_ + column * chain_depth;
            double *c = request.c.column(column) + row;
            const int rows = int(std::min<int64_t>(height, request.rows - row));
            const int columns = int(std::min<int64_t>(width, request.columns - column));
            if (rows == height && columns == width) {
                kernels_.multiply_tile(a, b, listed, depth, c, request.c.stride, steps.add);
                continue;
            }
            alignas(64) double edge[most_tile_elements];
            kernels_.multiply_tile(a, b, listed, depth, edge, height, false);
            const auto inside = Eigen::Map<Eigen::MatrixXd>(edge, height, width).topLeftCorner(rows, columns);
            Eigen::Map<Eigen::MatrixXd, 0, Eigen::OuterStride<>> target(c, rows, columns, {request.c.stride});
            if (steps.add)
                target += inside;
            else
                target = inside;
        }
}

} // namespace iqa
