// SPDX-License-Identifier: MIT
// Inception v3 as FID uses it: C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, "Rethinking the Inception
// architecture for computer vision", CVPR 2016, in the graph that was published on 2015-12-05, whose averages leave the
// padding out, whose last block pools by maximum, and which has 1008 classes.
#pragma once

#include <array>
#include <cstdint>

#include "backend/network.hpp"

namespace iqa {

constexpr int inception_side = 299; // of the pictures that it takes
constexpr double inception_epsilon = 0.001;
constexpr int inception_classes = 1008;
constexpr int inception_width = 2048; // of the last features

// In the order of the steps.
enum class inception_layer : int32_t { pool1, pool2, mixed_6e, pool3, logits, logits_unbiased, count };
constexpr int inception_layers = int(inception_layer::count);

// Maps that are never needed at once share a slot of memory.
struct map_shape {
    int height, width, channels;
    int margin;
    int slot;

    constexpr int64_t row_samples() const { return int64_t(width + 2 * margin) * channels; }
    constexpr int64_t samples() const { return (height + 2 * margin) * row_samples(); }
};

struct convolution_shape {
    const char *block;
    const char *branch; // "": the block is the convolution
    int rows, columns, inputs, outputs;

    constexpr int64_t chain() const { return int64_t(rows) * columns * inputs; }
};

struct graph_step {
    step_kind kind;
    int from, to;     // maps
    int channel = 0;  // the first of the outputs
    int channels = 0; // outputs
    window reach{};
    int convolution = -1;
    inception_layer layer = inception_layer::count; // whose features this makes
};

struct inception_graph {
    static constexpr int most_maps = 128, most_steps = 256, slots = 4;
    static constexpr int convolutions = 94;

    std::array<map_shape, most_maps> maps{};
    std::array<convolution_shape, convolutions> shapes{};
    std::array<graph_step, most_steps> steps{};
    int map_count = 0, shape_count = 0, step_count = 0;
};

extern const inception_graph inception;

// The tensors that hold the weights, by the names of a state dictionary: five for each convolution in the order of the
// graph, then those of the classes.
struct weight_shape {
    char name[48];
    int ndim;
    int64_t shape[4];
};

namespace convolution_weight {
enum : int { kernel, gamma, beta, mean, variance, count };
}
constexpr int class_weights = convolution_weight::count * inception_graph::convolutions;
constexpr int class_bias = class_weights + 1;
constexpr int weight_count = class_bias + 1;

extern const std::array<weight_shape, weight_count> inception_weights;

} // namespace iqa
