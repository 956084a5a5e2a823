// SPDX-License-Identifier: MIT
// The gradients of PSNR and of the mean squared error, and the same bits of all that weights, luma and shaved edges
// bring in.
#include <cmath>
#include <cstring>
#include <limits>

#include "core/state.hpp"
#include "support/catch.hpp"
#include "support/volume.hpp"

using namespace test;

namespace {

iqa_psnr_options options_for(int layout)
{
    iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
    options.layout = layout;
    options.data_low = 0;
    options.data_high = 1;
    return options;
}

struct gradients {
    volume<double> reference, candidate;
    metric_pointer metric;
};

template <class Sample>
gradients gradients_of(const context_pointer &context, const iqa_psnr_options &options, const volume<Sample> &x,
                       const volume<Sample> &y, const iqa_tensor *weights = nullptr)
{
    gradients result{{x.layout, x.extents}, {x.layout, x.extents}, make_psnr(context, options)};
    const tensor reference = result.reference.view();
    const tensor candidate = result.candidate.view();
    std::fill(result.candidate.data.begin(), result.candidate.data.end(), 77.0); // every place is written
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = weights;
    extras.reference_gradient = reference;
    extras.candidate_gradient = candidate;
    const iqa_status status = iqa_metric_update(result.metric.get(), x.view(), y.view(), &extras);
    INFO(iqa_context_error(context.get()));
    REQUIRE(status == IQA_OK);
    return result;
}

} // namespace

TEST_CASE("gradients equal central differences", "[psnr_gradient]")
{
    const context_pointer context = make_context();
    random_numbers random(71);
    const std::array<long double, 4> studio = {16 / 255.0L, 65.481L / 255, 128.553L / 255, 24.966L / 255};
    for (const int layout : {IQA_LAYOUT_NHWC, IQA_LAYOUT_NCHW, IQA_LAYOUT_HW, IQA_LAYOUT_NDHWC, IQA_LAYOUT_CDHW})
        for (const int of : {IQA_GRADIENT_OF_PSNR, IQA_GRADIENT_OF_MSE})
            for (const bool weighted : {false, true})
                for (const int64_t shave : {0, 1})
                    for (const bool of_luma : {false, true}) {
                        const std::string axes = axes_of_layout[layout];
                        const auto extent = [&](char axis, int64_t value) {
                            return axes.find(axis) == std::string::npos ? 1 : value;
                        };
                        const place extents = {extent('N', 2), extent('C', 3), extent('D', 4), 5, 7};
                        volume<double> x(layout, extents);
                        volume<double> y(layout, extents);
                        volume<double> w(layout, extents);
                        x.fill([&](const place &) { return random.uniform(); });
                        y.fill([&](const place &) { return random.uniform(); });
                        w.fill([&](const place &) {
                            return random.below(4) == 0 ? 0.0 : std::nearbyint(random.uniform() * 0x1p24) * 0x1p-24;
                        });
                        iqa_psnr_options options = options_for(layout);
                        options.gradient = of;
                        options.log_base = 7;
                        options.shave = int32_t(shave);
                        options.luma = of_luma ? IQA_LUMA_BT601_STUDIO : IQA_LUMA_NONE;
                        slow_rule rule{{}, 0, shave};
                        if (of_luma && extents[1] == 3) {
                            rule.luma = studio;
                            w.for_each([&](const place &at) { w[at] = w[{at[0], 0, at[2], at[3], at[4]}]; });
                        }
                        // Without a channel axis where there is one; the channels' weights are then the first one's.
                        volume<double> first(layout, {extents[0], 1, extents[2], extents[3], extents[4]});
                        first.for_each([&](const place &at) { first[at] = w[at]; });
                        const tensor weights = rule.has_luma() ? first.view() : w.view();
                        const gradients found = gradients_of(
                            context, options, x, y, weighted ? weights.operator const iqa_tensor *() : nullptr);

                        const auto weight = [&](const place &at) {
                            return weighted ? w[at] : 1.0;
                        };
                        const auto value = [&](const place &moved, bool candidate, long double by) {
                            const auto sample = [&](const volume<double> &of_side, bool side) {
                                return [&, side](const place &at) {
                                    return (long double)of_side[at] + (side == candidate && at == moved ? by : 0);
                                };
                            };
                            const weighted_error sum =
                                slow_error(x, moved[0], -1, rule, sample(x, false), sample(y, true), weight);
                            return of == IQA_GRADIENT_OF_MSE ? sum.mean() : sum.psnr(1, 7);
                        };
                        long double worst = 0;
                        long double largest = 0;
                        x.for_each([&](const place &at) {
                            if (random.below(4) != 0) // some of them: each needs the whole image twice
                                return;
                            for (const bool candidate : {false, true}) {
                                const long double step = 1e-6L;
                                const long double slope =
                                    (value(at, candidate, step) - value(at, candidate, -step)) / (2 * step);
                                const double ours = candidate ? found.candidate[at] : found.reference[at];
                                worst = std::max(worst, std::abs(slope - ours));
                                largest = std::max(largest, std::abs(slope));
                            }
                        });
                        CAPTURE(layout, of, weighted, shave, of_luma);
                        CHECK(worst <= 1e-9L * largest);
                        CHECK(largest > 0);
                    }
}

TEST_CASE("gradients are exactly 0 where nothing moves, and NaN where the value is", "[psnr_gradient]")
{
    const context_pointer context = make_context();
    const place extents = {2, 1, 1, 6, 8};
    volume<float> x(IQA_LAYOUT_NHW, extents);
    volume<float> y(IQA_LAYOUT_NHW, extents);
    random_numbers random(72);
    x.fill([&](const place &) { return random.uniform(); });
    y = x;
    y[{1, 0, 0, 2, 3}] = 0.0f;
    iqa_psnr_options options = options_for(IQA_LAYOUT_NHW);
    options.cap = 60;
    gradients found = gradients_of(context, options, x, y);
    x.for_each([&](const place &at) {
        const bool moves = at == place{1, 0, 0, 2, 3};
        CHECK((found.candidate[at] != 0.0) == moves);
        CHECK(found.reference[at] == -found.candidate[at]);
        CHECK(std::signbit(found.candidate[at]) == (moves && found.candidate[at] < 0));
    });
    options.cap = 10; // the value of the second image is the cap
    found = gradients_of(context, options, x, y);
    CHECK(found.candidate.data == std::vector<double>(found.candidate.data.size(), 0.0));
    options.gradient = IQA_GRADIENT_OF_MSE; // which has no cap
    found = gradients_of(context, options, x, y);
    CHECK(found.candidate[{1, 0, 0, 2, 3}] == 2.0 * (0.0 - double(x[{1, 0, 0, 2, 3}])) * (1.0 / 48));

    options = options_for(IQA_LAYOUT_NHW);
    options.nonfinite = IQA_NONFINITE_PROPAGATE;
    y.fill([&](const place &) { return random.uniform(); });
    y[{0, 0, 0, 1, 1}] = std::numeric_limits<float>::quiet_NaN();
    volume<uint8_t> mask(IQA_LAYOUT_NHW, extents);
    mask.fill([](const place &at) { return at[4] != 5; });
    found = gradients_of(context, options, x, y, mask.view(IQA_BOOL));
    x.for_each([&](const place &at) {
        CHECK(std::isnan(found.candidate[at]) == (at[0] == 0 && mask[at] != 0));
        CHECK((found.candidate[at] == 0.0) == (mask[at] == 0));
    });
    options.nonfinite = IQA_NONFINITE_MASK;
    found = gradients_of(context, options, x, y, mask.view(IQA_BOOL));
    x.for_each([&](const place &at) {
        CHECK((found.candidate[at] == 0.0) == (mask[at] == 0 || at == place{0, 0, 0, 1, 1}));
    });
}

TEST_CASE("gradients of errors of any size", "[psnr_gradient]")
{
    const context_pointer context = make_context();
    for (const double size : {1e-300, 1e-150, 1e-9, 1e9, 1e150}) {
        volume<double> x(IQA_LAYOUT_HW, {1, 1, 1, 3, 5});
        volume<double> y = x;
        random_numbers random(73);
        long double sum = 0;
        y.fill([&](const place &) { return size * (1 + random.uniform()); });
        y.for_each([&](const place &at) { sum += (long double)y[at] * y[at]; });
        const gradients found = gradients_of(context, options_for(IQA_LAYOUT_HW), x, y);
        y.for_each([&](const place &at) {
            const long double expected = -20 / std::log(10.0L) * y[at] / sum;
            CAPTURE(size);
            CHECK(std::abs(found.candidate[at] - expected) <= 1e-15L * std::abs(expected));
        });
    }
}

TEST_CASE("outputs of other shapes and types are refused", "[psnr_gradient]")
{
    const context_pointer context = make_context();
    const volume<float> x(IQA_LAYOUT_HWC, {1, 3, 1, 4, 5});
    std::vector<double> memory(60);
    const auto check = [&](iqa_status expected, const tensor &output, const char *fragment) {
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.candidate_gradient = output;
        const metric_pointer metric = make_psnr(context, options_for(IQA_LAYOUT_HWC));
        CHECK(iqa_metric_update(metric.get(), x.view(), x.view(), &extras) == expected);
        CHECK(std::string(iqa_context_error(context.get())).find(fragment) != std::string::npos);
        CHECK(read(metric, IQA_FIELD_IMAGES) == 0);
    };
    check(IQA_ERROR_SHAPE, {memory.data(), IQA_FLOAT64, {4, 5}}, "candidate_gradient has shape [4, 5]");
    check(IQA_ERROR_DTYPE, {memory.data(), IQA_INT16, {4, 5, 3}}, "candidate_gradient has element type int16");
    check(IQA_ERROR_INVALID_ARGUMENT, {nullptr, IQA_FLOAT64, {4, 5, 3}}, "candidate_gradient.data is NULL");
}

namespace {

// All that an update gives, as bytes.
template <class Sample>
std::vector<unsigned char> outcome(const context_pointer &context, const iqa_psnr_options &options,
                                   const volume<Sample> &x, const volume<Sample> &y, const volume<float> &weights,
                                   const std::vector<int64_t> &batches)
{
    volume<float> candidate(x.layout, x.extents);
    volume<double> reference(x.layout, x.extents);
    std::vector<double> values(size_t(x.extents[0] * 4));
    const int64_t channels = options.luma == IQA_LUMA_NONE ? x.extents[1] : 1;
    const metric_pointer total = make_psnr(context, options);
    int64_t first = 0;
    for (const int64_t count : batches) {
        std::vector<int64_t> shape = x.shape();
        shape[0] = count;
        const auto part = [&](const auto &all, int dtype) {
            const int64_t size = int64_t(all.data.size()) / all.extents[0];
            std::vector<int64_t> extents = all.shape();
            extents[0] = count;
            return tensor(all.data.data() + first * size, dtype, extents);
        };
        const tensor image_view(values.data() + first, IQA_FLOAT64, {count});
        const tensor channel_view(values.data() + x.extents[0] + first * channels, IQA_FLOAT64, {count, channels});
        const tensor candidate_view = part(candidate, IQA_FLOAT32);
        const tensor reference_view = part(reference, IQA_FLOAT64);
        const tensor weight_view = part(weights, IQA_FLOAT32);
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.per_image = image_view;
        extras.per_channel = channel_view;
        extras.candidate_gradient = candidate_view;
        extras.reference_gradient = reference_view;
        extras.weights = weight_view;
        const metric_pointer metric = make_psnr(context, options);
        const iqa_status status = iqa_metric_update(metric.get(), part(x, dtype_of<Sample>::value),
                                                    part(y, dtype_of<Sample>::value), &extras);
        INFO(iqa_context_error(context.get()));
        REQUIRE(status == IQA_OK);
        REQUIRE(iqa_metric_merge(total.get(), metric.get()) == IQA_OK);
        first += count;
    }
    std::vector<unsigned char> bytes;
    const auto append = [&](const auto &numbers) {
        const auto *from = reinterpret_cast<const unsigned char *>(numbers.data());
        bytes.insert(bytes.end(), from, from + numbers.size() * sizeof numbers[0]);
    };
    append(lanes_of(total)); // options and what else a state file has may grow
    append(values);
    append(candidate.data);
    append(reference.data);
    return bytes;
}

template <class Sample>
void check_everywhere(const iqa_psnr_options &options, uint32_t golden)
{
    const bool deep = options.layout == IQA_LAYOUT_NCDHW;
    const place extents = {4, 3, deep ? 5 : 1, 67, deep ? 45 : 150};
    volume<Sample> x(options.layout, extents);
    volume<Sample> y(options.layout, extents);
    volume<float> weights(options.layout,
                          {4, options.luma == IQA_LUMA_NONE ? 3 : 1, extents[2], extents[3], extents[4]});
    random_numbers random(74);
    x.fill([&](const place &at) { return double((at[3] * 3 + at[4] + 40 * at[1]) % 120); });
    y.fill([&](const place &at) { return double(iqa::widen(x[at])) + double(random.below(7)); });
    // Images of 1s, of a mask, of rows, and of all kinds of weights.
    weights.fill([&](const place &at) {
        return at[0] == 0   ? 1.0
               : at[0] == 1 ? double(random.below(3) != 0)
               : at[0] == 2 ? double(at[3] % 5) / 4
                            : random.uniform();
    });
    const auto expected = outcome(make_context(1, IQA_ISA_BASELINE), options, x, y, weights, {4});
    const std::vector<std::vector<int64_t>> splits = {{4}, {1, 1, 1, 1}, {3, 1}, {1, 3}};
    CAPTURE(dtype_of<Sample>::value, options.layout, options.luma);
    for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
        for (const int threads : {1, 2, 3, 8})
            CHECK(
                (outcome(make_context(threads, isa), options, x, y, weights, splits[size_t(threads) % 4]) == expected));
    // Recorded from this test: see tests/metrics/test_same_bits.cpp.
    CHECK(iqa::checksum(std::as_bytes(std::span(expected))) == golden);
}

} // namespace

TEST_CASE("weights, luma, edges and gradients: any instruction set, threads, batches and merges", "[psnr_gradient]")
{
    iqa_psnr_options options = options_for(IQA_LAYOUT_NHWC);
    options.data_high = 100; // some samples lie outside
    check_everywhere<uint8_t>(options, 0x9cebb72e);
    check_everywhere<int16_t>(options, 0x9cebb72e);
    options.layout = IQA_LAYOUT_NCHW;
    check_everywhere<uint16_t>(options, 0x3b186a44);
    check_everywhere<float>(options, 0x3b186a44);
    options.shave = 2;
    check_everywhere<iqa::float16>(options, 0x24bd71ee);
    check_everywhere<iqa::bfloat16>(options, 0x24bd71ee);
    options.layout = IQA_LAYOUT_NCDHW;
    check_everywhere<double>(options, 0x474a0fe2);
    options.luma = IQA_LUMA_BT709_STUDIO;
    options.luma_rounded = 1;
    check_everywhere<uint8_t>(options, 0xa7ac011e);
    options.layout = IQA_LAYOUT_NHWC;
    options.gradient = IQA_GRADIENT_OF_MSE;
    options.nonfinite = IQA_NONFINITE_MASK;
    check_everywhere<float>(options, 0x55636d7e);
}

TEST_CASE("gradients and weighted values do not depend on strides", "[psnr_gradient]")
{
    const context_pointer context = make_context();
    random_numbers random(75);
    const int64_t h = 37;
    const int64_t w = 53;
    std::vector<float> x(size_t(h * w * 4));
    std::vector<float> y(x.size());
    std::vector<double> weights(size_t(h * w));
    for (size_t i = 0; i < x.size(); ++i) {
        x[i] = float(random.uniform());
        y[i] = float(random.uniform());
    }
    for (double &weight : weights)
        weight = random.uniform();
    for (const int luma : {IQA_LUMA_NONE, IQA_LUMA_BT601_FULL}) {
        // Three of four channels, mirrored; and the same samples in planes.
        iqa_psnr_options options = options_for(IQA_LAYOUT_HWC);
        options.luma = luma;
        std::vector<double> strided(x.size(), 77.0);
        std::vector<double> planar(size_t(h * w * 3));
        volume<float> px(IQA_LAYOUT_CHW, {1, 3, 1, h, w});
        volume<float> py = px;
        volume<double> pw(IQA_LAYOUT_CHW, {1, 1, 1, h, w});
        const auto at_strided = [&](int64_t c, int64_t i, int64_t j) {
            return size_t((i * w + w - 1 - j) * 4 + c);
        };
        px.for_each([&](const place &at) {
            px[at] = x[at_strided(at[1], at[3], at[4])];
            py[at] = y[at_strided(at[1], at[3], at[4])];
            pw[{0, 0, 0, at[3], at[4]}] = weights[size_t((h - 1 - at[3]) * w + at[4])];
        });
        const auto update = [&](const tensor &tx, const tensor &ty, const tensor &tw, const tensor &gradient) {
            metric_pointer metric = make_psnr(context, options);
            iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
            extras.weights = tw;
            extras.candidate_gradient = gradient;
            REQUIRE(iqa_metric_update(metric.get(), tx, ty, &extras) == IQA_OK);
            return read(metric);
        };
        const auto mirrored = [&](const auto &data, int dtype) {
            return tensor(data.data() + (w - 1) * 4, dtype, {h, w, 3}, {w * 4, -4, 1});
        };
        const double one =
            update(mirrored(x, IQA_FLOAT32), mirrored(y, IQA_FLOAT32),
                   tensor(weights.data() + (h - 1) * w, IQA_FLOAT64, {h, w}, {-w, 1}), mirrored(strided, IQA_FLOAT64));
        options.layout = IQA_LAYOUT_CHW;
        const double other = update(px.view(), py.view(), pw.view(), tensor(planar.data(), IQA_FLOAT64, {3, h, w}));
        CHECK(one == other);
        bool same = true;
        px.for_each(
            [&](const place &at) { same = same && planar[px.index(at)] == strided[at_strided(at[1], at[3], at[4])]; });
        CHECK(same);
        CHECK(strided[3] == 77.0); // the fourth channel is not written
    }
}
