// SPDX-License-Identifier: MIT
// Values and derivatives of SSIM and MS-SSIM from one pass over the images, against those of a pass each.
#include <algorithm>
#include <cstring>
#include <limits>

#include "support/catch.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

std::vector<int> instruction_sets()
{
    if (device_of_tests == IQA_CUDA)
        return {IQA_ISA_BEST};
    return {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512};
}

// What an update of a pair gives; with a map values and derivatives have a pass each. `weights`: empty, or one for each
// sample.
template <class Sample>
struct results {
    std::vector<double> per_image, per_channel;
    std::vector<float> reference, candidate;
    std::vector<unsigned char> state;

    results(const iqa_ssim_options &options, const std::vector<Sample> &x, const std::vector<Sample> &y, int dtype,
            const std::vector<float> &weights, const std::vector<int64_t> &shape, const std::vector<int64_t> &map_shape,
            int isa, int threads)
        : per_image(size_t(shape[0])),
          per_channel(size_t(shape[0] * shape[1])),
          reference(x.size()),
          candidate(x.size())
    {
        const context_pointer context = make_context(threads, isa);
        const metric_pointer metric = make_ssim(context, options);
        REQUIRE(metric != nullptr);
        std::vector<float> map(x.size());
        const tensor of_images(per_image.data(), IQA_FLOAT64, {shape[0]});
        const tensor of_channels(per_channel.data(), IQA_FLOAT64, {shape[0], shape[1]});
        const tensor by_reference(reference.data(), IQA_FLOAT32, shape);
        const tensor by_candidate(candidate.data(), IQA_FLOAT32, shape);
        const tensor pixels(map.data(), IQA_FLOAT32, map_shape);
        const tensor of_pixels(weights.data(), IQA_FLOAT32, shape);
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.per_image = of_images;
        if (options.border == IQA_BORDER_REFLECT && options.luma == IQA_LUMA_NONE)
            extras.per_channel = of_channels; // with it sums are of channels
        extras.weights = weights.empty() ? nullptr : &of_pixels.view;
        extras.reference_gradient = by_reference;
        extras.candidate_gradient = by_candidate;
        extras.map = map_shape.empty() ? nullptr : &pixels.view;
        const iqa_status status =
            iqa_metric_update(metric.get(), tensor(x.data(), dtype, shape), tensor(y.data(), dtype, shape), &extras);
        INFO(last_error(context));
        REQUIRE(status == IQA_OK);
        state = bytes_of(metric);
    }
};

template <class Sample>
bool same_bits(const std::vector<Sample> &a, const std::vector<Sample> &b)
{
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(Sample)) == 0;
}

template <class Sample>
void check_one_pass(iqa_ssim_options options, const std::vector<Sample> &x, const std::vector<Sample> &y, int dtype,
                    const std::vector<int64_t> &shape, const std::vector<float> &weights = {})
{
    const bool volume = shape.size() == 5;
    options.layout = volume ? IQA_LAYOUT_NCDHW : IQA_LAYOUT_NCHW;
    for (const int window : {11, 7})
        for (const int border : {IQA_BORDER_VALID, IQA_BORDER_REFLECT, IQA_BORDER_ZERO}) {
            options.size_y = 11;
            options.size_x = window;
            options.border = border;
            std::vector<int64_t> map_shape = shape;
            if (border == IQA_BORDER_VALID) {
                map_shape.end()[-1] -= options.size_x - 1;
                map_shape.end()[-2] -= options.size_y - 1;
                map_shape.end()[-3] -= volume ? options.size_z - 1 : 0;
            }
            if (options.luma != IQA_LUMA_NONE)
                map_shape[1] = 1;
            const results<Sample> apart(options, x, y, dtype, weights, shape, map_shape, IQA_ISA_BASELINE, 1);
            for (const int isa : instruction_sets()) {
                const results<Sample> together(options, x, y, dtype, weights, shape, {}, isa,
                                               isa == IQA_ISA_AVX2 ? 3 : 1);
                INFO("border " << border << ", window " << window << ", " << shape.end()[-2] << " x " << shape.end()[-1]
                               << ", isa " << isa);
                CHECK((together.state == apart.state));
                CHECK(same_bits(together.per_image, apart.per_image));
                CHECK(same_bits(together.per_channel, apart.per_channel));
                CHECK(same_bits(together.reference, apart.reference));
                CHECK(same_bits(together.candidate, apart.candidate));
            }
        }
}

} // namespace

TEST_CASE("one pass for values and derivatives gives the bits of two", "[ssim_one_pass]")
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    const std::vector<int64_t> shapes[] = {{1, 1, 11, 11},  {2, 3, 64, 128}, {1, 2, 74, 138}, {1, 1, 75, 139},
                                           {1, 3, 69, 133}, {1, 1, 130, 20}, {1, 1, 20, 261}};
    random_numbers random(3);
    for (const std::vector<int64_t> &shape : shapes) {
        const size_t samples = size_t(shape[0] * shape[1] * shape[2] * shape[3]);
        std::vector<uint8_t> x(samples), y(samples);
        for (size_t i = 0; i < samples; ++i) {
            x[i] = uint8_t(random.below(200) + 30);
            y[i] = uint8_t(x[i] + random.below(41) - 20);
        }
        check_one_pass(options, x, y, IQA_UINT8, shape);
    }

    options.data_low = 0;
    options.data_high = 1;
    const std::vector<int64_t> shape = {2, 2, 90, 150};
    std::vector<float> x(2 * 2 * 90 * 150), y(x.size());
    const auto fill = [&](auto &&sample) {
        for (size_t i = 0; i < x.size(); ++i) {
            x[i] = sample(i);
            y[i] = x[i] + 0.1f * float(random.uniform() - 0.5); // some outside the range
        }
    };
    fill([&](size_t) { return float(random.uniform()); });
    check_one_pass(options, x, y, IQA_FLOAT32, shape);
    y = x; // 1 exactly, and no derivative
    check_one_pass(options, x, y, IQA_FLOAT32, shape);
    // Flat areas at two levels, of which float makes doubts.
    fill([&](size_t) { return float(random.uniform()); });
    for (size_t i = 0; i < 10000; ++i) {
        x[i] = 0.3f;
        y[i] = 0.45f;
    }
    check_one_pass(options, x, y, IQA_FLOAT32, shape);
    // Samples that lie too far from the pivot, in one tile.
    fill([&](size_t i) { return float(random.uniform()) + (i == 5000 ? 1000.0f : 0.0f); });
    check_one_pass(options, x, y, IQA_FLOAT32, shape);
    // What is not finite, and where it makes a window so.
    options.nonfinite = IQA_NONFINITE_PROPAGATE;
    x[7000] = std::numeric_limits<float>::infinity();
    check_one_pass(options, x, y, IQA_FLOAT32, shape);
    x[7000] = 1e30f;
    check_one_pass(options, x, y, IQA_FLOAT32, shape);
}

// CUDA has two passes for what follows.
TEST_CASE("one pass under masks and weights, and of luma, gives the bits of two", "[host]")
{
    random_numbers random(4);
    const std::vector<int64_t> shape = {1, 3, 90, 150};
    const size_t samples = 3 * 90 * 150;
    std::vector<float> x(samples), y(samples), weights(samples);
    const auto fill = [&] {
        for (size_t i = 0; i < samples; ++i) {
            x[i] = float(random.uniform());
            y[i] = x[i] + 0.1f * float(random.uniform() - 0.5);
        }
    };
    enum kind { ones, scattered_zeros, left_half, single_pixels, fractions };
    for (const kind of : {ones, scattered_zeros, left_half, single_pixels, fractions}) {
        fill();
        for (size_t i = 20000; i < 26000 && of == scattered_zeros; ++i) { // flat, of which float makes doubts
            x[i] = 0.3f;
            y[i] = 0.45f;
        }
        for (size_t i = 0; i < samples; ++i)
            weights[i] = of == ones              ? 1.0f
                         : of == scattered_zeros ? float(i % 16 != 3)
                         : of == left_half       ? float(i % 150 < 20 || i < samples / 2)
                         : of == single_pixels   ? float(i % 5000 == 10)
                                                 : float(random.uniform());
        for (const int mask : {IQA_MASK_CONVOLUTION, IQA_MASK_MAP}) {
            if (mask == IQA_MASK_MAP && of != scattered_zeros && of != fractions)
                continue;
            iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
            options.data_low = 0;
            options.data_high = 1;
            options.mask = mask;
            options.coverage = of == fractions ? 0.45 : 0.0;
            CAPTURE(of, mask);
            check_one_pass(options, x, y, IQA_FLOAT32, shape, weights);
        }
    }
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.data_low = 0;
    options.data_high = 1;
    options.luma = IQA_LUMA_BT601_FULL;
    check_one_pass(options, x, y, IQA_FLOAT32, shape);
    options.luma = IQA_LUMA_NONE;
    options.nonfinite = IQA_NONFINITE_MASK;
    x[7000] = y[20000] = std::numeric_limits<float>::quiet_NaN();
    check_one_pass(options, x, y, IQA_FLOAT32, shape);
    weights.assign(samples, 1.0f);
    check_one_pass(options, x, y, IQA_FLOAT32, shape, weights);
}

TEST_CASE("one pass over volumes gives the bits of two", "[host]")
{
    random_numbers random(6);
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.data_low = 0;
    options.data_high = 1;
    for (const auto &[size_z, depth] : {std::pair(11, 34), std::pair(5, 13), std::pair(1, 3)}) {
        const std::vector<int64_t> shape = {1, 1, depth, 36, 137};
        std::vector<float> x(size_t(depth * 36 * 137)), y(x.size()), weights(x.size());
        for (size_t i = 0; i < x.size(); ++i) {
            x[i] = float(random.uniform());
            y[i] = x[i] + 0.1f * float(random.uniform() - 0.5);
            weights[i] = float(i % 16 != 3);
        }
        options.size_z = size_z;
        CAPTURE(size_z);
        check_one_pass(options, x, y, IQA_FLOAT32, shape, size_z == 5 ? weights : std::vector<float>{});
    }
}

namespace {

// Values and derivatives of several scales; with the parts of values, values have a pass of their own at each scale.
template <class Sample, class Derivative>
struct results_of_scales {
    std::vector<double> per_image;
    std::vector<Derivative> reference, candidate;

    results_of_scales(iqa_ssim_options options, const std::vector<Sample> &x, const std::vector<Sample> &y, int dtype,
                      const std::vector<int64_t> &shape, bool parts, int isa, int threads)
        : per_image(size_t(shape[0])), reference(x.size(), Derivative(7)), candidate(x.size(), Derivative(7))
    {
        options.parts = parts;
        const context_pointer context = make_context(threads, isa);
        const metric_pointer metric = make_ssim(context, options);
        REQUIRE(metric != nullptr);
        constexpr int32_t kind = sizeof(Derivative) == sizeof(float) ? IQA_FLOAT32 : IQA_FLOAT64;
        const tensor of_images(per_image.data(), IQA_FLOAT64, {shape[0]});
        const tensor by_reference(reference.data(), kind, shape);
        const tensor by_candidate(candidate.data(), kind, shape);
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.per_image = of_images;
        extras.reference_gradient = by_reference;
        extras.candidate_gradient = by_candidate;
        const iqa_status status =
            iqa_metric_update(metric.get(), tensor(x.data(), dtype, shape), tensor(y.data(), dtype, shape), &extras);
        INFO(last_error(context));
        REQUIRE(status == IQA_OK);
    }
};

iqa_ssim_options three_scales()
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.layout = IQA_LAYOUT_NCHW;
    options.negative = IQA_NEGATIVE_RELU;
    options.scales = 3;
    for (int scale = 0; scale < options.scales; ++scale)
        options.scale_weights[scale] = 1.0 / options.scales;
    return options;
}

template <class Derivative, class Sample>
void check_scales(const iqa_ssim_options &options, const std::vector<Sample> &x, const std::vector<Sample> &y,
                  int dtype, const std::vector<int64_t> &shape)
{
    using found = results_of_scales<Sample, Derivative>;
    const found apart(options, x, y, dtype, shape, true, IQA_ISA_BASELINE, 1);
    for (const int isa : instruction_sets()) {
        const found together(options, x, y, dtype, shape, false, isa, isa == IQA_ISA_AVX2 ? 3 : 1);
        INFO("isa " << isa << ", " << shape[1] << " x " << shape[2] << " x " << shape[3]);
        CHECK(same_bits(together.per_image, apart.per_image));
        CHECK(same_bits(together.reference, apart.reference));
        CHECK(same_bits(together.candidate, apart.candidate));
    }
}

} // namespace

TEST_CASE("one pass for each of several scales gives the bits of two", "[host]")
{
    random_numbers random(5);
    for (const int32_t layout : {IQA_LAYOUT_NCHW, IQA_LAYOUT_NHWC})
        for (const int shrink : {IQA_SHRINK_SYMMETRIC, IQA_SHRINK_FLOOR, IQA_SHRINK_ZERO, IQA_SHRINK_REPLICATE}) {
            iqa_ssim_options options = three_scales();
            const bool of_images = (layout + shrink) % 2 == 0;
            options.layout = layout;
            options.product = of_images ? IQA_PRODUCT_OF_IMAGE : IQA_PRODUCT_OF_CHANNEL;
            options.negative = of_images ? IQA_NEGATIVE_SIMPLE : IQA_NEGATIVE_RELU;
            options.shrink = shrink;
            CAPTURE(layout, shrink, of_images);
            for (const auto &[height, width] : {std::pair(75, 139), std::pair(64, 284)}) {
                std::vector<int64_t> shape = {2, 2, height, width};
                if (layout == IQA_LAYOUT_NHWC)
                    std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
                std::vector<uint8_t> x(size_t(4 * height * width)), y(x.size());
                for (size_t i = 0; i < x.size(); ++i) {
                    x[i] = uint8_t(random.below(200) + 30);
                    // The second image's means are negative, of which relu leaves no derivative.
                    y[i] = i >= x.size() / 2 ? uint8_t(255 - x[i]) : uint8_t(x[i] + random.below(41) - 20);
                }
                check_scales<float>(options, x, y, IQA_UINT8, shape);
                check_scales<double>(options, x, y, IQA_UINT8, shape);
            }
        }

    // Floating-point samples, of which float carries all, or not those of one tile of one scale, or some make doubts.
    iqa_ssim_options options = three_scales();
    options.data_low = 0;
    options.data_high = 1;
    options.nonfinite = IQA_NONFINITE_PROPAGATE;
    const std::vector<int64_t> shape = {1, 2, 90, 150};
    for (const float far : {0.0f, 1000.0f, 1e30f, std::numeric_limits<float>::infinity()})
        for (const bool is_flat : {false, true}) {
            std::vector<float> x(2 * 90 * 150), y(x.size());
            for (size_t i = 0; i < x.size(); ++i) {
                x[i] = is_flat && i < 10000 ? 0.3f : float(random.uniform());
                y[i] = is_flat && i < 10000 ? 0.45f : x[i] + 0.1f * float(random.uniform() - 0.5);
            }
            x[20000] += far;
            CAPTURE(far, is_flat);
            check_scales<float>(options, x, y, IQA_FLOAT32, shape);
        }

    iqa_ssim_options volumes = three_scales();
    volumes.layout = IQA_LAYOUT_NCDHW;
    volumes.size_z = volumes.size_y = volumes.size_x = 5;
    for (const int shrink : {IQA_SHRINK_SYMMETRIC, IQA_SHRINK_FLOOR}) {
        volumes.shrink = shrink;
        const std::vector<int64_t> extents = {1, 2, 35, 21, 42};
        std::vector<uint8_t> x(2 * 35 * 21 * 42), y(x.size());
        for (size_t i = 0; i < x.size(); ++i) {
            x[i] = uint8_t(random.below(200) + 30);
            y[i] = uint8_t(x[i] + random.below(41) - 20);
        }
        check_scales<float>(volumes, x, y, IQA_UINT8, extents);
    }
}
