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
    tensorflow,  // 1.x: bilinear, corners of pixels as positions, no antialiasing; positions in float32
    pytorch,     // bilinear, centres of pixels as positions, no antialiasing; positions in float32
    clean,       // Pillow's bicubic, which widens as pictures shrink; clipped to the range
    none,        // as they are
    torchmetrics // bilinear, centres of pixels as positions, which widens as pictures shrink
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

IQA_HD double linear_weight(double distance)
{
    const double x = distance < 0.0 ? -distance : distance;
    return x < 1.0 ? 1.0 - x : 0.0;
}

// How far the filter of a rule that widens reaches, in output samples; 0: the rule does not widen.
IQA_HD int resize_reach(resize_rule rule)
{
    return rule == resize_rule::clean ? 2 : rule == resize_rule::torchmetrics ? 1 : 0;
}

// A bound on the taps of one output sample.
IQA_HD int64_t most_resize_taps(resize_rule rule, int64_t source, int64_t target)
{
    const int64_t reach = resize_reach(rule);
    if (reach == 0)
        return 2;
    return 2 * (source > target ? divide_up(reach * source, target) : reach) + 2;
}

// The filter around the output sample's centre, stretched as the picture shrinks; its weights are divided by their sum.
IQA_HD resize_taps widening_taps(resize_rule rule, int64_t source, int64_t target, int64_t index, double *weights)
{
    const double scale = double(source) / double(target);
    const double stretch = scale > 1.0 ? scale : 1.0;
    const double centre = (double(index) + 0.5) * scale;
    const double reach = resize_reach(rule) * stretch;
    const int64_t begin = int64_t(centre - reach + 0.5);
    const int64_t end = int64_t(centre + reach + 0.5);
    const int64_t first = begin > 0 ? begin : 0;
    const int count = int((end < source ? end : source) - first);
    double sum = 0.0;
    for (int tap = 0; tap < count; ++tap) {
        const double distance = (double(first + tap) - centre + 0.5) * (1.0 / stretch);
        weights[tap] = rule == resize_rule::clean ? cubic_weight(distance) : linear_weight(distance);
        sum += weights[tap];
    }
    for (int tap = 0; tap < count; ++tap)
        weights[tap] /= sum;
    return {first, count};
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
    case resize_rule::clean:
    case resize_rule::torchmetrics:
        return widening_taps(rule, source, target, index, weights);
    default:
        weights[0] = 1.0;
        return {index, 1};
    }
}

// From the range of a picture's samples to that of bytes, 0 to 255.
IQA_HD double byte_sample(double value, double low, double high)
{
    return (value - low) * 255.0 / (high - low);
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
