// SPDX-License-Identifier: MIT
// Confusion counts through the C API: labels per second, and the share of the memory bandwidth measured in the same
// run. Label maps of 1024 x 2048: `map` has regions, the prediction shifted by 3 pixels with 1 % of noise; `errors`
// has a tenth of the predictions replaced; `noise` is uniform on both sides. 5 % of the references are ignored.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "ceilings.hpp"
#include "iqa_c.h"

namespace {

constexpr int64_t height = 1024;
constexpr int64_t width = 2048;

double memory_rate()
{
    static const double rate = bench::read_ceiling(512L << 20);
    return rate;
}

class generator {
public:
    uint32_t next()
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return uint32_t(state_ >> 33);
    }
    int64_t below(int64_t limit) { return int64_t(next()) % limit; }

private:
    uint64_t state_ = 3;
};

enum class content { map, errors, noise };

template <class Label>
struct label_maps {
    std::vector<Label> reference = std::vector<Label>(height * width);
    std::vector<Label> candidate = std::vector<Label>(height * width);
    int64_t ignored;

    label_maps(content kind, int64_t classes) : ignored(std::is_same_v<Label, uint8_t> ? 255 : -1)
    {
        generator random;
        if (kind == content::noise) {
            for (auto *labels : {&reference, &candidate})
                for (Label &label : *labels)
                    label = Label(random.below(classes));
        } else {
            draw_regions(random, classes);
            const int64_t wrong = kind == content::errors ? 10 : 1;
            const int64_t shift = kind == content::errors ? 0 : 3;
            for (int64_t y = 0; y < height; ++y)
                for (int64_t x = 0; x < width; ++x)
                    candidate[y * width + x] =
                        Label(random.below(100) < wrong ? random.below(classes)
                                                        : reference[y * width + std::min(width - 1, x + shift)]);
        }
        for (int64_t y = 0; y < height; y += 8)
            for (int64_t x = 0; x < width; x += 8)
                if (random.below(20) == 0)
                    for (int64_t row = y; row < y + 8; ++row)
                        std::fill_n(&reference[row * width + x], 8, Label(ignored));
    }

private:
    void draw_regions(generator &random, int64_t classes)
    {
        for (int region = 0; region < 400; ++region) {
            const auto label = Label(double(classes) * std::pow(random.next() * 0x1p-31, 2.5));
            const int64_t top = random.below(height);
            const int64_t left = random.below(width);
            const int64_t bottom = std::min(height, top + 20 + random.below(280));
            const int64_t right = std::min(width, left + 20 + random.below(480));
            for (int64_t y = top; y < bottom; ++y)
                std::fill(&reference[y * width + left], &reference[y * width + right], label);
        }
    }
};

template <class Label>
void run(benchmark::State &state, content kind, int32_t classes, int dtype, int isa, int threads)
{
    const label_maps<Label> maps(kind, classes);
    const int64_t shape[] = {height, width};
    const iqa_tensor reference = iqa_cpu_tensor(maps.reference.data(), dtype, 2, shape);
    const iqa_tensor candidate = iqa_cpu_tensor(maps.candidate.data(), dtype, 2, shape);
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = threads;
    options.instruction_set = isa;
    iqa_confusion_options counting = IQA_CONFUSION_OPTIONS_INIT;
    counting.classes = classes;
    counting.ignore = 1;
    counting.ignore_label = maps.ignored;
    iqa_context *context = nullptr;
    iqa_metric *metric = nullptr;
    iqa_context_create(&options, &context);
    iqa_confusion_create(context, &counting, &metric);
    for (auto _ : state)
        if (iqa_metric_update(metric, &reference, &candidate, nullptr) != IQA_OK) {
            state.SkipWithError(iqa_context_error(context));
            break;
        }
    const double labels = double(state.iterations()) * double(height * width);
    state.counters["Mlabel/s"] = benchmark::Counter(labels / 1e6, benchmark::Counter::kIsRate);
    state.counters["of_read_rate"] =
        benchmark::Counter(labels * 2.0 * sizeof(Label) / memory_rate() / threads, benchmark::Counter::kIsRate);
    state.SetLabel(iqa_context_instruction_set(context));
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);
}

template <class Label>
void add(const char *type, int dtype)
{
    const struct {
        const char *name;
        content kind;
    } contents[] = {{"map", content::map}, {"errors", content::errors}, {"noise", content::noise}};
    const struct {
        const char *name;
        int isa;
    } sets[] = {{"avx512", IQA_ISA_AVX512}, {"avx2", IQA_ISA_AVX2}, {"baseline", IQA_ISA_BASELINE}};
    for (const int32_t classes : {2, 6, 19, 150, 1000}) {
        if (classes > int64_t(std::numeric_limits<Label>::max()))
            continue;
        for (const auto &[name, kind] : contents)
            for (const auto &set : sets)
                for (const int threads : {1, 2}) {
                    const std::string full = std::string("confusion/") + name + "/C:" + std::to_string(classes) + "/" +
                                             type + "/" + set.name + "/threads:" + std::to_string(threads);
                    auto *registered =
                        benchmark::RegisterBenchmark(full.c_str(), run<Label>, kind, classes, dtype, set.isa, threads);
                    registered->Unit(benchmark::kMillisecond);
                    if (threads > 1) // with one thread its processor time, undisturbed by other programs
                        registered->UseRealTime();
                }
    }
}

} // namespace

int main(int argc, char **argv)
{
    add<uint8_t>("uint8", IQA_UINT8);
    add<int32_t>("int32", IQA_INT32);
    add<int64_t>("int64", IQA_INT64);
    benchmark::Initialize(&argc, argv);
    std::printf("ceiling of one thread: %.1f GB/s from memory\n", memory_rate() / 1e9);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
