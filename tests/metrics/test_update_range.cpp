// SPDX-License-Identifier: MIT
// The data range that an update states for itself.
#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

// Volumes of one study: each in a unit of its own, so that its range is known only when it is read.
constexpr double peaks[] = {1.0, 3.25, 0.0078125, 40000.0};
constexpr int64_t height = 40;
constexpr int64_t width = 48;

struct scan {
    std::vector<float> reference, candidate;

    explicit scan(double peak)
        : reference(make_image<float>(height, width,
                                      [&](int64_t i, int64_t j) { return peak * formula_reference(i, j) / 255; })),
          candidate(make_image<float>(
              height, width, [&](int64_t i, int64_t j) { return 0.875 * peak * formula_candidate(i, j) / 255; }))
    {
    }
};

iqa_status update(const metric_pointer &metric, const scan &images, double low, double high, double *value = nullptr)
{
    const tensor x(images.reference.data(), IQA_FLOAT32, {height, width});
    const tensor y(images.candidate.data(), IQA_FLOAT32, {height, width});
    const tensor out(value, IQA_FLOAT64, {1});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.data_low = low;
    extras.data_high = high;
    if (value != nullptr)
        extras.per_image = out;
    return settled_update(metric, x, y, &extras);
}

// With a range in the options, below 0 for none.
template <class Options>
metric_pointer make(const context_pointer &context, Options options, double peak)
{
    if (peak >= 0) {
        options.data_low = 0;
        options.data_high = peak;
    }
    if constexpr (std::is_same_v<Options, iqa_ssim_options>)
        return make_ssim(context, options);
    else if constexpr (std::is_same_v<Options, iqa_psnr_options>)
        return make_psnr(context, options);
    else
        return make_errors(context, options);
}

// Each image has the value, and the lanes, that a metric with its range in the options gives it.
template <class Options>
void check_sums(const Options &options)
{
    const context_pointer context = make_context();
    const metric_pointer own = make(context, options, -1);
    std::vector<int64_t> expected(lanes_of(own).size(), 0);
    for (const double peak : peaks) {
        const scan images(peak);
        const metric_pointer stated = make(context, options, peak);
        double value = -1;
        double expected_value = -2;
        REQUIRE(update(own, images, 0, peak, &value) == IQA_OK);
        REQUIRE(update(stated, images, 0, 0, &expected_value) == IQA_OK);
        CHECK(value == expected_value);
        const std::vector<int64_t> lanes = lanes_of(stated);
        for (size_t i = 0; i < lanes.size(); ++i)
            expected[i] += lanes[i];
    }
    const metric_pointer merged = make(context, options, -1);
    REQUIRE(iqa_metric_add_lanes(merged.get(), expected.data(), expected.size()) == IQA_OK);
    CHECK(bytes_of(merged) == bytes_of(own));
    CHECK(read(own, IQA_FIELD_IMAGES) == std::size(peaks));
    CHECK(read(own, IQA_FIELD_OUT_OF_RANGE) == read(merged, IQA_FIELD_OUT_OF_RANGE));
}

} // namespace

TEST_CASE("an update's own range is as one in the options", "[update_range]")
{
    iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
    check_sums(ssim);
    ssim.parts = 1;
    ssim.scales = 2;
    ssim.scale_weights[0] = ssim.scale_weights[1] = 0.5;
    ssim.negative = IQA_NEGATIVE_RELU;
    check_sums(ssim);
    iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
    psnr.aggregate = IQA_MEAN_OF_PSNR;
    check_sums(psnr);
    check_sums(iqa_errors_options(IQA_ERRORS_OPTIONS_INIT));
}

TEST_CASE("bytes over a range of the update's own", "[update_range]")
{
    const context_pointer context = make_context();
    const auto x = make_image<uint8_t>(height, width, formula_reference);
    const auto y = make_image<uint8_t>(height, width, formula_candidate);
    const tensor tx(x.data(), IQA_UINT8, {height, width});
    const tensor ty(y.data(), IQA_UINT8, {height, width});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.data_low = 16;
    extras.data_high = 235;
    for (const int window : {IQA_WINDOW_GAUSSIAN, IQA_WINDOW_BLOCKS}) {
        iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
        if (window == IQA_WINDOW_BLOCKS)
            REQUIRE(iqa_ssim_options_preset(&options, sizeof options, IQA_SSIM_FFMPEG) == IQA_OK);
        options.data_low = 0;
        options.data_high = -1;
        const metric_pointer own = make_ssim(context, options);
        options.data_low = 16;
        options.data_high = 235;
        const metric_pointer stated = make_ssim(context, options);
        REQUIRE(settled_update(own, tx, ty, &extras) == IQA_OK);
        REQUIRE(settled_update(stated, tx, ty) == IQA_OK);
        CHECK(lanes_of(own) == lanes_of(stated));
        CHECK(read(own, IQA_FIELD_OUT_OF_RANGE) > 0);
    }
}

TEST_CASE("ranges of the updates' own have no PSNR of the mean error", "[update_range]")
{
    const context_pointer context = make_context();
    const metric_pointer metric = make_psnr(context, IQA_PSNR_OPTIONS_INIT);
    const scan images(3.25);
    double decibels = 0;
    REQUIRE(update(metric, images, 0, 3.25, &decibels) == IQA_OK);
    double value = 0;
    CHECK(iqa_metric_compute(metric.get(), &value) == IQA_ERROR_INCOMPATIBLE);
    CHECK(last_error(context).find("set aggregate to IQA_MEAN_OF_PSNR") != std::string::npos);
    CHECK(std::abs(read(metric, IQA_FIELD_MEAN_PSNR) - decibels) < 1e-12);
    CHECK(read(metric, IQA_FIELD_MSE) > 0);

    // Nor has one such update among others.
    const metric_pointer bytes = make_psnr(context, IQA_PSNR_OPTIONS_INIT);
    const std::vector<uint8_t> a = {1, 2, 3, 4};
    const std::vector<uint8_t> b = {1, 2, 3, 5};
    const tensor ta(a.data(), IQA_UINT8, {2, 2});
    const tensor tb(b.data(), IQA_UINT8, {2, 2});
    REQUIRE(settled_update(bytes, ta, tb) == IQA_OK);
    CHECK(read(bytes) == 10 * std::log10(255.0 * 255.0 * 4));
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.data_high = 5;
    REQUIRE(settled_update(bytes, ta, tb, &extras) == IQA_OK);
    CHECK(iqa_metric_compute(bytes.get(), &value) == IQA_ERROR_INCOMPATIBLE);
}

TEST_CASE("ranges of an update that are none, or one too many", "[update_range]")
{
    const context_pointer context = make_context();
    const scan images(1.0);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    const auto check = [&](const metric_pointer &open, const metric_pointer &closed) {
        const std::vector<unsigned char> before = bytes_of(open);
        const std::pair<double, double> wrong[] = {{1, 0}, {1, 1}, {0, -1}, {0, nan}, {nan, 1}, {0, infinity}};
        for (const auto &[low, high] : wrong) {
            CHECK(update(open, images, low, high) == IQA_ERROR_INVALID_ARGUMENT);
            CHECK(last_error(context).find("the data range") != std::string::npos);
        }
        CHECK(bytes_of(open) == before);
        CHECK(update(closed, images, 0, 1) == IQA_ERROR_INVALID_ARGUMENT);
        CHECK(last_error(context).find("the options state 0 ... 2 for every update") != std::string::npos);
        CHECK(update(closed, images, 0, 0) == IQA_OK);
    };
    const iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
    const iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
    const iqa_errors_options errors = IQA_ERRORS_OPTIONS_INIT;
    check(make(context, ssim, -1), make(context, ssim, 2));
    check(make(context, psnr, -1), make(context, psnr, 2));
    check(make(context, errors, -1), make(context, errors, 2));
}

TEST_CASE("metrics without a data range refuse one", "[update_range]")
{
    const context_pointer context = make_context();
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.data_high = 1;
    const std::vector<float> rows = {0, 1, 2, 3};
    const std::vector<uint8_t> labels = {0, 1, 1, 0};
    const tensor features(rows.data(), IQA_FLOAT32, {2, 2});
    const tensor classes(labels.data(), IQA_UINT8, {4});
    for (const char *text : {"fid features=2", "confusion classes=2"}) {
        const std::string kind(text, std::string(text).find(' '));
        const char *options = text + kind.size();
        iqa_metric *made = nullptr;
        REQUIRE(iqa_metric_create(context.get(), kind.c_str(), options, &made) == IQA_OK);
        const metric_pointer metric(made);
        const tensor &given = kind == "fid" ? features : classes;
        CHECK(iqa_metric_update(made, given, given, &extras) == IQA_ERROR_INVALID_ARGUMENT);
        CHECK(last_error(context).find("has no data range") != std::string::npos);
    }
}
