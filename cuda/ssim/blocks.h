// SPDX-License-Identifier: MIT
// SSIM over blocks of 8 x 8 pixels: a block of threads sums the quads (4 x 4 pixels) of a tile, and computes SSIM from
// each 2 x 2 quads. All sums are integers, so the values are the CPU's.
//
// Each sample is read once, except in quads that tiles share (1 of 8 rows, 1 of 64 columns). 16 pixels cost some 100
// integer operations, and some 30 in double with one division.
#pragma once

#include "arith/ssim.h"
#include "arith/ssim_blocks.h"
#include "core/tensor.hpp"
#include "cuda/machine/block.h"

namespace iqa::cuda {

template <class Sample>
struct ssim_of_blocks {
    struct arguments {
        image_pair images;
        ssim_block_constants constants;
        int64_t rows, columns; // of blocks
        int64_t down, across;  // tiles
        wide_sum *totals;      // [images][channels]; zero between kernels, as are the arrivals
        uint32_t *arrivals;
        int128 *sums;          // [images][channels]
        sample_counts *counts; // [images]; NULL: counted by another kernel

        IQA_HD_MEMBER int64_t planes() const { return images.reference.images * images.reference.channels; }
        IQA_HD_MEMBER int64_t tiles() const { return planes() * down * across; }
    };
    static constexpr int threads = 128;
    static constexpr int tile_rows = 8, tile_columns = 64; // in blocks
    static constexpr int quad_rows = tile_rows + 1, quad_columns = tile_columns + 1;

    struct quad_sums {
        uint64_t squares, products;
        uint32_t reference, candidate;
    };
    static constexpr int shared_bytes = quad_rows * quad_columns * int(sizeof(quad_sums));

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        quad_sums *quads = reinterpret_cast<quad_sums *>(block.shared());
        const int64_t first_column = block.index() % args.across * tile_columns;
        const int64_t first_row = block.index() / args.across % args.down * tile_rows;
        const int64_t plane = block.index() / (args.across * args.down);
        const int rows = least(args.rows - first_row, tile_rows);
        const int columns = least(args.columns - first_column, tile_columns);
        const int64_t channels = args.images.reference.channels;
        const pixel_place corner = {plane / channels, plane % channels, 0, first_row * quad_size,
                                    first_column * quad_size};
        block.each((rows + 1) * (columns + 1), [&](int i) {
            const int row = i / (columns + 1);
            const int column = i - row * (columns + 1);
            pixel_place at = corner;
            at.row += row * quad_size;
            at.column += column * quad_size;
            quads[i] = sum_quad(args.images, at);
        });
        const int64_t sum = block.sum(rows * columns, [&](int i) {
            const int row = i / columns;
            const quad_sums *above = quads + row * (columns + 1) + (i - row * columns);
            return ssim_fixed(ssim_of(args.constants, above, above + columns + 1));
        });
        block.each(1, [&](int) { add(&args.totals[plane], sum); });
        if (block.comes_last(args.arrivals))
            hand_out(block, args);
    }

private:
    struct alignas(quad_size * sizeof(Sample)) quad_row {
        Sample samples[quad_size];
    };

    IQA_KERNEL static int least(int64_t left, int most) { return left < most ? int(left) : most; }

    IQA_KERNEL static quad_row load_row(const image_view &view, pixel_place at)
    {
        const std::byte *address = view.at(at.image, at.channel, at.slice, at.row, at.column);
        if (view.column_stride == 1 && reinterpret_cast<uintptr_t>(address) % sizeof(quad_row) == 0)
            return *reinterpret_cast<const quad_row *>(address);
        quad_row row;
        IQA_UNROLL_ON_GPU
        for (int i = 0; i < quad_size; ++i)
            row.samples[i] = reinterpret_cast<const Sample *>(address)[i * view.column_stride];
        return row;
    }

    IQA_KERNEL static quad_sums sum_quad(const image_pair &images, pixel_place at)
    {
        quad_sums sums = {};
        for (int row = 0; row < quad_size; ++row, ++at.row) {
            const quad_row reference = load_row(images.reference, at);
            const quad_row candidate = load_row(images.candidate, at);
            IQA_UNROLL_ON_GPU
            for (int i = 0; i < quad_size; ++i) {
                const uint32_t x = reference.samples[i];
                const uint32_t y = candidate.samples[i];
                sums.reference += x;
                sums.candidate += y;
                sums.squares += uint64_t(x * x) + y * y;
                sums.products += x * y;
            }
        }
        return sums;
    }

    // SSIM of a block of four quads.
    IQA_KERNEL static double ssim_of(const ssim_block_constants &constants, const quad_sums *above,
                                     const quad_sums *below)
    {
        const auto sum = [&](auto quad_sums::*field) {
            return double(int64_t(above[0].*field + above[1].*field + below[0].*field + below[1].*field));
        };
        return ssim_of_block(sum(&quad_sums::reference), sum(&quad_sums::candidate), sum(&quad_sums::squares),
                             sum(&quad_sums::products), constants);
    }

    template <class Block>
    IQA_KERNEL static void hand_out(Block &block, const arguments &args)
    {
        block.each(int(args.planes()), [&](int i) {
            args.sums[i] = value_of(args.totals[i]);
            args.totals[i] = {};
        });
        if (args.counts != nullptr)
            block.each(int(args.images.reference.images), [&](int i) { args.counts[i] = {}; });
    }
};

} // namespace iqa::cuda
