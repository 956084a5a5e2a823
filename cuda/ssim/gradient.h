// SPDX-License-Identifier: MIT
// The derivative of a weighted sum of map pixels by the samples of a part of the image, by the same operations as on
// the CPU (src/cpu/ssim/gradient.inl has the formula). For the map pixels whose windows see the part, a block computes
// window means and the derivatives by them, and adds those at once to the adjoint in depth; then come the adjoint down
// and across. If the rows of these map pixels need too much memory, they come in bands, and the sums down go on from
// band to band.
//
// The kernel in double follows the kernel in float, and repeats tiles with too much spread for float
// (arith/ssim_doubt.h).
#pragma once

#include "cuda/ssim/doubt.h"
#include "cuda/ssim/gradient_output.h"
#include "cuda/ssim/statistics.h"

namespace iqa::cuda {

// The block memory of the gradient, behind that of the window means.
struct gradient_layout {
    int band_rows;      // rows of map pixels in a band
    int stride;         // items from row to row
    block_memory deep;  // [slices][4][band_rows]: the adjoint in depth
    block_memory low;   // [slices][4][rows]: the adjoint in depth and down
    block_memory bands; // weights of the adjoints: for each axis [taps][pixels of a part]
};

// Tiles whose windows have too much spread for float. All zero between updates.
struct spread_of_tiles {
    uint32_t *tiles; // [images * channels * tiles of an image]; NULL: the plan is in double
    int64_t count;
    uint32_t *any; // the kernel in double has work to do
    uint32_t *arrivals;

    IQA_KERNEL void mark(int64_t tile) const
    {
        set_bits(&tiles[tile], 1u);
        set_bits(any, 1u);
    }

    template <class Block>
    IQA_KERNEL void clear_at_end(Block &block) const
    {
        if (!block.comes_last(arrivals))
            return;
        for (int64_t first = 0; first < count; first += 1 << 20)
            block.each(int(count - first < 1 << 20 ? count - first : 1 << 20), [&](int i) { tiles[first + i] = 0; });
        block.each(1, [&](int) { *any = 0; });
    }
};

// `spread`: the sum of both means of squares.
IQA_KERNEL bool too_much_spread(float spread, float twice_c2)
{
    return spread > float(IQA_SSIM_MOST_SPREAD) * twice_c2;
}

// The weight of a pixel of an axis in the window `seen` places after the first one that sees it. The border can put a
// pixel into a window twice.
template <class Real>
IQA_KERNEL Real weight_in_window(border_mode border, int taps, const Real *weights, int64_t extent, int64_t pixel,
                                 int seen)
{
    const int radius = taps / 2;
    const int64_t margin = map_margin(border, taps);
    const int64_t centre = pixel + seen - radius;
    if (centre < margin || centre >= extent - margin || pixel >= extent)
        return Real(0);
    if (centre >= radius && centre < extent - radius)
        return weights[taps - 1 - seen];
    Real sum = Real(0);
    for (int tap = 0; tap < taps; ++tap)
        if (border_index(border, centre + tap - radius, extent) == pixel)
            sum += weights[tap];
    return sum;
}

// `Made`: the type of the plan's arithmetic, which smaller images have. `known`: see window_filters.
template <class Real, class Made, int known>
struct ssim_gradient_of {
    struct arguments {
        statistics_arguments<Real> statistics;
        gradient_layout layout;
        divided_maps maps;  // with the extents of the images
        border_mode border; // of the map; the border of the statistics has samples everywhere
        ssim_formula formula;
        bool product;
        const double *factors; // [images][channels]; NULL: all are `factor`
        double factor;
        const sample_counts *counts; // [images]; NULL: all samples are finite, or their images' factors are NaN
        gradient_output<Made> output;
        spread_of_tiles spread;

        IQA_HD_MEMBER bool has_nonfinite(int64_t image) const
        {
            return counts != nullptr && counts[image].nonfinite != 0;
        }
    };
    static constexpr bool is_float = sizeof(Real) == sizeof(float);
    static constexpr bool is_second = sizeof(Real) != sizeof(Made); // repeats tiles that float does not carry
    static constexpr int threads = 256;

    // In shared memory, to save registers.
    struct part_of_image {
        part_extents extents;
        int64_t tile;
        int64_t image, channel;
        int64_t first[3];
        int count[3];
        double factor; // of the derivatives of the sum over the map
        pivot_grid<Real> grid;
        map_part<Real> band;         // map pixels whose windows see the part
        int band_row;                // the first row of the band
        Real *deep, *low, *bands[3]; // see gradient_layout
    };
    static constexpr int shared_bytes = round_up(int(sizeof(part_of_image)), 16);

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        if constexpr (is_second)
            if (*args.spread.any == 0) // nearly always
                return;
        part_of_image &part = *reinterpret_cast<part_of_image *>(block.shared());
        for (int64_t index = block.index(); index < args.maps.work(); index += block.blocks()) {
            if (is_second && !comes_again(args, extents_of_part(args.maps, index)))
                continue;
            block.each(1, [&](int) { find(args, index, part); });
            if (part.factor == 0.0)
                store_shares(block, args, part);
            else
                differentiate(block, args, part);
        }
        if constexpr (is_second)
            args.spread.clear_at_end(block);
    }

private:
    // The kernel in float had no factor for images with samples that are not finite.
    IQA_KERNEL static bool comes_again(const arguments &args, const part_extents &part)
    {
        return args.spread.tiles[args.maps.box_of(part)] != 0 || args.has_nonfinite(part.image);
    }

    IQA_KERNEL static void find(const arguments &args, int64_t index, part_of_image &part)
    {
        part.extents = extents_of_part(args.maps, index);
        part.tile = args.maps.box_of(part.extents);
        map_part<Real> &around = part.band;
        for (int axis = z_axis; axis <= x_axis; ++axis) {
            const int seen = args.statistics.taps[axis] - 1;
            part.first[axis] = part.extents.first[axis];
            part.count[axis] = part.extents.count[axis];
            around.first[axis] = part.extents.first[axis] - seen;
            around.count[axis] = part.extents.count[axis] + seen;
        }
        part.image = around.image = part.extents.image;
        part.channel = around.channel = part.extents.channel;
        part.factor =
            args.factors == nullptr ? args.factor : args.factors[part.image * args.maps.channels + part.channel];
        if (args.has_nonfinite(part.image))
            part.factor = __builtin_nan("");
    }

    // The band from row `row` of the map pixels on.
    IQA_KERNEL static void take_band(const arguments &args, int row, part_of_image &part)
    {
        const int seen = args.statistics.taps[y_axis] - 1;
        const int left = part.count[y_axis] + seen - row;
        part.band_row = row;
        part.band.first[y_axis] = part.first[y_axis] - seen + row;
        part.band.count[y_axis] = left < args.layout.band_rows ? left : args.layout.band_rows;
    }

    template <class Block>
    IQA_KERNEL static void differentiate(Block &block, const arguments &args, part_of_image &part)
    {
        Real *const shared = reinterpret_cast<Real *>(block.shared() + shared_bytes);
        Real *const global = args.statistics.global + block.index() * args.statistics.global_stride;
        window_filters<Block, Real, known> filters(block, args.statistics, shared);
        int64_t first[3], count[3];
        IQA_UNROLL_ON_GPU
        for (int axis = z_axis; axis <= x_axis; ++axis) {
            const span_of_outputs outputs =
                outputs_beside_pixels(part.extents.box_first[axis], part.extents.box_count[axis],
                                      map_margin(args.border, args.statistics.taps[axis]), args.maps.extents[axis]);
            first[axis] = outputs.first;
            count[axis] = outputs.count;
        }
        find_pivot(block, args.statistics.source, part.image, part.channel, first, count, {1, 1, 1}, part.grid,
                   part.band.pivot);
        block.each(1, [&](int) {
            part.deep = args.layout.deep.in(shared, global);
            part.low = args.layout.low.in(shared, global);
            part.bands[z_axis] = args.layout.bands.in(shared, global);
            part.bands[y_axis] = part.bands[z_axis] + args.statistics.taps[z_axis] * args.maps.part[z_axis];
            part.bands[x_axis] = part.bands[y_axis] + args.statistics.taps[y_axis] * args.maps.part[y_axis];
        });
        IQA_UNROLL_ON_GPU
        for (int axis = z_axis; axis <= x_axis; ++axis)
            fill_band(block, args, part, axis, part.bands[axis]);
        const int rows = part.count[y_axis] + args.statistics.taps[y_axis] - 1;
        const int slices = part.count[z_axis]; // a copy, since find() may already write the next part's count
        for (int row = 0; row < rows; row += args.layout.band_rows) {
            block.each(1, [&](int) { take_band(args, row, part); });
            filters.run(part.band, [&](int slice) {
                if (args.statistics.convolution)
                    combine_depth<weighted_maps>(block, args, filters, part, slice);
                else
                    combine_depth<plain_maps>(block, args, filters, part, slice);
            });
            for (int slice = 0; slice < slices; ++slice)
                combine_down(block, args, part, slice);
        }
        for (int slice = 0; slice < slices; ++slice)
            combine_across(block, args, part, slice);
    }

    // The weights of each pixel of the part in the windows around it.
    template <class Block>
    IQA_KERNEL static void fill_band(Block &block, const arguments &args, const part_of_image &part, int axis,
                                     Real *band)
    {
        const int taps = args.statistics.taps[axis];
        const int pixels = args.maps.part[axis];
        block.each(taps * pixels, [&](int i) {
            const int seen = i / pixels;
            band[i] = weight_in_window(args.border, taps, args.statistics.weights[axis], args.maps.extents[axis],
                                       part.first[axis] + (i - seen * pixels), seen);
        });
    }

    // The weight of a map pixel; 0 outside the map.
    IQA_KERNEL static Real weight_of_map_pixel(const arguments &args, const part_of_image &part,
                                               const int64_t (&centre)[3])
    {
        for (int axis = z_axis; axis <= x_axis; ++axis) {
            const int64_t margin = map_margin(args.border, args.statistics.taps[axis]);
            if (centre[axis] < margin || centre[axis] >= args.maps.extents[axis] - margin)
                return Real(0);
        }
        if (!args.statistics.source.weighted())
            return Real(1);
        const Real weight = weight_at(args.statistics.source,
                                      {part.image, part.channel, centre[z_axis], centre[y_axis], centre[x_axis]});
        return Real(weight_of_units(double(weight_units(weight))));
    }

    // Adds the derivatives by the window means of one slice of map pixels to the adjoint of each slice they see.
    template <int maps, class Block>
    IQA_KERNEL static void combine_depth(Block &block, const arguments &args,
                                         const window_filters<Block, Real, known> &filters, const part_of_image &part,
                                         int slice)
    {
        const map_part<Real> &band = part.band;
        const ssim_constants<Real> constants = args.formula.template constants<Real>();
        const int(&taps)[3] = args.statistics.taps;
        const int columns = band.count[x_axis];
        const int plane = args.layout.band_rows * args.layout.stride;
        block.each(band.count[y_axis] * columns, [&](int i) {
            const int row = i / columns;
            const int column = i - row * columns;
            Real factor = weight_of_map_pixel(args, part,
                                              {band.first[z_axis] + taps[z_axis] / 2 + slice,
                                               band.first[y_axis] + taps[y_axis] / 2 + row,
                                               band.first[x_axis] + taps[x_axis] / 2 + column});
            Real derivatives[plain_maps] = {};
            if (factor != Real(0)) {
                Real means[maps];
                filters.means_at(band, row, column, means);
                const ssim_terms<Real> terms =
                    ssim_terms_of(means[0], means[1], means[2], means[3], band.pivot + band.pivot, constants);
                if constexpr (is_float)
                    if (too_much_spread(means[2] + means[3], constants.twice_c2))
                        args.spread.mark(part.tile);
                if constexpr (maps == weighted_maps)
                    factor =
                        covers_enough(means[plain_maps], args.formula.coverage) ? factor / means[plain_maps] : Real(0);
                if (args.formula.negative_to_zero && !(terms.structure_top > Real(0)))
                    factor = Real(0);
                const ssim_derivatives<Real> found =
                    ssim_derivatives_of<false>(terms, means[0], means[1], constants, Real(0), args.product);
                if (factor != Real(0)) { // 0 * infinity would be NaN
                    derivatives[0] = found.mean_sum * factor;
                    derivatives[1] = found.mean_difference * factor;
                    derivatives[2] = found.square_sum * factor;
                    derivatives[3] = found.square_difference * factor;
                }
            }
            // The slices that see it, of which the last one sees it first.
            const int last = slice < part.count[z_axis] ? slice : part.count[z_axis] - 1;
            const int first = slice < taps[z_axis] ? 0 : slice - taps[z_axis] + 1;
            const int next_weight = args.maps.part[z_axis] - 1;
            const Real *weight = part.bands[z_axis] + (slice - last) * args.maps.part[z_axis] + last;
            Real *deep = part.deep + last * plain_maps * plane + row * args.layout.stride + column;
            for (int output = last; output >= first; --output) {
                const Real share = *weight;
                IQA_UNROLL_ON_GPU
                for (int map = 0; map < plain_maps; ++map)
                    deep[map * plane] =
                        fused_multiply_add(share, derivatives[map], output == slice ? Real(0) : deep[map * plane]);
                weight += next_weight;
                deep -= plain_maps * plane;
            }
        });
    }

    // The adjoint down: adds a band to the rows of one slice of the part.
    template <class Block>
    IQA_KERNEL static void combine_down(Block &block, const arguments &args, const part_of_image &part, int slice)
    {
        const map_part<Real> &band = part.band;
        const int first_row = part.band_row;
        const int taps = args.statistics.taps[y_axis];
        const int stride = args.layout.stride;
        const int columns = band.count[x_axis];
        const int groups = divide_up(part.count[y_axis], rows_together<Real>);
        const int plane = args.layout.band_rows * stride;
        const int step = args.maps.part[y_axis] * stride;
        const Real *deep = part.deep + slice * plain_maps * plane;
        Real *low = part.low + slice * plain_maps * step;
        const Real *weights = part.bands[y_axis];
        block.each(groups * columns, [&](int i) {
            const int group = i / columns;
            const int column = i - group * columns;
            const int first = group * rows_together<Real>;
            const int left = part.count[y_axis] - first;
            const int count = left < rows_together<Real> ? left : rows_together<Real>;
            const int before = first_row - first; // the band's first row, from the first one that is seen
            const int seen = count + taps - 1;
            const int from = before < 0 ? 0 : before;
            const int until = before + band.count[y_axis] < seen ? before + band.count[y_axis] : seen;
            if (from >= until && first_row != 0)
                return;
            Real *output_rows = low + first * stride + column;
            Real totals[rows_together<Real>][plain_maps] = {};
            if (first_row != 0)
                IQA_UNROLL_ON_GPU
            for (int output = 0; output < rows_together<Real>; ++output)
                if (output < count)
                    IQA_UNROLL_ON_GPU
            for (int map = 0; map < plain_maps; ++map)
                totals[output][map] = output_rows[map * step + output * stride];
            filter_rows<known>(
                taps, from, until, totals,
                [&](int row, Real(&values)[plain_maps]) {
                    const Real *from_row = deep + (row - before) * stride + column;
                    IQA_UNROLL_ON_GPU
                    for (int map = 0; map < plain_maps; ++map)
                        values[map] = from_row[map * plane];
                },
                [&](int tap, int output) {
                    return weights[tap * args.maps.part[y_axis] + first + (output < count ? output : count - 1)];
                });
            IQA_UNROLL_ON_GPU
            for (int output = 0; output < rows_together<Real>; ++output)
                if (output < count)
                    IQA_UNROLL_ON_GPU
            for (int map = 0; map < plain_maps; ++map)
                output_rows[map * step + output * stride] = totals[output][map];
        });
    }

    // The adjoint across, and the derivatives by the samples of one slice.
    template <class Block>
    IQA_KERNEL static void combine_across(Block &block, const arguments &args, const part_of_image &part, int slice)
    {
        const int taps = args.statistics.taps[x_axis];
        const int columns = part.count[x_axis];
        const int step = args.maps.part[y_axis] * args.layout.stride;
        const Real *low = part.low + slice * plain_maps * step;
        const Real *weights = part.bands[x_axis];
        block.each(part.count[y_axis] * columns, [&](int i) {
            const int row = i / columns;
            const int column = i - row * columns;
            const Real *from = low + row * args.layout.stride + column;
            Real totals[plain_maps] = {};
            each_tap<known>(taps, [&](int tap) {
                const Real weight = weights[tap * args.maps.part[x_axis] + column];
                IQA_UNROLL_ON_GPU
                for (int map = 0; map < plain_maps; ++map)
                    totals[map] = fused_multiply_add(weight, from[map * step + tap], totals[map]);
            });
            const pixel_place at = {part.image, part.channel, part.first[z_axis] + slice, part.first[y_axis] + row,
                                    part.first[x_axis] + column};
            const ssim_source<Real> &source = args.statistics.source;
            const staged_sample<Real> sample =
                staged(pair_in(source, address_of(source, at)), part.band.pivot, args.statistics.convolution);
            const Real by_sum = totals[0] + (sample.sum + sample.sum) * totals[2];
            const Real by_difference = totals[1] + (sample.difference + sample.difference) * totals[3];
            Real by_reference = by_sum + by_difference;
            Real by_candidate = by_sum - by_difference;
            if (args.statistics.convolution) {
                by_reference = by_reference * sample.weight;
                by_candidate = by_candidate * sample.weight;
            }
            const Real factor = Real(part.factor);
            store(args.output, source, at, by_reference * factor, by_candidate * factor);
        });
    }

    // For a part with factor 0: stores the derivatives that smaller images add, or zeros.
    template <class Block>
    IQA_KERNEL static void store_shares(Block &block, const arguments &args, const part_of_image &part)
    {
        const int columns = part.count[x_axis];
        const int pixels = part.count[y_axis] * columns;
        const int slices = part.count[z_axis];
        for (int slice = 0; slice < slices; ++slice)
            block.each(pixels, [&](int i) {
                const int row = i / columns;
                store(args.output, args.statistics.source,
                      {part.image, part.channel, part.first[z_axis] + slice, part.first[y_axis] + row,
                       part.first[x_axis] + (i - row * columns)},
                      Real(0), Real(0));
            });
    }
};

} // namespace iqa::cuda
