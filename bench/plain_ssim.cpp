// SPDX-License-Identifier: MIT
// SSIM as one writes it in a day: five maps of a whole channel in float32, filtered across and then down by loops that
// the compiler makes vectors of. A peer of bench/python/compare.py; it shares nothing with the library.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

constexpr size_t taps = 11;
constexpr size_t maps = 5; // x, y, x^2, y^2, x y

// One channel, whose samples are `step` apart and rows `row_step`.
template <class Sample>
double mean_ssim(const Sample *x, const Sample *y, size_t height, size_t width, size_t step, size_t row_step,
                 double data_range)
{
    float window[taps];
    double sum_of_taps = 0;
    for (size_t i = 0; i < taps; ++i)
        sum_of_taps += std::exp(-std::pow(double(i) - 5, 2) / (2 * 1.5 * 1.5));
    for (size_t i = 0; i < taps; ++i)
        window[i] = float(std::exp(-std::pow(double(i) - 5, 2) / (2 * 1.5 * 1.5)) / sum_of_taps);
    const float c1 = float(std::pow(0.01 * data_range, 2));
    const float c2 = float(std::pow(0.03 * data_range, 2));

    const size_t columns = width - taps + 1;
    std::vector<float> filtered(maps * height * columns);
    std::vector<float> products(maps * width);
    for (size_t row = 0; row < height; ++row) {
        for (size_t i = 0; i < width; ++i) {
            const float a = float(x[row * row_step + i * step]);
            const float b = float(y[row * row_step + i * step]);
            products[i] = a;
            products[width + i] = b;
            products[2 * width + i] = a * a;
            products[3 * width + i] = b * b;
            products[4 * width + i] = a * b;
        }
        for (size_t map = 0; map < maps; ++map) {
            float *const to = &filtered[(map * height + row) * columns];
            for (size_t tap = 0; tap < taps; ++tap) {
                const float *const from = &products[map * width + tap];
                for (size_t i = 0; i < columns; ++i)
                    to[i] += window[tap] * from[i];
            }
        }
    }
    double sum = 0;
    std::vector<float> means(maps * columns);
    for (size_t row = 0; row + taps <= height; ++row) {
        for (size_t map = 0; map < maps; ++map) {
            float *const to = &means[map * columns];
            for (size_t i = 0; i < columns; ++i)
                to[i] = 0;
            for (size_t tap = 0; tap < taps; ++tap) {
                const float *const from = &filtered[(map * height + row + tap) * columns];
                for (size_t i = 0; i < columns; ++i)
                    to[i] += window[tap] * from[i];
            }
        }
        float sum_of_row = 0;
        for (size_t i = 0; i < columns; ++i) {
            const float a = means[i];
            const float b = means[columns + i];
            const float aa = means[2 * columns + i] - a * a;
            const float bb = means[3 * columns + i] - b * b;
            const float ab = means[4 * columns + i] - a * b;
            sum_of_row += (2 * a * b + c1) * (2 * ab + c2) / ((a * a + b * b + c1) * (aa + bb + c2));
        }
        sum += double(sum_of_row);
    }
    return sum / (double(columns) * double(height - taps + 1));
}

} // namespace

extern "C" {

double plain_ssim_uint8(const uint8_t *x, const uint8_t *y, size_t height, size_t width, size_t step, size_t row_step,
                        double data_range);
double plain_ssim_float32(const float *x, const float *y, size_t height, size_t width, size_t step, size_t row_step,
                          double data_range);
const char *plain_ssim_compiler();

double plain_ssim_uint8(const uint8_t *x, const uint8_t *y, size_t height, size_t width, size_t step, size_t row_step,
                        double data_range)
{
    return mean_ssim(x, y, height, width, step, row_step, data_range);
}

double plain_ssim_float32(const float *x, const float *y, size_t height, size_t width, size_t step, size_t row_step,
                          double data_range)
{
    return mean_ssim(x, y, height, width, step, row_step, data_range);
}

const char *plain_ssim_compiler()
{
    return __VERSION__;
}
}
