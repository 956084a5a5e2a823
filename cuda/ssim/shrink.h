// SPDX-License-Identifier: MIT
// Smaller images, level after level: each pixel is the mean of a box, by the same operations as on the CPU
// (shrink_one_row in src/cpu/ssim/boxes.inl): first over the slices and rows of each column of the box, then over the
// columns. A block makes a tile of the first level, and from it the tiles of the next levels.
//
// Bytes: each sample is read once, and 2 or 3 numbers are written for each pixel of every level.
#pragma once

#include <type_traits>

#include "arith/border.h"
#include "cuda/ssim/source.h"

namespace iqa::cuda {

template <class Real>
struct shrink_level {
    int64_t height, width;
    Real *reference, *candidate;
    Real *weights; // NULL: unweighted
};

// `Sample`: the type of plain images (ssim_plan::is_plain) that shrink by boxes of 2 x 2; void for all others.
template <class Real, class Sample>
struct shrink_images {
    static constexpr int threads = 256;
    static constexpr int side = 32;       // of a tile of the first level
    static constexpr int most_levels = 6; // the last tile is one pixel

    struct arguments {
        ssim_source<Real> source;
        border_mode border;
        int64_t first[3];      // z, y, x: position of the first box of the first level
        int factor[3];         // of the first level; later levels halve rows and columns
        uint32_t down, across; // tiles of the first level
        uint32_t channels, depth;
        bool normalised; // means are weighted
        int count;       // of levels
        shrink_level<Real> levels[most_levels];
    };

    // For the tiles that further levels are made from.
    static size_t shared_bytes(int levels)
    {
        size_t pixels = 0;
        for (int i = 0; i + 1 < levels; ++i)
            pixels += size_t(side >> i) * size_t(side >> i);
        return pixels * sizeof(weighted_pair<Real>);
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        level_tile tile;
        const auto index_of_block = uint32_t(block.index());
        const uint32_t line = index_of_block / args.across;
        tile.column = int64_t(index_of_block - line * args.across) * side;
        tile.plane = line / args.down;
        tile.row = int64_t(line - tile.plane * args.down) * side;
        tile.side = side;
        auto *pixels = reinterpret_cast<weighted_pair<Real> *>(block.shared());
        make_first(block, args, tile, args.count > 1 ? pixels : nullptr);
        for (int index = 1; index < args.count; ++index) {
            const level_tile larger = tile;
            tile.column /= 2;
            tile.row /= 2;
            tile.side /= 2;
            weighted_pair<Real> *const kept = pixels + larger.side * larger.side;
            make_next(block, args, index, larger, pixels, tile, index + 1 < args.count ? kept : nullptr);
            pixels = kept;
        }
    }

private:
    struct level_tile {
        uint32_t plane; // number of the slice in the batch
        int64_t row, column;
        int side;
    };

    template <class Block>
    IQA_KERNEL static void make_first(Block &block, const arguments &args, const level_tile &tile,
                                      weighted_pair<Real> *kept)
    {
        const ssim_source<Real> &source = args.source;
        const image_view &shape = source.images.reference;
        const border_mode border = args.border;
        const uint32_t channels = tile.plane / args.depth;
        const int64_t image = channels / args.channels;
        const int64_t channel = channels % args.channels;
        const int64_t z = args.first[z_axis] + int64_t(tile.plane % args.depth) * args.factor[z_axis];
        const int64_t y = args.first[y_axis] + tile.row * args.factor[y_axis];
        const int64_t x = args.first[x_axis] + tile.column * args.factor[x_axis];
        if constexpr (std::is_void_v<Sample>)
            make_tile(block, args.levels[0], tile, kept, [&](int i, int j) {
                return mean_of(args.factor[z_axis], args.factor[x_axis], args.normalised, [&](int k, int l, int m) {
                    return pair_at(source, {image, channel, border_index(border, z + k, shape.depth),
                                            border_index(border, y + i * args.factor[y_axis] + l, shape.height),
                                            border_index(border, x + j * args.factor[x_axis] + m, shape.width)});
                });
            });
        else {
            const std::byte *reference = source.images.reference.at(image, channel, 0, 0, 0);
            const std::byte *candidate = source.images.candidate.at(image, channel, 0, 0, 0);
            make_tile(block, args.levels[0], tile, kept, [&](int i, int j) {
                const box_of_four box = {y + 2 * i, x + 2 * j, shape.height, shape.width, border == border_mode::zero};
                return weighted_pair<Real>{mean_of_four(source.images.reference, reference, box, source.gain),
                                           mean_of_four(source.images.candidate, candidate, box, source.gain), Real(1)};
            });
        }
    }

    // Makes a tile from the one that the level before kept.
    template <class Block>
    IQA_KERNEL static void make_next(Block &block, const arguments &args, int index, const level_tile &larger,
                                     const weighted_pair<Real> *pixels, const level_tile &tile,
                                     weighted_pair<Real> *kept)
    {
        // Symmetric boxes repeat the last pixel of odd extents.
        const int64_t rows_left = args.levels[index - 1].height - larger.row;
        const int64_t columns_left = args.levels[index - 1].width - larger.column;
        const int last_row = int(rows_left < larger.side ? rows_left : larger.side) - 1;
        const int last_column = int(columns_left < larger.side ? columns_left : larger.side) - 1;
        make_tile(block, args.levels[index], tile, kept, [&](int i, int j) {
            return mean_of(1, 2, args.normalised, [&](int, int l, int m) {
                const int y = 2 * i + l < last_row ? 2 * i + l : last_row;
                const int x = 2 * j + m < last_column ? 2 * j + m : last_column;
                return pixels[y * larger.side + x];
            });
        });
    }

    // Writes the pixels of a tile, and keeps them for the next level.
    template <class Block, class Mean>
    IQA_KERNEL static void make_tile(Block &block, const shrink_level<Real> &level, const level_tile &tile,
                                     weighted_pair<Real> *kept, Mean &&mean)
    {
        block.each(tile.side * tile.side, [&](int index) {
            const int i = index / tile.side;
            const int j = index % tile.side;
            if (tile.row + i >= level.height || tile.column + j >= level.width)
                return;
            const weighted_pair<Real> pixel = mean(i, j);
            const int64_t at = (tile.plane * level.height + tile.row + i) * level.width + tile.column + j;
            level.reference[at] = pixel.reference;
            level.candidate[at] = pixel.candidate;
            if (level.weights != nullptr)
                level.weights[at] = pixel.weight;
            if (kept != nullptr)
                kept[index] = pixel;
        });
    }

    // The means of a box whose pixels read(slice, row, column) gives. `normalised`: by weight.
    template <class Read>
    IQA_KERNEL static weighted_pair<Real> mean_of(int factor_z, int factor, bool normalised, Read &&read)
    {
        Real totals[3] = {};
        for (int column = 0; column < factor; ++column) {
            Real sums[3] = {};
            for (int slice = 0; slice < factor_z; ++slice)
                for (int row = 0; row < factor; ++row) {
                    weighted_pair<Real> pair = read(slice, row, column);
                    if (normalised) {
                        const bool masked = pair.weight == Real(0);
                        pair.reference = masked ? Real(0) : pair.reference * pair.weight;
                        pair.candidate = masked ? Real(0) : pair.candidate * pair.weight;
                    }
                    sums[0] += pair.reference;
                    sums[1] += pair.candidate;
                    sums[2] += pair.weight;
                }
            for (int i = 0; i < 3; ++i)
                totals[i] = column == 0 ? sums[i] : totals[i] + sums[i];
        }
        const Real count = Real(factor_z) * Real(factor) * Real(factor);
        const Real divisor = normalised ? totals[2] : count;
        const bool masked = divisor == Real(0);
        return {masked ? Real(0) : totals[0] / divisor, masked ? Real(0) : totals[1] / divisor, totals[2] / count};
    }

    // 2 x 2 pixels. The box may reach one row or column outside the image, which repeats the nearest one or is zero.
    struct box_of_four {
        int64_t row, column; // of the first pixel
        int64_t height, width;
        bool zeros;
    };

    IQA_KERNEL static Real mean_of_four(const image_view &view, const std::byte *channel, const box_of_four &box,
                                        Real gain)
    {
        const bool above = box.row < 0;
        const bool before = box.column < 0;
        const int64_t down = above || box.row + 1 == box.height ? 0 : view.row_stride;
        const int64_t across = before || box.column + 1 == box.width ? 0 : view.column_stride;
        const auto *first = reinterpret_cast<const Sample *>(channel) + (above ? 0 : box.row * view.row_stride) +
                            (before ? 0 : box.column * view.column_stride);
        const auto sample = [&](int64_t offset, bool outside) {
            return box.zeros && outside ? Real(0) : Real(widen(first[offset])) * gain;
        };
        const Real left = (Real(0) + sample(0, above || before)) + sample(down, before);
        const Real right = (Real(0) + sample(across, above)) + sample(down + across, false);
        return (left + right) / Real(4);
    }
};

} // namespace iqa::cuda
