// SPDX-License-Identifier: MIT
// Mean absolute error and its kin against a slow sum that rounds once, and against numbers worked out by hand.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "support/catch.hpp"
#include "support/volume.hpp"

using namespace test;

namespace {

constexpr int measures[] = {IQA_MEAN_ABSOLUTE_ERROR,  IQA_MEAN_SQUARED_ERROR, IQA_ROOT_MEAN_SQUARED_ERROR,
                            IQA_NRMSE_EUCLIDEAN,      IQA_NRMSE_MIN_MAX,      IQA_NRMSE_MEAN,
                            IQA_SIGNAL_TO_NOISE_RATIO};
constexpr int field_of_measure[] = {
    IQA_FIELD_MAE,           IQA_FIELD_MSE,        IQA_FIELD_RMSE, IQA_FIELD_NRMSE_EUCLIDEAN,
    IQA_FIELD_NRMSE_MIN_MAX, IQA_FIELD_NRMSE_MEAN, IQA_FIELD_SNR};
constexpr double infinity = std::numeric_limits<double>::infinity();

// The sum of doubles, rounded once: partial sums that do not overlap (Shewchuk, "Adaptive Precision Floating-Point
// Arithmetic", 1997), as Python's math.fsum() has it.
double exact_sum(const std::vector<double> &terms)
{
    std::vector<double> partials;
    for (double term : terms) {
        size_t kept = 0;
        for (double other : partials) {
            if (std::abs(term) < std::abs(other))
                std::swap(term, other);
            const double high = term + other;
            const double low = other - (high - term);
            if (low != 0.0)
                partials[kept++] = low;
            term = high;
        }
        partials.resize(kept);
        partials.push_back(term);
    }
    if (partials.empty())
        return 0.0;
    double high = partials.back();
    partials.pop_back();
    double low = 0.0;
    while (!partials.empty() && low == 0.0) {
        const double part = partials.back();
        partials.pop_back();
        const double sum = high + part;
        low = part - (sum - high);
        high = sum;
    }
    // Half-way cases are settled by what is left.
    if (!partials.empty() && ((low < 0.0 && partials.back() < 0.0) || (low > 0.0 && partials.back() > 0.0))) {
        const double twice = low * 2.0;
        const double sum = high + twice;
        if (twice == sum - high)
            high = sum;
    }
    return high;
}

// Of some samples, one after another; each square, and each product with a weight, is rounded to double.
struct slow_sums {
    std::vector<double> squares, magnitudes, reference_squares, reference, weights;
    double least = infinity, most = -infinity;

    void add(double x, double y, double weight)
    {
        if (weight == 0.0)
            return;
        squares.push_back((x - y) * (x - y) * weight);
        magnitudes.push_back(std::abs(x - y) * weight);
        reference_squares.push_back(x * x * weight);
        reference.push_back(x * weight);
        weights.push_back(weight);
        least = std::min(least, x);
        most = std::max(most, x);
    }
    void add(const slow_sums &other)
    {
        const auto append = [](std::vector<double> &to, const std::vector<double> &from) {
            to.insert(to.end(), from.begin(), from.end());
        };
        append(squares, other.squares);
        append(magnitudes, other.magnitudes);
        append(weights, other.weights);
    }
    double value(int measure) const
    {
        const double weight = exact_sum(weights);
        const long double root = std::sqrt((long double)exact_sum(squares) / weight);
        switch (measure) {
        case IQA_MEAN_ABSOLUTE_ERROR:
            return exact_sum(magnitudes) / weight;
        case IQA_MEAN_SQUARED_ERROR:
            return exact_sum(squares) / weight;
        case IQA_ROOT_MEAN_SQUARED_ERROR:
            return double(root);
        case IQA_NRMSE_EUCLIDEAN:
            return double(std::sqrt((long double)exact_sum(squares) / exact_sum(reference_squares)));
        case IQA_NRMSE_MIN_MAX:
            return double(root / ((long double)most - least));
        case IQA_NRMSE_MEAN:
            return double(root / ((long double)exact_sum(reference) / weight));
        default:
            return double(10 * std::log10((long double)exact_sum(reference_squares) / exact_sum(squares)));
        }
    }
};

bool agrees(int measure, double value, double expected)
{
    if (measure <= IQA_MEAN_SQUARED_ERROR) // one sum and one quotient
        return value == expected;
    return std::abs(value - expected) <= 4e-16 * (std::abs(expected) + (measure == IQA_SIGNAL_TO_NOISE_RATIO ? 1 : 0));
}

iqa_errors_options options_for(int layout, int measure = IQA_MEAN_ABSOLUTE_ERROR)
{
    iqa_errors_options options = IQA_ERRORS_OPTIONS_INIT;
    options.layout = layout;
    options.measure = measure;
    return options;
}

struct outcome {
    metric_pointer metric;
    std::vector<double> per_image, per_channel;
};

template <class Sample>
outcome measured(const context_pointer &context, const iqa_errors_options &options, const volume<Sample> &x,
                 const volume<Sample> &y, const iqa_tensor *weights = nullptr)
{
    outcome result{make_errors(context, options), std::vector<double>(size_t(x.extents[0])), {}};
    INFO(last_error(context));
    REQUIRE(result.metric);
    const bool of_luma = options.luma != IQA_LUMA_NONE && x.extents[1] == 3;
    const int64_t channels = of_luma ? 1 : x.extents[1];
    result.per_channel.resize(size_t(x.extents[0] * channels));
    const tensor per_image(result.per_image.data(), IQA_FLOAT64, {x.extents[0]});
    const tensor per_channel(result.per_channel.data(), IQA_FLOAT64, {x.extents[0], channels});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = weights;
    extras.per_image = per_image;
    extras.per_channel = per_channel;
    const iqa_status status = settled_update(result.metric, x.view(), y.view(), &extras);
    INFO(last_error(context));
    REQUIRE(status == IQA_OK);
    return result;
}

} // namespace

TEST_CASE("mean errors of four samples, worked out by hand", "[errors]")
{
    const context_pointer context = make_context();
    volume<double> x(IQA_LAYOUT_HW, {1, 1, 1, 2, 2});
    volume<double> y = x;
    x.data = {1, 2, 3, 4};
    y.data = {1, 4, 3, 0};
    const double expected[] = {1.5,
                               5.0,
                               2.23606797749979,    // 5^(1/2)
                               0.816496580927726,   // (5 / 7.5)^(1/2)
                               0.7453559924999299,  // 5^(1/2) / 3
                               0.8944271909999159,  // 5^(1/2) / 2.5
                               1.7609125905568124}; // 10 log10(30 / 20)
    for (const int measure : measures) {
        const outcome found = measured(context, options_for(IQA_LAYOUT_HW, measure), x, y);
        CAPTURE(measure);
        CHECK(agrees(measure, read(found.metric), expected[measure]));
        CHECK(read(found.metric, field_of_measure[measure]) == read(found.metric));
        CHECK(found.per_image[0] == read(found.metric));
        CHECK(found.per_channel[0] == read(found.metric));
    }
    double value = 0;
    const iqa_errors_options options = options_for(IQA_LAYOUT_HW);
    CHECK(iqa_measure_errors(context.get(), &options, x.view(), y.view(), &value) == IQA_OK);
    CHECK(value == 1.5);
}

TEMPLATE_TEST_CASE("mean errors of every type equal sums that are rounded once", "[errors]", uint8_t, uint16_t, int16_t,
                   iqa::float16, iqa::bfloat16, float, double)
{
    const context_pointer context = make_context();
    random_numbers random(91);
    for (const int layout : {IQA_LAYOUT_NHWC, IQA_LAYOUT_NCHW, IQA_LAYOUT_HW, IQA_LAYOUT_NDHWC, IQA_LAYOUT_CDHW})
        for (const bool weighted : {false, true}) {
            place extents = {3, 3, 4, 31, 43};
            for (const char axis : {'N', 'C', 'D'})
                if (std::string(axes_of_layout[layout]).find(axis) == std::string::npos)
                    extents[axis_number(axis)] = 1;
            const bool is_real = std::is_same_v<TestType, float> || std::is_same_v<TestType, double>;
            const bool is_signed = !std::is_unsigned_v<TestType>;
            volume<TestType> x(layout, extents);
            volume<TestType> y(layout, extents);
            const auto sample = [&](const place &) {
                const double whole = double(random.below(240)) - (is_signed ? 120 : 0);
                return is_real ? (whole + random.uniform()) * 1.7 : whole;
            };
            x.fill(sample);
            y.fill(sample);
            volume<double> weights(layout, extents);
            weights.fill([&](const place &) {
                return random.below(4) == 0 ? 0.0 : std::nearbyint(random.uniform() * 0x1p24) * 0x1p-24;
            });
            std::vector<slow_sums> images(static_cast<size_t>(extents[0]));
            std::vector<slow_sums> channels(size_t(extents[0] * extents[1]));
            x.for_each([&](const place &at) {
                for (slow_sums *sums : {&images[size_t(at[0])], &channels[size_t(at[0] * extents[1] + at[1])]})
                    sums->add(double(iqa::widen(x[at])), double(iqa::widen(y[at])), weighted ? weights[at] : 1.0);
            });
            slow_sums all;
            for (const slow_sums &image : images)
                all.add(image);
            const tensor of_weights = weights.view();
            for (const int measure : measures) {
                CAPTURE(layout, weighted, measure);
                const outcome found = measured(context, options_for(layout, measure), x, y,
                                               weighted ? of_weights.operator const iqa_tensor *() : nullptr);
                std::vector<double> of_images;
                for (size_t i = 0; i < images.size(); ++i) {
                    CHECK(agrees(measure, found.per_image[i], images[i].value(measure)));
                    of_images.push_back(found.per_image[i]);
                }
                for (size_t i = 0; i < channels.size(); ++i)
                    CHECK(agrees(measure, found.per_channel[i], channels[i].value(measure)));
                const double expected = measure < IQA_NRMSE_EUCLIDEAN ? all.value(measure)
                                                                      : exact_sum(of_images) / double(of_images.size());
                if (measure < IQA_NRMSE_EUCLIDEAN)
                    CHECK(agrees(measure, read(found.metric), expected));
                else
                    CHECK(read(found.metric) == expected); // the sum over images is exact
                CHECK(read(found.metric, IQA_FIELD_SAMPLES) == exact_sum(all.weights));
                CHECK(read(found.metric, IQA_FIELD_IMAGES) == double(extents[0]));
            }
        }
}

TEST_CASE("mean errors of any size, of constants, offsets and outliers", "[errors]")
{
    const context_pointer context = make_context();
    random_numbers random(92);
    const auto check = [&](const volume<double> &x, const volume<double> &y, const iqa_errors_options &base) {
        slow_sums sums;
        x.for_each([&](const place &at) { sums.add(x[at], y[at], 1.0); });
        for (const int measure : measures) {
            iqa_errors_options options = base;
            options.measure = measure;
            CAPTURE(measure);
            CHECK(agrees(measure, measured(context, options, x, y).per_image[0], sums.value(measure)));
        }
    };
    volume<double> x(IQA_LAYOUT_HW, {1, 1, 1, 37, 53});
    volume<double> y = x;
    iqa_errors_options options = options_for(IQA_LAYOUT_HW);
    for (const double size : {1e-140, 1e-20, 1e-9, 1.0, 1e5, 1e20, 1e140})
        for (const double high : {0.0, 1.0, 255.0, 1e-12, 1e12}) { // 0: no range
            options.data_low = high == 0.0 ? 1 : 0;
            options.data_high = high;
            CAPTURE(size, high);
            x.fill([&](const place &) { return size * random.uniform(); });
            y.fill([&](const place &) { return size * random.uniform(); });
            check(x, y, options);
            // An offset, of which the differences know little.
            x.fill([&](const place &) { return 1000 + std::min(size, 1.0) * random.uniform(); });
            y.fill([&](const place &) { return 1000 + std::min(size, 1.0) * random.uniform(); });
            if (x.data != y.data)
                check(x, y, options);
            // One outlier among small ones.
            x.fill([&](const place &) { return 1e-3 * random.uniform(); });
            y.fill([&](const place &) { return 1e-3 * random.uniform(); });
            x.data[777] = size;
            check(x, y, options);
        }
    options = options_for(IQA_LAYOUT_HW);
    x.fill([](const place &) { return 0.25; });
    y.fill([](const place &) { return 0.75; });
    slow_sums sums;
    x.for_each([&](const place &at) { sums.add(x[at], y[at], 1.0); });
    CHECK(measured(context, options, x, y).per_image[0] == 0.5);
    options.measure = IQA_NRMSE_MIN_MAX; // which a constant does not have
    CHECK(measured(context, options, x, y).per_image[0] == infinity);
    options.measure = IQA_NRMSE_MEAN;
    CHECK(measured(context, options, x, y).per_image[0] == 2.0);

    // Squares that no double holds: the mean and its root still do.
    volume<double> far(IQA_LAYOUT_HW, {1, 1, 1, 1, 2});
    volume<double> other = far;
    far.data = {3e-200, 4e-200};
    other.data = {0, 0};
    options.measure = IQA_ROOT_MEAN_SQUARED_ERROR;
    CHECK(agrees(options.measure, measured(context, options, far, other).per_image[0], std::sqrt(12.5) * 1e-200));
    far.data = {1.7e308, -1.5e308};
    CHECK(agrees(options.measure, measured(context, options, far, other).per_image[0], 1.6031219541881399e308));
    options.measure = IQA_MEAN_ABSOLUTE_ERROR;
    CHECK(measured(context, options, far, other).per_image[0] == 1.6e308);
}

TEST_CASE("the largest integers with odd weights, and signs", "[errors]")
{
    const context_pointer context = make_context();
    volume<int16_t> low(IQA_LAYOUT_HW, {1, 1, 1, 256, 256});
    volume<int16_t> high = low;
    low.fill([](const place &) { return -32768; });
    high.fill([](const place &) { return 32767; });
    volume<double> odd(IQA_LAYOUT_HW, low.extents);
    odd.fill([](const place &) { return 1 - 0x1p-24; });
    odd.data[0] = 0x1p-24;
    high.data[0] = -32767;
    const outcome found = measured(context, options_for(IQA_LAYOUT_HW), low, high, odd.view());
    const long double weight = 65535 * (1 - 0x1p-24L) + 0x1p-24L;
    CHECK(read(found.metric) == double((65535.0L * 65535 * (1 - 0x1p-24L) + 0x1p-24L) / weight));
    CHECK(read(found.metric, IQA_FIELD_MSE) == double((65535.0L * 65535 * 65535 * (1 - 0x1p-24L) + 0x1p-24L) / weight));
    const outcome turned = measured(context, options_for(IQA_LAYOUT_HW), high, low, odd.view());
    CHECK(read(turned.metric) == read(found.metric));      // a magnitude knows no sides
    CHECK(read(found.metric, IQA_FIELD_NRMSE_MEAN) < 0.0); // the reference is negative
    CHECK(read(turned.metric, IQA_FIELD_NRMSE_MEAN) > 0.0);
}

TEST_CASE("measures that an image does not have", "[errors]")
{
    const context_pointer context = make_context();
    volume<float> x(IQA_LAYOUT_NHW, {2, 1, 1, 5, 7});
    volume<float> y = x;
    const auto add = [&](double first, double second) {
        x.fill([&](const place &at) { return at[0] == 0 ? first : 1.0 + double(at[4]); });
        y.fill([&](const place &at) { return at[0] == 0 ? second : 2.0 + double(at[4]); });
        return measured(context, options_for(IQA_LAYOUT_NHW), x, y).metric;
    };
    const metric_pointer both_black = add(0, 0);
    CHECK(read(both_black) == 0.5);
    for (const int field : {IQA_FIELD_NRMSE_EUCLIDEAN, IQA_FIELD_NRMSE_MIN_MAX, IQA_FIELD_NRMSE_MEAN, IQA_FIELD_SNR})
        CHECK(std::isnan(read(both_black, field)));
    const metric_pointer black = add(0, 1);
    CHECK(read(black) == 1.0);
    for (const int field : {IQA_FIELD_NRMSE_EUCLIDEAN, IQA_FIELD_NRMSE_MIN_MAX, IQA_FIELD_NRMSE_MEAN})
        CHECK(read(black, field) == infinity);
    CHECK(read(black, IQA_FIELD_SNR) == -infinity);
    const metric_pointer minus_black = add(-0.0, 1); // the sign of a zero is nothing
    for (const int field : {IQA_FIELD_NRMSE_EUCLIDEAN, IQA_FIELD_NRMSE_MIN_MAX, IQA_FIELD_NRMSE_MEAN})
        CHECK(read(minus_black, field) == infinity);
    const metric_pointer equal = add(3, 3);
    CHECK(read(equal, IQA_FIELD_SNR) == infinity);
    CHECK(read(equal, IQA_FIELD_NRMSE_EUCLIDEAN) > 0.0);
    REQUIRE(iqa_metric_merge(equal.get(), black.get()) == IQA_OK);
    CHECK(std::isnan(read(equal, IQA_FIELD_SNR))); // plus and minus infinity
}

TEMPLATE_TEST_CASE("mean errors of samples that are not finite", "[errors]", iqa::float16, iqa::bfloat16, float, double)
{
    const context_pointer context = make_context();
    volume<TestType> x(IQA_LAYOUT_NHW, {2, 1, 1, 33, 70});
    volume<TestType> y = x;
    random_numbers random(93);
    x.fill([&](const place &) { return double(random.below(120)); });
    y.fill([&](const place &) { return double(random.below(120)); });
    slow_sums sums;
    const place bad = {1, 0, 0, 4, 69};
    for (const bool of_reference : {false, true}) {
        volume<TestType> z = of_reference ? x : y;
        if constexpr (sizeof(TestType) == 2)
            z[bad] = {0x7fff};
        else
            z[bad] = std::numeric_limits<TestType>::quiet_NaN();
        const volume<TestType> &left = of_reference ? z : x;
        const volume<TestType> &right = of_reference ? y : z;
        const metric_pointer strict = make_errors(context, options_for(IQA_LAYOUT_NHW));
        CHECK(settled_update(strict, left.view(), right.view()) == IQA_ERROR_NUMERIC);
        CHECK(last_error(context).find("1 non-finite samples, the first in") != std::string::npos);
        CHECK(read(strict, IQA_FIELD_IMAGES) == 0);
        iqa_errors_options options = options_for(IQA_LAYOUT_NHW);
        options.nonfinite = IQA_NONFINITE_PROPAGATE;
        const outcome through = measured(context, options, left, right);
        CHECK(std::isnan(read(through.metric)));
        CHECK(std::isnan(read(through.metric, IQA_FIELD_SNR)));
        CHECK(read(through.metric, IQA_FIELD_NONFINITE) == 1);
        CHECK(read(through.metric, IQA_FIELD_OUT_OF_RANGE) == 1); // without a range
        CHECK(std::isnan(through.per_image[1]));
        CHECK(std::isnan(through.per_channel[1]));
        CHECK(through.per_image[0] > 0);
        options.nonfinite = IQA_NONFINITE_MASK;
        volume<uint8_t> mask(IQA_LAYOUT_NHW, x.extents);
        mask.fill([&](const place &at) { return at != bad; });
        const outcome masked = measured(context, options, left, right);
        CHECK(bytes_of(masked.metric) == bytes_of(measured(context, options, x, y, mask.view()).metric));
    }
}

TEMPLATE_TEST_CASE("masked samples are as if they were not there", "[errors]", uint8_t, uint16_t, int16_t, iqa::float16,
                   float, double)
{
    const context_pointer context = make_context();
    random_numbers random(97);
    iqa_errors_options options = options_for(IQA_LAYOUT_HWC);
    options.data_low = 40; // some samples lie outside
    options.data_high = 200;
    volume<TestType> x(IQA_LAYOUT_HWC, {1, 3, 1, 40, 557});
    volume<TestType> y = x;
    volume<uint8_t> mask(IQA_LAYOUT_HWC, x.extents);
    x.fill([&](const place &) { return double(random.below(256)); });
    y.fill([&](const place &) { return double(random.below(256)); });
    mask.fill([&](const place &at) { return at[3] < 7 ? 0 : random.below(3); });
    std::vector<TestType> kept_x;
    std::vector<TestType> kept_y;
    mask.for_each([&](const place &at) {
        if (mask[at] == 0)
            return;
        kept_x.push_back(x[at]);
        kept_y.push_back(y[at]);
    });
    volume<TestType> z(IQA_LAYOUT_HW, {1, 1, 1, 1, int64_t(kept_x.size())});
    volume<TestType> w = z;
    z.data = kept_x;
    w.data = kept_y;
    const outcome masked = measured(context, options, x, y, mask.view());
    options.layout = IQA_LAYOUT_HW;
    const outcome kept = measured(context, options, z, w);
    CHECK(lanes_of(masked.metric) == lanes_of(kept.metric));
    CHECK(read(masked.metric, IQA_FIELD_OUT_OF_RANGE) > 1000);
}

TEMPLATE_TEST_CASE("a measure alone is that of all measures, bit for bit", "[errors]", uint8_t, int16_t, float, double)
{
    const context_pointer context = make_context();
    random_numbers random(98);
    volume<TestType> x(IQA_LAYOUT_NHWC, {3, 3, 1, 33, 131});
    volume<TestType> y = x;
    volume<float> w(IQA_LAYOUT_NHWC, {3, 1, 1, 33, 131});
    x.fill([&](const place &) { return double(random.below(200)); });
    y.fill([&](const place &) { return double(random.below(200)); });
    w.fill([&](const place &) { return double(random.below(5)) / 4; });
    const auto view = w.view();
    const iqa_tensor *const weights[] = {nullptr, view};
    for (const int measure : measures)
        for (const iqa_tensor *of_pixels : weights) {
            CAPTURE(measure, of_pixels != nullptr);
            iqa_errors_options options = options_for(IQA_LAYOUT_NHWC, measure);
            const outcome all = measured(context, options, x, y, of_pixels);
            options.alone = 1;
            const outcome alone = measured(context, options, x, y, of_pixels);
            CHECK(read(alone.metric) == read(all.metric));
            CHECK(alone.per_image == all.per_image);
            CHECK(alone.per_channel == all.per_channel);
            CHECK(iqa_metric_merge(all.metric.get(), alone.metric.get()) == IQA_ERROR_INCOMPATIBLE);
            const outcome more = measured(context, options, y, x, of_pixels);
            REQUIRE(iqa_metric_merge(alone.metric.get(), more.metric.get()) == IQA_OK);
            CHECK(read(alone.metric, IQA_FIELD_IMAGES) == 6);
            for (const int other : measures) {
                CAPTURE(other);
                const bool squares = other == IQA_MEAN_SQUARED_ERROR || other == IQA_ROOT_MEAN_SQUARED_ERROR;
                double value = -1;
                const iqa_status status =
                    iqa_metric_read(alone.metric.get(), field_of_measure[other], &value, 1, nullptr);
                if (other == measure || (squares && measure != IQA_MEAN_ABSOLUTE_ERROR)) {
                    CHECK(status == IQA_OK);
                } else {
                    CHECK(status == IQA_ERROR_INVALID_ARGUMENT);
                    CHECK(last_error(context).find(" alone, not ") != std::string::npos);
                }
            }
        }
}

TEST_CASE("a measure alone refuses differences that overflow", "[errors]")
{
    const context_pointer context = make_context();
    volume<double> x(IQA_LAYOUT_HW, {1, 1, 1, 5, 9});
    volume<double> y = x;
    y.fill([](const place &at) { return at[4] == 3 ? 1e308 : 0; });
    x.fill([](const place &at) { return at[4] == 3 ? -1e308 : 0; });
    for (const int measure : measures) {
        iqa_errors_options options = options_for(IQA_LAYOUT_HW, measure);
        options.alone = 1;
        const metric_pointer metric = make_errors(context, options);
        CHECK(settled_update(metric, x.view(), y.view()) == IQA_ERROR_NUMERIC);
        CHECK(read(metric, IQA_FIELD_IMAGES) == 0);
    }
}

TEST_CASE("mean errors of luma, and without edges", "[errors]")
{
    const context_pointer context = make_context();
    volume<uint8_t> x(IQA_LAYOUT_HWC, {1, 3, 1, 20, 31});
    volume<uint8_t> y = x;
    random_numbers random(94);
    x.fill([&](const place &) { return double(random.below(256)); });
    y.fill([&](const place &) { return double(random.below(256)); });
    iqa_errors_options options = options_for(IQA_LAYOUT_HWC);
    options.luma = IQA_LUMA_BT601_FULL;
    options.shave = 3;
    slow_sums sums;
    const auto luma = [](const volume<uint8_t> &of, place at) {
        long double value = 0;
        for (const long double factor : {0.299L, 0.587L, 0.114L})
            value += factor * of[at], ++at[1];
        return double(value);
    };
    x.for_each([&](const place &at) {
        if (at[1] == 0 && at[3] >= 3 && at[3] < 17 && at[4] >= 3 && at[4] < 28)
            sums.add(luma(x, at), luma(y, at), 1.0);
    });
    for (const int measure : measures) {
        options.measure = measure;
        const double found = measured(context, options, x, y).per_image[0];
        CHECK(std::abs(found - sums.value(measure)) <= 1e-14 * std::abs(found));
    }
    // Of floating-point images luma needs a range, for the offset of some of its kinds.
    const volume<float> real(IQA_LAYOUT_HWC, {1, 3, 1, 20, 31});
    const metric_pointer metric = make_errors(context, options);
    CHECK(iqa_metric_update(metric.get(), real.view(), real.view(), nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(last_error(context).find("data range") != std::string::npos);
}

TEST_CASE("views of any strides have the state of a dense copy", "[errors]")
{
    const context_pointer context = make_context();
    random_numbers random(95);
    std::vector<float> memory(2 * 4096);
    for (float &sample : memory)
        sample = float(random.uniform() * 3 - 1);
    const int64_t starts[] = {0, 40, 64 * 22, 3};
    const std::vector<int64_t> strides[] = {{64, 1}, {64, -1}, {-64, 1}, {1, 64}};
    for (int first = 0; first < 4; ++first)
        for (int second = 0; second < 4; ++second) {
            const float *x = memory.data() + starts[first];
            const float *y = memory.data() + 4096 + starts[second];
            volume<float> dense_x(IQA_LAYOUT_HW, {1, 1, 1, 23, 31});
            volume<float> dense_y = dense_x;
            dense_x.for_each([&](const place &at) {
                dense_x[at] = x[at[3] * strides[first][0] + at[4] * strides[first][1]];
                dense_y[at] = y[at[3] * strides[second][0] + at[4] * strides[second][1]];
            });
            const metric_pointer metric = make_errors(context, options_for(IQA_LAYOUT_HW));
            REQUIRE(settled_update(metric, tensor(x, IQA_FLOAT32, {23, 31}, strides[first]),
                                   tensor(y, IQA_FLOAT32, {23, 31}, strides[second])) == IQA_OK);
            CHECK(bytes_of(metric) == bytes_of(measured(context, options_for(IQA_LAYOUT_HW), dense_x, dense_y).metric));
        }
}

TEST_CASE("gradients of mean errors equal central differences", "[errors]")
{
    const context_pointer context = make_context();
    random_numbers random(96);
    for (const int measure : {IQA_MEAN_ABSOLUTE_ERROR, IQA_MEAN_SQUARED_ERROR, IQA_ROOT_MEAN_SQUARED_ERROR})
        for (const bool weighted : {false, true})
            for (const bool of_luma : {false, true}) {
                const place extents = {2, 3, 1, 5, 7};
                volume<double> x(IQA_LAYOUT_NHWC, extents);
                volume<double> y = x;
                x.fill([&](const place &) { return random.uniform(); });
                // Far enough apart for a step never to pass the kink.
                y.for_each([&](const place &at) {
                    y[at] = x[at] + (random.below(2) != 0 ? 1 : -1) * (0.1 + random.uniform());
                });
                if (of_luma) // there the sign is that of the luma
                    y.for_each(
                        [&](const place &at) { y[at] = x[at] + (at[3] % 2 != 0 ? 0.3 : -0.4) * (1 + double(at[1])); });
                volume<double> w(IQA_LAYOUT_NHWC, {2, 1, 1, 5, 7});
                w.fill([&](const place &) {
                    return random.below(4) == 0 ? 0.0 : std::nearbyint(random.uniform() * 0x1p24) * 0x1p-24;
                });
                iqa_errors_options options = options_for(IQA_LAYOUT_NHWC, measure);
                options.data_low = 0;
                options.data_high = 1;
                options.shave = 1;
                options.luma = of_luma ? IQA_LUMA_BT709_FULL : IQA_LUMA_NONE;
                const auto value = [&](const volume<double> &a, const volume<double> &b, int64_t image) {
                    long double sum = 0;
                    long double weight = 0;
                    const long double factors[] = {0.2126L, 0.7152L, 0.0722L};
                    for (int64_t i = 1; i < 4; ++i)
                        for (int64_t j = 1; j < 6; ++j) {
                            const long double own = weighted ? w[{image, 0, 0, i, j}] : 1.0;
                            long double luma = 0;
                            for (int64_t c = 0; c < 3; ++c) {
                                const long double d = (long double)b[{image, c, 0, i, j}] - a[{image, c, 0, i, j}];
                                luma += factors[c] * d;
                                if (!of_luma) {
                                    sum += own * (measure == IQA_MEAN_ABSOLUTE_ERROR ? std::abs(d) : d * d);
                                    weight += own;
                                }
                            }
                            if (of_luma) {
                                sum += own * (measure == IQA_MEAN_ABSOLUTE_ERROR ? std::abs(luma) : luma * luma);
                                weight += own;
                            }
                        }
                    return measure == IQA_ROOT_MEAN_SQUARED_ERROR ? std::sqrt(sum / weight) : sum / weight;
                };
                volume<double> of_x(IQA_LAYOUT_NHWC, extents);
                volume<double> of_y(IQA_LAYOUT_NHWC, extents);
                const metric_pointer metric = make_errors(context, options);
                const tensor reference = of_x.view();
                const tensor candidate = of_y.view();
                const tensor weights = w.view();
                iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
                extras.reference_gradient = reference;
                extras.candidate_gradient = candidate;
                extras.weights = weighted ? weights.operator const iqa_tensor *() : nullptr;
                const iqa_status status = settled_update(metric, x.view(), y.view(), &extras);
                INFO(last_error(context));
                REQUIRE(status == IQA_OK);
                double worst = 0;
                double largest = 0;
                x.for_each([&](const place &at) {
                    for (const bool moves_candidate : {false, true}) {
                        volume<double> up[2] = {x, y};
                        volume<double> down[2] = {x, y};
                        const double step = 0x1p-12;
                        up[moves_candidate][at] += step;
                        down[moves_candidate][at] -= step;
                        const double slope =
                            double((value(up[0], up[1], at[0]) - value(down[0], down[1], at[0])) / (2 * step));
                        worst = std::max(worst, std::abs(slope - (moves_candidate ? of_y : of_x)[at]));
                        largest = std::max(largest, std::abs(slope));
                    }
                });
                CAPTURE(measure, weighted, of_luma);
                CHECK(worst <= 1e-6 * largest);
                CHECK(largest > 0);
            }
}

TEST_CASE("the gradient of the mean absolute error is a sign over how many there are", "[errors]")
{
    const context_pointer context = make_context();
    volume<float> x(IQA_LAYOUT_HW, {1, 1, 1, 2, 4});
    volume<float> y = x;
    x.data = {0, 1, 2, 3, 4, 5, 6, 7};
    y.data = {0, 3, 2, 1, 9, 5, 6, 0};
    volume<double> gradient(IQA_LAYOUT_HW, x.extents);
    const tensor view = gradient.view();
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.candidate_gradient = view;
    const auto run = [&](int measure) {
        const metric_pointer metric = make_errors(context, options_for(IQA_LAYOUT_HW, measure));
        return settled_update(metric, x.view(), y.view(), &extras);
    };
    REQUIRE(run(IQA_MEAN_ABSOLUTE_ERROR) == IQA_OK);
    CHECK(gradient.data == std::vector<double>{0, 0.125, 0, -0.125, 0.125, 0, 0, -0.125});
    for (const double zero : {gradient.data[0], gradient.data[2]})
        CHECK(!std::signbit(zero));
    for (const int measure : {IQA_NRMSE_EUCLIDEAN, IQA_NRMSE_MIN_MAX, IQA_NRMSE_MEAN, IQA_SIGNAL_TO_NOISE_RATIO}) {
        CHECK(run(measure) == IQA_ERROR_INVALID_ARGUMENT);
        CHECK(last_error(context).find("candidate_gradient is wanted with measure") != std::string::npos);
    }
    y = x;
    REQUIRE(run(IQA_ROOT_MEAN_SQUARED_ERROR) == IQA_OK); // 0 for equal images, by definition
    CHECK(gradient.data == std::vector<double>(8, 0.0));
}

TEST_CASE("what a metric of mean errors refuses", "[errors]")
{
    const context_pointer context = make_context();
    const volume<uint8_t> image(IQA_LAYOUT_HW, {1, 1, 1, 4, 5});
    const metric_pointer metric = make_errors(context, options_for(IQA_LAYOUT_HW));
    double value = 0;
    CHECK(iqa_metric_compute(metric.get(), &value) == IQA_ERROR_NO_DATA);
    CHECK(iqa_metric_read(metric.get(), IQA_FIELD_MEAN_PSNR, &value, 1, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(last_error(context).find("field is 8, which mean errors do not have") != std::string::npos);
    std::vector<double> memory(20);
    const tensor map(memory.data(), IQA_FLOAT64, {4, 5});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.map = map;
    CHECK(iqa_metric_update(metric.get(), image.view(), image.view(), &extras) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(last_error(context).find("map") != std::string::npos);
    extras = IQA_UPDATE_EXTRAS_INIT;
    const std::vector<uint8_t> none(20, 0);
    const tensor mask(none.data(), IQA_UINT8, {4, 5});
    extras.weights = mask;
    CHECK(settled_update(metric, image.view(), image.view(), &extras) == IQA_ERROR_NUMERIC);
    CHECK(last_error(context).find("every sample of image 0 is masked") != std::string::npos);
    CHECK(read(metric, IQA_FIELD_IMAGES) == 0);
}
