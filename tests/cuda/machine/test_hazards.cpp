// SPDX-License-Identifier: MIT
// Hazards between the host and a GPU, on the sequential machine: unusable devices, devices that the caller never
// touched, memory and streams of another device, and host memory that is read or written late.
#include "cuda/cases/cases.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/machine/ledger.hpp"
#include "cuda/machine/tables.hpp"
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

bool contains(const std::string &text, const char *part)
{
    return text.find(part) != std::string::npos;
}

iqa_ssim_options unit_range()
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.data_low = 0.0;
    options.data_high = 1.0;
    return options;
}

constexpr int64_t side = 20;

// A pair of images on a device, and all outputs of an update.
struct images {
    std::vector<float> x = std::vector<float>(side * side, 0.25f), y = std::vector<float>(side * side, 0.5f);
    device_tensor reference{x.data(), IQA_FLOAT32, {side, side}}, candidate{y.data(), IQA_FLOAT32, {side, side}};

    explicit images(int device = 0)
    {
        reference.view.device_id = device;
        candidate.view.device_id = device;
    }
    iqa_status update(const metric_pointer &metric, const iqa_update_extras *extras = nullptr)
    {
        return iqa_metric_update(metric.get(), reference, candidate, extras);
    }
};

context_pointer context_on(void *stream)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    options.cuda_stream = stream;
    iqa_context *context = nullptr;
    REQUIRE(iqa_context_create(&options, &context) == IQA_OK);
    return context_pointer(context);
}

} // namespace

TEST_CASE("What CUDA can do here names the devices that cannot be used")
{
    auto &machine = fresh_machine();
    machine.devices = 3;
    machine.least_without_pools = 2;
    CHECK(std::string(iqa_cuda_state()) ==
          "available: 2 devices of 3; CUDA device 2 has no memory pools, which this library takes its memory from");
    CHECK(machine.contexts == 0);
}

TEST_CASE("A device that has no kernels or no pools is refused in words")
{
    auto &machine = fresh_machine();
    const context_pointer context = make_context(1);
    const metric_pointer metric = make_ssim(context, unit_range());
    images pair;
    machine.capability = 70;
    CHECK(pair.update(metric) == IQA_ERROR_UNAVAILABLE);
    CHECK(last_error(context) ==
          "CUDA device 0 has compute capability 7.0; this library has kernels for 7.5 and newer");
    machine.capability = 75;
    machine.least_without_pools = 0;
    CHECK(pair.update(metric) == IQA_ERROR_UNAVAILABLE);
    CHECK(contains(last_error(context), "CUDA device 0 has no memory pools"));
    CHECK(machine.contexts == 0);
    machine.least_without_pools = 1;
    CHECK(pair.update(metric) == IQA_OK);
    CHECK(machine.contexts == 1);
}

TEST_CASE("No context is made on the device that is current but was not used")
{
    auto &machine = fresh_machine();
    machine.devices = 2;
    {
        const context_pointer context = make_context(1);
        const metric_pointer metric = make_ssim(context, unit_range());
        images pair(1);
        REQUIRE(pair.update(metric) == IQA_OK);
        CHECK(read(metric) < 1.0);
        CHECK(machine.current == 0);
    }
    CHECK(machine.current == 0);
    CHECK(machine.contexts == 2); // only of device 1
}

TEST_CASE("Memory that is not of the tensors' device is refused by its name")
{
    auto &machine = fresh_machine();
    machine.devices = 2;
    const context_pointer context = make_context(1);
    const metric_pointer metric = make_ssim(context, unit_range());
    images pair;
    std::vector<double> outputs(4 * side * side);
    const device_tensor per_image(outputs.data(), IQA_FLOAT64, {1});
    const device_tensor per_channel(&outputs[1], IQA_FLOAT64, {1, 1});
    const device_tensor map(&outputs[2], IQA_FLOAT64, {side - 10, side - 10});
    const device_tensor candidate_gradient(&outputs[side * side], IQA_FLOAT64, {side, side});
    const device_tensor reference_gradient(&outputs[2 * side * side], IQA_FLOAT64, {side, side});
    const device_tensor weights(&outputs[3 * side * side], IQA_FLOAT64, {side, side});
    std::fill(&outputs[3 * side * side], outputs.data() + outputs.size(), 1.0);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_image = per_image;
    extras.per_channel = per_channel;
    extras.map = map;
    extras.weights = weights;
    extras.candidate_gradient = candidate_gradient;
    extras.reference_gradient = reference_gradient;
    REQUIRE(pair.update(metric, &extras) == IQA_OK);
    const auto before = bytes_of(metric);
    const std::pair<const char *, const iqa_tensor *> tensors[] = {
        {"reference", pair.reference},
        {"candidate", pair.candidate},
        {"per_image", per_image},
        {"per_channel", per_channel},
        {"map", map},
        {"candidate_gradient", candidate_gradient},
        {"weights", weights},
        {"reference_gradient", reference_gradient},
    };
    for (const auto &[name, tensor] : tensors) {
        CAPTURE(name);
        machine.elsewhere = {{tensor->data, sequential_machine::not_cuda}};
        CHECK(pair.update(metric, &extras) == IQA_ERROR_DEVICE);
        CHECK(last_error(context) ==
              std::string(name) + " is said to be on CUDA device 0, but its memory is unknown to CUDA");
        machine.elsewhere = {{tensor->data, 1}};
        CHECK(pair.update(metric, &extras) == IQA_ERROR_DEVICE);
        CHECK(last_error(context) ==
              std::string(name) + " is said to be on CUDA device 0, but its memory is that of device 1");
    }
    CHECK((bytes_of(metric) == before));
    const metric_pointer other = make_ssim(context, unit_range());
    machine.elsewhere = {{pair.x.data(), sequential_machine::not_cuda}};
    machine.pageable = true; // the device can read any memory
    CHECK(pair.update(other) == IQA_OK);
}

TEST_CASE("A stream of another device than the tensors' is refused in words")
{
    auto &machine = fresh_machine();
    machine.devices = 2;
    int stream = 0;
    const context_pointer context = context_on(&stream);
    const metric_pointer metric = make_ssim(context, unit_range());
    machine.device_of_stream = 1;
    CHECK(images(0).update(metric) == IQA_ERROR_DEVICE);
    CHECK(last_error(context) == "the tensors are on CUDA device 0, but the context's CUDA stream is of device 1");
    images on_device_1(1);
    CHECK(on_device_1.update(metric) == IQA_OK);
    CHECK(read(metric, IQA_FIELD_IMAGES) == 1.0);
    images back(0);
    CHECK(back.update(metric) == IQA_ERROR_DEVICE); // the metric cannot change its device
    CHECK(on_device_1.update(metric) == IQA_OK);
    CHECK(read(metric, IQA_FIELD_IMAGES) == 2.0);
}

TEST_CASE("Memory of the host may be read when a copy runs")
{
    auto &machine = fresh_machine();
    machine.late_uploads = true;
    const fid_outcome expected = run_fid(256, 80, false);
    REQUIRE(expected.parts.size() == 4);
    CHECK((run_fid(256, 80, true) == expected));
    CHECK(machine.counts.uploads > 0);
    CHECK(machine.pending_copies == 0);
}

TEST_CASE("The trace term that fails leaves no copy behind")
{
    constexpr int64_t features = 256;
    std::vector<float> x(20 * features);
    for (size_t i = 0; i < x.size(); ++i)
        x[i] = float(i * i % 251) / 251;
    const device_tensor reference(x.data(), IQA_FLOAT32, {20, features});
    const device_tensor candidate(x.data(), IQA_FLOAT32, {10, features});
    iqa_fid_options options = IQA_FID_OPTIONS_INIT;
    options.features = features;
    auto &machine = sequential_machine::get();
    int calls = 20; // of a read; updated by the first one
    for (int call = 0; call <= calls; call += call < 20 || call > calls - 20 ? 1 : 17) {
        CAPTURE(call, calls);
        machine.reset();
        machine.late_uploads = true;
        const context_pointer context = make_context(1);
        iqa_metric *made = nullptr;
        REQUIRE(iqa_fid_create(context.get(), &options, &made) == IQA_OK);
        const metric_pointer metric(made);
        REQUIRE(iqa_metric_update(metric.get(), reference, candidate, nullptr) == IQA_OK);
        machine.run_queue();
        const int before = machine.counts.calls;
        machine.fail_call = call == 0 ? 0 : before + call;
        double value = 0.0;
        iqa_metric_read(metric.get(), IQA_FIELD_VALUE, &value, 1, nullptr);
        CHECK(machine.pending_copies == 0);
        if (call == 0)
            calls = machine.counts.calls - before;
    }
    CHECK(calls > 100);
    machine.reset();
}

TEST_CASE("A table is on the device before the host's copy changes")
{
    auto &machine = fresh_machine();
    machine.late_uploads = true;
    const context_pointer context = make_context(1);
    iqa::device_ledger *const ledger = iqa::cuda::open_ledger(*context, 0, 1, true);
    {
        iqa::workspace memory(*ledger, *context);
        constexpr size_t bytes = 5000; // needs three launches
        const auto keep = [&](int value) {
            return iqa::cuda::keep_on_device(*context, memory, bytes, [&](std::byte *to) {
                for (size_t i = 0; i < bytes; ++i)
                    to[i] = std::byte(value + int(i % 100));
            });
        };
        const auto is_there = [&](const std::byte *table, int value) {
            for (size_t i = 0; i < bytes; ++i)
                if (table[i] != std::byte(value + int(i % 100)))
                    return false;
            return true;
        };
        std::vector<std::byte> first(bytes);
        const std::byte *table = keep(1);
        machine.enqueue([&] { std::memcpy(first.data(), table, bytes); }); // a kernel that reads the table
        CHECK(keep(2) == table);
        machine.run_queue();
        CHECK(is_there(first.data(), 1));
        CHECK(is_there(table, 2));
        CHECK(machine.counts.uploads == 0);

        // A graph keeps the table that it was captured with.
        machine.capturing = true;
        ledger->begin();
        CHECK(keep(2) == table);
        ledger->end(true);
        CHECK_THROWS(keep(3));
        machine.capturing = false;
        const std::byte *const second = keep(3);
        CHECK(second != table);
        machine.run_queue();
        CHECK(is_there(table, 2));
        CHECK(is_there(second, 3));
        CHECK(keep(4) == second); // no graph uses this table
    }
    ledger->close();
    machine.run_queue();
}
