// SPDX-License-Identifier: MIT
// The window means of a part of an SSIM map: images and volumes, with weights or without. Samples are filtered in
// depth and down; means_at() filters across. Each output takes the same operations as on the CPU
// (src/cpu/ssim/statistics.inl). The file is one pipeline on one block's memory, and so a little longer than others.
//
// A block first makes a slab of rows. With windows of one slice it has s = x' + y', d = x' - y' and the weight m. Else
// it has the maps of a few slices, filtered in depth, which share the samples they read. The slab's rows are then
// filtered down into the rows of one slice. A slab that would be too large is made a few rows at a time, and the sums
// down go on. Slab and rows lie in shared memory if they fit.
#pragma once

#include "arith/ssim.h"
#include "arith/ssim_pivot.h"
#include "cuda/ssim/filter.h"
#include "cuda/ssim/source.h"

namespace iqa::cuda {

constexpr int plain_maps = 4, weighted_maps = 5; // the window means; the same with the mean of the weights
constexpr int most_slices_together = 4;          // filtered in depth by one thread

// Rows that one thread filters down.
template <class Real>
constexpr int rows_together = sizeof(Real) == sizeof(float) ? 8 : 4;

// A piece of a block's memory: an offset in items into its shared or its global memory.
struct block_memory {
    bool shared;
    int offset;

    template <class Real>
    IQA_HD_MEMBER Real *in(Real *shared_memory, Real *global_memory) const
    {
        return (shared ? shared_memory : global_memory) + offset;
    }
};

// The host fills it (cuda/ssim/statistics.hpp).
struct statistics_layout {
    int slices;    // filtered in depth together
    int slab_rows; // made at a time; all rows, unless `slices` is 1
    int stride;    // items from row to row
    block_memory slab, down;
};

template <class Real>
struct statistics_arguments {
    ssim_source<Real> source;
    border_mode border;
    int taps[3];
    const Real *weights[3];
    bool convolution; // means are weighted
    statistics_layout layout;
    Real *global;          // of all blocks
    int64_t global_stride; // from block to block

    IQA_HD_MEMBER bool volume() const { return taps[z_axis] > 1; }
    IQA_HD_MEMBER int maps() const { return convolution ? weighted_maps : plain_maps; }
};

// The plan's numbers for the formula of arith/ssim.h.
struct ssim_formula {
    double twice_c1, twice_c2, covariance;
    double coverage; // least covered share of a window
    bool negative_to_zero;

    template <class Real>
    IQA_HD_MEMBER ssim_constants<Real> constants() const
    {
        return {Real(twice_c1), Real(twice_c2), Real(covariance)};
    }
    IQA_HD_MEMBER bool safe() const { return is_safe_product(twice_c1, twice_c2); }
};

// A batch of maps, cut into boxes whose pixels share a pivot, and boxes into parts for blocks.
struct divided_maps {
    int64_t images, channels;
    int64_t extents[3];
    int box[3], part[3];
    int64_t parts[3]; // of a map, along each axis

    // The number of the box of a part.
    template <class Part>
    IQA_HD_MEMBER int64_t box_of(const Part &piece) const
    {
        int64_t index = piece.image * channels + piece.channel;
        for (int axis = 0; axis < 3; ++axis)
            index = index * boxes(axis) + piece.box_first[axis] / box[axis];
        return index;
    }
    IQA_HD_MEMBER int64_t boxes(int axis) const { return divide_up(extents[axis], box[axis]); }
    IQA_HD_MEMBER int64_t boxes_of_plane() const { return boxes(z_axis) * boxes(y_axis) * boxes(x_axis); }
    IQA_HD_MEMBER int64_t all_boxes() const { return images * channels * boxes_of_plane(); }
    IQA_HD_MEMBER int64_t work() const { return images * channels * parts[z_axis] * parts[y_axis] * parts[x_axis]; }
    // Of a box along an axis: parts divide boxes, unless the map is smaller. The map may end before some of them.
    IQA_HD_MEMBER int parts_of_box(int axis) const
    {
        const int most = box[axis] / part[axis];
        return most < parts[axis] ? most : int(parts[axis]);
    }
};

// The extents of a part in its map, and those of its box.
struct part_extents {
    int64_t image, channel;
    int64_t first[3], box_first[3];
    int count[3], box_count[3];

    IQA_HD_MEMBER bool has_pixels() const { return count[z_axis] > 0 && count[y_axis] > 0 && count[x_axis] > 0; }
    // Along one axis: from `at` on, in the box from `box` on.
    IQA_HD_MEMBER void take(const divided_maps &maps, int axis, int64_t at, int64_t box)
    {
        const int64_t left = maps.extents[axis] - at;
        const int64_t box_left = maps.extents[axis] - box;
        first[axis] = at;
        box_first[axis] = box;
        count[axis] = left < maps.part[axis] ? int(left) : maps.part[axis];
        box_count[axis] = box_left < maps.box[axis] ? int(box_left) : maps.box[axis];
    }
};

IQA_KERNEL part_extents extents_of_part(const divided_maps &maps, int64_t index)
{
    part_extents part;
    IQA_UNROLL_ON_GPU
    for (int axis = x_axis; axis >= z_axis; --axis) {
        const int64_t at = index % maps.parts[axis] * maps.part[axis];
        index /= maps.parts[axis];
        part.take(maps, axis, at, at - at % maps.box[axis]);
    }
    part.image = index / maps.channels;
    part.channel = index % maps.channels;
    return part;
}

// Part `index` of a box; it has no pixels where the map ends before it.
IQA_KERNEL part_extents extents_in_box(const divided_maps &maps, int64_t box, int index)
{
    part_extents part;
    IQA_UNROLL_ON_GPU
    for (int axis = x_axis; axis >= z_axis; --axis) {
        const int64_t first = box % maps.boxes(axis) * maps.box[axis];
        box /= maps.boxes(axis);
        part.take(maps, axis, first + index % maps.parts_of_box(axis) * maps.part[axis], first);
        index /= maps.parts_of_box(axis);
    }
    part.image = box / maps.channels;
    part.channel = box % maps.channels;
    return part;
}

// A part of a box of map pixels.
template <class Real>
struct map_part {
    int64_t image, channel;
    int64_t first[3]; // position of the first tap of the first pixel
    int count[3];     // pixels
    Real pivot;       // of the box

    IQA_HD_MEMBER int rows(int taps) const { return count[y_axis] + taps - 1; }
    IQA_HD_MEMBER int columns(int taps) const { return count[x_axis] + taps - 1; }
};

// The pivot of a box, by all threads. `grid` is shared memory.
template <class Real, class Block>
IQA_KERNEL void find_pivot(Block &block, const ssim_source<Real> &source, int64_t image, int64_t channel,
                           const int64_t (&first)[3], const int64_t (&count)[3], const int (&taps)[3],
                           pivot_grid<Real> &grid, Real &pivot)
{
    const image_view &shape = source.images.reference;
    block.each(pivot_samples, [&](int i) {
        const int row = i / pivot_columns;
        const weighted_pair<Real> pair =
            pair_at(source, {image, channel,
                             pivot_position(first[z_axis], taps[z_axis], count[z_axis], shape.depth, row, pivot_rows),
                             pivot_position(first[y_axis], taps[y_axis], count[y_axis], shape.height, row, pivot_rows),
                             pivot_position(first[x_axis], taps[x_axis], count[x_axis], shape.width, i % pivot_columns,
                                            pivot_columns)});
        grid.put(i, pair.reference, pair.candidate, source.weighted() && pair.weight == Real(0));
    });
    block.each(1, [&](int) { pivot = grid.pivot(); });
}

// s, d and m at a position.
template <class Real>
struct staged_sample {
    Real sum, difference, weight;
};

template <class Real>
IQA_KERNEL staged_sample<Real> staged(const weighted_pair<Real> &pair, Real pivot, bool convolution)
{
    const Real x = pair.reference - pivot;
    const Real y = pair.candidate - pivot;
    if (convolution && pair.weight == Real(0))
        return {Real(0), Real(0), Real(0)};
    return {x + y, x - y, pair.weight};
}

// The values that the maps average.
template <int maps, class Real>
IQA_KERNEL void values_of(const staged_sample<Real> &staged, Real (&values)[maps])
{
    values[0] = staged.sum;
    values[1] = staged.difference;
    values[2] = staged.sum * staged.sum;
    values[3] = staged.difference * staged.difference;
    if constexpr (maps == weighted_maps) {
        IQA_UNROLL_ON_GPU
        for (int map = 0; map < plain_maps; ++map)
            values[map] = values[map] * staged.weight;
        values[4] = staged.weight;
    }
}

// The filters of one part of a map. `known`: the taps down and across, where the compiler knows them, or 0.
template <class Block, class Real, int known>
class window_filters {
public:
    // `shared`: where the layout's shared memory begins.
    IQA_KERNEL window_filters(Block &block, const statistics_arguments<Real> &args, Real *shared)
        : block_(block), args_(args)
    {
        Real *const global = args.global + block.index() * args.global_stride;
        slab_ = args.layout.slab.in(shared, global);
        down_ = args.layout.down.in(shared, global);
    }

    // Calls finish(slice) for each slice of the part once it is filtered down.
    template <class Finish>
    IQA_KERNEL void run(const map_part<Real> &part, Finish &&finish)
    {
        const int rows = part.rows(args_.taps[y_axis]);
        for (int slice = 0; slice < part.count[z_axis]; slice += args_.layout.slices) {
            const int left = part.count[z_axis] - slice;
            const int together = left < args_.layout.slices ? left : args_.layout.slices;
            for (int row = 0; row < rows; row += args_.layout.slab_rows) {
                const int more = rows - row;
                const row_range slab = {row, more < args_.layout.slab_rows ? more : args_.layout.slab_rows};
                make_slab(part, slice, together, slab);
                for (int slab_slice = 0; slab_slice < together; ++slab_slice) {
                    filter_down(part, slab_slice, slab);
                    if (row + slab.count == rows)
                        finish(slice + slab_slice);
                }
            }
        }
    }

    // The window means at a pixel of the slice. Weighted means are normalised; the last one is the mean of the weights.
    template <int maps>
    IQA_KERNEL void means_at(const map_part<Real> &part, int row, int column, Real (&means)[maps]) const
    {
        const Real *from = down_ + row * args_.layout.stride + column;
        const int step = part.count[y_axis] * args_.layout.stride;
        const Real *weights = args_.weights[x_axis];
        IQA_UNROLL_ON_GPU
        for (Real &mean : means)
            mean = Real(0);
        each_tap<known>(args_.taps[x_axis], [&](int tap) {
            IQA_UNROLL_ON_GPU
            for (int map = 0; map < maps; ++map)
                means[map] = fused_multiply_add(weights[tap], from[map * step + tap], means[map]);
        });
        if constexpr (maps == weighted_maps)
            IQA_UNROLL_ON_GPU
        for (int map = 0; map < plain_maps; ++map)
            means[map] = ratio_or_one(means[map], means[plain_maps]);
    }

private:
    struct row_range {
        int first, count;
    };

    IQA_KERNEL void make_slab(const map_part<Real> &part, int slice, int together, row_range rows)
    {
        if (!args_.volume())
            stage(part, slice, rows);
        else if (args_.convolution)
            filter_depth<weighted_maps>(part, slice, together, rows);
        else
            filter_depth<plain_maps>(part, slice, together, rows);
    }

    // Calls stage(to, from, inside) for each column of each row of the slab: where its values go, the address of the
    // samples that it has in slice `z` of the images, and whether it lies inside of them.
    template <class Stage>
    IQA_KERNEL void each_column(const map_part<Real> &part, row_range rows, int64_t z, Stage &&stage)
    {
        const image_view &shape = args_.source.images.reference;
        const pair_address slice = address_of(args_.source, {part.image, part.channel, z, 0, 0});
        const int64_t first_row = part.first[y_axis] + rows.first; // copies, which no store can change
        const int64_t first_column = part.first[x_axis];
        const int columns = part.columns(args_.taps[x_axis]);
        block_.each(rows.count * columns, [&](int i) {
            const int row = i / columns;
            const int column = i - row * columns;
            const int64_t y = border_index(args_.border, first_row + row, shape.height);
            const int64_t x = border_index(args_.border, first_column + column, shape.width);
            stage(slab_ + row * args_.layout.stride + column, moved(args_.source, slice, 0, y, x), y >= 0 && x >= 0);
        });
    }

    IQA_KERNEL staged_sample<Real> stage_at(const pair_address &at, bool inside, Real pivot) const
    {
        return staged(inside ? pair_in(args_.source, at) : pair_of_zeros<Real>, pivot, args_.convolution);
    }

    // Windows of one slice: the slab has the samples.
    IQA_KERNEL void stage(const map_part<Real> &part, int slice, row_range rows)
    {
        const int plane = args_.layout.slab_rows * args_.layout.stride;
        const Real pivot = part.pivot;
        each_column(part, rows, part.first[z_axis] + slice, [&](Real *to, const pair_address &at, bool inside) {
            const staged_sample<Real> sample = stage_at(at, inside, pivot);
            to[0] = sample.sum;
            to[plane] = sample.difference;
            if (args_.convolution)
                to[2 * plane] = sample.weight;
        });
    }

    // The maps of a few slices, which share samples.
    template <int maps>
    IQA_KERNEL void filter_depth(const map_part<Real> &part, int slice, int together, row_range rows)
    {
        const int plane = args_.layout.slab_rows * args_.layout.stride;
        const int taps = args_.taps[z_axis];
        const Real *weights = args_.weights[z_axis];
        const int64_t depth = args_.source.images.reference.depth;
        const int64_t first = part.first[z_axis] + slice;
        const Real pivot = part.pivot;
        each_column(part, rows, 0, [&](Real *to, const pair_address &column, bool inside) {
            Real totals[most_slices_together][maps] = {};
            filter_rows<0>( // reading takes so long that it is not worth a copy for each tap
                taps, 0, taps + together - 1, totals,
                [&](int next, Real(&values)[maps]) {
                    const int64_t z = border_index(args_.border, first + next, depth);
                    values_of(stage_at(moved(args_.source, column, z, 0, 0), inside && z >= 0, pivot), values);
                },
                [&](int tap, int) { return weights[tap]; });
            IQA_UNROLL_ON_GPU
            for (int output = 0; output < most_slices_together; ++output)
                if (output < together)
                    IQA_UNROLL_ON_GPU
            for (int map = 0; map < maps; ++map)
                to[(output * maps + map) * plane] = totals[output][map];
        });
    }

    IQA_KERNEL void filter_down(const map_part<Real> &part, int slab_slice, row_range rows)
    {
        if (args_.convolution)
            filter_maps_down<weighted_maps>(part, slab_slice, rows);
        else
            filter_maps_down<plain_maps>(part, slab_slice, rows);
    }

    template <int maps>
    IQA_KERNEL void load_values(const Real *from, int plane, Real (&values)[maps]) const
    {
        if (args_.volume()) {
            IQA_UNROLL_ON_GPU
            for (int map = 0; map < maps; ++map)
                values[map] = from[map * plane];
        } else {
            // In depth, the one tap is 1 and changes nothing.
            values_of(staged_sample<Real>{from[0], from[plane], maps == weighted_maps ? from[2 * plane] : Real(1)},
                      values);
        }
    }

    // Adds the slab's rows to the rows of the part.
    template <int maps>
    IQA_KERNEL void filter_maps_down(const map_part<Real> &part, int slab_slice, row_range rows)
    {
        const int stride = args_.layout.stride;
        const int columns = part.columns(args_.taps[x_axis]);
        const int groups = divide_up(part.count[y_axis], rows_together<Real>);
        const int plane = args_.layout.slab_rows * stride;
        const int step = part.count[y_axis] * stride;
        const int taps = args_.taps[y_axis];
        const Real *weights = args_.weights[y_axis];
        const Real *slab = slab_ + slab_slice * maps * plane;
        block_.each(groups * columns, [&](int i) {
            const int group = i / columns;
            const int column = i - group * columns;
            const int first = group * rows_together<Real>;
            const int left = part.count[y_axis] - first;
            const int count = left < rows_together<Real> ? left : rows_together<Real>;
            const int before = rows.first - first; // the slab's first row, from the first one that is seen
            const int seen = count + taps - 1;
            const int from = before < 0 ? 0 : before;
            const int until = before + rows.count < seen ? before + rows.count : seen;
            if (from >= until && rows.first != 0)
                return;
            Real *output_rows = down_ + first * stride + column;
            Real totals[rows_together<Real>][maps] = {};
            if (rows.first != 0)
                IQA_UNROLL_ON_GPU
            for (int output = 0; output < rows_together<Real>; ++output)
                if (output < count)
                    IQA_UNROLL_ON_GPU
            for (int map = 0; map < maps; ++map)
                totals[output][map] = output_rows[map * step + output * stride];
            filter_rows<known>(
                taps, from, until, totals,
                [&](int row, Real(&values)[maps]) {
                    load_values(slab + (row - before) * stride + column, plane, values);
                },
                [&](int tap, int) { return weights[tap]; });
            IQA_UNROLL_ON_GPU
            for (int output = 0; output < rows_together<Real>; ++output)
                if (output < count)
                    IQA_UNROLL_ON_GPU
            for (int map = 0; map < maps; ++map)
                output_rows[map * step + output * stride] = totals[output][map];
        });
    }

    Block &block_;
    const statistics_arguments<Real> &args_;
    Real *slab_, *down_;
};

} // namespace iqa::cuda
