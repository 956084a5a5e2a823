// SPDX-License-Identifier: MIT
// SSIM of images under weights that let work be left out: tiles whose weights are all 1, all 0, or 0 and 1. Each must
// have the bits of weights of any kind.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "support/catch.hpp"
#include "support/support.hpp"
#include "support/volume_reference.hpp"

using namespace test;

namespace {

constexpr int64_t height = 90;
constexpr int64_t width = 300; // tiles of 128 columns, and a rest

struct outcome {
    double value;
    std::vector<unsigned char> state;
    std::vector<float> map, gradient;
};

std::vector<float> random_samples(uint64_t seed)
{
    std::vector<float> samples(size_t(height * width));
    random_numbers numbers(seed);
    for (float &sample : samples)
        sample = float(numbers.uniform());
    return samples;
}

std::vector<float> near_to(std::vector<float> samples, uint64_t seed)
{
    random_numbers numbers(seed);
    for (float &sample : samples)
        sample = 0.9f * sample + 0.1f * float(numbers.uniform());
    return samples;
}

iqa_ssim_options image_options(int size, int arithmetic)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.data_low = 0;
    options.data_high = 1;
    options.size_y = options.size_x = size;
    options.arithmetic = arithmetic;
    return options;
}

outcome measure(const iqa_ssim_options &options, const std::vector<float> &x, const std::vector<float> &y,
                const std::vector<float> *weights, int isa = IQA_ISA_BEST)
{
    const context_pointer context = make_context(2, isa);
    const metric_pointer metric = make_ssim(context, options);
    const int64_t lost = options.border == IQA_BORDER_VALID ? options.size_y - 1 : 0;
    outcome result;
    result.map.resize(size_t((height - lost) * (width - lost)));
    result.gradient.resize(x.size());
    const tensor map(result.map.data(), IQA_FLOAT32, {height - lost, width - lost});
    const tensor gradient(result.gradient.data(), IQA_FLOAT32, {height, width});
    const tensor weight(weights == nullptr ? nullptr : weights->data(), IQA_FLOAT32, {height, width});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.map = map;
    extras.candidate_gradient = gradient;
    extras.weights = weights == nullptr ? nullptr : &weight.view;
    INFO(last_error(context));
    REQUIRE(settled_update(metric, tensor(x.data(), IQA_FLOAT32, {height, width}),
                           tensor(y.data(), IQA_FLOAT32, {height, width}), &extras) == IQA_OK);
    result.value = read(metric);
    result.state = bytes_of(metric);
    return result;
}

constexpr int sets[] = {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512};

} // namespace

TEST_CASE("weights of 1 have the bits of other weights", "[ssim_masks]")
{
    const std::vector<float> x = random_samples(1);
    const std::vector<float> y = near_to(x, 2);
    const std::vector<float> ones(x.size(), 1.0f);
    for (const int size : {11, 7, 5})
        for (const int arithmetic : {IQA_ARITHMETIC_AUTO, IQA_ARITHMETIC_FLOAT64})
            for (const int isa : sets) {
                CAPTURE(size, arithmetic, isa);
                const iqa_ssim_options options = image_options(size, arithmetic);
                const outcome plain = measure(options, x, y, nullptr, isa);
                const outcome whole = measure(options, x, y, &ones, isa);
                CHECK(std::abs(whole.value - plain.value) < (arithmetic == IQA_ARITHMETIC_AUTO ? 1e-6 : 1e-14));
                if (size == 11 && arithmetic == IQA_ARITHMETIC_AUTO) { // the sum of these taps rounds to 1
                    CHECK(whole.value == plain.value);
                    CHECK(whole.map == plain.map);
                    CHECK(whole.gradient == plain.gradient);
                }
                // The first pixel is read by the first window alone.
                for (const float first : {0.0f, 0.5f}) {
                    std::vector<float> weights = ones;
                    weights[0] = first;
                    const outcome other = measure(options, x, y, &weights, isa);
                    CHECK(std::equal(other.map.begin() + 1, other.map.end(), whole.map.begin() + 1));
                }
            }
}

TEST_CASE("masks have the bits of other weights", "[ssim_masks]")
{
    const std::vector<float> x = random_samples(3);
    const std::vector<float> y = near_to(x, 4);
    // Weights of 1e-30 count as 0, and what they multiply is lost in each sum; but they are no mask.
    std::vector<float> mask(x.size(), 1.0f);
    std::vector<float> tiny = mask;
    std::vector<size_t> masked;
    for (const int64_t row : {int64_t(1), int64_t(62), height - 2})
        for (int64_t column = 3; column < width; column += 37)
            masked.push_back(size_t(row * width + column));
    for (const size_t pixel : masked) {
        mask[pixel] = 0.0f;
        tiny[pixel] = 1e-30f;
    }
    for (const int border : {IQA_BORDER_VALID, IQA_BORDER_ZERO})
        for (const int arithmetic : {IQA_ARITHMETIC_AUTO, IQA_ARITHMETIC_FLOAT64})
            for (const int isa : sets) {
                CAPTURE(border, arithmetic, isa);
                iqa_ssim_options options = image_options(11, arithmetic);
                options.border = border;
                const outcome of_mask = measure(options, x, y, &mask, isa);
                outcome of_tiny = measure(options, x, y, &tiny, isa);
                CHECK(of_mask.value == of_tiny.value);
                CHECK(of_mask.state == of_tiny.state);
                CHECK(std::memcmp(of_mask.map.data(), of_tiny.map.data(), of_mask.map.size() * sizeof(float)) == 0);
                for (const size_t pixel : masked) {
                    CHECK(of_mask.gradient[pixel] == 0.0f);
                    of_tiny.gradient[pixel] = 0.0f;
                }
                CHECK(of_mask.gradient == of_tiny.gradient);
            }
}

TEST_CASE("tiles that are masked altogether are left out", "[ssim_masks]")
{
    // The first 170 columns: one tile of the map, a part of the next, and margins.
    const std::vector<float> x = random_samples(5);
    const std::vector<float> y = near_to(x, 6);
    std::vector<float> weights(x.size(), 1.0f);
    std::vector<float> broken = y;
    volume wide_x(1, height, width), wide_y(1, height, width), wide_weights(1, height, width);
    for (size_t i = 0; i < x.size(); ++i) {
        if (i % width < 170) {
            weights[i] = 0.0f;
            broken[i] = std::numeric_limits<float>::quiet_NaN();
        }
        wide_x.samples[i] = x[i];
        wide_y.samples[i] = y[i];
        wide_weights.samples[i] = weights[i];
    }
    std::vector<unsigned char> state;
    for (const int arithmetic : {IQA_ARITHMETIC_AUTO, IQA_ARITHMETIC_FLOAT64}) {
        iqa_ssim_options options = image_options(11, arithmetic);
        state.clear();
        for (const int isa : sets) {
            CAPTURE(arithmetic, isa);
            const outcome found = measure(options, x, y, &weights, isa);
            if (state.empty())
                state = found.state;
            CHECK(found.state == state);
            CHECK(measure(options, x, broken, &weights, isa).state == state);
            for (int64_t row = 0; row < height - 10; ++row)
                for (int64_t column = 0; column < width - 10; ++column)
                    if (std::isnan(found.map[size_t(row * (width - 10) + column)]) != (column + 5 < 170))
                        FAIL("the map at " << row << ", " << column);
            options.layout = IQA_LAYOUT_DHW; // as the slow reference has it
            options.size_z = 1;
            const reference_values expected = reference_ssim(wide_x, wide_y, &wide_weights, options);
            options.layout = IQA_LAYOUT_HW;
            CHECK(std::abs(found.value - double(expected.ssim)) < 1e-6);
        }
    }
}

TEST_CASE("weighted sums hold the largest and the smallest values", "[ssim_masks]")
{
    std::vector<float> x = random_samples(7);
    std::vector<float> opposite = x;
    for (float &sample : x)
        sample = sample < 0.5f ? 0.0f : 1.0f;
    for (size_t i = 0; i < x.size(); ++i)
        opposite[i] = 1.0f - x[i];
    const std::vector<float> ones(x.size(), 1.0f);
    const std::vector<float> some = random_samples(8);
    for (const int arithmetic : {IQA_ARITHMETIC_AUTO, IQA_ARITHMETIC_FLOAT64})
        for (const std::vector<float> *const weights : {&ones, &some}) {
            const iqa_ssim_options options = image_options(11, arithmetic);
            const outcome first = measure(options, x, opposite, weights, IQA_ISA_BASELINE);
            CHECK(first.value < -0.8);
            for (const int isa : sets) {
                CAPTURE(arithmetic, isa);
                CHECK(measure(options, x, x, weights, isa).value == 1.0);
                CHECK(measure(options, x, opposite, weights, isa).state == first.state);
            }
        }
}

TEST_CASE("samples outside the range and weights are checked in each channel", "[ssim_masks]")
{
    constexpr int64_t pixels = 40 * 50;
    for (const int layout : {IQA_LAYOUT_HWC, IQA_LAYOUT_CHW})
        for (const bool shared : {false, true}) {
            const bool in_front = layout == IQA_LAYOUT_CHW;
            CAPTURE(layout, shared);
            const std::vector<int64_t> shape =
                in_front ? std::vector<int64_t>{3, 40, 50} : std::vector<int64_t>{40, 50, 3};
            const auto at = [&](int64_t pixel, int64_t channel) {
                return size_t(in_front ? channel * pixels + pixel : pixel * 3 + channel);
            };
            std::vector<float> x(3 * pixels, 0.5f);
            std::vector<float> y(3 * pixels, 0.25f);
            std::vector<float> weights(size_t(shared ? pixels : 3 * pixels), 1.0f);
            const auto weight_of = [&](int64_t pixel, int64_t channel) -> float & {
                return weights[shared ? size_t(pixel) : at(pixel, channel)];
            };
            x[at(7, 2)] = 1.5f;
            y[at(pixels - 1, 1)] = -0.5f;
            x[at(9, 2)] = 2.0f; // masked
            weight_of(9, 2) = 0.0f;
            iqa_ssim_options options = image_options(11, IQA_ARITHMETIC_AUTO);
            options.layout = layout;
            const context_pointer context = make_context();
            const metric_pointer metric = make_ssim(context, options);
            const tensor reference(x.data(), IQA_FLOAT32, shape);
            const tensor candidate(y.data(), IQA_FLOAT32, shape);
            const tensor weight(weights.data(), IQA_FLOAT32, shape,
                                !shared    ? std::vector<int64_t>{}
                                : in_front ? std::vector<int64_t>{0, 50, 1}
                                           : std::vector<int64_t>{50, 1, 0});
            iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
            extras.weights = weight;
            REQUIRE(settled_update(metric, reference, candidate, &extras) == IQA_OK);
            CHECK(read(metric, IQA_FIELD_OUT_OF_RANGE) == 2);
            weight_of(pixels - 1, 2) = std::nextafter(1.0f, 2.0f);
            CHECK(settled_update(metric, reference, candidate, &extras) == IQA_ERROR_NUMERIC);
        }
}
