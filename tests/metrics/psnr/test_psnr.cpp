// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

iqa_psnr_options psnr_options(double low, double high)
{
    iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
    options.data_low = low;
    options.data_high = high;
    return options;
}

double measure(const iqa_psnr_options &options, const iqa_tensor *x, const iqa_tensor *y)
{
    const context_pointer context = make_context();
    double value = -12345;
    const iqa_status status = iqa_measure_psnr(context.get(), &options, x, y, &value);
    INFO(iqa_context_error(context.get()));
    REQUIRE(status == IQA_OK);
    return value;
}

// Sums in long double, one sample after another.
template <class Sample>
long double slow_psnr(const std::vector<Sample> &x, const std::vector<Sample> &y, long double peak)
{
    long double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) {
        const long double difference = (long double)iqa::widen(x[i]) - (long double)iqa::widen(y[i]);
        sum += difference * difference;
    }
    return 10 * std::log10(peak * peak * (long double)x.size() / sum);
}

} // namespace

TEST_CASE("values that other libraries give", "[psnr]")
{
    const std::vector<double> a = {0, 1, 2, 3};
    const std::vector<double> b = {3, 2, 1, 0};
    const tensor ta(a.data(), IQA_FLOAT64, {2, 2});
    const tensor tb(b.data(), IQA_FLOAT64, {2, 2});
    iqa_psnr_options options = psnr_options(0, 3);
    CHECK(std::abs(measure(options, ta, tb) - 2.552725051) < 1e-9);
    CHECK(measure(options, ta, tb) == double(10 * std::log10(9.0L / 5.0L)));
    options.log_base = std::exp(1.0);
    CHECK(std::abs(measure(options, ta, tb) - double(10 * std::log(9.0L / 5.0L))) < 1e-14);
    CHECK(std::abs(measure(options, ta, tb) - 5.877867222) < 1e-6); // TorchMetrics, in single precision

    const auto x = make_image<uint8_t>(64, 64, formula_reference);
    const auto y = make_image<uint8_t>(64, 64, formula_candidate);
    const tensor tx(x.data(), IQA_UINT8, {64, 64});
    const tensor ty(y.data(), IQA_UINT8, {64, 64});
    CHECK(std::abs(measure(IQA_PSNR_OPTIONS_INIT, tx, ty) - 26.834689749243946) < 1e-13);
    const context_pointer context = make_context();
    const metric_pointer metric = make_psnr(context, IQA_PSNR_OPTIONS_INIT);
    REQUIRE(iqa_metric_update(metric.get(), tx, ty, nullptr) == IQA_OK);
    CHECK(read(metric, IQA_FIELD_MSE) == 134.775634765625);
    CHECK(read(metric, IQA_FIELD_SAMPLES) == 4096);

    const std::vector<uint16_t> black(1000, 0);
    const std::vector<uint16_t> white(1000, 65535);
    const metric_pointer deep = make_psnr(context, IQA_PSNR_OPTIONS_INIT);
    REQUIRE(iqa_metric_update(deep.get(), tensor(black.data(), IQA_UINT16, {20, 50}),
                              tensor(white.data(), IQA_UINT16, {20, 50}), nullptr) == IQA_OK);
    CHECK(read(deep, IQA_FIELD_MSE) == 4294836225.0);
    CHECK(read(deep) == 0.0);

    const char *preds = "1101101101100010000000010001001001001001111101101";
    const char *target = "1101101000111011101011000101111101100101000100110";
    const auto bit = [](const char *text) {
        return make_image<float>(7, 7, [text](int64_t i, int64_t j) { return text[i * 7 + j] - '0'; });
    };
    const auto p = bit(preds);
    const auto t = bit(target);
    CHECK(std::abs(measure(psnr_options(0, 1), tensor(p.data(), IQA_FLOAT32, {7, 7}),
                           tensor(t.data(), IQA_FLOAT32, {7, 7})) -
                   3.284682440) < 1e-9);
}

TEST_CASE("the two averages have names", "[psnr]")
{
    const context_pointer context = make_context();
    const std::vector<double> zero = {0, 0};
    const std::vector<double> error = {std::sqrt(0.5), std::sqrt(0.1)};
    iqa_psnr_options options = psnr_options(0, 1);
    options.layout = IQA_LAYOUT_NHW;
    const metric_pointer metric = make_psnr(context, options);
    std::vector<double> per_image(2);
    const tensor image_view(per_image.data(), IQA_FLOAT64, {2});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_image = image_view;
    REQUIRE(iqa_metric_update(metric.get(), tensor(zero.data(), IQA_FLOAT64, {2, 1, 1}),
                              tensor(error.data(), IQA_FLOAT64, {2, 1, 1}), &extras) == IQA_OK);
    CHECK(std::abs(read(metric) - 5.228787452803376) < 1e-12);
    CHECK(read(metric) == read(metric, IQA_FIELD_PSNR_OF_MEAN_MSE));
    CHECK(std::abs(read(metric, IQA_FIELD_MEAN_PSNR) - 6.505149978319906) < 1e-12);
    CHECK(std::abs(per_image[0] - 3.010299956639812) < 1e-12);
    CHECK(std::abs(per_image[1] - 10) < 1e-12);
    options.aggregate = IQA_MEAN_OF_PSNR;
    const metric_pointer other = make_psnr(context, options);
    REQUIRE(iqa_metric_update(other.get(), tensor(zero.data(), IQA_FLOAT64, {2, 1, 1}),
                              tensor(error.data(), IQA_FLOAT64, {2, 1, 1}), nullptr) == IQA_OK);
    CHECK(read(other) == read(metric, IQA_FIELD_MEAN_PSNR));
}

TEST_CASE("equal images are infinite, capped on demand, and counted", "[psnr]")
{
    const context_pointer context = make_context();
    const std::vector<uint8_t> a(100, 7);
    const std::vector<uint8_t> b(100, 8);
    const tensor ta(a.data(), IQA_UINT8, {10, 10});
    const tensor tb(b.data(), IQA_UINT8, {10, 10});
    iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
    options.aggregate = IQA_MEAN_OF_PSNR;
    const metric_pointer metric = make_psnr(context, options);
    REQUIRE(iqa_metric_update(metric.get(), ta, ta, nullptr) == IQA_OK);
    CHECK(read(metric) == HUGE_VAL);
    CHECK(read(metric, IQA_FIELD_PSNR_OF_MEAN_MSE) == HUGE_VAL);
    CHECK(read(metric, IQA_FIELD_INFINITE_IMAGES) == 1);
    double none = 0;
    CHECK(iqa_metric_read(metric.get(), IQA_FIELD_MEAN_PSNR_OF_FINITE, &none, 1, nullptr) == IQA_ERROR_NO_DATA);
    REQUIRE(iqa_metric_update(metric.get(), ta, tb, nullptr) == IQA_OK);
    CHECK(read(metric) == HUGE_VAL);
    CHECK(std::abs(read(metric, IQA_FIELD_MEAN_PSNR_OF_FINITE) - 20 * std::log10(255.0)) < 1e-12);
    CHECK(std::abs(read(metric, IQA_FIELD_PSNR_OF_MEAN_MSE) - 10 * std::log10(255.0 * 255.0 * 2)) < 1e-12);

    options.cap = 60;
    const metric_pointer capped = make_psnr(context, options);
    REQUIRE(iqa_metric_update(capped.get(), ta, ta, nullptr) == IQA_OK);
    CHECK(read(capped) == 60);
    REQUIRE(iqa_metric_update(capped.get(), ta, tb, nullptr) == IQA_OK);
    CHECK(std::abs(read(capped) - (60 + 20 * std::log10(255.0)) / 2) < 1e-12);
    CHECK(read(capped, IQA_FIELD_INFINITE_IMAGES) == 1);
    options.cap = 40;
    const metric_pointer low = make_psnr(context, options);
    REQUIRE(iqa_metric_update(low.get(), ta, tb, nullptr) == IQA_OK);
    CHECK(read(low) == 40);
}

TEST_CASE("differences of bytes have their exact sum", "[psnr]")
{
    random_numbers random(11);
    for (const int64_t count :
         {1, 31, 32, 63, 64, 65, 127, 129, 16384, 16385, 32768, 32769, 65535, 65536, 65537, 262144, 262145, 300001})
        for (const bool extreme : {false, true}) {
            std::vector<uint8_t> x(size_t(count), 255);
            std::vector<uint8_t> y(size_t(count), 0);
            double squares = 0.0;
            double magnitudes = 0.0;
            for (size_t i = 0; i < x.size(); ++i) {
                if (!extreme) {
                    x[i] = uint8_t(random.below(256));
                    y[i] = uint8_t(random.below(256));
                } else if (i % 2 != 0) {
                    std::swap(x[i], y[i]);
                }
                squares += (x[i] - y[i]) * (x[i] - y[i]);
                magnitudes += std::abs(x[i] - y[i]);
            }
            for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512}) {
                CAPTURE(count, extreme, isa);
                const context_pointer context = make_context(1, isa);
                const auto measure = [&](int32_t which) {
                    iqa_errors_options options = IQA_ERRORS_OPTIONS_INIT;
                    options.measure = which;
                    double value = -1.0;
                    REQUIRE(iqa_measure_errors(context.get(), &options, tensor(x.data(), IQA_UINT8, {1, count}),
                                               tensor(y.data(), IQA_UINT8, {1, count}), &value) == IQA_OK);
                    return value;
                };
                CHECK(measure(IQA_MEAN_SQUARED_ERROR) == squares / double(count));
                CHECK(measure(IQA_MEAN_ABSOLUTE_ERROR) == magnitudes / double(count));
            }
        }
}

TEMPLATE_TEST_CASE("equals a sum in long double", "[psnr]", uint8_t, uint16_t, int16_t, iqa::float16, iqa::bfloat16,
                   float, double)
{
    random_numbers random(31);
    for (const auto &[height, width] : {std::pair<int64_t, int64_t>{1, 1}, {3, 5}, {64, 64}, {301, 517}}) {
        const auto noise = [&](int64_t, int64_t) {
            return double(random.below(120));
        };
        const auto x = make_image<TestType>(height, width, noise);
        const auto y = make_image<TestType>(height, width, noise);
        const double value = measure(psnr_options(0, 255), tensor(x.data(), dtype_of<TestType>::value, {height, width}),
                                     tensor(y.data(), dtype_of<TestType>::value, {height, width}));
        const long double slow = slow_psnr(x, y, 255);
        CHECK(((std::isinf(value) && std::isinf((double)slow)) ||
               std::abs(value - slow) < 1e-13L * std::abs(slow) + 1e-14L));
    }
}

TEMPLATE_TEST_CASE("errors of any size keep their precision", "[psnr]", float, double)
{
    random_numbers random(32);
    const bool single = std::is_same_v<TestType, float>;
    for (const double size : {1e-35, 1e-20, 1e-13, 1e-9, 1e-3, 1.0, 1e3, 1e5, 1e15, 1e30})
        for (const double unit : {1.0, 1e-30, 1e6}) {
            if (single && (size * unit < 1e-34 || size * unit > 1e34))
                continue;
            std::vector<TestType> x;
            std::vector<TestType> y;
            for (int i = 0; i < 5000; ++i) {
                x.push_back(TestType(0));
                y.push_back(TestType(size * unit * random.uniform()));
            }
            const double value = measure(psnr_options(0, unit), tensor(x.data(), dtype_of<TestType>::value, {50, 100}),
                                         tensor(y.data(), dtype_of<TestType>::value, {50, 100}));
            CAPTURE(size, unit);
            CHECK(std::abs(value - slow_psnr(x, y, unit)) < 1e-11);
        }
}

TEST_CASE("the largest and the smallest doubles have a PSNR", "[psnr]")
{
    const std::vector<double> zero = {0.0};
    const auto value = [&](double error, double range) {
        return measure(psnr_options(0, range), tensor(zero.data(), IQA_FLOAT64, {1, 1}),
                       tensor(&error, IQA_FLOAT64, {1, 1}));
    };
    CHECK(std::abs(value(1.7e308, 1.0) + 20 * (308 + std::log10(1.7))) < 1e-11);
    CHECK(std::abs(value(0x1p-1074, 1.0) - 20 * 1074 * std::log10(2.0)) < 1e-11);
    CHECK(std::abs(value(1e307, 1e300) + 140) < 1e-12);
    CHECK(std::abs(value(0x1p-1074, 1e-300) - 20 * (1074 * std::log10(2.0) - 300)) < 1e-11);
}

TEST_CASE("non-finite samples and overflow", "[psnr]")
{
    const context_pointer context = make_context();
    std::vector<double> x(600, 0.5);
    std::vector<double> y(600, 0.25);
    y[123] = std::numeric_limits<double>::quiet_NaN();
    const tensor tx(x.data(), IQA_FLOAT64, {2, 10, 30});
    const tensor ty(y.data(), IQA_FLOAT64, {2, 10, 30});
    iqa_psnr_options options = psnr_options(0, 1);
    options.layout = IQA_LAYOUT_NHW;
    metric_pointer metric = make_psnr(context, options);
    CHECK(settled_update(metric, tx, ty) == IQA_ERROR_NUMERIC);
    CHECK(last_error(context).find("1 non-finite samples, the first in ") != std::string::npos);
    CHECK(read(metric, IQA_FIELD_IMAGES) == 0);
    options.nonfinite = IQA_NONFINITE_PROPAGATE;
    metric = make_psnr(context, options);
    std::vector<double> per_image(2);
    const tensor image_view(per_image.data(), IQA_FLOAT64, {2});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_image = image_view;
    REQUIRE(iqa_metric_update(metric.get(), tx, ty, &extras) == IQA_OK);
    CHECK(std::isnan(per_image[0]));
    CHECK(std::abs(per_image[1] - 10 * std::log10(16.0)) < 1e-12);
    CHECK(std::isnan(read(metric)));
    CHECK(std::isnan(read(metric, IQA_FIELD_MSE)));
    CHECK(read(metric, IQA_FIELD_NONFINITE) == 1);

    const std::vector<double> huge = {1.7e308, 0};
    const std::vector<double> minus = {-1.7e308, 0};
    const metric_pointer overflow = make_psnr(context, psnr_options(0, 1));
    CHECK(settled_update(overflow, tensor(huge.data(), IQA_FLOAT64, {1, 2}),
                         tensor(minus.data(), IQA_FLOAT64, {1, 2})) == IQA_ERROR_NUMERIC);
    CHECK(last_error(context).find("differ by more than a double can hold") != std::string::npos);
}

// A device that is behind no longer has the samples, and names the image alone.
TEST_CASE("the first sample that is not finite is named", "[psnr][host]")
{
    const context_pointer context = make_context();
    const std::vector<double> x(600, 0.5);
    std::vector<double> y = x;
    y[123] = std::numeric_limits<double>::quiet_NaN();
    iqa_psnr_options options = psnr_options(0, 1);
    options.layout = IQA_LAYOUT_NHW;
    const metric_pointer metric = make_psnr(context, options);
    CHECK(settled_update(metric, tensor(x.data(), IQA_FLOAT64, {2, 10, 30}),
                         tensor(y.data(), IQA_FLOAT64, {2, 10, 30})) == IQA_ERROR_NUMERIC);
    CHECK(last_error(context).find("the first in the candidate at [0, 4, 3]") != std::string::npos);
}

TEST_CASE("8- and 16-bit images without a stated range do not mix", "[psnr]")
{
    const context_pointer context = make_context();
    const metric_pointer metric = make_psnr(context, IQA_PSNR_OPTIONS_INIT);
    const std::vector<uint8_t> a = {1, 2, 3, 4};
    const std::vector<uint16_t> b = {1, 2, 3, 5};
    const std::vector<uint16_t> c = {1, 2, 3, 4};
    const tensor ta(a.data(), IQA_UINT8, {2, 2});
    const tensor tb(b.data(), IQA_UINT16, {2, 2});
    const tensor tc(c.data(), IQA_UINT16, {2, 2});
    REQUIRE(iqa_metric_update(metric.get(), tb, tc, nullptr) == IQA_OK);
    CHECK(read(metric) > 0);
    REQUIRE(iqa_metric_update(metric.get(), ta, ta, nullptr) == IQA_OK);
    double value = 0;
    CHECK(iqa_metric_compute(metric.get(), &value) == IQA_ERROR_INCOMPATIBLE);
    CHECK(std::string(iqa_context_error(context.get())).find("8-bit and 16-bit images were mixed") !=
          std::string::npos);
    CHECK(read(metric, IQA_FIELD_MSE) == 0.125);
}

TEST_CASE("channels apart and any strides", "[psnr]")
{
    const context_pointer context = make_context();
    random_numbers random(33);
    const int64_t h = 37;
    const int64_t w = 53;
    std::vector<uint8_t> x(size_t(h * w * 4));
    std::vector<uint8_t> y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        x[i] = uint8_t(random.below(256));
        y[i] = uint8_t(random.below(256));
    }
    iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
    options.layout = IQA_LAYOUT_HWC;
    std::vector<double> per_channel(3);
    const tensor channel_view(per_channel.data(), IQA_FLOAT64, {1, 3});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_channel = channel_view;
    const metric_pointer metric = make_psnr(context, options);
    // Three of four channels, mirrored.
    const tensor tx(x.data() + (w - 1) * 4, IQA_UINT8, {h, w, 3}, {w * 4, -4, 1});
    const tensor ty(y.data() + (w - 1) * 4, IQA_UINT8, {h, w, 3}, {w * 4, -4, 1});
    REQUIRE(iqa_metric_update(metric.get(), tx, ty, &extras) == IQA_OK);
    double total = 0;
    for (int64_t k = 0; k < 3; ++k) {
        double sum = 0;
        for (int64_t p = 0; p < h * w; ++p) {
            const double difference = double(x[size_t(p * 4 + k)]) - double(y[size_t(p * 4 + k)]);
            sum += difference * difference;
        }
        total += sum;
        CHECK(std::abs(per_channel[size_t(k)] - 10 * std::log10(65025.0 * double(h * w) / sum)) < 1e-12);
    }
    CHECK(read(metric, IQA_FIELD_MSE) == total / double(h * w * 3));
    const auto lanes = bytes_of(metric);
    const metric_pointer plain = make_psnr(context, options);
    REQUIRE(iqa_metric_update(plain.get(), tx, ty, nullptr) == IQA_OK);
    CHECK(bytes_of(plain) == lanes);
}

TEST_CASE("samples outside the range are counted", "[psnr]")
{
    const context_pointer context = make_context();
    const metric_pointer metric = make_psnr(context, psnr_options(0, 1));
    const std::vector<float> x = {0, 1, -0.5f, 0.25f, 1.5f, 1};
    const std::vector<float> y = {0, 1, 0.5f, 0.25f, 0.5f, 2};
    REQUIRE(iqa_metric_update(metric.get(), tensor(x.data(), IQA_FLOAT32, {2, 3}),
                              tensor(y.data(), IQA_FLOAT32, {2, 3}), nullptr) == IQA_OK);
    CHECK(read(metric, IQA_FIELD_OUT_OF_RANGE) == 3);
    const metric_pointer no_map = make_psnr(context, psnr_options(0, 1));
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    const tensor map(x.data(), IQA_FLOAT32, {2, 3});
    extras.map = map;
    CHECK(iqa_metric_update(no_map.get(), tensor(x.data(), IQA_FLOAT32, {2, 3}), tensor(y.data(), IQA_FLOAT32, {2, 3}),
                            &extras) == IQA_ERROR_INVALID_ARGUMENT);
}
