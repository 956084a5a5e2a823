// SPDX-License-Identifier: MIT
// The arguments of the SSIM kernels, and the sizes of their memory.
#pragma once

#include "arith/border.h"
#include "arith/element_type.h"
#include "arith/luma.h"
#include "arith/portable.h"
#include "arith/ssim.h"
#include "arith/ssim_blocks.h"
#include "arith/ssim_doubt.h"
#include "cpu/images/kernels.hpp"

namespace iqa {

// The most output rows, or slices, that are filtered together.
enum : int { ssim_rows_at_once = 4 };

// Interleaved images of up to this many channels are filtered as they lie; with more, channel by channel.
enum : int { ssim_most_interleaved = 4 };

// One tile of an SSIM map.
struct ssim_tile {
    element_type type;
    sample_plane reference, candidate;
    int channels;          // of a pixel, next to each other; 1 for a plane
    int64_t height, width; // of the image, in pixels
    border_mode border;
    int64_t first_row, first_column; // of the window of the first output pixel; may be negative
    int rows, columns;               // of the tile, in output pixels

    int size_y, size_x;
    const void *taps_y, *taps_x; // in the arithmetic's type
    double twice_c1, twice_c2, covariance, gain;
    bool product; // of luminance and contrast-structure; else contrast-structure alone

    // The area of the image whose samples this tile counts; every sample belongs to one tile.
    bool counting;
    data_range range;
    int64_t counted_row, counted_rows, counted_column, counted_columns;

    void *memory;    // ssim_tile_memory() items of the arithmetic's type, aligned to a cache line
    bool by_channel; // a sum for each channel instead of one sum
    // Receives each finished row of `columns * channels` values, in the arithmetic's type; may be NULL.
    void (*store_row)(void *receiver, int slice, int row, const void *values);
    void *receiver;
};

struct ssim_tile_result {
    int128 sums[ssim_most_interleaved]; // units of 2^-ssim_double_bits
    sample_counts counts;
    bool not_a_number;
    // For each channel, from float arithmetic (arith/ssim_doubt.h).
    int32_t doubts[ssim_most_interleaved][doubt_kinds];
    bool spread[ssim_most_interleaved]; // too large for float
};

// Samples in a row of the tile's memory, and rows of it: see the layout in tiles.inl.
IQA_HD constexpr int64_t ssim_row_samples(int64_t columns, int64_t size_x, int64_t channels)
{
    return round_up((columns + size_x - 1) * channels + 32, 32);
}

IQA_HD constexpr int64_t ssim_tile_memory(int64_t columns, int64_t size_y, int64_t size_x, int64_t channels)
{
    const int64_t ring = 2 * (size_y - 1 + ssim_rows_at_once);
    const int64_t filtered = 4 * ssim_rows_at_once;
    const int64_t pointers = (size_y - 1 + ssim_rows_at_once) * 8 / 4;          // in samples of the smaller type
    constexpr int64_t vectors = (1 + doubt_kinds) * ssim_most_interleaved * 16; // the spreads and doubts
    return vectors + (ring + filtered + 2) * ssim_row_samples(columns, size_x, channels) + round_up(pointers, 32);
}

// The most blocks of a tile.
enum : int { ssim_block_rows = 32, ssim_block_columns = 128 };

// A tile of blocks of one channel (arith/ssim_blocks.h) of uint8 or uint16.
struct ssim_block_tile {
    element_type type;
    sample_plane reference, candidate; // from the first block's first pixel on
    int rows, columns;                 // in blocks
    ssim_block_constants constants;
    void *memory; // ssim_block_tile_memory() bytes, aligned to a cache line
};

// Sums of columns and of two lines of quads, and copies of the rows of a line.
IQA_HD constexpr int64_t ssim_block_tile_memory(int64_t columns)
{
    constexpr int64_t sums = 6;
    const int64_t quads = columns + 1;
    const int64_t words = sums * (quad_size * quads + 2 * quads);
    const int64_t copies = 2 * quad_size * quad_size * quads;
    return round_up(words * 4 + copies * 2, 64);
}

// One channel of an image or volume, or its luma. Strides in elements.
struct sample_volume {
    const void *data;
    int64_t slice_stride, row_stride, column_stride;
    int64_t channel_stride; // from red to green to blue, for luma
};

// Weights of pixels; broadcast axes have stride 0.
struct weight_volume {
    const void *data; // NULL: each weight is 1
    weight_type type;
    int64_t slice_stride, row_stride, column_stride;
};

// A channel of both images, and how to read its pixels.
struct sample_source {
    element_type type;
    sample_volume reference, candidate;
    double gain;           // multiplies each sample; a power of two
    const luma_rule *luma; // NULL: the channel is read as it is
    weight_volume weights;
    bool mask_nonfinite;
    int64_t depth, height, width;
};

// One axis of a box: its windows and its filter.
struct box_axis {
    int64_t first; // position of the first tap of the first output; may be negative
    int count;     // outputs
    int taps;
    const void *filter; // the taps, in the arithmetic's type
};

// A box of an SSIM map in the general case: volumes, weights, luma, all factors.
struct ssim_box {
    sample_source source;
    border_mode border;
    box_axis z, y, x;
    double twice_c1, twice_c2, covariance;
    bool convolution; // weights apply to the window means; else only to the map
    double coverage;
    bool negative_to_zero; // contrast-structure below 0 becomes 0
    bool wanted[ssim_factors];
    void *memory; // ssim_box_memory() items
    // Receives each finished row of the first wanted factor, in the arithmetic's type; may be NULL.
    void (*store_row)(void *receiver, int slice, int row, const void *values);
    void *receiver;
};

struct ssim_box_result {
    int128 sums[ssim_factors]; // units of 2^-ssim_double_bits, with weights times 2^-pixel_weight_bits
    int64_t weight;            // of the pixels counted, in units of 2^-pixel_weight_bits
    bool not_a_number;
    doubt_total doubt; // from float arithmetic
    bool spread;       // too large for float
};

// SSIM or contrast-structure of the pixels of a tile of the map, from float arithmetic.
struct ssim_tile_value {
    int128 sum;     // in units of 2^-ssim_float_bits, with weights times 2^-pixel_weight_bits; with NaN unspecified
    int64_t weight; // of the pixels counted, in units of 2^-pixel_weight_bits; only with weights
    doubt_total doubt;
    bool not_a_number;
};

// The derivative of a weighted sum of map pixels with respect to the samples of a tile of the image.
struct ssim_gradient_tile {
    ssim_box box; // its outputs are the pixels of the tile; coverage, store_row, wanted and memory are unused
    bool product;
    int64_t map_first[3], map_end[3]; // the range of window centres in the map, in pixels of the image: z, y, x
    const void *adjoint[3];           // for each axis: [taps][stride] coefficients, from the tile's first pixel on
    int64_t adjoint_stride[3];
    double factor; // of the derivatives of the sum over the map
    double coverage;
    // Receives SSIM of the map's tile beside this one (outputs_beside_pixels()), in float, where no denominator is 0;
    // NULL: not wanted.
    ssim_tile_value *value;
    void *memory; // ssim_gradient_memory() items
    // Receives each finished row of both derivatives, in the arithmetic's type; NULL: all are 0.
    void (*store_row)(void *receiver, int slice, int row, const void *reference, const void *candidate);
    void *receiver;
};

// Derivatives of a sum over a map of float by a run of pixels: each becomes
// (derivative * factor + share * scale) * gain.
struct derivatives_of_sum {
    void *data;
    bool is_double;      // else float
    int64_t step;        // from pixel to pixel, in elements
    int64_t count;       // even, with shares
    const float *shares; // one for each two pixels, whose mean a pixel of the smaller image has part in; NULL: none
    float factor;
    double scale, gain;
};

// Rows of a smaller image: each pixel is the mean of a box of factor^2 or factor^3 pixels.
struct shrink_row {
    sample_source source;
    border_mode border;
    int factor_z, factor;
    bool normalised;                              // the means are weighted
    int64_t first_slice, first_row, first_column; // of the first pixel's box; may be negative
    int64_t columns;                              // of the smaller image
    void *reference, *candidate, *weights;        // receive the row, in the arithmetic's type; weights may be NULL
    void *memory;                                 // shrink_memory() items
};

IQA_HD constexpr int64_t shrink_memory(int64_t columns, int factor)
{
    return 6 * round_up(columns * factor, 32);
}

// The memory of a kernel, in items of the arithmetic's type; statistics.inl and gradient.inl have the layouts.
struct box_memory {
    int64_t stride; // items of a row
    int64_t rows;   // of a slice with its margins
    int64_t staged, filtered, down, rest;
    IQA_HD_MEMBER constexpr int64_t total() const { return staged + filtered + down + rest; }
};

constexpr int staged_planes = 3; // sums, differences, weights
constexpr int most_maps = 5;     // the window means of four maps and of the weights

// Slices in the rings of windows of several slices.
IQA_HD constexpr int ssim_ring_slices(int size_z, int together)
{
    return size_z == 1 ? 1 : size_z - 1 + together;
}

IQA_HD constexpr box_memory ssim_box_memory(int64_t rows, int64_t columns, int size_z)
{
    const int64_t stride = round_up(columns + 32, 32);
    const int64_t slices = ssim_ring_slices(size_z, ssim_rows_at_once);
    return {stride,
            rows,
            staged_planes * slices * rows * stride,
            size_z == 1 ? 0 : int64_t(most_maps) * ssim_rows_at_once * rows * stride,
            int64_t(most_maps) * ssim_rows_at_once * stride,
            8 * stride};
}

struct gradient_memory {
    box_memory statistics; // of the windows that contain pixels of the tile
    int64_t ring, deep, low, out;
    IQA_HD_MEMBER constexpr int64_t total() const { return statistics.total() + ring + deep + low + out; }
};

IQA_HD constexpr gradient_memory ssim_gradient_memory(int64_t rows, int64_t columns, int size_z, int size_y, int size_x)
{
    const int64_t seen = rows + size_y - 1; // rows of map pixels
    const box_memory statistics = ssim_box_memory(seen + size_y - 1, columns + 2 * (size_x - 1), size_z);
    const int64_t maps = 4 * seen * statistics.stride;
    const int64_t low = int64_t(4) * ssim_rows_at_once * statistics.stride;
    return {statistics, ssim_ring_slices(size_z, ssim_rows_at_once) * maps, size_z == 1 ? 0 : ssim_rows_at_once * maps,
            low, 2 * statistics.stride};
}

} // namespace iqa
