// SPDX-License-Identifier: MIT
// KID and the Inception Score on a device: order of threads, failing calls, memory, progress.
#include "cuda/backend.hpp"
#include "cuda/cases/cases.hpp"
#include "cuda/sequential/machine.hpp"
#include "support/catch.hpp"

using namespace test;

namespace {

sequential_machine &fresh_machine()
{
    sequential_machine &machine = sequential_machine::get();
    machine.reset();
    return machine;
}

// Cases that succeed, and cases with a fault in the data.
std::vector<table_case> sample_of_cases()
{
    std::vector<table_case> cases = table_cases(true);
    REQUIRE(cases.size() > 40);
    return cases;
}

struct progress {
    std::vector<int64_t> done;
    int64_t total = 0, stop_at = -1;
};

context_pointer context_with(progress &state)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.progress = [](void *user, int64_t done, int64_t total) -> int32_t {
        auto &now = *static_cast<progress *>(user);
        now.done.push_back(done);
        now.total = total;
        return now.stop_at == int64_t(now.done.size());
    };
    options.progress_user = &state;
    iqa_context *handle = nullptr;
    REQUIRE(iqa_context_create(&options, &handle) == IQA_OK);
    return context_pointer(handle);
}

} // namespace

TEST_CASE("tables on a device give the same in any order of threads")
{
    for (const table_case &each : sample_of_cases()) {
        CAPTURE(each.name);
        fresh_machine();
        const table_outcome expected = run_case(each, false);
        for (const thread_order order : {thread_order::forward, thread_order::backward, thread_order::shuffled}) {
            sequential_machine &machine = fresh_machine();
            machine.order = order;
            machine.late_uploads = order != thread_order::forward;
            CHECK((run_case(each, true) == expected));
            machine.run_queue();
        }
    }
}

TEST_CASE("whichever call of the runtime fails, tables on a device leave nothing behind")
{
    int failures = 0;
    for (const table_case &each : sample_of_cases()) {
        CAPTURE(each.name);
        sequential_machine &machine = fresh_machine();
        const table_outcome expected = run_case(each, true);
        const int calls = machine.counts.calls;
        for (int call = 1; call <= calls; ++call) {
            machine.run_queue();
            fresh_machine();
            const int64_t bytes_before = machine.live_bytes;
            machine.fail_call = call;
            const table_outcome found = run_case(each, true);
            CAPTURE(call, found.error);
            machine.fail_call = 0;
            CHECK(machine.pending_kernels == 0); // they read the tables of the call
            machine.run_queue();
            // Failures are reported, except of the last calls: giving back memory, which may then leak, and one wait.
            const bool reported = found.status == IQA_ERROR_CUDA || found.status == IQA_ERROR_UNAVAILABLE;
            CHECK((reported || found == expected));
            CHECK((machine.live_bytes == bytes_before || machine.counts.lost > 0));
            failures += reported;
        }
    }
    CHECK(failures > 300);
}

TEST_CASE("KID on a device can be cancelled, and says how far it is")
{
    fresh_machine().late_uploads = true;
    std::vector<float> features(200 * 3);
    for (size_t i = 0; i < features.size(); ++i)
        features[i] = float(i * 37 % 101) / 64;
    const device_tensor rows(features.data(), IQA_FLOAT32, {200, 3});
    iqa_kid_options options = IQA_KID_OPTIONS_INIT;
    options.subsets = 6000;
    options.subset_size = 2; // three tiles, so 5461 subsets in a launch
    options.estimator = IQA_KID_BIASED;
    options.degree = 1;
    progress state;
    const context_pointer context = context_with(state);
    double value = 0;
    REQUIRE(iqa_measure_kid(context.get(), &options, rows, rows, &value, nullptr) == IQA_OK);
    CHECK(state.done == std::vector<int64_t>{0, 5461, 6000});
    CHECK(state.total == 6000);
    double expected = 0;
    REQUIRE(iqa_measure_kid(make_context().get(), &options, tensor(features.data(), IQA_FLOAT32, {200, 3}),
                            tensor(features.data(), IQA_FLOAT32, {200, 3}), &expected, nullptr) == IQA_OK);
    CHECK(iqa::bits_of(value) == iqa::bits_of(expected));
    for (const int64_t stop : {1, 2}) {
        state = {};
        state.stop_at = stop;
        CHECK(iqa_measure_kid(context.get(), &options, rows, rows, &value, nullptr) == IQA_ERROR_CANCELLED);
        CHECK(last_error(context) ==
              "cancelled by the progress callback after " + std::to_string((stop - 1) * 5461) + " of 6000 pieces");
        CHECK(int64_t(state.done.size()) == stop);
    }
}

TEST_CASE("KID of more rows than one launch has tiles for")
{
    fresh_machine();
    const int64_t count = 6000; // 94 tiles across, 26508 in all, in two launches
    std::vector<float> features(count);
    for (size_t i = 0; i < features.size(); ++i)
        features[i] = float(i * 37 % 101) / 64;
    iqa_kid_options options = IQA_KID_OPTIONS_INIT;
    options.subsets = 0;
    progress state;
    const context_pointer context = context_with(state);
    double expected = 0;
    REQUIRE(iqa_measure_kid(context.get(), &options, tensor(features.data(), IQA_FLOAT32, {count, 1}),
                            tensor(features.data() + 50, IQA_FLOAT32, {count - 50, 1}), &expected, nullptr) == IQA_OK);
    state = {};
    double value = 0;
    REQUIRE(iqa_measure_kid(context.get(), &options, device_tensor(features.data(), IQA_FLOAT32, {count, 1}),
                            device_tensor(features.data() + 50, IQA_FLOAT32, {count - 50, 1}), &value,
                            nullptr) == IQA_OK);
    CHECK(iqa::bits_of(value) == iqa::bits_of(expected));
    CHECK(state.done == std::vector<int64_t>{0, 1, 2});
}

TEST_CASE("memory of KID and the Inception Score on a device is what is stated")
{
    sequential_machine &machine = fresh_machine();
    // 16 bytes for each row of a launch's subsets, 576 for the sums of each subset.
    std::vector<float> features(300 * 5, 0.5f);
    const device_tensor rows(features.data(), IQA_FLOAT32, {300, 5});
    struct most {
        int64_t bytes = 0;
    } seen;
    iqa_context_options with_progress = IQA_CONTEXT_OPTIONS_INIT;
    with_progress.progress = [](void *user, int64_t, int64_t) -> int32_t {
        auto &now = static_cast<most *>(user)->bytes;
        now = std::max(now, sequential_machine::get().live_bytes);
        return 0;
    };
    with_progress.progress_user = &seen;
    iqa_context *handle = nullptr;
    REQUIRE(iqa_context_create(&with_progress, &handle) == IQA_OK);
    const context_pointer context(handle);
    double value = 0;
    const int64_t before = machine.live_bytes;
    iqa_kid_options options = IQA_KID_OPTIONS_INIT;
    options.subsets = 10;
    options.subset_size = 300;
    REQUIRE(iqa_measure_kid(handle, &options, rows, rows, &value, nullptr) == IQA_OK);
    CHECK(seen.bytes - before >= 10 * (2 * 300 * 16 + 576));
    CHECK(seen.bytes - before <= 10 * (2 * 300 * 16 + 576) + 1024);
    machine.run_queue();
    CHECK(machine.live_bytes == before);

    // 40 bytes for each row (24 without shuffling), and 32 for each class and split.
    seen = {};
    iqa_inception_score_options of_scores = IQA_INCEPTION_SCORE_OPTIONS_INIT;
    REQUIRE(iqa_measure_inception_score(handle, &of_scores, rows, &value, nullptr) == IQA_OK);
    CHECK(seen.bytes - before >= 300 * 40 + 10 * 6 * 32);
    CHECK(seen.bytes - before <= 300 * 40 + 10 * 6 * 32 + 1024);
    machine.run_queue();
    CHECK(machine.live_bytes == before);
}

TEST_CASE("both tables of KID are on one device")
{
    fresh_machine();
    std::vector<float> features(60);
    const device_tensor on_device(features.data(), IQA_FLOAT32, {20, 3});
    const tensor on_host(features.data(), IQA_FLOAT32, {20, 3});
    device_tensor on_other_device(features.data(), IQA_FLOAT32, {20, 3});
    on_other_device.view.device_id = 1;
    device_tensor managed(features.data(), IQA_FLOAT32, {20, 3});
    managed.view.device_type = IQA_CUDA_MANAGED;
    tensor pinned(features.data(), IQA_FLOAT32, {20, 3});
    pinned.view.device_type = IQA_CUDA_HOST;
    const context_pointer context = make_context();
    iqa_kid_options options = IQA_KID_OPTIONS_INIT;
    options.subsets = 0;
    double value = 0;
    const auto measure = [&](const iqa_tensor *x, const iqa_tensor *y) {
        return iqa_measure_kid(context.get(), &options, x, y, &value, nullptr);
    };
    CHECK(measure(on_device, on_host) == IQA_ERROR_DEVICE);
    CHECK(last_error(context) == "candidate is on device 1:0 but reference is on 2:0");
    CHECK(measure(on_host, on_device) == IQA_ERROR_DEVICE);
    CHECK(measure(on_device, on_other_device) == IQA_ERROR_DEVICE);
    CHECK(measure(on_other_device, on_other_device) == IQA_ERROR_UNAVAILABLE);
    CHECK(last_error(context) == "the tensors are on CUDA device 1, but there are 1");
    CHECK(measure(on_device, managed) == IQA_OK);
    CHECK(measure(on_host, pinned) == IQA_OK);
}
