// SPDX-License-Identifier: MIT
// float32 images, whose usual samples have a short way to their sums: the sums are those of the same samples in
// float64, which have none, and those of one exact addition after another.
#include <algorithm>
#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/support.hpp"
#include "values/psnr.h"

using namespace test;

namespace {

struct image_kind {
    const char *name;
    bool usual; // each sample is 0 or in +-[2^-17, 2^2), or each is 0 or in +-[2^-11, 2^8)
    std::function<float(random_numbers &random)> reference;
    std::function<float(random_numbers &random, float reference)> candidate;
};

float any_exponent(random_numbers &random, int lowest, int highest)
{
    const float magnitude = std::ldexp(1.0f + float(random.uniform()), lowest + int(random.below(highest - lowest)));
    return random.below(2) != 0 ? magnitude : -magnitude;
}

// `rare` once in many samples, so that it meets blocks of usual ones.
float seldom(random_numbers &random, float usual, float rare)
{
    return random.below(3000) == 0 ? rare : usual;
}

std::vector<image_kind> image_kinds()
{
    const auto uniform = [](random_numbers &random) {
        return float(random.uniform());
    };
    const auto close = [](random_numbers &random, float x) {
        return x + float(0.1 * random.uniform() - 0.05);
    };
    const auto near_usual = [=](float rare) {
        return [=](random_numbers &random) {
            return seldom(random, 0.5f + 0.5f * float(random.uniform()), rare);
        };
    };
    constexpr float infinity = std::numeric_limits<float>::infinity();
    return {
        {"bytes as fractions", true, [](random_numbers &random) { return float(random.below(256)) / 255.0f; },
         [](random_numbers &random, float x) {
             return std::clamp(std::round(x * 255.0f) + float(random.below(17)) - 8.0f, 0.0f, 255.0f) / 255.0f;
         }},
        {"bytes as floats", true, [](random_numbers &random) { return float(random.below(256)); },
         [](random_numbers &random, float) {
             return float(random.below(256));
         }},
        {"all of the range", false, uniform, close},
        {"both signs", false, [](random_numbers &random) { return float(2 * random.uniform() - 1); }, close},
        {"an offset", true, [](random_numbers &random) { return 200.0f + float(random.uniform()); }, close},
        {"equal", true, [](random_numbers &random) { return 0.1f + float(random.uniform()); },
         [](random_numbers &, float x) {
             return x;
         }},
        {"neighbours", true, [](random_numbers &random) { return 0.1f + float(random.uniform()); },
         [](random_numbers &, float x) {
             return std::nextafter(x, 2.0f);
         }},
        {"usual exponents", true, [](random_numbers &random) { return any_exponent(random, -17, 2); },
         [](random_numbers &random, float) {
             return any_exponent(random, -17, 2);
         }},
        {"large exponents", true, [](random_numbers &random) { return any_exponent(random, -11, 8); },
         [](random_numbers &random, float) {
             return any_exponent(random, -11, 8);
         }},
        {"usual and large exponents", false, [](random_numbers &random) { return any_exponent(random, -17, 8); },
         [](random_numbers &random, float) {
             return any_exponent(random, -17, 8);
         }},
        {"far apart", true, [=](random_numbers &random) { return seldom(random, 0x1.fffffep1f, 0x1.234567p-17f); },
         [=](random_numbers &random, float x) {
             return seldom(random, -x, -0x1.76543p-17f);
         }},
        {"large and far apart", true,
         [=](random_numbers &random) { return seldom(random, -0x1.fffffep7f, 0x1.234567p-11f); },
         [=](random_numbers &random, float x) {
             return seldom(random, -x, -0x1.76543p-11f);
         }},
        {"negative in places", true, [](random_numbers &random) { return 0.5f + float(random.uniform()); },
         [=](random_numbers &random, float x) {
             return seldom(random, x, -1.0f);
         }},
        {"many exponents", false, [](random_numbers &random) { return any_exponent(random, -40, 12); },
         [](random_numbers &random, float) {
             return any_exponent(random, -40, 12);
         }},
        {"all exponents", false, [](random_numbers &random) { return any_exponent(random, -126, 127); },
         [](random_numbers &random, float) {
             return any_exponent(random, -126, 127);
         }},
        {"subnormals", false, [](random_numbers &random) { return float(random.below(1000)) * 0x1p-149f; },
         [](random_numbers &random, float) {
             return float(random.below(1000)) * 0x1p-149f;
         }},
        {"a subnormal", false, near_usual(0x1p-149f), close},
        {"the smallest usual", false, near_usual(0x1p-17f), close},
        {"just smaller", false, near_usual(std::nextafter(0x1p-17f, 0.0f)), close},
        {"the largest usual", false, near_usual(std::nextafter(0x1p2f, 0.0f)), close},
        {"just larger", false, near_usual(0x1p2f), close},
        {"larger, and small", false, [=](random_numbers &random) { return seldom(random, 0x1p-12f, 100.0f); }, close},
        {"the largest", false, near_usual(std::nextafter(0x1p8f, 0.0f)), close},
        {"too large", false, near_usual(0x1p8f), close},
        {"a negative zero", false, near_usual(-0.0f), close},
        {"huge", false, near_usual(3e38f), close},
        {"infinite", false, near_usual(-infinity), close},
        {"no number", false, near_usual(-std::numeric_limits<float>::quiet_NaN()), close},
    };
}

struct float_pair {
    std::vector<float> reference, candidate;
};

float_pair make_pair(const image_kind &kind, int64_t samples, uint64_t seed)
{
    random_numbers random(seed);
    float_pair pair;
    for (int64_t i = 0; i < samples; ++i) {
        pair.reference.push_back(kind.reference(random));
        pair.candidate.push_back(kind.candidate(random, pair.reference.back()));
    }
    return pair;
}

struct outcome {
    iqa_status status;
    std::vector<unsigned char> state;
    bool operator==(const outcome &) const = default;
};

outcome outcome_of(const metric_pointer &metric, const iqa_tensor *reference, const iqa_tensor *candidate)
{
    const iqa_status status = settled_update(metric, reference, candidate);
    return {status, status == IQA_OK ? bytes_of(metric) : std::vector<unsigned char>()};
}

} // namespace

TEST_CASE("float32 has the sums of float64", "[psnr]")
{
    const std::pair<int64_t, int64_t> sizes[] = {{1, 1}, {3, 5}, {1, 31}, {7, 4099}, {2, 20000}};
    for (const image_kind &kind : image_kinds())
        for (const auto &[height, width] : sizes) {
            const float_pair pair = make_pair(kind, height * width, uint64_t(width));
            const std::vector<double> x(pair.reference.begin(), pair.reference.end());
            const std::vector<double> y(pair.candidate.begin(), pair.candidate.end());
            // Every second column, and rows with a rest.
            const int64_t row = 2 * width + 3;
            std::vector<float> sparse(size_t(2 * height * row), 77.0f);
            for (int64_t i = 0; i < height * width; ++i) {
                sparse[size_t(i / width * row + 2 * (i % width))] = pair.reference[size_t(i)];
                sparse[size_t((height + i / width) * row + 2 * (i % width))] = pair.candidate[size_t(i)];
            }
            for (const double range : {1.0, 255.0, 1e-30, 1e30})
                for (const int32_t nonfinite : {IQA_NONFINITE_ERROR, IQA_NONFINITE_MASK, IQA_NONFINITE_PROPAGATE})
                    for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512}) {
                        CAPTURE(kind.name, height, width, range, nonfinite, isa);
                        const context_pointer context = make_context(1, isa);
                        iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
                        psnr.data_high = range;
                        psnr.nonfinite = nonfinite;
                        iqa_errors_options errors = IQA_ERRORS_OPTIONS_INIT;
                        errors.data_high = range;
                        errors.nonfinite = nonfinite;
                        const auto both = [&](const iqa_tensor *reference, const iqa_tensor *candidate) {
                            return std::pair(outcome_of(make_psnr(context, psnr), reference, candidate),
                                             outcome_of(make_errors(context, errors), reference, candidate));
                        };
                        const auto expected = both(tensor(x.data(), IQA_FLOAT64, {height, width}),
                                                   tensor(y.data(), IQA_FLOAT64, {height, width}));
                        CHECK(both(tensor(pair.reference.data(), IQA_FLOAT32, {height, width}),
                                   tensor(pair.candidate.data(), IQA_FLOAT32, {height, width})) == expected);
                        CHECK(both(tensor(sparse.data(), IQA_FLOAT32, {height, width}, {row, 2}),
                                   tensor(sparse.data() + height * row, IQA_FLOAT32, {height, width}, {row, 2})) ==
                              expected);
                    }
        }
}

TEST_CASE("usual float32 samples have their exact sum", "[psnr]")
{
    constexpr int64_t height = 7;
    constexpr int64_t width = 4099;
    for (const image_kind &kind : image_kinds()) {
        if (!kind.usual)
            continue;
        const float_pair pair = make_pair(kind, height * width, 5);
        std::vector<int64_t> slow(iqa::square_format.digits);
        for (size_t i = 0; i < pair.reference.size(); ++i) {
            const double difference = double(pair.reference[i]) - double(pair.candidate[i]);
            const double square = difference * difference;
            const int exponent = square != 0.0 ? iqa::exponent_of(square) - 52 : 0;
            iqa::exact_add(iqa::square_format, slow.data(), iqa::int128(std::ldexp(square, -exponent)), exponent);
        }
        for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512}) {
            CAPTURE(kind.name, isa);
            const context_pointer context = make_context(1, isa);
            iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
            options.data_high = 1;
            const metric_pointer metric = make_psnr(context, options);
            REQUIRE(settled_update(metric, tensor(pair.reference.data(), IQA_FLOAT32, {height, width}),
                                   tensor(pair.candidate.data(), IQA_FLOAT32, {height, width})) == IQA_OK);
            const std::vector<int64_t> lanes = lanes_of(metric);
            CHECK(std::equal(slow.begin(), slow.end(), lanes.begin() + iqa::psnr_lane::errors));
        }
    }
}
