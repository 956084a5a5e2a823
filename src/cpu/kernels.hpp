// SPDX-License-Identifier: MIT
// The CPU kernels as one table of functions, filled in once for each instruction set from one body (kernels.inl). Only
// plain structs cross this line: the files on the other side are compiled with other flags and may not share inline
// functions with anybody.
#pragma once

#include "arith/border.h"
#include "arith/confusion.h"
#include "arith/element_type.h"
#include "arith/portable.h"
#include "arith/squared_error.h"
#include "arith/ssim_blocks.h"

namespace iqa {

// One image plane, or one image with interleaved channels. Strides in elements.
struct sample_plane {
    const void *data;
    int64_t row_stride;
    int64_t column_stride;
};

// Output rows that are filtered together, at most.
enum : int { ssim_rows_at_once = 4 };

// Interleaved images of up to so many channels are filtered as they lie; more channels are taken one by one.
enum : int { ssim_most_interleaved = 4 };

// One tile of an SSIM map.
struct ssim_tile {
    element_type type;
    sample_plane reference, candidate;
    int channels;          // of a pixel, next to each other; 1 for a plane
    int64_t height, width; // of the image, in pixels
    border_mode border;
    int64_t first_row, first_column; // where the window of the first output pixel begins; may be negative
    int rows, columns;               // of the tile, in output pixels

    int taps_y, taps_x;
    const void *weights_y, *weights_x; // in the arithmetic's type
    double twice_c1, twice_c2, covariance, scale;

    // The part of the image whose samples this tile counts; every sample belongs to one tile.
    bool counting;
    data_range range;
    int64_t own_row, own_rows, own_column, own_columns;

    void *memory;    // ssim_tile_memory() items of the arithmetic's type, aligned to a cache line
    bool by_channel; // one sum for each channel instead of one sum
    // Receives each finished row of `columns * channels` values, in the arithmetic's type; may be NULL.
    void (*store_row)(void *receiver, int row, const void *values);
    void *receiver;
};

struct ssim_tile_result {
    int128 sums[ssim_most_interleaved]; // units of 2^-ssim_double_bits
    sample_counts counts;
    bool not_a_number;
};

// Samples in a row of the tile's memory, and rows of it: see the layout in ssim.inl.
constexpr int64_t ssim_row_samples(int64_t columns, int64_t taps_x, int64_t channels)
{
    return ((columns + taps_x - 1) * channels + 63) / 32 * 32;
}

constexpr int64_t ssim_tile_memory(int64_t columns, int64_t taps_y, int64_t taps_x, int64_t channels)
{
    const int64_t ring = 2 * (taps_y - 1 + ssim_rows_at_once);
    const int64_t filtered = 4 * ssim_rows_at_once;
    const int64_t pointers = (taps_y - 1 + ssim_rows_at_once) * 8 / 4; // in samples of the smaller type
    return (ring + filtered + 2) * ssim_row_samples(columns, taps_x, channels) + (pointers + 31) / 32 * 32;
}

// Blocks that are summed together, at most.
enum : int { ssim_block_rows = 32, ssim_block_columns = 128 };

// Up to that many blocks of one channel (arith/ssim_blocks.h) of uint8 or uint16.
struct ssim_block_tile {
    element_type type;
    sample_plane reference, candidate; // from the first block's first pixel on
    int rows, columns;                 // in blocks
    ssim_block_constants constants;
    void *memory; // ssim_block_tile_memory() bytes, aligned to a cache line
};

// Sums of columns and of two lines of quads, and copies of the rows of a line.
constexpr int64_t ssim_block_tile_memory(int64_t columns)
{
    constexpr int64_t sums = 6;
    const int64_t quads = columns + 1;
    const int64_t words = sums * (quad_size * quads + 2 * quads);
    const int64_t copies = 2 * quad_size * quad_size * quads;
    return (words * 4 + copies * 2 + 63) / 64 * 64;
}

// A run of samples of both images. Steps in elements.
struct sample_run {
    element_type type;
    const void *reference, *candidate;
    int64_t count;
    int64_t reference_step, candidate_step;
};

// What the runs of floating-point samples add to; integers add to level[0].
struct squared_error_total {
    int128 level[error_levels];
    double largest; // |difference| after scaling; infinite if a difference overflowed
    // Of floating-point samples: bounds of all of them, and whether there may be non-finite ones. It spares ordinary
    // images a second look at every sample.
    double least_sample, most_sample;
    bool nonfinite;
};

// A run of labels, `step` elements apart, and what their codes shall be: see arith/confusion.h.
struct label_run {
    label_type type;
    const void *data;
    int64_t step;
    int64_t count;
    int64_t classes;
    bool ignoring;
    int64_t ignore_label;
};

// A run of elements with scores for each class, or with one score (threshold).
struct score_run {
    label_type type;
    label_kind kind;
    const void *data;
    int64_t step;
    int64_t class_step;
    int64_t count; // at most label_block
    int64_t classes;
    double threshold;
};

// Up to label_block pairs of codes.
struct code_pairs {
    const void *rows, *columns;
    int64_t count;
    int64_t row_length;
    // Memory that will be read next, to be fetched on the way, and its bytes per pair. Need not exist.
    const void *upcoming[2];
    int64_t upcoming_size[2];
};

// Labels are handled so many at a time, and only with so many classes do their codes fit bytes.
enum : int { label_block = 1024, most_byte_classes = 254 };

struct cpu_kernels {
    const char *name;
    void (*ssim_float)(const ssim_tile &tile, ssim_tile_result &result);
    void (*ssim_double)(const ssim_tile &tile, ssim_tile_result &result);
    int128 (*ssim_blocks)(const ssim_block_tile &tile); // the sum over blocks, in units of 2^-ssim_double_bits
    void (*count_samples)(const sample_run &run, data_range range, sample_counts &counts);
    // Copies samples `step` apart into dense memory; the 16-bit floating-point types become float32.
    void (*gather)(element_type type, const void *samples, int64_t step, int64_t count, void *dense);
    // Dense runs (steps of 1) of all types but the 16-bit floating-point ones.
    void (*squared_error)(const sample_run &run, double scale, squared_error_total &total);

    void (*code_labels_in_bytes)(const label_run &run, uint8_t *codes); // up to most_byte_classes
    void (*code_labels)(const label_run &run, uint32_t *codes);
    void (*label_scores)(const score_run &run, int32_t *labels);
    // Where the class `targets` is among the k largest scores it becomes the label.
    void (*prefer_target)(const score_run &run, const uint32_t *targets, int64_t k, int32_t *labels);
    // Counts pairs of codes (bytes) in one of `copies` (1, 2 or 4) tables `stride` apart; their sum is the table.
    void (*count_byte_pairs)(const code_pairs &pairs, uint32_t *tables, int64_t stride, int copies);
    // Codes are uint32.
    void (*count_pairs)(const code_pairs &pairs, uint32_t *table);
};

} // namespace iqa
