// SPDX-License-Identifier: MIT
// How the value of an image follows from its means at several scales: a product of powers.
#pragma once

#include "arith/elementary.h"

namespace iqa {

enum : int { most_scales = 12 };

// What happens to a mean below 0 before its power is taken.
enum class negative_rule : int32_t { keep, relu, simple };

struct scale_rule {
    int scales;
    negative_rule negative;
    double weights[most_scales]; // exponents
};

IQA_HD double adjusted_mean(const scale_rule &rule, double mean)
{
    switch (rule.negative) {
    case negative_rule::simple:
        return 0.5 * (mean + 1.0);
    case negative_rule::keep:
        return mean;
    default:
        return mean > 0.0 ? mean : 0.0;
    }
}

// base^exponent for a base of at least 0. Exact for 0 and 1, and never above 1 for a base of at most 1.
IQA_HD double power(double base, double exponent)
{
    if (exponent == 1.0)
        return base;
    if (exponent == 0.0)
        return 1.0;
    if (!(base > 0.0))
        return base; // 0, or NaN
    const double_double product = multiply(log_scaled({base, 0.0}, 0), {exponent, 0.0});
    return exponential(product.high);
}

struct scale_product {
    double value;
    int without_power; // the first scale whose negative mean has no power; -1: none
};

IQA_HD scale_product product_of_scales(const scale_rule &rule, const double *means)
{
    double product = 1.0;
    for (int scale = 0; scale < rule.scales; ++scale) {
        const double mean = adjusted_mean(rule, means[scale]);
        const double weight = rule.weights[scale];
        if (mean < 0.0 && weight != 1.0 && weight != 0.0)
            return {0.0, scale};
        product *= power(mean, weight);
    }
    return {product, -1};
}

// The product's derivative by the mean of one scale.
IQA_HD double derivative_by_scale(const scale_rule &rule, const double *means, double product, int scale)
{
    const double mean = adjusted_mean(rule, means[scale]);
    // At 0 the power has no finite derivative, or the mean was cut off there: by definition 0.
    if (mean == 0.0)
        return 0.0;
    const double inner = rule.negative == negative_rule::simple ? 0.5 : 1.0;
    return rule.weights[scale] * product / mean * inner;
}

} // namespace iqa
