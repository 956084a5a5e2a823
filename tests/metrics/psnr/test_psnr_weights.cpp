// SPDX-License-Identifier: MIT
// PSNR of weighted and masked images, of luma, of images without their edges, and of volumes.
#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/volume.hpp"

using namespace test;

namespace {

iqa_psnr_options options_for(int layout, double high)
{
    iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
    options.layout = layout;
    options.data_low = 0;
    options.data_high = high;
    return options;
}

metric_pointer measured(const context_pointer &context, const iqa_psnr_options &options, const iqa_tensor *x,
                        const iqa_tensor *y, const iqa_tensor *weights,
                        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT)
{
    metric_pointer metric = make_psnr(context, options);
    INFO(iqa_context_error(context.get()));
    REQUIRE(metric);
    extras.weights = weights;
    REQUIRE(iqa_metric_update(metric.get(), x, y, &extras) == IQA_OK);
    return metric;
}

template <class Sample>
struct pair_of {
    volume<Sample> x, y;

    pair_of(int layout, const place &extents, unsigned seed) : x(layout, extents), y(layout, extents)
    {
        random_numbers random(seed);
        x.fill([&](const place &) { return double(random.below(120)); });
        y.fill([&](const place &) { return double(random.below(120)); });
    }
};

constexpr auto sample_of = [](const auto &image) {
    return [&image](const place &at) {
        return iqa::widen(image[at]);
    };
};

double rounded_weight(double weight)
{
    return std::nearbyint(weight * 0x1p24) * 0x1p-24;
}

bool close(double value, long double expected, long double bound = 1e-14L)
{
    return std::abs((long double)value - expected) <= bound * (1 + std::abs(expected));
}

} // namespace

TEMPLATE_TEST_CASE("weighted errors equal those in long double", "[psnr_weights]", uint8_t, uint16_t, int16_t,
                   iqa::float16, iqa::bfloat16, float, double)
{
    const context_pointer context = make_context();
    random_numbers random(51);
    for (const int layout : {IQA_LAYOUT_NHWC, IQA_LAYOUT_NCHW, IQA_LAYOUT_HW, IQA_LAYOUT_NDHWC, IQA_LAYOUT_CDHW}) {
        place extents = {3, 3, 4, 31, 43};
        for (const char axis : {'N', 'C', 'D'})
            if (std::string(axes_of_layout[layout]).find(axis) == std::string::npos)
                extents[axis_number(axis)] = 1;
        const pair_of<TestType> images(layout, extents, 52);
        volume<double> weights(layout, extents);
        weights.fill([&](const place &) { return random.below(4) == 0 ? 0.0 : random.uniform(); });
        std::vector<double> per_image(static_cast<size_t>(extents[0]));
        std::vector<double> per_channel(size_t(extents[0] * extents[1]));
        const tensor image_view(per_image.data(), IQA_FLOAT64, {extents[0]});
        const tensor channel_view(per_channel.data(), IQA_FLOAT64, {extents[0], extents[1]});
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.per_image = image_view;
        extras.per_channel = channel_view;
        const metric_pointer metric =
            measured(context, options_for(layout, 255), images.x.view(), images.y.view(), weights.view(), extras);
        const auto weight = [&](const place &at) {
            return rounded_weight(weights[at]);
        };
        const auto slow = [&](int64_t image, int64_t channel) {
            return slow_error(images.x, image, channel, {}, sample_of(images.x), sample_of(images.y), weight);
        };
        CAPTURE(layout);
        weighted_error all;
        for (int64_t image = 0; image < extents[0]; ++image) {
            const weighted_error sum = slow(image, -1);
            all.errors += sum.errors;
            all.weight += sum.weight;
            CHECK(close(per_image[size_t(image)], sum.psnr(255)));
            for (int64_t channel = 0; channel < extents[1]; ++channel)
                CHECK(close(per_channel[size_t(image * extents[1] + channel)], slow(image, channel).psnr(255)));
        }
        CHECK(read(metric, IQA_FIELD_SAMPLES) == double(all.weight)); // exact in both
        CHECK(close(read(metric, IQA_FIELD_MSE), all.mean()));
        CHECK(close(read(metric), all.psnr(255)));
    }
}

TEMPLATE_TEST_CASE("weights of 1 change no bit, and masked samples are as if they were not there", "[psnr_weights]",
                   uint8_t, uint16_t, int16_t, iqa::float16, iqa::bfloat16, float, double)
{
    const context_pointer context = make_context();
    const place extents = {2, 3, 1, 40, 57};
    const pair_of<TestType> images(IQA_LAYOUT_NHWC, extents, 53);
    const iqa_psnr_options options = options_for(IQA_LAYOUT_NHWC, 100); // some samples lie outside
    const metric_pointer plain = measured(context, options, images.x.view(), images.y.view(), nullptr);
    volume<uint8_t> mask(IQA_LAYOUT_NHWC, extents);
    mask.fill([](const place &at) { return 1 + at[4]; });
    volume<float> ones(IQA_LAYOUT_NHWC, extents);
    ones.fill([](const place &) { return 1.0; });
    const std::vector<uint8_t> one = {1};
    for (const auto &weights :
         {mask.view(IQA_BOOL), mask.view(), ones.view(), tensor(one.data(), IQA_BOOL, {1, 40, 57, 1}, {0, 0, 0, 0}),
          tensor(one.data(), IQA_UINT8, {2, 40, 57}, {0, 0, 0})})
        CHECK((bytes_of(measured(context, options, images.x.view(), images.y.view(), weights)) == bytes_of(plain)));

    random_numbers random(54);
    mask.fill([&](const place &) { return random.below(3); });
    std::vector<TestType> kept_x;
    std::vector<TestType> kept_y;
    mask.for_each([&](const place &at) {
        if (at[0] != 1 || mask[at] == 0)
            return;
        kept_x.push_back(images.x[at]);
        kept_y.push_back(images.y[at]);
    });
    const int64_t count = int64_t(kept_x.size());
    const int64_t half = 40 * 57 * 3;
    const metric_pointer kept =
        measured(context, options_for(IQA_LAYOUT_HW, 100), tensor(kept_x.data(), dtype_of<TestType>::value, {1, count}),
                 tensor(kept_y.data(), dtype_of<TestType>::value, {1, count}), nullptr);
    const metric_pointer masked = measured(context, options_for(IQA_LAYOUT_HWC, 100),
                                           tensor(images.x.data.data() + half, dtype_of<TestType>::value, {40, 57, 3}),
                                           tensor(images.y.data.data() + half, dtype_of<TestType>::value, {40, 57, 3}),
                                           tensor(mask.data.data() + half, IQA_UINT8, {40, 57, 3}));
    CHECK((lanes_of(masked) == lanes_of(kept)));
}

// What a bad weight stands for would leave the integers that sums of weighted ones have.
TEST_CASE("bad weights of the largest integer differences are refused", "[psnr_weights]")
{
    const context_pointer context = make_context();
    std::vector<uint16_t> black(600, 0);
    std::vector<uint16_t> white(600, 65535);
    std::vector<float> weights(600, 0.5f);
    weights[123] = 2.0f;
    const tensor of_pixels(weights.data(), IQA_FLOAT32, {20, 30});
    const metric_pointer metric = make_psnr(context, options_for(IQA_LAYOUT_HW, 65535));
    const auto before = bytes_of(metric);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = of_pixels;
    const tensor x(black.data(), IQA_UINT16, {20, 30});
    const tensor y(white.data(), IQA_UINT16, {20, 30});
    CHECK(settled_update(metric, x, y, &extras) == IQA_ERROR_NUMERIC);
    CHECK(bytes_of(metric) == before);
}

TEST_CASE("weights that are broadcast, and sums that are exact", "[psnr_weights]")
{
    const context_pointer context = make_context();
    const place extents = {2, 3, 1, 20, 30};
    const pair_of<uint16_t> images(IQA_LAYOUT_NCHW, extents, 55);
    random_numbers random(56);
    std::vector<float> pixels(600);
    for (float &weight : pixels)
        weight = float(random.uniform());
    volume<float> full(IQA_LAYOUT_NCHW, extents);
    full.fill([&](const place &at) { return double(pixels[size_t(at[3] * 30 + at[4])]); });
    const iqa_psnr_options options = options_for(IQA_LAYOUT_NCHW, 65535);
    const auto state = [&](const iqa_tensor *weights) {
        return bytes_of(measured(context, options, images.x.view(), images.y.view(), weights));
    };
    const auto expected = state(full.view());
    CHECK((state(tensor(pixels.data(), IQA_FLOAT32, {1, 1, 20, 30})) == expected));
    CHECK((state(tensor(pixels.data(), IQA_FLOAT32, {1, 20, 30})) == expected));
    CHECK((state(tensor(pixels.data(), IQA_FLOAT32, {2, 20, 30}, {0, 30, 1})) == expected));

    // The largest squares times odd weights: 2^16 of them are beyond a double.
    std::vector<int16_t> low(65536, -32768);
    std::vector<int16_t> high(65536, 32767);
    std::vector<double> odd(65536, 1 - 0x1p-24);
    odd[0] = 0x1p-24;
    high[0] = -32767;
    const metric_pointer metric =
        measured(context, options_for(IQA_LAYOUT_HW, 1), tensor(low.data(), IQA_INT16, {256, 256}),
                 tensor(high.data(), IQA_INT16, {256, 256}), tensor(odd.data(), IQA_FLOAT64, {256, 256}));
    const long double weight = 65535 * (1 - 0x1p-24L) + 0x1p-24L;
    CHECK(read(metric, IQA_FIELD_SAMPLES) == double(weight));
    CHECK(read(metric, IQA_FIELD_MSE) == double((65535.0L * 65535 * 65535 * (1 - 0x1p-24L) + 0x1p-24L) / weight));
    CHECK(read(metric, IQA_FIELD_OUT_OF_RANGE) == 2 * 65536);
}

TEST_CASE("small errors with small weights keep their precision", "[psnr_weights]")
{
    const context_pointer context = make_context();
    random_numbers random(57);
    for (const double size : {1e-290, 1e-100, 1e-15, 2e-12, 1e-9, 2e-8, 1e-4, 1e5, 1e100}) {
        volume<double> x(IQA_LAYOUT_HW, {1, 1, 1, 30, 41});
        volume<double> y = x;
        y.fill([&](const place &) { return size * random.uniform(); });
        volume<double> weights = x;
        weights.fill([](const place &) { return 0x1p-24; });
        const iqa_psnr_options options = options_for(IQA_LAYOUT_HW, 1);
        const metric_pointer light = measured(context, options, x.view(), y.view(), weights.view());
        const metric_pointer plain = measured(context, options, x.view(), y.view(), nullptr);
        CAPTURE(size);
        CHECK(close(read(light), read(plain), 1e-15L));
        const auto weight = [](const place &) {
            return 1;
        };
        CHECK(close(read(light), slow_error(x, 0, -1, {}, sample_of(x), sample_of(y), weight).psnr(1)));
    }
}

template <class Sample>
Sample not_a_number()
{
    if constexpr (sizeof(Sample) == 2)
        return {0x7fff};
    else
        return std::numeric_limits<Sample>::quiet_NaN();
}

TEMPLATE_TEST_CASE("masked samples may be anything", "[psnr_weights]", iqa::float16, iqa::bfloat16, float, double)
{
    const context_pointer context = make_context();
    const place extents = {2, 3, 1, 33, 70};
    const pair_of<TestType> images(IQA_LAYOUT_NCHW, extents, 58);
    volume<uint8_t> mask(IQA_LAYOUT_NCHW, extents);
    volume<uint8_t> pixel_mask(IQA_LAYOUT_NCHW, extents);
    pixel_mask.fill([](const place &) { return 1; });
    random_numbers random(59);
    pair_of<TestType> broken = images;
    mask.for_each([&](const place &at) {
        mask[at] = random.below(10) != 0;
        if (mask[at] != 0)
            return;
        (random.below(2) == 0 ? broken.x : broken.y)[at] = not_a_number<TestType>();
        for (int64_t channel = 0; channel < 3; ++channel)
            pixel_mask[{at[0], channel, at[2], at[3], at[4]}] = 0;
    });
    iqa_psnr_options options = options_for(IQA_LAYOUT_NCHW, 100);
    const auto state = [&](const pair_of<TestType> &pair, const iqa_tensor *weights) {
        const metric_pointer metric = measured(context, options, pair.x.view(), pair.y.view(), weights);
        CHECK(read(metric, IQA_FIELD_NONFINITE) == 0);
        return bytes_of(metric);
    };
    CHECK((state(broken, mask.view(IQA_BOOL)) == state(images, mask.view(IQA_BOOL))));
    // Left out because they are not finite: one by one, and with luma as whole pixels.
    options.nonfinite = IQA_NONFINITE_MASK;
    CHECK((state(broken, nullptr) == state(images, mask.view(IQA_BOOL))));
    options.luma = IQA_LUMA_BT709_FULL;
    const tensor of_pixels(pixel_mask.data.data(), IQA_BOOL, {2, 33, 70}, {3 * 33 * 70, 70, 1});
    CHECK((state(broken, nullptr) == state(images, of_pixels)));
}

TEST_CASE("a sample far outside counts where it is not masked", "[psnr_weights]")
{
    const context_pointer context = make_context();
    std::vector<double> x(50, 0.5);
    std::vector<double> y(50, 0.25);
    x[7] = 1e308;
    y[7] = -1e308;
    x[9] = 2;
    std::vector<float> weights(50, 0.5f);
    const tensor tx(x.data(), IQA_FLOAT64, {5, 10});
    const tensor ty(y.data(), IQA_FLOAT64, {5, 10});
    const tensor tw(weights.data(), IQA_FLOAT32, {5, 10});
    const metric_pointer metric = make_psnr(context, options_for(IQA_LAYOUT_HW, 1));
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = tw;
    CHECK(settled_update(metric, tx, ty, &extras) == IQA_ERROR_NUMERIC); // the difference overflows
    weights[7] = 1e-9f;                                                  // nearest to 0
    CHECK(settled_update(metric, tx, ty, &extras) == IQA_OK);
    CHECK(read(metric, IQA_FIELD_OUT_OF_RANGE) == 1);
    CHECK(read(metric, IQA_FIELD_MSE) == (48 * 0.0625 + 1.75 * 1.75) / 49);
}

TEMPLATE_TEST_CASE("luma, shaved edges and volumes equal their formulas", "[psnr_weights]", uint8_t, uint16_t, float,
                   double)
{
    const context_pointer context = make_context();
    const long double peak = 200;
    const struct {
        int kind;
        std::array<long double, 4> weights;
    } kinds[] = {
        {IQA_LUMA_NONE, {}},
        {IQA_LUMA_BT601_FULL, {0, 0.299L, 0.587L, 0.114L}},
        {IQA_LUMA_BT601_STUDIO, {16 * peak / 255, 65.481L / 255, 128.553L / 255, 24.966L / 255}},
        {IQA_LUMA_BT709_FULL, {0, 0.2126L, 0.7152L, 0.0722L}},
        {IQA_LUMA_BT709_STUDIO, {16 * peak / 255, 0.2126L * 219 / 255, 0.7152L * 219 / 255, 0.0722L * 219 / 255}},
    };
    random_numbers random(60);
    for (const int layout : {IQA_LAYOUT_NHWC, IQA_LAYOUT_NCDHW})
        for (const auto &of_luma : kinds)
            for (const int shave : {0, 3}) {
                const auto &luma = of_luma.weights;
                const int kind = of_luma.kind;
                const int64_t depth = layout == IQA_LAYOUT_NCDHW ? 9 : 1;
                const pair_of<TestType> images(layout, {2, 3, depth, 21, 34}, 61);
                volume<double> weights(layout, {2, 1, depth, 21, 34});
                weights.fill([&](const place &) { return random.uniform(); });
                iqa_psnr_options options = options_for(layout, double(peak));
                options.luma = kind;
                options.shave = shave;
                const auto check = [&](const iqa_tensor *tensor, const auto &weight) {
                    const metric_pointer metric = measured(context, options, images.x.view(), images.y.view(), tensor);
                    weighted_error all;
                    for (int64_t image = 0; image < 2; ++image) {
                        const weighted_error sum = slow_error(images.x, image, -1, {luma, 0, shave},
                                                              sample_of(images.x), sample_of(images.y), weight);
                        all.errors += sum.errors;
                        all.weight += sum.weight;
                    }
                    CAPTURE(layout, kind, shave);
                    CHECK(close(read(metric), all.psnr(peak)));
                    CHECK(read(metric, IQA_FIELD_SAMPLES) == double(all.weight));
                };
                check(nullptr, [](const place &) { return 1.0; });
                check(weights.view(), [&](const place &at) {
                    return rounded_weight(weights[{at[0], 0, at[2], at[3], at[4]}]);
                });
            }
}

TEST_CASE("luma as rgb2ycbcr gives it, rounded too", "[psnr_weights]")
{
    const context_pointer context = make_context();
    const std::vector<uint8_t> black = {0, 0, 0};
    const std::vector<uint8_t> white = {255, 255, 255};
    iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
    options.layout = IQA_LAYOUT_HWC;
    const auto error = [&](const std::vector<uint8_t> &x, const std::vector<uint8_t> &y, int luma, int rounded) {
        options.luma = luma;
        options.luma_rounded = rounded;
        const metric_pointer metric = measured(context, options, tensor(x.data(), IQA_UINT8, {1, 1, 3}),
                                               tensor(y.data(), IQA_UINT8, {1, 1, 3}), nullptr);
        CHECK(read(metric, IQA_FIELD_SAMPLES) == 1);
        return std::sqrt(read(metric, IQA_FIELD_MSE));
    };
    // 16 for black and 235 for white.
    CHECK(std::abs(error(black, white, IQA_LUMA_BT601_STUDIO, 0) - 219) < 1e-12);
    CHECK(error(black, white, IQA_LUMA_BT601_STUDIO, 1) == 219);
    CHECK(std::abs(error(black, white, IQA_LUMA_BT709_STUDIO, 0) - 219) < 1e-12);
    CHECK(error(black, white, IQA_LUMA_BT601_FULL, 1) == 255);
    CHECK(std::abs(error(black, {255, 0, 0}, IQA_LUMA_BT601_FULL, 0) - 76.245) < 1e-12);
    CHECK(error(black, {255, 0, 0}, IQA_LUMA_BT601_FULL, 1) == 76);
    CHECK(error(black, {0, 255, 0}, IQA_LUMA_BT601_STUDIO, 1) == 145 - 16);
    CHECK(error(black, {0, 0, 255}, IQA_LUMA_BT601_STUDIO, 1) == 41 - 16);
    // One channel is luma already.
    const metric_pointer grey = measured(context, options, tensor(black.data(), IQA_UINT8, {3, 1, 1}),
                                         tensor(white.data(), IQA_UINT8, {3, 1, 1}), nullptr);
    CHECK(read(grey, IQA_FIELD_MSE) == 65025);
    CHECK(read(grey, IQA_FIELD_SAMPLES) == 3);
}

// A device that is behind says less of the data: see tests/cuda/psnr/test_psnr_backend.cpp.
TEST_CASE("bad weights, masks and luma say what is wrong", "[psnr_weights][host]")
{
    const context_pointer context = make_context();
    const pair_of<float> images(IQA_LAYOUT_NHWC, {2, 4, 1, 5, 6}, 62);
    iqa_psnr_options options = options_for(IQA_LAYOUT_NHWC, 120);
    const auto check = [&](iqa_status expected, const iqa_tensor *weights, const std::vector<std::string> &fragments) {
        const metric_pointer metric = make_psnr(context, options);
        const auto before = bytes_of(metric);
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.weights = weights;
        CHECK(iqa_metric_update(metric.get(), images.x.view(), images.y.view(), &extras) == expected);
        const std::string text = iqa_context_error(context.get());
        CAPTURE(text);
        for (const std::string &fragment : fragments)
            CHECK(text.find(fragment) != std::string::npos);
        CHECK((expected == IQA_OK || bytes_of(metric) == before));
    };
    std::vector<float> weights(60, 1.0f);
    const tensor of_pixels(weights.data(), IQA_FLOAT32, {2, 5, 6});
    check(IQA_OK, of_pixels, {});
    check(IQA_ERROR_SHAPE, tensor(weights.data(), IQA_FLOAT32, {2, 6, 5}), {"weights has shape [2, 6, 5]", "[2, 5, 6"});
    check(IQA_ERROR_DTYPE, tensor(weights.data(), IQA_FLOAT16, {2, 5, 6}), {"weights has element type float16"});
    weights[37] = 1.5f;
    weights[40] = -0.25f;
    check(IQA_ERROR_NUMERIC, of_pixels, {"weights has 2 values", "0 to 1", "1.5", "[1, 1, 1, 0]"});
    weights[37] = weights[40] = 1.0f;
    weights[3] = std::nanf("");
    check(IQA_ERROR_NUMERIC, of_pixels, {"weights has 1 values", "nan", "[0, 0, 3, 0]"});
    std::fill(weights.begin() + 30, weights.end(), 0.0f);
    weights[3] = 1.0f;
    check(IQA_ERROR_NUMERIC, of_pixels, {"image 1", "masked"});
    options.luma = IQA_LUMA_BT601_FULL;
    check(IQA_ERROR_SHAPE, nullptr, {"4 channels", "luma", "R, G, B"});
    options.luma = IQA_LUMA_NONE;
    options.shave = 3;
    check(IQA_ERROR_SHAPE, nullptr, {"height 5", "3 pixels", "nothing"});
    options.shave = 2;
    weights[3] = std::nanf(""); // outside of what is left
    std::fill(weights.begin() + 30, weights.end(), 1.0f);
    check(IQA_OK, of_pixels, {});

    // The first non-finite sample that is not masked is named, in the caller's own places.
    pair_of<float> broken = images;
    broken.y[{0, 1, 0, 2, 2}] = broken.y[{1, 3, 0, 2, 3}] = HUGE_VALF;
    weights[14] = 0.0f;
    const metric_pointer metric = make_psnr(context, options);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = of_pixels;
    CHECK(iqa_metric_update(metric.get(), broken.x.view(), broken.y.view(), &extras) == IQA_ERROR_NUMERIC);
    CHECK(std::string(iqa_context_error(context.get()))
              .find("1 non-finite samples, the first in the candidate at "
                    "[1, 2, 3, 3]") != std::string::npos);

    options = options_for(IQA_LAYOUT_HW, 1);
    iqa_metric *none = nullptr;
    const auto refused = [&](auto change, const char *fragment) {
        iqa_psnr_options bad = options;
        change(bad);
        CHECK(iqa_psnr_create(context.get(), &bad, &none) == IQA_ERROR_INVALID_ARGUMENT);
        CHECK(std::string(iqa_context_error(context.get())).find(fragment) != std::string::npos);
    };
    refused([](auto &o) { o.luma = 5; }, "luma is 5");
    refused([](auto &o) { o.luma_rounded = 2; }, "luma_rounded is 2");
    refused([](auto &o) { o.shave = -1; }, "shave is -1");
    refused([](auto &o) { o.gradient = 2; }, "gradient is 2");
}

TEST_CASE("a channel without any weight has no value", "[psnr_weights]")
{
    const context_pointer context = make_context();
    const pair_of<uint8_t> images(IQA_LAYOUT_CHW, {1, 3, 1, 20, 30}, 63);
    volume<uint8_t> mask(IQA_LAYOUT_CHW, images.x.extents);
    mask.fill([](const place &at) { return at[1] != 1; });
    std::vector<double> per_channel(3);
    const tensor view(per_channel.data(), IQA_FLOAT64, {1, 3});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_channel = view;
    measured(context, options_for(IQA_LAYOUT_CHW, 255), images.x.view(), images.y.view(), mask.view(), extras);
    CHECK(std::isfinite(per_channel[0]));
    CHECK(std::isnan(per_channel[1]));
    CHECK(std::isfinite(per_channel[2]));
}
