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

    IQA_HD_MEMBER float *at(int64_t picture, int64_t row, int64_t column) const
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

// Outputs go to `to`, which may be some channels of a larger map. Their number is a multiple of network_group, and of
// twice that where they are pooled.
struct network_step {
    step_kind kind;
    feature_map from, to;
    window reach;
    const float *weights = nullptr; // of convolve: [group][row, column, channel][network_group]
    const float *bias = nullptr;    // [channels]
    bool rectify = false;

    IQA_HD_MEMBER int64_t chain() const { return int64_t(reach.rows) * reach.columns * from.channels; }
    // Multiply-adds of one output pixel.
    int64_t cost() const { return chain() * to.channels; }
};

// Where the features of a layer go: a row for each picture of the group.
struct feature_output {
    feature_map from; // one pixel for each picture
    std::byte *data;  // of the first picture
    bool is_double;   // else float32
    int64_t row_stride, column_stride;

    IQA_HD_MEMBER void store(int64_t picture, int64_t feature, float value) const
    {
        const int64_t index = picture * row_stride + feature * column_stride;
        if (is_double)
            reinterpret_cast<double *>(data)[index] = double(value);
        else
            reinterpret_cast<float *>(data)[index] = value;
    }
};

// A feature that is not finite: the first one in the order of outputs, pictures, features.
struct nonfinite_feature {
    int64_t output; // -1: there is none
    int64_t picture, feature;
    double value;
};

// A group of pictures: resized and normalised into `input`, then all steps, then the outputs.
struct network_request {
    image_view pictures; // 1 or 3 channels
    data_range range;    // of their samples
    resize_rule resize;
    feature_map input;
    std::span<const network_step> steps;
    std::span<const feature_output> outputs;
    int64_t done, total; // pictures before this group, and of the call, for the progress callback

    // Results, -1 before. Where one of them tells of a fault, some outputs may have been written.
    int64_t faulty_picture = -1; // the first one whose resized samples are not all finite
    nonfinite_feature fault = {-1, 0, 0, 0.0};
};

} // namespace iqa
