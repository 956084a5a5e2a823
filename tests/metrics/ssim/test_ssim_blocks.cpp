// SPDX-License-Identifier: MIT
// SSIM over blocks of 8 x 8 pixels, as FFmpeg's filter ssim: against the formula taken block by block and pixel by
// pixel in long double, and against values of the filter itself. Whole clips are compared in tests/cli/test_clips.py.
#include <cmath>
#include <cstring>
#include <utility>

#include "support/catch.hpp"
#include "support/ssim_reference.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

iqa_ssim_options block_options(double peak, int layout = IQA_LAYOUT_HW)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    REQUIRE(iqa_ssim_options_preset(&options, sizeof options, IQA_SSIM_FFMPEG) == IQA_OK);
    options.layout = layout;
    options.data_low = 0;
    options.data_high = peak;
    return options;
}

struct planes {
    plane x, y;
};

planes make_planes(int64_t height, int64_t width, double peak, uint64_t seed)
{
    random_numbers random(seed);
    planes made{plane(size_t(height), std::vector<long double>(size_t(width))), {}};
    made.y = made.x;
    for (int64_t i = 0; i < height; ++i)
        for (int64_t j = 0; j < width; ++j) {
            const double level = peak / 2 + peak / 3 * std::sin(double(i) / 9 + double(j) / 13 + double(seed));
            const auto sample = [&](double noise) {
                return (long double)std::floor(
                    std::min(peak, std::max(0.0, level + noise * peak * (random.uniform() - 0.5))));
            };
            made.x[size_t(i)][size_t(j)] = sample(0.2);
            made.y[size_t(i)][size_t(j)] = sample(0.4);
        }
    return made;
}

template <class Sample>
std::vector<Sample> samples_of(const plane &image)
{
    std::vector<Sample> samples;
    for (const auto &row : image)
        for (const long double value : row)
            samples.push_back(Sample(value));
    return samples;
}

// Straight from the formula, with means and variances of each block.
long double reference_blocks(const planes &images, long double peak, long double k1 = 0.01L, long double k2 = 0.03L)
{
    const long double c1 = std::floor(k1 * k1 * peak * peak * 64 + 0.5L) / 4096;
    const long double c2 = std::floor(k2 * k2 * peak * peak * 64 * 63 + 0.5L) / (64 * 63);
    long double sum = 0;
    int64_t blocks = 0;
    for (size_t top = 0; top + 8 <= images.x.size(); top += 4)
        for (size_t left = 0; left + 8 <= images.x[0].size(); left += 4) {
            const auto mean = [&](auto &&value) {
                long double total = 0;
                for (size_t i = top; i < top + 8; ++i)
                    for (size_t j = left; j < left + 8; ++j)
                        total += value(images.x[i][j], images.y[i][j]);
                return total / 64;
            };
            const long double mean_x = mean([](long double x, long double) { return x; });
            const long double mean_y = mean([](long double, long double y) { return y; });
            const long double variances = 64.0L / 63 * mean([&](long double x, long double y) {
                                              return (x - mean_x) * (x - mean_x) + (y - mean_y) * (y - mean_y);
                                          });
            const long double covariance =
                64.0L / 63 * mean([&](long double x, long double y) { return (x - mean_x) * (y - mean_y); });
            sum += (2 * mean_x * mean_y + c1) * (2 * covariance + c2) /
                   ((mean_x * mean_x + mean_y * mean_y + c1) * (variances + c2));
            ++blocks;
        }
    return sum / (long double)blocks;
}

double measure(const iqa_ssim_options &options, const iqa_tensor *x, const iqa_tensor *y, int threads = 2,
               int isa = IQA_ISA_BEST)
{
    const context_pointer context = make_context(threads, isa);
    double value = -12345;
    const iqa_status status = iqa_measure_ssim(context.get(), &options, x, y, &value);
    INFO(iqa_context_error(context.get()));
    REQUIRE(status == IQA_OK);
    return value;
}

template <class Sample>
double measure(const planes &images, const iqa_ssim_options &options)
{
    const std::vector<Sample> x = samples_of<Sample>(images.x);
    const std::vector<Sample> y = samples_of<Sample>(images.y);
    const std::vector<int64_t> shape = {int64_t(images.x.size()), int64_t(images.x[0].size())};
    return measure(options, tensor(x.data(), dtype_of<Sample>::value, shape),
                   tensor(y.data(), dtype_of<Sample>::value, shape));
}

// What the failing update says.
std::string refusal(const iqa_ssim_options &options, const iqa_tensor *x, const iqa_tensor *y, iqa_status expected,
                    const iqa_update_extras *extras = nullptr)
{
    const context_pointer context = make_context();
    const metric_pointer metric = make_ssim(context, options);
    REQUIRE(metric != nullptr);
    const auto before = bytes_of(metric);
    CHECK(iqa_metric_update(metric.get(), x, y, extras) == expected);
    CHECK(bytes_of(metric) == before);
    return iqa_context_error(context.get());
}

} // namespace

TEST_CASE("blocks: the values of FFmpeg 5.1's filter for the formula pair", "[ssim_blocks]")
{
    for (const auto &[size, value] : {std::pair(64, 0.987655), std::pair(512, 0.987636)}) {
        const auto x = make_image<uint8_t>(size, size, formula_reference);
        const auto y = make_image<uint8_t>(size, size, formula_candidate);
        const std::vector<int64_t> shape = {size, size};
        CAPTURE(size);
        CHECK(std::fabs(
                  measure(block_options(255), tensor(x.data(), IQA_UINT8, shape), tensor(y.data(), IQA_UINT8, shape)) -
                  value) <= 0.5e-6);
    }
}

TEST_CASE("blocks: the formula, block by block, for every depth and odd size", "[ssim_blocks]")
{
    // Beyond 128 blocks across and 32 down an image has several tiles.
    const std::pair<int64_t, int64_t> sizes[] = {{8, 8}, {9, 8}, {11, 15}, {13, 40}, {64, 63}, {139, 57}, {23, 1041}};
    uint64_t seed = 1;
    for (const auto &[height, width] : sizes) {
        CAPTURE(height, width);
        const planes bytes = make_planes(height, width, 255, ++seed);
        CHECK(std::fabs(measure<uint8_t>(bytes, block_options(255)) - double(reference_blocks(bytes, 255))) < 1e-13);
        CHECK(measure<uint16_t>(bytes, block_options(255)) == measure<uint8_t>(bytes, block_options(255)));
        for (const double peak : {1023.0, 4095.0, 65535.0}) {
            CAPTURE(peak);
            const planes words = make_planes(height, width, peak, ++seed);
            CHECK(std::fabs(measure<uint16_t>(words, block_options(peak)) - double(reference_blocks(words, peak))) <
                  1e-13);
        }
    }
}

TEST_CASE("blocks: other constants, and none", "[ssim_blocks]")
{
    const planes images = make_planes(40, 48, 255, 5);
    iqa_ssim_options options = block_options(255);
    options.k1 = 0.2;
    options.k2 = 0.05;
    CHECK(std::fabs(measure<uint8_t>(images, options) - double(reference_blocks(images, 255, 0.2L, 0.05L))) < 1e-13);

    options.k1 = options.k2 = 0;
    CHECK(std::fabs(measure<uint8_t>(images, options) - double(reference_blocks(images, 255, 0, 0))) < 1e-13);
    planes flat = {plane(8, std::vector<long double>(8, 0.0L)), plane(8, std::vector<long double>(8, 0.0L))};
    CHECK(measure<uint8_t>(flat, options) == 1);
    flat.x.assign(8, std::vector<long double>(8, 10.0L));
    flat.y.assign(8, std::vector<long double>(8, 20.0L));
    CHECK(std::fabs(measure<uint8_t>(flat, options) - 400.0 / 500.0) < 1e-15);

    // A peak beyond all samples: the constants are all that counts.
    CHECK(measure<uint16_t>(images, block_options(1e300)) == 1);
}

TEST_CASE("blocks: exactly 1 for equal images, never outside [-1, 1]", "[ssim_blocks]")
{
    for (const double peak : {255.0, 1023.0, 65535.0}) {
        const planes images = make_planes(37, 71, peak, uint64_t(peak));
        CHECK(measure<uint16_t>({images.x, images.x}, block_options(peak)) == 1);
        planes opposite = images;
        random_numbers random(3);
        for (size_t i = 0; i < opposite.x.size(); ++i)
            for (size_t j = 0; j < opposite.x[0].size(); ++j) {
                opposite.x[i][j] = random.below(2) == 0 ? 0 : (long double)peak;
                opposite.y[i][j] = (long double)peak - opposite.x[i][j];
            }
        const double value = measure<uint16_t>(opposite, block_options(peak));
        CHECK(value < -0.9);
        CHECK(value >= -1);
    }
    const planes white = {plane(8, std::vector<long double>(8, 65535.0L)),
                          plane(8, std::vector<long double>(8, 65535.0L))};
    CHECK(measure<uint16_t>(white, block_options(65535)) == 1);
}

TEST_CASE("blocks: pixels that fill no block have no influence but are counted", "[ssim_blocks]")
{
    planes images = make_planes(19, 22, 200, 7);
    const double value = measure<uint8_t>(images, block_options(200));
    for (size_t i = 0; i < 19; ++i)
        for (size_t j = 0; j < 22; ++j)
            if (i >= 16 || j >= 20)
                images.y[i][j] = 255;
    CHECK(measure<uint8_t>(images, block_options(200)) == value);

    const auto x = samples_of<uint8_t>(images.x);
    const auto y = samples_of<uint8_t>(images.y);
    const context_pointer context = make_context();
    const metric_pointer metric = make_ssim(context, block_options(200));
    REQUIRE(iqa_metric_update(metric.get(), tensor(x.data(), IQA_UINT8, {19, 22}),
                              tensor(y.data(), IQA_UINT8, {19, 22}), nullptr) == IQA_OK);
    CHECK(read(metric, IQA_FIELD_OUT_OF_RANGE) == 19 * 22 - 16 * 20);
}

TEST_CASE("blocks: the same bits for threads, instruction sets, strides and layouts", "[ssim_blocks]")
{
    constexpr int64_t images = 3;
    constexpr int64_t channels = 3;
    constexpr int64_t height = 141;
    constexpr int64_t width = 530;
    const auto check = [&](auto sample, double peak) {
        using type = decltype(sample);
        const int dtype = dtype_of<type>::value;
        random_numbers random(11);
        std::vector<type> x(size_t(images * channels * height * width));
        std::vector<type> y(x.size());
        for (size_t i = 0; i < x.size(); ++i) {
            x[i] = type(random.below(int64_t(peak) + 1));
            y[i] = type((x[i] * 7 + random.below(int64_t(peak) + 1)) / 8);
        }
        const std::vector<int64_t> planar = {images, channels, height, width};
        const double expected = measure(block_options(peak, IQA_LAYOUT_NCHW), tensor(x.data(), dtype, planar),
                                        tensor(y.data(), dtype, planar), 1, IQA_ISA_BASELINE);
        for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
            for (const int threads : {1, 2, 5})
                CHECK(measure(block_options(peak, IQA_LAYOUT_NCHW), tensor(x.data(), dtype, planar),
                              tensor(y.data(), dtype, planar), threads, isa) == expected);

        // The same pixels interleaved, and upside down in memory.
        std::vector<type> interleaved(x.size());
        std::vector<type> upside_down(y.size());
        for (int64_t n = 0; n < images; ++n)
            for (int64_t c = 0; c < channels; ++c)
                for (int64_t i = 0; i < height; ++i)
                    for (int64_t j = 0; j < width; ++j) {
                        const auto from = size_t(((n * channels + c) * height + i) * width + j);
                        interleaved[size_t(((n * height + i) * width + j) * channels + c)] = x[from];
                        upside_down[size_t(((n * channels + c) * height + height - 1 - i) * width + j)] = y[from];
                    }
        const std::vector<int64_t> shape = {images, height, width, channels};
        const tensor second(upside_down.data() + (height - 1) * width, dtype, shape,
                            {channels * height * width, -width, 1, height * width});
        CHECK(measure(block_options(peak, IQA_LAYOUT_NHWC), tensor(interleaved.data(), dtype, shape), second) ==
              expected);
    };
    check(uint8_t(), 255);
    check(uint16_t(), 4095);
}

TEST_CASE("blocks: values of images and channels, and shaved edges", "[ssim_blocks]")
{
    const planes first = make_planes(24, 32, 255, 21);
    const planes second = make_planes(24, 32, 255, 22);
    std::vector<uint8_t> x = samples_of<uint8_t>(first.x);
    std::vector<uint8_t> y = samples_of<uint8_t>(first.y);
    const auto append = [](std::vector<uint8_t> &to, const std::vector<uint8_t> &more) {
        to.insert(to.end(), more.begin(), more.end());
    };
    append(x, samples_of<uint8_t>(second.x));
    append(y, samples_of<uint8_t>(second.y));

    const context_pointer context = make_context();
    const metric_pointer metric = make_ssim(context, block_options(255, IQA_LAYOUT_CHW));
    double per_channel[2] = {};
    double per_image = 0;
    const tensor channel_view(per_channel, IQA_FLOAT64, {1, 2});
    const tensor image_view(&per_image, IQA_FLOAT64, {1});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_channel = channel_view;
    extras.per_image = image_view;
    REQUIRE(iqa_metric_update(metric.get(), tensor(x.data(), IQA_UINT8, {2, 24, 32}),
                              tensor(y.data(), IQA_UINT8, {2, 24, 32}), &extras) == IQA_OK);
    CHECK(per_channel[0] == measure<uint8_t>(first, block_options(255)));
    CHECK(per_channel[1] == measure<uint8_t>(second, block_options(255)));
    CHECK(std::fabs(per_image - (per_channel[0] + per_channel[1]) / 2) < 1e-15);
    CHECK(read(metric) == per_image);

    planes inner;
    for (const auto &[from, to] : {std::pair(&first.x, &inner.x), std::pair(&first.y, &inner.y)})
        for (size_t i = 3; i < 21; ++i)
            to->emplace_back((*from)[i].begin() + 3, (*from)[i].end() - 3);
    iqa_ssim_options shaved = block_options(255);
    shaved.shave = 3;
    CHECK(measure<uint8_t>(first, shaved) == measure<uint8_t>(inner, block_options(255)));
}

TEST_CASE("blocks: what they do not take", "[ssim_blocks]")
{
    const std::vector<uint8_t> bytes(64 * 64, 9);
    const std::vector<float> reals(64 * 64, 0.5f);
    const std::vector<int16_t> words(64 * 64, 9);
    const tensor image(bytes.data(), IQA_UINT8, {64, 64});
    const auto contains = [](const std::string &text, const char *part) {
        CAPTURE(text, part);
        CHECK(text.find(part) != std::string::npos);
    };
    const tensor low(bytes.data(), IQA_UINT8, {7, 64});
    contains(refusal(block_options(255), low, low, IQA_ERROR_SHAPE), "height 7 is smaller than a block of 8 pixels");
    const tensor narrow(bytes.data(), IQA_UINT8, {64, 5});
    contains(refusal(block_options(255), narrow, narrow, IQA_ERROR_SHAPE), "width 5 is smaller than a block");
    for (const auto &[data, dtype] :
         {std::pair<const void *, int>(reals.data(), IQA_FLOAT32), {words.data(), IQA_INT16}}) {
        const tensor other(data, dtype, {64, 64});
        contains(refusal(block_options(255), other, other, IQA_ERROR_DTYPE), "uint8 or uint16");
    }

    std::vector<double> room(64 * 64);
    const tensor pixels(room.data(), IQA_FLOAT64, {64, 64});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.map = pixels;
    contains(refusal(block_options(255), image, image, IQA_ERROR_INVALID_ARGUMENT, &extras), "map is given");
    extras = IQA_UPDATE_EXTRAS_INIT;
    extras.candidate_gradient = pixels;
    contains(refusal(block_options(255), image, image, IQA_ERROR_INVALID_ARGUMENT, &extras),
             "candidate_gradient is given");
}
