// SPDX-License-Identifier: MIT
// Luma of R, G, B.
#pragma once

#include "arith/portable.h"

namespace iqa {

enum class luma_kind : int32_t { none, bt601_full, bt601_studio, bt709_full, bt709_studio };

// offset + red R + green G + blue B, all for the peak value 1.
struct luma_factors {
    double offset, red, green, blue;
};

// ITU-R BT.601 and BT.709; the studio range of 8 bits has 16 for black and 235 for white.
IQA_HD luma_factors weights_of(luma_kind kind)
{
    switch (kind) {
    case luma_kind::bt601_studio:
        return {16.0 / 255.0, 65.481 / 255.0, 128.553 / 255.0, 24.966 / 255.0};
    case luma_kind::bt709_full:
        return {0.0, 0.2126, 0.7152, 0.0722};
    case luma_kind::bt709_studio:
        return {16.0 / 255.0, 219.0 / 255.0 * 0.2126, 219.0 / 255.0 * 0.7152, 219.0 / 255.0 * 0.0722};
    default:
        return {0.0, 0.299, 0.587, 0.114};
    }
}

// From three samples to luma: weights for a peak value, and the step to round to (0: no rounding).
struct luma_rule {
    luma_factors weights;
    double step;
};

IQA_HD luma_rule luma_for(luma_kind kind, bool rounded, double peak)
{
    luma_factors weights = weights_of(kind);
    weights.offset *= peak;
    return {weights, rounded ? peak / 255.0 : 0.0};
}

// In double, from the left; halves round to even. A non-finite sample makes a non-finite luma.
IQA_HD double luma_of(const luma_rule &rule, double red, double green, double blue)
{
    const luma_factors &w = rule.weights;
    const double value = ((w.red * red + w.green * green) + w.blue * blue) + w.offset;
    if (rule.step == 0.0 || !is_finite(value))
        return value;
    return nearest_integer(value / rule.step) * rule.step;
}

} // namespace iqa
