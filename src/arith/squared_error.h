// SPDX-License-Identifier: MIT
// Exact sums of squared errors, and of other terms of a pair of samples; and their derivatives. Integer samples give an
// integer. Of floating-point samples each square is rounded to double, and so is its product with the weight; the
// products are split over three fixed grids of integers, so their sum has no order.
#pragma once

#include "arith/elementary.h"
#include "arith/exact_sum.h"
#include "arith/weight.h"

namespace iqa {

// The term of a pair of samples x, y.
enum class error_term : int32_t {
    square,           // (x - y)^2
    magnitude,        // |x - y|
    reference_square, // x^2
    reference         // x, with its extremes
};
constexpr int error_terms = 4;
IQA_HD constexpr bool is_of_reference(error_term term)
{
    return term == error_term::reference_square || term == error_term::reference;
}
IQA_HD constexpr bool is_square(error_term term)
{
    return term == error_term::square || term == error_term::reference_square;
}

// Differences are scaled by a power of two first, so that ordinary ones lie near 1. The square of a difference between
// 2^-26 and 2^10, times any weight, is then 2^-76 or more: its 53 bits, or all bits down to 2^-130, lie on the grids
// below.
constexpr double error_largest = 0x1p10;
constexpr double error_smallest = 0x1p-26;

// A square below 2^21 is split into units of 2^-30, its rest into units of 2^-80, and the last rest into 2^-130.
constexpr int error_limbs = 3;
IQA_HD int error_exponent(int limb)
{
    return -30 - 50 * limb;
}
// Adding 1.5 * 2^(52 + exponent) rounds to a multiple of 2^exponent and leaves the multiple in the low bits.
IQA_HD double error_anchor(int limb)
{
    return limb == 0 ? 0x1.8p22 : limb == 1 ? 0x1.8p-28 : 0x1.8p-78;
}
// The exponent of a limb's unit after the gain is taken off again.
IQA_HD int error_exponent(error_term term, int limb, int gain)
{
    return error_exponent(limb) - (is_square(term) ? 2 * gain : gain);
}
// An int64 lane holds this many addends of at most 2^51.
constexpr int error_flush = 2048;

// Gains are powers of two that are normal doubles, and bring the largest difference below 2^10.
IQA_HD int bounded_error_exponent(int exponent)
{
    return exponent < -1014 ? -1014 : exponent > 1023 ? 1023 : exponent;
}

// The usual gain brings the range into [1, 2); without a range, which is then infinite, it is 1. A term of the
// reference alone has a gain of at most 1: samples may exceed the range.
IQA_HD int usual_error_exponent(error_term term, double range)
{
    const int usual = is_finite(range) ? bounded_error_exponent(-exponent_of(range)) : 0;
    return is_of_reference(term) && usual > 0 ? 0 : usual;
}

// Differences of ordinary size lie on the grids at the usual gain, 2^usual. If an image's largest scaled difference
// does not, the image is summed again at a gain with this exponent. (A maximum has no order either.)
constexpr int no_exponent = INT32_MIN; // the sums at the usual gain suffice
IQA_HD int second_error_exponent(int usual, double largest)
{
    if (largest == 0.0 || !is_finite(largest) || (largest >= error_smallest && largest < error_largest))
        return no_exponent;
    return bounded_error_exponent(usual - exponent_of(largest));
}

// Integer samples: the sum of the terms is limb 0, in units of 1, and that of weighted terms limb 1.
IQA_HD int integer_error_exponent(int limb)
{
    return limb == 1 ? -pixel_weight_bits : 0;
}

// An exact sum of terms: sum over i of limb[i] * 2^exponent[i].
struct pair_sum {
    int128 limb[error_limbs];
    int exponent[error_limbs];
};

// The sum rounded to 53 bits. Its exponents are close together, so few digits hold it.
IQA_HD scaled_value value_of(const pair_sum &sum)
{
    constexpr int digits = 8;
    exact_format format = {digits, sum.exponent[0]};
    for (int i = 1; i < error_limbs; ++i)
        format.lowest = sum.exponent[i] < format.lowest ? sum.exponent[i] : format.lowest;
    int64_t lanes[digits] = {};
    for (int i = 0; i < error_limbs; ++i)
        exact_add(format, lanes, sum.limb[i], sum.exponent[i]);
    return exact_value<digits>(format, lanes);
}

// The least and the largest sample of the reference.
struct sample_extremes {
    double least, most;
};

// 10 log(ratio * 2^exponent) in the base whose natural logarithm is given.
IQA_HD double ten_logarithms(double_double ratio, int exponent, double_double log_of_base)
{
    return divide(multiply({10.0, 0.0}, log_scaled(ratio, exponent)), log_of_base).high;
}

// 10 log(L^2 / MSE) in the base whose natural logarithm is given; MSE = sum / count, positive.
IQA_HD double psnr_value(double peak, scaled_value sum, double count, double_double log_of_base)
{
    // The mantissas make one ratio near 1, the exponents are added apart: nothing overflows.
    const int peak_exponent = exponent_of(peak);
    const double peak_mantissa = __builtin_ldexp(peak, -peak_exponent);
    const double_double squared_peak = multiply({peak_mantissa, 0.0}, {peak_mantissa, 0.0});
    const double_double ratio = divide(multiply(squared_peak, {count, 0.0}), {sum.mantissa, 0.0});
    return ten_logarithms(ratio, 2 * peak_exponent - sum.exponent, log_of_base);
}

// The derivative of an image's value with respect to a sample of the candidate: ((y - x) before w) factor after.
// `before` and `after` are powers of two that keep differences of any size in the range of doubles. The derivative with
// respect to the reference is the negative. That of a magnitude is sign(y - x) w factor.
struct error_slope {
    double before, factor, after;
    bool of_magnitude = false;
};

IQA_HD double error_derivative(const error_slope &slope, double reference, double candidate, double weight)
{
    const double difference = candidate - reference;
    const double derivative = slope.of_magnitude
                                  ? double((difference > 0.0) - (difference < 0.0)) * weight * slope.factor
                                  : (difference * slope.before * weight) * slope.factor * slope.after;
    return weight == 0.0 ? 0.0 : derivative; // whatever the samples are
}

// MSE = S / W: its derivative is 2 w (y - x) / W.
IQA_HD error_slope slope_of_mean(double weight)
{
    return {1.0, 2.0 / weight, 1.0};
}

// The mean absolute error has sign(y - x) w / W.
IQA_HD error_slope slope_of_mean_magnitude(double weight)
{
    return {1.0, 1.0 / weight, 1.0, true};
}

// (S / W)^(1/2) = R has w (y - x) / (W R).
IQA_HD error_slope slope_of_root_mean(double weight, double root)
{
    const int shift = -exponent_of(root);
    const int bounded = shift > 1000 ? 1000 : shift;
    return {power_of_two(bounded), 1.0 / (weight * __builtin_ldexp(root, bounded)), 1.0};
}

// 10 log(L^2 W / S) / log(base) has the derivative -20 w (y - x) / (S log(base)).
IQA_HD error_slope slope_of_psnr(scaled_value sum, double_double log_of_base)
{
    const int half = -(sum.exponent / 2);
    const int shift = half < -1000 ? -1000 : half > 1000 ? 1000 : half;
    const double numerator = divide({20.0, 0.0}, log_of_base).high;
    const double unit = power_of_two(shift);
    return {unit, -(numerator / __builtin_ldexp(sum.mantissa, sum.exponent + 2 * shift)), unit};
}

} // namespace iqa
