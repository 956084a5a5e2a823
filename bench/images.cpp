// SPDX-License-Identifier: MIT
// SSIM and PSNR through the C API: channel pixels per second, and the share of the machine's ceilings. One SSIM pixel
// with an 11 x 11 window counts as 2 * 11 * 4 fused multiply-adds, 176 operations, without the rest of its work.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "ceilings.hpp"
#include "iqa_c.h"

namespace {

constexpr double operations_of_a_pixel = 2.0 * 2.0 * 11.0 * 4.0;

double peak_of(const std::string &set)
{
    static const double wide = bench::fma_ceiling(true);
    static const double narrow = bench::fma_ceiling(false);
    return set == "avx512" ? wide : narrow;
}

double memory_rate()
{
    static const double rate = bench::read_ceiling(512L << 20);
    return rate;
}

// Smooth areas, edges and noise, as in a photograph.
template <class Sample>
std::vector<Sample> make_image(const std::vector<int64_t> &shape, unsigned seed)
{
    size_t count = 1;
    for (const int64_t extent : shape)
        count *= size_t(extent);
    std::vector<Sample> image(count);
    const size_t row = size_t(shape.back() <= 4 ? shape.back() * shape[shape.size() - 2] : shape.back());
    uint32_t noise = seed;
    for (size_t i = 0; i < count; ++i) {
        noise = noise * 1664525u + 1013904223u;
        const size_t x = i % row;
        const size_t y = i / row;
        const double value = 90.0 + 60.0 * double((x / 97 + y / 61) % 2) + 0.04 * double(x % 997) + noise / 0x1p28;
        image[i] = Sample(value);
    }
    return image;
}

struct image_case {
    const char *name;
    int layout;
    std::vector<int64_t> shape;
};

enum class extra { nothing, mask, ellipse, scattered, weights };

// A measurement: a metric, its changed options, and the extra and the gradient of its updates.
struct measure {
    const char *name;
    void (*ssim)(iqa_ssim_options &options); // NULL: PSNR
    extra with = extra::nothing;
    bool gradient = false;
    bool integers_only = false;
    double high = 255; // of the data range
};

void plain(iqa_ssim_options &)
{
}

void five_scales(iqa_ssim_options &options)
{
    iqa_ssim_options_preset(&options, sizeof options, IQA_MS_SSIM_WANG2003);
}

constexpr measure measures[] = {
    {"ssim", plain},
    {"ssim_parts",
     [](iqa_ssim_options &options) {
         options.parts = 1;
     }},
    {"ssim_masked", plain, extra::mask},
    {"ssim_masked_outside", plain, extra::mask, false, false, 190}, // most rows have samples above it
    {"ssim_ellipse", plain, extra::ellipse},
    {"ssim_scattered", plain, extra::scattered},
    {"ssim_weighted", plain, extra::weights},
    {"ssim_gradient", plain, extra::nothing, true},
    {"ssim_masked_gradient", plain, extra::mask, true},
    {"ssim_ellipse_gradient", plain, extra::ellipse, true},
    {"ssim_weighted_gradient", plain, extra::weights, true},
    {"ms_ssim", five_scales},
    {"ms_ssim_gradient", five_scales, extra::nothing, true},
    {"ms_ssim_scattered", five_scales, extra::scattered},
    {"ms_ssim_scattered_gradient", five_scales, extra::scattered, true},
    {"blocks", [](iqa_ssim_options &options) { options.window = IQA_WINDOW_BLOCKS; }, extra::nothing, false, true},
    {"psnr", nullptr},
    {"psnr_masked", nullptr, extra::mask},
    {"psnr_weighted", nullptr, extra::weights},
    {"psnr_gradient", nullptr, extra::nothing, true},
};

// Inside the ellipse that has four fifths of an image's height and width.
bool is_in_ellipse(const std::vector<int64_t> &shape, size_t index)
{
    const bool interleaved = shape.back() <= 4;
    const auto row = size_t(interleaved ? shape.back() * shape[shape.size() - 2] : shape.back());
    const auto rows = size_t(shape[shape.size() - (interleaved ? 3 : 2)]);
    const double x = (double(index % row) / double(row) - 0.5) / 0.4;
    const double y = (double(index / row % rows) / double(rows) - 0.5) / 0.4;
    return x * x + y * y < 1.0;
}

// The extras of an update: a mask (of ones, an ellipse, or ones with scattered zeros) or weights of all kinds, and
// memory for a gradient.
struct extra_tensors {
    std::vector<uint8_t> mask;
    std::vector<float> numbers, derivatives;
    iqa_tensor weights{}, gradient{};
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;

    extra_tensors(extra kind, bool wants_gradient, const std::vector<int64_t> &shape)
    {
        const std::vector<uint8_t> image = make_image<uint8_t>(shape, 3);
        const auto axes = int32_t(shape.size());
        if (kind == extra::mask || kind == extra::ellipse || kind == extra::scattered) {
            for (size_t i = 0; i < image.size(); ++i)
                mask.push_back(kind == extra::mask      ? image[i] > 64
                               : kind == extra::ellipse ? is_in_ellipse(shape, i)
                                                        : image[i] % 16 != 0);
            weights = iqa_cpu_tensor(mask.data(), IQA_BOOL, axes, shape.data());
            extras.weights = &weights;
        } else if (kind == extra::weights) {
            for (const uint8_t value : image)
                numbers.push_back(float(value) / 256);
            weights = iqa_cpu_tensor(numbers.data(), IQA_FLOAT32, axes, shape.data());
            extras.weights = &weights;
        }
        if (wants_gradient) {
            derivatives.resize(image.size());
            gradient = iqa_cpu_tensor(derivatives.data(), IQA_FLOAT32, axes, shape.data());
            extras.candidate_gradient = &gradient;
        }
    }
    double bytes() const { return double(mask.size() + (numbers.size() + derivatives.size()) * sizeof(float)); }
    extra_tensors(const extra_tensors &) = delete;
    extra_tensors &operator=(const extra_tensors &) = delete;
};

template <class Sample>
void run(benchmark::State &state, const measure &measured, const image_case &image, int dtype, int isa, int threads)
{
    const std::vector<Sample> reference = make_image<Sample>(image.shape, 1);
    const std::vector<Sample> candidate = make_image<Sample>(image.shape, 2);
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = threads;
    options.instruction_set = isa;
    iqa_context *context = nullptr;
    iqa_metric *metric = nullptr;
    iqa_context_create(&options, &context);
    if (measured.ssim != nullptr) {
        iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
        measured.ssim(ssim);
        ssim.layout = image.layout;
        ssim.data_low = 0;
        ssim.data_high = measured.high;
        iqa_ssim_create(context, &ssim, &metric);
    } else {
        iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
        psnr.layout = image.layout;
        psnr.data_low = 0;
        psnr.data_high = measured.high;
        iqa_psnr_create(context, &psnr, &metric);
    }
    const auto axes = int32_t(image.shape.size());
    const iqa_tensor x = iqa_cpu_tensor(reference.data(), dtype, axes, image.shape.data());
    const iqa_tensor y = iqa_cpu_tensor(candidate.data(), dtype, axes, image.shape.data());
    const extra_tensors tensors(measured.with, measured.gradient, image.shape);
    for (auto _ : state)
        if (iqa_metric_update(metric, &x, &y, &tensors.extras) != IQA_OK) {
            state.SkipWithError(iqa_context_error(context));
            break;
        }
    const double pixels = double(state.iterations()) * double(reference.size());
    state.counters["Mpx/s"] = benchmark::Counter(pixels / 1e6, benchmark::Counter::kIsRate);
    if (measured.ssim == plain && measured.with == extra::nothing && !measured.gradient &&
        image.layout != IQA_LAYOUT_DHW)
        state.counters["of_fma_peak"] =
            benchmark::Counter(pixels * operations_of_a_pixel / peak_of(iqa_context_instruction_set(context)) / threads,
                               benchmark::Counter::kIsRate);
    else
        state.counters["of_read_rate"] = benchmark::Counter(
            double(state.iterations()) * (double(2 * reference.size() * sizeof(Sample)) + tensors.bytes()) /
                memory_rate() / threads,
            benchmark::Counter::kIsRate);
    state.SetLabel(iqa_context_instruction_set(context));
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);
}

// A pair alone: the whole life of an SSIM metric, which is what a caller pays who makes one for each pair, or the verb
// for that of a metric that stays.
template <class Measure>
void run_pair(benchmark::State &state, const char *kind, const Measure &measure)
{
    const std::vector<int64_t> shape(2, state.range(0));
    const std::vector<uint8_t> reference = make_image<uint8_t>(shape, 1);
    const std::vector<uint8_t> candidate = make_image<uint8_t>(shape, 2);
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    iqa_context *context = nullptr;
    iqa_context_create(&options, &context);
    iqa_metric *metric = nullptr;
    iqa_metric_create(context, kind, nullptr, &metric);
    const iqa_tensor x = iqa_cpu_tensor(reference.data(), IQA_UINT8, 2, shape.data());
    const iqa_tensor y = iqa_cpu_tensor(candidate.data(), IQA_UINT8, 2, shape.data());
    for (auto _ : state) {
        double value = 0.0;
        if (measure(context, metric, x, y, value) != IQA_OK) {
            state.SkipWithError(iqa_context_error(context));
            break;
        }
        benchmark::DoNotOptimize(value);
    }
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);
}

iqa_status measure_once(iqa_context *context, iqa_metric *, const iqa_tensor &x, const iqa_tensor &y, double &value)
{
    return iqa_measure_ssim(context, nullptr, &x, &y, &value);
}

iqa_status measure_again(iqa_context *, iqa_metric *metric, const iqa_tensor &x, const iqa_tensor &y, double &value)
{
    return iqa_metric_measure(metric, &x, &y, nullptr, &value);
}

template <class Sample>
void add(const char *type, int dtype)
{
    static const std::vector<image_case> cases = {
        {"16", IQA_LAYOUT_HW, {16, 16}},
        {"256", IQA_LAYOUT_HW, {256, 256}},
        {"1024", IQA_LAYOUT_HW, {1024, 1024}},
        {"1080pRGB", IQA_LAYOUT_HWC, {1080, 1920, 3}},
        {"1080pRGBplanar", IQA_LAYOUT_CHW, {3, 1080, 1920}},
        {"4KRGB", IQA_LAYOUT_HWC, {2160, 3840, 3}},
        {"16x3x256", IQA_LAYOUT_NCHW, {16, 3, 256, 256}},
        {"volume128", IQA_LAYOUT_DHW, {128, 128, 128}},
        {"volume256", IQA_LAYOUT_DHW, {256, 256, 256}},
    };
    const struct {
        const char *name;
        int isa;
    } sets[] = {{"avx512", IQA_ISA_AVX512}, {"avx2", IQA_ISA_AVX2}};
    for (const measure &measured : measures) {
        if (measured.integers_only && !std::is_integral_v<Sample>)
            continue;
        for (const image_case &image : cases) {
            if (image.layout == IQA_LAYOUT_DHW && measured.ssim != plain)
                continue; // PSNR reads a volume like an image; five scales need larger volumes
            for (const auto &set : sets)
                for (const int threads : {1, 2}) {
                    const std::string name = std::string(measured.name) + "/" + image.name + "/" + type + "/" +
                                             set.name + "/threads:" + std::to_string(threads);
                    auto *registered = benchmark::RegisterBenchmark(name.c_str(), run<Sample>, std::cref(measured),
                                                                    image, dtype, set.isa, threads);
                    registered->Unit(benchmark::kMillisecond);
                    if (threads > 1) // with one thread its processor time, undisturbed by other programs
                        registered->UseRealTime();
                }
        }
    }
}

} // namespace

int main(int argc, char **argv)
{
    add<uint8_t>("uint8", IQA_UINT8);
    add<uint16_t>("uint16", IQA_UINT16);
    add<float>("float32", IQA_FLOAT32);
    add<double>("float64", IQA_FLOAT64);
    const auto add_pair = [](const char *name, const char *kind, const auto &measure) {
        benchmark::RegisterBenchmark(name, [=](benchmark::State &state) { run_pair(state, kind, measure); })
            ->Arg(16)
            ->Arg(256)
            ->Unit(benchmark::kMicrosecond);
    };
    add_pair("ssim_one_shot", "ssim", measure_once);
    add_pair("ssim_measure", "ssim", measure_again);
    add_pair("psnr_measure", "psnr", measure_again);
    benchmark::Initialize(&argc, argv);
    std::printf("ceilings of one thread: %.1f GFLOP/s wide, %.1f GFLOP/s narrow, %.1f GB/s from memory\n",
                peak_of("avx512") / 1e9, peak_of("avx2") / 1e9, memory_rate() / 1e9);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
