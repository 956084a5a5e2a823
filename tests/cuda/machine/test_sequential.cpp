// SPDX-License-Identifier: MIT
// Properties of updates on a device, over the cases of every metric: the order of threads does not matter, a warm
// update only enqueues, a graph can hold it, and a failing call of the runtime leaves no trace.
#include "cuda/cases/cases.hpp"
#include "cuda/sequential/machine.hpp"
#include "support/catch.hpp"

using namespace test;

namespace {

std::vector<device_case> all_cases()
{
    std::vector<device_case> cases;
    for (const auto cases_of_metric : {ssim_cases, psnr_cases, errors_cases, confusion_cases, fid_cases})
        for (device_case &each : cases_of_metric(true))
            cases.push_back(std::move(each));
    return cases;
}

using state_bytes = std::vector<unsigned char>;

} // namespace

TEST_CASE("the order of blocks and threads does not matter")
{
    auto &machine = sequential_machine::get();
    for (const device_case &each : all_cases()) {
        CAPTURE(each.name);
        const case_outcome expected = run_case(each, false);
        for (const thread_order order : {thread_order::backward, thread_order::shuffled}) {
            machine.reset();
            machine.order = order;
            const case_outcome found = run_case(each, true);
            CAPTURE(int(order), found.error);
            CHECK((expected.state == found.state));
            if (found.status == IQA_OK)
                CHECK((expected.outputs == found.outputs));
        }
    }
}

TEST_CASE("the order of blocks and threads does not matter to networks")
{
    auto &machine = sequential_machine::get();
    for (const network_case &each : network_cases(true)) {
        CAPTURE(each.name);
        const network_outcome expected = run_case(each, false);
        for (const thread_order order : {thread_order::backward, thread_order::shuffled}) {
            machine.reset();
            machine.order = order;
            CHECK((run_case(each, true) == expected));
        }
    }
}

TEST_CASE("a warm update takes no memory, copies nothing and waits for nothing")
{
    auto &machine = sequential_machine::get();
    for (const device_case &each : all_cases()) {
        CAPTURE(each.name);
        machine.reset();
        running_case run(each, true);
        for (size_t i = 0; i < each.updates.size(); ++i)
            REQUIRE(run.update(i) == IQA_OK);
        const machine_counts before = machine.counts;
        REQUIRE(run.repeat() == IQA_OK);
        CHECK(machine.counts.allocations == before.allocations);
        CHECK(machine.counts.deallocations == before.deallocations);
        CHECK(machine.counts.uploads == before.uploads);
        CHECK(machine.counts.downloads == before.downloads);
        CHECK(machine.counts.waits == before.waits);
        CHECK(machine.counts.launches > before.launches);
    }
}

TEST_CASE("an update in a graph counts once for each launch of the graph")
{
    auto &machine = sequential_machine::get();
    for (const device_case &each : all_cases()) {
        CAPTURE(each.name);
        machine.reset();
        running_case expected(each, false);
        running_case run(each, true);
        REQUIRE(run.update(0) == IQA_OK);
        machine.capturing = true;
        REQUIRE(run.repeat() == IQA_OK);
        state_bytes unread;
        CHECK(run.state(unread) == IQA_ERROR_CUDA); // a graph cannot wait
        machine.capturing = false;
        machine.replay();
        machine.replay();
        iqa_status status = expected.update(0);
        for (int i = 0; i < 2 && status == IQA_OK; ++i)
            status = expected.repeat();
        state_bytes cpu_state;
        state_bytes device_state;
        CHECK(expected.state(cpu_state) == IQA_OK);
        CHECK(run.state(device_state) == status);
        if (status != IQA_OK)
            run.state(device_state);
        CHECK((cpu_state == device_state));
    }
}

TEST_CASE("nothing can be taken while a graph is captured")
{
    auto &machine = sequential_machine::get();
    machine.reset();
    const device_case each = all_cases().front();
    running_case run(each, true);
    machine.capturing = true;
    CHECK(run.update(0) == IQA_ERROR_CUDA);
    CHECK(run.error().find("captured") != std::string::npos);
    machine.capturing = false;
    CHECK(run.repeat() == IQA_OK);
}

TEST_CASE("where a call of the runtime fails, the call says so, and nothing is left behind")
{
    auto &machine = sequential_machine::get();
    // Each case begins at another call, so that a build that skips calls still has each kind of call in some case.
    int first = 0;
    for (const device_case &each : all_cases()) {
        CAPTURE(each.name);
        for (int call = 1 + first++ % IQA_CALLS_APART;; call += IQA_CALLS_APART) {
            CAPTURE(call);
            machine.reset();
            const int64_t bytes = machine.live_bytes;
            machine.devices = 2;
            machine.current = 1; // not the device of the tensors
            machine.fail_call = call;
            machine.fail_status = call % 2 == 0 ? 2 : 999;
            bool failed = false;
            {
                running_case run(each, true);
                running_case expected(each, false);
                for (size_t i = 0; i < each.updates.size(); ++i) {
                    const iqa_status status = run.update(i);
                    CHECK((machine.current == 1 || machine.counts.not_set != 0));
                    if (status == IQA_OK) {
                        expected.update(i);
                        continue;
                    }
                    failed = true;
                    const bool known = status == IQA_ERROR_CUDA || status == IQA_ERROR_OUT_OF_MEMORY ||
                                       status == IQA_ERROR_UNAVAILABLE;
                    CHECK(known);
                    CHECK(!run.error().empty());
                }
                state_bytes cpu_state;
                state_bytes device_state;
                expected.state(cpu_state);
                for (int attempt = 0; attempt < 3 && run.state(device_state) != IQA_OK; ++attempt) {
                    failed = true;
                    CHECK(machine.pending_copies == 0); // their memory may be gone
                }
                CHECK((cpu_state == device_state));
                // Only clean-up, restoring the caller's device, and queries may fail unnoticed.
                CHECK((failed || machine.counts.passed_over() || machine.counts.calls < call));
            }
            machine.fail_call = 0;
            machine.run_queue();
            CHECK((machine.live_bytes == bytes) == (machine.counts.lost == 0));
            if (machine.counts.calls < call)
                break;
        }
    }
}

TEST_CASE("an update of SSIM is three launches, of several scales two more for each and one for the smaller images")
{
    auto &machine = sequential_machine::get();
    const auto launches = [&](int32_t preset, int64_t height, int64_t width) {
        machine.reset();
        const context_pointer context = make_context(1);
        iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
        REQUIRE(iqa_ssim_options_preset(&options, sizeof options, preset) == IQA_OK);
        options.layout = IQA_LAYOUT_CHW;
        options.data_low = 0.0;
        options.data_high = 1.0;
        const metric_pointer metric = make_ssim(context, options);
        const std::vector<float> samples(size_t(3 * height * width), 0.5f);
        const device_tensor image(samples.data(), IQA_FLOAT32, {3, height, width});
        REQUIRE(iqa_metric_update(metric.get(), image, image, nullptr) == IQA_OK);
        const machine_counts before = machine.counts;
        REQUIRE(iqa_metric_update(metric.get(), image, image, nullptr) == IQA_OK);
        CHECK(read(metric) == 1.0);
        return machine.counts.launches - before.launches;
    };
    CHECK(launches(IQA_SSIM_WANG2004, 40, 50) == 3);
    CHECK(launches(IQA_SSIM_SKIMAGE_DEFAULT, 40, 50) == 3);
    CHECK(launches(IQA_MS_SSIM_TORCHMETRICS, 181, 190) == 1 + 2 * 5 + 1);
    CHECK(launches(IQA_MS_SSIM_WANG2003, 181, 190) == 1 + 2 * 5 + 1);
    // A box that begins before the image needs a new launch: 180, 90 | 45 | 23.
    CHECK(launches(IQA_MS_SSIM_PYTORCH_MSSSIM, 192, 176) == 1 + 2 * 5 + 1);
    CHECK(launches(IQA_MS_SSIM_PYTORCH_MSSSIM, 180, 180) == 3 + 2 * 5 + 1);
}
