// SPDX-License-Identifier: MIT
// FID against known answers: exact cases, 60-digit references, and long double.
#include <algorithm>
#include <limits>

#include "support/catch.hpp"
#include "support/fid_reference.hpp"

using namespace test;

namespace {

// Covariance factor columns, as points: plus and minus `scale` times each column, and rows of zeros up to `rows`.
feature_set points_of(const std::vector<std::vector<float>> &columns, float scale, int64_t rows)
{
    feature_set set(rows, int64_t(columns[0].size()));
    int64_t row = 0;
    for (const auto &column : columns)
        for (const float sign : {1.0f, -1.0f}) {
            for (size_t j = 0; j < column.size(); ++j)
                set.at(row, int64_t(j)) = sign * scale * column[j];
            ++row;
        }
    return set;
}

// S1 = [[2, 1], [1, 1]] and S2 = [[5, -2], [-2, 1]] do not commute, and tr (S1 S2)^(1/2) = 3.
const std::vector<std::vector<float>> factor_1 = {{1, 0}, {1, 1}};
const std::vector<std::vector<float>> factor_2 = {{2, -1}, {1, 0}};

// m copies of a 2 x 2 case on the diagonal, features permuted, then mixed in fours by an orthogonal matrix.
feature_set block_diagonal(const std::vector<std::vector<float>> &factor, int64_t copies, float scale)
{
    constexpr float mix[4][4] = {
        {.5f, .5f, .5f, .5f}, {.5f, -.5f, .5f, -.5f}, {.5f, .5f, -.5f, -.5f}, {.5f, -.5f, -.5f, .5f}};
    const int64_t features = 2 * copies;
    feature_set set(8 * copies + 1, features);
    int64_t row = 0;
    for (int64_t copy = 0; copy < copies; ++copy)
        for (const auto &column : factor)
            for (const float sign : {1.0f, -1.0f}) {
                for (int64_t j = 0; j < 2; ++j) {
                    const int64_t place = ((2 * copy + j) * 5 + 3) % features; // a permutation: 5 is odd
                    for (int64_t t = 0; t < 4; ++t)
                        set.at(row, place / 4 * 4 + t) += sign * scale * column[size_t(j)] * mix[place % 4][t];
                }
                ++row;
            }
    return set;
}

feature_set plus(feature_set set, const std::vector<float> &shift)
{
    for (int64_t i = 0; i < set.rows; ++i)
        for (int64_t j = 0; j < set.features; ++j)
            set.at(i, j) += shift[size_t(j)];
    return set;
}

feature_set only_columns(feature_set set, int64_t first, int64_t last)
{
    for (int64_t i = 0; i < set.rows; ++i)
        for (int64_t j = 0; j < set.features; ++j)
            if (j < first || j >= last)
                set.at(i, j) = 0;
    return set;
}

feature_set times_two(feature_set set)
{
    for (float &value : set.values)
        value *= 2;
    return set;
}

void check_against(const metric_pointer &metric, double expected, double relative)
{
    REQUIRE(metric);
    const double bound = relative * total_variance(metric);
    CHECK(std::fabs(read(metric) - expected) <= bound);
}

// What the library says for features on the grid may be wrong by this much of tr S1 + tr S2.
constexpr double grid_bound = 1e-13;

} // namespace

TEST_CASE("FID of covariances that do not commute", "[fid]")
{
    const auto context = make_context();
    const feature_set a = points_of(factor_1, 2, 9);
    const feature_set b = points_of(factor_2, 2, 9);
    const auto metric = fid_of(context, a, b);
    check_against(metric, 3.0, grid_bound);
    CHECK(read(metric, IQA_FIELD_FID_TRACE_REFERENCE) == 3.0);
    CHECK(read(metric, IQA_FIELD_FID_TRACE_CANDIDATE) == 6.0);
    CHECK(read(metric, IQA_FIELD_FID_MEAN_TERM) == 0.0);
    CHECK(std::fabs(read(metric, IQA_FIELD_FID_TRACE_TERM) - 3.0) <= 1e-15);
    check_against(fid_of(context, a, plus(b, {1, 2})), 8.0, grid_bound);

    std::vector<double> covariance(4);
    REQUIRE(iqa_metric_read(metric.get(), IQA_FIELD_FID_COVARIANCE_CANDIDATE, covariance.data(), 4, nullptr) == IQA_OK);
    CHECK(covariance == std::vector<double>{5, -2, -2, 1});
}

TEST_CASE("FID of many rotated copies is known at any size", "[fid]")
{
    const int64_t root = GENERATE(2, 4, 8, 16, 32);
    if (device_of_tests != IQA_CPU && root > 8)
        return; // hours for one thread that plays all of a GPU's
    const int64_t copies = root * root;
    const auto context = make_context();
    const auto metric = fid_of(context, block_diagonal(factor_1, copies, float(2 * root)),
                               block_diagonal(factor_2, copies, float(2 * root)), 20);
    check_against(metric, 3.0 * double(copies), grid_bound);
    CHECK(read(metric, IQA_FIELD_FID_RANK_REFERENCE) == double(2 * copies));
    CHECK(read(metric, IQA_FIELD_FID_FLAGS) == 0);
}

TEST_CASE("FID of a set with itself is exactly 0, and with itself moved, exactly the squared distance", "[fid]")
{
    const auto context = make_context();
    for (const int64_t rows : {2, 10, 40, 300}) {
        const feature_set set = hash_features(3, rows, 32);
        CHECK(read(fid_of(context, set, set)) == 0.0);
        std::vector<float> shift(32);
        shift[3] = 1.5f;
        shift[7] = -0.25f;
        CHECK(read(fid_of(context, set, plus(set, shift))) == 1.5 * 1.5 + 0.0625);
    }
    const int64_t features = 2048;
    feature_set zero(3, features);
    feature_set one(3, features);
    std::fill(one.values.begin(), one.values.end(), 1.0f);
    CHECK(read(fid_of(context, zero, one)) == 2048.0);
}

TEST_CASE("FID of a scaled set, of disjoint supports, and of two rows each", "[fid]")
{
    const auto context = make_context();
    const feature_set set = hash_features(3, 50, 16);

    // B = 2 A: |mu|^2 + tr S.
    const auto scaled = fid_of(context, set, times_two(set), 22);
    check_against(scaled, read(scaled, IQA_FIELD_FID_MEAN_TERM) + read(scaled, IQA_FIELD_FID_TRACE_REFERENCE),
                  grid_bound);

    const auto disjoint = fid_of(context, only_columns(set, 0, 8), only_columns(set, 8, 16));
    CHECK(read(disjoint, IQA_FIELD_FID_TRACE_TERM) == 0.0);
    CHECK(read(disjoint) == read(disjoint, IQA_FIELD_FID_MEAN_TERM) + total_variance(disjoint));

    feature_set u(2, 3);
    feature_set v(2, 3);
    u.at(1, 0) = 1, u.at(1, 1) = 2, u.at(1, 2) = 2;
    v.at(1, 0) = 3, v.at(1, 2) = 4;
    const auto pair = fid_of(context, u, v);
    check_against(pair, 9.0, grid_bound);
    CHECK(read(pair, IQA_FIELD_FID_RANK_REFERENCE) == 1);
    CHECK(read(pair, IQA_FIELD_FID_FLAGS) == int(IQA_FID_RANK_DEFICIENT));
}

TEST_CASE("FID of covariances that commute is a sum over the features", "[fid]")
{
    // Variances a_j^2 and b_j^2 on the diagonal: points at plus and minus a_j sqrt(n - 1) / sqrt 2 on each axis.
    const int64_t features = 16;
    const int64_t rows = 33; // n - 1 = 32: the factor is 4
    feature_set a(rows, features);
    feature_set b(rows, features);
    double expected = 0;
    for (int64_t j = 0; j < features; ++j) {
        const float deviation_a = float(j + 1) / 4;
        const float deviation_b = float((5 * j) % 16 + 2) / 8;
        a.at(2 * j, j) = 4 * deviation_a, a.at(2 * j + 1, j) = -4 * deviation_a;
        b.at(2 * j, j) = 4 * deviation_b, b.at(2 * j + 1, j) = -4 * deviation_b;
        expected += double(deviation_a - deviation_b) * double(deviation_a - deviation_b);
    }
    check_against(fid_of(make_context(), a, b), expected, grid_bound);
}

TEST_CASE("FID of hash features equals 60-digit references", "[fid]")
{
    CHECK(hash_features(1, 2, 4).at(0, 0) == 414072 * 0x1p-18f);
    CHECK(hash_features(1, 2, 4).at(0, 3) == 19839 * 0x1p-18f);

    // tests/metrics/features/fid_cases.py computes these.
    struct known {
        int64_t features, reference_rows, candidate_rows;
        float shift;
        double value;
    };
    constexpr known cases[] = {
        {4, 5, 7, 0, 0.243182429977481023135},    {8, 20, 16, 0, 0.1104714338821087508638},
        {16, 9, 6, 0, 1.392010023705591749668},   {32, 100, 20, 0, 1.583497413622832858482},
        {64, 200, 40, 0, 2.23002080268604405657}, {64, 200, 260, 1, 63.37918137905709132189},
    };
    const auto context = make_context();
    for (const known &one : cases) {
        const auto metric = fid_of(context, hash_features(1, one.reference_rows, one.features),
                                   hash_features(2, one.candidate_rows, one.features, one.shift));
        check_against(metric, one.value, 2e-15);
    }
}

TEST_CASE("FID at every edge of the rank equals long double", "[fid]")
{
    const int64_t features = GENERATE(1, 2, 15, 16, 17, 64, 97);
    const auto context = make_context();
    for (const int64_t rows : {int64_t(2), features - 1, features, features + 1, features + 2}) {
        if (rows < 2)
            continue;
        const feature_set a = hash_features(5, rows, features);
        const feature_set b = hash_features(6, 2 * features + 3, features);
        const auto metric = fid_of(context, a, b);
        check_against(metric, double(reference_fid(a, b)), 1e-14);
        CHECK(read(metric, IQA_FIELD_FID_RANK_REFERENCE) == double(std::min(features, rows - 1)));
        CHECK(read(metric, IQA_FIELD_FID_RANK_CANDIDATE) == double(features));
        CHECK(read(metric, IQA_FIELD_FID_FLAGS) == (rows <= features ? int(IQA_FID_RANK_DEFICIENT) : 0));
    }
}

TEST_CASE("FID equals three decompositions in long double", "[fid]")
{
    const int64_t features = GENERATE(3, 24);
    const auto context = make_context();
    const feature_set a = hash_features(9, 5 * features, features);
    const feature_set b = hash_features(10, 4 * features, features);
    const auto metric = fid_of(context, a, b);
    check_against(metric, double(reference_fid(a, b)), 2e-15);
    check_against(metric, double(reference_fid_by_eigenvalues(a, b)), 2e-15);
    check_against(metric, double(reference_fid_by_square_root(a, b)), 2e-15);
}

TEST_CASE("FID of constant, repeated and collapsed features equals long double", "[fid]")
{
    const auto context = make_context();
    const int64_t features = 48;
    feature_set a = hash_features(7, 90, features);
    feature_set b = hash_features(8, 70, features);
    SECTION("constant features")
    {
        for (feature_set *set : {&a, &b})
            for (int64_t i = 0; i < set->rows; ++i)
                for (int64_t j = 0; j < features; j += 7)
                    set->at(i, j) = j == 14 ? 3.5f : 0.0f;
    }
    SECTION("repeated features")
    {
        for (feature_set *set : {&a, &b})
            for (int64_t i = 0; i < set->rows; ++i)
                for (int64_t j = 1; j < features; j += 2)
                    set->at(i, j) = set->at(i, j - 1);
    }
    SECTION("mode collapse: eight different rows")
    {
        for (int64_t i = 8; i < b.rows; ++i)
            std::copy_n(b.row(i % 8), features, &b.at(i, 0));
    }
    SECTION("units that differ by 10^6")
    {
        for (feature_set *set : {&a, &b})
            for (int64_t i = 0; i < set->rows; ++i)
                for (int64_t j = 0; j < features; j += 2)
                    set->at(i, j) *= 0x1p-6f;
        const auto metric = fid_of(context, a, b);
        check_against(metric, double(reference_fid(a, b)), 1e-14);
        return;
    }
    const auto metric = fid_of(context, a, b);
    check_against(metric, double(reference_fid(a, b)), 1e-14);
    CHECK(read(metric, IQA_FIELD_FID_FLAGS) == int(IQA_FID_RANK_DEFICIENT));
}

TEST_CASE("FID of any float features is within 1e-9 of the total variance", "[fid]")
{
    const auto context = make_context();
    random_numbers random(11);
    feature_set a(150, 64);
    feature_set b(90, 64);
    for (feature_set *set : {&a, &b})
        for (float &value : set->values)
            value = float((random.uniform() + random.uniform() - 1.0) * 0.7);
    check_against(fid_of(context, a, b), double(reference_fid(a, b)), 1e-9);
    // Narrow words: a grid of 2^-19.
    check_against(fid_of(context, a, b, 19, IQA_FID_WORD_24), double(reference_fid(a, b)), 1e-6);
}

// Statistics are the CPU's.
TEST_CASE("FID from statistics equals FID from features, and refuses what is no covariance", "[fid][host]")
{
    const auto context = make_context();
    const int64_t features = 24;
    const feature_set sets[2] = {hash_features(1, 100, features), hash_features(2, 15, features, 0.5f)};
    const auto metric = fid_of(context, sets[0], sets[1]);
    std::vector<double> means[2];
    std::vector<double> covariances[2];
    for (int side = 0; side < 2; ++side) {
        means[side].resize(size_t(features));
        covariances[side].resize(size_t(features * features));
        iqa_metric_read(metric.get(), IQA_FIELD_FID_MEAN_REFERENCE + side, means[side].data(), means[side].size(),
                        nullptr);
        iqa_metric_read(metric.get(), IQA_FIELD_FID_COVARIANCE_REFERENCE + side, covariances[side].data(),
                        covariances[side].size(), nullptr);
    }
    double parts[8] = {};
    const auto distance = [&] {
        const tensor mean_1(means[0].data(), IQA_FLOAT64, {features});
        const tensor mean_2(means[1].data(), IQA_FLOAT64, {features});
        const tensor covariance_1(covariances[0].data(), IQA_FLOAT64, {features, features});
        const tensor covariance_2(covariances[1].data(), IQA_FLOAT64, {features, features});
        return iqa_fid_from_statistics(context.get(), mean_1, covariance_1, mean_2, covariance_2, parts, 8, nullptr);
    };
    REQUIRE(distance() == IQA_OK);
    CHECK(std::fabs(parts[0] - read(metric)) <= 1e-14 * total_variance(metric));
    CHECK(parts[3] == read(metric, IQA_FIELD_FID_TRACE_REFERENCE));
    CHECK(parts[6] == double(features));
    CHECK(parts[7] == 14); // found without knowing the number of rows

    SECTION("not symmetric")
    {
        covariances[1][1] += 1;
        CHECK(distance() == IQA_ERROR_NUMERIC);
        CHECK(std::string(iqa_context_error(context.get())).find("covariance_candidate is not symmetric") == 0);
    }
    SECTION("not semi-definite")
    {
        covariances[0][0] = -1;
        CHECK(distance() == IQA_ERROR_NUMERIC);
        CHECK(std::string(iqa_context_error(context.get())).find("covariance_reference is not positive") == 0);
    }
    SECTION("hardly anything, or far too much for squares: right to the last, or refused")
    {
        const double before = parts[0];
        for (const int exponent : {-380, -360, 360, 390}) {
            const double factor = std::ldexp(1.0, exponent);
            for (int side = 0; side < 2; ++side) {
                for (double &mean : means[side])
                    mean *= std::ldexp(1.0, exponent / 2);
                for (double &covariance : covariances[side])
                    covariance *= factor;
            }
            REQUIRE(distance() == IQA_OK);
            CHECK(parts[0] == before * factor);
            for (int side = 0; side < 2; ++side) {
                for (double &mean : means[side])
                    mean /= std::ldexp(1.0, exponent / 2);
                for (double &covariance : covariances[side])
                    covariance /= factor;
            }
        }
        for (const double factor : {0x1p-420, 0x1p840}) {
            for (double &covariance : covariances[1])
                covariance *= factor;
            CHECK(distance() == IQA_ERROR_NUMERIC);
            CHECK(std::string(iqa_context_error(context.get())).find("covariance_candidate has variances up to ") == 0);
        }
        std::fill(covariances[1].begin(), covariances[1].end(), 0.0);
        CHECK(distance() == IQA_OK);
    }
    SECTION("not finite")
    {
        covariances[0][5] = std::nan("");
        CHECK(distance() == IQA_ERROR_NUMERIC);
        covariances[0][5] = 0;
        means[1][3] = std::numeric_limits<double>::infinity();
        CHECK(distance() == IQA_ERROR_NUMERIC);
    }
    SECTION("not of one size")
    {
        const tensor mean(means[0].data(), IQA_FLOAT64, {features});
        const tensor shorter(means[1].data(), IQA_FLOAT64, {features - 1});
        const tensor square(covariances[0].data(), IQA_FLOAT64, {features, features});
        const tensor oblong(covariances[0].data(), IQA_FLOAT64, {features - 1, features});
        const auto call = [&](const iqa_tensor *m, const iqa_tensor *s) {
            return iqa_fid_from_statistics(context.get(), mean, square, m, s, parts, 8, nullptr);
        };
        CHECK(call(shorter, square) == IQA_ERROR_SHAPE);
        CHECK(call(mean, oblong) == IQA_ERROR_SHAPE);
        CHECK(call(mean, mean) == IQA_ERROR_SHAPE);
        CHECK(call(nullptr, square) == IQA_ERROR_INVALID_ARGUMENT);
    }
}
