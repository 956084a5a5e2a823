// SPDX-License-Identifier: MIT
// The metrics on a GPU through the C API, beside the GPU's ceilings: copies, fused multiply-adds, an empty launch.
// Writes one JSON object in a line for each figure. Times are medians by CUDA events; inputs rotate, so that the cache
// does not hold them.
//     iqa_bench_cuda [TEXT]      all figures, or those whose names contain the text; ceilings always
// Exit status 77 without a GPU.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "cuda_kernels.hpp"
#include "cuda_slots.hpp"
#include "iqa_c.h"
#include "seeded_network.hpp"

namespace {

void check(cudaError_t code)
{
    if (code == cudaSuccess)
        return;
    std::fprintf(stderr, "CUDA: %s\n", cudaGetErrorString(code));
    std::exit(1);
}

iqa_context *the_context = nullptr;
cudaStream_t stream = nullptr;
std::string wanted; // part of the names of the figures to measure

bool is_wanted(const std::string &name)
{
    return name.find(wanted) != std::string::npos;
}

void check(iqa_status status)
{
    if (status == IQA_OK)
        return;
    std::fprintf(stderr, "%s\n", iqa_context_error(the_context));
    std::exit(1);
}

// The time of a call in microseconds: the median of several runs of `calls` calls.
double median_time(const std::function<void(int)> &call, int calls)
{
    cudaEvent_t begin;
    cudaEvent_t end;
    check(cudaEventCreate(&begin));
    check(cudaEventCreate(&end));
    for (int i = 0; i < 3; ++i)
        call(i);
    std::vector<double> times;
    for (int round = 0; round < 15; ++round) {
        check(cudaEventRecord(begin, stream));
        for (int i = 0; i < calls; ++i)
            call(i);
        check(cudaEventRecord(end, stream));
        check(cudaEventSynchronize(end));
        float milliseconds = 0;
        check(cudaEventElapsedTime(&milliseconds, begin, end));
        times.push_back(1e3 * milliseconds / calls);
    }
    check(cudaGetLastError()); // of launches
    check(cudaEventDestroy(begin));
    check(cudaEventDestroy(end));
    std::nth_element(times.begin(), times.begin() + 7, times.end());
    return times[7];
}

double copy_rate = 0;     // bytes read and written in a microsecond
double multiply_rate = 0; // fused multiply-adds in a microsecond
double launch_time = 0;   // of an empty kernel, one after another

void measure_ceilings()
{
    const size_t bytes = size_t(1) << 30;
    void *allocated = nullptr;
    check(cudaMalloc(&allocated, 2 * bytes));
    std::byte *memory = static_cast<std::byte *>(allocated);
    copy_rate =
        2.0 * double(bytes) /
        median_time(
            [&](int) { check(cudaMemcpyAsync(memory + bytes, memory, bytes, cudaMemcpyDeviceToDevice, stream)); }, 4);
    cudaDeviceProp device{};
    check(cudaGetDeviceProperties(&device, 0));
    double operations = 0;
    const double time = median_time(
        [&](int) {
            operations = bench::launch_multiply_and_add(reinterpret_cast<float *>(memory),
                                                        8 * device.multiProcessorCount, stream);
        },
        4);
    multiply_rate = operations / time;
    launch_time = median_time([](int) { bench::launch_nothing(stream); }, 200);
    check(cudaFree(memory));
    std::printf("{\"name\": \"ceilings\", \"device\": \"%s\", \"copy_gb_per_s\": %.0f, \"fma_gflop_per_s\": %.0f, "
                "\"empty_launch_us\": %.2f}\n",
                device.name, copy_rate * 1e-3, 2e-3 * multiply_rate, launch_time);
}

struct device_tensor {
    std::vector<int64_t> shape;
    int64_t count = 1;
    void *memory = nullptr;
    iqa_tensor view{};

    device_tensor(int dtype, std::vector<int64_t> extents) : shape(std::move(extents))
    {
        for (const int64_t extent : shape)
            count *= extent;
        check(cudaMalloc(&memory, size_t(count) * size_t(dtype & 0xff) / 8));
        view = iqa_cpu_tensor(memory, dtype, int32_t(shape.size()), shape.data());
        view.device_type = IQA_CUDA;
    }
    device_tensor(const device_tensor &) = delete;
    device_tensor &operator=(const device_tensor &) = delete;
    ~device_tensor() { cudaFree(memory); }
};

// Several sets of two tensors, so that one call's data leave the cache before they are used again.
template <class Sample>
struct inputs {
    std::vector<std::unique_ptr<device_tensor>> tensors;

    inputs(int dtype, const std::vector<int64_t> &shape, int sets, bench::content kind, int limit = 0)
    {
        for (int i = 0; i < 2 * sets; ++i) {
            tensors.push_back(std::make_unique<device_tensor>(dtype, shape));
            bench::launch_fill(static_cast<Sample *>(tensors.back()->memory), tensors.back()->count, kind,
                               uint32_t(limit), uint32_t(i), stream);
        }
        check(cudaGetLastError());
    }
    const iqa_tensor *at(int call, int side) const { return &tensors[size_t(2 * call + side) % tensors.size()]->view; }
};

// Prints a figure: time, work in a second, and its share of a ceiling.
void report(const std::string &name, double time, double work, const char *unit, double bytes, double operations)
{
    std::printf("{\"name\": \"%s\", \"us\": %.2f, \"%s_per_s\": %.4g, \"of_copy_rate\": %.3f, \"of_fma_issue\": %.3f, "
                "\"empty_launches\": %.2f}\n",
                name.c_str(), time, unit, 1e6 * work / time, bytes / copy_rate / time,
                operations / multiply_rate / time, time / launch_time);
    std::fflush(stdout);
}

struct image_work {
    const char *name;
    int dtype;
    std::vector<int64_t> shape;
    int sets;
};

const image_work image_works[] = {
    {"1 x 1 x 256 x 256", IQA_FLOAT32, {1, 1, 256, 256}, 1},
    {"1 x 3 x 1080 x 1920", IQA_UINT8, {1, 3, 1080, 1920}, 8},
    {"1 x 3 x 1080 x 1920", IQA_FLOAT32, {1, 3, 1080, 1920}, 4},
    {"16 x 3 x 256 x 256", IQA_FLOAT32, {16, 3, 256, 256}, 8},
    {"32 x 3 x 1080 x 1920", IQA_UINT8, {32, 3, 1080, 1920}, 2},
    {"16 x 3 x 1080 x 1920", IQA_FLOAT32, {16, 3, 1080, 1920}, 2},
};

template <class Sample>
void measure_images(const image_work &work)
{
    const inputs<Sample> images(work.dtype, work.shape, work.sets, bench::content::pixels);
    const double pixels = double(work.shape[0] * work.shape[1] * work.shape[2] * work.shape[3]);
    const double bytes = 2.0 * pixels * sizeof(Sample);
    const auto figure = [&](const char *label, auto create, const auto &options, const iqa_update_extras *extras,
                            double more_bytes, double slots) {
        const std::string name = std::string(label) + (sizeof(Sample) == 1 ? ", uint8 " : ", float32 ") + work.name;
        if (!is_wanted(name))
            return;
        iqa_metric *metric = nullptr;
        check(create(the_context, &options, &metric));
        const double time = median_time(
            [&](int call) { check(iqa_metric_update(metric, images.at(call, 0), images.at(call, 1), extras)); },
            pixels < 1e6 ? 50 : 8);
        iqa_metric_destroy(metric);
        report(name, time, 1e-9 * pixels, "gpixel", bytes + more_bytes, slots * pixels);
    };
    const auto set_up = [](auto &options) {
        options.layout = IQA_LAYOUT_NCHW;
        options.data_low = 0;
        options.data_high = sizeof(Sample) == 1 ? 255 : 1;
    };

    namespace slots = iqa::slots;
    const double slots_of_psnr = sizeof(Sample) == 1 ? slots::psnr_uint8 : slots::psnr_float32;
    const double slots_of_ssim = sizeof(Sample) == 1 ? slots::ssim_uint8 : slots::ssim_float32;
    iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
    set_up(psnr);
    figure("PSNR", iqa_psnr_create, psnr, nullptr, 0, slots_of_psnr);

    const device_tensor gradient(IQA_FLOAT32, work.shape);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.candidate_gradient = &gradient.view;
    figure("PSNR and gradient", iqa_psnr_create, psnr, &extras, bytes + pixels * sizeof(float),
           slots_of_psnr + slots::psnr_gradient);

    iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
    set_up(ssim);
    figure("SSIM", iqa_ssim_create, ssim, nullptr, 0, slots_of_ssim);

    figure("SSIM and gradient", iqa_ssim_create, ssim, &extras, pixels * sizeof(float), slots::ssim_gradient);

    if (work.shape[2] <= 160)
        return;
    check(iqa_ssim_options_preset(&ssim, sizeof ssim, IQA_MS_SSIM_WANG2003));
    set_up(ssim);
    const double slots_of_scales = 4.0 / 3 * slots_of_ssim + slots::smaller_levels;
    figure("MS-SSIM", iqa_ssim_create, ssim, nullptr, 0, slots_of_scales);
    figure("MS-SSIM and gradient", iqa_ssim_create, ssim, &extras, pixels * sizeof(float),
           slots_of_scales + slots::ms_ssim_gradient);
}

template <class Label>
void measure_counts(const char *name, int dtype, int classes, bool runs)
{
    const std::string figure =
        "counts, " + std::to_string(classes) + " classes, " + name + (runs ? ", runs" : ", noise");
    if (!is_wanted(figure))
        return;
    const std::vector<int64_t> shape = {16, 1024, 2048};
    const inputs<Label> labels(dtype, shape, 2, runs ? bench::content::runs : bench::content::noise, classes);
    iqa_confusion_options options = IQA_CONFUSION_OPTIONS_INIT;
    options.classes = classes;
    iqa_metric *metric = nullptr;
    check(iqa_confusion_create(the_context, &options, &metric));
    const double time = median_time(
        [&](int call) { check(iqa_metric_update(metric, labels.at(call, 0), labels.at(call, 1), nullptr)); }, 8);
    iqa_metric_destroy(metric);
    const double count = 16.0 * 1024 * 2048;
    report(figure, time, 1e-9 * count, "glabel", 2 * count * sizeof(Label), 0);
}

void measure_fid(int features, int word_bits)
{
    const int64_t rows = 10000;
    const std::string moments =
        "FID moments, 2 x 10000 x " + std::to_string(features) + ", " + std::to_string(word_bits) + "-bit words";
    const std::string reading = "FID value after an update, D = " + std::to_string(features);
    if (!is_wanted(moments) && !is_wanted(reading))
        return;
    const inputs<float> sets(IQA_FLOAT32, {rows, features}, 1, bench::content::features);
    iqa_fid_options options = IQA_FID_OPTIONS_INIT;
    options.features = features;
    options.word_bits = word_bits;
    options.fraction_bits = word_bits == IQA_FID_WORD_32 ? 24 : 16;
    iqa_metric *metric = nullptr;
    check(iqa_fid_create(the_context, &options, &metric));
    const double time = median_time(
        [&](int call) { check(iqa_metric_update(metric, sets.at(call, 0), sets.at(call, 1), nullptr)); }, 2);
    const double pairs = double(features) * (features + 1) / 2;
    report(moments, time, 2e4, "rows", 2.0 * double(rows) * features * sizeof(float), 2.0 * double(rows) * pairs);
    double value = 0;
    const double read = median_time(
        [&](int call) {
            check(iqa_metric_update(metric, sets.at(call, 0), sets.at(call, 1), nullptr));
            check(iqa_metric_compute(metric, &value));
        },
        1);
    report(reading, read - time, 1, "values", 0, 0);
    iqa_metric_destroy(metric);
}

// Distances are chains in float64, which the ceiling is not.
void measure_prdc()
{
    const std::string name = "PRDC, 2 x 5000 x 2048";
    if (!is_wanted(name))
        return;
    const inputs<float> sets(IQA_FLOAT32, {5000, 2048}, 1, bench::content::features);
    double values[IQA_PRDC_PAIRS + 1] = {};
    const double time = median_time(
        [&](int call) {
            check(iqa_measure_prdc(the_context, nullptr, sets.at(call, 0), sets.at(call, 1), values, std::size(values),
                                   nullptr));
        },
        1);
    report(name, time, 1e4, "rows", 0, 0);
}

void measure_network()
{
    const std::string name = "FID's network, 64 x 299 x 299 x 3, uint8";
    if (!is_wanted(name))
        return;
    constexpr int64_t pictures = 64, width = 2048;
    constexpr double multiply_adds = 5711168096; // of a picture: tests/metrics/network
    iqa_network *network = nullptr;
    check(bench::make_network(the_context, pictures, &network));
    const inputs<uint8_t> images(IQA_UINT8, {pictures, 299, 299, 3}, 1, bench::content::pixels);
    const device_tensor features(IQA_FLOAT32, {pictures, width});
    const iqa_layer_features output = {IQA_LAYER_2048, &features.view};
    const double time =
        median_time([&](int call) { check(iqa_network_features(network, images.at(call, 0), &output, 1)); }, 1);
    iqa_network_destroy(network);
    report(name, time, pictures, "pictures", 0, pictures * multiply_adds);
}

} // namespace

int main(int count, char **arguments)
{
    int devices = 0;
    const cudaError_t code = cudaGetDeviceCount(&devices);
    if (code != cudaSuccess || devices == 0) {
        std::fprintf(stderr, "no GPU: %s\n", code == cudaSuccess ? "no device" : cudaGetErrorString(code));
        return 77;
    }
    if (count > 1)
        wanted = arguments[1];
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.cuda_stream = stream;
    if (iqa_context_create(&options, &the_context) != IQA_OK)
        return 1;
    measure_ceilings();
    for (const image_work &work : image_works)
        if (work.dtype == IQA_UINT8)
            measure_images<uint8_t>(work);
        else
            measure_images<float>(work);
    for (const bool runs : {true, false}) {
        measure_counts<uint8_t>("uint8", IQA_UINT8, 19, runs);
        measure_counts<int64_t>("int64", IQA_INT64, 19, runs);
        measure_counts<uint8_t>("uint8", IQA_UINT8, 2, runs);
        measure_counts<int32_t>("int32", IQA_INT32, 1000, runs);
    }
    for (const int word_bits : {IQA_FID_WORD_32, IQA_FID_WORD_24})
        measure_fid(2048, word_bits);
    measure_prdc();
    measure_network();
    iqa_context_destroy(the_context);
}
