// SPDX-License-Identifier: MIT
// FID of features that are small beside the grid: right within a bound that can be read, or refused in words; never
// wrong without a word.
#include <algorithm>
#include <span>

#include "arith/second_moment.h"
#include "core/state.hpp"
#include "metrics/metrics.hpp"
#include "support/catch.hpp"
#include "support/fid_reference.hpp"

using namespace test;

namespace {

constexpr int64_t features = 12;
constexpr double largest_rounding = 0x1p-10; // of |m1 - m2|^2 + tr S1 + tr S2: docs/guide/fid.md

// Features of several kinds: about zero; never below it, as behind a ReLU, with many zeros; or both about their means.
enum class kind { centred, rectified, shifted };

feature_set features_of(kind of, uint64_t seed, int64_t rows, double scale)
{
    random_numbers random(seed);
    feature_set set(rows, features);
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < features; ++j) {
            const double normal = 2 * (random.uniform() + random.uniform() + random.uniform() - 1.5);
            const double value = normal * (0.3 + 0.1 * double(j)) + 0.05 * double(seed);
            set.at(i, j) = float(scale * (of == kind::centred     ? value
                                          : of == kind::rectified ? std::max(value, 0.0)
                                                                  : value + 1.0));
        }
    return set;
}

iqa_status compute(const metric_pointer &metric, double *value)
{
    return iqa_metric_compute(metric.get(), value);
}

// The number of fraction bits that a refusal proposes; 0: none.
int proposed_bits(const std::string &text)
{
    const size_t at = text.find("about ");
    return at == std::string::npos ? 0 : std::stoi(text.substr(at + 6));
}

// The same numbers as doubles, times a factor and moved.
std::vector<double> moved(const feature_set &set, double factor, double shift)
{
    std::vector<double> values;
    for (const float value : set.values)
        values.push_back(double(value) * factor + shift);
    return values;
}

metric_pointer fid_of_doubles(const context_pointer &context, const std::vector<double> &reference,
                              const std::vector<double> &candidate, int fraction_bits = 24)
{
    metric_pointer metric = make_fid(context, fid_options(features, fraction_bits));
    const auto rows_of = [](const std::vector<double> &values) {
        return int64_t(values.size()) / features;
    };
    REQUIRE(settled_update(metric, tensor(reference.data(), IQA_FLOAT64, {rows_of(reference), features}),
                           tensor(candidate.data(), IQA_FLOAT64, {rows_of(candidate), features})) == IQA_OK);
    return metric;
}

} // namespace

TEST_CASE("FID of scaled features is right within the bound, or refused", "[fid]")
{
    const kind of = GENERATE(kind::centred, kind::rectified, kind::shifted);
    const auto context = make_context();
    std::vector<double> scales;
    for (int k = 0; k <= 120; k += 3)
        scales.push_back(std::ldexp(1.0, -k));
    for (int k = 1; k <= 37; ++k)
        scales.push_back(std::pow(10.0, -k));
    for (const double scale : scales) {
        INFO("scale " << scale);
        const feature_set sets[2] = {features_of(of, 1, 60, scale), features_of(of, 2, 45, scale)};
        const double truth = double(reference_fid(sets[0], sets[1]));
        const double whole = fid_but_for_trace_term(sets[0], sets[1]);
        const auto metric = fid_of(context, sets[0], sets[1]);
        REQUIRE(metric);
        double value = 0;
        const iqa_status status = compute(metric, &value);
        const double bound = read(metric, IQA_FIELD_FID_ROUNDING);
        if (status == IQA_OK) {
            CHECK(std::fabs(value - truth) <= bound + 1e-13 * whole);
            CHECK(bound <= 1.01 * largest_rounding * whole);
        } else {
            CHECK(status == IQA_ERROR_NUMERIC);
            const std::string text = last_error(context);
            CHECK(text.find("fraction_bits is 24, too few for these features: rounding them to multiples of 2^-24 may "
                            "have moved the distance, ") == 0);
            CHECK(!(bound <= 0.9 * largest_rounding * whole));

            // What it proposes is enough, at the latest when the features are no longer all 0 there.
            double finer = 0;
            iqa_status status_again = status;
            for (int bits = proposed_bits(text), tries = 0; bits != 0 && tries < 5; ++tries) {
                const auto again = fid_of(context, sets[0], sets[1], bits);
                REQUIRE(again);
                status_again = compute(again, &finer);
                bits = status_again == IQA_OK ? 0 : proposed_bits(last_error(context));
            }
            CHECK(status_again == (scale >= 1e-30 ? IQA_OK : scale <= 1e-34 ? IQA_ERROR_NUMERIC : status_again));
            if (status_again == IQA_OK)
                CHECK(std::fabs(finer - truth) <= largest_rounding * whole);
            else
                CHECK(last_error(context).ends_with("; multiply them by a power of two first"));
        }
        CHECK(status == (scale >= 0x1p-12 ? IQA_OK : scale <= 1e-6 ? IQA_ERROR_NUMERIC : status));
    }
}

TEST_CASE("features and grid scaled by the same power of two give the same bits", "[fid]")
{
    const auto context = make_context();
    const feature_set sets[2] = {features_of(kind::shifted, 1, 60, 1), features_of(kind::shifted, 2, 10, 1)};
    const auto metric = fid_of(context, sets[0], sets[1]);
    for (const int bits : {-120, -100, -3, 0, 23, 60, 61, 119, 120}) {
        INFO(bits);
        const double factor = std::ldexp(1.0, 24 - bits);
        const auto scaled = fid_of_doubles(context, moved(sets[0], factor, 0), moved(sets[1], factor, 0), bits);
        for (const int field : {int(IQA_FIELD_VALUE), int(IQA_FIELD_FID_MEAN_TERM), int(IQA_FIELD_FID_TRACE_REFERENCE),
                                int(IQA_FIELD_FID_TRACE_TERM), int(IQA_FIELD_FID_ROUNDING)})
            CHECK(read(scaled, field) == read(metric, field) * factor * factor);
        const std::vector<int64_t> lanes = lanes_of(scaled);
        CHECK((lanes == lanes_of(metric)));
    }
}

TEST_CASE("zeros, constants and features on the grid are not refused, whatever their size", "[fid]")
{
    const auto context = make_context();
    const std::vector<double> zeros(10 * features);
    CHECK(read(fid_of_doubles(context, zeros, zeros)) == 0.0);
    for (const double constant : {0.1, double(0.1f), 1e-3, 50.1}) {
        INFO(constant);
        const std::vector<double> same(10 * features, constant);
        const auto metric = fid_of_doubles(context, same, same);
        double value = -1;
        CHECK(compute(metric, &value) == IQA_OK);
        CHECK(value == 0.0);
        CHECK(read(metric, IQA_FIELD_FID_ROUNDING) == 0.0);
        const std::vector<double> other(7 * features, 2 * constant);
        const auto apart = fid_of_doubles(context, same, other);
        const double truth = constant * constant * double(features);
        REQUIRE(compute(apart, &value) == IQA_OK);
        CHECK(std::fabs(value - truth) <= 1.000001 * read(apart, IQA_FIELD_FID_ROUNDING) + 1e-15 * truth);
        CHECK(read(apart, IQA_FIELD_FID_ROUNDING) <= 1e-3 * truth);
    }
    // A few steps, exactly.
    feature_set steps[2] = {hash_features(1, 30, features), hash_features(2, 40, features)};
    for (feature_set &set : steps)
        for (float &value : set.values)
            value = float(int(value * 4)) * 0x1p-24f;
    const auto metric = fid_of(context, steps[0], steps[1]);
    double value = 0;
    REQUIRE(compute(metric, &value) == IQA_OK);
    CHECK(read(metric, IQA_FIELD_FID_ROUNDING) == 0.0);
    CHECK(std::fabs(value - double(reference_fid(steps[0], steps[1]))) <= 1e-13 * total_variance(metric));
}

TEST_CASE("a spread below the grid is refused, however large what the rows have in common", "[fid]")
{
    const auto context = make_context();
    const feature_set sets[2] = {features_of(kind::centred, 1, 60, 1), features_of(kind::centred, 2, 45, 1)};
    const double truth = double(reference_fid(sets[0], sets[1])) * 1e-18;
    const auto metric = fid_of_doubles(context, moved(sets[0], 1e-9, 0.1), moved(sets[1], 1e-9, 0.1));
    double value = 0;
    CHECK(compute(metric, &value) == IQA_ERROR_NUMERIC);
    CHECK(last_error(context).ends_with("; subtract what all rows of both sets have in common first"));
    // A finer grid that still holds them is not fine enough; without what they have in common, one is.
    CHECK(compute(fid_of_doubles(context, moved(sets[0], 1e-9, 0.1), moved(sets[1], 1e-9, 0.1), 34), &value) ==
          IQA_ERROR_NUMERIC);
    REQUIRE(compute(fid_of_doubles(context, moved(sets[0], 1e-9, 0), moved(sets[1], 1e-9, 0), 50), &value) == IQA_OK);
    CHECK(std::fabs(value - truth) <= 1e-4 * truth);

    // Sets that differ by less than a step.
    const std::vector<double> constant(10 * features, 0.1);
    const std::vector<double> beside(10 * features, 0.1 + 1e-9);
    CHECK(compute(fid_of_doubles(context, constant, beside), &value) == IQA_ERROR_NUMERIC);
    CHECK(compute(fid_of_doubles(context, constant, std::vector<double>(10 * features, 0.1 + 1e-4)), &value) == IQA_OK);
}

TEST_CASE("what vanishes altogether is seen, alone or beside a set that does not", "[fid]")
{
    const auto context = make_context();
    const feature_set tiny = features_of(kind::rectified, 1, 60, 1e-30);
    const feature_set zero(20, features);
    const feature_set usual = features_of(kind::rectified, 2, 45, 1);
    double value = 0;
    CHECK(compute(fid_of(context, tiny, tiny), &value) == IQA_ERROR_NUMERIC);
    CHECK(compute(fid_of(context, tiny, zero), &value) == IQA_ERROR_NUMERIC);
    CHECK(compute(fid_of(context, zero, tiny), &value) == IQA_ERROR_NUMERIC);
    const auto metric = fid_of(context, tiny, usual);
    REQUIRE(compute(metric, &value) == IQA_OK);
    CHECK(std::fabs(value - double(reference_fid(tiny, usual))) <= read(metric, IQA_FIELD_FID_ROUNDING));
    CHECK(read(metric, IQA_FIELD_FID_ROUNDING) <= 1e-6 * value);
}

TEST_CASE("mean and covariance are refused like the distance", "[fid]")
{
    const auto context = make_context();
    const feature_set usual = features_of(kind::centred, 2, 45, 1);
    std::vector<double> numbers(features * features);
    const auto status = [&](const metric_pointer &metric, int field) {
        return iqa_metric_read(metric.get(), field, numbers.data(), numbers.size(), nullptr);
    };
    for (const double scale : {1e-7, 1e-9, 1e-30}) {
        const auto metric = fid_of(context, features_of(kind::centred, 1, 60, scale), usual);
        CHECK(status(metric, IQA_FIELD_FID_MEAN_REFERENCE) == IQA_ERROR_NUMERIC);
        CHECK(last_error(context).find("may have moved the reference mean too far") != std::string::npos);
        CHECK(status(metric, IQA_FIELD_FID_COVARIANCE_REFERENCE) == IQA_ERROR_NUMERIC);
        CHECK(last_error(context).find("may have moved the reference covariance too far") != std::string::npos);
        CHECK(status(metric, IQA_FIELD_FID_MEAN_CANDIDATE) == IQA_OK);
        CHECK(status(metric, IQA_FIELD_FID_COVARIANCE_CANDIDATE) == IQA_OK);
        CHECK(status(metric, IQA_FIELD_VALUE) == IQA_OK);
    }
    // A mean is better than the features: where these have few digits, and where their spread has none.
    const feature_set coarse = features_of(kind::centred, 1, 4000, 1e-6);
    const auto many = fid_of(context, coarse, usual);
    CHECK(status(many, IQA_FIELD_FID_COVARIANCE_REFERENCE) == IQA_ERROR_NUMERIC);
    REQUIRE(status(many, IQA_FIELD_FID_MEAN_REFERENCE) == IQA_OK);
    CHECK(std::fabs(numbers[3] - mean_of(coarse, 3)) <= 3e-9);
    const auto metric = fid_of_doubles(context, moved(usual, 1, 0), moved(usual, 1e-9, 0.1));
    CHECK(status(metric, IQA_FIELD_FID_MEAN_CANDIDATE) == IQA_OK);
    CHECK(std::fabs(numbers[0] - 0.1) <= 1e-7);
    CHECK(status(metric, IQA_FIELD_FID_COVARIANCE_CANDIDATE) == IQA_ERROR_NUMERIC);
    CHECK(last_error(context).find("may have moved the candidate covariance too far") != std::string::npos);
}

TEST_CASE("no split, order, thread count or instruction set changes rests or refusals", "[fid]")
{
    const double scale = GENERATE(1.0, 1e-5, 1e-9);
    const feature_set sets[2] = {features_of(kind::rectified, 1, 700, scale),
                                 features_of(kind::rectified, 2, 300, scale)};
    const auto first_context = make_context(1);
    const auto whole = fid_of(first_context, sets[0], sets[1]);
    const auto expected = bytes_of(whole);
    double value = 0;
    const iqa_status status = compute(whole, &value);
    const std::string text = last_error(first_context);
    CHECK(status == (scale == 1e-9 ? IQA_ERROR_NUMERIC : IQA_OK));
    for (const int isa : {int(IQA_ISA_BASELINE), int(IQA_ISA_AVX2), int(IQA_ISA_AVX512)})
        for (const int64_t batch : {1, 53, 700}) {
            const auto context = make_context(3, isa);
            std::vector<metric_pointer> shards;
            for (int i = 0; i < 3; ++i)
                shards.push_back(make_fid(context, fid_options(features)));
            size_t next = 0;
            for (const int side : {1, 0})
                for (int64_t row = sets[side].rows; row > 0; row -= std::min(batch, row)) {
                    const int64_t count = std::min(batch, row);
                    REQUIRE(add_rows(shards[next++ % 3], side, sets[side], row - count, count) == IQA_OK);
                }
            for (const int source : {2, 0})
                REQUIRE(iqa_metric_merge(shards[1].get(), shards[size_t(source)].get()) == IQA_OK);
            CHECK((bytes_of(shards[1]) == expected));
            double again = 0;
            CHECK(compute(shards[1], &again) == status);
            CHECK(again == value);
            if (status != IQA_OK)
                CHECK(last_error(context) == text);
        }
}

TEST_CASE("states without rests are read, as if all features had been half a step from the grid", "[fid]")
{
    const double scale = GENERATE(1.0, 1e-7);
    const auto context = make_context();
    const feature_set sets[2] = {features_of(kind::centred, 1, 60, scale), features_of(kind::centred, 2, 45, scale)};
    const auto metric = fid_of(context, sets[0], sets[1]);
    const std::vector<int64_t> lanes = lanes_of(metric);
    const auto of_side = iqa::moment_lanes::count(features);
    const auto of_older_side = iqa::moment_lanes::count_without_rests(features);
    std::vector<int64_t> older;
    for (int side = 0; side < 2; ++side)
        older.insert(older.end(), lanes.begin() + side * of_side, lanes.begin() + side * of_side + of_older_side);
    const int32_t options[3] = {int32_t(features), 24, IQA_FID_WORD_32};
    std::vector<std::byte> bytes(iqa::state_size(sizeof options, older.size()));
    iqa::write_state(bytes, uint16_t(iqa::metric_kind::fid), std::as_bytes(std::span(options)), older);

    iqa_metric *handle = nullptr;
    REQUIRE(iqa_metric_deserialize(context.get(), bytes.data(), bytes.size(), &handle) == IQA_OK);
    const metric_pointer loaded(handle);
    double value = 0;
    CHECK(compute(loaded, &value) == (scale == 1.0 ? IQA_OK : IQA_ERROR_NUMERIC));
    if (scale == 1.0)
        CHECK(iqa::bits_of(value) == iqa::bits_of(read(metric)));
    // The rests that are there are smaller.
    CHECK(read(loaded, IQA_FIELD_FID_ROUNDING) > read(metric, IQA_FIELD_FID_ROUNDING));
    CHECK(read(loaded, IQA_FIELD_FID_ROUNDING) < 4 * read(metric, IQA_FIELD_FID_ROUNDING));
    // It merges with a state that has them.
    CHECK(iqa_metric_merge(loaded.get(), metric.get()) == IQA_OK);
    CHECK(read(loaded, IQA_FIELD_FID_ROWS_REFERENCE) == 120);

    older.pop_back();
    bytes.resize(iqa::state_size(sizeof options, older.size()));
    iqa::write_state(bytes, uint16_t(iqa::metric_kind::fid), std::as_bytes(std::span(options)), older);
    CHECK(iqa_metric_deserialize(context.get(), bytes.data(), bytes.size(), &handle) == IQA_ERROR_CORRUPT);
}
