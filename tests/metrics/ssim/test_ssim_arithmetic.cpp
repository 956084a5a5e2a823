// SPDX-License-Identifier: MIT
// Which arithmetic a tile is measured in, where none is asked for: values and map pixels stay as near to exact ones
// with samples far from the others, small constants and flat areas as with photographs; and the choice depends on the
// samples alone.
#include <algorithm>
#include <cmath>

#include "support/catch.hpp"
#include "support/ssim_reference.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

// What an update gives; of images [images, height, width, channels] in one of two layouts.
struct outcome {
    double value = 0;
    std::vector<double> map, gradient;
    std::vector<unsigned char> state;
};

struct picture_pair {
    int64_t height, width, channels;
    std::vector<float> x, y; // [height][width][channels]

    float &reference(int64_t row, int64_t column, int64_t channel = 0) { return x[at(row, column, channel)]; }
    float &candidate(int64_t row, int64_t column, int64_t channel = 0) { return y[at(row, column, channel)]; }
    size_t at(int64_t row, int64_t column, int64_t channel) const
    {
        return size_t((row * width + column) * channels + channel);
    }
};

// A texture from 0 to 1 and a copy with noise.
picture_pair texture(int64_t height, int64_t width, int64_t channels = 1)
{
    picture_pair pair = {height, width, channels, {}, {}};
    random_numbers random(7);
    for (int64_t i = 0; i < height * width * channels; ++i) {
        pair.x.push_back(float(random.uniform()));
        pair.y.push_back(std::clamp(pair.x.back() + 0.1f * float(random.uniform() - 0.5), 0.0f, 1.0f));
    }
    return pair;
}

iqa_ssim_options options_of(double peak)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.layout = IQA_LAYOUT_HWC;
    options.data_low = 0;
    options.data_high = peak;
    return options;
}

// The same samples with channels in front.
std::vector<float> planar(const picture_pair &pair, const std::vector<float> &samples)
{
    std::vector<float> result;
    for (int64_t channel = 0; channel < pair.channels; ++channel)
        for (int64_t pixel = 0; pixel < pair.height * pair.width; ++pixel)
            result.push_back(samples[size_t(pixel * pair.channels + channel)]);
    return result;
}

outcome run(const context_pointer &context, const iqa_ssim_options &options, const picture_pair &pair,
            const std::vector<float> *weights = nullptr, int device = device_of_tests)
{
    const bool in_front = options.layout == IQA_LAYOUT_CHW;
    const std::vector<float> x = in_front ? planar(pair, pair.x) : pair.x;
    const std::vector<float> y = in_front ? planar(pair, pair.y) : pair.y;
    const auto shape = [&](int64_t height, int64_t width) {
        return in_front ? std::vector<int64_t>{pair.channels, height, width}
                        : std::vector<int64_t>{height, width, pair.channels};
    };
    int64_t map_shape[3];
    const std::vector<int64_t> whole = shape(pair.height, pair.width);
    REQUIRE(iqa_ssim_map_shape(context.get(), &options, 3, whole.data(), map_shape, nullptr) == IQA_OK);
    const std::vector<int64_t> of_map(map_shape, map_shape + 3);
    outcome result;
    result.map.resize(size_t(of_map[0] * of_map[1] * of_map[2]));
    result.gradient.resize(x.size());
    tensor map(result.map.data(), IQA_FLOAT64, of_map);
    tensor gradient(result.gradient.data(), IQA_FLOAT64, whole);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.map = map;
    extras.candidate_gradient = gradient;
    tensor weight(weights == nullptr ? nullptr : weights->data(), IQA_FLOAT32, {pair.height, pair.width});
    if (weights != nullptr)
        extras.weights = weight;
    const metric_pointer metric = make_ssim(context, options);
    tensor reference(x.data(), IQA_FLOAT32, whole);
    tensor candidate(y.data(), IQA_FLOAT32, whole);
    for (tensor *each : {&map, &gradient, &weight, &reference, &candidate})
        each->view.device_type = device;
    INFO(last_error(context));
    REQUIRE(settled_update(metric, reference, candidate, &extras) == IQA_OK);
    result.value = read(metric);
    result.state = bytes_of(metric);
    return result;
}

outcome run(const iqa_ssim_options &options, const picture_pair &pair, const std::vector<float> *weights = nullptr)
{
    return run(make_context(), options, pair, weights);
}

outcome run_in_double(iqa_ssim_options options, const picture_pair &pair, const std::vector<float> *weights = nullptr)
{
    options.arithmetic = IQA_ARITHMETIC_FLOAT64;
    return run(options, pair, weights);
}

double largest_difference(const std::vector<double> &a, const std::vector<double> &b)
{
    double largest = 0;
    for (size_t i = 0; i < a.size(); ++i)
        if (!(std::isnan(a[i]) && std::isnan(b[i])))
            largest = std::max(largest, std::isfinite(a[i]) && std::isfinite(b[i]) ? std::fabs(a[i] - b[i]) : 1e30);
    return largest;
}

double largest(const std::vector<double> &values)
{
    return largest_difference(values, std::vector<double>(values.size(), 0.0));
}

// Samples far from the others, in ways that a tile may have them.
struct far_samples {
    const char *name;
    void (*place)(picture_pair &);
};

void fill(picture_pair &pair, int64_t top, int64_t bottom, int64_t left, int64_t right, float value)
{
    for (int64_t row = top; row < bottom; ++row)
        for (int64_t column = left; column < right; ++column)
            for (int64_t channel = 0; channel < pair.channels; ++channel)
                pair.reference(row, column, channel) = pair.candidate(row, column, channel) = value;
}

const far_samples far_cases[] = {
    {"one in both images, where a tile's centre is",
     [](picture_pair &pair) {
         fill(pair, 37, 38, 69, 70, 1e4f);
     }},
    {"one in one image",
     [](picture_pair &pair) {
         pair.candidate(20, 30) = 1e4f;
     }},
    {"a band",
     [](picture_pair &pair) {
         fill(pair, 40, 60, 0, pair.width, -9999.0f);
     }},
    {"most of a tile",
     [](picture_pair &pair) {
         fill(pair, 0, 64, 0, 100, -9999.0f);
     }},
    {"all but an island",
     [](picture_pair &pair) {
         const picture_pair before = pair;
         fill(pair, 0, pair.height, 0, pair.width, 5000.0f);
         for (int64_t row = 30; row < 45; ++row)
             for (int64_t column = 40; column < 60; ++column) {
                 pair.reference(row, column) = before.x[pair.at(row, column, 0)];
                 pair.candidate(row, column) = before.y[pair.at(row, column, 0)];
             }
     }},
    {"one in ten pixels",
     [](picture_pair &pair) {
         random_numbers random(3);
         for (int64_t i = 0; i < pair.height * pair.width / 10; ++i)
             pair.reference(random.below(pair.height), random.below(pair.width)) = 9e3f;
     }},
    {"another offset in one half",
     [](picture_pair &pair) {
         for (int64_t row = 0; row < pair.height; ++row)
             for (int64_t column = 0; column < pair.width / 2; ++column) {
                 pair.reference(row, column) += 1000.0f;
                 pair.candidate(row, column) += 1000.0f;
             }
     }},
};

plane plane_of(const picture_pair &pair, const std::vector<float> &samples)
{
    plane rows(size_t(pair.height), std::vector<long double>(size_t(pair.width)));
    for (int64_t row = 0; row < pair.height; ++row)
        for (int64_t column = 0; column < pair.width; ++column)
            rows[size_t(row)][size_t(column)] = (long double)samples[pair.at(row, column, 0)];
    return rows;
}

// How far a mean of 8-bit pictures is from that of arithmetic in double.
double error_of_bytes(const context_pointer &context, const std::vector<uint8_t> &x, const std::vector<uint8_t> &y,
                      const std::vector<int64_t> &shape, bool uniform)
{
    double values[2];
    for (const int arithmetic : {IQA_ARITHMETIC_AUTO, IQA_ARITHMETIC_FLOAT64}) {
        iqa_ssim_options options = options_of(255);
        options.layout = IQA_LAYOUT_HW;
        options.arithmetic = arithmetic;
        if (uniform) {
            options.window = IQA_WINDOW_UNIFORM;
            options.size_y = options.size_x = 7;
        }
        const metric_pointer metric = make_ssim(context, options);
        REQUIRE(settled_update(metric, tensor(x.data(), IQA_UINT8, shape), tensor(y.data(), IQA_UINT8, shape)) ==
                IQA_OK);
        values[arithmetic] = read(metric);
    }
    return std::fabs(values[0] - values[1]);
}

} // namespace

TEST_CASE("samples far from the others leave the mean and every pixel of the map where they are", "[ssim]")
{
    for (const far_samples &samples : far_cases) {
        CAPTURE(samples.name);
        picture_pair pair = texture(90, 160);
        samples.place(pair);
        const iqa_ssim_options options = options_of(1);
        iqa_ssim_options sized = options;
        sized.size_y = sized.size_x = 11;
        const plane map = reference_ssim_map(plane_of(pair, pair.x), plane_of(pair, pair.y), sized);
        const outcome found = run(options, pair);
        long double sum = 0;
        double worst = 0;
        size_t pixels = 0;
        for (const auto &row : map)
            for (const long double value : row) {
                sum += value;
                worst = std::max(worst, std::fabs(found.map[pixels++] - double(value)));
            }
        CHECK(std::fabs(found.value - double(sum / (long double)pixels)) < 1e-6);
        CHECK(worst < 1e-3);
        const outcome in_double = run_in_double(options, pair);
        CHECK(largest_difference(found.gradient, in_double.gradient) < 1e-3 * largest(in_double.gradient));
    }
}

TEST_CASE("so it is with borders, weights, luma, several scales, parts and other windows", "[ssim]")
{
    const struct {
        const char *name;
        void (*change)(iqa_ssim_options &);
        bool weighted = false;
        double of_gradient = 1e-3; // of its largest
    } ways[] = {
        {"border", [](iqa_ssim_options &options) { options.border = IQA_BORDER_REFLECT; }, false},
        {"uniform",
         [](iqa_ssim_options &options) {
             options.window = IQA_WINDOW_UNIFORM;
             options.size_y = options.size_x = 7;
             options.covariance = IQA_COVARIANCE_SAMPLE;
         },
         false},
        {"nine taps", [](iqa_ssim_options &options) { options.size_y = 9, options.size_x = 5; }, false},
        {"weights", [](iqa_ssim_options &) {}, true},
        {"weights of the map", [](iqa_ssim_options &options) { options.mask = IQA_MASK_MAP; }, true},
        {"luma", [](iqa_ssim_options &options) { options.luma = IQA_LUMA_BT601_FULL; }, false},
        {"two scales",
         [](iqa_ssim_options &options) {
             options.scales = 2;
             options.scale_weights[0] = options.scale_weights[1] = 0.5;
             options.negative = IQA_NEGATIVE_RELU;
         },
         false, 5e-3}, // smaller images are rounded to float
        {"parts", [](iqa_ssim_options &options) { options.parts = 1; }, false},
    };
    for (const far_samples &samples : far_cases)
        for (const auto &way : ways) {
            CAPTURE(samples.name, way.name);
            picture_pair pair = texture(90, 160, 3);
            samples.place(pair);
            std::vector<float> weights(size_t(pair.height * pair.width));
            for (size_t i = 0; i < weights.size(); ++i)
                weights[i] = float(i % 5) / 4;
            iqa_ssim_options options = options_of(1);
            way.change(options);
            const std::vector<float> *given = way.weighted ? &weights : nullptr;
            const outcome found = run(options, pair, given);
            const outcome in_double = run_in_double(options, pair, given);
            CHECK(std::fabs(found.value - in_double.value) < 1e-6);
            CHECK(largest_difference(found.map, in_double.map) < 1e-3);
            CHECK(largest_difference(found.gradient, in_double.gradient) <
                  way.of_gradient * largest(in_double.gradient));
        }
}

TEST_CASE("so it is in volumes", "[ssim]")
{
    constexpr int64_t depth = 40, height = 40, width = 50;
    random_numbers random(5);
    std::vector<float> x, y;
    for (int64_t i = 0; i < depth * height * width; ++i) {
        x.push_back(float(random.uniform()));
        y.push_back(x.back() + 0.1f * float(random.uniform()));
    }
    for (int64_t i = 0; i < 300; ++i) // a fill value behind the volume's first slices
        x[size_t(3 * height * width + i)] = y[size_t(3 * height * width + i)] = -1000.0f;
    const auto measure = [&](int arithmetic) {
        iqa_ssim_options options = options_of(1);
        options.layout = IQA_LAYOUT_DHW;
        options.arithmetic = arithmetic;
        const context_pointer context = make_context();
        const metric_pointer metric = make_ssim(context, options);
        REQUIRE(settled_update(metric, tensor(x.data(), IQA_FLOAT32, {depth, height, width}),
                               tensor(y.data(), IQA_FLOAT32, {depth, height, width})) == IQA_OK);
        return read(metric);
    };
    CHECK(std::fabs(measure(IQA_ARITHMETIC_AUTO) - measure(IQA_ARITHMETIC_FLOAT64)) < 1e-6);
}

TEST_CASE("small constants are measured in double", "[ssim]")
{
    const picture_pair pair = texture(90, 160);
    for (const double k2 : {0.03, 0.01, 0.003, 0.001, 1e-6, 0.0}) {
        CAPTURE(k2);
        iqa_ssim_options options = options_of(1);
        options.k2 = k2;
        const outcome found = run(options, pair);
        const outcome in_double = run_in_double(options, pair);
        CHECK(std::fabs(found.value - in_double.value) < 1e-6);
        CHECK(largest_difference(found.map, in_double.map) < 1e-3);
    }
}

TEST_CASE("8-bit pictures are within a millionth: flat ones, edges, stripes, slopes, noise", "[ssim]")
{
    random_numbers random(11);
    const auto level = [&] {
        return int(random.below(256));
    };
    const context_pointer context = make_context();
    double worst = 0;
    for (int trial = 0; trial < 3000; ++trial) {
        const int64_t height = 11 + random.below(40);
        const int64_t width = 11 + random.below(trial % 10 == 0 ? 300 : 40);
        const int kind = trial % 6;
        std::vector<uint8_t> pictures[2];
        for (auto &picture : pictures) {
            const int a = level(), b = level(), edge = int(random.below(width)), period = 1 + int(random.below(4));
            const bool down = random.below(2) == 0;
            for (int64_t row = 0; row < height; ++row)
                for (int64_t column = 0; column < width; ++column) {
                    const int64_t at = down ? row : column;
                    const int value = kind == 0   ? a
                                      : kind == 1 ? (at < edge ? a : b)
                                      : kind == 2 ? (at / period % 2 == 0 ? a : b)
                                      : kind == 3 ? (at / period % 2 == 0 ? a : std::min(a + period, 255))
                                      : kind == 4 ? a + int((b - a) * at / std::max(height, width))
                                                  : level();
                    picture.push_back(uint8_t(value));
                }
        }
        if (kind == 5 && random.below(2) == 0) // the first with a little noise
            for (size_t i = 0; i < pictures[0].size(); ++i)
                pictures[1][i] = uint8_t(std::clamp(pictures[0][i] + int(random.below(9)) - 4, 0, 255));
        worst = std::max(worst, error_of_bytes(context, pictures[0], pictures[1], {height, width}, trial % 4 == 3));
    }
    CHECK(worst < 1e-6);
}

TEST_CASE("so are faint patterns, whose windows all round alike", "[ssim]")
{
    // A flat picture, and one at another level with a pattern of few pixels.
    random_numbers random(1);
    const context_pointer context = make_context();
    double worst = 0;
    for (int trial = 0; trial < 300; ++trial) {
        const int64_t height = 210 + random.below(40), width = 210 + random.below(100);
        const int64_t level = 60 + random.below(100), other = 15 + random.below(35), step = 1 + random.below(5);
        const int64_t down = 1 + random.below(8), across = 2 + random.below(7);
        const int64_t second = random.below(2) == 0 ? level + other : level - other;
        std::vector<int64_t> pattern;
        for (int64_t i = 0; i < down * across; ++i)
            pattern.push_back(random.below(4) == 0 ? step : 0);
        const std::vector<uint8_t> flat(size_t(height * width), uint8_t(level));
        std::vector<uint8_t> patterned;
        for (int64_t row = 0; row < height; ++row)
            for (int64_t column = 0; column < width; ++column)
                patterned.push_back(uint8_t(second + pattern[size_t(row % down * across + column % across)]));
        worst = std::max(worst, error_of_bytes(context, flat, patterned, {height, width}, trial % 2 == 1));
    }
    CHECK(worst < 1e-6);
}

TEST_CASE("the choice of arithmetic is the same for any device, instruction set, threads, layout and kernel", "[ssim]")
{
    for (const far_samples &samples : far_cases) {
        CAPTURE(samples.name);
        picture_pair pair = texture(150, 280, 3);
        samples.place(pair);
        for (int64_t row = 70; row < 150; ++row) // a flat area in one channel, whose doubt is too large
            for (int64_t column = 0; column < 200; ++column)
                pair.reference(row, column, 1) = 0.3f, pair.candidate(row, column, 1) = 0.45f;
        const iqa_ssim_options options = options_of(1);
        const outcome expected = run(make_context(1, IQA_ISA_BASELINE), options, pair, nullptr, IQA_CPU);
        const auto check = [&](const outcome &found) {
            CHECK(found.state == expected.state);
            CHECK(found.map == expected.map);
            CHECK(found.gradient == expected.gradient);
        };
        check(run(options, pair));
        for (const int isa : {IQA_ISA_AVX2, IQA_ISA_AVX512})
            for (const int threads : {1, 3, 8})
                check(run(make_context(threads, isa), options, pair, nullptr, IQA_CPU));
        iqa_ssim_options in_front = options;
        in_front.layout = IQA_LAYOUT_CHW;
        const outcome planes = run(in_front, pair);
        CHECK(planes.value == expected.value);
        iqa_ssim_options parts = options; // another kernel
        parts.parts = 1;
        const outcome boxes = run(parts, pair);
        CHECK(boxes.value == expected.value);
        CHECK(boxes.map == expected.map);
    }
}
