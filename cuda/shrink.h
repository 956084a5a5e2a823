// SPDX-License-Identifier: MIT
// Smaller images: each pixel is the mean of a box, by the same operations as on the CPU (shrink_one_row in
// src/cpu/ssim_box.inl): the slices and rows of the box first, for each of its columns, then the columns.
//
// Bytes: each sample is read once, and 2 or 3 numbers are written for each pixel of the smaller images.
#pragma once

#include "arith/shrink.h"
#include "cuda/ssim_source.h"

namespace iqa::cuda {

template <class Real>
struct shrink_images {
    struct arguments {
        ssim_source source;
        int64_t images, channels;
        shrink_axis z, y, x;
        bool normalised; // weights make the means
        Real *reference, *candidate;
        Real *weights; // NULL: there are none

        IQA_HD_MEMBER int64_t pixels() const { return images * channels * z.boxes() * y.boxes() * x.boxes(); }
    };
    static constexpr int threads = 256;
    static constexpr int pixels_of_a_block = 4 * threads;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        const int64_t first = block.index() * pixels_of_a_block;
        const int64_t left = given.pixels() - first;
        const pixel_place base = place_of(given, first);
        block.each(left < pixels_of_a_block ? int(left) : pixels_of_a_block,
                   [&](int i) { shrink_one(given, moved(given, base, i), first + i); });
    }

private:
    // What does not fit an axis goes to the next one.
    IQA_KERNEL static int64_t carry(int64_t &position, int64_t extent)
    {
        const int64_t over = position < extent ? 0 : position / extent;
        position -= over * extent;
        return over;
    }

    IQA_KERNEL static pixel_place place_of(const arguments &given, int64_t index)
    {
        return moved(given, {0, 0, 0, 0, 0}, index);
    }

    IQA_KERNEL static pixel_place moved(const arguments &given, pixel_place at, int64_t pixels)
    {
        at.column += pixels;
        at.row += carry(at.column, given.x.boxes());
        at.slice += carry(at.row, given.y.boxes());
        at.channel += carry(at.slice, given.z.boxes());
        at.image += carry(at.channel, given.channels);
        return at;
    }

    IQA_KERNEL static void shrink_one(const arguments &given, const pixel_place &at, int64_t index)
    {
        const image_view &shape = given.source.images.reference;
        const border_mode border = border_of(given.x.rule);
        const bool weighted = given.weights != nullptr;
        const bool normalised = weighted && given.normalised;
        const int factor_z = given.z.factor;
        const int factor = given.x.factor;
        const int64_t first_slice = given.z.first() + at.slice * factor_z;
        const int64_t first_row = given.y.first() + at.row * given.y.factor;
        const int64_t first_column = given.x.first() + at.column * factor;
        Real totals[3] = {};
        for (int column = 0; column < factor; ++column) {
            const int64_t x = border_index(border, first_column + column, shape.width);
            Real sums[3] = {};
            for (int slice = 0; slice < factor_z; ++slice) {
                const int64_t z = border_index(border, first_slice + slice, shape.depth);
                for (int row = 0; row < factor; ++row) {
                    const int64_t y = border_index(border, first_row + row, shape.height);
                    weighted_pair<Real> pair = pair_at<Real>(given.source, {at.image, at.channel, z, y, x});
                    if (normalised) {
                        const bool masked = pair.weight == Real(0);
                        pair.reference = masked ? Real(0) : pair.reference * pair.weight;
                        pair.candidate = masked ? Real(0) : pair.candidate * pair.weight;
                    }
                    sums[0] += pair.reference;
                    sums[1] += pair.candidate;
                    sums[2] += pair.weight;
                }
            }
            for (int which = 0; which < 3; ++which)
                totals[which] = column == 0 ? sums[which] : totals[which] + sums[which];
        }
        const Real count = Real(factor_z) * Real(factor) * Real(factor);
        const Real divisor = normalised ? totals[2] : count;
        given.reference[index] = divisor == Real(0) ? Real(0) : totals[0] / divisor;
        given.candidate[index] = divisor == Real(0) ? Real(0) : totals[1] / divisor;
        if (weighted)
            given.weights[index] = totals[2] / count;
    }
};

} // namespace iqa::cuda
