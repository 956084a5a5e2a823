// SPDX-License-Identifier: MIT
// The slow and obvious versions: long double, one window at a time, straight from the formulas.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "iqa_c.h"

namespace test {

using plane = std::vector<std::vector<long double>>; // [row][column]

inline std::vector<long double> reference_taps(const iqa_ssim_options &options, double sigma, int size)
{
    std::vector<long double> taps;
    long double sum = 0;
    for (int i = 0; i < size; ++i) {
        const long double distance = i - size / 2;
        taps.push_back(options.window == IQA_WINDOW_UNIFORM ? 1.0L
                                                            : std::exp(-distance * distance / (2.0L * sigma * sigma)));
        sum += taps.back();
    }
    for (long double &tap : taps)
        tap /= sum;
    return taps;
}

// The index that stands for a position, or -1 for a zero: one step of the border rule at a time.
inline int64_t reference_index(int border, int64_t position, int64_t extent)
{
    while (position < 0 || position >= extent) {
        if (border == IQA_BORDER_ZERO)
            return -1;
        if (border == IQA_BORDER_REPLICATE || extent == 1)
            position = position < 0 ? 0 : extent - 1;
        else if (border == IQA_BORDER_SYMMETRIC)
            position = position < 0 ? -1 - position : 2 * extent - 1 - position;
        else
            position = position < 0 ? -position : 2 * extent - 2 - position;
    }
    return position;
}

// The sample at a position that may lie outside.
inline long double reference_sample(const plane &image, int border, int64_t row, int64_t column)
{
    const int64_t y = reference_index(border, row, int64_t(image.size()));
    const int64_t x = reference_index(border, column, int64_t(image[0].size()));
    return y < 0 || x < 0 ? 0.0L : image[size_t(y)][size_t(x)];
}

// The SSIM map of one plane. Options must have explicit sizes.
inline plane reference_ssim_map(const plane &x, const plane &y, const iqa_ssim_options &options)
{
    const std::vector<long double> down = reference_taps(options, options.sigma_y, options.size_y);
    const std::vector<long double> across = reference_taps(options, options.sigma_x, options.size_x);
    const bool valid = options.border == IQA_BORDER_VALID;
    const int64_t top = valid ? options.size_y / 2 : 0;
    const int64_t left = valid ? options.size_x / 2 : 0;
    const long double peak = (long double)options.data_high - (long double)options.data_low;
    const long double c1 = (options.k1 * peak) * (options.k1 * peak);
    const long double c2 = (options.k2 * peak) * (options.k2 * peak);
    const long double taps = (long double)options.size_y * options.size_x;
    const long double norm = options.covariance == IQA_COVARIANCE_SAMPLE ? taps / (taps - 1) : 1;
    plane map;
    for (int64_t row = top; row < int64_t(x.size()) - top; ++row) {
        map.emplace_back();
        for (int64_t column = left; column < int64_t(x[0].size()) - left; ++column) {
            const auto mean = [&](auto &&value) {
                long double sum = 0;
                for (int64_t i = 0; i < options.size_y; ++i)
                    for (int64_t j = 0; j < options.size_x; ++j) {
                        const int64_t r = row + i - options.size_y / 2;
                        const int64_t c = column + j - options.size_x / 2;
                        sum +=
                            down[size_t(i)] * across[size_t(j)] *
                            value(reference_sample(x, options.border, r, c), reference_sample(y, options.border, r, c));
                    }
                return sum;
            };
            const long double mean_x = mean([](long double a, long double) { return a; });
            const long double mean_y = mean([](long double, long double b) { return b; });
            const long double variances = norm * mean([&](long double a, long double b) {
                                              return (a - mean_x) * (a - mean_x) + (b - mean_y) * (b - mean_y);
                                          });
            const long double covariance =
                norm * mean([&](long double a, long double b) { return (a - mean_x) * (b - mean_y); });
            map.back().push_back((2 * mean_x * mean_y + c1) * (2 * covariance + c2) /
                                 ((mean_x * mean_x + mean_y * mean_y + c1) * (variances + c2)));
        }
    }
    return map;
}

inline long double reference_mean(const plane &map)
{
    long double sum = 0;
    size_t count = 0;
    for (const auto &row : map)
        for (const long double value : row) {
            sum += value;
            ++count;
        }
    return sum / (long double)count;
}

} // namespace test
