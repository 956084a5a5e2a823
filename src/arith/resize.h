// SPDX-License-Identifier: MIT
// How pictures become the size that a network expects: whose resizing it is decides FID (G. Parmar, R. Zhang, J.-Y.
// Zhu, "On aliased resizing and surprising subtleties in GAN evaluation", CVPR 2022). Along each axis an output sample
// is a weighted sum of neighbouring input samples: first along rows, then down columns, each one chain of fused
// multiply-adds in double from 0.
#pragma once

#include <stdint.h>

#include "arith/portable.h"

namespace iqa {

enum class resize_rule : int32_t {
    tensorflow, // 1.x: bilinear, corners of pixels as positions, no antialiasing; positions in float32
    pytorch,    // bilinear, centres of pixels as positions, no antialiasing; positions in float32
    clean,      // Pillow's bicubic, which widens as pictures shrink; clipped to the range
    none
};

struct resize_taps {
    int64_t first;
    int count;
};

// Keys' cubic with a = -1/2, as Pillow has it.
IQA_HD double cubic_weight(double distance)
{
    const double x = distance < 0.0 ? -distance : distance;
    if (x < 1.0)
        return (1.5 * x - 2.5) * x * x + 1.0;
    if (x < 2.0)
        return ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0;
    return 0.0;
}

// A bound on the taps of one output sample.
IQA_HD int64_t most_resize_taps(resize_rule rule, int64_t source, int64_t target)
{
    if (rule != resize_rule::clean)
        return 2;
    return source > target ? 2 * ((2 * source + target - 1) / target) + 2 : 6;
}

IQA_HD resize_taps linear_taps(float position, int64_t source, double *weights)
{
    const int64_t low = int64_t(position);
    if (low >= source - 1) {
        weights[0] = 1.0;
        return {source - 1, 1};
    }
    const float fraction = position - float(low);
    weights[0] = 1.0 - double(fraction);
    weights[1] = double(fraction);
    return {low, 2};
}

// The weights of output sample `index`, and which input samples they are for.
IQA_HD resize_taps resize_weights(resize_rule rule, int64_t source, int64_t target, int64_t index, double *weights)
{
    switch (rule) {
    case resize_rule::tensorflow:
        return linear_taps(float(index) * float(double(source) / double(target)), source, weights);
    case resize_rule::pytorch: {
        const float scale = float(source) / float(target);
        const float position = scale * (float(index) + 0.5f) - 0.5f;
        return linear_taps(position > 0.0f ? position : 0.0f, source, weights);
    }
    case resize_rule::clean: {
        const double scale = double(source) / double(target);
        const double stretch = scale > 1.0 ? scale : 1.0;
        const double centre = (double(index) + 0.5) * scale;
        const double reach = 2.0 * stretch;
        const int64_t begin = int64_t(centre - reach + 0.5);
        const int64_t end = int64_t(centre + reach + 0.5);
        const int64_t first = begin > 0 ? begin : 0;
        const int count = int((end < source ? end : source) - first);
        double sum = 0.0;
        for (int tap = 0; tap < count; ++tap) {
            weights[tap] = cubic_weight((double(first + tap) - centre + 0.5) * (1.0 / stretch));
            sum += weights[tap];
        }
        for (int tap = 0; tap < count; ++tap)
            weights[tap] /= sum;
        return {first, count};
    }
    default:
        weights[0] = 1.0;
        return {index, 1};
    }
}

// A resized sample of 0 to 255 as the network takes it.
IQA_HD float network_sample(resize_rule rule, double value)
{
    if (rule == resize_rule::pytorch)
        return float(2.0 * (value / 255.0) - 1.0);
    if (rule == resize_rule::clean)
        value = value < 0.0 ? 0.0 : value > 255.0 ? 255.0 : value;
    return float((value - 128.0) / 128.0);
}

} // namespace iqa
