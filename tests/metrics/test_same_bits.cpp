// SPDX-License-Identifier: MIT
// The promise: the same input gives the same bits for any instruction set, thread count, split into batches and order
// of merges. States are compared byte for byte, per-image values and maps too.
#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <span>

#include "core/state.hpp"
#include "support/catch.hpp"
#include "support/fid_features.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

// A few pictures of one shape: smooth, textured, flat, dark, with large steps, and outside their range.
template <class Sample>
struct picture_set {
    int64_t count = 6;
    int64_t channels = 3;
    int64_t height = 79;
    int64_t width = 150;
    std::vector<Sample> reference;
    std::vector<Sample> candidate;

    picture_set()
    {
        random_numbers random(99);
        for (int64_t n = 0; n < count; ++n)
            for (int64_t i = 0; i < height; ++i)
                for (int64_t j = 0; j < width; ++j)
                    for (int64_t c = 0; c < channels; ++c) {
                        double value = 0;
                        switch (n) {
                        case 0:
                            value = double((i * i / 31 + j + 40 * c) % 120);
                            break;
                        case 1:
                            value = formula_reference(i, j + c) / 2;
                            break;
                        case 2:
                            value = 77;
                            break;
                        case 3:
                            value = double(random.below(3));
                            break;
                        case 4:
                            value = (i / 20 + j / 30) % 2 == 0 ? 3 : 120;
                            break;
                        default:
                            value = double(random.below(128));
                            break;
                        }
                        reference.push_back(sample_from<Sample>(value));
                        const double other = value + double(random.below(9)) - 4;
                        candidate.push_back(sample_from<Sample>(other < 0 ? 0 : other));
                    }
    }

    tensor view(const std::vector<Sample> &from, int64_t first, int64_t images) const
    {
        return {from.data() + first * height * width * channels,
                dtype_of<Sample>::value,
                {images, height, width, channels}};
    }
};

struct outcome {
    std::vector<unsigned char> state;
    double value = 0;
    std::vector<double> per_image;
    std::vector<double> per_channel;
    std::vector<float> map;

    bool operator==(const outcome &other) const
    {
        const auto same = [](const auto &a, const auto &b) {
            return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0);
        };
        return same(state, other.state) && std::memcmp(&value, &other.value, sizeof value) == 0 &&
               same(per_image, other.per_image) && same(per_channel, other.per_channel) && same(map, other.map);
    }
};

template <class Sample, class Make>
outcome run(const picture_set<Sample> &set, const context_pointer &context, Make &&make, bool with_map, int border,
            int window, const std::vector<int64_t> &batches)
{
    const int64_t out_height = border == IQA_BORDER_VALID ? set.height - window + 1 : set.height;
    const int64_t out_width = border == IQA_BORDER_VALID ? set.width - window + 1 : set.width;
    outcome result;
    result.per_image.resize(size_t(set.count));
    result.per_channel.resize(size_t(set.count * set.channels));
    if (with_map)
        result.map.resize(size_t(set.count * out_height * out_width * set.channels));
    // One metric for each batch, merged from the last to the first.
    std::vector<metric_pointer> parts;
    int64_t first = 0;
    for (const int64_t images : batches) {
        parts.push_back(make(context));
        const tensor image_view(result.per_image.data() + first, IQA_FLOAT64, {images});
        const tensor channel_view(result.per_channel.data() + first * set.channels, IQA_FLOAT64,
                                  {images, set.channels});
        const int64_t first_of_map = with_map ? first * out_height * out_width * set.channels : 0;
        const tensor map_view(result.map.data() + first_of_map, IQA_FLOAT32,
                              {images, out_height, out_width, set.channels});
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.per_image = image_view;
        extras.per_channel = channel_view;
        if (with_map)
            extras.map = map_view;
        const iqa_status status = iqa_metric_update(parts.back().get(), set.view(set.reference, first, images),
                                                    set.view(set.candidate, first, images), &extras);
        INFO(iqa_context_error(context.get()));
        REQUIRE(status == IQA_OK);
        first += images;
    }
    while (parts.size() > 1) {
        REQUIRE(iqa_metric_merge(parts[parts.size() - 2].get(), parts.back().get()) == IQA_OK);
        parts.pop_back();
    }
    result.state = bytes_of(parts[0]);
    result.value = read(parts[0]);
    return result;
}

const std::vector<std::vector<int64_t>> splits = {{6}, {1, 1, 1, 1, 1, 1}, {2, 4}, {3, 3}, {5, 1}, {1, 2, 3}};

template <class Sample, class Make>
void check_everywhere(Make &&make, bool with_map, int border, int window, uint32_t golden)
{
    const picture_set<Sample> set;
    const outcome expected = run(set, make_context(1, IQA_ISA_BASELINE), make, with_map, border, window, splits[0]);
    for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
        for (int threads = 1; threads <= 8; ++threads) {
            if (isa == IQA_ISA_BASELINE && threads % 4 != 1)
                continue; // slow, and the threads are the same
            const context_pointer context = make_context(threads, isa);
            const auto &split = splits[size_t(threads) % splits.size()];
            CAPTURE(isa, threads, iqa_context_instruction_set(context.get()), split.size());
            CHECK(run(set, context, make, with_map, border, window, split) == expected);
        }
    for (const auto &split : splits)
        CHECK(run(set, make_context(2), make, with_map, border, window, split) == expected);

    // Recorded from this test: a change of bits is a change of the library's answer and belongs into the changelog.
    // Of the lanes alone: the options before them may grow, and behind them the state has its own checksum.
    uint32_t option_bytes = 0;
    std::memcpy(&option_bytes, expected.state.data() + 8, sizeof option_bytes);
    const auto lanes = std::as_bytes(std::span(expected.state)).subspan(16 + option_bytes);
    const uint32_t checksum = iqa::checksum(lanes.first(lanes.size() - 4));
    CAPTURE(dtype_of<Sample>::value, border, window);
    CHECK(checksum == golden);
}

template <class Sample>
auto ssim_maker(int border, int window, void (*change)(iqa_ssim_options &) = nullptr)
{
    return [=](const context_pointer &context) {
        iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
        options.layout = IQA_LAYOUT_NHWC;
        options.data_low = 0;
        options.data_high = 100; // some samples lie outside
        options.border = border;
        options.size_y = options.size_x = window;
        if (change != nullptr)
            change(options);
        return make_ssim(context, options);
    };
}

} // namespace

TEST_CASE("SSIM: any instruction set, threads, batches and merges", "[same_bits]")
{
    const auto check = [](auto sample, int border, int window, uint32_t golden) {
        check_everywhere<decltype(sample)>(ssim_maker<decltype(sample)>(border, window), true, border, window, golden);
    };
    check(uint8_t(), IQA_BORDER_VALID, 11, 0xbaa23336);
    check(uint8_t(), IQA_BORDER_REFLECT, 11, 0x21f4f3e8);
    check(uint16_t(), IQA_BORDER_SYMMETRIC, 7, 0xe4811e9f);
    check(int16_t(), IQA_BORDER_REPLICATE, 9, 0xf6e90061);
    check(iqa::float16(), IQA_BORDER_ZERO, 11, 0x329282a4);
    check(iqa::bfloat16(), IQA_BORDER_VALID, 5, 0x44a0d8ed);
    check(float(), IQA_BORDER_VALID, 11, 0xda3f1374);
    check(float(), IQA_BORDER_REFLECT, 13, 0xd357759e);
    check(double(), IQA_BORDER_VALID, 11, 0x3b207971);
    check(double(), IQA_BORDER_ZERO, 7, 0xdc80d32b);
}

TEST_CASE("SSIM over blocks: any instruction set, threads, batches and merges", "[same_bits]")
{
    const auto make = [](const context_pointer &context) {
        iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
        options.layout = IQA_LAYOUT_NHWC;
        options.data_low = 0;
        options.data_high = 100;
        options.window = IQA_WINDOW_BLOCKS;
        return make_ssim(context, options);
    };
    check_everywhere<uint8_t>(make, false, IQA_BORDER_ZERO, 1, 0xb4f2dca9);
    check_everywhere<uint16_t>(make, false, IQA_BORDER_ZERO, 1, 0xb4f2dca9);
}

TEST_CASE("SSIM of several scales and in parts: any instruction set, threads, batches and merges", "[same_bits]")
{
    const auto check = [](auto sample, int border, int window, void (*change)(iqa_ssim_options &), uint32_t golden) {
        check_everywhere<decltype(sample)>(ssim_maker<decltype(sample)>(border, window, change), true, border, window,
                                           golden);
    };
    const auto three_scales = [](iqa_ssim_options &options) {
        options.scales = 3;
        options.scale_weights[0] = 0.25;
        options.scale_weights[1] = 0.25;
        options.scale_weights[2] = 0.5;
        options.negative = IQA_NEGATIVE_RELU;
        options.contrast_border = options.border;
    };
    check(uint8_t(), IQA_BORDER_VALID, 11, three_scales, 0x41bcbcbf);
    check(float(), IQA_BORDER_REFLECT, 7, three_scales, 0x5476f021);
    check(
        double(), IQA_BORDER_ZERO, 5,
        [](iqa_ssim_options &options) {
            options.scales = 2;
            options.scale_weights[0] = options.scale_weights[1] = 0.5;
            options.product = IQA_PRODUCT_OF_IMAGE;
            options.negative = IQA_NEGATIVE_SIMPLE;
            options.shrink = IQA_SHRINK_REPLICATE;
            options.parts = 1;
            options.contrast_border = options.border;
        },
        0xa18e9d75);
    check(
        iqa::float16(), IQA_BORDER_SYMMETRIC, 7, [](iqa_ssim_options &options) { options.parts = 1; }, 0x5ccb1673);
}

TEST_CASE("PSNR: any instruction set, threads, batches and merges", "[same_bits]")
{
    const auto make = [](const context_pointer &context) {
        iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
        options.layout = IQA_LAYOUT_NHWC;
        options.data_low = 0;
        options.data_high = 100;
        return make_psnr(context, options);
    };
    const auto check = [&](auto sample, uint32_t golden) {
        check_everywhere<decltype(sample)>(make, false, IQA_BORDER_ZERO, 1, golden);
    };
    check(uint8_t(), 0x9a339611);
    check(uint16_t(), 0x9a339611);
    check(int16_t(), 0x9a339611);
    check(iqa::float16(), 0x83930192);
    check(iqa::bfloat16(), 0xe0ad77df);
    check(float(), 0x83930192);
    check(double(), 0x83930192);
}

TEST_CASE("mean errors: any instruction set, threads, batches and merges", "[same_bits]")
{
    const auto make = [](const context_pointer &context) {
        iqa_errors_options options = IQA_ERRORS_OPTIONS_INIT;
        options.layout = IQA_LAYOUT_NHWC;
        options.data_low = 0;
        options.data_high = 100;
        return make_errors(context, options);
    };
    const auto check = [&](auto sample, uint32_t golden) {
        check_everywhere<decltype(sample)>(make, false, IQA_BORDER_ZERO, 1, golden);
    };
    check(uint8_t(), 0xefad4458);
    check(uint16_t(), 0xefad4458);
    check(int16_t(), 0xefad4458);
    check(iqa::float16(), 0x7fd9fc60);
    check(iqa::bfloat16(), 0x53992d24);
    check(float(), 0x7fd9fc60);
    check(double(), 0x7fd9fc60);
}

TEST_CASE("KID, PRDC and the Inception Score: any instruction set and threads", "[same_bits]")
{
    // Blocks of rows, chains of products and register tiles all end somewhere inside.
    const feature_set x = hash_features(1, 130, 270);
    const feature_set y = hash_features(2, 75, 270, 0.05f);
    const tensor of_x(x.row(0), IQA_FLOAT32, {x.rows, x.features});
    const tensor of_y(y.row(0), IQA_FLOAT32, {y.rows, y.features});
    const auto check = [&](uint32_t golden, auto measure) {
        for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
            for (const int threads : {1, 2, 3, 8}) {
                CAPTURE(isa, threads);
                const context_pointer context = make_context(threads, isa);
                std::array<double, IQA_PRDC_PAIRS + 1> values = {};
                REQUIRE(measure(context.get(), values) == IQA_OK);
                CHECK(iqa::checksum(std::as_bytes(std::span(values))) == golden);
            }
    };
    check(0x307d705f, [&](iqa_context *context, auto &values) {
        iqa_kid_options options = IQA_KID_OPTIONS_INIT;
        options.subsets = 4;
        options.subset_size = 50;
        return iqa_measure_kid(context, &options, of_x, of_y, &values[0], &values[1]);
    });
    check(0xbb0641c4, [&](iqa_context *context, auto &values) {
        return iqa_measure_prdc(context, nullptr, of_x, of_y, values.data(), values.size(), nullptr);
    });
    feature_set shares = x;
    for (int64_t i = 0; i < x.rows; ++i) {
        const float sum = std::accumulate(x.row(i), x.row(i) + x.features, 0.0f);
        for (int64_t j = 0; j < x.features; ++j)
            shares.at(i, j) /= sum;
    }
    const tensor of_shares(shares.row(0), IQA_FLOAT32, {x.rows, x.features});
    check(0xb55ecbe1, [&](iqa_context *context, auto &values) {
        return iqa_measure_inception_score(context, nullptr, of_x, &values[0], &values[1]);
    });
    check(0xa3c64acb, [&](iqa_context *context, auto &values) {
        iqa_inception_score_options options = IQA_INCEPTION_SCORE_OPTIONS_INIT;
        options.scores = IQA_SCORES_PROBABILITIES;
        return iqa_measure_inception_score(context, &options, of_shares, &values[0], &values[1]);
    });
}

TEST_CASE("lanes of many states added by anyone are the state of all", "[same_bits]")
{
    const picture_set<float> set;
    const context_pointer context = make_context();
    const auto make = ssim_maker<float>(IQA_BORDER_VALID, 11);
    const metric_pointer whole = make(context);
    REQUIRE(iqa_metric_update(whole.get(), set.view(set.reference, 0, 6), set.view(set.candidate, 0, 6), nullptr) ==
            IQA_OK);
    std::vector<int64_t> sum;
    for (int64_t image : {4, 1, 5, 0, 3, 2}) {
        const metric_pointer part = make(context);
        REQUIRE(iqa_metric_update(part.get(), set.view(set.reference, image, 1), set.view(set.candidate, image, 1),
                                  nullptr) == IQA_OK);
        size_t count = 0;
        REQUIRE(iqa_metric_lanes(part.get(), nullptr, 0, &count) == IQA_OK);
        std::vector<int64_t> lanes(count);
        REQUIRE(iqa_metric_lanes(part.get(), lanes.data(), count, nullptr) == IQA_OK);
        sum.resize(count);
        std::transform(sum.begin(), sum.end(), lanes.begin(), sum.begin(), std::plus<>());
    }
    const metric_pointer added = make(context);
    REQUIRE(iqa_metric_add_lanes(added.get(), sum.data(), sum.size()) == IQA_OK);
    CHECK(bytes_of(added) == bytes_of(whole));

    // Through bytes and back.
    const auto bytes = bytes_of(whole);
    iqa_metric *loaded = nullptr;
    REQUIRE(iqa_metric_deserialize(context.get(), bytes.data(), bytes.size(), &loaded) == IQA_OK);
    const metric_pointer copy(loaded);
    CHECK(bytes_of(copy) == bytes);
    CHECK(read(copy) == read(whole));
}
