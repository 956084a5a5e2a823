// SPDX-License-Identifier: MIT
// What networks ask of a device: a list of steps between maps in its memory.
#pragma once

#include <span>

#include "arith/network.h"
#include "arith/resize.h"
#include "core/tensor.hpp"

namespace iqa {

// Maps of a group of pictures, with the channels of a pixel side by side and a margin around each map that holds zeros.
struct feature_map {
    float *data; // pixel (0, 0) of the first picture
    int64_t picture_stride, row_stride, pixel_stride;
    int height, width, channels;
    int margin;

    float *at(int64_t picture, int64_t row, int64_t column) const
    {
        return data + picture * picture_stride + row * row_stride + column * pixel_stride;
    }
};

struct window {
    int rows, columns;
    int step;        // from an output's window to its neighbour's
    int above, left; // how far the first window sticks out
};

enum class step_kind { clear_margin, convolve, pool_maximum, pool_average, average_map };

// Outputs go to `to`, which may be some channels of a larger map.
struct network_step {
    step_kind kind;
    feature_map from, to;
    window reach;
    const float *weights = nullptr; // of convolve: [group][row, column, channel][network_group]
    const float *bias = nullptr;    // [channels]
    bool rectify = false;

    // Multiply-adds of one output pixel.
    int64_t cost() const { return int64_t(reach.rows) * reach.columns * from.channels * to.channels; }
};

// A group of pictures: resized and normalised into `input`, and all steps.
struct network_request {
    image_view pictures; // 1 or 3 channels
    data_range range;    // of their samples
    resize_rule resize;
    feature_map input;
    std::span<const network_step> steps;
    int64_t done, total; // pictures before this group, and of the call, for the progress callback

    int64_t nonfinite; // result: samples of the pictures that are not finite; then nothing else is done
};

} // namespace iqa
