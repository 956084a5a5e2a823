// SPDX-License-Identifier: MIT
// Precision, recall, density and coverage against their definition in whole integers, and the same counts whatever may
// vary.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "arith/neighbours.h"
#include "support/catch.hpp"
#include "support/counting_allocator.hpp"
#include "support/fid_features.hpp"
#include "support/progress_watch.hpp"

using namespace test;

namespace {

using prdc_values = std::array<double, 8>;

iqa_prdc_options how(int64_t k, int32_t ball = IQA_PRDC_OPEN)
{
    iqa_prdc_options options = IQA_PRDC_OPTIONS_INIT;
    options.k = k;
    options.ball = ball;
    return options;
}

prdc_values prdc(const context_pointer &context, const iqa_prdc_options &options, const iqa_tensor *x,
                 const iqa_tensor *y)
{
    prdc_values values = {};
    const iqa_status status = iqa_measure_prdc(context.get(), &options, x, y, values.data(), values.size(), nullptr);
    INFO(iqa_context_error(context.get()));
    REQUIRE(status == IQA_OK);
    return values;
}

tensor view_of(const feature_set &set)
{
    return {set.row(0), IQA_FLOAT32, {set.rows, set.features}};
}

prdc_values prdc(const context_pointer &context, const iqa_prdc_options &options, const feature_set &x,
                 const feature_set &y)
{
    return prdc(context, options, view_of(x), view_of(y));
}

// Small whole numbers, so that many distances are equal.
feature_set tied_features(uint64_t seed, int64_t rows, int64_t features, int most = 4)
{
    random_numbers random(seed);
    feature_set set(rows, features);
    for (float &value : set.values)
        value = float(random.below(most)) - 1.0f;
    return set;
}

// The page's rule, written again: the grid from the longest row, and all distances in one matrix.
using integer_rows = std::vector<std::vector<int64_t>>;

integer_rows on_grid(const feature_set &set, int p)
{
    integer_rows rows;
    for (int64_t i = 0; i < set.rows; ++i) {
        rows.emplace_back();
        for (int64_t j = 0; j < set.features; ++j)
            rows.back().push_back(std::llrint(std::ldexp(static_cast<long double>(set.at(i, j)), p)));
    }
    return rows;
}

int64_t square_between(const std::vector<int64_t> &a, const std::vector<int64_t> &b)
{
    int64_t sum = 0;
    for (size_t j = 0; j < a.size(); ++j)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

std::vector<int64_t> squared_radii(const integer_rows &rows, int64_t k)
{
    std::vector<int64_t> radii;
    for (size_t i = 0; i < rows.size(); ++i) {
        std::vector<int64_t> squares;
        for (size_t j = 0; j < rows.size(); ++j)
            if (j != i)
                squares.push_back(square_between(rows[i], rows[j]));
        std::sort(squares.begin(), squares.end());
        radii.push_back(squares[size_t(k - 1)]);
    }
    return radii;
}

prdc_values reference_prdc(const feature_set &x, const feature_set &y, const iqa_prdc_options &options)
{
    long double longest = 0;
    for (const feature_set *set : {&x, &y})
        for (int64_t i = 0; i < set->rows; ++i) {
            long double square = 0;
            for (int64_t j = 0; j < set->features; ++j)
                square += static_cast<long double>(set->at(i, j)) * static_cast<long double>(set->at(i, j));
            longest = std::max(longest, square);
        }
    int p = 0;
    if (longest > 0) {
        p = -200;
        while (std::ldexp(longest, 2 * (p + 1)) < std::ldexp(1.0L, 50))
            ++p;
    }
    const integer_rows a = on_grid(x, p);
    const integer_rows b = on_grid(y, p);
    const std::vector<int64_t> of_a = squared_radii(a, options.k);
    const std::vector<int64_t> of_b = squared_radii(b, options.k);
    const auto inside = [&](int64_t square, int64_t radius) {
        return options.ball == IQA_PRDC_CLOSED ? square <= radius : square < radius;
    };
    std::vector<int> precise(b.size(), 0);
    std::vector<int> recalled(a.size(), 0);
    std::vector<int> covered(a.size(), 0);
    double pairs = 0;
    for (size_t i = 0; i < a.size(); ++i)
        for (size_t j = 0; j < b.size(); ++j) {
            const int64_t square = square_between(a[i], b[j]);
            if (inside(square, of_a[i])) {
                precise[j] = covered[i] = 1;
                ++pairs;
            }
            if (inside(square, of_b[j]))
                recalled[i] = 1;
        }
    const auto sum = [](const std::vector<int> &flags) {
        return double(std::accumulate(flags.begin(), flags.end(), 0));
    };
    const auto n = double(a.size());
    const auto m = double(b.size());
    return {sum(precise) / m,
            sum(recalled) / n,
            pairs / (double(options.k) * m),
            sum(covered) / n,
            sum(precise),
            sum(recalled),
            sum(covered),
            pairs};
}

} // namespace

TEST_CASE("precision, recall, density and coverage that can be counted by hand", "[prdc]")
{
    const auto context = make_context();
    feature_set x(4, 1);
    feature_set y(3, 1);
    x.values = {0, 1, 3, 7};  // k = 1: radii 1, 1, 2, 4
    y.values = {0.5f, 5, 30}; // radii 4.5, 4.5, 25
    // 0.5 is in the balls of 0 and 1; 5 on the surface of that of 3, and in that of 7.
    CHECK(prdc(context, how(1), x, y) == prdc_values{2.0 / 3, 1, 1, 3.0 / 4, 2, 4, 3, 3});
    CHECK(prdc(context, how(1, IQA_PRDC_CLOSED), x, y) == prdc_values{2.0 / 3, 1, 4.0 / 3, 1, 2, 4, 4, 4});
    CHECK(prdc(context, how(2), y, x) == prdc_values{1, 2.0 / 3, 11.0 / 8, 1, 4, 2, 3, 11});

    // A set with itself: each row is the centre of its ball.
    CHECK(prdc(context, how(1), x, x)[IQA_PRDC_COVERAGE] == 1);

    // Equal rows: balls without an inside, but with a surface.
    feature_set same(5, 2);
    CHECK(prdc(context, how(3), same, same) == prdc_values{0, 0, 0, 0, 0, 0, 0, 0});
    CHECK(prdc(context, how(3, IQA_PRDC_CLOSED), same, same) == prdc_values{1, 1, 5.0 / 3, 1, 5, 5, 5, 25});
}

TEST_CASE("precision, recall, density and coverage agree with their definition", "[prdc]")
{
    const auto context = make_context(2);
    const auto [rows, other_rows, features] = GENERATE(table<int64_t, int64_t, int64_t>(
        {{2, 3, 1}, {9, 7, 2}, {65, 64, 3}, {130, 200, 17}, {63, 129, 300}, {1100, 70, 5}, {40, 1030, 4}}));
    const bool tied = GENERATE(false, true);
    const feature_set x = tied ? tied_features(1, rows, features) : hash_features(1, rows, features);
    const feature_set y =
        tied ? tied_features(2, other_rows, features, 3) : hash_features(2, other_rows, features, 0.1f);
    for (const int64_t k :
         {int64_t(1), std::min<int64_t>(5, std::min(rows, other_rows) - 1), std::min(rows, other_rows) - 1})
        for (const int32_t ball : {IQA_PRDC_OPEN, IQA_PRDC_CLOSED}) {
            CAPTURE(rows, other_rows, features, tied, k, ball);
            CHECK(prdc(context, how(k, ball), x, y) == reference_prdc(x, y, how(k, ball)));
        }
}

TEST_CASE("distances are exact up to the bound of the grid", "[prdc]")
{
    // Rows of equal numbers are the longest for their largest feature; here q is 2^25 - 1 and its negative, so that
    // squares of distances reach 2^52, and one step more or less decides.
    const auto context = make_context();
    feature_set x(3, 1);
    feature_set y(3, 1);
    const float top = 33554431.0f - 1.0f; // 2^25 - 2: a float
    x.values = {-top, top, top - 2};
    y.values = {top - 2, top - 6, -top + 2};
    for (const int64_t k : {1, 2})
        for (const int32_t ball : {IQA_PRDC_OPEN, IQA_PRDC_CLOSED})
            CHECK(prdc(context, how(k, ball), x, y) == reference_prdc(x, y, how(k, ball)));
}

TEST_CASE("the same counts for threads, instruction sets, strides, types, order, scale", "[prdc]")
{
    // Blocks of rows, chains of the matrix product, register tiles and runs of rows all end somewhere inside.
    const int64_t features = GENERATE(5, 270);
    const feature_set x = hash_features(1, features == 5 ? 1100 : 130, features);
    const feature_set y = hash_features(2, features == 5 ? 1030 : 75, features, 0.05f);
    const iqa_prdc_options options = how(3);
    const prdc_values expected = prdc(make_context(1, IQA_ISA_BASELINE), options, x, y);
    CHECK(expected == reference_prdc(x, y, options));
    for (const int isa : {IQA_ISA_AVX2, IQA_ISA_AVX512})
        for (const int threads : {1, 2, 3, 8})
            CHECK(prdc(make_context(threads, isa), options, x, y) == expected);

    const auto context = make_context(2);
    std::vector<double> wide(size_t(4 * x.rows * features));
    for (int64_t i = 0; i < x.rows; ++i)
        for (int64_t j = 0; j < features; ++j)
            wide[size_t(2 * i * 2 * features + 2 * j)] = double(x.at(i, j));
    std::vector<float> flipped; // by column, last row first
    for (int64_t j = 0; j < features; ++j)
        for (int64_t i = y.rows; i-- > 0;)
            flipped.push_back(y.at(i, j));
    const tensor strided(wide.data(), IQA_FLOAT64, {x.rows, features}, {4 * features, 2});
    const tensor backwards(flipped.data() + y.rows - 1, IQA_FLOAT32, {y.rows, features}, {-1, y.rows});
    CHECK(prdc(context, options, strided, backwards) == expected);

    // A power of two moves the grid with the features; the largest that there are, and small ones.
    for (const int power : {-130, -20, 20, 100}) {
        feature_set scaled[2] = {x, y};
        for (feature_set &set : scaled)
            for (float &value : set.values)
                value = std::ldexp(value, power);
        CHECK(prdc(context, options, scaled[0], scaled[1]) == expected);
    }
    for (const int power : {-500, 500}) {
        std::vector<double> values[2];
        for (const double value : x.values)
            values[0].push_back(std::ldexp(value, power));
        for (const double value : y.values)
            values[1].push_back(std::ldexp(value, power));
        CHECK(prdc(context, options, tensor(values[0].data(), IQA_FLOAT64, {x.rows, features}),
                   tensor(values[1].data(), IQA_FLOAT64, {y.rows, features})) == expected);
    }

    // Swapped sets swap precision and recall.
    const prdc_values swapped = prdc(context, options, y, x);
    CHECK((swapped[IQA_PRDC_PRECISION] == expected[IQA_PRDC_RECALL] &&
           swapped[IQA_PRDC_RECALL] == expected[IQA_PRDC_PRECISION]));
}

TEST_CASE("PRDC takes 16-bit floats", "[prdc]")
{
    const auto context = make_context();
    const feature_set x = tied_features(5, 40, 7, 30);
    const feature_set y = tied_features(6, 30, 7, 30);
    std::vector<iqa::float16> halves;
    std::vector<iqa::bfloat16> brains;
    for (const float value : x.values)
        halves.push_back(sample_from<iqa::float16>(double(value)));
    for (const float value : y.values)
        brains.push_back(sample_from<iqa::bfloat16>(double(value)));
    CHECK(prdc(context, how(4), tensor(halves.data(), IQA_FLOAT16, {40, 7}),
               tensor(brains.data(), IQA_BFLOAT16, {30, 7})) == reference_prdc(x, y, how(4)));
}

TEST_CASE("PRDC can be cancelled, and says how far it is", "[prdc][host]")
{
    progress_watch watch;
    const auto context = watch.make_context(GENERATE(1, 2));
    const feature_set x = hash_features(1, 2100, 3);
    const feature_set y = hash_features(2, 1100, 3);
    double value = 77;
    for (const int64_t stop : {0, 1, 7, 12}) {
        watch = {};
        watch.stop_after = stop;
        CHECK(iqa_measure_prdc(context.get(), nullptr, view_of(x), view_of(y), &value, 1, nullptr) ==
              IQA_ERROR_CANCELLED);
        CHECK(last_error(context).find("cancelled by the progress callback after ") == 0);
        CHECK(value == 77);
    }
    watch = {};
    prdc(context, how(5), x, y);
    CHECK(watch.ascending);
    CHECK((watch.total == 6 + 3 + 6 && watch.last == 15)); // blocks within both sets, and between them
}

TEST_CASE("each allocation of PRDC may fail", "[prdc]")
{
    counting_allocator memory;
    const auto context = memory.make_context(2);
    const feature_set x = hash_features(1, 60, 12);
    const feature_set y = hash_features(2, 50, 12);
    const prdc_values expected = prdc(context, how(5), x, y);
    const int64_t before = memory.bytes;
    memory.made = 0;
    prdc(context, how(5), x, y);
    const int64_t allocations = memory.made;
    CHECK(allocations >= 5);
    for (int64_t n = 0; n < allocations; ++n) {
        memory.made = 0;
        memory.refuse_only = n;
        double value = 77;
        CHECK(iqa_measure_prdc(context.get(), nullptr, view_of(x), view_of(y), &value, 1, nullptr) ==
              IQA_ERROR_OUT_OF_MEMORY);
        CHECK(last_error(context).find("out of memory: ") == 0);
        CHECK((memory.bytes == before && value == 77));
        memory.refuse_only = INT64_MAX;
        CHECK(prdc(context, how(5), x, y) == expected);
    }
}

TEST_CASE("what PRDC refuses, and in which words", "[prdc]")
{
    const auto context = make_context();
    feature_set x = hash_features(1, 30, 4);
    const feature_set y = hash_features(2, 20, 4);
    const tensor of_x = view_of(x);
    const tensor of_y = view_of(y);
    double value = 0;
    const auto refuse = [&](iqa_status status, const iqa_prdc_options &options, const iqa_tensor *a,
                            const iqa_tensor *b, const std::string &said) {
        value = 77;
        size_t count = 77;
        CHECK(iqa_measure_prdc(context.get(), &options, a, b, &value, 1, &count) == status);
        CHECK(last_error(context) == said);
        CHECK((value == 77 && count == 77));
    };
    refuse(IQA_ERROR_INVALID_ARGUMENT, how(0), of_x, of_y, "k is 0; expected 1 or more");
    refuse(IQA_ERROR_INVALID_ARGUMENT, how(5, 2), of_x, of_y, "ball is 2; expected IQA_PRDC_OPEN or IQA_PRDC_CLOSED");
    refuse(IQA_ERROR_NO_DATA, how(20), of_x, of_y, "the candidate set has 20 rows; more than k, 20, are needed");
    refuse(IQA_ERROR_NO_DATA, how(std::numeric_limits<int64_t>::max()), of_x, of_y,
           "the reference set has 30 rows; more than k, 9223372036854775807, are needed");
    refuse(IQA_ERROR_NO_DATA, how(5), tensor(nullptr, IQA_FLOAT32, {0, 4}), of_y,
           "the reference set has 0 rows; more than k, 5, are needed");
    refuse(IQA_ERROR_SHAPE, how(5), of_x, tensor(y.row(0), IQA_FLOAT32, {16, 5}),
           "candidate has shape [16, 5]; expected [N, 4]");
    refuse(IQA_ERROR_SHAPE, how(5), tensor(x.row(0), IQA_FLOAT32, {30}), of_y,
           "reference has shape [30]; expected two axes, the second of 1 or more");
    refuse(IQA_ERROR_DTYPE, how(5), tensor(x.row(0), IQA_UINT8, {30, 4}), of_y,
           "reference has element type uint8; expected float16, bfloat16, float32 or float64");
    refuse(IQA_ERROR_INVALID_ARGUMENT, how(5), nullptr, of_y, "reference is NULL");
    refuse(IQA_ERROR_INVALID_ARGUMENT, how(5), of_x, nullptr, "candidate is NULL");
    CHECK(iqa_measure_prdc(context.get(), nullptr, of_x, of_y, nullptr, 0, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_measure_prdc(nullptr, nullptr, of_x, of_y, &value, 1, nullptr) == IQA_ERROR_INVALID_ARGUMENT);

    x.at(17, 3) = std::numeric_limits<float>::quiet_NaN();
    refuse(IQA_ERROR_NUMERIC, how(5), of_y, of_x, "candidate[17, 3] is nan; expected a finite number");
    x.at(17, 3) = -std::numeric_limits<float>::infinity();
    refuse(IQA_ERROR_NUMERIC, how(5), of_x, of_y, "reference[17, 3] is -inf; expected a finite number");
    const std::vector<double> huge = {1e160, 0, 0, 1};
    const tensor of_huge(huge.data(), IQA_FLOAT64, {2, 2});
    refuse(IQA_ERROR_NUMERIC, how(1), of_huge, of_huge,
           "reference has a row whose sum of squares overflows; divide all features by a power of 2, which changes no "
           "result");

    // As many numbers as there is room for.
    x.at(17, 3) = 0;
    std::array<double, 3> three = {77, 77, 77};
    size_t count = 0;
    CHECK(iqa_measure_prdc(context.get(), nullptr, of_x, of_y, three.data(), 2, &count) == IQA_OK);
    CHECK((count == 8 && three[1] != 77 && three[2] == 77));
}

TEST_CASE("a set is refused where rounding decides, and only there", "[prdc]")
{
    const auto context = make_context();
    const std::string words = " rows that differ from their neighbours by too little for multiples of 2^";
    const auto status_of = [&](const feature_set &x, const feature_set &y) {
        double value = 0;
        const auto options = how(3);
        return iqa_measure_prdc(context.get(), &options, view_of(x), view_of(y), &value, 1, nullptr);
    };
    const feature_set y = hash_features(2, 200, 16);
    for (const float distance : {1e3f, 1e9f}) { // one row far away
        feature_set x = hash_features(1, 200, 16);
        x.at(7, 0) = distance;
        CHECK(status_of(x, y) == (distance < 1e6f ? IQA_OK : IQA_ERROR_NUMERIC));
        if (distance > 1e6f)
            CHECK(last_error(context).find("the reference set has 199 of 200" + words + "5,") == 0);
    }
    for (const float offset : {8.0f, 1e6f}) { // all rows far from 0
        feature_set x = hash_features(1, 200, 16);
        for (float &value : x.values)
            value = value / 64 + offset;
        CHECK(status_of(y, x) == (offset < 1e3f ? IQA_OK : IQA_ERROR_NUMERIC));
    }
    // Rows that are equal are no fault of rounding, on the grid or not.
    feature_set x = hash_features(1, 200, 16);
    for (int64_t i = 100; i < 200; ++i)
        for (int64_t j = 0; j < 16; ++j)
            x.at(i, j) = 0.1f;
    CHECK(status_of(x, y) == IQA_OK);
    // Different rows that become equal are.
    for (int64_t i = 100; i < 200; ++i)
        x.at(i, 3) = i % 2 == 0 ? 1e-9f * float(i) : -1e-9f * float(i);
    CHECK(status_of(x, y) == IQA_ERROR_NUMERIC);
    CHECK(last_error(context).find("the reference set has 100 of 200" + words) == 0);
    // A few rows may be blurred: 4 of 256, not of 255.
    for (const int64_t rows : {256, 255}) {
        x = hash_features(1, rows, 16);
        for (int64_t i = 0; i < 4; ++i)
            for (int64_t j = 0; j < 16; ++j)
                x.at(i, j) = 0.1f + 1e-8f * float(i);
        CHECK(status_of(x, y) == (rows == 256 ? IQA_OK : IQA_ERROR_NUMERIC));
    }
}
