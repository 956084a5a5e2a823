// SPDX-License-Identifier: MIT
// Networks with pictures on a CUDA device: the whole network's first layers, what is kept there, failing calls,
// captures, progress. tests/cuda/cases/network.cpp has the kernels' cases.
#include <cstring>

#include "cuda/sequential/machine.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/progress_watch.hpp"

using namespace test;

namespace {

// A picture, and the features of a layer that need not compute more than two convolutions.
struct small_work {
    static constexpr int64_t count = 1;
    std::vector<uint8_t> bytes = random_bytes(21, count * 20 * 30 * 3);
    std::vector<float> values = std::vector<float>(count * 64, -7.0f);
    tensor pictures, out;
    iqa_layer_features output;

    explicit small_work(int32_t device_type)
        : pictures(bytes.data(), IQA_UINT8, {count, 20, 30, 3}),
          out(values.data(), IQA_FLOAT32, {count, 64}),
          output{IQA_LAYER_64, out}
    {
        for (tensor *each : {&pictures, &out})
            each->view.device_type = device_type;
    }
    small_work(const small_work &) = delete;
    small_work &operator=(const small_work &) = delete;

    iqa_status run(const network_pointer &network) const
    {
        return iqa_network_features(network.get(), pictures, &output, 1);
    }
};

const std::vector<float> &expected_values()
{
    static const std::vector<float> values = [] {
        const small_work work(IQA_CPU);
        const auto context = make_context(2);
        REQUIRE(work.run(make_network(context)) == IQA_OK);
        return work.values;
    }();
    return values;
}

bool is_expected(const small_work &work)
{
    return std::memcmp(work.values.data(), expected_values().data(), work.values.size() * sizeof(float)) == 0;
}

} // namespace

TEST_CASE("a network works where the pictures are, with the same bits, and keeps its weights there")
{
    auto &machine = sequential_machine::get();
    machine.reset();
    const auto context = make_context(2);
    {
        const network_pointer network = make_network(context);
        const small_work on_device(IQA_CUDA);
        REQUIRE(on_device.run(network) == IQA_OK);
        CHECK(is_expected(on_device));
        CHECK(machine.counts.uploads == 1);
        CHECK(machine.live_bytes > 95'000'000);
        CHECK(machine.live_bytes < 96'000'000 + 11'400'000 + 1'000'000);

        const machine_counts before = machine.counts;
        REQUIRE(on_device.run(network) == IQA_OK);
        CHECK(machine.counts.uploads == before.uploads);
        CHECK(machine.counts.allocations == before.allocations);

        const small_work on_cpu(IQA_CPU); // gives up what there was on the device
        REQUIRE(on_cpu.run(network) == IQA_OK);
        CHECK(is_expected(on_cpu));
    }
    machine.run_queue();
    CHECK(machine.live_bytes == 0);
}

TEST_CASE("a failing call of the runtime fails the call, and the next one works")
{
    auto &machine = sequential_machine::get();
    machine.reset();
    const auto context = make_context(2);
    const network_pointer network = make_network(context);
    const small_work work(IQA_CUDA);
    int call = 1;
    for (bool reached = true; reached; call += call < 24 ? 1 : 5) {
        machine.counts = {};
        machine.fail_call = call;
        const iqa_status status = work.run(network);
        reached = machine.counts.calls >= call;
        CAPTURE(call, last_error(context));
        if (!reached)
            CHECK(status == IQA_OK);
        else if (!machine.counts.passed_over())
            CHECK(status != IQA_OK);
        CHECK(machine.pending_kernels == 0); // they read the pictures
    }
    CHECK(call > 20);
    machine.fail_call = 0;
    REQUIRE(work.run(network) == IQA_OK);
    CHECK(is_expected(work));
}

TEST_CASE("what a network cannot do on a device is refused in words")
{
    auto &machine = sequential_machine::get();
    machine.reset();
    const auto context = make_context(2);
    const network_pointer network = make_network(context);
    const small_work work(IQA_CUDA);
    machine.capturing = true;
    CHECK(work.run(network) == IQA_ERROR_CUDA);
    machine.capturing = false;
    CHECK(last_error(context).find("is not possible while the stream is being captured") != std::string::npos);
    machine.forget_graph();

    small_work apart(IQA_CUDA);
    apart.out.view.device_type = IQA_CPU;
    CHECK(apart.run(network) == IQA_ERROR_DEVICE);
    CHECK(last_error(context) == "features is on device 1:0 but pictures is on 2:0");

    machine.elsewhere[work.bytes.data()] = sequential_machine::not_cuda;
    CHECK(work.run(network) == IQA_ERROR_DEVICE);
    CHECK(last_error(context) == "pictures is said to be on CUDA device 0, but its memory is unknown to CUDA");
    machine.elsewhere.clear();
    machine.devices = 0;
    const auto other = make_context(1);
    CHECK(work.run(make_network(other)) == IQA_ERROR_UNAVAILABLE);
}

TEST_CASE("progress of a network on a device cancels it")
{
    auto &machine = sequential_machine::get();
    machine.reset();
    progress_watch watch;
    const auto context = watch.make_context(2);
    watch.stop_after = 2;
    const network_pointer network = make_network(context);
    const small_work work(IQA_CUDA);
    CHECK(work.run(network) == IQA_ERROR_CANCELLED);
    CHECK(watch.total == 1);
    watch.stop_after = INT64_MAX;
    REQUIRE(work.run(network) == IQA_OK);
    CHECK(is_expected(work));
}
