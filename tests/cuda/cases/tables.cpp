// SPDX-License-Identifier: MIT
// KID, PRDC and the Inception Score over types, strides and options, and with invalid input.
#include <cmath>
#include <limits>

#include "cuda/cases/cases.hpp"

namespace test {

namespace {

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

// Numbers in the range of features and logits, with fractions if the type has room for them.
template <class Sample>
case_tensor numbers(int64_t rows, int64_t columns, uint64_t seed, double scale)
{
    auto random = std::make_shared<random_numbers>(seed);
    const bool fraction = sizeof(Sample) > 2;
    return dense<Sample>({rows, columns}, [=](int64_t) {
        const double value = double(random->below(33)) - 16;
        return fraction ? (value + random->uniform()) * scale : value;
    });
}

case_tensor numbers(int dtype, int64_t rows, int64_t columns, uint64_t seed, double scale = 0.25)
{
    switch (dtype) {
    case IQA_FLOAT16:
        return numbers<iqa::float16>(rows, columns, seed, scale);
    case IQA_BFLOAT16:
        return numbers<iqa::bfloat16>(rows, columns, seed, scale);
    case IQA_FLOAT32:
        return numbers<float>(rows, columns, seed, scale);
    default:
        return numbers<double>(rows, columns, seed, scale);
    }
}

case_tensor probabilities(int64_t rows, int64_t classes, uint64_t seed)
{
    std::vector<double> values;
    random_numbers random(seed);
    for (int64_t row = 0; row < rows; ++row) {
        double sum = 0;
        for (int64_t i = 0; i < classes; ++i)
            sum += values.emplace_back(random.below(5) == 0 ? 0.0 : random.uniform() + 1e-3);
        for (int64_t i = 0; i < classes; ++i)
            values[size_t(row * classes + i)] /= sum + 1e-9;
    }
    return dense<double>({rows, classes}, [&](int64_t i) { return values[size_t(i)]; });
}

// The transposed view of the same memory: rows are one element apart.
case_tensor transposed(case_tensor tensor)
{
    std::swap(tensor.shape[0], tensor.shape[1]);
    tensor.strides = {1, tensor.shape[0]};
    return tensor;
}

// The view with the last row first.
case_tensor backwards(case_tensor tensor, int size)
{
    tensor.strides = {-tensor.shape[1], 1};
    tensor.byte_offset = uint64_t((tensor.shape[0] - 1) * tensor.shape[1] * size);
    return tensor;
}

template <class Number>
case_tensor with(case_tensor tensor, int64_t place, Number value)
{
    std::memcpy(tensor.bytes.data() + size_t(place) * sizeof value, &value, sizeof value);
    return tensor;
}

// Sizes just below, at and above tiles of 64 rows, 32 steps and chains of 256: add(name, one set, the other, its rows).
template <class Add>
void each_size(bool few, uint64_t seed, int64_t least_rows, Add &&add)
{
    for (const int dtype : {IQA_FLOAT16, IQA_BFLOAT16, IQA_FLOAT32, IQA_FLOAT64})
        for (const int64_t columns : {1, 33, 256, 290})
            for (const int64_t rows : {least_rows, int64_t(64), int64_t(65), int64_t(150)}) {
                seed += 2;
                if (few && (columns != 33 || rows != 65))
                    continue;
                const int64_t of_other = rows / 2 + least_rows / 2;
                add(std::to_string(rows) + " rows of " + std::to_string(columns) + " features of type " +
                        std::to_string(dtype),
                    numbers(dtype, rows, columns, seed), transposed(numbers(IQA_FLOAT32, columns, of_other, seed + 1)),
                    of_other);
            }
}

template <class Change>
table_case kid_case(const std::string &name, case_tensor reference, case_tensor candidate, Change &&change)
{
    iqa_kid_options options = IQA_KID_OPTIONS_INIT;
    options.subsets = 0;
    change(options);
    return {"KID, " + name,
            [options](iqa_context *context, const iqa_tensor *x, const iqa_tensor *y, double *values) {
                return iqa_measure_kid(context, &options, x, y, &values[0], &values[1]);
            },
            std::move(reference), std::move(candidate)};
}

template <class Change>
table_case score_case(const std::string &name, case_tensor scores, Change &&change)
{
    iqa_inception_score_options options = IQA_INCEPTION_SCORE_OPTIONS_INIT;
    options.splits = 3;
    change(options);
    return {"Inception Score, " + name,
            [options](iqa_context *context, const iqa_tensor *x, const iqa_tensor *, double *values) {
                return iqa_measure_inception_score(context, &options, x, &values[0], &values[1]);
            },
            std::move(scores),
            {}};
}

void add_kid(std::vector<table_case> &cases, bool few)
{
    const auto as_it_is = [](iqa_kid_options &) {
    };
    const auto subsets = [](int count, int64_t size) {
        return [=](iqa_kid_options &options) {
            options.subsets = count;
            options.subset_size = size;
            options.seed = 11;
        };
    };
    const auto by_content = [&](int count, int64_t size) {
        return [of = subsets(count, size)](iqa_kid_options &options) {
            of(options);
            options.draw_by = IQA_DRAW_BY_CONTENT;
        };
    };
    each_size(few, 0, 2, [&](const std::string &name, const case_tensor &x, const case_tensor &y, int64_t rows) {
        cases.push_back(kid_case(name, x, y, as_it_is));
        cases.push_back(kid_case(name + ", subsets", x, y, subsets(3, rows)));
        cases.push_back(kid_case(name + ", subsets by content", x, y, by_content(2, rows)));
    });
    const case_tensor x = numbers(IQA_FLOAT64, 90, 40, 1);
    const case_tensor y = numbers(IQA_FLOAT64, 70, 40, 2);
    for (const int degree : {1, 2, 5, 16})
        for (const double coef0 : {0.0, 1.0, 1e6})
            for (const int estimator : {IQA_KID_UNBIASED, IQA_KID_BIASED}) {
                if (few && degree != 5)
                    continue;
                cases.push_back(kid_case("degree " + std::to_string(degree) + ", coef0 " + std::to_string(coef0), x, y,
                                         [=](iqa_kid_options &options) {
                                             options.degree = degree;
                                             options.coef0 = coef0;
                                             options.estimator = estimator;
                                             options.gamma = degree == 2 ? 0.375 : IQA_KID_GAMMA_AUTO;
                                         }));
            }
    cases.push_back(kid_case("small features", numbers(IQA_FLOAT64, 40, 9, 3, 1e-7),
                             numbers(IQA_FLOAT64, 30, 9, 4, 1e-7), as_it_is));
    cases.push_back(kid_case("zeros", dense<float>({9, 3}, [](int64_t) { return 0; }),
                             dense<float>({8, 3}, [](int64_t) { return 0; }), as_it_is));
    cases.push_back(kid_case("backwards", backwards(x, 8), y, subsets(4, 66)));
    cases.push_back(kid_case("backwards by content", backwards(x, 8), y, by_content(4, 66)));
    cases.push_back(
        kid_case("a set with itself", x, x, [](iqa_kid_options &options) { options.estimator = IQA_KID_BIASED; }));
    cases.push_back(kid_case("more subsets than one launch has", numbers(IQA_FLOAT32, 9, 2, 5),
                             numbers(IQA_FLOAT16, 8, 2, 6), subsets(few ? 3 : 5500, 2)));

    cases.push_back(kid_case("not a number", with(x, 17 * 40 + 5, no_number), with(y, 3, no_number), subsets(1, 2)));
    cases.push_back(kid_case("infinite", x, with(with(y, 69 * 40 + 39, HUGE_VAL), 68 * 40 + 39, -HUGE_VAL), as_it_is));
    cases.push_back(kid_case("squares that overflow", x, with(y, 7, 1e200), as_it_is));
    cases.push_back(kid_case("kernel values that overflow", with(x, 7, 1e120), with(y, 7, no_number), as_it_is));
    cases.push_back(kid_case("few rows", x, y, subsets(2, 71)));
    cases.push_back(kid_case("other columns", x, numbers(IQA_FLOAT64, 70, 39, 2), as_it_is));
}

table_case prdc_case(const std::string &name, case_tensor reference, case_tensor candidate, int64_t k = 3,
                     int32_t ball = IQA_PRDC_OPEN)
{
    iqa_prdc_options options = IQA_PRDC_OPTIONS_INIT;
    options.k = k;
    options.ball = ball;
    return {"PRDC, " + name,
            [options](iqa_context *context, const iqa_tensor *x, const iqa_tensor *y, double *values) {
                return iqa_measure_prdc(context, &options, x, y, values, most_table_values, nullptr);
            },
            std::move(reference), std::move(candidate)};
}

void add_prdc(std::vector<table_case> &cases, bool few)
{
    each_size(few, 50, 4, [&](const std::string &name, const case_tensor &x, const case_tensor &y, int64_t rows) {
        cases.push_back(prdc_case(name, x, y));
        cases.push_back(prdc_case(name + ", all neighbours", x, y, rows - 1, IQA_PRDC_CLOSED));
    });
    const case_tensor x = numbers(IQA_FLOAT64, 90, 40, 1);
    const case_tensor y = numbers(IQA_FLOAT64, 70, 40, 2);
    const auto whole = [](int64_t rows, int64_t factor) {
        return dense<float>({rows, 3}, [=](int64_t i) { return float(i * factor % 4); });
    };
    for (const int32_t ball : {IQA_PRDC_OPEN, IQA_PRDC_CLOSED})
        cases.push_back(prdc_case("ties, ball " + std::to_string(ball), whole(130, 7), whole(70, 13), 5, ball));
    cases.push_back(prdc_case("backwards", backwards(x, 8), y));
    cases.push_back(prdc_case("a set with itself", x, x, 1));
    cases.push_back(prdc_case("zeros", dense<float>({9, 3}, [](int64_t) { return 0; }),
                              dense<float>({8, 3}, [](int64_t) { return 0; }), 2, IQA_PRDC_CLOSED));
    cases.push_back(prdc_case("not a number", with(x, 17 * 40 + 5, no_number), with(y, 3, no_number)));
    cases.push_back(prdc_case("squares that overflow", x, with(y, 7, 1e200)));
    cases.push_back(prdc_case("a row far away", x, with(y, 7, 1e12)));
    cases.push_back(prdc_case("few rows", x, y, 70));
    cases.push_back(prdc_case("other columns", x, numbers(IQA_FLOAT64, 70, 39, 2)));
}

void add_scores(std::vector<table_case> &cases, bool few)
{
    const auto as_it_is = [](iqa_inception_score_options &) {
    };
    const auto splits = [](int count, int shuffle) {
        return [=](iqa_inception_score_options &options) {
            options.splits = count;
            options.shuffle = shuffle;
            options.seed = 5;
        };
    };
    const auto as_probabilities = [](iqa_inception_score_options &options) {
        options.scores = IQA_SCORES_PROBABILITIES;
    };
    uint64_t seed = 0;
    // Tiles of 64 rows and 32 columns, groups of 256 columns and parts of 256 rows.
    for (const int dtype : {IQA_FLOAT16, IQA_BFLOAT16, IQA_FLOAT32, IQA_FLOAT64})
        for (const int64_t classes : {1, 31, 255, 256, 300})
            for (const int64_t rows : {3, 64, 130}) {
                ++seed;
                if (few && (classes != 31 || rows != 130))
                    continue;
                const std::string name = std::to_string(rows) + " rows of " + std::to_string(classes) +
                                         " classes of type " + std::to_string(dtype);
                const case_tensor z = numbers(dtype, rows, classes, seed, 2.5);
                cases.push_back(score_case(name, z, as_it_is));
                cases.push_back(score_case(name + ", by column", transposed(z), splits(1, 0)));
            }
    const case_tensor z = numbers(IQA_FLOAT64, 1100, 10, 1, 50.0);
    const case_tensor p = probabilities(300, 33, 2);
    for (const int count : {1, 2, 4, 1100})
        for (const int shuffle : {0, 1})
            cases.push_back(score_case(std::to_string(count) + " splits", z, splits(count, shuffle)));
    cases.push_back(score_case("by content", z,
                               [](iqa_inception_score_options &options) { options.draw_by = IQA_DRAW_BY_CONTENT; }));
    cases.push_back(score_case("probabilities", p, as_probabilities));
    cases.push_back(score_case("probabilities backwards", backwards(p, 8), as_probabilities));
    cases.push_back(
        score_case("certain", dense<float>({40, 8}, [](int64_t i) { return i % 8 == i / 8 % 8; }), as_probabilities));
    cases.push_back(score_case("logits that are far apart",
                               dense<double>({50, 4}, [](int64_t i) { return i % 3 == 0 ? 1.7e308 : -1.7e308; }),
                               as_it_is));

    cases.push_back(score_case("not a number", with(with(z, 777, no_number), 901, HUGE_VAL), as_it_is));
    cases.push_back(score_case("infinite", with(z, 10999, -HUGE_VAL), as_it_is));
    cases.push_back(score_case("a negative probability before what is not finite",
                               with(with(p, 40, -0.5), 9000, no_number), as_probabilities));
    cases.push_back(score_case("a negative probability", with(with(p, 9040, -0.5), 9001, 2.0), as_probabilities));
    cases.push_back(score_case("a sum that is not 1", with(p, 5000, 0.5), as_probabilities));
    cases.push_back(score_case("few rows", p, splits(301, 1)));
}

} // namespace

std::vector<table_case> table_cases(bool few)
{
    std::vector<table_case> cases;
    add_kid(cases, few);
    add_prdc(cases, few);
    add_scores(cases, few);
    return cases;
}

} // namespace test
