// SPDX-License-Identifier: MIT
// Memory that a captured graph keeps, and calls that are refused during a capture, on the sequential machine.
#include "cuda/sequential/machine.hpp"
#include "support/catch.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

sequential_machine &fresh_machine()
{
    sequential_machine::get().reset();
    return sequential_machine::get();
}

metric_pointer new_metric(const context_pointer &context)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.data_low = 0.0;
    options.data_high = 1.0;
    options.border = IQA_BORDER_REFLECT;
    return make_ssim(context, options);
}

struct images {
    std::vector<float> x, y;
    tensor reference, candidate;

    images(int64_t side, int device_type, int device = 0)
        : x(size_t(side * side)),
          y(size_t(side * side)),
          reference(x.data(), IQA_FLOAT32, {side, side}),
          candidate(y.data(), IQA_FLOAT32, {side, side})
    {
        for (size_t i = 0; i < x.size(); ++i) {
            x[i] = float(i % 17) / 17;
            y[i] = float(i % 19) / 19;
        }
        for (iqa_tensor *view : {&reference.view, &candidate.view}) {
            view->device_type = device_type;
            view->device_id = device;
        }
    }
    iqa_status update(const metric_pointer &metric)
    {
        return iqa_metric_update(metric.get(), reference, candidate, nullptr);
    }
};

} // namespace

TEST_CASE("A graph's memory stays where larger updates take more")
{
    auto &machine = fresh_machine();
    const int64_t bytes = machine.live_bytes;
    images small(30, IQA_CUDA);
    images large(300, IQA_CUDA);
    images small_there(30, IQA_CPU);
    images large_there(300, IQA_CPU);
    const context_pointer context = make_context(1);
    {
        const metric_pointer metric = new_metric(context);
        REQUIRE(small.update(metric) == IQA_OK);
        machine.capturing = true;
        REQUIRE(small.update(metric) == IQA_OK);
        machine.capturing = false;
        machine.replay();
        const machine_counts before = machine.counts;
        REQUIRE(large.update(metric) == IQA_OK);
        CHECK(machine.counts.allocations > before.allocations);
        CHECK(machine.counts.deallocations == before.deallocations);
        machine.replay();
        machine.replay();
        const metric_pointer expected = new_metric(context);
        for (int i = 0; i < 4; ++i)
            REQUIRE(small_there.update(expected) == IQA_OK);
        REQUIRE(large_there.update(expected) == IQA_OK);
        CHECK((bytes_of(metric) == bytes_of(expected)));
    }
    machine.run_queue();
    CHECK(machine.live_bytes == bytes);
}

TEST_CASE("A metric with a graph stays on its device")
{
    auto &machine = fresh_machine();
    machine.devices = 2;
    const context_pointer context = make_context(1);
    const metric_pointer metric = new_metric(context);
    images on_device_0(30, IQA_CUDA, 0);
    images on_device_1(30, IQA_CUDA, 1);
    REQUIRE(on_device_0.update(metric) == IQA_OK);
    REQUIRE(on_device_1.update(metric) == IQA_OK); // before a capture, a metric may change its device
    machine.capturing = true;
    REQUIRE(on_device_1.update(metric) == IQA_OK);
    machine.capturing = false;
    CHECK(on_device_0.update(metric) == IQA_ERROR_DEVICE);
    CHECK(last_error(context).find("captured into a graph") != std::string::npos);
    machine.replay();
    CHECK(read(metric, IQA_FIELD_IMAGES) == 3.0);
}

TEST_CASE("What is read or reset would be so at each launch of a graph: refused")
{
    auto &machine = fresh_machine();
    const context_pointer context = make_context(1);
    const metric_pointer metric = new_metric(context);
    images pair(30, IQA_CUDA);
    REQUIRE(pair.update(metric) == IQA_OK);
    machine.capturing = true;
    CHECK(iqa_metric_reset(metric.get()) == IQA_ERROR_CUDA);
    CHECK(last_error(context).find("resetting a metric is not possible while") == 0);
    machine.capturing = false;
    CHECK(read(metric, IQA_FIELD_IMAGES) == 1.0);

    // The lanes were read, but the last call of the read, which clears them, failed.
    REQUIRE(pair.update(metric) == IQA_OK);
    const int before = machine.counts.calls;
    CHECK(read(metric, IQA_FIELD_IMAGES) == 2.0);
    const int calls = machine.counts.calls - before;
    REQUIRE(pair.update(metric) == IQA_OK);
    machine.fail_call = machine.counts.calls + calls;
    CHECK(read(metric, IQA_FIELD_IMAGES) == 3.0);
    REQUIRE(machine.counts.not_cleared == 1);
    machine.capturing = true;
    CHECK(pair.update(metric) == IQA_ERROR_CUDA);
    CHECK(last_error(context).find("clearing what was read is not possible while") == 0);
    machine.capturing = false;
    CHECK(pair.update(metric) == IQA_OK);
    CHECK(read(metric, IQA_FIELD_IMAGES) == 4.0);
}

TEST_CASE("A metric that ends while a graph is captured gives its memory back later")
{
    auto &machine = fresh_machine();
    const int64_t bytes = machine.live_bytes;
    images pair(30, IQA_CUDA);
    {
        const context_pointer context = make_context(1);
        metric_pointer metric = new_metric(context);
        REQUIRE(pair.update(metric) == IQA_OK);
        machine.run_queue();
        machine.capturing = true;
        metric.reset();
        CHECK(machine.counts.deallocations == 0);
        CHECK(machine.live_bytes > bytes);
        metric = new_metric(context); // the next metric takes its memory after the capture
        machine.capturing = false;
        REQUIRE(pair.update(metric) == IQA_OK);
        CHECK(machine.counts.deallocations > 0);
        machine.capturing = true;
        metric.reset();
        machine.capturing = false;
        machine.run_queue();
        CHECK(machine.live_bytes > bytes);
    } // the context ends
    machine.run_queue();
    CHECK(machine.live_bytes == bytes);
}

TEST_CASE("A context that ends while a graph is captured says what stays behind")
{
    auto &machine = fresh_machine();
    std::string log;
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.log = [](void *user, const char *message) {
        *static_cast<std::string *>(user) += message;
    };
    options.log_user = &log;
    iqa_context *context = nullptr;
    REQUIRE(iqa_context_create(&options, &context) == IQA_OK);
    images pair(30, IQA_CUDA);
    {
        const context_pointer owner(context);
        const metric_pointer metric = new_metric(owner);
        REQUIRE(pair.update(metric) == IQA_OK);
        machine.run_queue();
        machine.capturing = true;
    }
    CHECK(machine.counts.deallocations == 0); // a deallocation would end the capture
    CHECK(log.find("memory of its metrics stays until the process ends") != std::string::npos);
    machine.capturing = false;
}
