// SPDX-License-Identifier: MIT
// The exact moments of FID against plain 128-bit sums, at the bounds of every word, on any strides.
#include <algorithm>
#include <type_traits>

#include "arith/second_moment.h"
#include "support/catch.hpp"
#include "support/fid_features.hpp"

using namespace test;

namespace {

struct plain_moments {
    std::vector<int64_t> sums;
    std::vector<iqa::int128> products; // [i][j], j <= i
    std::vector<iqa::int128> rests;    // of each feature: the sum, and the sum of squares
};

// What is left of a feature in units of 2^-24 steps; a feature that vanishes leaves a unit.
int64_t rest(double value, int fraction_bits)
{
    const long double scaled = std::ldexp(static_cast<long double>(value), fraction_bits);
    const long double left = scaled - std::nearbyint(scaled);
    const auto units = int64_t(std::nearbyint(std::ldexp(left, 24)));
    return units == 0 && value != 0 && std::nearbyint(scaled) == 0 ? 1 : units;
}

int64_t grid_integer(double value, int fraction_bits)
{
    return int64_t(std::nearbyint(std::ldexp(value, fraction_bits)));
}

plain_moments plain(const feature_set &set, int fraction_bits)
{
    plain_moments result{std::vector<int64_t>(size_t(set.features)), {}, {}};
    for (int64_t i = 0; i < set.features; ++i) {
        for (int64_t row = 0; row < set.rows; ++row)
            result.sums[size_t(i)] += grid_integer(set.at(row, i), fraction_bits);
        for (int64_t j = 0; j <= i; ++j) {
            iqa::int128 sum = 0;
            for (int64_t row = 0; row < set.rows; ++row)
                sum += iqa::int128(grid_integer(set.at(row, i), fraction_bits)) *
                       grid_integer(set.at(row, j), fraction_bits);
            result.products.push_back(sum);
        }
        iqa::int128 sum = 0;
        iqa::int128 squares = 0;
        for (int64_t row = 0; row < set.rows; ++row) {
            const int64_t left = rest(set.at(row, i), fraction_bits);
            sum += left;
            squares += iqa::int128(left) * left;
        }
        result.rests.insert(result.rests.end(), {sum, squares});
    }
    return result;
}

// The lanes of the first set against plain sums.
bool agrees(const std::vector<int64_t> &lanes, const feature_set &set, int fraction_bits)
{
    const plain_moments expected = plain(set, fraction_bits);
    const int64_t *next = lanes.data();
    bool same = *next++ == set.rows;
    for (const int64_t sum : expected.sums)
        same = same && *next++ == sum;
    for (const auto *sums : {&expected.products, &expected.rests})
        for (const iqa::int128 sum : *sums) {
            same = same && next[0] >= 0 && next[0] < (int64_t(1) << 32) && iqa::value_of({next[0], next[1]}) == sum;
            next += 2;
        }
    return same;
}

template <class Sample>
feature_set widened(const std::vector<Sample> &samples, int64_t rows, int64_t features)
{
    feature_set set(rows, features);
    for (size_t i = 0; i < samples.size(); ++i)
        set.values[i] = float(iqa::widen(samples[i]));
    return set;
}

iqa_status update(const metric_pointer &metric, const iqa_tensor *reference)
{
    return settled_update(metric, reference, nullptr);
}

} // namespace

TEST_CASE("moments equal plain 128-bit sums for every instruction set and shape", "[fid]")
{
    const int isa = GENERATE(as<int>(), IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512);
    const int threads = GENERATE(1, 3);
    const auto context = make_context(threads, isa);
    for (const int64_t features : {1, 31, 33, 70})
        for (const int64_t rows : {1, 2, 127, 257, 259, 600}) {
            feature_set set(rows, features);
            random_numbers random(uint64_t(rows * 100 + features));
            for (float &value : set.values)
                value = float(random.uniform() * 250.0 - 125.0);
            const auto wide = make_fid(context, fid_options(features));
            REQUIRE(add_rows(wide, IQA_FID_REFERENCE, set) == IQA_OK);
            CHECK(agrees(lanes_of(wide), set, 24));
            const auto narrow = make_fid(context, fid_options(features, 16, IQA_FID_WORD_24));
            REQUIRE(add_rows(narrow, IQA_FID_REFERENCE, set) == IQA_OK);
            CHECK(agrees(lanes_of(narrow), set, 16));
        }
}

TEST_CASE("moments are exact at the bounds of the words", "[fid]")
{
    const auto context = make_context();
    const bool wide = GENERATE(true, false);
    const int fraction_bits = wide ? 24 : 16;
    const int word = wide ? IQA_FID_WORD_32 : IQA_FID_WORD_24;

    SECTION("the largest features, alternating in sign, over many rows")
    {
        feature_set set(70001, 5);
        for (int64_t i = 0; i < set.rows; ++i)
            for (int64_t j = 0; j < set.features; ++j)
                set.at(i, j) = (i * j) % 2 == 0 ? 127.0f : -127.0f;
        const auto metric = make_fid(context, fid_options(5, fraction_bits, word));
        REQUIRE(add_rows(metric, IQA_FID_REFERENCE, set) == IQA_OK);
        CHECK(agrees(lanes_of(metric), set, fraction_bits));
    }
    SECTION("the largest rests, and features that vanish")
    {
        feature_set set(70001, 5);
        for (int64_t i = 0; i < set.rows; ++i)
            for (int64_t j = 0; j < set.features; ++j) {
                constexpr float values[5] = {0.5f, -0.5f, 0x1.8p-25f, 1e-30f, -0x1p-26f};
                set.at(i, j) = float(std::ldexp(values[(i + j * (i % 3)) % 5], -fraction_bits));
            }
        const auto metric = make_fid(context, fid_options(5, fraction_bits, word));
        REQUIRE(add_rows(metric, IQA_FID_REFERENCE, set) == IQA_OK);
        CHECK(agrees(lanes_of(metric), set, fraction_bits));
    }
    SECTION("digits that are the largest together")
    {
        // q = -2^10 - 2^21 has digits -1024 and -1024; q = -2048 - 2032 * 4096 has -2048 and -2032.
        const int64_t q = wide ? -1024 - 1024 * 2048 : -2048 - 2031 * 4096;
        feature_set set(300, 3);
        for (float &value : set.values)
            value = float(std::ldexp(double(q), -fraction_bits));
        REQUIRE(grid_integer(set.at(0, 0), fraction_bits) == q);
        const auto metric = make_fid(context, fid_options(3, fraction_bits, word));
        REQUIRE(add_rows(metric, IQA_FID_REFERENCE, set) == IQA_OK);
        CHECK(agrees(lanes_of(metric), set, fraction_bits));
    }
    SECTION("one step beyond is refused, and the bound itself is not")
    {
        const double bound = 127.0;
        const double step = std::ldexp(1.0, -fraction_bits);
        const auto metric = make_fid(context, fid_options(1, fraction_bits, word));
        for (const double value : {bound, -bound, bound + step * 0.49}) {
            const std::vector<double> one = {value};
            CHECK(update(metric, tensor(one.data(), IQA_FLOAT64, {1, 1})) == IQA_OK);
        }
        const std::vector<int64_t> before = lanes_of(metric);
        for (const double value : {bound + step, -bound - step, 1e30, 0x1p60, -0x1p52, 0x1p1000}) {
            const std::vector<double> one = {value};
            CHECK(update(metric, tensor(one.data(), IQA_FLOAT64, {1, 1})) == IQA_ERROR_NUMERIC);
        }
        CHECK((lanes_of(metric) == before));
    }
}

TEST_CASE("sums are found again from planes that wrap, at the bounds of every digit", "[fid]")
{
    const bool wide = GENERATE(true, false);
    const int64_t limit = wide ? iqa::wide_limit : iqa::narrow_limit;
    const int rows = wide ? iqa::most_rows_wide : iqa::most_rows_narrow;
    const int planes = wide ? iqa::wide_planes : iqa::narrow_planes;
    std::vector<int64_t> words = {limit, -limit};
    const auto add = [&](int64_t q) {
        if (std::abs(q) <= limit)
            words.push_back(q);
    };
    if (wide) {
        for (const int64_t d0 : {-1024, 0, 1023})
            for (const int64_t d1 : {-1024, 1, 1023})
                for (const int64_t d2 : {-508, -507, 0, 507, 508})
                    add(d0 + d1 * (1 << 11) + d2 * (1 << 22));
    } else {
        for (const int64_t d0 : {-2048, -2047, 0, 1, 2047})
            for (const int64_t d1 : {-2032, -2031, -1, 0, 2031, 2032})
                add(d0 + d1 * (1 << 12));
    }

    // How the factors go on from row to row: both the same in all, one of them changing, both changing.
    const auto [step, other_step] = GENERATE(std::pair(0, 0), std::pair(0, 1), std::pair(1, 7));
    bool same = true;
    for (size_t i = 0; i < words.size(); ++i)
        for (size_t j = 0; j < words.size(); ++j) {
            uint32_t sums[iqa::wide_planes] = {};
            iqa::int128 expected = 0;
            for (int row = 0; row < rows; ++row) {
                const int64_t a = words[(i + size_t(row * step)) % words.size()];
                const int64_t b = words[(j + size_t(row * other_step)) % words.size()];
                int32_t of_a[iqa::wide_planes];
                int32_t of_b[iqa::wide_planes];
                (wide ? iqa::split_wide : iqa::split_narrow)(int32_t(a), of_a);
                (wide ? iqa::split_wide : iqa::split_narrow)(int32_t(b), of_b);
                for (int plane = 0; plane < planes; ++plane) {
                    same = same && of_a[plane] == int16_t(of_a[plane]);
                    sums[plane] += uint32_t(of_a[plane] * of_b[plane]);
                }
                expected += iqa::int128(a) * b;
            }
            const iqa::moment_words found =
                wide ? iqa::from_wide_planes(sums[0], sums[1], sums[2], sums[3], sums[4])
                     : iqa::from_narrow_planes(int32_t(sums[0]), int32_t(sums[1]), int32_t(sums[2]));
            same = same && iqa::value_of(found) == expected;
        }
    CHECK(same);
}

TEST_CASE("moments of features with the largest digits are exact in blocks of any length", "[fid]")
{
    const int isa = GENERATE(as<int>(), IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512);
    const bool wide = GENERATE(true, false);
    const int fraction_bits = wide ? 24 : 16;
    constexpr int64_t wide_words[] = {-1024 - 1024 * 2048,        1023 + 1023 * 2048,        -1024 + (507 << 22),
                                      -1024 * 2048 + (507 << 22), 1023 * 2048 - (508 << 22), 508 << 22};
    constexpr int64_t narrow_words[] = {-2048 - 2031 * 4096, 2047 + 2031 * 4096, -2048 + 2032 * 4096,
                                        2047 - 2032 * 4096,  2032 * 4096,        -2032 * 4096};
    const auto context = make_context(1, isa);
    for (const int64_t rows : {257, 258, 259, 507, 508, 509, 1017}) {
        feature_set set(rows, 6);
        for (int64_t i = 0; i < rows; ++i)
            for (int64_t j = 0; j < 6; ++j)
                set.at(i, j) = float(std::ldexp(double((wide ? wide_words : narrow_words)[j]), -fraction_bits));
        const auto metric = make_fid(context, fid_options(6, fraction_bits, wide ? IQA_FID_WORD_32 : IQA_FID_WORD_24));
        REQUIRE(add_rows(metric, IQA_FID_REFERENCE, set) == IQA_OK);
        CHECK(agrees(lanes_of(metric), set, fraction_bits));
    }
}

TEST_CASE("ties on the grid go to even", "[fid]")
{
    const auto metric = make_fid(make_context(), fid_options(6, 0));
    const std::vector<double> row = {0.5, 1.5, 2.5, -0.5, -1.5, 2.4999999};
    REQUIRE(update(metric, tensor(row.data(), IQA_FLOAT64, {1, 6})) == IQA_OK);
    const std::vector<int64_t> lanes = lanes_of(metric);
    CHECK(std::vector<int64_t>(lanes.begin() + 1, lanes.begin() + 7) == std::vector<int64_t>{0, 2, 2, 0, -2, 2});
}

TEMPLATE_TEST_CASE("features of any type on any strides", "[fid]", iqa::float16, iqa::bfloat16, float, double)
{
    const int64_t rows = 37;
    const int64_t features = 41;
    random_numbers random(3);
    std::vector<TestType> samples;
    for (int64_t i = 0; i < rows * features; ++i)
        samples.push_back(sample_from<TestType>(double(random.below(200)) - 100));
    const feature_set set = widened(samples, rows, features);
    const int isa = GENERATE(as<int>(), IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512);
    const auto context = make_context(2, isa);
    const auto expected_metric = make_fid(context, fid_options(features));
    REQUIRE(add_rows(expected_metric, IQA_FID_REFERENCE, set) == IQA_OK);
    const std::vector<int64_t> expected = lanes_of(expected_metric);
    const int dtype = dtype_of<TestType>::value;

    const auto lanes_from = [&](const iqa_tensor *view) {
        const auto metric = make_fid(context, fid_options(features));
        REQUIRE(update(metric, view) == IQA_OK);
        return lanes_of(metric);
    };
    CHECK((lanes_from(tensor(samples.data(), dtype, {rows, features})) == expected));

    std::vector<TestType> columns(samples.size());
    std::vector<TestType> apart(samples.size() * 6);
    std::vector<TestType> backwards(samples.size());
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < features; ++j) {
            const TestType value = samples[size_t(i * features + j)];
            columns[size_t(j * rows + i)] = value;
            apart[size_t((i * features * 2 + j) * 3)] = value;
            backwards[size_t((rows - 1 - i) * features + features - 1 - j)] = value;
        }
    CHECK((lanes_from(tensor(columns.data(), dtype, {rows, features}, {1, rows})) == expected));
    CHECK((lanes_from(tensor(apart.data(), dtype, {rows, features}, {features * 6, 3})) == expected));
    CHECK((lanes_from(tensor(backwards.data() + backwards.size() - 1, dtype, {rows, features}, {-features, -1})) ==
           expected));

    // One row, read again and again.
    feature_set repeated(rows, features);
    for (int64_t i = 0; i < rows; ++i)
        std::copy_n(set.row(0), features, &repeated.at(i, 0));
    const auto repeated_metric = make_fid(context, fid_options(features));
    REQUIRE(add_rows(repeated_metric, IQA_FID_REFERENCE, repeated) == IQA_OK);
    CHECK((lanes_from(tensor(samples.data(), dtype, {rows, features}, {0, 1})) == lanes_of(repeated_metric)));
}

TEST_CASE("128-bit integers become the nearest doubles, ties to even", "[fid]")
{
    random_numbers random(17);
    const auto check = [](iqa::int128 value) {
        CHECK(iqa::bits_of(iqa::nearest_double(value)) == iqa::bits_of(double(value)));
        CHECK(iqa::bits_of(iqa::nearest_double(-value)) == iqa::bits_of(double(-value)));
    };
    check(0);
    for (int bits = 1; bits < 127; ++bits) {
        const iqa::int128 power = iqa::int128(1) << bits;
        for (const int offset : {-1, 0, 1})
            check(power + offset);
        if (bits > 53) // a tie, and what lies just beside it, below an odd and an even last bit
            for (const int last : {1, 3})
                for (const int offset : {-1, 0, 1})
                    check(power + (iqa::int128(last) << (bits - 53)) + offset);
        for (int i = 0; i < 20; ++i) {
            iqa::int128 any = 0;
            for (int part = 0; part < 5; ++part)
                any = (any << 31) | random.next();
            check(any & (power - 1));
        }
    }
}

TEST_CASE("covariances are the quotients of exact integers", "[fid]")
{
    // n (n - 1) S = n sum q q - (sum q)^2, checked in integers far from zero, where running sums would cancel.
    const auto context = make_context();
    const auto metric = make_fid(context, fid_options(2, 24));
    feature_set set(1000, 2);
    for (int64_t i = 0; i < set.rows; ++i) {
        set.at(i, 0) = 120.0f + float(i % 2) * 0x1p-16f;
        set.at(i, 1) = -120.0f;
    }
    REQUIRE(add_rows(metric, IQA_FID_REFERENCE, set) == IQA_OK);
    std::vector<double> covariance(4);
    REQUIRE(iqa_metric_read(metric.get(), IQA_FIELD_FID_COVARIANCE_REFERENCE, covariance.data(), 4, nullptr) == IQA_OK);
    CHECK(covariance[0] == 0x1p-32 * (1000.0 * 500 - 500.0 * 500) / (1000.0 * 999));
    CHECK(covariance[1] == 0.0);
    CHECK(covariance[3] == 0.0);
    std::vector<double> mean(2);
    REQUIRE(iqa_metric_read(metric.get(), IQA_FIELD_FID_MEAN_REFERENCE, mean.data(), 2, nullptr) == IQA_OK);
    CHECK(mean == std::vector<double>{120.0 + 0x1p-17, -120.0});
}
