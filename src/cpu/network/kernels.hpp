// SPDX-License-Identifier: MIT
// The inner loops of networks, compiled for each instruction set. All versions give the same bits: every output is one
// written chain (arith/network.h, arith/resize.h).
#pragma once

#include <stdint.h>

struct iqa_context;

namespace iqa {

// Some output pixels of one picture, in the order of its rows, and some groups of their channels.
struct convolution_run {
    const float *input;   // the first sample of the window of output pixel (0, 0)
    int64_t row_stride;   // in samples, as all strides
    int64_t down, across; // from a window to the one below, and to its neighbour
    int window_rows;
    int64_t window_run; // samples of a row of the window, which are dense: columns x channels
    int width;          // of the output
    int64_t first, count;

    const float *weights; // [groups][window_rows * window_run][network_group]
    const float *bias;    // [groups][network_group]
    int groups;
    bool rectify; // negative results become 0

    float *output; // of pixel (0, 0), the first of the groups
    int64_t output_row_stride, output_pixel_stride;
};

// Channels of a pooled pixel whose results stay in registers: all maps that are pooled have a multiple of these.
constexpr int pooled_together = 32;

// One output pixel of all channels, which are dense, from a window of pixels.
struct pooling_window {
    const float *input;
    int64_t row_stride, pixel_stride;
    int rows, columns;
    int channels; // a multiple of pooled_together
    float *output;
};

// One output row of a resized picture's channel along an axis: out[i] is the chain of weights[i][tap] *
// in[first[i] + tap].
struct resize_axis {
    const double *weights; // [outputs][most_taps]
    const int64_t *first;
    const int *count;
    int64_t outputs;
    int64_t most_taps;
};

struct network_kernels {
    const char *name;
    void (*convolve)(const convolution_run &run);
    void (*pool_maximum)(const pooling_window &window);
    void (*pool_average)(const pooling_window &window);
    void (*resize_row)(const resize_axis &axis, const double *in, double *out);
    // Output `index` of the axis for `count` columns at once; rows are `stride` apart.
    void (*resize_columns)(const resize_axis &axis, int64_t index, const double *in, int64_t stride, int64_t count,
                           double *out);
};

// Those of the best instruction set that the processor has and that the context allows.
const network_kernels &network_kernels_for(const iqa_context &where) noexcept;

} // namespace iqa
