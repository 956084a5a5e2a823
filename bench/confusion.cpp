// SPDX-License-Identifier: MIT
// Confusion counts through the C API: labels per second, and the share of the memory bandwidth measured in the same
// run. Label maps of 1024 x 2048: `map` has regions, the prediction shifted by 3 pixels with 1 % of noise; `errors`
// has a tenth of the predictions replaced; `noise` is uniform on both sides. 5 % of the references are ignored.
//
// `weights` has float32 weights for all elements of a map, `weighted_noise` for those of noise, `samples` keeps the
// scores of 32 maps of 256 x 256.
//
// `scores` has a label map and 256 MB of class scores, as a network gives them: a plane for each class, or the classes
// of each element together (`rows`).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
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

struct processor {
    const char *name;
    int isa;
};
constexpr processor processors[] = {{"avx512", IQA_ISA_AVX512}, {"avx2", IQA_ISA_AVX2}, {"baseline", IQA_ISA_BASELINE}};

struct setting {
    int32_t classes;
    int isa;
    int threads;
};

// Counts a pair again and again.
void count(benchmark::State &state, const setting &how, iqa_confusion_options counting, const iqa_tensor &reference,
           const iqa_tensor &candidate, double labels, double bytes, const iqa_update_extras *extras = nullptr)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = how.threads;
    options.instruction_set = how.isa;
    counting.classes = how.classes;
    iqa_context *context = nullptr;
    iqa_metric *metric = nullptr;
    iqa_context_create(&options, &context);
    iqa_confusion_create(context, &counting, &metric);
    for (auto _ : state)
        if (iqa_metric_update(metric, &reference, &candidate, extras) != IQA_OK) {
            state.SkipWithError(iqa_context_error(context));
            break;
        }
    const double rounds = double(state.iterations());
    state.counters["Mlabel/s"] = benchmark::Counter(rounds * labels / 1e6, benchmark::Counter::kIsRate);
    state.counters["of_read_rate"] =
        benchmark::Counter(rounds * bytes / memory_rate() / how.threads, benchmark::Counter::kIsRate);
    state.SetLabel(iqa_context_instruction_set(context));
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);
}

template <class Label>
void run_labels(benchmark::State &state, content kind, const setting &how, int dtype)
{
    const label_maps<Label> maps(kind, how.classes);
    const int64_t shape[] = {height, width};
    iqa_confusion_options counting = IQA_CONFUSION_OPTIONS_INIT;
    counting.ignore = 1;
    counting.ignore_label = maps.ignored;
    count(state, how, counting, iqa_cpu_tensor(maps.reference.data(), dtype, 2, shape),
          iqa_cpu_tensor(maps.candidate.data(), dtype, 2, shape), double(height * width),
          double(height * width) * 2 * sizeof(Label));
}

template <class Label>
void run_weights(benchmark::State &state, content kind, const setting &how, int dtype)
{
    const label_maps<Label> maps(kind, how.classes);
    std::vector<float> weights(height * width);
    generator random;
    for (float &weight : weights)
        weight = float(random.below(1000)) / 7;
    const int64_t shape[] = {height, width};
    const iqa_tensor weight_of = iqa_cpu_tensor(weights.data(), IQA_FLOAT32, 2, shape);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = &weight_of;
    iqa_confusion_options counting = IQA_CONFUSION_OPTIONS_INIT;
    counting.ignore = 1;
    counting.ignore_label = maps.ignored;
    counting.weighted = 1;
    count(state, how, counting, iqa_cpu_tensor(maps.reference.data(), dtype, 2, shape),
          iqa_cpu_tensor(maps.candidate.data(), dtype, 2, shape), double(height * width),
          double(height * width) * (2 * sizeof(Label) + sizeof(float)), &extras);
}

template <class Label>
void run_samples(benchmark::State &state, const setting &how, int dtype)
{
    const label_maps<Label> maps(content::map, how.classes);
    const int64_t shape[] = {32, 256, 256};
    iqa_confusion_options counting = IQA_CONFUSION_OPTIONS_INIT;
    counting.ignore = 1;
    counting.ignore_label = maps.ignored;
    counting.batched = 1;
    counting.keep_samples = 1;
    count(state, how, counting, iqa_cpu_tensor(maps.reference.data(), dtype, 3, shape),
          iqa_cpu_tensor(maps.candidate.data(), dtype, 3, shape), double(height * width),
          double(height * width) * 2 * sizeof(Label));
}

uint16_t upper_half(float number)
{
    uint32_t bits;
    std::memcpy(&bits, &number, sizeof bits);
    return uint16_t(bits >> 16);
}

template <class Score>
Score score_of(float number)
{
    if constexpr (std::is_same_v<Score, uint16_t>) // of bfloat16, or of a float16 that is as good
        return upper_half(number);
    else
        return Score(number);
}

template <class Score>
void run_scores(benchmark::State &state, bool rows, const setting &how, int dtype)
{
    const int64_t classes = how.classes;
    const int64_t elements = (int64_t(256) << 20) / (classes * int64_t(sizeof(Score))) / width * width;
    std::vector<uint8_t> reference(static_cast<std::size_t>(elements));
    std::vector<Score> scores(static_cast<std::size_t>(elements * classes));
    generator random;
    for (int64_t i = 0; i < elements; ++i) {
        const int64_t label = i / 50 % classes;
        reference[std::size_t(i)] = uint8_t(label);
        for (int64_t c = 0; c < classes; ++c) {
            const float score = float(random.next()) * 0x1p-28f - 4 + (c == label ? 5 : 0);
            scores[std::size_t(rows ? i * classes + c : c * elements + i)] = score_of<Score>(score);
        }
    }
    const int64_t shape[] = {elements / width, width};
    const int64_t shape_of_planes[] = {classes, elements / width, width};
    const int64_t shape_of_rows[] = {elements / width, width, classes};
    iqa_confusion_options counting = IQA_CONFUSION_OPTIONS_INIT;
    counting.candidate = IQA_LABELS_ARGMAX;
    counting.class_axis = rows ? 2 : 0;
    count(state, how, counting, iqa_cpu_tensor(reference.data(), IQA_UINT8, 2, shape),
          iqa_cpu_tensor(scores.data(), dtype, 3, rows ? shape_of_rows : shape_of_planes), double(elements),
          double(elements) * (1 + double(classes) * sizeof(Score)));
}

template <class Body>
void add_case(const std::string &name, const processor &set, int32_t classes, int threads, const Body &body)
{
    const setting how{classes, set.isa, threads};
    const std::string full = "confusion/" + name + "/" + set.name + "/threads:" + std::to_string(threads);
    auto *added = benchmark::RegisterBenchmark(full.c_str(), [=](benchmark::State &state) { body(state, how); });
    added->Unit(benchmark::kMillisecond);
    if (threads > 1) // with one thread its processor time, undisturbed by other programs
        added->UseRealTime();
}

template <class Label>
void add(const char *type, int dtype)
{
    const struct {
        const char *name;
        content kind;
    } contents[] = {{"map", content::map}, {"errors", content::errors}, {"noise", content::noise}};
    for (const int32_t classes : {2, 4, 6, 19, 150, 1000}) {
        if (classes > int64_t(std::numeric_limits<Label>::max()))
            continue;
        for (const auto &[name, kind] : contents)
            for (const processor &set : processors)
                for (const int threads : {1, 2})
                    add_case(std::string(name) + "/C:" + std::to_string(classes) + "/" + type, set, classes, threads,
                             [=, kind = kind](benchmark::State &state, const setting &how) {
                                 run_labels<Label>(state, kind, how, dtype);
                             });
    }
}

template <class Label>
void add_weights_and_samples(const char *type, int dtype)
{
    for (const int32_t classes : {2, 19, 150})
        for (const processor &set : processors)
            for (const int threads : {1, 2}) {
                const std::string of = "/C:" + std::to_string(classes) + "/" + type;
                for (const auto &[name, kind] :
                     {std::pair("weights", content::map), std::pair("weighted_noise", content::noise)})
                    add_case(name + of, set, classes, threads,
                             [=, kind = kind](benchmark::State &state, const setting &how) {
                                 run_weights<Label>(state, kind, how, dtype);
                             });
                add_case("samples" + of, set, classes, threads,
                         [=](benchmark::State &state, const setting &how) { run_samples<Label>(state, how, dtype); });
            }
}

template <class Score>
void add_scores(const char *type, int dtype)
{
    for (const bool rows : {false, true})
        for (const int32_t classes : {2, 19, 150})
            for (const processor &set : processors)
                for (const int threads : {1, 2})
                    add_case(std::string("scores/") + (rows ? "rows" : "planes") + "/C:" + std::to_string(classes) +
                                 "/" + type,
                             set, classes, threads, [=](benchmark::State &state, const setting &how) {
                                 run_scores<Score>(state, rows, how, dtype);
                             });
}

} // namespace

int main(int argc, char **argv)
{
    add<uint8_t>("uint8", IQA_UINT8);
    add<int32_t>("int32", IQA_INT32);
    add<int64_t>("int64", IQA_INT64);
    add_weights_and_samples<uint8_t>("uint8", IQA_UINT8);
    add_weights_and_samples<int64_t>("int64", IQA_INT64);
    add_scores<uint16_t>("float16", IQA_FLOAT16);
    add_scores<uint16_t>("bfloat16", IQA_BFLOAT16);
    add_scores<float>("float32", IQA_FLOAT32);
    add_scores<double>("float64", IQA_FLOAT64);
    benchmark::Initialize(&argc, argv);
    std::printf("ceiling of one thread: %.1f GB/s from memory\n", memory_rate() / 1e9);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
