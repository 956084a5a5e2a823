// SPDX-License-Identifier: MIT
// Derivatives of SSIM and MS-SSIM against central differences of the value itself, with every border, weights, scales
// and in volumes; and their bits.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "support/catch.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

struct picture {
    std::vector<int64_t> shape;
    std::vector<double> x, y, weights;
    int64_t images;

    explicit picture(std::vector<int64_t> extents, int64_t count = 1, bool weighted = false)
        : shape(std::move(extents)), images(count)
    {
        random_numbers numbers(shape.size() + 100);
        int64_t samples = 1;
        for (const int64_t extent : shape)
            samples *= extent;
        for (int64_t i = 0; i < samples; ++i) {
            x.push_back(numbers.uniform());
            y.push_back(x.back() + 0.3 * (numbers.uniform() - 0.5));
            if (weighted)
                weights.push_back(numbers.below(3) == 0 ? 0.0 : std::floor(numbers.uniform() * 0x1p24) * 0x1p-24);
        }
    }
};

iqa_ssim_options options_for(int layout)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.layout = layout;
    options.data_low = 0;
    options.data_high = 1;
    options.size_z = options.size_y = 5;
    options.size_x = 7;
    return options;
}

void update(const context_pointer &context, const metric_pointer &metric, const picture &of,
            const iqa_tensor *reference_gradient = nullptr, const iqa_tensor *candidate_gradient = nullptr)
{
    const tensor x(of.x.data(), IQA_FLOAT64, of.shape);
    const tensor y(of.y.data(), IQA_FLOAT64, of.shape);
    const tensor weights(of.weights.data(), IQA_FLOAT64, of.shape);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = of.weights.empty() ? nullptr : &weights.view;
    extras.reference_gradient = reference_gradient;
    extras.candidate_gradient = candidate_gradient;
    const iqa_status status = iqa_metric_update(metric.get(), x, y, &extras);
    INFO(last_error(context));
    REQUIRE(status == IQA_OK);
}

// The value is a mean over images, each of which has a derivative of its own.
double value_of(const context_pointer &context, const metric_pointer &metric, const picture &of)
{
    iqa_metric_reset(metric.get());
    update(context, metric, of);
    return read(metric) * double(of.images);
}

void check_differences(const iqa_ssim_options &options, picture of)
{
    const context_pointer context = make_context(1);
    const metric_pointer metric = make_ssim(context, options);
    REQUIRE(metric != nullptr);
    std::vector<double> by_reference(of.x.size(), 7.0);
    std::vector<double> by_candidate(of.x.size(), 7.0);
    const tensor reference(by_reference.data(), IQA_FLOAT64, of.shape);
    const tensor candidate(by_candidate.data(), IQA_FLOAT64, of.shape);
    update(context, metric, of, reference, candidate);

    double largest = 0.0;
    for (const double derivative : by_candidate)
        largest = std::max(largest, std::abs(derivative));
    REQUIRE(largest > 0.0);
    random_numbers numbers(5);
    constexpr double step = 1e-5;
    for (int trial = 0; trial < 24; ++trial) {
        const size_t at = trial == 0 ? 0 : trial == 1 ? of.x.size() - 1 : size_t(numbers.below(int64_t(of.x.size())));
        for (const bool of_reference : {true, false}) {
            double &sample = of_reference ? of.x[at] : of.y[at];
            const double kept = sample;
            sample = kept + step;
            const double above = value_of(context, metric, of);
            sample = kept - step;
            const double below = value_of(context, metric, of);
            sample = kept;
            const double difference = (above - below) / (2 * step);
            const double derivative = of_reference ? by_reference[at] : by_candidate[at];
            CAPTURE(at, of_reference, difference, derivative, largest);
            CHECK(std::abs(difference - derivative) < 1e-7 * largest);
        }
    }
}

void make_scales(iqa_ssim_options &options, int scales, int negative)
{
    options.scales = scales;
    for (int scale = 0; scale < scales; ++scale)
        options.scale_weights[scale] = 1.0 / scales;
    options.negative = negative;
    options.size_x = 5;
}

} // namespace

TEST_CASE("derivatives of images and volumes with every border", "[ssim_gradient]")
{
    for (int border = IQA_BORDER_VALID; border <= IQA_BORDER_ZERO; ++border) {
        CAPTURE(border);
        iqa_ssim_options options = options_for(IQA_LAYOUT_HW);
        options.border = border;
        check_differences(options, picture({31, 29}));
        check_differences(options, picture({31, 29}, 1, true));
        options.mask = IQA_MASK_MAP;
        check_differences(options, picture({31, 29}, 1, true));
        options = options_for(IQA_LAYOUT_DHW);
        options.border = border;
        check_differences(options, picture({8, 11, 12}));
        options.coverage = 0.3;
        check_differences(options, picture({8, 11, 12}, 1, true));
    }
    iqa_ssim_options options = options_for(IQA_LAYOUT_HW);
    options.border = IQA_BORDER_SYMMETRIC;
    check_differences(options, picture({3, 4})); // smaller than the window
    options.covariance = IQA_COVARIANCE_SAMPLE;
    check_differences(options, picture({20, 20}));
    options.negative = IQA_NEGATIVE_RELU_MAP;
    check_differences(options, picture({20, 20}));
    options.shave = 3;
    check_differences(options, picture({20, 20}));
}

TEST_CASE("derivatives of batches, channels and luma", "[ssim_gradient]")
{
    iqa_ssim_options options = options_for(IQA_LAYOUT_NCHW);
    check_differences(options, picture({2, 3, 17, 19}, 2));
    options.layout = IQA_LAYOUT_NHWC;
    options.border = IQA_BORDER_REFLECT;
    check_differences(options, picture({2, 17, 19, 3}, 2));
    options.luma = IQA_LUMA_BT709_STUDIO;
    check_differences(options, picture({2, 17, 19, 3}, 2));
}

TEST_CASE("derivatives of several scales, whatever the rule of shrinking", "[ssim_gradient]")
{
    for (int shrink = IQA_SHRINK_SYMMETRIC; shrink <= IQA_SHRINK_REPLICATE; ++shrink)
        for (const int product : {IQA_PRODUCT_OF_CHANNEL, IQA_PRODUCT_OF_IMAGE}) {
            CAPTURE(shrink, product);
            iqa_ssim_options options = options_for(IQA_LAYOUT_NCHW);
            make_scales(options, 3, product == IQA_PRODUCT_OF_IMAGE ? IQA_NEGATIVE_SIMPLE : IQA_NEGATIVE_RELU);
            options.shrink = shrink;
            options.product = product;
            check_differences(options, picture({2, 2, 29, 38}, 2));
            check_differences(options, picture({2, 2, 29, 38}, 2, true));
            options.mask = IQA_MASK_MAP;
            check_differences(options, picture({2, 2, 29, 38}, 2, true));
        }
    iqa_ssim_options options = options_for(IQA_LAYOUT_DHW);
    make_scales(options, 2, IQA_NEGATIVE_RELU);
    check_differences(options, picture({11, 13, 14}));
    options = options_for(IQA_LAYOUT_HW);
    options.downsample = 3;
    check_differences(options, picture({40, 35}));
    options.downsample = 2;
    options.shrink = IQA_SHRINK_FLOOR;
    check_differences(options, picture({41, 35}, 1, true));
    options.mask = IQA_MASK_MAP;
    check_differences(options, picture({41, 35}, 1, true));
}

TEST_CASE("derivatives by masked samples are 0, whatever masks them", "[ssim_gradient]")
{
    const auto check = [](const iqa_ssim_options &options, const std::vector<int64_t> &shape) {
        picture of(shape);
        std::vector<size_t> masked;
        for (size_t i = 3; i < of.x.size(); i += 97) {
            masked.push_back(i);
            (i % 2 == 0 ? of.x : of.y)[i] = i % 3 == 0 ? std::numeric_limits<double>::infinity() : std::nan("");
        }
        const context_pointer context = make_context(1);
        const metric_pointer metric = make_ssim(context, options);
        REQUIRE(metric != nullptr);
        std::vector<double> by_reference(of.x.size(), 7.0), by_candidate(of.x.size(), 7.0);
        const tensor reference(by_reference.data(), IQA_FLOAT64, of.shape);
        const tensor candidate(by_candidate.data(), IQA_FLOAT64, of.shape);
        update(context, metric, of, reference, candidate);
        for (const auto *derivatives : {&by_reference, &by_candidate}) {
            CHECK(std::all_of(derivatives->begin(), derivatives->end(), [](double d) { return std::isfinite(d); }));
            CHECK(std::all_of(masked.begin(), masked.end(), [&](size_t i) { return (*derivatives)[i] == 0.0; }));
            CHECK(std::count(derivatives->begin(), derivatives->end(), 0.0) < ptrdiff_t(derivatives->size()));
        }
    };
    for (const int arithmetic : {IQA_ARITHMETIC_AUTO, IQA_ARITHMETIC_FLOAT64}) {
        iqa_ssim_options options = options_for(IQA_LAYOUT_NCHW);
        options.arithmetic = arithmetic;
        options.nonfinite = IQA_NONFINITE_MASK;
        check(options, {2, 2, 29, 38});
        options.downsample = 2;
        check(options, {2, 2, 29, 38});
        options.downsample = 1;
        make_scales(options, 3, IQA_NEGATIVE_RELU);
        check(options, {2, 2, 29, 38});
        options.luma = IQA_LUMA_BT709_STUDIO;
        options.layout = IQA_LAYOUT_NHWC;
        check(options, {2, 29, 38, 3});
    }
}

TEST_CASE("derivatives are finite everywhere, and 0 for equal images", "[ssim_gradient]")
{
    const context_pointer context = make_context();
    const int64_t extent = 180;
    picture of({extent, extent});
    std::vector<double> gradient(of.x.size(), 7.0);
    const tensor candidate(gradient.data(), IQA_FLOAT64, of.shape);
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    REQUIRE(iqa_ssim_options_preset(&options, sizeof options, IQA_MS_SSIM_WANG2003) == IQA_OK);
    options.data_low = 0;
    options.data_high = 1;
    const metric_pointer metric = make_ssim(context, options);
    const auto all = [&](auto &&holds) {
        return std::all_of(gradient.begin(), gradient.end(), holds);
    };
    of.y = of.x;
    update(context, metric, of, nullptr, candidate);
    CHECK(all([](double derivative) { return derivative == 0.0; }));
    for (double &sample : of.y)
        sample = 1.0 - sample; // every mean is negative and becomes 0, where powers have no derivative
    update(context, metric, of, nullptr, candidate);
    CHECK(all([](double derivative) { return std::isfinite(derivative); }));
    of.x.assign(of.x.size(), 0.0);
    of.y.assign(of.y.size(), 1.0);
    update(context, metric, of, nullptr, candidate);
    CHECK(all([](double derivative) { return std::isfinite(derivative); }));
}

TEST_CASE("derivatives and values have the same bits everywhere", "[ssim_gradient]")
{
    const picture weighted({2, 70, 200, 3}, 2, true);
    const picture plain({2, 70, 200, 3}, 2);
    iqa_ssim_options scales = options_for(IQA_LAYOUT_NHWC);
    make_scales(scales, 3, IQA_NEGATIVE_RELU);
    scales.border = IQA_BORDER_REFLECT;
    iqa_ssim_options luma = scales;
    luma.luma = IQA_LUMA_BT709_STUDIO;
    luma.luma_rounded = 1;
    for (const auto &[of, options] : {std::pair(&weighted, scales), std::pair(&plain, luma)}) {
        std::vector<float> first;
        std::vector<unsigned char> first_state;
        for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
            for (const int threads : {1, 2, 3, 8}) {
                const context_pointer context = make_context(threads, isa);
                const metric_pointer metric = make_ssim(context, options);
                std::vector<float> gradient(of->x.size());
                const tensor candidate(gradient.data(), IQA_FLOAT32, of->shape);
                update(context, metric, *of, nullptr, candidate);
                if (first.empty()) {
                    first = gradient;
                    first_state = bytes_of(metric);
                }
                CHECK((gradient == first));
                CHECK((bytes_of(metric) == first_state));
            }

        // Image by image, as planes: other strides and another split.
        const context_pointer context = make_context();
        const metric_pointer metric = make_ssim(context, options);
        const size_t samples = of->x.size() / 2;
        std::vector<float> gradient(of->x.size());
        for (size_t image = 0; image < 2; ++image) {
            std::vector<double> planes[3];
            const std::vector<double> *const sources[] = {&of->x, &of->y, &of->weights};
            for (int which = 0; which < 3; ++which)
                for (size_t channel = 0; channel < 3 && !sources[which]->empty(); ++channel)
                    for (size_t pixel = 0; pixel < samples / 3; ++pixel)
                        planes[which].push_back((*sources[which])[image * samples + pixel * 3 + channel]);
            const std::vector<int64_t> shape = {1, 70, 200, 3};
            const std::vector<int64_t> strides = {0, 200, 1, 70 * 200};
            const tensor x(planes[0].data(), IQA_FLOAT64, shape, strides);
            const tensor y(planes[1].data(), IQA_FLOAT64, shape, strides);
            const tensor weights(planes[2].data(), IQA_FLOAT64, shape, strides);
            const tensor out(gradient.data() + image * samples, IQA_FLOAT32, shape);
            iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
            extras.weights = planes[2].empty() ? nullptr : &weights.view;
            extras.candidate_gradient = out;
            REQUIRE(iqa_metric_update(metric.get(), x, y, &extras) == IQA_OK);
        }
        CHECK((gradient == first));
        CHECK((bytes_of(metric) == first_state));
    }
}
