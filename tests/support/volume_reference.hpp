// SPDX-License-Identifier: MIT
// SSIM of volumes the slow and obvious way: long double, one window at a time, with weights.
#pragma once

#include <cmath>
#include <vector>

#include "support/ssim_reference.hpp"

namespace test {

struct volume {
    int64_t depth, height, width;
    std::vector<double> samples;

    volume(int64_t d, int64_t h, int64_t w, double value = 0)
        : depth(d), height(h), width(w), samples(size_t(d * h * w), value)
    {
    }
    double &at(int64_t z, int64_t y, int64_t x) { return samples[size_t((z * height + y) * width + x)]; }
    double at(int64_t z, int64_t y, int64_t x) const { return samples[size_t((z * height + y) * width + x)]; }
};

struct reference_values {
    long double ssim = 0, contrast_structure = 0, luminance = 0;
};

// Means over the map. Options must have explicit sizes. `weights` may be NULL.
inline reference_values reference_ssim(const volume &x, const volume &y, const volume *weights,
                                       const iqa_ssim_options &o)
{
    const std::vector<long double> taps[3] = {reference_taps(o, o.sigma_z, o.size_z),
                                              reference_taps(o, o.sigma_y, o.size_y),
                                              reference_taps(o, o.sigma_x, o.size_x)};
    const int64_t radius[3] = {o.size_z / 2, o.size_y / 2, o.size_x / 2};
    const bool valid = o.border == IQA_BORDER_VALID;
    const bool convolution = weights != nullptr && o.mask == IQA_MASK_CONVOLUTION;
    const long double peak = (long double)o.data_high - (long double)o.data_low;
    const long double c1 = o.k1 * peak * o.k1 * peak;
    const long double c2 = o.k2 * peak * o.k2 * peak;
    const long double count = (long double)o.size_z * o.size_y * o.size_x;
    const long double norm = o.covariance == IQA_COVARIANCE_SAMPLE ? count / (count - 1) : 1;
    const auto margin = [&](int axis) {
        return valid ? radius[axis] : 0;
    };
    reference_values sums;
    long double total = 0;
    for (int64_t z = margin(0); z < x.depth - margin(0); ++z)
        for (int64_t row = margin(1); row < x.height - margin(1); ++row)
            for (int64_t column = margin(2); column < x.width - margin(2); ++column) {
                const long double own = weights == nullptr ? 1.0L : (long double)weights->at(z, row, column);
                if (own == 0)
                    continue;
                const auto sum = [&](auto &&value) {
                    long double all = 0;
                    for (int64_t a = 0; a < o.size_z; ++a)
                        for (int64_t b = 0; b < o.size_y; ++b)
                            for (int64_t c = 0; c < o.size_x; ++c) {
                                const int64_t i = reference_index(o.border, z + a - radius[0], x.depth);
                                const int64_t j = reference_index(o.border, row + b - radius[1], x.height);
                                const int64_t k = reference_index(o.border, column + c - radius[2], x.width);
                                const long double tap = taps[0][size_t(a)] * taps[1][size_t(b)] * taps[2][size_t(c)];
                                if (i < 0 || j < 0 || k < 0) {
                                    all += tap * value(0.0L, 0.0L);
                                    continue;
                                }
                                const long double weight = convolution ? (long double)weights->at(i, j, k) : 1.0L;
                                if (weight != 0)
                                    all += tap * weight * value((long double)x.at(i, j, k), (long double)y.at(i, j, k));
                            }
                    return all;
                };
                const long double cover = sum([](long double, long double) { return 1.0L; });
                if (convolution && cover < (long double)o.coverage - 1e-9L)
                    continue;
                const long double mx = sum([](long double p, long double) { return p; }) / cover;
                const long double my = sum([](long double, long double q) { return q; }) / cover;
                const long double variances = norm / cover * sum([&](long double p, long double q) {
                                                  return (p - mx) * (p - mx) + (q - my) * (q - my);
                                              });
                const long double covariance =
                    norm / cover * sum([&](long double p, long double q) { return (p - mx) * (q - my); });
                const long double luminance = (2 * mx * my + c1) / (mx * mx + my * my + c1);
                const long double structure = (2 * covariance + c2) / (variances + c2);
                sums.ssim += own * luminance * structure;
                sums.contrast_structure += own * structure;
                sums.luminance += own * luminance;
                total += own;
            }
    return {sums.ssim / total, sums.contrast_structure / total, sums.luminance / total};
}

} // namespace test
