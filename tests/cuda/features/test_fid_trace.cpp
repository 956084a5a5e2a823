// SPDX-License-Identifier: MIT
// FID's trace term on a device has the CPU's bits, at the edges of ranks and panels.
#include <algorithm>

#include "cuda/machine/ledger.hpp"
#include "cuda/sequential/machine.hpp"
#include "metrics/features/distance.hpp"
#include "support/catch.hpp"
#include "support/fid_features.hpp"

using namespace test;

namespace {

struct ledger_closer {
    void operator()(iqa::device_ledger *ledger) const { ledger->close(); }
};

void check_same(const iqa::frechet_terms &a, const iqa::frechet_terms &b)
{
    CHECK(iqa::bits_of(a.trace_term) == iqa::bits_of(b.trace_term));
    CHECK(iqa::bits_of(a.value) == iqa::bits_of(b.value));
    for (int side = 0; side < 2; ++side) {
        CHECK(a.ranks[side] == b.ranks[side]);
        CHECK(iqa::bits_of(a.least_pivots[side]) == iqa::bits_of(b.least_pivots[side]));
    }
}

// Both orders of the sets, on both devices.
void check_same_bits(const feature_set &reference, const feature_set &candidate)
{
    const context_pointer context = make_context();
    const metric_pointer metric = fid_of(context, reference, candidate);
    REQUIRE(metric);
    std::vector<int64_t> lanes = lanes_of(metric);
    const int64_t features = reference.features;
    const iqa::moment_lanes sets[2] = {{lanes.data(), features},
                                       {lanes.data() + iqa::moment_lanes::count(features), features}};
    const std::unique_ptr<iqa::device_ledger, ledger_closer> ledger(iqa::cuda::open_ledger(*context, 0, 1, false));
    const iqa::device_place device = {&iqa::cuda_backend(), 0, ledger.get()};
    for (const int first : {0, 1}) {
        const double unit = iqa::power_of_two(-48);
        const iqa::covariance_view views[2] = {{.moments = sets[first], .unit = unit, .table = {}},
                                               {.moments = sets[1 - first], .unit = unit, .table = {}}};
        check_same(iqa::frechet_distance(*context, device, 0.0, views),
                   iqa::frechet_distance(*context, iqa::place_on_cpu(*context), 0.0, views));
    }
}

sequential_machine &fresh_machine()
{
    sequential_machine &machine = sequential_machine::get();
    machine.reset();
    return machine;
}

feature_set without_variance(feature_set set)
{
    for (int64_t i = 1; i < set.rows; ++i)
        std::copy_n(set.row(0), set.features, &set.at(i, 0));
    return set;
}

} // namespace

TEST_CASE("the trace term from a device has the CPU's bits at every edge of the rank")
{
    fresh_machine().order = GENERATE(thread_order::forward, thread_order::backward, thread_order::shuffled);
    const int64_t features = GENERATE(1, 2, 15, 16, 17, 33, 64, 65, 97);
    for (const int64_t rows : {int64_t(2), features - 1, features, features + 1, 2 * features + 3})
        if (rows >= 2)
            check_same_bits(hash_features(5, rows, features), hash_features(6, features + 7, features));
}

TEST_CASE("the trace term from a device has the CPU's bits for longer chains than one")
{
    fresh_machine().order = thread_order::shuffled;
    check_same_bits(hash_features(1, 400, 290), hash_features(2, 300, 290, 0.5f));
    // Few singular values, so that their sum does not hide last bits.
    for (const int64_t features : {257, 290, 600})
        for (const uint64_t seed : {1, 3, 5})
            check_same_bits(hash_features(seed, 12, features), hash_features(seed + 1, 9, features));
}

TEST_CASE("the trace term from a device has the CPU's bits for sets that are special")
{
    fresh_machine().order = GENERATE(thread_order::forward, thread_order::backward);
    const int64_t features = 70;
    const feature_set set = hash_features(7, 90, features);
    feature_set other = hash_features(8, 80, features);
    SECTION("equal")
    {
        check_same_bits(set, set);
        check_same_bits(without_variance(set), without_variance(set));
    }
    SECTION("without variance, one of them or both")
    {
        check_same_bits(set, without_variance(other));
        feature_set shifted = without_variance(other);
        check_same_bits(without_variance(set), shifted);
    }
    SECTION("constant and repeated features, equal pivots")
    {
        for (int64_t i = 0; i < other.rows; ++i)
            for (int64_t j = 0; j < features; ++j)
                if (j % 7 == 0)
                    other.at(i, j) = 3.5f;
                else if (j % 3 == 0)
                    other.at(i, j) = other.at(i, j - 1);
        check_same_bits(set, other);
        check_same_bits(other, other);
    }
    SECTION("disjoint supports")
    {
        feature_set left = set;
        for (int64_t i = 0; i < set.rows; ++i)
            for (int64_t j = 0; j < features / 2; ++j)
                left.at(i, j) = 0;
        for (int64_t i = 0; i < other.rows; ++i)
            for (int64_t j = features / 2; j < features; ++j)
                other.at(i, j) = 0;
        check_same_bits(left, other);
    }
}

TEST_CASE("a metric finds its value on the device of its features, if there are enough of them")
{
    sequential_machine &machine = fresh_machine();
    const int64_t features = GENERATE(255, 256);
    const feature_set reference = hash_features(1, 40, features);
    const feature_set candidate = hash_features(2, 30, features);
    const context_pointer context = make_context();
    const metric_pointer on_host = fid_of(context, reference, candidate);
    const int64_t bytes_before = machine.live_bytes;
    {
        const metric_pointer metric = make_fid(context, fid_options(features));
        const device_tensor rows[2] = {{reference.row(0), IQA_FLOAT32, {reference.rows, features}},
                                       {candidate.row(0), IQA_FLOAT32, {candidate.rows, features}}};
        REQUIRE(iqa_metric_update(metric.get(), rows[0], nullptr, nullptr) == IQA_OK);
        REQUIRE(iqa_metric_update(metric.get(), nullptr, rows[1], nullptr) == IQA_OK);
        size_t count = 0;
        REQUIRE(iqa_metric_lanes(metric.get(), nullptr, 0, &count) == IQA_OK);
        const int64_t bytes_between = machine.live_bytes;

        // Whichever call fails, nothing is kept and the next read succeeds.
        double value = 0;
        machine.counts = {};
        REQUIRE(iqa_metric_read(metric.get(), IQA_FIELD_VALUE, &value, 1, nullptr) == IQA_OK);
        CHECK((machine.counts.launches > 0) == (features == 256));
        const int calls = machine.counts.calls;
        for (int call = 1; call <= calls; call += 1 + call / 7) {
            iqa_metric_reset(metric.get()); // forgets the value
            REQUIRE(iqa_metric_update(metric.get(), rows[0], rows[1], nullptr) == IQA_OK);
            REQUIRE(iqa_metric_lanes(metric.get(), nullptr, 0, &count) == IQA_OK);
            machine.counts.calls = 0;
            machine.fail_call = call;
            CHECK(iqa_metric_read(metric.get(), IQA_FIELD_VALUE, &value, 1, nullptr) == IQA_ERROR_CUDA);
            machine.fail_call = 0;
            machine.run_queue();
            CHECK(machine.live_bytes == bytes_between);
        }
        for (const int field :
             {int(IQA_FIELD_VALUE), int(IQA_FIELD_FID_RAW), int(IQA_FIELD_FID_TRACE_TERM), int(IQA_FIELD_FID_FLAGS),
              int(IQA_FIELD_FID_RANK_REFERENCE), int(IQA_FIELD_FID_RANK_CANDIDATE)})
            CHECK(iqa::bits_of(read(metric, field)) == iqa::bits_of(read(on_host, field)));
    }
    machine.run_queue();
    CHECK(machine.live_bytes == bytes_before);
}

TEST_CASE("a trace term on a device can be cancelled, and says how far it is")
{
    fresh_machine();
    struct progress {
        int64_t calls = 0, last = 0, stop_at = INT64_MAX;
        bool ascending = true;
    } state;
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.progress = [](void *user, int64_t done, int64_t total) -> int32_t {
        auto &now = *static_cast<progress *>(user);
        now.ascending = now.ascending && done >= now.last && done <= total;
        now.last = done;
        return ++now.calls > now.stop_at;
    };
    options.progress_user = &state;
    iqa_context *handle = nullptr;
    REQUIRE(iqa_context_create(&options, &handle) == IQA_OK);
    const context_pointer context(handle);
    const feature_set set = hash_features(1, 270, 256);
    const device_tensor rows(set.row(0), IQA_FLOAT32, {set.rows, 256});
    const device_tensor fewer(set.row(0), IQA_FLOAT32, {set.rows - 1, 256});
    const metric_pointer metric = make_fid(context, fid_options(256));
    REQUIRE(iqa_metric_update(metric.get(), rows, fewer, nullptr) == IQA_OK);
    double value = 0;
    for (const int64_t stop : {0, 3, 6, 10}) {
        state = {};
        state.stop_at = stop;
        CHECK(iqa_metric_compute(metric.get(), &value) == IQA_ERROR_CANCELLED);
        CHECK(state.calls == stop + 1);
    }
    state = {};
    CHECK(iqa_metric_compute(metric.get(), &value) == IQA_OK);
    CHECK(state.ascending);
    CHECK(state.calls == 4 + 8 + 1); // panels of the factors, panels of the reduction, the end
    CHECK(state.last == 3 * 256 + 1);
}
