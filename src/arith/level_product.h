// SPDX-License-Identifier: MIT
// The value of an image from its means at several levels: a product of powers.
#pragma once

#include "arith/elementary.h"

namespace iqa {

enum : int { most_levels = 12 };

// The treatment of a mean below 0 before its power is taken.
enum class negative_rule : int32_t { keep, relu, simple };

struct level_rule {
    int levels;
    negative_rule negative;
    double exponents[most_levels];
};

IQA_HD double adjusted_mean(const level_rule &rule, double mean)
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

struct level_product {
    double value;
    int without_power; // the first level whose mean is negative and has no power, or -1
};

IQA_HD level_product product_of_levels(const level_rule &rule, const double *means)
{
    double product = 1.0;
    for (int level = 0; level < rule.levels; ++level) {
        const double mean = adjusted_mean(rule, means[level]);
        const double exponent = rule.exponents[level];
        if (mean < 0.0 && exponent != 1.0 && exponent != 0.0)
            return {0.0, level};
        product *= power(mean, exponent);
    }
    return {product, -1};
}

// The product's derivative by the mean of one level.
IQA_HD double derivative_by_level(const level_rule &rule, const double *means, double product, int level)
{
    const double mean = adjusted_mean(rule, means[level]);
    // At 0 the power has no finite derivative, or the rule cut the mean off: the derivative is 0 by definition.
    if (mean == 0.0)
        return 0.0;
    const double inner = rule.negative == negative_rule::simple ? 0.5 : 1.0;
    return rule.exponents[level] * product / mean * inner;
}

} // namespace iqa
