// SPDX-License-Identifier: MIT
// Smaller images, and still smaller ones of those: each pixel is the mean of a box, by the same operations as on the
// CPU (shrink_one_row in src/cpu/ssim_box.inl): the slices and rows of the box first, for each of its columns, then the
// columns. A block makes a tile of the first level, and of the next ones what can be made of that.
//
// Bytes: each sample is read once, and 2 or 3 numbers are written for each pixel of every level.
#pragma once

#include "arith/shrink.h"
#include "cuda/ssim_source.h"

namespace iqa::cuda {

template <class Real>
struct shrink_images {
    static constexpr int threads = 256;
    static constexpr int side = 32;       // of a tile of the first level
    static constexpr int most_levels = 6; // the tile is one pixel then

    struct level {
        shrink_axis y, x;
        Real *reference, *candidate;
        Real *weights; // NULL: there are none

        IQA_HD_MEMBER int64_t pixels() const { return y.boxes() * x.boxes(); }
    };

    struct arguments {
        ssim_source source;
        int64_t images, channels;
        shrink_axis z;   // of the first level; those after it have z.boxes() slices as well
        bool normalised; // weights make the means
        int count;       // of levels
        level levels[most_levels];

        IQA_HD_MEMBER int64_t tiles_down() const { return (levels[0].y.boxes() + side - 1) / side; }
        IQA_HD_MEMBER int64_t tiles_across() const { return (levels[0].x.boxes() + side - 1) / side; }
        int64_t blocks() const { return images * channels * z.boxes() * tiles_down() * tiles_across(); }
    };

    // Whether a level is made of whole boxes of the tiles of the one before.
    static bool follows(const shrink_axis &z, const shrink_axis &y, const shrink_axis &x)
    {
        return z.factor == 1 && y.factor == 2 && x.factor == 2 && y.first() == 0 && x.first() == 0;
    }
    // The tiles that other levels are made of.
    static size_t shared_bytes(int levels)
    {
        size_t pixels = 0;
        for (int i = 0; i + 1 < levels; ++i)
            pixels += size_t(side >> i) * size_t(side >> i);
        return pixels * sizeof(weighted_pair<Real>);
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        const ssim_source &source = given.source;
        const image_view &shape = source.images.reference;
        int64_t rest = block.index();
        int64_t column = rest % given.tiles_across() * side;
        rest /= given.tiles_across();
        int64_t row = rest % given.tiles_down() * side;
        const int64_t plane = rest / given.tiles_down();
        const int64_t slice = plane % given.z.boxes();
        const int64_t channel = plane / given.z.boxes() % given.channels;
        const int64_t image = plane / given.z.boxes() / given.channels;
        auto *tile = reinterpret_cast<weighted_pair<Real> *>(block.shared());

        const level &first = given.levels[0];
        const border_mode border = border_of(first.x.rule);
        make_tile(block, first, plane, row, column, side, given.count > 1 ? tile : nullptr, [&](int i, int j) {
            const int64_t z = given.z.first() + slice * given.z.factor;
            const int64_t y = first.y.first() + (row + i) * first.y.factor;
            const int64_t x = first.x.first() + (column + j) * first.x.factor;
            return mean_of(given.z.factor, first.x.factor, given.normalised, [&](int k, int l, int m) {
                return pair_at<Real>(source, {image, channel, border_index(border, z + k, shape.depth),
                                              border_index(border, y + l, shape.height),
                                              border_index(border, x + m, shape.width)});
            });
        });
        int own_side = side;
        for (int index = 1; index < given.count; ++index) {
            const level &own = given.levels[index];
            const weighted_pair<Real> *const larger = tile;
            const int stride = own_side;
            // Symmetric boxes repeat the last pixel of odd extents.
            const int last_row = int(own.y.extent - 1 - row < stride ? own.y.extent - 1 - row : stride - 1);
            const int last_column = int(own.x.extent - 1 - column < stride ? own.x.extent - 1 - column : stride - 1);
            tile += stride * stride;
            own_side /= 2;
            row /= 2;
            column /= 2;
            make_tile(block, own, plane, row, column, own_side, index + 1 < given.count ? tile : nullptr,
                      [&](int i, int j) {
                          return mean_of(1, 2, given.normalised, [&](int, int l, int m) {
                              const int y = 2 * i + l < last_row ? 2 * i + l : last_row;
                              const int x = 2 * j + m < last_column ? 2 * j + m : last_column;
                              return larger[y * stride + x];
                          });
                      });
        }
    }

private:
    // Writes the pixels of a tile, and keeps them.
    template <class Block, class Mean>
    IQA_KERNEL static void make_tile(Block &block, const level &own, int64_t plane, int64_t row, int64_t column,
                                     int own_side, weighted_pair<Real> *kept, Mean &&mean)
    {
        const int64_t height = own.y.boxes();
        const int64_t width = own.x.boxes();
        block.each(own_side * own_side, [&](int index) {
            const int i = index / own_side;
            const int j = index % own_side;
            if (row + i >= height || column + j >= width)
                return;
            const weighted_pair<Real> pixel = mean(i, j);
            const int64_t at = plane * own.pixels() + (row + i) * width + column + j;
            own.reference[at] = pixel.reference;
            own.candidate[at] = pixel.candidate;
            if (own.weights != nullptr)
                own.weights[at] = pixel.weight;
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
            for (int which = 0; which < 3; ++which)
                totals[which] = column == 0 ? sums[which] : totals[which] + sums[which];
        }
        const Real count = Real(factor_z) * Real(factor) * Real(factor);
        const Real divisor = normalised ? totals[2] : count;
        const bool none = divisor == Real(0);
        return {none ? Real(0) : totals[0] / divisor, none ? Real(0) : totals[1] / divisor, totals[2] / count};
    }
};

} // namespace iqa::cuda
