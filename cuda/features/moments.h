// SPDX-License-Identifier: MIT
// The moments of features on a GPU. One kernel checks all features; the next one adds products if all are valid.
#pragma once

#include "arith/second_moment.h"
#include "core/device.hpp"
#include "cuda/features/slice_tile.h"
#include "cuda/machine/per_thread.h"
#include "cuda/machine/table_rows.h"

namespace iqa::cuda {

// Finds the first feature that is not finite or outside the grid, in the order of set (reference first), row, column.
struct check_features {
    struct tally {
        uint64_t first; // complement of the first such feature's side and position; 0: none
        uint32_t arrivals;
    };
    struct arguments {
        table_view sides[2];
        double gain;
        int64_t limit;
        tally *seen; // zero before and after
        fault *report;
        uint32_t *sound; // 1: all features are valid
    };
    static constexpr int threads = 256;
    static constexpr int features_of_a_thread = 16;
    static constexpr int features_of_a_block = threads * features_of_a_thread;

    IQA_KERNEL static int64_t blocks_of(const table_view &table)
    {
        return (table.rows * table.columns + features_of_a_block - 1) / features_of_a_block;
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t reference_blocks = blocks_of(args.sides[0]);
        const int side = block.index() < reference_blocks ? 0 : 1;
        const int64_t index = block.index() - (side == 0 ? 0 : reference_blocks);
        with_feature_type(args.sides[side].type,
                          [&](auto type) { look<decltype(type)>(block, args, side, index * features_of_a_block); });
        if (block.comes_last(&args.seen->arrivals))
            block.each(1, [&](int) { report(args); });
    }

private:
    static constexpr int side_bit = 60; // above 2^31 rows of 2^14 features

    // Neighbouring threads read along the axis with the smaller stride.
    template <class Element, class Block>
    IQA_KERNEL static void look(Block &block, const arguments &args, int side, int64_t first)
    {
        const table_view &table = args.sides[side];
        const auto *data = reinterpret_cast<const Element *>(table.data);
        const bool down = is_column_major(table);
        const int64_t length = down ? table.rows : table.columns;
        const int64_t stride = down ? table.row_stride : table.column_stride;
        const int64_t line_stride = down ? table.column_stride : table.row_stride;
        const int64_t count = table.rows * table.columns;
        const int64_t step_lines = threads / length;
        const int64_t step = threads % length;
        const int64_t first_line = first / length;
        const int64_t first_offset = first % length;
        block.each(threads, [&](int thread) {
            int64_t offset = first_offset + thread;
            int64_t line = first_line + offset / length;
            offset %= length;
            Element values[features_of_a_thread];
            for (int i = 0; i < features_of_a_thread; ++i) {
                const bool inside = first + thread + i * threads < count;
                values[i] = inside ? data[line * line_stride + offset * stride] : Element{};
                line += step_lines;
                offset += step;
                if (offset >= length) {
                    offset -= length;
                    ++line;
                }
            }
            for (int i = 0; i < features_of_a_thread; ++i)
                if (!within(to_grid(double(widen(values[i])), args.gain), args.limit)) {
                    const int64_t at = first + thread + i * threads;
                    const int64_t position = down ? at % length * table.columns + at / length : at;
                    keep_most(&args.seen->first, ~(uint64_t(position) | uint64_t(side) << side_bit));
                }
        });
    }

    IQA_KERNEL static void report(const arguments &args)
    {
        const uint64_t first = args.seen->first;
        *args.sound = first == 0 ? 1 : 0;
        args.seen->first = 0;
        if (first == 0)
            return;
        const int side = int(~first >> side_bit);
        const int64_t position = int64_t(~first & ((uint64_t(1) << side_bit) - 1));
        const table_view &table = args.sides[side];
        const int64_t row = position / table.columns;
        const int64_t column = position % table.columns;
        double value = 0.0;
        with_feature_type(table.type, [&](auto type) {
            using element = decltype(type);
            value = widen(
                reinterpret_cast<const element *>(table.data)[row * table.row_stride + column * table.column_stride]);
        });
        *args.report = fault_of_feature(side, row, column, value);
    }
};

// Adds row counts, sums and products of both sets to the lanes. A block takes one tile of a lower triangle and a range
// of rows. It rounds features to the grid as it reads them, which costs less than to store rounded ones.
template <int Slices>
struct add_moments {
    struct side {
        table_view table;
        int64_t *lanes;        // see moment_lanes
        int64_t rows_of_block; // a multiple of slice_tile_rows, at most most_rows_sliced
        int64_t blocks;
    };
    struct arguments {
        side sides[2];
        double gain;
        const uint32_t *sound;
    };
    static constexpr int threads = slice_tile_threads;
    static constexpr int panel = panel_bytes(Slices);
    static constexpr int shared_bytes = 4 * panel; // double-buffered pairs of panels

    static constexpr int64_t panels_of(int64_t features) { return (features + slice_tile_side - 1) / slice_tile_side; }
    static constexpr int64_t tiles_of(int64_t features) { return panels_of(features) * (panels_of(features) + 1) / 2; }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        if (*args.sound == 0)
            return;
        const bool second = block.index() >= args.sides[0].blocks;
        const side &set = args.sides[second ? 1 : 0];
        const feature_tile tile = tile_of(set, block.index() - (second ? args.sides[0].blocks : 0));
        slice_tile<Block, Slices> sums;
        with_feature_type(set.table.type,
                          [&](auto type) { multiply<decltype(type)>(block, set, tile, args.gain, sums); });
        const int features = int(set.table.columns);
        sums.each([&](int i, int j, const auto &by_weight) {
            const int row = tile.left + i;
            const int column = tile.right + j;
            if (row >= features || column > row)
                return;
            const moment_words product = from_slices(by_weight);
            int64_t *const to = moment_lanes{set.lanes, features}.words(row, column);
            add(to, product.low);
            add(to + 1, product.high);
        });
    }

private:
    static constexpr int rows_of_item = 16;
    static_assert(threads * rows_of_item == 2 * slice_tile_side * slice_tile_rows);

    // The features that a thread reads ahead for the next step: some rows of one feature.
    template <class Element>
    struct read_ahead {
        Element values[rows_of_item];
        int64_t sum, rest_sum, rest_squares; // of a diagonal tile: of all features so far
    };

    struct alignas(16) words {
        uint32_t quads[rows_of_item / 4];
    };

    // The work of a block.
    struct feature_tile {
        int left, right; // first features
        int64_t first_row, last_row;

        IQA_HD_MEMBER bool diagonal() const { return left == right; }
        IQA_HD_MEMBER int feature(int i) const
        {
            return (i % (2 * slice_tile_side) < slice_tile_side ? left : right) + i % slice_tile_side;
        }
        // A diagonal tile has only the left panel.
        IQA_HD_MEMBER bool wants(int i) const { return !diagonal() || i % (2 * slice_tile_side) < slice_tile_side; }
    };

    IQA_KERNEL static feature_tile tile_of(const side &set, int64_t index)
    {
        const int tiles = int(tiles_of(set.table.columns));
        const int number = int(index % tiles);
        int left = 0;
        while ((left + 1) * (left + 2) / 2 <= number)
            ++left;
        const int right = number - left * (left + 1) / 2;
        const int64_t first_row = index / tiles * set.rows_of_block;
        const int64_t last_row = first_row + set.rows_of_block;
        return {left * slice_tile_side, right * slice_tile_side, first_row,
                last_row < set.table.rows ? last_row : set.table.rows};
    }

    template <class Element, class Block>
    IQA_KERNEL static void multiply(Block &block, const side &set, const feature_tile &tile, double gain,
                                    slice_tile<Block, Slices> &sums)
    {
        const table_view &table = set.table;
        per_thread<Block, read_ahead<Element>, threads> ahead;
        const auto *data = reinterpret_cast<const Element *>(table.data);
        const auto read = [&](int64_t row) {
            block.each(threads, [&](int i) {
                const int feature = tile.feature(i);
                const int64_t from = row + i / (2 * slice_tile_side) * rows_of_item;
                const int inside = feature < table.columns && tile.wants(i) ? int(tile.last_row - from) : 0;
                const Element *at = data + from * table.row_stride + feature * table.column_stride;
                for (int r = 0; r < rows_of_item; ++r, at += table.row_stride)
                    ahead[i].values[r] = r < inside ? *at : Element{};
            });
        };

        read(tile.first_row);
        int buffer = 0;
        for (int64_t row = tile.first_row; row < tile.last_row; row += slice_tile_rows) {
            char *const panels = block.shared() + buffer * 2 * panel;
            block.each(threads, [&](int i) {
                if (tile.wants(i))
                    pack(ahead[i], panels, i, tile.diagonal(), gain);
            });
            if (row + slice_tile_rows < tile.last_row)
                read(row + slice_tile_rows);
            sums.multiply(panels, tile.diagonal() ? panels : panels + panel);
            buffer = 1 - buffer;
        }

        if (tile.diagonal())
            block.each(threads, [&](int i) {
                if (tile.wants(i) && tile.feature(i) < table.columns) {
                    const moment_lanes lanes = {set.lanes, table.columns};
                    add(lanes.sums() + tile.feature(i), ahead[i].sum);
                    add(lanes.rest_sum(tile.feature(i)), ahead[i].rest_sum);
                    int64_t *const squares = lanes.rest_squares(tile.feature(i));
                    add(squares, ahead[i].rest_squares & 0xffffffff);
                    add(squares + 1, ahead[i].rest_squares >> 32);
                }
                if (i == 0 && tile.left == 0)
                    add(set.lanes, tile.last_row - tile.first_row);
            });
    }

    // Packs the rows of one feature into a panel: slice by slice, four rows to a word.
    template <class Element>
    IQA_KERNEL static void pack(read_ahead<Element> &ahead, char *panels, int i, bool diagonal, double gain)
    {
        words slices[4];
        for (int quad = 0; quad < rows_of_item / 4; ++quad) {
            uint32_t rows[4];
            for (int r = 0; r < 4; ++r) {
                const auto value = widen(ahead.values[4 * quad + r]);
                const int32_t q = grid_integer(value, gain);
                if (diagonal) {
                    const int64_t rest = rest_of(double(value), gain, double(q));
                    ahead.sum += q;
                    ahead.rest_sum += rest;
                    ahead.rest_squares += rest * rest;
                }
                rows[r] = slices_of(q);
            }
            transpose_bytes(rows);
            for (int s = 0; s < 4; ++s)
                slices[s].quads[quad] = rows[s];
        }
        char *const to = panels + i / slice_tile_side % 2 * panel + i % slice_tile_side * slice_tile_stride +
                         i / (2 * slice_tile_side) * rows_of_item;
        for (int s = 0; s < Slices; ++s)
            *reinterpret_cast<words *>(to + s * slice_tile_side * slice_tile_stride) = slices[s];
    }

    // Byte s of word r becomes byte r of word s.
    IQA_KERNEL static void transpose_bytes(uint32_t (&rows)[4])
    {
        const uint32_t low_first = select_bytes(rows[0], rows[1], 0x5140);
        const uint32_t low_second = select_bytes(rows[2], rows[3], 0x5140);
        const uint32_t high_first = select_bytes(rows[0], rows[1], 0x7362);
        const uint32_t high_second = select_bytes(rows[2], rows[3], 0x7362);
        rows[0] = select_bytes(low_first, low_second, 0x5410);
        rows[1] = select_bytes(low_first, low_second, 0x7632);
        rows[2] = select_bytes(high_first, high_second, 0x5410);
        rows[3] = select_bytes(high_first, high_second, 0x7632);
    }

    // Four of the eight bytes of two words; each hexadecimal digit of the selector names one.
    IQA_KERNEL static uint32_t select_bytes(uint32_t low, uint32_t high, uint32_t selector)
    {
#if defined(__CUDA_ARCH__)
        return __byte_perm(low, high, selector);
#else
        const uint64_t both = uint64_t(high) << 32 | low;
        uint32_t selected = 0;
        for (int i = 0; i < 4; ++i)
            selected |= (uint32_t(both >> (8 * ((selector >> (4 * i)) & 7))) & 0xffu) << (8 * i);
        return selected;
#endif
    }
};

} // namespace iqa::cuda
