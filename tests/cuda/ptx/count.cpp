// SPDX-License-Identifier: MIT
// Counts the PTX instructions that the warps of an update's kernels issue, on the machine that executes PTX.
//     ptx_count [METRIC TYPE CHANNELS HEIGHT WIDTH]    without arguments: a table of common cases
// METRIC: ssim, ms_ssim, psnr, and with parts of a name behind it what else is asked for: ssim_map, _gradient, _luma,
// _masked (one pixel in 16 is left out) and _volume (CHANNELS are slices). TYPE: uint8, uint16, float32, float64.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "cuda/ptx/device.hpp"
#include "iqa_c.h"

namespace {

using test::ptx::device;

struct request {
    std::string metric, type;
    int64_t shape[3]; // channels, height, width
};

void check(iqa_status status, iqa_context *context)
{
    if (status == IQA_OK)
        return;
    std::fprintf(stderr, "%s\n", iqa_context_error(context));
    std::exit(1);
}

template <class Sample>
void fill(void *memory, int64_t count, double peak, uint32_t seed)
{
    auto *samples = static_cast<Sample *>(memory);
    for (int64_t i = 0; i < count; ++i) {
        seed = seed * 1664525 + 1013904223;
        samples[i] = Sample(peak * (seed >> 8) / 0x1000000);
    }
}

struct sample_type {
    const char *name;
    int32_t dtype;
    int64_t bytes;
    double peak;
    void (*fill)(void *, int64_t, double, uint32_t);
};

constexpr sample_type types[] = {{"uint8", IQA_UINT8, 1, 255, fill<uint8_t>},
                                 {"uint16", IQA_UINT16, 2, 65535, fill<uint16_t>},
                                 {"float32", IQA_FLOAT32, 4, 1, fill<float>},
                                 {"float64", IQA_FLOAT64, 8, 1, fill<double>}};

iqa_tensor on_device(const request &asked, const sample_type &type)
{
    const int64_t count = asked.shape[0] * asked.shape[1] * asked.shape[2];
    iqa_tensor made = iqa_cpu_tensor(device::get().allocate(size_t(count * type.bytes)), type.dtype, 3, asked.shape);
    made.device_type = IQA_CUDA;
    return made;
}

bool asks_for(const request &asked, const char *part)
{
    return asked.metric.find(part) != std::string::npos;
}

iqa_metric *make(const request &asked, const sample_type &type, iqa_context *context)
{
    iqa_metric *metric = nullptr;
    if (asked.metric.rfind("psnr", 0) == 0) {
        iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
        options.layout = IQA_LAYOUT_CHW;
        options.data_high = type.peak;
        options.gradient = asks_for(asked, "_gradient") ? IQA_GRADIENT_OF_MSE : options.gradient;
        check(iqa_psnr_create(context, &options, &metric), context);
        return metric;
    }
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    const bool volume = asks_for(asked, "_volume");
    const int32_t preset = asked.metric.rfind("ms_ssim", 0) == 0 ? IQA_MS_SSIM_WANG2003 : IQA_SSIM_WANG2004;
    check(iqa_ssim_options_preset(&options, sizeof options, preset), context);
    options.layout = volume ? IQA_LAYOUT_DHW : IQA_LAYOUT_CHW;
    options.data_low = 0;
    options.data_high = type.peak;
    options.luma = asks_for(asked, "_luma") ? IQA_LUMA_BT601_FULL : options.luma;
    check(iqa_ssim_create(context, &options, &metric), context);
    return metric;
}

void count(const request &asked)
{
    const auto type = std::find_if(std::begin(types), std::end(types),
                                   [&](const sample_type &each) { return asked.type == each.name; });
    if (type == std::end(types)) {
        std::fprintf(stderr, "no such type: %s\n", asked.type.c_str());
        std::exit(1);
    }
    iqa_context *context = nullptr;
    check(iqa_context_create(nullptr, &context), nullptr);
    iqa_metric *metric = make(asked, *type, context);
    const int64_t samples = asked.shape[0] * asked.shape[1] * asked.shape[2];
    const iqa_tensor reference = on_device(asked, *type);
    const iqa_tensor candidate = on_device(asked, *type);
    type->fill(reference.data, samples, type->peak, 1);
    type->fill(candidate.data, samples, type->peak, 2);
    const sample_type &floats = types[2];
    const iqa_tensor output = on_device(asked, floats);
    const int64_t inside[3] = {asked.shape[0], asked.shape[1] - 10, asked.shape[2] - 10};
    iqa_tensor map = output;
    map.shape = inside;
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    if (asks_for(asked, "_map"))
        extras.map = &map;
    if (asks_for(asked, "_gradient"))
        extras.candidate_gradient = &output;
    const iqa_tensor mask = on_device(asked, types[0]);
    for (int64_t i = 0; i < samples; ++i)
        static_cast<uint8_t *>(mask.data)[i] = i % 16 != 5;
    if (asks_for(asked, "_masked"))
        extras.weights = &mask;
    device::get().counts.clear();
    check(iqa_metric_update(metric, &reference, &candidate, &extras), context);
    std::printf("%s %s %lld x %lld x %lld\n", asked.metric.c_str(), type->name, static_cast<long long>(asked.shape[0]),
                static_cast<long long>(asked.shape[1]), static_cast<long long>(asked.shape[2]));
    for (const auto &[kernel, counts] : device::get().counts) {
        std::printf("  %-60s %3lld launches %6lld blocks %12llu issued %8.1f a sample:", kernel.c_str(),
                    static_cast<long long>(counts.launches), static_cast<long long>(counts.blocks),
                    static_cast<unsigned long long>(counts.total()), double(counts.total()) * 32 / double(samples));
        std::vector<std::pair<uint64_t, std::string>> most;
        for (const auto &[opcode, issued] : counts.issued)
            most.emplace_back(issued, opcode);
        std::sort(most.rbegin(), most.rend());
        for (size_t i = 0; i < std::min<size_t>(most.size(), 8); ++i)
            std::printf(" %s %.1f", most[i].second.c_str(), double(most[i].first) * 32 / double(samples));
        std::printf("\n");
    }
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);
    for (const iqa_tensor &each : {reference, candidate, output, mask})
        device::get().deallocate(each.data);
}

} // namespace

int main(int arguments, char **values)
{
    if (arguments == 6) {
        count({values[1], values[2], {std::atoll(values[3]), std::atoll(values[4]), std::atoll(values[5])}});
        return 0;
    }
    for (const char *metric : {"ssim", "ssim_map", "ssim_gradient", "psnr", "psnr_gradient"})
        for (const char *type : {"uint8", "float32"})
            count({metric, type, {3, 270, 480}});
    count({"ms_ssim", "uint8", {3, 270, 480}});
    for (const char *metric : {"ssim_luma", "ssim_masked", "ssim_masked_gradient"})
        count({metric, "float32", {3, 270, 480}});
    for (const char *metric : {"ssim_volume", "ssim_volume_gradient"})
        count({metric, "float32", {32, 64, 128}});
    count({"ssim", "float64", {3, 270, 480}});
    return 0;
}
