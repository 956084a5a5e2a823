// SPDX-License-Identifier: MIT
// Where the time of FID's network goes, on one thread: for each convolution its share of the machine's peak of
// multiply-adds, and what all else takes. Times are those between the calls of the progress callback, of which there is
// one before each step.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "ceilings.hpp"
#include "iqa_c.h"
#include "metrics/network/inception.hpp"
#include "seeded_network.hpp"

namespace {

constexpr int64_t pictures = 4;
constexpr int64_t side = iqa::inception_side;
constexpr int rounds = 9;

void require(iqa_status status)
{
    if (status != IQA_OK) {
        std::fprintf(stderr, "%s\n", iqa_status_name(status));
        std::exit(1);
    }
}

// The processor time of this thread, so that other programs do not count.
double now()
{
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

int32_t note_time(void *times, int64_t, int64_t)
{
    static_cast<std::vector<double> *>(times)->push_back(now());
    return 0;
}

// Seconds of what comes before the first step, and of each step: the least of some rounds.
std::vector<double> time_steps(iqa_network *network, std::vector<double> &times)
{
    const int64_t shape[] = {pictures, side, side, 3};
    std::vector<uint8_t> samples(size_t(pictures * side * side * 3));
    for (size_t i = 0; i < samples.size(); ++i)
        samples[i] = uint8_t(i * 2654435761u >> 13);
    const iqa_tensor images = iqa_cpu_tensor(samples.data(), IQA_UINT8, 4, shape);
    const int64_t widths[] = {pictures, iqa::inception_width};
    std::vector<float> features(size_t(pictures * iqa::inception_width));
    iqa_tensor output = iqa_cpu_tensor(features.data(), IQA_FLOAT32, 2, widths);
    const iqa_layer_features outputs[] = {{IQA_LAYER_2048, &output}};
    std::vector<double> least;
    for (int round = 0; round < rounds; ++round) {
        times.assign(1, now());
        require(iqa_network_features(network, &images, outputs, 1));
        times.push_back(now());
        least.resize(times.size() - 1, 1e9);
        for (size_t i = 0; i < least.size(); ++i)
            least[i] = std::min(least[i], times[i + 1] - times[i]);
    }
    return least;
}

// The steps that a call takes: those that clear no margin, and the means of layers that nobody wants, fall away.
std::vector<const iqa::graph_step *> steps_taken()
{
    std::vector<const iqa::graph_step *> taken;
    for (int i = 0; i < iqa::inception.step_count; ++i) {
        const iqa::graph_step &step = iqa::inception.steps[size_t(i)];
        if ((step.kind != iqa::step_kind::clear_margin || iqa::inception.maps[size_t(step.to)].margin != 0) &&
            (step.kind != iqa::step_kind::average_map || step.layer == iqa::inception_layer::pool3))
            taken.push_back(&step);
    }
    return taken;
}

} // namespace

int main()
{
    std::vector<double> times;
    iqa_context_options of_context = IQA_CONTEXT_OPTIONS_INIT;
    of_context.threads = 1;
    of_context.progress = note_time;
    of_context.progress_user = &times;
    iqa_context *context = nullptr;
    require(iqa_context_create(&of_context, &context));
    iqa_network *network = nullptr;
    require(bench::make_network(context, pictures, &network)); // each step once in a call
    const std::vector<double> least = time_steps(network, times);
    const std::vector<const iqa::graph_step *> steps = steps_taken();
    if (least.size() != steps.size() + 1) {
        std::fprintf(stderr, "%zu steps were timed, expected %zu\n", least.size(), steps.size() + 1);
        return 1;
    }
    const double peak = bench::fma_ceiling(std::string(iqa_context_instruction_set(context)) == "avx512");
    std::printf("%s, one thread, peak %.0f GFLOP/s, milliseconds a picture\n", iqa_context_instruction_set(context),
                peak * 1e-9);
    std::printf("%-14s %-18s %-6s %5s %5s %8s %8s %8s %6s\n", "block", "convolution", "window", "in", "out", "map",
                "MFMA", "ms", "peak");
    const double resizing = least[0];
    double convolving = 0, others = 0, work = 0;
    for (size_t i = 0; i < steps.size(); ++i) {
        const iqa::graph_step &step = *steps[i];
        const double seconds = least[i + 1];
        if (step.convolution < 0) {
            others += seconds;
            continue;
        }
        const iqa::convolution_shape &shape = iqa::inception.shapes[size_t(step.convolution)];
        const iqa::map_shape &map = iqa::inception.maps[size_t(step.to)];
        const double multiply_adds = double(shape.chain() * shape.outputs) * map.height * map.width;
        std::printf("%-14s %-18s %d x %d %6d %5d %3d x %-3d %7.1f %8.3f %5.0f%%\n", shape.block, shape.branch,
                    shape.rows, shape.columns, shape.inputs, shape.outputs, map.height, map.width, multiply_adds * 1e-6,
                    seconds * 1e3 / pictures, 200.0 * multiply_adds * pictures / seconds / peak);
        convolving += seconds;
        work += multiply_adds * pictures;
    }
    std::printf("convolutions %.2f ms (%.0f%% of the peak), resizing %.2f ms, pooling and margins %.2f ms\n",
                convolving * 1e3 / pictures, 200.0 * work / convolving / peak, resizing * 1e3 / pictures,
                others * 1e3 / pictures);
    iqa_network_destroy(network);
    iqa_context_destroy(context);
    return 0;
}
