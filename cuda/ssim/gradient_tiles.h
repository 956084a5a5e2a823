// SPDX-License-Identifier: MIT
// The derivatives of SSIM for plain images with a window of few taps, in float, as training needs them. A block of
// threads takes a part of a tile through shared memory: s and d of all samples in the windows that see the part, window
// means, the derivatives by them, the adjoint down and across (see gradient.h). Taps are arguments of the launch.
//
// Fused multiply-adds for a pixel, with 11 taps and parts of 16 x 32: 116 down and 94 across for the means, 58 and 44
// for the adjoint; 2.1 times the formula of the derivatives with three divisions (some 90 operations); 3.7 samples of
// each image staged, mostly from the caches. Issue slots in total: bench/cuda_slots.hpp.
#pragma once

#include "arith/divider.h"
#include "arith/ssim.h"
#include "cuda/images/samples.h"
#include "cuda/ssim/gradient.h"

namespace iqa::cuda {

template <class Sample, int Taps>
struct ssim_gradient_tiles {
    struct arguments {
        image_pair images;
        divider down, across, channels; // parts
        border_mode border;
        float gain;
        float taps[2][Taps]; // down, across
        ssim_constants<float> constants;
        bool negative_to_zero, product;
        const double *factors; // [images][channels]; NULL: all are 0
        gradient_output<float> output;
        spread_of_tiles spread; // for the kernel in double
    };
    static constexpr int threads = 256;
    static constexpr int rows = 16, columns = 32; // of a part
    static constexpr int radius = Taps / 2;
    static constexpr int map_rows = rows + Taps - 1, map_columns = columns + Taps - 1; // map pixels that see the part
    static constexpr int staged_rows = map_rows + Taps - 1, staged_columns = map_columns + Taps - 1;
    static constexpr int staged_together = 9; // rows of a column that one thread stages
    static_assert(staged_rows % staged_together == 0);
    // Outputs of one thread in each step.
    static constexpr int rows_filtered = 7, columns_filtered = 6, rows_combined = 4, columns_combined = 2;
    static constexpr int row_groups = divide_up(map_rows, rows_filtered);
    // Odd, so that threads on neighbouring rows use different banks.
    static constexpr int low_stride = staged_columns + 1, map_stride = map_columns + 1;
    static_assert(map_columns % columns_filtered == 0 && rows % rows_combined == 0 && columns % columns_combined == 0);
    static_assert(low_stride % 2 == 1 && map_stride % 2 == 1);

    struct alignas(8) staged_pixel {
        float sum, difference;
    };
    struct alignas(16) four {
        float values[4];
    };
    struct alignas(8) two_sides {
        float by_reference, by_candidate;
    };
    struct shared_memory {
        four low[map_rows * low_stride]; // means filtered down; then the adjoint down
        union {
            four derivatives[map_rows * map_stride];
            two_sides found[rows * columns];
        };
        staged_pixel staged[row_groups * rows_filtered * staged_columns + (Taps - 1) * staged_columns];
        float bands[2][Taps * columns]; // weights of the adjoints, [taps][pixels]
        pivot_grid<float> grid;
        float pivot;
    };
    static constexpr int shared_bytes = int(sizeof(shared_memory));

    struct part_of_image {
        int64_t image, channel, row, column;
        int64_t tile; // its number in the batch
        float factor, pivot;
        // Whether all windows that see the part lie in the image: then the taps are the weights of the adjoint.
        bool inside_rows, inside_columns;
    };

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        shared_memory &memory = *reinterpret_cast<shared_memory *>(block.shared());
        const uint32_t row_of_parts = args.across.quotient(uint32_t(block.index()));
        const uint32_t plane = args.down.quotient(row_of_parts);
        part_of_image part;
        part.column = int64_t(uint32_t(block.index()) - row_of_parts * args.across.divisor) * columns;
        part.row = int64_t(row_of_parts - plane * args.down.divisor) * rows;
        part.image = args.channels.quotient(plane);
        part.channel = plane - uint32_t(part.image) * args.channels.divisor;
        const image_view &shape = args.images.reference;
        const int64_t tiles_down = divide_up(shape.height, ssim_tile_height);
        const int64_t tiles_across = divide_up(shape.width, ssim_tile_width);
        part.inside_rows = part.row >= 2 * radius && part.row + rows + 2 * radius <= shape.height;
        part.inside_columns = part.column >= 2 * radius && part.column + columns + 2 * radius <= shape.width;
        part.tile = (plane * tiles_down + part.row / ssim_tile_height) * tiles_across + part.column / ssim_tile_width;
        const double factor = args.factors == nullptr ? 0.0 : args.factors[plane];
        part.factor = float(factor);
        if (factor == 0.0)
            return finish(block, args, part, [](int) { return two_sides{}; });
        part.pivot = pivot_of(block, args, part, memory);
        stage(block, args, part, memory);
        if (!part.inside_rows)
            fill_band(block, args.border, args.taps[0], part.row, shape.height, rows, memory.bands[0]);
        if (!part.inside_columns)
            fill_band(block, args.border, args.taps[1], part.column, shape.width, columns, memory.bands[1]);
        filter_down(block, args, memory);
        differentiate(block, args, part, memory);
        // Taps need no memory, unlike the bands.
        if (part.inside_rows)
            combine_down(block, memory, [&](int seen, int) { return args.taps[0][Taps - 1 - seen]; });
        else
            combine_down(block, memory, [&](int seen, int pixel) { return memory.bands[0][seen * rows + pixel]; });
        if (part.inside_columns)
            combine_across(block, memory, [&](int seen, int) { return args.taps[1][Taps - 1 - seen]; });
        else
            combine_across(block, memory, [&](int seen, int pixel) { return memory.bands[1][seen * columns + pixel]; });
        finish(block, args, part, [&](int i) { return memory.found[i]; });
    }

private:
    IQA_KERNEL static float sample(const std::byte *address) { return sample_of<float, Sample>(address); }

    // The pivot of the part's tile: see arith/ssim.h.
    template <class Block>
    IQA_KERNEL static float pivot_of(Block &block, const arguments &args, const part_of_image &part,
                                     shared_memory &memory)
    {
        const auto position = [](int64_t at, int size, int64_t extent, int index, int parts) {
            const int64_t tile = at - at % size;
            const int64_t count = extent - tile < size ? extent - tile : size;
            return pivot_position(tile - 2 * radius, Taps, count + 2 * radius, extent, index, parts);
        };
        const image_view &shape = args.images.reference;
        block.each(pivot_samples, [&](int i) {
            const int64_t row = position(part.row, ssim_tile_height, shape.height, i / pivot_columns, pivot_rows);
            const int64_t column =
                position(part.column, ssim_tile_width, shape.width, i % pivot_columns, pivot_columns);
            const auto scaled = [&](const image_view &view) {
                return sample(view.at(part.image, part.channel, 0, row, column)) * args.gain;
            };
            memory.grid.put(i, scaled(args.images.reference), scaled(args.images.candidate), false);
        });
        block.each(1, [&](int) { memory.pivot = memory.grid.pivot(); });
        return memory.pivot;
    }

    template <class Block>
    IQA_KERNEL static void stage(Block &block, const arguments &args, const part_of_image &part, shared_memory &memory)
    {
        const image_view &shape = args.images.reference;
        // A valid map lacks the windows at the border: they get any samples, and differentiate() leaves them out.
        const border_mode border = args.border == border_mode::valid ? border_mode::replicate : args.border;
        block.each(staged_columns * (staged_rows / staged_together), [&](int task) {
            const image_view &x = args.images.reference;
            const image_view &y = args.images.candidate;
            const int first = task / staged_columns * staged_together;
            const int64_t row = part.row - 2 * radius + first;
            const int64_t column = border_index(border, part.column - 2 * radius + task % staged_columns, shape.width);
            const std::byte *const x_column = x.at(part.image, part.channel, 0, 0, column);
            const std::byte *const y_column = y.at(part.image, part.channel, 0, 0, column);
            const int64_t x_step = x.row_stride * element_size(x.type);
            const int64_t y_step = y.row_stride * element_size(y.type);
            staged_pixel *const staged = memory.staged + first * staged_columns + task % staged_columns;
            if (column >= 0 && row >= 0 && row + staged_together <= shape.height) { // no border: steps down the column
                const std::byte *x_at = x_column + row * x_step;
                const std::byte *y_at = y_column + row * y_step;
                IQA_UNROLL_ON_GPU
                for (int r = 0; r < staged_together; ++r, x_at += x_step, y_at += y_step)
                    staged[r * staged_columns] = staged_of(args, part, sample(x_at), sample(y_at));
                return;
            }
            for (int r = 0; r < staged_together; ++r) {
                const int64_t source_row = border_index(border, row + r, shape.height);
                const bool zero = source_row < 0 || column < 0;
                staged[r * staged_columns] = staged_of(args, part, zero ? 0.0f : sample(x_column + source_row * x_step),
                                                       zero ? 0.0f : sample(y_column + source_row * y_step));
            }
        });
    }

    IQA_KERNEL static staged_pixel staged_of(const arguments &args, const part_of_image &part, float reference,
                                             float candidate)
    {
        const float x = reference * args.gain - part.pivot;
        const float y = candidate * args.gain - part.pivot;
        return {x + y, x - y};
    }

    // The weights of each pixel in the windows around it. The border can put a pixel into a window twice.
    template <class Block>
    IQA_KERNEL static void fill_band(Block &block, border_mode border, const float (&taps)[Taps], int64_t first,
                                     int64_t extent, int pixels, float *band)
    {
        const int64_t margin = border == border_mode::valid ? radius : 0;
        block.each(Taps * pixels, [&](int i) {
            const int64_t pixel = first + i % pixels;
            const int64_t centre = pixel + i / pixels - radius;
            float sum = 0.0f;
            if (pixel < extent && centre >= margin && centre < extent - margin)
                for (int tap = 0; tap < Taps; ++tap)
                    if (border_index(border, centre + tap - radius, extent) == pixel)
                        sum += taps[tap];
            band[i] = sum;
        });
    }

    template <class Block>
    IQA_KERNEL static void filter_down(Block &block, const arguments &args, shared_memory &memory)
    {
        block.each(staged_columns * row_groups, [&](int task) {
            const int column = task % staged_columns;
            const int first = task / staged_columns * rows_filtered;
            float totals[rows_filtered][4] = {};
            IQA_UNROLL_ON_GPU
            for (int tap = 0; tap < Taps + rows_filtered - 1; ++tap) {
                const staged_pixel pixel = memory.staged[(first + tap) * staged_columns + column];
                const float values[4] = {pixel.sum, pixel.difference, pixel.sum * pixel.sum,
                                         pixel.difference * pixel.difference};
                IQA_UNROLL_ON_GPU
                for (int output = 0; output < rows_filtered; ++output)
                    if (tap >= output && tap - output < Taps) {
                        IQA_UNROLL_ON_GPU
                        for (int map = 0; map < 4; ++map)
                            totals[output][map] =
                                fused_multiply_add(args.taps[0][tap - output], values[map], totals[output][map]);
                    }
            }
            IQA_UNROLL_ON_GPU
            for (int output = 0; output < rows_filtered; ++output)
                if (first + output < map_rows)
                    memory.low[(first + output) * low_stride + column] = {
                        {totals[output][0], totals[output][1], totals[output][2], totals[output][3]}};
        });
    }

    // Window means, and the derivatives by them.
    template <class Block>
    IQA_KERNEL static void differentiate(Block &block, const arguments &args, const part_of_image &part,
                                         shared_memory &memory)
    {
        const int64_t margin = args.border == border_mode::valid ? radius : 0;
        const image_view &shape = args.images.reference;
        // The windows that the map has.
        const auto clamped = [](int64_t index, int size) {
            return int(index < 0 ? 0 : index > size ? size : index);
        };
        const int begin_row = clamped(margin - part.row + radius, map_rows);
        const int end_row = clamped(shape.height - margin - part.row + radius, map_rows);
        const int begin_column = clamped(margin - part.column + radius, map_columns);
        const int end_column = clamped(shape.width - margin - part.column + radius, map_columns);
        block.each(map_rows * (map_columns / columns_filtered), [&](int task) {
            const int row = task % map_rows;
            const int first = task / map_rows * columns_filtered;
            float means[columns_filtered][4] = {};
            IQA_UNROLL_ON_GPU
            for (int tap = 0; tap < Taps + columns_filtered - 1; ++tap) {
                const four value = memory.low[row * low_stride + first + tap];
                IQA_UNROLL_ON_GPU
                for (int output = 0; output < columns_filtered; ++output)
                    if (tap >= output && tap - output < Taps) {
                        IQA_UNROLL_ON_GPU
                        for (int map = 0; map < 4; ++map)
                            means[output][map] =
                                fused_multiply_add(args.taps[1][tap - output], value.values[map], means[output][map]);
                    }
            }
            const bool in_rows = row >= begin_row && row < end_row;
            IQA_UNROLL_ON_GPU
            for (int output = 0; output < columns_filtered; ++output) {
                const bool inside = in_rows && first + output >= begin_column && first + output < end_column;
                memory.derivatives[row * map_stride + first + output] =
                    inside ? derivatives_of(args, part, means[output]) : four{};
            }
        });
    }

    IQA_KERNEL static four derivatives_of(const arguments &args, const part_of_image &part, const float (&means)[4])
    {
        const ssim_terms<float> terms =
            ssim_terms_of(means[0], means[1], means[2], means[3], part.pivot + part.pivot, args.constants);
        if (part.factor != 0.0f && too_much_spread(means[2], means[3], args.constants.twice_c2))
            set_bits(&args.spread.tiles[part.tile], 1u);
        if (part.factor == 0.0f || (args.negative_to_zero && !(terms.structure_top > 0.0f)))
            return {};
        const ssim_derivatives<float> found =
            ssim_derivatives_of(terms, means[0], means[1], args.constants, 0.0f, args.product);
        return {{found.mean_sum * part.factor, found.mean_difference * part.factor, found.square_sum * part.factor,
                 found.square_difference * part.factor}};
    }

    // weight_of(seen, pixel): the pixel's weight in the window `seen` rows (columns) after the first one that sees it.
    template <class Block, class Weight>
    IQA_KERNEL static void combine_down(Block &block, shared_memory &memory, Weight &&weight_of)
    {
        block.each(map_columns * (rows / rows_combined), [&](int task) {
            const int column = task % map_columns;
            const int first = task / map_columns * rows_combined;
            float totals[rows_combined][4] = {};
            IQA_UNROLL_ON_GPU
            for (int tap = 0; tap < Taps + rows_combined - 1; ++tap) {
                const four value = memory.derivatives[(first + tap) * map_stride + column];
                IQA_UNROLL_ON_GPU
                for (int output = 0; output < rows_combined; ++output)
                    if (tap >= output && tap - output < Taps) {
                        const float weight = weight_of(tap - output, first + output);
                        IQA_UNROLL_ON_GPU
                        for (int map = 0; map < 4; ++map)
                            totals[output][map] = fused_multiply_add(weight, value.values[map], totals[output][map]);
                    }
            }
            IQA_UNROLL_ON_GPU
            for (int output = 0; output < rows_combined; ++output)
                memory.low[(first + output) * map_stride + column] = {
                    {totals[output][0], totals[output][1], totals[output][2], totals[output][3]}};
        });
    }

    template <class Block, class Weight>
    IQA_KERNEL static void combine_across(Block &block, shared_memory &memory, Weight &&weight_of)
    {
        block.each(rows * (columns / columns_combined), [&](int task) {
            const int row = task % rows;
            const int first = task / rows * columns_combined;
            float totals[columns_combined][4] = {};
            IQA_UNROLL_ON_GPU
            for (int tap = 0; tap < Taps + columns_combined - 1; ++tap) {
                const four value = memory.low[row * map_stride + first + tap];
                IQA_UNROLL_ON_GPU
                for (int output = 0; output < columns_combined; ++output)
                    if (tap >= output && tap - output < Taps) {
                        const float weight = weight_of(tap - output, first + output);
                        IQA_UNROLL_ON_GPU
                        for (int map = 0; map < 4; ++map)
                            totals[output][map] = fused_multiply_add(weight, value.values[map], totals[output][map]);
                    }
            }
            IQA_UNROLL_ON_GPU
            for (int output = 0; output < columns_combined; ++output) {
                const staged_pixel pixel =
                    memory.staged[(row + 2 * radius) * staged_columns + first + output + 2 * radius];
                const float by_sum = totals[output][0] + (pixel.sum + pixel.sum) * totals[output][2];
                const float by_difference =
                    totals[output][1] + (pixel.difference + pixel.difference) * totals[output][3];
                memory.found[row * columns + first + output] = {by_sum + by_difference, by_sum - by_difference};
            }
        });
    }

    // Stores the derivatives: neighbouring threads store neighbouring pixels.
    template <class Block, class Found>
    IQA_KERNEL static void finish(Block &block, const arguments &args, const part_of_image &part, Found &&found)
    {
        const gradient_output<float> &output = args.output;
        const int64_t rows_left = args.images.reference.height - part.row;
        const int64_t columns_left = args.images.reference.width - part.column;
        const auto for_pixels = [&](auto &&store_pixel) {
            block.each(rows * columns, [&](int i) {
                if (i / columns < rows_left && i % columns < columns_left)
                    store_pixel(i / columns, i % columns, found(i));
            });
        };
        if (output.smaller.sides[0] != nullptr) {
            for_pixels([&](int row, int column, const two_sides &pixel) {
                store(output, {part.image, part.channel, 0, part.row + row, part.column + column}, pixel.by_reference,
                      pixel.by_candidate);
            });
            return;
        }
        for (int side = 0; side < 2; ++side) {
            if (output.sides[side].data == nullptr)
                continue;
            const output_view view = moved(output.sides[side], {part.image, part.channel, 0, part.row, part.column});
            for_pixels([&](int row, int column, const two_sides &pixel) {
                view.store(0, 0, 0, row, column,
                           double(side == 0 ? pixel.by_reference : pixel.by_candidate) * output.gain);
            });
        }
    }
};

} // namespace iqa::cuda
