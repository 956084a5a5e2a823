// SPDX-License-Identifier: MIT
// The moments of features on a GPU: first all features are looked at, then products are added, or nothing is.
#pragma once

#include "arith/second_moment.h"
#include "core/device.hpp"
#include "cuda/features/slice_tile.h"
#include "cuda/machine/own_variables.h"
#include "cuda/machine/table_rows.h"

namespace iqa::cuda {

// Finds the first feature that is not finite or outside the grid: of the reference set before the candidate's, by row
// and column.
struct check_features {
    struct tally {
        uint64_t first; // complement of side and position of the first such feature; 0 if there is none
        uint32_t arrivals;
    };
    struct arguments {
        table_view sides[2];
        double gain;
        int64_t limit;
        tally *seen; // all zero before and after
        fault *report;
        uint32_t *sound; // 1: all features are as they must be
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
        const int64_t of_reference = blocks_of(args.sides[0]);
        const int side = block.index() < of_reference ? 0 : 1;
        const int64_t index = block.index() - (side == 0 ? 0 : of_reference);
        with_type(args.sides[side].type, [&](auto type) {
            look<typename decltype(type)::type>(block, args, side, index * features_of_a_block);
        });
        if (block.comes_last(&args.seen->arrivals))
            block.each(1, [&](int) { report(args); });
    }

private:
    static constexpr int side_bit = 60; // above 2^31 rows of 2^14 features

    // Along the axis that lies closer in memory.
    template <class Element, class Block>
    IQA_KERNEL static void look(Block &block, const arguments &args, int side, int64_t first)
    {
        const table_view &table = args.sides[side];
        const auto *data = reinterpret_cast<const Element *>(table.data);
        const bool down = magnitude(table.row_stride) < magnitude(table.column_stride);
        const int64_t length = down ? table.rows : table.columns;
        const int64_t stride = down ? table.row_stride : table.column_stride;
        const int64_t line_stride = down ? table.column_stride : table.row_stride;
        const int64_t count = table.rows * table.columns;
        const int64_t step_lines = threads / length;
        const int64_t step = threads % length;
        const int64_t first_line = first / length;
        const int64_t first_place = first % length;
        block.each(threads, [&](int thread) {
            int64_t place = first_place + thread;
            int64_t line = first_line + place / length;
            place %= length;
            Element values[features_of_a_thread];
            for (int i = 0; i < features_of_a_thread; ++i) {
                const bool inside = first + thread + i * threads < count;
                values[i] = inside ? data[line * line_stride + place * stride] : Element{};
                line += step_lines;
                place += step;
                if (place >= length) {
                    place -= length;
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

    IQA_KERNEL static int64_t magnitude(int64_t stride) { return stride < 0 ? -stride : stride; }

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
        with_type(table.type, [&](auto type) {
            using element = typename decltype(type)::type;
            value = widen(
                reinterpret_cast<const element *>(table.data)[row * table.row_stride + column * table.column_stride]);
        });
        *args.report = {fault_kind::features, side, row, column, 1, value, 0};
    }
};

// Adds rows, sums and products of both sets to the lanes. A block has one tile of a lower triangle, for some rows; it
// rounds the features to the grid as it reads them, since that costs less than to keep them elsewhere.
template <int Slices>
struct add_moments {
    struct side {
        table_view table;
        int64_t *lanes;        // as in moment_lanes
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
    static constexpr int shared_bytes = 4 * panel; // two panels, twice

    static constexpr int64_t panels_of(int64_t features) { return (features + slice_tile_side - 1) / slice_tile_side; }
    static constexpr int64_t tiles_of(int64_t features) { return panels_of(features) * (panels_of(features) + 1) / 2; }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        if (*args.sound == 0)
            return;
        const bool second = block.index() >= args.sides[0].blocks;
        const side &of = args.sides[second ? 1 : 0];
        const place here = place_of(of, block.index() - (second ? args.sides[0].blocks : 0));
        slice_tile<Block, Slices> sums;
        with_type(of.table.type,
                  [&](auto type) { multiply<typename decltype(type)::type>(block, of, here, args.gain, sums); });
        const int features = int(of.table.columns);
        sums.each([&](int i, int j, const auto &of_element) {
            const int row = here.left + i;
            const int column = here.right + j;
            if (row >= features || column > row)
                return;
            const moment_words product = from_slices(of_element);
            int64_t *const to = moment_lanes{of.lanes, features}.words(row, column);
            add(to, product.low);
            add(to + 1, product.high);
        });
    }

private:
    static constexpr int rows_of_item = 16;
    static_assert(threads * rows_of_item == 2 * slice_tile_side * slice_tile_rows);

    // What a thread reads ahead for the next step: some rows of one feature.
    template <class Element>
    struct items {
        Element values[rows_of_item];
        int64_t sum, rest_sum, rest_squares; // of a diagonal tile: of all that came by
    };

    struct alignas(16) words {
        uint32_t of_rows[rows_of_item / 4];
    };

    // What a block works on.
    struct place {
        int left, right; // first features
        int64_t first_row, last_row;

        IQA_HD_MEMBER bool diagonal() const { return left == right; }
        IQA_HD_MEMBER int feature(int i) const
        {
            return (i % (2 * slice_tile_side) < slice_tile_side ? left : right) + i % slice_tile_side;
        }
        // Both panels of a diagonal tile are the left one.
        IQA_HD_MEMBER bool wants(int i) const { return !diagonal() || i % (2 * slice_tile_side) < slice_tile_side; }
    };

    IQA_KERNEL static place place_of(const side &of, int64_t index)
    {
        const int tiles = int(tiles_of(of.table.columns));
        const int tile = int(index % tiles);
        int left = 0;
        while ((left + 1) * (left + 2) / 2 <= tile)
            ++left;
        const int right = tile - left * (left + 1) / 2;
        const int64_t first_row = index / tiles * of.rows_of_block;
        const int64_t last_row = first_row + of.rows_of_block;
        return {left * slice_tile_side, right * slice_tile_side, first_row,
                last_row < of.table.rows ? last_row : of.table.rows};
    }

    template <class Element, class Block>
    IQA_KERNEL static void multiply(Block &block, const side &of, const place &here, double gain,
                                    slice_tile<Block, Slices> &sums)
    {
        const table_view &table = of.table;
        own_variables<Block, items<Element>, threads> own;
        const auto *data = reinterpret_cast<const Element *>(table.data);
        const auto read = [&](int64_t row) {
            block.each(threads, [&](int i) {
                const int feature = here.feature(i);
                const int64_t from = row + i / (2 * slice_tile_side) * rows_of_item;
                const int inside = feature < table.columns && here.wants(i) ? int(here.last_row - from) : 0;
                const Element *at = data + from * table.row_stride + feature * table.column_stride;
                for (int r = 0; r < rows_of_item; ++r, at += table.row_stride)
                    own[i].values[r] = r < inside ? *at : Element{};
            });
        };

        read(here.first_row);
        int buffer = 0;
        for (int64_t row = here.first_row; row < here.last_row; row += slice_tile_rows) {
            char *const panels = block.shared() + buffer * 2 * panel;
            block.each(threads, [&](int i) {
                if (here.wants(i))
                    pack(own[i], panels, i, here.diagonal(), gain);
            });
            if (row + slice_tile_rows < here.last_row)
                read(row + slice_tile_rows);
            sums.multiply(panels, here.diagonal() ? panels : panels + panel);
            buffer = 1 - buffer;
        }

        if (here.diagonal())
            block.each(threads, [&](int i) {
                if (here.wants(i) && here.feature(i) < table.columns) {
                    const moment_lanes lanes = {of.lanes, table.columns};
                    add(lanes.sums() + here.feature(i), own[i].sum);
                    add(lanes.rest_sum(here.feature(i)), own[i].rest_sum);
                    int64_t *const squares = lanes.rest_squares(here.feature(i));
                    add(squares, own[i].rest_squares & 0xffffffff);
                    add(squares + 1, own[i].rest_squares >> 32);
                }
                if (i == 0 && here.left == 0)
                    add(of.lanes, here.last_row - here.first_row);
            });
    }

    // The rows of one feature into a panel: slice by slice, four rows to a word.
    template <class Element>
    IQA_KERNEL static void pack(items<Element> &own, char *panels, int i, bool diagonal, double gain)
    {
        words slices[4];
        for (int quad = 0; quad < rows_of_item / 4; ++quad) {
            uint32_t rows[4];
            for (int r = 0; r < 4; ++r) {
                const auto value = widen(own.values[4 * quad + r]);
                const int32_t q = grid_integer(value, gain);
                if (diagonal) {
                    const int64_t rest = rest_of(double(value), gain, double(q));
                    own.sum += q;
                    own.rest_sum += rest;
                    own.rest_squares += rest * rest;
                }
                rows[r] = slices_of(q);
            }
            transpose_bytes(rows);
            for (int s = 0; s < 4; ++s)
                slices[s].of_rows[quad] = rows[s];
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

    // Four of the eight bytes of two words, as each hexadecimal digit of the selector says.
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
