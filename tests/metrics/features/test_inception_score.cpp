// SPDX-License-Identifier: MIT
// Inception Score against its definition in long double, and the same bits whatever may vary.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "arith/elementary.h"
#include "support/catch.hpp"
#include "support/fid_features.hpp"
#include "support/kid_reference.hpp"

using namespace test;

namespace {

struct score {
    double mean = -12345;
    double deviation = -12345;

    friend bool operator==(const score &a, const score &b)
    {
        return iqa::bits_of(a.mean) == iqa::bits_of(b.mean) && iqa::bits_of(a.deviation) == iqa::bits_of(b.deviation);
    }
};

score measure(const context_pointer &context, const iqa_inception_score_options &options, const iqa_tensor *scores)
{
    score value;
    INFO(last_error(context));
    REQUIRE(iqa_measure_inception_score(context.get(), &options, scores, &value.mean, &value.deviation) == IQA_OK);
    return value;
}

iqa_inception_score_options in_order(int32_t splits, int32_t scores = IQA_SCORES_LOGITS)
{
    iqa_inception_score_options options = IQA_INCEPTION_SCORE_OPTIONS_INIT;
    options.splits = splits;
    options.scores = scores;
    options.shuffle = 0;
    return options;
}

iqa_inception_score_options shuffled(int32_t splits, uint64_t seed)
{
    iqa_inception_score_options options = in_order(splits);
    options.shuffle = 1;
    options.seed = seed;
    return options;
}

// A table of logits, row-major.
struct logits {
    int64_t rows, classes;
    std::vector<double> values;

    logits(uint64_t seed, int64_t row_count, int64_t class_count, double spread)
        : rows(row_count), classes(class_count), values(size_t(row_count * class_count))
    {
        random_numbers random(seed);
        for (double &value : values)
            value = std::ldexp(std::round((random.uniform() - 0.5) * spread * 64), -6);
    }
    const double *row(int64_t index) const { return values.data() + index * classes; }
    operator const iqa_tensor *() { return view_; }

private:
    tensor view_{values.data(), IQA_FLOAT64, {rows, classes}};
};

// The splits and the order of the rule of docs/guide/fid.md.
std::vector<long double> splits_by_definition(const logits &z, int64_t splits, const std::vector<int64_t> &order)
{
    std::vector<long double> values;
    for (int64_t s = 0; s < splits; ++s)
        values.push_back(reference_inception_score(
            z.row(0), z.classes, {order.begin() + s * z.rows / splits, order.begin() + (s + 1) * z.rows / splits}));
    return values;
}

std::vector<int64_t> order_of(const logits &z, bool shuffle, uint64_t seed)
{
    const uint64_t golden = 0x9e3779b97f4a7c15u;
    std::vector<std::pair<uint64_t, int64_t>> keys;
    for (int64_t row = 0; row < z.rows; ++row)
        keys.emplace_back(shuffle ? splitmix64(splitmix64(seed) + uint64_t(row) * golden) : 0, row);
    std::sort(keys.begin(), keys.end());
    std::vector<int64_t> order;
    for (const auto &[key, row] : keys)
        order.push_back(row);
    return order;
}

} // namespace

TEST_CASE("quick exponential and logarithm are good to two units in the last place", "[inception_score]")
{
    random_numbers random(1);
    for (int i = 0; i < 200000; ++i) {
        const double value = iqa::lowest_exponent * std::pow(random.uniform(), 3);
        const long double exact = std::exp(static_cast<long double>(value));
        REQUIRE(double(std::abs(static_cast<long double>(iqa::quick_exponential(value)) - exact) / exact) < 0x1.8p-52);
        const double number = std::ldexp(1.0 + random.uniform(), int(random.below(1900)) - 950);
        const long double log = std::log(static_cast<long double>(number));
        REQUIRE(double(std::abs(static_cast<long double>(iqa::quick_logarithm(number)) - log)) <=
                0x1.8p-52 * std::max(1.0, double(std::abs(log))));
    }
    CHECK(iqa::quick_exponential(0.0) == 1.0);
    CHECK(iqa::quick_logarithm(1.0) == 0.0);
}

TEST_CASE("Inception Scores that can be computed by hand", "[inception_score]")
{
    const auto context = make_context();
    const double log_3 = std::log(3.0);
    const std::vector<double> two = {log_3, 0, 0, log_3};
    const tensor of_two(two.data(), IQA_FLOAT64, {2, 2});
    CHECK(measure(context, in_order(1), of_two).mean ==
          Approx(std::exp(0.75 * std::log(1.5) + 0.25 * std::log(0.5))).epsilon(1e-15));
    CHECK(measure(context, in_order(1), of_two).deviation == 0.0);
    CHECK(measure(context, in_order(2), of_two).mean == Approx(1).epsilon(1e-15)); // a row by itself

    // As many classes as rows, each row sure of its own; and rows that say nothing.
    std::vector<double> sure(64);
    for (size_t i = 0; i < 8; ++i)
        sure[9 * i] = 1e4;
    CHECK(measure(context, in_order(1), tensor(sure.data(), IQA_FLOAT64, {8, 8})).mean == Approx(8).epsilon(1e-15));
    for (double &value : sure)
        value = -value;
    CHECK(measure(context, in_order(1), tensor(sure.data(), IQA_FLOAT64, {8, 8})).mean ==
          Approx(8.0 / 7).epsilon(1e-14));
    const std::vector<double> flat(64, -1e4);
    CHECK(measure(context, in_order(1), tensor(flat.data(), IQA_FLOAT64, {8, 8})).mean == Approx(1).epsilon(1e-15));
    const std::vector<double> apart = {1.7e308, -1.7e308, -1.7e308, 1.7e308};
    CHECK(measure(context, in_order(1), tensor(apart.data(), IQA_FLOAT64, {2, 2})).mean == Approx(2).epsilon(1e-15));
    CHECK(measure(context, in_order(1), tensor(flat.data(), IQA_FLOAT64, {64, 1})).mean == 1.0); // one class
}

TEST_CASE("Inception Score agrees with its definition", "[inception_score]")
{
    const auto context = make_context(2);
    const auto [rows, classes, spread] =
        GENERATE(table<int64_t, int64_t, double>({{10, 3, 1.0}, {203, 50, 12.0}, {47, 1000, 40.0}, {300, 7, 2000.0}}));
    logits z(5, rows, classes, spread);
    for (const int splits : {1, 3, 10})
        for (const bool shuffle : {false, true}) {
            const std::vector<long double> values = splits_by_definition(z, splits, order_of(z, shuffle, 77));
            long double mean = 0;
            for (const long double value : values)
                mean += value / splits;
            long double squares = 0;
            for (const long double value : values)
                squares += (value - mean) * (value - mean);
            const score ours = measure(context, shuffle ? shuffled(splits, 77) : in_order(splits), z);
            CHECK(double(std::abs(static_cast<long double>(ours.mean) - mean)) <= 1e-14 * double(mean));
            CHECK(double(std::abs(static_cast<long double>(ours.deviation) - std::sqrt(squares / splits))) <=
                  1e-13 * double(mean));
        }
}

TEST_CASE("probabilities give what their logits give", "[inception_score]")
{
    const auto context = make_context();
    logits z(6, 90, 20, 30.0);
    std::vector<double> p;
    for (int64_t row = 0; row < z.rows; ++row) {
        double sum = 0;
        for (int64_t k = 0; k < z.classes; ++k)
            sum += std::exp(z.row(row)[k]);
        for (int64_t k = 0; k < z.classes; ++k)
            p.push_back(std::exp(z.row(row)[k]) / sum);
    }
    const tensor of_p(p.data(), IQA_FLOAT64, {90, 20});
    CHECK(measure(context, in_order(4, IQA_SCORES_PROBABILITIES), of_p).mean ==
          Approx(measure(context, in_order(4), z).mean).epsilon(1e-14));
    const std::vector<double> certain = {1, 0, 0, 1, 1, 0, 1e-320, 1};
    CHECK(measure(context, in_order(1, IQA_SCORES_PROBABILITIES), tensor(certain.data(), IQA_FLOAT64, {4, 2})).mean ==
          Approx(2).epsilon(1e-15));
}

TEST_CASE("a score that is not finite is found at every place", "[inception_score]")
{
    const int isa = GENERATE(as<int>(), IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512);
    const double infinite = std::numeric_limits<double>::infinity();
    const auto [value, name] = GENERATE_COPY(std::pair(infinite, "inf"), std::pair(-infinite, "-inf"),
                                             std::pair(std::numeric_limits<double>::quiet_NaN(), "nan"));
    const auto context = make_context(1, isa);
    const iqa_inception_score_options how = shuffled(2, 9);
    for (int64_t k = 0; k < 37; ++k) {
        logits z(8, 9, 37, 20.0);
        z.values[size_t(5 * z.classes + k)] = value;
        const tensor view(z.values.data(), IQA_FLOAT64, {z.rows, z.classes});
        double mean = 0;
        CHECK(iqa_measure_inception_score(context.get(), &how, view, &mean, nullptr) == IQA_ERROR_NUMERIC);
        CHECK(last_error(context) == "scores[5, " + std::to_string(k) + "] is " + name + "; expected a finite number");
    }
}

TEST_CASE("the same bits of the Inception Score for threads, instruction sets, strides and types", "[inception_score]")
{
    logits z(7, 501, 90, 20.0);
    iqa_inception_score_options by_content = shuffled(7, 3);
    by_content.draw_by = IQA_DRAW_BY_CONTENT;
    for (const iqa_inception_score_options &how : {in_order(7), shuffled(7, 3), by_content}) {
        const score expected = measure(make_context(1, IQA_ISA_BASELINE), how, z);
        for (const int isa : {IQA_ISA_AVX2, IQA_ISA_AVX512})
            for (const int threads : {1, 2, 3, 8})
                CHECK(measure(make_context(threads, isa), how, z) == expected);
        const auto context = make_context(2);
        std::vector<float> by_class(z.values.size());
        for (int64_t i = 0; i < z.rows; ++i)
            for (int64_t k = 0; k < z.classes; ++k)
                by_class[size_t(k * z.rows + i)] = float(z.row(i)[k]); // multiples of 1/64 below 16
        CHECK(measure(context, how, tensor(by_class.data(), IQA_FLOAT32, {z.rows, z.classes}, {1, z.rows})) ==
              expected);
    }
    // The order of rows that are drawn by their content does not matter.
    const score expected = measure(make_context(), by_content, z);
    for (int64_t i = 0; i < z.rows / 2; ++i)
        std::swap_ranges(z.values.begin() + i * z.classes, z.values.begin() + (i + 1) * z.classes,
                         z.values.begin() + (z.rows - 1 - i) * z.classes);
    CHECK(measure(make_context(), by_content, z) == expected);
    // Within one split that of any does not.
    CHECK(measure(make_context(), in_order(1), z) == measure(make_context(), shuffled(1, 5), z));
}

TEST_CASE("Inception Score can be cancelled, and each of its allocations may fail", "[inception_score]")
{
    struct guest {
        long made = 0;
        long fail_at = 0;
        long alive = 0;
        long calls = 0;
        long stop_at = 0;
    } state;
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = 2;
    options.allocate = [](void *user, size_t bytes) -> void * {
        auto &now = *static_cast<guest *>(user);
        if (++now.made == now.fail_at)
            return nullptr;
        ++now.alive;
        return std::malloc(bytes);
    };
    options.deallocate = [](void *user, void *block, size_t) {
        --static_cast<guest *>(user)->alive;
        std::free(block);
    };
    options.progress = [](void *user, int64_t, int64_t) -> int32_t {
        auto &now = *static_cast<guest *>(user);
        return ++now.calls == now.stop_at ? 1 : 0;
    };
    options.allocator_user = options.progress_user = &state;
    iqa_context *handle = nullptr;
    REQUIRE(iqa_context_create(&options, &handle) == IQA_OK);
    const context_pointer context(handle);
    logits z(7, 100, 9, 20.0);
    const score expected = measure(context, shuffled(10, 1), z);
    const long before = state.alive;
    state = {.alive = before};
    measure(context, shuffled(10, 1), z);
    const long allocations = state.made;
    CHECK(allocations == (device_of_tests == IQA_CPU ? 2 : 6));
    CHECK(state.calls == 11); // at the start and after each split
    double value = 0;
    const iqa_inception_score_options how = shuffled(10, 1);
    for (long k = 1; k <= allocations; ++k) {
        state = {.fail_at = k, .alive = before};
        CHECK(iqa_measure_inception_score(handle, &how, z, &value, nullptr) == IQA_ERROR_OUT_OF_MEMORY);
        CHECK(last_error(context).find("out of memory: ") == 0);
        CHECK(state.alive == before);
    }
    for (const long stop : {1, 2, 10}) {
        state = {.alive = before, .stop_at = stop};
        CHECK(iqa_measure_inception_score(handle, &how, z, &value, nullptr) == IQA_ERROR_CANCELLED);
        CHECK(state.alive == before);
    }
    state = {.alive = before};
    CHECK(measure(context, how, z) == expected);
}

TEST_CASE("what the Inception Score refuses, and in which words", "[inception_score]")
{
    const auto context = make_context();
    std::vector<double> values(40, 0.5);
    const tensor table(values.data(), IQA_FLOAT64, {20, 2});
    const auto refuse = [&](iqa_status status, const iqa_inception_score_options &options, const iqa_tensor *scores,
                            const std::string &said) {
        double mean = 77;
        double deviation = 77;
        CHECK(iqa_measure_inception_score(context.get(), &options, scores, &mean, &deviation) == status);
        CHECK(last_error(context) == said);
        CHECK((mean == 77 && deviation == 77));
    };
    refuse(IQA_ERROR_INVALID_ARGUMENT, in_order(0), table, "splits is 0; expected 1 or more");
    refuse(IQA_ERROR_INVALID_ARGUMENT, in_order(1, 2), table, "scores is 2; expected an IQA_SCORES_ constant");
    iqa_inception_score_options options = in_order(1);
    options.draw_by = -1;
    refuse(IQA_ERROR_INVALID_ARGUMENT, options, table, "draw_by is -1; expected an IQA_DRAW_BY_ constant");
    options.draw_by = IQA_DRAW_BY_CONTENT;
    options.reserved = 7;
    refuse(IQA_ERROR_INVALID_ARGUMENT, options, table, "reserved is 7; expected 0");
    options.reserved = 0;
    options.shuffle = 2;
    refuse(IQA_ERROR_INVALID_ARGUMENT, options, table, "shuffle is 2; expected 0 or 1");
    refuse(IQA_ERROR_NO_DATA, in_order(21), table, "scores has 20 rows; at least 21 are needed, one for each split");
    refuse(IQA_ERROR_NO_DATA, in_order(1), tensor(nullptr, IQA_FLOAT64, {0, 2}),
           "scores has 0 rows; at least 1 are needed, one for each split");
    refuse(IQA_ERROR_SHAPE, in_order(1), tensor(values.data(), IQA_FLOAT64, {40}),
           "scores has shape [40]; expected two axes, the second of 1 or more");
    refuse(IQA_ERROR_DTYPE, in_order(1), tensor(values.data(), IQA_INT64, {20, 2}),
           "scores has element type int64; expected float16, bfloat16, float32 or float64");
    refuse(IQA_ERROR_INVALID_ARGUMENT, in_order(1), nullptr, "scores is NULL");

    const iqa_inception_score_options as_probabilities = in_order(1, IQA_SCORES_PROBABILITIES);
    values[13] = 0.6;
    refuse(IQA_ERROR_NUMERIC, as_probabilities, table,
           "row 6 of scores sums to 1.1; expected probabilities, which sum to 1, or IQA_SCORES_LOGITS");
    values[13] = 1.5;
    values[12] = -0.5;
    refuse(IQA_ERROR_NUMERIC, as_probabilities, table,
           "scores[6, 0] is -0.5; expected a probability, from 0 to 1, or IQA_SCORES_LOGITS");
    values[12] = std::numeric_limits<double>::quiet_NaN();
    refuse(IQA_ERROR_NUMERIC, as_probabilities, table, "scores[6, 0] is nan; expected a finite number");
    refuse(IQA_ERROR_NUMERIC, in_order(2), table, "scores[6, 0] is nan; expected a finite number");
    values[12] = std::numeric_limits<double>::infinity();
    refuse(IQA_ERROR_NUMERIC, in_order(2), table, "scores[6, 0] is inf; expected a finite number");
    double mean = 0;
    CHECK(iqa_measure_inception_score(context.get(), nullptr, table, nullptr, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_measure_inception_score(nullptr, nullptr, table, &mean, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
}
