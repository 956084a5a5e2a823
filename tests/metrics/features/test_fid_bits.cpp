// SPDX-License-Identifier: MIT
// The same bits of FID whatever the threads, batches, orders, shards and kernels; and what a failed call leaves behind.
#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "metrics/features/distance.hpp"
#include "support/catch.hpp"
#include "support/fid_features.hpp"
#include "support/progress_watch.hpp"

using namespace test;

namespace {

uint64_t bits(double value)
{
    return iqa::bits_of(value);
}

feature_set permuted(const feature_set &set, uint64_t seed)
{
    std::vector<int64_t> order(static_cast<size_t>(set.rows));
    std::iota(order.begin(), order.end(), 0);
    random_numbers random(seed);
    for (size_t i = order.size() - 1; i > 0; --i)
        std::swap(order[i], order[size_t(random.below(int64_t(i) + 1))]);
    feature_set result(set.rows, set.features);
    for (int64_t i = 0; i < set.rows; ++i)
        std::copy_n(set.row(order[size_t(i)]), set.features, &result.at(i, 0));
    return result;
}

struct sets {
    feature_set reference = hash_features(1, 700, 80);
    feature_set candidate = hash_features(2, 60, 80, 0.25f);
};

// A covariance that is a plain table.
class table {
public:
    table(int64_t order, uint64_t seed) : order_(order), values_(size_t(order * order))
    {
        random_numbers random(seed);
        std::vector<double> factor(size_t(order * order));
        for (double &value : factor)
            value = random.uniform() - 0.5;
        for (int64_t i = 0; i < order; ++i)
            for (int64_t j = 0; j < order; ++j)
                for (int64_t k = 0; k < order; ++k)
                    values_[size_t(i * order + j)] += factor[size_t(i * order + k)] * factor[size_t(j * order + k)];
    }
    iqa::covariance_view view() const
    {
        const auto *data = reinterpret_cast<const std::byte *>(values_.data());
        return {.moments = {}, .unit = 1.0, .table = {iqa::element_type::float64, data, order_, order_, order_, 1}};
    }

private:
    int64_t order_;
    std::vector<double> values_;
};

} // namespace

TEST_CASE("FID has one set of bits for all threads, kernels, batches, orders and sides", "[fid]")
{
    const sets data;
    const uint64_t expected = bits(read(fid_of(make_context(1, IQA_ISA_BASELINE), data.reference, data.candidate)));

    for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
        for (const int threads : {1, 2, 3, 8})
            CHECK(bits(read(fid_of(make_context(threads, isa), data.reference, data.candidate))) == expected);

    const auto context = make_context();
    CHECK(bits(read(fid_of(context, data.candidate, data.reference))) == expected);
    for (const uint64_t seed : {1, 2, 3})
        CHECK(bits(read(fid_of(context, permuted(data.reference, seed), permuted(data.candidate, seed)))) == expected);
    for (const int64_t batch : {1, 7, 256, 700}) {
        const auto metric = make_fid(context, fid_options(80));
        for (int64_t row = 0; row < data.reference.rows; row += batch)
            add_rows(metric, IQA_FID_REFERENCE, data.reference, row, std::min(batch, data.reference.rows - row));
        for (int64_t row = 0; row < data.candidate.rows; row += batch)
            add_rows(metric, IQA_FID_CANDIDATE, data.candidate, row, std::min(batch, data.candidate.rows - row));
        CHECK(bits(read(metric)) == expected);
        CHECK(read(metric, IQA_FIELD_FID_ROWS_REFERENCE) == 700);
    }
}

TEST_CASE("the trace term has the same bits for every instruction set and team, also at larger orders", "[fid]")
{
    const int64_t order = GENERATE(150, 300);
    const table first(order, 1);
    const table second(order, 2);
    std::vector<uint64_t> values;
    for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
        for (const int threads : {1, 2, 3, 8}) {
            if (isa == IQA_ISA_BASELINE && threads != 2)
                continue;
            const auto context = make_context(threads, isa);
            const iqa::device_place place = iqa::place_on_cpu(*context);
            const iqa::covariance_view sets[2] = {first.view(), second.view()};
            values.push_back(bits(iqa::frechet_distance(*context, place, 0.0, {sets[0], sets[1]}).raw));
            values.push_back(bits(iqa::frechet_distance(*context, place, 0.0, {sets[1], sets[0]}).raw));
        }
    CHECK(std::count(values.begin(), values.end(), values[0]) == int64_t(values.size()));
}

TEST_CASE("shards of a set merge to the same state in any order", "[fid]")
{
    const sets data;
    const auto context = make_context();
    const auto whole = fid_of(context, data.reference, data.candidate);
    const auto expected = bytes_of(whole);
    for (const int64_t shards : {2, 3, 8}) {
        std::vector<metric_pointer> parts;
        for (int64_t shard = 0; shard < shards; ++shard) {
            parts.push_back(make_fid(context, fid_options(80)));
            for (const auto &[side, set] : {std::pair{int(IQA_FID_REFERENCE), &data.reference},
                                            std::pair{int(IQA_FID_CANDIDATE), &data.candidate}}) {
                const int64_t from = set->rows * shard / shards;
                add_rows(parts.back(), side, *set, from, set->rows * (shard + 1) / shards - from);
            }
        }
        for (const bool forwards : {true, false}) {
            const auto total = make_fid(context, fid_options(80));
            for (size_t i = 0; i < parts.size(); ++i)
                REQUIRE(iqa_metric_merge(total.get(), parts[forwards ? i : parts.size() - 1 - i].get()) == IQA_OK);
            CHECK((bytes_of(total) == expected)); // in parentheses: too long to print
            CHECK(bits(read(total)) == bits(read(whole)));
        }
        // Summed by somebody else, lane by lane.
        std::vector<int64_t> sum;
        for (const metric_pointer &part : parts) {
            size_t count = 0;
            iqa_metric_lanes(part.get(), nullptr, 0, &count);
            std::vector<int64_t> lanes(count);
            iqa_metric_lanes(part.get(), lanes.data(), count, nullptr);
            sum.resize(count);
            for (size_t i = 0; i < count; ++i)
                sum[i] += lanes[i];
        }
        const auto total = make_fid(context, fid_options(80));
        REQUIRE(iqa_metric_add_lanes(total.get(), sum.data(), sum.size()) == IQA_OK);
        CHECK((bytes_of(total) == expected)); // in parentheses: too long to print
    }

    iqa_metric *loaded = nullptr;
    REQUIRE(iqa_metric_deserialize(context.get(), expected.data(), expected.size(), &loaded) == IQA_OK);
    const metric_pointer from_bytes(loaded);
    CHECK(bits(read(from_bytes)) == bits(read(whole)));
    CHECK((bytes_of(from_bytes) == expected)); // in parentheses: too long to print
}

TEST_CASE("one set is forgotten and the other kept", "[fid]")
{
    const sets data;
    const auto context = make_context();
    const auto metric = fid_of(context, data.reference, data.reference);
    CHECK(read(metric) == 0.0);
    REQUIRE(iqa_fid_reset_side(metric.get(), IQA_FID_CANDIDATE) == IQA_OK);
    double value = 0;
    CHECK(iqa_metric_compute(metric.get(), &value) == IQA_ERROR_NO_DATA);
    CHECK(last_error(context) == "the candidate set has 0 rows; at least 2 are needed");
    CHECK(read(metric, IQA_FIELD_FID_ROWS_REFERENCE) == 700);
    REQUIRE(add_rows(metric, IQA_FID_CANDIDATE, data.candidate) == IQA_OK);
    CHECK(bits(read(metric)) == bits(read(fid_of(context, data.reference, data.candidate))));

    CHECK(iqa_fid_reset_side(metric.get(), 2) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_fid_reset_side(nullptr, 0) == IQA_ERROR_INVALID_ARGUMENT);
    iqa_metric *psnr = nullptr;
    REQUIRE(iqa_psnr_create(context.get(), nullptr, &psnr) == IQA_OK);
    CHECK(iqa_fid_reset_side(psnr, 0) == IQA_ERROR_INVALID_ARGUMENT);
    iqa_metric_destroy(psnr);
}

TEST_CASE("a read follows every change of the state", "[fid]")
{
    const sets data;
    const auto context = make_context();
    const auto metric = fid_of(context, data.reference, data.reference);
    CHECK(read(metric) == 0.0);
    const auto other = fid_of(context, data.candidate, data.candidate);
    iqa_metric_merge(metric.get(), other.get());
    REQUIRE(add_rows(metric, IQA_FID_CANDIDATE, data.candidate) == IQA_OK);
    CHECK(read(metric) > 0.0);
    iqa_metric_reset(metric.get());
    double value = 0;
    CHECK(iqa_metric_compute(metric.get(), &value) == IQA_ERROR_NO_DATA);
}

// On a device the text also names the update: tests/cuda/features/test_fid.cpp.
TEST_CASE("an update that fails leaves no trace and says where", "[fid][host]")
{
    const int side = GENERATE(0, 1);
    const auto context = make_context();
    const sets data;
    const auto metric = fid_of(context, data.reference, data.candidate);
    const auto before = bytes_of(metric);
    const float bad = GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                               -std::numeric_limits<float>::infinity(), 127.5f);
    feature_set spoiled = data.reference;
    spoiled.at(613, 17) = bad;
    const tensor good_rows(data.candidate.row(0), IQA_FLOAT32, {60, 80});
    const tensor bad_rows(spoiled.row(0), IQA_FLOAT32, {700, 80});
    const iqa_tensor *views[2] = {good_rows, good_rows};
    views[side] = bad_rows;
    CHECK(iqa_metric_update(metric.get(), views[0], views[1], nullptr) == IQA_ERROR_NUMERIC);
    CHECK(last_error(context).find(side == 0 ? "reference[613, 17] is " : "candidate[613, 17] is ") == 0);
    CHECK(last_error(context).find("expected a number from -127 to 127") != std::string::npos);
    CHECK((bytes_of(metric) == before)); // in parentheses: too long to print
}

// An update on a device has returned before it could be cancelled.
TEST_CASE("FID and its updates can be cancelled, and say how far they are", "[fid][host]")
{
    progress_watch watch;
    const auto context = watch.make_context(GENERATE(1, 2));
    const feature_set set = hash_features(1, 2600, 300);
    const feature_set other = hash_features(2, 2600, 300);

    const auto metric = make_fid(context, fid_options(300));
    REQUIRE(add_rows(metric, IQA_FID_REFERENCE, set) == IQA_OK);
    CHECK(watch.calls > 1);
    CHECK(watch.ascending);

    const auto before = bytes_of(metric);
    const tensor first(set.row(0), IQA_FLOAT32, {2600, 300});
    const tensor second(other.row(0), IQA_FLOAT32, {2600, 300});
    for (const int64_t stop : {0, 1, 2, 3, 5}) { // of three blocks of rows or more in each tensor
        watch = {};
        watch.stop_after = stop;
        CHECK(iqa_metric_update(metric.get(), first, second, nullptr) == IQA_ERROR_CANCELLED);
        CHECK((bytes_of(metric) == before)); // in parentheses: too long to print
    }
    watch = {};
    REQUIRE(add_rows(metric, IQA_FID_CANDIDATE, other) == IQA_OK);

    double value = 0;
    for (const int64_t stop : {0, 2, 12, 100}) {
        watch = {};
        watch.stop_after = stop;
        CHECK(iqa_metric_compute(metric.get(), &value) == IQA_ERROR_CANCELLED);
    }
    watch = {};
    REQUIRE(iqa_metric_compute(metric.get(), &value) == IQA_OK);
    CHECK(watch.ascending);
    CHECK(watch.calls > 100);
    CHECK(bits(value) == bits(read(fid_of(make_context(), set, other))));
}

TEST_CASE("FID works on the caller's threads, at the same time or one after another in any order", "[fid]")
{
    const feature_set set = hash_features(1, 600, 300);
    const feature_set other = hash_features(2, 600, 300);
    const uint64_t expected = bits(read(fid_of(make_context(1), set, other)));
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
        CHECK(bits(read(fid_of(context_pointer(handle), set, other))) == expected);
    }
}

TEST_CASE("what FID refuses, and in which words", "[fid]")
{
    const auto context = make_context();
    const auto create = [&](int32_t features, int32_t fraction_bits, int32_t word_bits) {
        iqa_metric *metric = nullptr;
        const iqa_fid_options options = fid_options(features, fraction_bits, word_bits);
        const iqa_status status = iqa_fid_create(context.get(), &options, &metric);
        iqa_metric_destroy(metric);
        return status;
    };
    CHECK(create(0, 24, 32) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(last_error(context) == "features is 0; expected 1 to 16384");
    CHECK(create(16385, 24, 32) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(create(8, 121, 32) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(last_error(context) == "fraction_bits is 121; expected -120 to 120");
    CHECK(create(8, -121, 32) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(create(8, 120, 32) == IQA_OK);
    CHECK(create(8, -120, 32) == IQA_OK);
    CHECK(create(8, 24, 16) == IQA_ERROR_INVALID_ARGUMENT);

    const auto metric = make_fid(context, fid_options(4));
    const std::vector<float> values(64, 1.0f);
    double value = 0;
    const auto update = [&](const iqa_tensor *reference, const iqa_tensor *candidate) {
        return iqa_metric_update(metric.get(), reference, candidate, nullptr);
    };
    CHECK(iqa_metric_compute(metric.get(), &value) == IQA_ERROR_NO_DATA);
    CHECK(update(nullptr, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(update(tensor(values.data(), IQA_FLOAT32, {2, 5}), nullptr) == IQA_ERROR_SHAPE);
    CHECK(last_error(context) == "reference has shape [2, 5]; expected [N, 4]");
    CHECK(update(nullptr, tensor(values.data(), IQA_FLOAT32, {4})) == IQA_ERROR_SHAPE);
    CHECK(update(nullptr, tensor(values.data(), IQA_UINT8, {2, 4})) == IQA_ERROR_DTYPE);
    CHECK(update(tensor(nullptr, IQA_FLOAT32, {2, 4}), nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(update(tensor(reinterpret_cast<const char *>(values.data()) + 1, IQA_FLOAT32, {2, 4}), nullptr) ==
          IQA_ERROR_INVALID_ARGUMENT);
    tensor elsewhere(values.data(), IQA_FLOAT32, {2, 4});
    elsewhere.view.device_type = 8; // Metal
    CHECK(update(elsewhere, nullptr) == IQA_ERROR_UNAVAILABLE);
    CHECK(update(tensor(values.data(), IQA_FLOAT32, {2, 4}), elsewhere) == IQA_ERROR_DEVICE);
    CHECK(update(tensor(nullptr, IQA_FLOAT32, {0, 4}), nullptr) == IQA_OK); // no rows are no rows
    CHECK(update(tensor(values.data(), IQA_FLOAT32, {1, 4}), tensor(values.data(), IQA_FLOAT32, {1, 4})) == IQA_OK);
    CHECK(iqa_metric_compute(metric.get(), &value) == IQA_ERROR_NO_DATA);
    CHECK(last_error(context) == "the reference set has 1 rows; at least 2 are needed");
    CHECK(iqa_metric_read(metric.get(), IQA_FIELD_MSE, &value, 1, nullptr) == IQA_ERROR_INVALID_ARGUMENT);

    const auto coarser = make_fid(context, fid_options(4, 20));
    CHECK(iqa_metric_merge(metric.get(), coarser.get()) == IQA_ERROR_INCOMPATIBLE);
    const auto larger = make_fid(context, fid_options(5));
    CHECK(iqa_metric_merge(metric.get(), larger.get()) == IQA_ERROR_INCOMPATIBLE);

    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    const tensor wanted(values.data(), IQA_FLOAT64, {2});
    extras.per_image = wanted;
    CHECK(iqa_metric_update(metric.get(), tensor(values.data(), IQA_FLOAT32, {2, 4}), nullptr, &extras) ==
          IQA_ERROR_INVALID_ARGUMENT);
}
