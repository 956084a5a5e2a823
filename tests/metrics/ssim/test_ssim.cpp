// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/ssim_reference.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

iqa_ssim_options ssim_options(double low, double high)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.data_low = low;
    options.data_high = high;
    return options;
}

double measure(const iqa_ssim_options &options, const iqa_tensor *x, const iqa_tensor *y, int isa = IQA_ISA_BEST)
{
    const context_pointer context = make_context(2, isa);
    double value = -12345;
    const iqa_status status = iqa_measure_ssim(context.get(), &options, x, y, &value);
    INFO(iqa_context_error(context.get()));
    REQUIRE(status == IQA_OK);
    return value;
}

// The formula pair in one element type.
template <class Sample>
double measure_formula(iqa_ssim_options options, int64_t height = 64, int64_t width = 64, double factor = 1,
                       double offset = 0)
{
    const auto x = make_image<Sample>(height, width,
                                      [&](int64_t i, int64_t j) { return factor * formula_reference(i, j) + offset; });
    const auto y = make_image<Sample>(height, width,
                                      [&](int64_t i, int64_t j) { return factor * formula_candidate(i, j) + offset; });
    const tensor tx(x.data(), dtype_of<Sample>::value, {height, width});
    const tensor ty(y.data(), dtype_of<Sample>::value, {height, width});
    return measure(options, tx, ty);
}

struct known_value {
    const char *name;
    double value;
    void (*change)(iqa_ssim_options &);
};

// scikit-image, TorchMetrics and pytorch-msssim on the formula pair; float64 unless their precision is lower.
const known_value known_values[] = {
    {"Gaussian, valid", 0.9874162293236853,
     [](iqa_ssim_options &) {
     }},
    {"reflect", 0.9873493091582206,
     [](iqa_ssim_options &o) {
         o.border = IQA_BORDER_REFLECT;
     }},
    {"symmetric", 0.9872323585625431,
     [](iqa_ssim_options &o) {
         o.border = IQA_BORDER_SYMMETRIC;
     }},
    {"replicate", 0.9871217439923439,
     [](iqa_ssim_options &o) {
         o.border = IQA_BORDER_REPLICATE;
     }},
    {"zero", 0.9881558707061693,
     [](iqa_ssim_options &o) {
         o.border = IQA_BORDER_ZERO;
     }},
    {"sample covariance", 0.9874156265777748,
     [](iqa_ssim_options &o) {
         o.covariance = IQA_COVARIANCE_SAMPLE;
     }},
    {"uniform 7, sample covariance", 0.9876171074545104,
     [](iqa_ssim_options &o) {
         o.window = IQA_WINDOW_UNIFORM;
         o.size_y = o.size_x = 7;
         o.covariance = IQA_COVARIANCE_SAMPLE;
     }},
    {"uniform 7", 0.9876184922214606,
     [](iqa_ssim_options &o) {
         o.window = IQA_WINDOW_UNIFORM;
         o.size_y = o.size_x = 7;
     }},
    {"uniform 11", 0.9877940080763788,
     [](iqa_ssim_options &o) {
         o.window = IQA_WINDOW_UNIFORM;
         o.size_y = o.size_x = 11;
     }},
    {"uniform 11, sample covariance", 0.9877934684565111,
     [](iqa_ssim_options &o) {
         o.window = IQA_WINDOW_UNIFORM;
         o.size_y = o.size_x = 11;
         o.covariance = IQA_COVARIANCE_SAMPLE;
     }},
    {"sigma 0.5", 0.9801868960505983,
     [](iqa_ssim_options &o) {
         o.sigma_y = o.sigma_x = 0.5;
     }},
    {"sigma 0.5, reflect", 0.9796941072476788,
     [](iqa_ssim_options &o) {
         o.sigma_y = o.sigma_x = 0.5;
         o.border = IQA_BORDER_REFLECT;
     }},
    {"sigma 1", 0.9868124303676177,
     [](iqa_ssim_options &o) {
         o.sigma_y = o.sigma_x = 1;
     }},
    {"sigma 1, reflect", 0.9866395765058398,
     [](iqa_ssim_options &o) {
         o.sigma_y = o.sigma_x = 1;
         o.border = IQA_BORDER_REFLECT;
     }},
    {"sigma 2", 0.9876043486309082,
     [](iqa_ssim_options &o) {
         o.sigma_y = o.sigma_x = 2;
     }},
    {"sigma 2, reflect", 0.9875418180140898,
     [](iqa_ssim_options &o) {
         o.sigma_y = o.sigma_x = 2;
         o.border = IQA_BORDER_REFLECT;
     }},
};

} // namespace

TEST_CASE("values that other libraries give", "[ssim]")
{
    for (const known_value &known : known_values) {
        INFO(known.name);
        iqa_ssim_options options = ssim_options(0, 255);
        known.change(options);
        CHECK(std::abs(measure_formula<double>(options) - known.value) < 1e-12);
        CHECK(std::abs(measure_formula<float>(options) - known.value) < 1e-7);
        CHECK(std::abs(measure_formula<uint8_t>(options) - known.value) < 1e-7);
        CHECK(std::abs(measure_formula<int16_t>(options) - known.value) < 1e-7);
        options.arithmetic = IQA_ARITHMETIC_FLOAT64;
        CHECK(std::abs(measure_formula<uint8_t>(options) - known.value) < 1e-12);
    }
    iqa_ssim_options defaults = IQA_SSIM_OPTIONS_INIT;
    CHECK(std::abs(measure_formula<uint8_t>(defaults) - 0.9874162293236853) < 1e-7);
    // 16-bit: 257 times the picture in 257 times the range.
    CHECK(std::abs(measure_formula<uint16_t>(defaults, 64, 64, 257) - 0.9874162293236853) < 1e-7);
    CHECK(std::abs(measure_formula<double>(ssim_options(0, 255), 512, 512) - 0.9872774137984976) < 1e-12);
    // pytorch-msssim at sigma 0.5, 1 and 2 with its fixed 11 taps, and its single-precision window.
    for (const auto &[sigma, value] : {std::pair{0.5, 0.98021625}, {1.0, 0.98676710}, {2.0, 0.98760501}}) {
        iqa_ssim_options options = ssim_options(0, 255);
        options.sigma_y = options.sigma_x = sigma;
        options.size_y = options.size_x = 11;
        CHECK(std::abs(measure_formula<double>(options) - value) < 1e-7);
    }
}

TEST_CASE("an offset costs no accuracy", "[ssim]")
{
    CHECK(std::abs(measure_formula<double>(ssim_options(0, 65535), 64, 64, 1, 40000) - 0.9999666006908825) < 1e-12);
    CHECK(std::abs(measure_formula<double>(ssim_options(0, 255), 64, 64, 1, 40000) - 0.9875702357390872) < 1e-12);
    CHECK(std::abs(measure_formula<float>(ssim_options(0, 255), 64, 64, 1, 40000) - 0.9875702357390872) < 1e-7);
    CHECK(std::abs(measure_formula<uint16_t>(ssim_options(0, 255), 64, 64, 1, 40000) - 0.9875702357390872) < 1e-7);
}

TEST_CASE("windows that differ by axis", "[ssim]")
{
    const char *preds[] = {"1101101", "1011000", "1000000", "0010001", "0010010", "0100111", "1101101"};
    const char *target[] = {"1101101", "0001110", "1110101", "1000101", "1111011", "0010100", "0100110"};
    const auto x = make_image<double>(7, 7, [&](int64_t i, int64_t j) { return preds[i][j] - '0'; });
    const auto y = make_image<double>(7, 7, [&](int64_t i, int64_t j) { return target[i][j] - '0'; });
    const tensor tx(x.data(), IQA_FLOAT64, {7, 7});
    const tensor ty(y.data(), IQA_FLOAT64, {7, 7});
    iqa_ssim_options options = ssim_options(0, 1);
    options.border = IQA_BORDER_REFLECT;
    options.sigma_y = 0.25;
    options.sigma_x = 0.5;
    CHECK(std::abs(measure(options, ty, tx) - 0.20977394) < 2e-6); // TorchMetrics, in single precision
    options.border = IQA_BORDER_VALID;
    CHECK(std::abs(measure(options, ty, tx) - 0.088695497621) < 1e-11);
    options.border = IQA_BORDER_REFLECT;
    options.sigma_y = 0.5;
    options.sigma_x = 0.25;
    CHECK(std::abs(measure(options, ty, tx) - 0.13884821) < 2e-6);
    options.window = IQA_WINDOW_UNIFORM;
    options.size_y = 3;
    options.size_x = 5;
    CHECK(std::abs(measure(options, ty, tx) - 0.05032664) < 1e-7);
    options.size_y = 5;
    options.size_x = 3;
    CHECK(std::abs(measure(options, ty, tx) - 0.03472072) < 1e-7);
    options.border = IQA_BORDER_VALID;
    options.size_y = options.size_x = 3;
    CHECK(std::abs(measure(options, ty, tx) - 0.047452313632) < 1e-11);
    options.covariance = IQA_COVARIANCE_SAMPLE;
    CHECK(std::abs(measure(options, ty, tx) - 0.047282323543) < 1e-11);
    options.covariance = IQA_COVARIANCE_POPULATION;
    options.size_y = options.size_x = 7;
    CHECK(std::abs(measure(options, ty, tx) - 0.072548391018) < 1e-11);
}

TEST_CASE("values that follow by hand", "[ssim]")
{
    const std::vector<double> half(20 * 20, 0.5);
    const std::vector<double> quarter(20 * 20, 0.25);
    const tensor a(half.data(), IQA_FLOAT64, {20, 20});
    const tensor b(quarter.data(), IQA_FLOAT64, {20, 20});
    for (int border = IQA_BORDER_VALID; border <= IQA_BORDER_REPLICATE; ++border) {
        iqa_ssim_options options = ssim_options(0, 1);
        options.border = border;
        CHECK(std::abs(measure(options, a, b) - 0.2501 / 0.3126) < 1e-14);
    }
    std::vector<double> up;
    std::vector<double> down;
    for (int i = 1; i <= 9; ++i) {
        up.push_back(i);
        down.push_back(10 - i);
    }
    const tensor x(up.data(), IQA_FLOAT64, {3, 3});
    const tensor y(down.data(), IQA_FLOAT64, {3, 3});
    iqa_ssim_options options = ssim_options(0, 9);
    options.window = IQA_WINDOW_UNIFORM;
    options.size_y = options.size_x = 3;
    CHECK(std::abs(measure(options, x, y) + 0.9891244620039931) < 1e-14);
    options.covariance = IQA_COVARIANCE_SAMPLE;
    CHECK(std::abs(measure(options, x, y) + 0.9903270107278626) < 1e-14);
}

TEST_CASE("the map equals the slow reference", "[ssim]")
{
    const context_pointer context = make_context();
    random_numbers random(7);
    for (int round = 0; round < 60; ++round) {
        iqa_ssim_options options = ssim_options(0, 200);
        options.layout = IQA_LAYOUT_HW;
        options.border = int(random.below(5));
        options.window = int(random.below(2));
        options.size_y = int(2 * random.below(8) + 1);
        options.size_x = round % 3 == 0 ? 11 : int(2 * random.below(8) + 1);
        if (round % 4 == 0)
            options.size_y = 7;
        options.sigma_y = 0.3 + 3 * random.uniform();
        options.sigma_x = 0.3 + 3 * random.uniform();
        options.covariance = options.size_y * options.size_x > 1 ? int(random.below(2)) : 0;
        const bool valid = options.border == IQA_BORDER_VALID;
        const int64_t height = (valid ? options.size_y : 1) + random.below(80);
        const int64_t width = (valid ? options.size_x : 1) + random.below(150);
        std::vector<double> x;
        std::vector<double> y;
        plane slow_x;
        plane slow_y;
        for (int64_t i = 0; i < height; ++i) {
            slow_x.emplace_back();
            slow_y.emplace_back();
            for (int64_t j = 0; j < width; ++j) {
                // Values that single precision holds too.
                const double value = 100 + 80 * std::sin(0.2 * double(i)) * std::cos(0.1 * double(j));
                x.push_back(float(value + 10 * random.uniform()));
                y.push_back(float(x.back() + 20 * random.uniform()));
                slow_x.back().push_back(x.back());
                slow_y.back().push_back(y.back());
            }
        }
        const plane slow = reference_ssim_map(slow_x, slow_y, options);
        const int64_t out_height = int64_t(slow.size());
        const int64_t out_width = int64_t(slow[0].size());
        std::vector<double> map(size_t(out_height * out_width), -7);
        const tensor map_view(map.data(), IQA_FLOAT64, {out_height, out_width});
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.map = map_view;

        const auto largest_error = [&] {
            double largest = 0;
            for (size_t i = 0; i < map.size(); ++i)
                largest =
                    std::max(largest, std::abs(map[i] - double(slow[i / size_t(out_width)][i % size_t(out_width)])));
            return largest;
        };
        CAPTURE(round, options.border, options.window, options.size_y, options.size_x, height, width);
        {
            const metric_pointer metric = make_ssim(context, options);
            REQUIRE(metric);
            REQUIRE(iqa_metric_update(metric.get(), tensor(x.data(), IQA_FLOAT64, {height, width}),
                                      tensor(y.data(), IQA_FLOAT64, {height, width}), &extras) == IQA_OK);
            CHECK(largest_error() < 1e-11);
            CHECK(std::abs(read(metric) - double(reference_mean(slow))) < 1e-12);
        }
        {
            const std::vector<float> fx(x.begin(), x.end());
            const std::vector<float> fy(y.begin(), y.end());
            const metric_pointer metric = make_ssim(context, options);
            REQUIRE(iqa_metric_update(metric.get(), tensor(fx.data(), IQA_FLOAT32, {height, width}),
                                      tensor(fy.data(), IQA_FLOAT32, {height, width}), &extras) == IQA_OK);
            CHECK(largest_error() < 1e-4);
            CHECK(std::abs(read(metric) - double(reference_mean(slow))) < 1e-6);
        }
    }
}

namespace {

template <class Sample>
void check_bounds(double low, double high, const std::function<double(int64_t, int64_t)> &x_value,
                  const std::function<double(int64_t, int64_t)> &y_value, int64_t height, int64_t width)
{
    const context_pointer context = make_context();
    const auto x = make_image<Sample>(height, width, x_value);
    const auto y = make_image<Sample>(height, width, y_value);
    for (int border = IQA_BORDER_VALID; border <= IQA_BORDER_ZERO; ++border)
        for (const double k : {0.0, 0.03}) {
            if (border == IQA_BORDER_VALID && (height < 11 || width < 11))
                continue;
            iqa_ssim_options options = ssim_options(low, high);
            options.border = border;
            options.k1 = options.k2 = k;
            const int64_t out_height = border == IQA_BORDER_VALID ? height - 10 : height;
            const int64_t out_width = border == IQA_BORDER_VALID ? width - 10 : width;
            std::vector<float> map(size_t(out_height * out_width), -7);
            const tensor map_view(map.data(), IQA_FLOAT32, {out_height, out_width});
            iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
            extras.map = map_view;
            const metric_pointer metric = make_ssim(context, options);
            const tensor tx(x.data(), dtype_of<Sample>::value, {height, width});
            const tensor ty(y.data(), dtype_of<Sample>::value, {height, width});
            CAPTURE(border, k, height, width, low, high, dtype_of<Sample>::value);
            REQUIRE(iqa_metric_update(metric.get(), tx, ty, &extras) == IQA_OK);
            float least = 2;
            float most = -2;
            for (const float value : map) {
                REQUIRE(value == value);
                least = std::min(least, value);
                most = std::max(most, value);
            }
            CHECK(least >= -1.0f);
            CHECK(most <= 1.0f);
            CHECK(read(metric) <= 1.0);
            CHECK(read(metric) >= -1.0);
            REQUIRE(iqa_metric_reset(metric.get()) == IQA_OK);
            REQUIRE(iqa_metric_update(metric.get(), tx, tx, &extras) == IQA_OK);
            for (const float value : map)
                REQUIRE(value == 1.0f);
            CHECK(read(metric) == 1.0);
        }
}

} // namespace

TEMPLATE_TEST_CASE("never above 1, never below -1, exactly 1 for equal images", "[ssim]", uint8_t, uint16_t, int16_t,
                   iqa::float16, iqa::bfloat16, float, double)
{
    random_numbers random(11);
    const auto noise = [&](int64_t, int64_t) {
        return double(random.below(128));
    };
    const auto flat = [](int64_t, int64_t) {
        return 7.0;
    };
    const auto other_flat = [](int64_t, int64_t) {
        return 120.0;
    };
    const auto ramp = [](int64_t i, int64_t j) {
        return double((i + j) % 128);
    };
    const auto inverse_ramp = [](int64_t i, int64_t j) {
        return 127.0 - double((i + j) % 128);
    };
    for (const auto &[height, width] : {std::pair<int64_t, int64_t>{1, 11}, {11, 11}, {13, 37}, {65, 129}, {70, 301}}) {
        check_bounds<TestType>(0, 128, noise, noise, height, width);
        check_bounds<TestType>(0, 1, noise, noise, height, width); // far outside the stated range
        check_bounds<TestType>(0, 128, flat, other_flat, height, width);
        check_bounds<TestType>(0, 128, flat, noise, height, width);
        check_bounds<TestType>(0, 128, ramp, inverse_ramp, height, width);
    }
}

TEMPLATE_TEST_CASE("bounds hold at any offset and scale", "[ssim]", float, double)
{
    random_numbers random(12);
    for (const double offset : {0.0, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, -1e7})
        for (const double unit : {1e-12, 1.0, 1e6}) {
            const auto near = [&](int64_t, int64_t) {
                return unit * (offset + random.uniform());
            };
            check_bounds<TestType>(0, unit, near, near, 23, 131);
        }
}

TEST_CASE("a large image keeps its bounds and its exact one", "[ssim]")
{
    random_numbers random(13);
    const auto noise = [&](int64_t, int64_t) {
        return double(random.below(256));
    };
    const auto image = make_image<uint8_t>(2160, 3840, noise);
    const tensor view(image.data(), IQA_UINT8, {2160, 3840});
    CHECK(measure(IQA_SSIM_OPTIONS_INIT, view, view) == 1.0);
}

TEST_CASE("published failures of other libraries", "[ssim]")
{
    // Zeros against zeros in half precision came out as 1.3245; 0.6 against 0.6 + 1e-7 as 1.0000043.
    const std::vector<iqa::float16> zeros(32 * 32, iqa::float16{0});
    const tensor half(zeros.data(), IQA_FLOAT16, {32, 32});
    CHECK(measure(ssim_options(0, 1), half, half) == 1.0);
    const std::vector<float> a(11 * 11, 0.6f);
    const std::vector<float> b(11 * 11, 0.6f + 1e-7f);
    const double close =
        measure(ssim_options(0, 1), tensor(a.data(), IQA_FLOAT32, {11, 11}), tensor(b.data(), IQA_FLOAT32, {11, 11}));
    CHECK(close <= 1.0);
    CHECK(std::abs(close - 0.9999999999989) < 1e-9);
    // A change in the outermost row must show where the whole map counts.
    auto x = make_image<double>(64, 64, formula_reference);
    auto y = x;
    for (int j = 0; j < 64; ++j)
        y[size_t(j)] = 0;
    for (int border = IQA_BORDER_REFLECT; border <= IQA_BORDER_ZERO; ++border) {
        iqa_ssim_options options = ssim_options(0, 255);
        options.border = border;
        CHECK(measure(options, tensor(x.data(), IQA_FLOAT64, {64, 64}), tensor(y.data(), IQA_FLOAT64, {64, 64})) <
              0.999);
    }
}

TEST_CASE("images, channels and their means come from one pass", "[ssim]")
{
    const context_pointer context = make_context();
    const int64_t n = 3;
    const int64_t c = 3;
    const int64_t h = 40;
    const int64_t w = 150;
    random_numbers random(5);
    std::vector<uint8_t> x(size_t(n * c * h * w));
    std::vector<uint8_t> y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        x[i] = uint8_t(random.below(256));
        y[i] = uint8_t(random.below(2) == 0 ? x[i] : random.below(256));
    }
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.layout = IQA_LAYOUT_NHWC;
    std::vector<double> per_image(size_t(n), -7);
    std::vector<double> per_channel(size_t(n * c), -7);
    std::vector<float> map(size_t(n * (h - 10) * (w - 10) * c), -7);
    const tensor image_view(per_image.data(), IQA_FLOAT64, {n});
    const tensor channel_view(per_channel.data(), IQA_FLOAT64, {n, c});
    const tensor map_view(map.data(), IQA_FLOAT32, {n, h - 10, w - 10, c});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_image = image_view;
    extras.per_channel = channel_view;
    extras.map = map_view;
    const metric_pointer metric = make_ssim(context, options);
    REQUIRE(iqa_metric_update(metric.get(), tensor(x.data(), IQA_UINT8, {n, h, w, c}),
                              tensor(y.data(), IQA_UINT8, {n, h, w, c}), &extras) == IQA_OK);
    CHECK(read(metric, IQA_FIELD_IMAGES) == 3);
    double mean = 0;
    for (int64_t i = 0; i < n; ++i) {
        double of_channels = 0;
        for (int64_t k = 0; k < c; ++k) {
            // The same channel as a grey image, by its strides.
            iqa_ssim_options grey = IQA_SSIM_OPTIONS_INIT;
            const tensor gx(x.data() + i * h * w * c + k, IQA_UINT8, {h, w}, {w * c, c});
            const tensor gy(y.data() + i * h * w * c + k, IQA_UINT8, {h, w}, {w * c, c});
            CHECK(measure(grey, gx, gy) == per_channel[size_t(i * c + k)]);
            double of_map = 0;
            for (int64_t p = 0; p < (h - 10) * (w - 10); ++p)
                of_map += double(map[size_t((i * (h - 10) * (w - 10) + p) * c + k)]);
            CHECK(std::abs(of_map / double((h - 10) * (w - 10)) - per_channel[size_t(i * c + k)]) < 1e-9);
            of_channels += per_channel[size_t(i * c + k)] / double(c);
        }
        CHECK(std::abs(of_channels - per_image[size_t(i)]) < 1e-15);
        mean += per_image[size_t(i)] / double(n);
    }
    CHECK(std::abs(mean - read(metric)) < 1e-15);
}

TEST_CASE("samples outside the range are counted once each", "[ssim]")
{
    const context_pointer context = make_context();
    for (int border = IQA_BORDER_VALID; border <= IQA_BORDER_ZERO; ++border) {
        iqa_ssim_options options = ssim_options(0, 1);
        options.border = border;
        std::vector<float> x(200 * 300, 0.5f);
        std::vector<float> y(200 * 300, 0.25f);
        x[0] = -0.1f;
        x[150 * 300 + 131] = 1.5f;
        y[199 * 300 + 299] = 2;
        y[64 * 300 + 128] = std::nextafter(1.0f, 2.0f);
        y[63 * 300 + 127] = 1;
        const metric_pointer metric = make_ssim(context, options);
        REQUIRE(iqa_metric_update(metric.get(), tensor(x.data(), IQA_FLOAT32, {200, 300}),
                                  tensor(y.data(), IQA_FLOAT32, {200, 300}), nullptr) == IQA_OK);
        CHECK(read(metric, IQA_FIELD_OUT_OF_RANGE) == 4);
        CHECK(read(metric, IQA_FIELD_NONFINITE) == 0);
    }
    // Integers with a narrower range than their type.
    std::vector<uint8_t> z(50 * 50, 16);
    z[7] = 15;
    z[8] = 236;
    z[9] = 235;
    const metric_pointer metric = make_ssim(context, ssim_options(16, 235));
    const tensor view(z.data(), IQA_UINT8, {50, 50});
    REQUIRE(iqa_metric_update(metric.get(), view, view, nullptr) == IQA_OK);
    CHECK(read(metric, IQA_FIELD_OUT_OF_RANGE) == 4);
}

TEST_CASE("non-finite samples: an error that says where, or NaN", "[ssim]")
{
    const context_pointer context = make_context();
    std::vector<float> x(80 * 90, 0.5f);
    std::vector<float> y = x;
    x[17 * 90 + 33] = std::numeric_limits<float>::quiet_NaN();
    x[40 * 90 + 2] = std::numeric_limits<float>::infinity();
    y[3] = -std::numeric_limits<float>::infinity();
    const tensor tx(x.data(), IQA_FLOAT32, {80, 90});
    const tensor ty(y.data(), IQA_FLOAT32, {80, 90});
    iqa_ssim_options options = ssim_options(0, 1);
    metric_pointer metric = make_ssim(context, options);
    const std::vector<float> good(80 * 90, 0.25f);
    const tensor tg(good.data(), IQA_FLOAT32, {80, 90});
    REQUIRE(iqa_metric_update(metric.get(), tg, tg, nullptr) == IQA_OK);
    const auto before = bytes_of(metric);
    CHECK(settled_update(metric, tx, ty) == IQA_ERROR_NUMERIC);
    const bool on_cpu = device_of_tests == IQA_CPU; // a device no longer has the images when it is asked
    CHECK(std::string(iqa_context_error(context.get()))
              .find(on_cpu ? "3 non-finite samples, the first in the reference at [17, 33]"
                           : "update 2 on the CUDA device: image 0 has 3 non-finite samples") != std::string::npos);
    CHECK(bytes_of(metric) == before);

    options.nonfinite = IQA_NONFINITE_PROPAGATE;
    metric = make_ssim(context, options);
    std::vector<float> map(70 * 80, -7);
    const tensor map_view(map.data(), IQA_FLOAT32, {70, 80});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.map = map_view;
    REQUIRE(iqa_metric_update(metric.get(), tx, ty, &extras) == IQA_OK);
    CHECK(std::isnan(read(metric)));
    CHECK(read(metric, IQA_FIELD_NONFINITE) == 3);
    CHECK(read(metric, IQA_FIELD_IMAGES) == 1);
    // Exactly the windows that touch such a sample are NaN.
    for (int i = 0; i < 70; ++i)
        for (int j = 0; j < 80; ++j) {
            const auto touches = [&](int row, int column) {
                return row >= i && row <= i + 10 && column >= j && column <= j + 10;
            };
            const bool expected = touches(17, 33) || touches(40, 2) || touches(0, 3);
            REQUIRE(std::isnan(map[size_t(i * 80 + j)]) == expected);
        }
}

TEST_CASE("finite samples whose squares overflow are an error, not a number", "[ssim]")
{
    const context_pointer context = make_context();
    const auto pair = [](auto large) {
        std::vector<decltype(large)> x(40 * 40, large), y(40 * 40, large);
        y[800] = -large;
        return std::pair(x, y);
    };
    const auto [x, y] = pair(1e200);
    const metric_pointer metric = make_ssim(context, ssim_options(0, 1));
    CHECK(settled_update(metric, tensor(x.data(), IQA_FLOAT64, {40, 40}), tensor(y.data(), IQA_FLOAT64, {40, 40})) ==
          IQA_ERROR_NUMERIC);
    CHECK(std::string(iqa_context_error(context.get())).find("outside the data range") != std::string::npos);
    // What overflows a float is measured in double.
    const auto [small_x, small_y] = pair(3e30f);
    const tensor reference(small_x.data(), IQA_FLOAT32, {40, 40});
    const tensor candidate(small_y.data(), IQA_FLOAT32, {40, 40});
    iqa_ssim_options options = ssim_options(0, 1);
    const double value = measure(options, reference, candidate);
    CHECK(value < 1);
    options.arithmetic = IQA_ARITHMETIC_FLOAT64;
    CHECK(measure(options, reference, candidate) == value);
}

TEST_CASE("what does not fit is named", "[ssim]")
{
    const context_pointer context = make_context();
    const auto fails = [&](iqa_status expected, const char *text, const iqa_ssim_options &options, const iqa_tensor *x,
                           const iqa_tensor *y) {
        double value = 0;
        CHECK(iqa_measure_ssim(context.get(), &options, x, y, &value) == expected);
        const std::string message = iqa_context_error(context.get());
        INFO(message);
        CHECK(message.find(text) != std::string::npos);
    };
    const std::vector<uint8_t> memory(3 * 64 * 65);
    const iqa_ssim_options grey = IQA_SSIM_OPTIONS_INIT;
    iqa_ssim_options planar = grey;
    planar.layout = IQA_LAYOUT_CHW;
    const tensor a(memory.data(), IQA_UINT8, {3, 64, 65});
    const tensor b(memory.data(), IQA_UINT8, {3, 64, 64});
    fails(IQA_ERROR_SHAPE, "candidate has shape [3, 64, 64] but reference has [3, 64, 65]", planar, a, b);
    fails(IQA_ERROR_SHAPE, "reference has shape [3, 64, 65] but the layout IQA_LAYOUT_HW has 2 axes", grey, a, a);
    const tensor low(memory.data(), IQA_UINT8, {7, 64});
    fails(IQA_ERROR_SHAPE, "height 7 is smaller than the 11-pixel window", grey, low, low);
    const tensor thin(memory.data(), IQA_UINT8, {64, 10});
    fails(IQA_ERROR_SHAPE, "width 10 is smaller than the 11-pixel window", grey, thin, thin);
    const tensor floats(memory.data(), IQA_FLOAT32, {11, 11});
    fails(IQA_ERROR_INVALID_ARGUMENT, "data range of floating-point images cannot be known", grey, floats, floats);
    const tensor ints(memory.data(), IQA_INT32, {20, 20});
    fails(IQA_ERROR_DTYPE, "element type int32; expected uint8", grey, ints, ints);
    iqa_ssim_options even = grey;
    even.size_x = 8;
    fails(IQA_ERROR_INVALID_ARGUMENT, "size_x is 8; expected an odd number", even, low, low);
    iqa_ssim_options box = grey;
    box.window = IQA_WINDOW_UNIFORM;
    fails(IQA_ERROR_INVALID_ARGUMENT, "size_y is IQA_SIZE_AUTO; a uniform window", box, low, low);
    iqa_ssim_options empty = grey;
    empty.data_low = empty.data_high = 3;
    fails(IQA_ERROR_INVALID_ARGUMENT, "data range is 3 ... 3", empty, low, low);
}

TEST_CASE("results do not depend on layout or strides", "[ssim]")
{
    const context_pointer context = make_context();
    const int64_t h = 75;
    const int64_t w = 141;
    const int64_t c = 3;
    random_numbers random(21);
    std::vector<float> nhwc_x(size_t(h * w * c));
    std::vector<float> nhwc_y(nhwc_x.size());
    for (size_t i = 0; i < nhwc_x.size(); ++i) {
        nhwc_x[i] = float(random.uniform());
        nhwc_y[i] = nhwc_x[i] + 0.1f * float(random.uniform());
    }
    const auto state_of = [&](int layout, const std::vector<float> &x, const std::vector<float> &y, size_t offset,
                              const std::vector<int64_t> &shape, const std::vector<int64_t> &strides, int border) {
        iqa_ssim_options options = ssim_options(0, 1);
        options.layout = layout;
        options.border = border;
        const metric_pointer metric = make_ssim(context, options);
        const tensor tx(x.data() + offset, IQA_FLOAT32, shape, strides);
        const tensor ty(y.data() + offset, IQA_FLOAT32, shape, strides);
        REQUIRE(iqa_metric_update(metric.get(), tx, ty, nullptr) == IQA_OK);
        size_t count = 0;
        iqa_metric_lanes(metric.get(), nullptr, 0, &count);
        std::vector<int64_t> lanes(count);
        iqa_metric_lanes(metric.get(), lanes.data(), count, nullptr);
        return lanes;
    };
    for (int border = IQA_BORDER_VALID; border <= IQA_BORDER_ZERO; ++border) {
        const auto expected = state_of(IQA_LAYOUT_HWC, nhwc_x, nhwc_y, 0, {h, w, c}, {}, border);
        // The same memory read as planes.
        CHECK(state_of(IQA_LAYOUT_CHW, nhwc_x, nhwc_y, 0, {c, h, w}, {1, w * c, c}, border) == expected);
        // Copied: planar, four to a pixel, upside down with a gap after each row.
        const auto copy = [&](const std::vector<float> &from, size_t size, auto &&index) {
            std::vector<float> to(size, -1);
            for (int64_t i = 0; i < h; ++i)
                for (int64_t j = 0; j < w; ++j)
                    for (int64_t k = 0; k < c; ++k)
                        to[size_t(index(i, j, k))] = from[size_t((i * w + j) * c + k)];
            return to;
        };
        const auto planar = [&](int64_t i, int64_t j, int64_t k) {
            return (k * h + i) * w + j;
        };
        CHECK(state_of(IQA_LAYOUT_CHW, copy(nhwc_x, size_t(h * w * c), planar), copy(nhwc_y, size_t(h * w * c), planar),
                       0, {c, h, w}, {}, border) == expected);
        const auto padded = [&](int64_t i, int64_t j, int64_t k) {
            return (i * w + j) * 4 + k;
        };
        CHECK(state_of(IQA_LAYOUT_HWC, copy(nhwc_x, size_t(h * w * 4), padded), copy(nhwc_y, size_t(h * w * 4), padded),
                       0, {h, w, c}, {w * 4, 4, 1}, border) == expected);
        const int64_t pitch = w * c + 5;
        const auto upside_down = [&](int64_t i, int64_t j, int64_t k) {
            return (h - 1 - i) * pitch + j * c + k;
        };
        CHECK(state_of(IQA_LAYOUT_HWC, copy(nhwc_x, size_t(h * pitch), upside_down),
                       copy(nhwc_y, size_t(h * pitch), upside_down), size_t((h - 1) * pitch), {h, w, c}, {-pitch, c, 1},
                       border) == expected);
        const auto mirrored = [&](int64_t i, int64_t j, int64_t k) {
            return (i * w + (w - 1 - j)) * c + k;
        };
        CHECK(state_of(IQA_LAYOUT_HWC, copy(nhwc_x, size_t(h * w * c), mirrored),
                       copy(nhwc_y, size_t(h * w * c), mirrored), size_t((w - 1) * c), {h, w, c}, {w * c, -c, 1},
                       border) == expected);
    }
    // A stride of zero repeats one row, and reference and candidate may lie differently.
    const tensor row(nhwc_x.data(), IQA_FLOAT32, {40, 100}, {0, 1});
    std::vector<float> rows;
    for (int i = 0; i < 40; ++i)
        rows.insert(rows.end(), nhwc_x.begin(), nhwc_x.begin() + 100);
    CHECK(measure(ssim_options(0, 1), row, tensor(rows.data(), IQA_FLOAT32, {40, 100})) == 1.0);
}

TEST_CASE("the shape of the map can be asked for", "[ssim]")
{
    const context_pointer context = make_context();
    const struct {
        int layout;
        std::vector<int64_t> shape;
    } images[] = {{IQA_LAYOUT_HW, {300, 411}}, {IQA_LAYOUT_NHWC, {2, 60, 71, 3}}, {IQA_LAYOUT_NDHW, {1, 31, 47, 40}}};
    for (const auto &[layout, shape] : images)
        for (const int border : {IQA_BORDER_VALID, IQA_BORDER_ZERO})
            for (const int shrink : {IQA_SHRINK_SYMMETRIC, IQA_SHRINK_FLOOR})
                for (const int downsample : {1, 2, 3, 4, int(IQA_DOWNSAMPLE_AUTO)}) {
                    iqa_ssim_options options = ssim_options(0, 255);
                    options.layout = layout;
                    options.border = border;
                    options.shrink = shrink;
                    options.downsample = downsample;
                    options.size_z = options.size_y = options.size_x = 5;
                    options.shave = border == IQA_BORDER_ZERO ? 2 : 0;
                    options.luma = shape.back() == 3 ? IQA_LUMA_BT601_FULL : IQA_LUMA_NONE;
                    CAPTURE(layout, border, shrink, downsample);
                    std::vector<int64_t> expected(shape.size());
                    int32_t factor = 0;
                    REQUIRE(iqa_ssim_map_shape(context.get(), &options, int32_t(shape.size()), shape.data(),
                                               expected.data(), &factor) == IQA_OK);
                    CHECK(factor == (downsample == IQA_DOWNSAMPLE_AUTO ? 1 : downsample));
                    size_t samples = 1;
                    for (const int64_t extent : shape)
                        samples *= size_t(extent);
                    const std::vector<uint8_t> pixels(samples, 7);
                    std::vector<double> map(samples);
                    const metric_pointer metric = make_ssim(context, options);
                    const tensor x(pixels.data(), IQA_UINT8, shape);
                    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
                    const tensor fitting(map.data(), IQA_FLOAT64, expected);
                    extras.map = fitting;
                    CHECK(iqa_metric_update(metric.get(), x, x, &extras) == IQA_OK);
                    --expected[expected.size() - 2];
                    const tensor other(map.data(), IQA_FLOAT64, expected);
                    extras.map = other;
                    CHECK(iqa_metric_update(metric.get(), x, x, &extras) == IQA_ERROR_SHAPE);
                }
    const int64_t shape[] = {8, 300, 1};
    CHECK(iqa_ssim_map_shape(context.get(), nullptr, 2, shape, nullptr, nullptr) == IQA_ERROR_SHAPE);
    CHECK(last_error(context) == "height 8 is smaller than the 11-pixel window");
    CHECK(iqa_ssim_map_shape(context.get(), nullptr, 3, shape, nullptr, nullptr) == IQA_ERROR_SHAPE);
    CHECK(last_error(context) == "ndim is 3 but the layout IQA_LAYOUT_HW has 2 axes");
    CHECK(iqa_ssim_map_shape(context.get(), nullptr, 2, nullptr, nullptr, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
}

TEST_CASE("how large images must be is found for any factor", "[ssim]")
{
    const context_pointer context = make_context();
    iqa_ssim_options options = ssim_options(0, 255);
    options.downsample = 1000000000;
    const int64_t shape[] = {8, 300};
    CHECK(iqa_ssim_map_shape(context.get(), &options, 2, shape, nullptr, nullptr) == IQA_ERROR_SHAPE);
    CHECK(last_error(context).find("the smallest that is enough is 10000000001") != std::string::npos);
}
