// SPDX-License-Identifier: MIT
// Convolution as an implicit matrix product: a register tile holds some pixels times some groups of channels and walks
// the whole chain of its window (arith/network.h), so that nothing but results is stored. With channels last a row of a
// window is dense, and neighbouring outputs read the same cache lines.
//
// Counted for one step of the chain: AVX2 12 multiply-adds beside 8 loads (6 pixels x 16 channels), AVX-512 24 beside
// 11 (8 pixels x 48 channels): the multiply-adds are the limit, if weights come from the second-level cache in time.
#pragma once

#include "arith/network.h"
#include "cpu/isa/instruction_set.h"
#include "cpu/network/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

namespace {

constexpr int vectors_of_group = network_group / lanes_float::width;
// What the vector registers hold beside the weights of a step and one sample.
constexpr int pixels_at_once = lanes_float::width == 16 ? 8 : 6;
constexpr int groups_at_once = lanes_float::width == 16 ? 3 : 1;

inline lanes_float rectified(lanes_float value)
{
    return clamp_to_zero(value) + lanes_float::broadcast(0.0f); // -0 becomes 0
}

// Part of the chain, whose weights stay in the first-level cache while all pixels pass.
struct chain_part {
    int64_t from, to;
    bool first, last;
};

// The last pixels may repeat: they are stored again.
template <int Groups>
void convolve_pixels(const convolution_run &run, const chain_part &part, int first_group, int64_t first_pixel)
{
    constexpr int vectors = Groups * vectors_of_group;
    const int64_t stride = run.window_rows * run.window_run * network_group; // from group to group
    const float *windows[pixels_at_once];
    float *outputs[pixels_at_once];
    const int64_t last_pixel = run.first + run.count - 1;
#pragma GCC unroll 8
    for (int i = 0; i < pixels_at_once; ++i) {
        const int64_t pixel = first_pixel + i < last_pixel ? first_pixel + i : last_pixel;
        const int64_t row = pixel / run.width;
        const int64_t column = pixel % run.width;
        windows[i] = run.input + row * run.down + column * run.across;
        outputs[i] =
            run.output + row * run.output_row_stride + column * run.output_pixel_stride + first_group * network_group;
    }
    lanes_float sums[pixels_at_once][vectors];
#pragma GCC unroll 8
    for (int i = 0; i < pixels_at_once; ++i)
#pragma GCC unroll 16
        for (int v = 0; v < vectors; ++v)
            sums[i][v] = lanes_float::load((part.first ? run.bias + first_group * network_group : outputs[i]) +
                                           v * lanes_float::width);
    const float *weights = run.weights + first_group * stride + part.from * network_group;
    for (int64_t at = part.from; at < part.to;) {
        const int64_t row = at / run.window_run;
        const int64_t end = (row + 1) * run.window_run < part.to ? (row + 1) * run.window_run : part.to;
        const int64_t offset = row * (run.row_stride - run.window_run);
        for (; at < end; ++at, weights += network_group) {
            lanes_float weight[vectors];
#pragma GCC unroll 16
            for (int v = 0; v < vectors; ++v)
                weight[v] = lanes_float::load(weights + v / vectors_of_group * stride +
                                              v % vectors_of_group * lanes_float::width);
#pragma GCC unroll 8
            for (int i = 0; i < pixels_at_once; ++i) {
                const lanes_float sample = lanes_float::broadcast(windows[i][offset + at]);
#pragma GCC unroll 16
                for (int v = 0; v < vectors; ++v)
                    sums[i][v] = fused_multiply_add(weight[v], sample, sums[i][v]);
            }
        }
    }
    const bool rectify = part.last && run.rectify;
#pragma GCC unroll 8
    for (int i = 0; i < pixels_at_once; ++i)
#pragma GCC unroll 16
        for (int v = 0; v < vectors; ++v)
            (rectify ? rectified(sums[i][v]) : sums[i][v]).store(outputs[i] + v * lanes_float::width);
}

template <int Groups>
void convolve_groups(const convolution_run &run, int first_group)
{
    constexpr int64_t cached_weights = 24 * 1024 / int64_t(sizeof(float));
    constexpr int64_t most_steps = cached_weights / (Groups * network_group);
    const int64_t chain = run.window_rows * run.window_run;
    const int64_t parts = divide_up(chain, most_steps);
    for (int64_t i = 0; i < parts; ++i) {
        const chain_part part = {chain * i / parts, chain * (i + 1) / parts, i == 0, i == parts - 1};
        for (int64_t pixel = run.first; pixel < run.first + run.count; pixel += pixels_at_once)
            convolve_pixels<Groups>(run, part, first_group, pixel);
    }
}

void convolve(const convolution_run &run)
{
    int group = 0;
    for (; group + groups_at_once <= run.groups; group += groups_at_once)
        convolve_groups<groups_at_once>(run, group);
    if constexpr (groups_at_once > 2)
        for (; group + 2 <= run.groups; group += 2)
            convolve_groups<2>(run, group);
    for (; group < run.groups; ++group)
        convolve_groups<1>(run, group);
}

} // namespace

} // namespace iqa::IQA_INSTRUCTION_SET
