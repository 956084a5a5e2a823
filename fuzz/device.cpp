// SPDX-License-Identifier: MIT
// The same updates of the same metric on the CPU and on a machine that plays a GPU (machine.hpp): both refuse the same
// ones, and states, values and outputs are equal byte for byte.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "iqa_c.h"
#include "machine.hpp"
#include "requests.hpp"
#include "require.hpp"

namespace {

using namespace fuzz;

update_memory memory_of_cpu, memory_of_device;

// Equal, or both NaN.
template <class Number>
bool same_numbers(const std::vector<uint8_t> &x, const std::vector<uint8_t> &y)
{
    for (size_t i = 0; i < x.size(); i += sizeof(Number)) {
        Number a;
        Number b;
        std::memcpy(&a, &x[i], sizeof a);
        std::memcpy(&b, &y[i], sizeof b);
        if (std::memcmp(&a, &b, sizeof a) != 0 && !(std::isnan(a) && std::isnan(b)))
            return false;
    }
    return true;
}

bool same_outputs(const std::vector<uint8_t> &x, const std::vector<uint8_t> &y, const iqa_tensor &tensor)
{
    return tensor.dtype_bits == 32 ? same_numbers<float>(x, y) : same_numbers<double>(x, y);
}

void clear_outputs(update_memory &memory)
{
    for (std::vector<uint8_t> *bytes : {&memory.per_image, &memory.per_channel, &memory.map, &memory.gradient})
        bytes->assign(bytes->size(), 0);
}

void place_on_device(iqa_tensor &tensor)
{
    if (tensor.device_type == IQA_CPU)
        tensor.device_type = IQA_CUDA;
    else if (tensor.device_type == IQA_CUDA)
        tensor.device_type = IQA_CPU;
}

void place_on_device(feature_request &request)
{
    place_on_device(request.reference);
    place_on_device(request.candidate);
}

void place_on_device(label_request &request)
{
    for (iqa_tensor *tensor : {&request.reference, &request.candidate, &request.per_image, &request.per_channel,
                               &request.map, &request.weights})
        place_on_device(*tensor);
}

void place_on_device(update_request &request)
{
    for (iqa_tensor *tensor : {&request.reference, &request.candidate, &request.per_image, &request.per_channel,
                               &request.map, &request.weights, &request.gradient})
        place_on_device(*tensor);
}

// make(code, memory) returns an update.
template <class Options, class Make>
void compare(program &code, const Options &of_metric, Make &&make)
{
    begin_on_machine(code, memory_of_device);
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    iqa_context *context = nullptr;
    REQUIRE(iqa_context_create(&options, &context) == IQA_OK);
    iqa_metric *on_cpu = nullptr;
    iqa_metric *on_device = nullptr;
    const iqa_status status = of_metric.create(context, &on_cpu);
    REQUIRE(of_metric.create(context, &on_device) == status);
    for (int step = 0; step < 8 && status == IQA_OK && !code.ended(); ++step) {
        program again = code;
        const auto cpu = make(code, memory_of_cpu);
        auto device = make(again, memory_of_device);
        place_on_device(device);
        clear_outputs(memory_of_cpu);
        clear_outputs(memory_of_device);
        const iqa_status expected = cpu.apply(on_cpu);
        iqa_status found = device.apply(on_device);
        // Faults of data on a device are reported when the metric is read.
        size_t count = 0;
        const iqa_status settled = iqa_metric_lanes(on_device, nullptr, 0, &count);
        REQUIRE(found == IQA_OK || settled == IQA_OK);
        found = found == IQA_OK ? settled : found;
        REQUIRE(found == expected);
        REQUIRE(bytes_of(on_device) == bytes_of(on_cpu));
        if (expected != IQA_OK)
            continue;
        if constexpr (requires { cpu.map; }) {
            REQUIRE(same_outputs(memory_of_cpu.per_image, memory_of_device.per_image, cpu.per_image));
            REQUIRE(same_outputs(memory_of_cpu.per_channel, memory_of_device.per_channel, cpu.per_channel));
            REQUIRE(same_outputs(memory_of_cpu.map, memory_of_device.map, cpu.map));
        }
        if constexpr (requires { cpu.gradient; })
            REQUIRE(same_outputs(memory_of_cpu.gradient, memory_of_device.gradient, cpu.gradient));
    }
    iqa_metric_destroy(on_cpu);
    iqa_metric_destroy(on_device);
    iqa_context_destroy(context);
    end_on_machine();
}

void run_features(program &code)
{
    const feature_options options(code);
    compare(code, options,
            [&](program &from, update_memory &memory) { return feature_request(from, memory, options.fid); });
}

// KID, PRDC and the Inception Score are single calls: status, text and bits must be equal.
void run_tables(program &code)
{
    begin_on_machine(code, memory_of_device);
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    iqa_context *context = nullptr;
    REQUIRE(iqa_context_create(&options, &context) == IQA_OK);
    iqa_kid_options of_kid = IQA_KID_OPTIONS_INIT;
    of_kid.subsets = code.byte() % 5;
    of_kid.subset_size = code.byte() % 40;
    spoil(code, of_kid);
    of_kid.subsets = of_kid.subsets > 8 ? of_kid.subsets % 8 : of_kid.subsets; // more would take too long
    iqa_inception_score_options of_scores = IQA_INCEPTION_SCORE_OPTIONS_INIT;
    of_scores.splits = code.byte() % 12;
    spoil(code, of_scores);
    iqa_prdc_options of_prdc = IQA_PRDC_OPTIONS_INIT;
    of_prdc.k = code.byte() % 8;
    spoil(code, of_prdc);
    const feature_options features(code);
    program again = code;
    const feature_request cpu(code, memory_of_cpu, features.fid);
    feature_request device(again, memory_of_device, features.fid);
    place_on_device(device);
    constexpr int calls = 3;
    double values[2][12] = {};
    iqa_status statuses[2][calls];
    std::string texts[2][calls];
    for (const feature_request *request : {&cpu, static_cast<const feature_request *>(&device)}) {
        const int side = request == &cpu ? 0 : 1;
        double *const results = values[side];
        statuses[side][0] =
            iqa_measure_kid(context, &of_kid, &request->reference, &request->candidate, &results[0], &results[1]);
        texts[side][0] = iqa_context_error(context);
        statuses[side][1] =
            iqa_measure_inception_score(context, &of_scores, &request->reference, &results[2], &results[3]);
        texts[side][1] = iqa_context_error(context);
        statuses[side][2] =
            iqa_measure_prdc(context, &of_prdc, &request->reference, &request->candidate, &results[4], 8, nullptr);
        texts[side][2] = iqa_context_error(context);
    }
    for (int call = 0; call < calls; ++call) {
        REQUIRE(statuses[0][call] == statuses[1][call]);
        REQUIRE(statuses[0][call] == IQA_OK || texts[0][call] == texts[1][call]);
    }
    REQUIRE(std::memcmp(values[0], values[1], sizeof values[0]) == 0);
    iqa_context_destroy(context);
    end_on_machine();
}

void run_labels(program &code)
{
    const label_options options(code);
    compare(code, options,
            [&](program &from, update_memory &memory) { return label_request(from, memory, options.confusion); });
}

void run_images(program &code)
{
    const image_options options(code);
    compare(code, options,
            [&](program &from, update_memory &memory) { return update_request(from, memory, options.axes); });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    program code(data, size);
    const uint8_t family = code.byte() % 5;
    (family == 0 ? run_features : family == 1 ? run_labels : family == 2 ? run_tables : run_images)(code);
    return 0;
}
