// SPDX-License-Identifier: MIT
// SSIM of volumes, with weights and masks, of luma, in parts: against the slow reference, and against plain SSIM.
#include <algorithm>
#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/support.hpp"
#include "support/volume_reference.hpp"

using namespace test;

namespace {

volume random_volume(int64_t depth, int64_t height, int64_t width, uint64_t seed)
{
    volume made(depth, height, width);
    random_numbers numbers(seed);
    for (double &sample : made.samples)
        sample = numbers.uniform();
    return made;
}

volume near_to(const volume &other, uint64_t seed)
{
    volume made = other;
    random_numbers numbers(seed);
    for (double &sample : made.samples)
        sample += 0.2 * (numbers.uniform() - 0.5);
    return made;
}

// A third of the weights is 0; all are multiples of 2^-24.
volume random_weights(const volume &shape, uint64_t seed)
{
    volume made = shape;
    random_numbers numbers(seed);
    for (double &weight : made.samples)
        weight = numbers.below(3) == 0 ? 0.0 : std::floor(numbers.uniform() * 0x1p24) * 0x1p-24;
    return made;
}

iqa_ssim_options volume_options(int border)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.layout = IQA_LAYOUT_DHW;
    options.data_low = 0;
    options.data_high = 1;
    options.border = border;
    options.size_z = 3;
    options.size_y = 5;
    options.size_x = 7;
    options.sigma_z = 0.8;
    options.sigma_y = 1.1;
    options.sigma_x = 1.7;
    return options;
}

struct measured {
    iqa_status status;
    std::string text;
    double value;
    reference_values parts;
};

measured measure(const iqa_ssim_options &options, const volume &x, const volume &y, const volume *weights = nullptr,
                 const iqa_tensor *other_weights = nullptr, int isa = IQA_ISA_BEST)
{
    const context_pointer context = make_context(2, isa);
    const metric_pointer metric = make_ssim(context, options);
    REQUIRE(metric != nullptr);
    const std::vector<int64_t> shape = {x.depth, x.height, x.width};
    const tensor tx(x.samples.data(), IQA_FLOAT64, shape);
    const tensor ty(y.samples.data(), IQA_FLOAT64, shape);
    const tensor tw(weights == nullptr ? nullptr : weights->samples.data(), IQA_FLOAT64, shape);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = other_weights != nullptr ? other_weights : weights != nullptr ? &tw.view : nullptr;
    measured result{};
    result.status = settled_update(metric, tx, ty, &extras);
    result.text = last_error(context);
    result.value = result.status == IQA_OK ? read(metric) : std::nan("");
    if (options.parts != 0 && result.status == IQA_OK)
        result.parts = {read(metric, IQA_FIELD_SSIM_OF_SCALES), read(metric, IQA_FIELD_CONTRAST_STRUCTURE),
                        read(metric, IQA_FIELD_LUMINANCE)};
    return result;
}

void check_near(double value, long double expected)
{
    CHECK(std::abs((long double)value - expected) < 1e-12L);
}

bool has(const std::string &text, const char *part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("volumes, weights and parts against the slow reference", "[ssim_boxes]")
{
    const volume x = random_volume(7, 12, 15, 1);
    const volume y = near_to(x, 2);
    const volume weights = random_weights(x, 3);
    for (int border = IQA_BORDER_VALID; border <= IQA_BORDER_ZERO; ++border) {
        CAPTURE(border);
        iqa_ssim_options options = volume_options(border);
        options.parts = 1;
        const measured plain = measure(options, x, y);
        const reference_values expected = reference_ssim(x, y, nullptr, options);
        check_near(plain.value, expected.ssim);
        check_near(double(plain.parts.ssim), expected.ssim);
        check_near(double(plain.parts.contrast_structure), expected.contrast_structure);
        check_near(double(plain.parts.luminance), expected.luminance);

        const measured masked = measure(options, x, y, &weights);
        const reference_values weighed = reference_ssim(x, y, &weights, options);
        check_near(masked.value, weighed.ssim);
        check_near(double(masked.parts.contrast_structure), weighed.contrast_structure);

        options.coverage = 0.4;
        check_near(measure(options, x, y, &weights).value, reference_ssim(x, y, &weights, options).ssim);
        options.coverage = 0.0;
        options.mask = IQA_MASK_MAP;
        check_near(measure(options, x, y, &weights).value, reference_ssim(x, y, &weights, options).ssim);
        options.mask = IQA_MASK_CONVOLUTION;
        options.covariance = IQA_COVARIANCE_SAMPLE;
        check_near(measure(options, x, y).value, reference_ssim(x, y, nullptr, options).ssim);
        options.window = IQA_WINDOW_UNIFORM;
        check_near(measure(options, x, y, &weights).value, reference_ssim(x, y, &weights, options).ssim);
    }
}

TEST_CASE("sigmas in millimetres are sigmas in voxels times their distance", "[ssim_boxes]")
{
    const volume x = random_volume(9, 14, 13, 4);
    const volume y = near_to(x, 5);
    iqa_ssim_options voxels = volume_options(IQA_BORDER_REFLECT);
    voxels.size_z = voxels.size_y = voxels.size_x = IQA_SIZE_AUTO;
    voxels.sigma_z = 0.5;
    voxels.sigma_y = voxels.sigma_x = 1.5;
    iqa_ssim_options millimetres = voxels;
    millimetres.spacing_z = 3.0;
    millimetres.sigma_z = 1.5;
    CHECK(measure(millimetres, x, y).value == measure(voxels, x, y).value);
}

TEST_CASE("masked samples have no influence, whatever they are", "[ssim_boxes]")
{
    const volume x = random_volume(5, 12, 15, 6);
    const volume y = near_to(x, 7);
    volume weights = random_weights(x, 8);
    for (double &weight : weights.samples)
        weight = weight == 0 ? 0 : 1;
    volume wild = x;
    for (size_t i = 0; i < wild.samples.size(); ++i)
        if (weights.samples[i] == 0)
            wild.samples[i] = i % 2 != 0 ? std::nan("") : 1e300;
    iqa_ssim_options options = volume_options(IQA_BORDER_SYMMETRIC);
    const double expected = measure(options, x, y, &weights).value;
    CHECK(measure(options, wild, y, &weights).value == expected);

    // The same mask as bytes, and as non-finite samples.
    std::vector<uint8_t> bytes;
    for (const double weight : weights.samples)
        bytes.push_back(weight == 0 ? 0 : 200);
    const tensor byte_weights(bytes.data(), IQA_UINT8, {x.depth, x.height, x.width});
    CHECK(measure(options, wild, y, nullptr, byte_weights).value == expected);
    for (size_t i = 0; i < wild.samples.size(); ++i)
        if (weights.samples[i] == 0)
            wild.samples[i] = -HUGE_VAL;
    options.nonfinite = IQA_NONFINITE_MASK;
    CHECK(measure(options, wild, y).value == expected);

    // Equal images are exactly 1 under any weights, and nothing is above.
    const volume some = random_weights(x, 9);
    CHECK(measure(options, x, x, &some).value == 1.0);
}

TEST_CASE("boxes have the bits of tiles", "[ssim_boxes]")
{
    const int64_t height = 150;
    const int64_t width = 300;
    const volume x = random_volume(1, height, width, 10);
    const volume y = near_to(x, 11);
    std::vector<float> fx(x.samples.begin(), x.samples.end());
    std::vector<float> fy(y.samples.begin(), y.samples.end());
    for (int border = IQA_BORDER_VALID; border <= IQA_BORDER_ZERO; ++border)
        for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512}) {
            const context_pointer context = make_context(2, isa);
            iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
            options.data_high = 1;
            options.data_low = 0;
            options.border = border;
            double plain = 0;
            const tensor tx(fx.data(), IQA_FLOAT32, {height, width});
            const tensor ty(fy.data(), IQA_FLOAT32, {height, width});
            REQUIRE(iqa_measure_ssim(context.get(), &options, tx, ty, &plain) == IQA_OK);
            options.layout = IQA_LAYOUT_DHW;
            options.size_z = 1;
            double boxed = 0;
            const tensor vx(fx.data(), IQA_FLOAT32, {3, height, width}, {0, width, 1});
            const tensor vy(fy.data(), IQA_FLOAT32, {3, height, width}, {0, width, 1});
            REQUIRE(iqa_measure_ssim(context.get(), &options, vx, vy, &boxed) == IQA_OK);
            CHECK(boxed == plain);
        }
}

TEST_CASE("weighted volumes have the same bits everywhere", "[ssim_boxes]")
{
    const volume x = random_volume(70, 40, 150, 15);
    const volume y = near_to(x, 16);
    const volume weights = random_weights(x, 17);
    for (const int arithmetic : {IQA_ARITHMETIC_AUTO, IQA_ARITHMETIC_FLOAT64}) {
        std::vector<float> fx(x.samples.begin(), x.samples.end());
        std::vector<float> fy(y.samples.begin(), y.samples.end());
        iqa_ssim_options options = volume_options(IQA_BORDER_REFLECT);
        options.arithmetic = arithmetic;
        options.coverage = 0.3;
        options.parts = 1;
        std::vector<unsigned char> first;
        for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
            for (const int threads : {1, 2, 3, 8}) {
                const context_pointer context = make_context(threads, isa);
                const metric_pointer metric = make_ssim(context, options);
                const tensor tx(fx.data(), IQA_FLOAT32, {70, 40, 150});
                const tensor ty(fy.data(), IQA_FLOAT32, {70, 40, 150});
                const tensor tw(weights.samples.data(), IQA_FLOAT64, {70, 40, 150});
                iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
                extras.weights = tw;
                REQUIRE(iqa_metric_update(metric.get(), tx, ty, &extras) == IQA_OK);
                if (first.empty())
                    first = bytes_of(metric);
                CHECK(bytes_of(metric) == first);
            }
    }
}

TEST_CASE("luma is an image of its own", "[ssim_boxes]")
{
    random_numbers numbers(12);
    const int64_t height = 40;
    const int64_t width = 37;
    std::vector<uint8_t> x, y;
    std::vector<double> lx, ly, rx, ry;
    const auto luma = [](const std::vector<uint8_t> &rgb) {
        const uint8_t *last = &rgb[rgb.size() - 3];
        return 16.0 + (65.481 * last[0] + 128.553 * last[1] + 24.966 * last[2]) / 255.0;
    };
    const auto grey = [](const std::vector<uint8_t> &rgb) {
        const uint8_t *last = &rgb[rgb.size() - 3];
        return std::nearbyint(0.299 * last[0] + 0.587 * last[1] + 0.114 * last[2]);
    };
    for (int64_t i = 0; i < height * width; ++i) {
        for (int channel = 0; channel < 3; ++channel) {
            x.push_back(uint8_t(numbers.below(256)));
            y.push_back(uint8_t(std::clamp<int64_t>(x.back() + numbers.below(41) - 20, 0, 255)));
        }
        lx.push_back(luma(x));
        ly.push_back(luma(y));
        rx.push_back(grey(x));
        ry.push_back(grey(y));
    }
    const context_pointer context = make_context();
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.arithmetic = IQA_ARITHMETIC_FLOAT64;
    options.data_low = 0;
    options.data_high = 255;
    const auto value = [&](const void *a, const void *b, int dtype, std::vector<int64_t> shape) {
        double result = 0;
        const tensor ta(a, dtype, shape);
        const tensor tb(b, dtype, shape);
        INFO(last_error(context));
        REQUIRE(iqa_measure_ssim(context.get(), &options, ta, tb, &result) == IQA_OK);
        return result;
    };
    const double studio = value(lx.data(), ly.data(), IQA_FLOAT64, {height, width});
    const double rounded = value(rx.data(), ry.data(), IQA_FLOAT64, {height, width});
    options.layout = IQA_LAYOUT_HWC;
    options.luma = IQA_LUMA_BT601_STUDIO;
    check_near(value(x.data(), y.data(), IQA_UINT8, {height, width, 3}), studio);
    options.luma = IQA_LUMA_BT601_FULL;
    options.luma_rounded = 1;
    check_near(value(x.data(), y.data(), IQA_UINT8, {height, width, 3}), rounded);
}

TEST_CASE("weights and shapes that cannot be are refused in words", "[ssim_boxes]")
{
    const volume x = random_volume(5, 12, 15, 13);
    volume weights(5, 12, 15, 1.0);
    const iqa_ssim_options options = volume_options(IQA_BORDER_VALID);
    weights.at(2, 3, 4) = 1.5;
    measured result = measure(options, x, x, &weights);
    CHECK(result.status == IQA_ERROR_NUMERIC);
    const bool on_cpu = device_of_tests == IQA_CPU; // a device no longer has the weights when it is asked
    CHECK(has(result.text, on_cpu ? "1 values that are not from 0 to 1, the first 1.5 for the sample at [2, 3, 4]"
                                  : "update 1 on the CUDA device: weights has values that are not from 0 to 1"));
    weights.at(2, 3, 4) = std::nan("");
    CHECK(has(measure(options, x, x, &weights).text, on_cpu ? "the first nan" : "not from 0 to 1"));
    const volume nothing(5, 12, 15, 0.0);
    result = measure(options, x, x, &nothing);
    CHECK(result.status == IQA_ERROR_NUMERIC);
    CHECK(has(result.text, "image 0 has no pixel that counts"));
    const tensor other(x.samples.data(), IQA_FLOAT64, {5, 12, 14});
    result = measure(options, x, x, nullptr, other);
    CHECK(result.status == IQA_ERROR_SHAPE);
    CHECK(has(result.text, "weights has shape [5, 12, 14]; expected that of the images, [5, 12, 15]"));
    const tensor typed(x.samples.data(), IQA_INT32, {5, 12, 15});
    CHECK(measure(options, x, x, nullptr, typed).status == IQA_ERROR_DTYPE);
    const volume thin = random_volume(2, 12, 15, 14);
    CHECK(has(measure(options, thin, thin).text, "depth 2 is smaller than the 3-pixel window"));
    iqa_ssim_options shaved = options;
    shaved.shave = 3;
    CHECK(has(measure(shaved, x, x).text, "depth 5 leaves nothing"));
    iqa_ssim_options scaled = options;
    scaled.scales = 3;
    scaled.scale_weights[0] = scaled.scale_weights[1] = 0.25;
    scaled.scale_weights[2] = 0.5;
    const std::string text = measure(scaled, x, x).text;
    CHECK(has(text, "depth 5 is too small for 3 scales of the 3-pixel window; the smallest that is enough is 9"));
}

TEST_CASE("an image that is masked altogether is told by its index in the batch", "[ssim_boxes]")
{
    // So large that the scales are made for one image at a time.
    const int64_t height = 2200;
    const int64_t width = 2200;
    const std::vector<float> x(size_t(3 * height * width), 0.5f);
    std::vector<uint8_t> weights(x.size(), 1);
    std::fill(weights.end() - height * width, weights.end(), uint8_t(0));
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    REQUIRE(iqa_ssim_options_preset(&options, sizeof options, IQA_MS_SSIM_WANG2003) == IQA_OK);
    options.layout = IQA_LAYOUT_NHW;
    options.data_low = 0;
    options.data_high = 1;
    const context_pointer context = make_context();
    const metric_pointer metric = make_ssim(context, options);
    const tensor images(x.data(), IQA_FLOAT32, {3, height, width});
    const tensor mask(weights.data(), IQA_UINT8, {3, height, width});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = mask;
    CHECK(settled_update(metric, images, images, &extras) == IQA_ERROR_NUMERIC);
    CHECK(has(last_error(context), "image 2, channel 0, at scale 1 of 5 has no pixel that counts"));
    CHECK(read(metric, IQA_FIELD_IMAGES) == 0);
}
