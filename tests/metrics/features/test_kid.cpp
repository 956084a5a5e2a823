// SPDX-License-Identifier: MIT
// KID against the definition in long double, its subsets against their rule, and the same bits whatever may vary.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "arith/polynomial_kernel.h"
#include "support/catch.hpp"
#include "support/counting_allocator.hpp"
#include "support/fid_features.hpp"
#include "support/kid_reference.hpp"
#include "support/progress_watch.hpp"

using namespace test;

namespace {

struct kid_value {
    double mean = -12345;
    double deviation = -12345;

    friend bool operator==(const kid_value &a, const kid_value &b)
    {
        return iqa::bits_of(a.mean) == iqa::bits_of(b.mean) && iqa::bits_of(a.deviation) == iqa::bits_of(b.deviation);
    }
};

kid_value kid(const context_pointer &context, const iqa_kid_options &options, const iqa_tensor *x, const iqa_tensor *y)
{
    kid_value value;
    REQUIRE(iqa_measure_kid(context.get(), &options, x, y, &value.mean, &value.deviation) == IQA_OK);
    return value;
}

kid_value kid(const context_pointer &context, const iqa_kid_options &options, const feature_set &x,
              const feature_set &y)
{
    return kid(context, options, tensor(x.row(0), IQA_FLOAT32, {x.rows, x.features}),
               tensor(y.row(0), IQA_FLOAT32, {y.rows, y.features}));
}

iqa_kid_options all_rows(int32_t estimator = IQA_KID_UNBIASED)
{
    iqa_kid_options options = IQA_KID_OPTIONS_INIT;
    options.subsets = 0;
    options.estimator = estimator;
    return options;
}

iqa_kid_options subsets(int32_t count, int64_t size, uint64_t seed = 0)
{
    iqa_kid_options options = IQA_KID_OPTIONS_INIT;
    options.subsets = count;
    options.subset_size = size;
    options.seed = seed;
    return options;
}

feature_set rows_of(const feature_set &set, const std::vector<int64_t> &rows)
{
    feature_set part(int64_t(rows.size()), set.features);
    for (size_t i = 0; i < rows.size(); ++i)
        std::copy_n(set.row(rows[i]), set.features, part.values.data() + int64_t(i) * set.features);
    return part;
}

// The rule of docs/guide/fid.md, written again.
std::vector<int64_t> drawn_rows(uint64_t seed, uint64_t draw, int64_t rows, int64_t count)
{
    const uint64_t golden = 0x9e3779b97f4a7c15u;
    const uint64_t state = splitmix64(seed + draw * golden);
    std::vector<std::pair<uint64_t, int64_t>> keys;
    for (int64_t row = 0; row < rows; ++row)
        keys.emplace_back(splitmix64(state + uint64_t(row) * golden), row);
    std::sort(keys.begin(), keys.end());
    std::vector<int64_t> first;
    for (int64_t i = 0; i < count; ++i)
        first.push_back(keys[size_t(i)].second);
    return first;
}

} // namespace

TEST_CASE("KID of sets that can be computed by hand", "[kid]")
{
    const auto context = make_context();
    feature_set x(2, 2);
    feature_set y(2, 2);
    x.values = {1, 0, 0, 1};
    y.values = {1, 1, 0, 0};
    CHECK(kid(context, all_rows(), x, y).mean == -2.375); // 1 + 1 - (1.5^3 + 1 + 1.5^3 + 1) / 2
    CHECK(kid(context, all_rows(), x, y).deviation == 0.0);

    feature_set z(3, 2);
    z.values = {1, 0, 0, 1, 1, 1};
    CHECK(kid(context, all_rows(), z, z).mean == Approx(-14.0 / 9).epsilon(1e-15)); // a set with itself
    CHECK(kid(context, all_rows(IQA_KID_BIASED), z, z).mean == 0.0);

    // One row each, and a linear kernel: |x - y|^2.
    iqa_kid_options linear = all_rows(IQA_KID_BIASED);
    linear.degree = 1;
    linear.gamma = 1.0;
    linear.coef0 = 0.0;
    const feature_set one = rows_of(z, {0});
    const feature_set other = rows_of(z, {2});
    CHECK(kid(context, linear, one, other).mean == 1.0);
}

TEST_CASE("KID agrees with its definition", "[kid]")
{
    const auto context = make_context(2);
    const auto [rows, other_rows, features] =
        GENERATE(table<int64_t, int64_t, int64_t>({{2, 2, 1}, {3, 7, 2}, {40, 25, 300}, {64, 65, 17}, {1030, 30, 3}}));
    const feature_set x = hash_features(1, rows, features);
    const feature_set y = hash_features(2, other_rows, features, -0.375f);
    for (const int estimator : {IQA_KID_UNBIASED, IQA_KID_BIASED})
        for (const int degree : {1, 2, 3, 8}) {
            iqa_kid_options options = all_rows(estimator);
            options.degree = degree;
            options.gamma = degree == 2 ? 0.03 : IQA_KID_GAMMA_AUTO;
            options.coef0 = degree == 8 ? 0.0 : degree == 1 ? 0.25 : 1.0;
            const kid_expectation expected = reference_kid(x, y, options);
            const auto error = std::abs(static_cast<long double>(kid(context, options, x, y).mean) - expected.value);
            CHECK(double(error / expected.scale) <= 1e-15);
        }
}

TEST_CASE("a row far away does not blur the others", "[kid]")
{
    const auto context = make_context();
    feature_set x = hash_features(1, 30, 8);
    feature_set y = hash_features(2, 20, 8);
    for (int64_t i = 0; i < 30; ++i)
        x.at(i, 0) = 0.0f;
    for (int64_t i = 0; i < 20; ++i)
        y.at(i, 0) = 0.0f;
    for (int64_t k = 0; k < 8; ++k)
        x.at(11, k) = k == 0 ? 1e5f : 0.0f; // its kernel value is 2e27 with itself, and 1 with all others
    const kid_expectation expected = reference_kid(x, y, all_rows());
    const auto error = std::abs(static_cast<long double>(kid(context, all_rows(), x, y).mean) - expected.value);
    CHECK(double(expected.scale) < 1e3);
    CHECK(double(error / expected.scale) <= 1e-15);
}

TEST_CASE("the levels of a kernel value give it back", "[kid]")
{
    random_numbers random(5);
    for (int i = 0; i < 100000; ++i) {
        const double value = std::ldexp(random.uniform() - 0.5, -int(random.below(96)));
        int64_t limbs[iqa::kernel_limbs] = {};
        iqa::add_to_limbs(value, limbs);
        REQUIRE(std::abs(limbs[0]) <= int64_t(1) << 50);
        REQUIRE(std::abs(limbs[1]) <= int64_t(1) << 49);
        REQUIRE(std::abs(limbs[2]) <= int64_t(1) << 49);
        const iqa::int128 sums[] = {limbs[0], limbs[1], limbs[2]};
        REQUIRE(iqa::value_of_limbs(sums).high == value);
        REQUIRE(iqa::value_of_limbs(sums).low == 0.0);
    }
}

TEST_CASE("subsets are those of the rule, and none has a row twice", "[kid]")
{
    const auto context = make_context();
    const feature_set x = hash_features(1, 90, 6);
    const feature_set y = hash_features(2, 70, 6);
    const uint64_t seed = GENERATE(uint64_t(0), uint64_t(2020), ~uint64_t(0));
    const int64_t size = GENERATE(2, 33, 70);
    std::vector<double> values;
    for (uint64_t s = 0; s < 5; ++s) {
        const std::vector<int64_t> of_x = drawn_rows(seed, 2 * s, 90, size);
        const std::vector<int64_t> of_y = drawn_rows(seed, 2 * s + 1, 70, size);
        values.push_back(kid(context, all_rows(), rows_of(x, of_x), rows_of(y, of_y)).mean);
        std::vector<int64_t> sorted = of_x;
        std::sort(sorted.begin(), sorted.end());
        CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
    }
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 5;
    double squares = 0;
    for (const double value : values)
        squares += (value - mean) * (value - mean);
    const kid_value ours = kid(context, subsets(5, size, seed), x, y);
    CHECK(ours.mean == Approx(mean).epsilon(1e-14));
    CHECK(ours.deviation == Approx(std::sqrt(squares / 5)).epsilon(1e-12));
    CHECK(kid(context, subsets(1, size, seed), x, y).mean == values[0]);
    CHECK(kid(context, subsets(1, size, seed), x, y).deviation == 0.0);
}

// Many subsets of few rows take their products from those of all rows.
TEST_CASE("subsets that share the products of rows are those of the rule", "[kid]")
{
    const auto context = make_context(2);
    const int64_t rows[2] = {1050, 300}; // more than a block of products has
    const int64_t size = 150;
    const int32_t count = 270; // more than share one pass
    const feature_set x = hash_features(1, rows[0], 30);
    const feature_set y = hash_features(2, rows[1], 30, 0.25f);
    const int32_t estimator = GENERATE(as<int32_t>(), IQA_KID_UNBIASED, IQA_KID_BIASED);
    std::vector<double> values;
    for (uint64_t s = 0; s < uint64_t(count); ++s)
        values.push_back(kid(context, all_rows(estimator), rows_of(x, drawn_rows(5, 2 * s, rows[0], size)),
                             rows_of(y, drawn_rows(5, 2 * s + 1, rows[1], size)))
                             .mean);
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double squares = 0;
    for (const double value : values)
        squares += (value - mean) * (value - mean);
    iqa_kid_options how = subsets(count, size, 5);
    how.estimator = estimator;
    const kid_value ours = kid(context, how, x, y);
    CHECK(ours.mean == Approx(mean).epsilon(1e-13));
    CHECK(ours.deviation == Approx(std::sqrt(squares / count)).epsilon(1e-12));
}

TEST_CASE("every row is drawn as often as any other", "[kid]")
{
    std::vector<int> drawn(20);
    for (uint64_t draw = 0; draw < 4000; ++draw)
        for (const int64_t row : drawn_rows(1, draw, 20, 5))
            ++drawn[size_t(row)];
    for (const int count : drawn) // 1000 on average, with a standard deviation of 27
        CHECK(std::abs(count - 1000) < 120);
}

TEST_CASE("the same bits of KID for threads, instruction sets, strides, types, order", "[kid]")
{
    // Blocks of rows, chains of the matrix product and register tiles all end somewhere inside.
    const int64_t rows = 1100;
    const int64_t features = GENERATE(5, 270);
    const int64_t other_rows = features == 5 ? 1030 : 50;
    const feature_set x = hash_features(1, features == 5 ? rows : 130, features);
    const feature_set y = hash_features(2, other_rows, features, 0.25f);
    iqa_kid_options by_content = subsets(3, 40, 9);
    by_content.draw_by = IQA_DRAW_BY_CONTENT;
    const iqa_kid_options options[] = {all_rows(), subsets(3, 40, 9), subsets(20, 45, 9), by_content};
    for (const iqa_kid_options &how : options) {
        const kid_value expected = kid(make_context(1, IQA_ISA_BASELINE), how, x, y);
        for (const int isa : {IQA_ISA_AVX2, IQA_ISA_AVX512})
            for (const int threads : {1, 2, 3, 8})
                CHECK(kid(make_context(threads, isa), how, x, y) == expected);

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
        CHECK(kid(context, how, strided, backwards) == expected);
    }

    // All rows: their order does not matter, nor which set is called the reference.
    const auto context = make_context(2);
    const kid_value expected = kid(context, all_rows(), x, y);
    CHECK(kid(context, all_rows(), y, x) == expected);
    CHECK(kid(context, all_rows(), rows_of(x, drawn_rows(3, 0, x.rows, x.rows)),
              rows_of(y, drawn_rows(4, 0, y.rows, y.rows))) == expected);

    // Nor does the order matter where rows are drawn by their content.
    CHECK(kid(context, by_content, rows_of(x, drawn_rows(3, 0, x.rows, x.rows)),
              rows_of(y, drawn_rows(4, 0, y.rows, y.rows))) == kid(context, by_content, x, y));
}

TEST_CASE("KID takes 16-bit floats", "[kid]")
{
    const auto context = make_context();
    random_numbers random(3);
    std::vector<double> values;
    for (int i = 0; i < 60 * 7; ++i)
        values.push_back(double(random.below(33) - 16));
    std::vector<iqa::float16> halves;
    std::vector<iqa::bfloat16> brains;
    for (const double value : values) {
        halves.push_back(sample_from<iqa::float16>(value));
        brains.push_back(sample_from<iqa::bfloat16>(value));
    }
    const tensor whole(values.data(), IQA_FLOAT64, {30, 7});
    const tensor rest(values.data() + size_t(30 * 7), IQA_FLOAT64, {30, 7});
    const kid_value expected = kid(context, all_rows(), whole, rest);
    CHECK(kid(context, all_rows(), tensor(halves.data(), IQA_FLOAT16, {30, 7}),
              tensor(brains.data() + size_t(30 * 7), IQA_BFLOAT16, {30, 7})) == expected);
}

TEST_CASE("KID works on the caller's threads, one after another in any order", "[kid]")
{
    const feature_set x = hash_features(1, 500, 100);
    const feature_set y = hash_features(2, 400, 100);
    const kid_value expected = kid(make_context(1), subsets(4, 300), x, y);
    const iqa_parallel_function runners[] = {
        [](void *, int32_t workers, iqa_task_function function, void *task) {
            for (int32_t worker = 0; worker < workers; ++worker)
                function(task, worker);
        },
        [](void *, int32_t workers, iqa_task_function function, void *task) {
            for (int32_t worker = workers; worker-- > 0;)
                function(task, worker);
        },
    };
    for (const iqa_parallel_function runner : runners) {
        iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
        options.threads = 4;
        options.parallel = runner;
        iqa_context *handle = nullptr;
        REQUIRE(iqa_context_create(&options, &handle) == IQA_OK);
        CHECK(kid(context_pointer(handle), subsets(4, 300), x, y) == expected);
    }
}

TEST_CASE("KID can be cancelled, and says how far it is", "[kid][host]")
{
    progress_watch watch;
    const auto context = watch.make_context(GENERATE(1, 2));
    const bool share = GENERATE(false, true); // the products of rows
    const int64_t rows = share ? 1100 : 300;
    const feature_set x = hash_features(1, rows, 120);
    const tensor view(x.row(0), IQA_FLOAT32, {rows, 120});
    const iqa_kid_options how = subsets(20, share ? 300 : 50);
    double value = 0;
    for (const int64_t stop : {0, 1, 7}) {
        watch = {};
        watch.stop_after = stop;
        CHECK(iqa_measure_kid(context.get(), &how, view, view, &value, nullptr) == IQA_ERROR_CANCELLED);
        CHECK(last_error(context).find("cancelled by the progress callback after ") == 0);
    }
    watch = {};
    REQUIRE(iqa_measure_kid(context.get(), &how, view, view, &value, nullptr) == IQA_OK);
    CHECK(watch.ascending);
    CHECK(watch.calls > 10);
    CHECK(watch.total == (share ? 10 : 60)); // blocks of products, of all rows or three for each subset
    CHECK(watch.last == watch.total);
}

TEST_CASE("each allocation of KID may fail", "[kid]")
{
    counting_allocator memory;
    const auto context = memory.make_context(2);
    const feature_set x = hash_features(1, 60, 40);
    const tensor view(x.row(0), IQA_FLOAT32, {60, 40});
    iqa_kid_options how = GENERATE(subsets(3, 20), subsets(30, 50)); // these share the products of rows
    how.draw_by = GENERATE(as<int32_t>(), IQA_DRAW_BY_INDEX, IQA_DRAW_BY_CONTENT);
    const kid_value expected = kid(context, how, view, view);
    const int64_t before = memory.bytes;
    memory.made = 0;
    kid(context, how, view, view);
    const int64_t allocations = memory.made;
    CHECK(allocations >= 3);
    for (int64_t k = 0; k < allocations; ++k) {
        memory.made = 0;
        memory.refuse_only = k;
        double value = 0;
        CHECK(iqa_measure_kid(context.get(), &how, view, view, &value, nullptr) == IQA_ERROR_OUT_OF_MEMORY);
        CHECK(last_error(context).find("out of memory: ") == 0);
        CHECK(memory.bytes == before);
        memory.refuse_only = INT64_MAX;
        CHECK(kid(context, how, view, view) == expected);
    }
}

TEST_CASE("what KID refuses, and in which words", "[kid]")
{
    const auto context = make_context();
    feature_set x = hash_features(1, 30, 4);
    const feature_set y = hash_features(2, 20, 4);
    const tensor of_x(x.row(0), IQA_FLOAT32, {30, 4});
    const tensor of_y(y.row(0), IQA_FLOAT32, {20, 4});
    double value = 0;
    double deviation = 0;
    const auto refuse = [&](iqa_status status, const iqa_kid_options &options, const iqa_tensor *a, const iqa_tensor *b,
                            const std::string &said) {
        value = deviation = 77;
        CHECK(iqa_measure_kid(context.get(), &options, a, b, &value, &deviation) == status);
        CHECK(last_error(context) == said);
        CHECK((value == 77 && deviation == 77));
    };
    const auto with = [&](auto change, const std::string &said) {
        iqa_kid_options options = subsets(5, 10);
        change(options);
        refuse(IQA_ERROR_INVALID_ARGUMENT, options, of_x, of_y, said);
    };
    with([](auto &o) { o.degree = 0; }, "degree is 0; expected 1 to 16");
    with([](auto &o) { o.degree = 17; }, "degree is 17; expected 1 to 16");
    with([](auto &o) { o.gamma = 0; }, "gamma is 0; expected a number above 0, or IQA_KID_GAMMA_AUTO for 1 / D");
    with([](auto &o) { o.gamma = std::nan(""); },
         "gamma is nan; expected a number above 0, or IQA_KID_GAMMA_AUTO for 1 / D");
    with([](auto &o) { o.coef0 = -1; }, "coef0 is -1; expected 0 or more");
    with([](auto &o) { o.coef0 = std::numeric_limits<double>::infinity(); }, "coef0 is inf; expected 0 or more");
    with([](auto &o) { o.estimator = 2; }, "estimator is 2; expected an IQA_KID_ constant");
    with([](auto &o) { o.draw_by = 2; }, "draw_by is 2; expected an IQA_DRAW_BY_ constant");
    with([](auto &o) { o.reserved = 1; }, "reserved is 1; expected 0");
    with([](auto &o) { o.subsets = -1; }, "subsets is -1; expected 0, for all rows at once, to 100000");
    with([](auto &o) { o.subset_size = 1; }, "subset_size is 1; expected 2 or more");
    with([](auto &o) { o.struct_size = 2; },
         "iqa_kid_options.struct_size is 2; expected sizeof(iqa_kid_options), which is at most 4096");
    refuse(IQA_ERROR_NO_DATA, subsets(5, 21), of_x, of_y,
           "the candidate set has 20 rows, fewer than subset_size, 21; lower it, or set subsets to 0 for all rows");
    refuse(IQA_ERROR_NO_DATA, all_rows(), of_x, tensor(y.row(0), IQA_FLOAT32, {1, 4}),
           "the candidate set has 1 rows; at least 2 are needed");
    refuse(IQA_ERROR_NO_DATA, all_rows(IQA_KID_BIASED), tensor(nullptr, IQA_FLOAT32, {0, 4}), of_y,
           "the reference set has 0 rows; at least 1 is needed");
    refuse(IQA_ERROR_SHAPE, all_rows(), of_x, tensor(y.row(0), IQA_FLOAT32, {16, 5}),
           "candidate has shape [16, 5]; expected [N, 4]");
    refuse(IQA_ERROR_SHAPE, all_rows(), tensor(x.row(0), IQA_FLOAT32, {30}), of_y,
           "reference has shape [30]; expected two axes, the second of 1 or more");
    refuse(IQA_ERROR_SHAPE, all_rows(), tensor(x.row(0), IQA_FLOAT32, {30, 0}), of_y,
           "reference has shape [30, 0]; expected two axes, the second of 1 or more");
    refuse(IQA_ERROR_DTYPE, all_rows(), tensor(x.row(0), IQA_UINT8, {30, 4}), of_y,
           "reference has element type uint8; expected float16, bfloat16, float32 or float64");
    refuse(IQA_ERROR_INVALID_ARGUMENT, all_rows(), nullptr, of_y, "reference is NULL");
    refuse(IQA_ERROR_INVALID_ARGUMENT, all_rows(), of_x, nullptr, "candidate is NULL");
    CHECK(iqa_measure_kid(context.get(), nullptr, of_x, of_y, nullptr, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_measure_kid(nullptr, nullptr, of_x, of_y, &value, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_measure_kid(context.get(), nullptr, of_x, of_y, &value, nullptr) == IQA_ERROR_NO_DATA); // 1000 rows
    tensor elsewhere(x.row(0), IQA_FLOAT32, {30, 4});
    elsewhere.view.device_type = 7;
    refuse(IQA_ERROR_UNAVAILABLE, all_rows(), elsewhere, of_y,
           "reference is on device type 7; this library computes on CPU and CUDA tensors");

    // A number that is no number is found whether its row is drawn or not.
    iqa_kid_options few = subsets(1, 2);
    for (few.seed = 0; few.seed < 5; ++few.seed) {
        x.at(17, 3) =
            few.seed % 2 == 0 ? std::numeric_limits<float>::quiet_NaN() : -std::numeric_limits<float>::infinity();
        refuse(IQA_ERROR_NUMERIC, few, of_y, of_x,
               few.seed % 2 == 0 ? "candidate[17, 3] is nan; expected a finite number"
                                 : "candidate[17, 3] is -inf; expected a finite number");
    }
    const std::vector<double> huge = {1e120, 0, 0, 1};
    const tensor of_huge(huge.data(), IQA_FLOAT64, {2, 2});
    refuse(IQA_ERROR_NUMERIC, all_rows(), of_huge, of_huge,
           "reference has a row whose kernel value with itself is inf; expected at most 1.0715086071862673e+301");
    const std::vector<double> large = {1e45, 0, 0, 1};
    CHECK(kid(context, all_rows(), tensor(large.data(), IQA_FLOAT64, {2, 2}), tensor(large.data(), IQA_FLOAT64, {2, 2}))
              .mean < 0);
}

TEST_CASE("KID of features that are small beside coef0 keeps its digits", "[kid]")
{
    const auto context = make_context();
    const int32_t estimator = GENERATE(as<int32_t>(), IQA_KID_UNBIASED, IQA_KID_BIASED);
    const int32_t degree = GENERATE(1, 2, 3, 5);
    const double coef0 = GENERATE(1.0, 0.3, 40.0);
    const feature_set zero(5, 6);
    CHECK(kid(context, all_rows(estimator), zero, zero).mean == 0.0);
    for (int k = 0; k <= 36; ++k) {
        INFO("scale 10^-" << k);
        feature_set x = hash_features(1, 20, 6);
        feature_set y = hash_features(2, 15, 6);
        for (feature_set *set : {&x, &y})
            for (float &value : set->values)
                value = float(double(value) * std::pow(10.0, -k) * 0.5);
        iqa_kid_options options = all_rows(estimator);
        options.degree = degree;
        options.coef0 = coef0;
        // The means of kernels of degrees 1 ... n with binomial factors; that of degree 0 cancels.
        long double expected = 0;
        long double scale = 0;
        long double factor = 1;
        for (int32_t power = 1; power <= degree; ++power) {
            factor *= static_cast<long double>(degree - power + 1) / static_cast<long double>(power);
            iqa_kid_options term = options;
            term.degree = power;
            term.coef0 = 0;
            const kid_expectation of_term = reference_kid(x, y, term);
            const long double weight = factor * std::pow(static_cast<long double>(coef0), degree - power);
            expected += weight * of_term.value;
            scale += weight * of_term.scale;
        }
        const double largest = double(reference_kid(x, y,
                                                    [&] {
                                                        iqa_kid_options linear = options;
                                                        linear.degree = 1;
                                                        linear.coef0 = 0;
                                                        linear.estimator = IQA_KID_BIASED;
                                                        return linear;
                                                    }())
                                          .scale);
        // The plain kernel loses the digits of coef0 / (gamma a.a), up to 2^16.
        const double lost = largest < 0x1p-16 * coef0 ? 1 : 1 + coef0 / largest;
        CHECK(std::fabs(kid(context, options, x, y).mean - double(expected)) <= 4e-16 * lost * degree * double(scale));
        CHECK(kid(context, options, x, x).mean <= 1e-15 * double(scale));
    }
}

TEST_CASE("features of which hardly anything is left", "[kid]")
{
    const auto context = make_context();
    const std::vector<double> tiny = {1e-170, 1e-120, -1e-150, 1e-140};
    const tensor of_tiny(tiny.data(), IQA_FLOAT64, {2, 2});
    iqa_kid_options options = all_rows(IQA_KID_BIASED);
    options.coef0 = 0.0;
    CHECK(kid(context, options, of_tiny, of_tiny).mean == 0.0);
    const std::vector<double> zeros(4);
    CHECK(kid(context, options, tensor(zeros.data(), IQA_FLOAT64, {2, 2}), of_tiny).mean == 0.0);
}
