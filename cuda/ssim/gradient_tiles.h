// SPDX-License-Identifier: MIT
// The derivatives of SSIM for plain images with a window of few taps, in float, as training needs them. A block of
// threads goes down a strip of a tile, band by band, in shared memory: s and d of the samples, window means, the
// derivatives by them, the adjoint down and across (see gradient.h). What later bands need again stays in rings of
// bands, so that a strip computes nothing twice. Tiles cannot share window means, since each has a pivot of its own:
// that of the map's tile beside it, so that a strip can add up the values of its own map pixels as tiles.h does.
// Taps, and the weights of the adjoints at the image's edges, are arguments of the launch.
//
// Fused multiply-adds for a pixel, with 11 taps and idle lanes: 76 down and 62 across for the means, 66 and 45 for the
// adjoint. 1.45 times the formula of the derivatives with four divisions, and a fifth for the value; 2 samples of each
// image staged, mostly from the caches. Issue slots in total: bench/cuda_slots.hpp.
#pragma once

#include "arith/divider.h"
#include "arith/ssim.h"
#include "cuda/images/samples.h"
#include "cuda/machine/per_thread.h"
#include "cuda/ssim/gradient.h"
#include "cuda/ssim/strip.h"

namespace iqa::cuda {

// Sums of values beside the derivatives, for the kernel in double of tiles.h.
struct values_beside {
    ssim_doubts doubts;       // `tiles` is NULL: none
    ssim_image_total *images; // [images]
    int height, width;        // of the map
    int tiles_down, tiles_across;
    bool counting;
    float low, high; // the data range
};

template <class Sample, int Taps>
struct ssim_gradient_tiles {
    static constexpr int radius = Taps / 2;
    // An axis has pixels with weights of their own at both ends: windows that leave the image see them. The last place
    // is that of all others, whose weights are the taps.
    static constexpr int places = 4 * radius + 1;

    struct arguments {
        image_pair images;
        int height, width;              // of the images
        divider down, across, channels; // strips
        border_mode border;
        float gain;
        float taps[2][Taps];          // down, across
        float edges[2][Taps][places]; // weights of the adjoints: of a place's pixel in each window that sees it
        ssim_constants<float> constants;
        bool negative_to_zero, product;
        bool safe;             // no denominator is 0
        const double *factors; // [images][channels]; NULL: all are `factor`
        double factor;
        gradient_output<float> output;
        spread_of_tiles spread; // for the kernel in double
        values_beside values;
    };
    static constexpr int threads = 128;
    static constexpr int least_resident = 4; // the limit of shared memory
    static constexpr int columns = 64;       // of a strip
    static constexpr int rows = 8;           // of a band
    // A band of window means needs this many bands of samples, and a band of pixels as many of derivatives. Nothing
    // needs the first rows of the first band.
    static constexpr int ring = divide_up(rows + Taps - 1, rows);
    static constexpr int lead = ring * rows - (rows + Taps - 1);
    // Outputs of one thread across.
    static constexpr int columns_filtered = 5, columns_combined = 4;
    static constexpr int seeing_columns = columns + Taps - 1; // map pixels that see the strip
    static constexpr int map_columns = round_up(seeing_columns, columns_filtered);
    static constexpr int staged_columns = map_columns + Taps - 1;
    static constexpr int row_groups = 2; // of a band; a thread stores the rows of one
    // Odd, so that threads on neighbouring rows use different banks.
    static constexpr int low_stride = staged_columns | 1, map_stride = map_columns | 1;
    static_assert(columns % columns_combined == 0 && ssim_tile_width % columns == 0 && rows % row_groups == 0);
    static_assert(ssim_tile_height % rows == 0);
    static_assert(staged_columns <= threads && rows * (map_columns / columns_filtered) <= threads);
    static_assert(rows * (columns / columns_combined) <= threads && columns * row_groups <= threads);

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
        four low[rows * low_stride]; // means filtered down; then the adjoint down
        four derivatives[ring][rows * map_stride];
        staged_pixel staged[ring][rows * staged_columns];
        pivot_grid<float> grid;
        float pivot;
        uint32_t doubts[doubt_kinds]; // of the map's values
    };
    static constexpr int shared_bytes = int(sizeof(shared_memory));
    static_assert(sizeof(two_sides) * columns <= sizeof(four) * map_stride);

    // Pixels of an axis that are seen only by windows in the image.
    struct inner_pixels {
        int begin, end;

        IQA_HD_MEMBER bool have(int first, int count) const { return first >= begin && first + count <= end; }
        IQA_HD_MEMBER int place_of(int pixel) const
        {
            if (pixel < begin)
                return pixel - begin + 2 * radius;
            const int beyond = pixel - end;
            return beyond < 0 ? places - 1 : beyond < 2 * radius ? beyond + 2 * radius : places - 2;
        }
    };
    struct strip {
        int64_t image, channel;
        int row, column;   // the first ones
        int rows, columns; // in the image
        int bands;
        int64_t tile; // its number in the batch
        float factor, pivot;
        // Rows and columns are counted from the first window, sample or pixel of the strip.
        int begin_row, end_row, begin_column, end_column; // windows that the map has
        int begin_sample, end_sample;                     // rows of samples in the image
        inner_pixels inner_rows, inner_columns;
        output_view sides[2]; // from the strip's first pixel on
        // The map pixels beside those of the strip, whose values are added up (none: no columns): from `first_own`
        // down and across on.
        int first_own, own_rows, own_columns;
        int64_t map_tile; // their tile's number in the batch

        IQA_HD_MEMBER bool is_own_row(int map_row) const
        {
            return map_row >= first_own && map_row < first_own + own_rows;
        }
    };
    // The samples of a column that one thread stages.
    struct column_of_pair {
        const std::byte *reference, *candidate; // of row 0
        bool zero;
    };

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        shared_memory &memory = *reinterpret_cast<shared_memory *>(block.shared());
        const uint32_t row_of_strips = args.across.quotient(uint32_t(block.index()));
        const uint32_t plane = args.down.quotient(row_of_strips);
        strip part;
        part.column = int(uint32_t(block.index()) - row_of_strips * args.across.divisor) * columns;
        part.row = int(row_of_strips - plane * args.down.divisor) * ssim_tile_height;
        part.image = args.channels.quotient(plane);
        part.channel = plane - uint32_t(part.image) * args.channels.divisor;
        part.tile =
            int64_t(row_of_strips) * divide_up(args.width, int(ssim_tile_width)) + part.column / ssim_tile_width;
        part.rows = clamped(args.height - part.row, 0, ssim_tile_height);
        part.columns = clamped(args.width - part.column, 0, columns);
        part.bands = divide_up(part.rows, rows);
        for (int side = 0; side < 2; ++side) {
            part.sides[side] = args.output.sides[side];
            if (part.sides[side].data != nullptr)
                part.sides[side] = moved(part.sides[side], {part.image, part.channel, 0, part.row, part.column});
        }
        const double factor = args.factors == nullptr ? args.factor : args.factors[plane];
        part.factor = float(factor);
        if (factor == 0.0) {
            for (int band = 0; band < part.bands; ++band)
                finish(block, args, part, band, [](int) { return two_sides{}; });
            return;
        }
        find_windows(args, part);
        part.pivot = pivot_of(block, args, part, memory);
        per_thread<Block, column_of_pair, threads> sources;
        per_thread<Block, int64_t, threads> sums;
        block.each_thread(staged_columns, [&](int column) { sources[column] = source_of(args, part, column); });
        int slot = 0;    // of the band in its ring
        int doubted = 0; // the next of the strip's own rows whose doubts are sampled
        for (int band = 0; band < part.bands + 2 * (ring - 1); ++band) {
            block.each_thread(staged_columns, [&](int column) {
                stage(args, part, band, column, sources[column], memory.staged[slot] + column);
            });
            slot = slot + 1 == ring ? 0 : slot + 1; // that of the earliest band
            if (band < ring - 1)
                continue;
            if (band == ring - 1)
                filter_down<lead>(block, args, slot, memory);
            else
                filter_down<0>(block, args, slot, memory);
            differentiate(block, args, part, band - (ring - 1), memory.derivatives[slot], memory, sums);
            if (part.own_columns > 0)
                doubt(block, args, part, band - (ring - 1), doubted, memory);
            const int found = band - 2 * (ring - 1);
            if (found < 0)
                continue;
            const int earliest = slot + 1 == ring ? 0 : slot + 1;
            combine_down(block, args, part, found, earliest, memory);
            two_sides *const pixels = reinterpret_cast<two_sides *>(memory.derivatives[earliest]);
            combine_across(block, args, part, memory.staged[slot], pixels, memory);
            finish(block, args, part, found, [&](int i) { return pixels[i]; });
        }
        if (part.own_columns == 0)
            return;
        const int64_t sum = block.sum(threads, [&](int thread) { return sums[thread]; });
        block.each_thread(1, [&](int) { add_values(args, part, memory, sum); });
    }

private:
    IQA_KERNEL static float sample(const std::byte *address) { return sample_of<float, Sample>(address); }

    IQA_KERNEL static int clamped(int value, int least, int most)
    {
        return value < least ? least : value > most ? most : value;
    }

    IQA_KERNEL static void find_windows(const arguments &args, strip &part)
    {
        const image_view &shape = args.images.reference;
        const int margin = int(map_margin(args.border, Taps));
        const int below = args.height - part.row;
        const int behind = args.width - part.column;
        part.begin_row = margin + radius - part.row;
        part.end_row = below - margin + radius;
        part.begin_column = margin + radius - part.column;
        part.end_column = behind - margin + radius;
        part.begin_sample = 2 * radius - part.row;
        part.end_sample = below + 2 * radius;
        part.inner_rows = {2 * radius - part.row, below - 2 * radius};
        part.inner_columns = {2 * radius - part.column, behind - 2 * radius};
        part.first_own = margin + radius;
        part.own_rows = part.own_columns = 0;
        if (args.values.doubts.tiles == nullptr)
            return;
        part.own_rows = clamped(args.values.height - part.row, 0, ssim_tile_height);
        part.own_columns = part.own_rows == 0 ? 0 : clamped(args.values.width - part.column, 0, columns);
        part.map_tile =
            ((part.image * shape.channels + part.channel) * args.values.tiles_down + part.row / ssim_tile_height) *
                args.values.tiles_across +
            part.column / ssim_tile_width;
    }

    // The pivot of the strip's tile: see arith/ssim.h.
    template <class Block>
    IQA_KERNEL static float pivot_of(Block &block, const arguments &args, const strip &part, shared_memory &memory)
    {
        const int64_t margin = map_margin(args.border, Taps);
        const auto position = [=](int64_t at, int size, int64_t extent, int index, int parts) {
            const int64_t tile = at - at % size;
            const int64_t count = extent - tile < size ? extent - tile : size;
            const span_of_outputs outputs = outputs_beside_pixels(tile, count, margin, extent);
            return pivot_position(outputs.first, 1, outputs.count, extent, index, parts);
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
        block.each(1, [&](int) {
            memory.pivot = memory.grid.pivot();
            for (uint32_t &sum : memory.doubts)
                sum = 0;
        });
        return memory.pivot;
    }

    // A valid map lacks the windows at the border: they get any samples, and differentiate() leaves them out.
    IQA_KERNEL static border_mode border_of_samples(const arguments &args)
    {
        return args.border == border_mode::valid ? border_mode::replicate : args.border;
    }

    IQA_KERNEL static column_of_pair source_of(const arguments &args, const strip &part, int column)
    {
        const image_view &x = args.images.reference;
        const image_view &y = args.images.candidate;
        const int64_t from = border_index(border_of_samples(args), part.column - 2 * radius + column, x.width);
        return {x.at(part.image, part.channel, 0, 0, from), y.at(part.image, part.channel, 0, 0, from), from < 0};
    }

    // A column of a band.
    IQA_KERNEL static void stage(const arguments &args, const strip &part, int band, int column,
                                 const column_of_pair &source, staged_pixel *staged)
    {
        const image_view &x = args.images.reference;
        const int first = band * rows - lead;
        const int64_t row = part.row - 2 * radius + first;
        const int64_t x_step = x.row_stride * element_size(x.type);
        const int64_t y_step = args.images.candidate.row_stride * element_size(args.images.candidate.type);
        if (!source.zero && first >= part.begin_sample &&
            first + rows <= part.end_sample) { // no border: steps down the column
            const std::byte *x_at = source.reference + row * x_step;
            const std::byte *y_at = source.candidate + row * y_step;
            float reference[rows], candidate[rows];
            IQA_UNROLL_ON_GPU
            for (int r = 0; r < rows; ++r, x_at += x_step, y_at += y_step) {
                reference[r] = sample(x_at);
                candidate[r] = sample(y_at);
                staged[r * staged_columns] = staged_of(args, part, reference[r], candidate[r]);
            }
            if (!args.values.counting)
                return;
            bool inside = true;
            IQA_UNROLL_ON_GPU
            for (int r = 0; r < rows; ++r)
                inside = inside && is_in_range(args, reference[r]) && is_in_range(args, candidate[r]);
            if (!inside) // rare
                count_samples(args, part, first, column, source);
            return;
        }
        for (int r = 0; r < rows; ++r) {
            const int64_t source_row = border_index(border_of_samples(args), row + r, x.height);
            const bool zero = source_row < 0 || source.zero;
            staged[r * staged_columns] =
                staged_of(args, part, zero ? 0.0f : sample(source.reference + source_row * x_step),
                          zero ? 0.0f : sample(source.candidate + source_row * y_step));
        }
        if (args.values.counting)
            count_samples(args, part, first, column, source);
    }

    IQA_KERNEL static bool is_in_range(const arguments &args, float value)
    {
        return is_within(value, args.values.low, args.values.high);
    }

    // Counts samples outside the data range or not finite, among those of the strip's pixels. `first`: the row of the
    // strip's samples that `column` of a band begins with.
    IQA_KERNEL static void count_samples(const arguments &args, const strip &part, int first, int column,
                                         const column_of_pair &source)
    {
        column -= 2 * radius;
        first -= 2 * radius;
        if (column < 0 || column >= part.columns)
            return;
        const int64_t x_step = args.images.reference.row_stride * element_size(args.images.reference.type);
        const int64_t y_step = args.images.candidate.row_stride * element_size(args.images.candidate.type);
        refused_samples refused{};
        for (int row = first > 0 ? first : 0; row < first + rows && row < part.rows; ++row) {
            refused.look_at(sample(source.reference + (part.row + row) * x_step), args.values.low, args.values.high);
            refused.look_at(sample(source.candidate + (part.row + row) * y_step), args.values.low, args.values.high);
        }
        add(args.values.images[part.image], refused);
        if (refused.nonfinite != 0)
            set_bits(args.spread.any, 1u);
    }

    IQA_KERNEL static staged_pixel staged_of(const arguments &args, const strip &part, float reference, float candidate)
    {
        const float x = reference * args.gain - part.pivot;
        const float y = candidate * args.gain - part.pivot;
        return {x + y, x - y};
    }

    // Row `row` of the bands from that in `slot` on.
    template <class Item, int Items>
    IQA_KERNEL static Item *row_of(Item (&bands)[ring][Items], int slot, int row)
    {
        const int at = slot + row / rows;
        return bands[at < ring ? at : at - ring] + row % rows * (Items / rows);
    }

    // A filter, or its adjoint, for neighbouring pixels of an axis: weight_of(tap, pixel).
    template <int Pixels, class Value, class Weight>
    IQA_KERNEL static void filter(float (&totals)[Pixels][4], Value &&value_of, Weight &&weight_of)
    {
        IQA_UNROLL_ON_GPU
        for (int tap = 0; tap < Taps + Pixels - 1; ++tap) {
            const four value = value_of(tap);
            IQA_UNROLL_ON_GPU
            for (int pixel = 0; pixel < Pixels; ++pixel)
                if (tap >= pixel && tap - pixel < Taps) {
                    const float weight = weight_of(tap - pixel, pixel);
                    IQA_UNROLL_ON_GPU
                    for (int map = 0; map < 4; ++map)
                        totals[pixel][map] = fused_multiply_add(weight, value.values[map], totals[pixel][map]);
                }
        }
    }

    // Of a band but for its first rows.
    template <int skipped, class Block>
    IQA_KERNEL static void filter_down(Block &block, const arguments &args, int slot, shared_memory &memory)
    {
        constexpr int count = rows - skipped;
        block.each_thread(staged_columns, [&](int column) {
            float totals[count][4] = {};
            const auto value_of = [&](int tap) -> four {
                const staged_pixel pixel = row_of(memory.staged, slot, skipped + tap)[column];
                return {{pixel.sum, pixel.difference, pixel.sum * pixel.sum, pixel.difference * pixel.difference}};
            };
            filter(totals, value_of, [&](int tap, int) { return args.taps[0][tap]; });
            IQA_UNROLL_ON_GPU
            for (int row = 0; row < count; ++row)
                memory.low[(skipped + row) * low_stride + column] = {
                    {totals[row][0], totals[row][1], totals[row][2], totals[row][3]}};
        });
    }

    // Window means of `Columns` map pixels of a band.
    template <int Columns>
    IQA_KERNEL static void filter_across(const arguments &args, const shared_memory &memory, int row, int first,
                                         float (&means)[Columns][4])
    {
        filter(
            means, [&](int tap) { return memory.low[row * low_stride + first + tap]; },
            [&](int tap, int) { return args.taps[1][tap]; });
    }

    // Window means of a band of map pixels, the derivatives by them, and the sums of values.
    template <class Block, class Sums>
    IQA_KERNEL static void differentiate(Block &block, const arguments &args, const strip &part, int band,
                                         four *derivatives, const shared_memory &memory, Sums &sums)
    {
        constexpr int groups = map_columns / columns_filtered;
        block.each_thread(band == 0 ? (rows - lead) * groups : rows * groups, [&](int task) {
            const int row = band == 0 ? lead + task / groups : task % rows;
            const int first = (band == 0 ? task % groups : task / rows) * columns_filtered;
            float means[columns_filtered][4] = {};
            filter_across(args, memory, row, first, means);
            four *const to = derivatives + row * map_stride + first;
            float spread = 0.0f;
            const int map_row = band * rows - lead + row;
            const bool in_rows = map_row >= part.begin_row && map_row < part.end_row;
            const auto is_inside = [&](int column) {
                return in_rows && column >= part.begin_column && column < part.end_column;
            };
            // Other windows may belong to other tiles alone.
            const auto add_spread = [&](int output) {
                if (map_columns - columns_filtered + output < seeing_columns || first + output < seeing_columns)
                    spread = at_least(means[output][2] + means[output][3], spread);
            };
            // The strip's own map pixels, from this thread's first pixel on.
            const int own = part.first_own - first;
            const uint32_t own_count = part.is_own_row(map_row) ? uint32_t(part.own_columns) : 0;
            const auto is_own = [&](int output) {
                return uint32_t(output - own) < own_count;
            };
            uint64_t sum = 0;
            bool not_a_number = false;
            const auto add_value = [&](int output, float found) {
                const float value = is_own(output) ? found : 0.0f;
                sum += uint64_t(ssim_fixed(value));
                not_a_number = not_a_number || value != value;
            };
            const auto differentiate_usual = [&](auto &&use_terms) {
                IQA_UNROLL_ON_GPU
                for (int output = 0; output < columns_filtered; ++output) {
                    add_spread(output);
                    const ssim_terms<float> terms = terms_of(args, part, means[output]);
                    to[output] = derivatives_of<true>(args, terms, means[output]);
                    use_terms(output, terms);
                }
            };
            if (args.product && args.safe && !args.negative_to_zero && is_inside(first) &&
                is_inside(first + columns_filtered - 1)) { // nearly always
                if (part.own_columns > 0)
                    differentiate_usual(
                        [&](int output, const ssim_terms<float> &terms) { add_value(output, ssim_of<true>(terms)); });
                else
                    differentiate_usual([](int, const ssim_terms<float> &) {});
            } else {
                IQA_UNROLL_ON_GPU
                for (int output = 0; output < columns_filtered; ++output) {
                    to[output] = {};
                    if (!is_inside(first + output))
                        continue;
                    add_spread(output);
                    const ssim_terms<float> terms = terms_of(args, part, means[output]);
                    to[output] = derivatives_of<false>(args, terms, means[output]);
                    if (part.own_columns > 0)
                        add_value(output, args.product ? ssim_of<true>(terms) : contrast_structure_of<true>(terms));
                }
            }
            sums[task] += not_a_number ? 0 : int64_t(sum); // which is meaningless with a NaN, and large
            if (not_a_number)                              // rare
                set_bits(&args.values.doubts.tiles[part.map_tile].not_a_number, 1u);
            if (too_much_spread(spread, args.constants.twice_c2)) { // rare
                args.spread.mark(part.tile);
                for (int output = 0; output < columns_filtered; ++output)
                    if (is_own(output) && too_much_spread(means[output][2] + means[output][3], args.constants.twice_c2))
                        set_bits(&args.values.doubts.tiles[part.map_tile].spread, 1u);
            }
        });
    }

    // Adds the doubts of a band's values, from row `next` of the strip's own on. Separate threads compute them, as in
    // tiles.h.
    template <class Block>
    IQA_KERNEL static void doubt(Block &block, const arguments &args, const strip &part, int band, int &next,
                                 shared_memory &memory)
    {
        const int before = part.first_own + lead - band * rows; // rows from the band's first on to the first own row
        for (; next < part.own_rows && before + next < rows; next += step_of_doubts(part.own_rows)) {
            const int row = before + next;
            block.each_thread(part.own_columns, [&](int column) {
                float means[1][4] = {};
                filter_across(args, memory, row, part.first_own + column, means);
                const float found = ssim_doubt(terms_of(args, part, means[0]), means[0][0], means[0][1], means[0][2],
                                               means[0][3], args.constants, constants_of_doubt_in_float());
                add(&memory.doubts[doubt_kind(found)], uint32_t(doubt_units(found)));
            });
        }
    }

    // Adds the sum and the doubts of the strip's values to those of their tile.
    IQA_KERNEL static void add_values(const arguments &args, const strip &part, const shared_memory &memory,
                                      int64_t sum)
    {
        const ssim_doubts &doubts = args.values.doubts;
        ssim_accumulator &to = doubts.tiles[part.map_tile].sums;
        add(&to.sums[args.product ? ssim_product : ssim_contrast_structure], in_double_units<float>(sum));
        doubt_total found = {int64_t(doubted_rows(part.own_rows)) * part.own_columns, {}};
        for (int kind = 0; kind < doubt_kinds; ++kind)
            found.sums[kind] = memory.doubts[kind];
        add(doubts, part.map_tile, found);
    }

    IQA_KERNEL static ssim_terms<float> terms_of(const arguments &args, const strip &part, const float (&means)[4])
    {
        return ssim_terms_of(means[0], means[1], means[2], means[3], part.pivot + part.pivot, args.constants);
    }

    // `usual`: of the product, whose denominators are never 0.
    template <bool usual>
    IQA_KERNEL static four derivatives_of(const arguments &args, const ssim_terms<float> &terms,
                                          const float (&means)[4])
    {
        if (!usual && args.negative_to_zero && !(terms.structure_top > 0.0f))
            return {};
        const ssim_derivatives<float> found =
            ssim_derivatives_of<usual>(terms, means[0], means[1], args.constants, 0.0f, usual || args.product);
        return {{found.mean_sum, found.mean_difference, found.square_sum, found.square_difference}};
    }

    // The adjoint down, of a band of pixels from the bands of derivatives in `slot` and after it.
    template <class Block>
    IQA_KERNEL static void combine_down(Block &block, const arguments &args, const strip &part, int band, int slot,
                                        shared_memory &memory)
    {
        const int first = band * rows;
        const auto combine = [&](auto &&weight_of) {
            block.each_thread(seeing_columns, [&](int column) {
                float totals[rows][4] = {};
                filter(
                    totals, [&](int tap) { return row_of(memory.derivatives, slot, lead + tap)[column]; }, weight_of);
                IQA_UNROLL_ON_GPU
                for (int row = 0; row < rows; ++row)
                    memory.low[row * low_stride + column] = {
                        {totals[row][0], totals[row][1], totals[row][2], totals[row][3]}};
            });
        };
        if (part.inner_rows.have(first, rows))
            combine([&](int seen, int) { return args.taps[0][Taps - 1 - seen]; });
        else
            combine([&](int seen, int row) { return args.edges[0][seen][part.inner_rows.place_of(first + row)]; });
    }

    // The adjoint across, and the derivatives by the samples, from the band's `staged` pixels.
    template <class Block>
    IQA_KERNEL static void combine_across(Block &block, const arguments &args, const strip &part,
                                          const staged_pixel *staged, two_sides *found, const shared_memory &memory)
    {
        block.each_thread(rows * (columns / columns_combined), [&](int task) {
            const int row = task % rows;
            const int first = task / rows * columns_combined;
            float totals[columns_combined][4] = {};
            const auto value_of = [&](int tap) {
                return memory.low[row * low_stride + first + tap];
            };
            if (part.inner_columns.have(first, columns_combined))
                filter(totals, value_of, [&](int seen, int) { return args.taps[1][Taps - 1 - seen]; });
            else
                filter(totals, value_of, [&](int seen, int pixel) {
                    return args.edges[1][seen][part.inner_columns.place_of(first + pixel)];
                });
            IQA_UNROLL_ON_GPU
            for (int output = 0; output < columns_combined; ++output) {
                const staged_pixel pixel = staged[row * staged_columns + first + output + 2 * radius];
                const float by_sum = totals[output][0] + (pixel.sum + pixel.sum) * totals[output][2];
                const float by_difference =
                    totals[output][1] + (pixel.difference + pixel.difference) * totals[output][3];
                found[row * columns + first + output] = {(by_sum + by_difference) * part.factor,
                                                         (by_sum - by_difference) * part.factor};
            }
        });
    }

    // Stores the derivatives by a band of pixels: neighbouring threads store neighbouring pixels.
    template <class Block, class Found>
    IQA_KERNEL static void finish(Block &block, const arguments &args, const strip &part, int band, Found &&found)
    {
        if (args.output.smaller.sides[0] != nullptr)
            finish<true>(block, args, part, band, found);
        else
            finish<false>(block, args, part, band, found);
    }

    // `shares`: smaller images add to the derivatives.
    template <bool shares, class Block, class Found>
    IQA_KERNEL static void finish(Block &block, const arguments &args, const strip &part, int band, Found &&found)
    {
        constexpr int rows_stored = rows / row_groups;
        const gradient_output<float> &output = args.output;
        const smaller_derivatives<float> &smaller = output.smaller;
        const int rows_left = part.rows - band * rows;
        IQA_UNROLL_ON_GPU
        for (int side = 0; side < 2; ++side) {
            if (output.sides[side].data == nullptr)
                continue;
            block.each_thread(columns * row_groups, [&](int task) {
                const int column = task % columns;
                const int first = task / columns * rows_stored;
                if (column >= part.columns)
                    return;
                const output_view view = moved(part.sides[side], {0, 0, 0, band * rows + first, column});
                box_share x{};
                if constexpr (shares)
                    x = smaller.axes[x_axis].share_of(part.column + column);
                IQA_UNROLL_ON_GPU
                for (int row = 0; row < rows_stored; ++row) {
                    if (first + row >= rows_left)
                        return;
                    const two_sides pixel = found((first + row) * columns + column);
                    double value = double(side == 0 ? pixel.by_reference : pixel.by_candidate);
                    if constexpr (shares) {
                        const box_share y = smaller.axes[y_axis].share_of(part.row + band * rows + first + row);
                        const int64_t plane = part.image * output.channels + part.channel;
                        const int64_t box = smaller.box_at(plane, {0, 1}, y, x);
                        if (box >= 0)
                            value += smaller.share(side, box, y.times * x.times);
                    }
                    view.store(0, 0, 0, row, 0, value * output.gain);
                }
            });
        }
    }
};

} // namespace iqa::cuda
