// SPDX-License-Identifier: MIT
// Tests that need a GPU: large concurrent grids, streams, and a graph that is captured and launched. Skipped without a
// GPU.
#include <cuda_runtime_api.h>

#include "cuda/cases/cases.hpp"
#include "cuda/places/place.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

bool skipped()
{
    if (place::missing() == nullptr)
        return false;
    WARN("skipped: " << place::missing());
    return true;
}

// A pair of images on the GPU, with noise.
struct gpu_images {
    std::vector<int64_t> shape;
    iqa_tensor reference{}, candidate{};

    explicit gpu_images(std::vector<int64_t> extents) : shape(std::move(extents))
    {
        size_t count = 1;
        for (const int64_t extent : shape)
            count *= size_t(extent);
        std::vector<float> x(count);
        std::vector<float> y(count);
        random_numbers random(3);
        for (size_t i = 0; i < count; ++i) {
            x[i] = float(random.uniform());
            y[i] = x[i] + float(random.uniform() - 0.5) / 8;
        }
        for (auto [tensor, host] : {std::pair{&reference, &x}, {&candidate, &y}}) {
            void *memory = place::take(count * sizeof(float));
            place::to_device(memory, host->data(), count * sizeof(float));
            *tensor = iqa_cpu_tensor(memory, IQA_FLOAT32, int32_t(shape.size()), shape.data());
            tensor->device_type = IQA_CUDA;
        }
    }
    gpu_images(const gpu_images &) = delete;
    gpu_images &operator=(const gpu_images &) = delete;
    ~gpu_images()
    {
        place::give_back(reference.data);
        place::give_back(candidate.data);
    }
};

context_pointer context_on(cudaStream_t stream)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.cuda_stream = stream;
    iqa_context *context = nullptr;
    REQUIRE(iqa_context_create(&options, &context) == IQA_OK);
    return context_pointer(context);
}

iqa_ssim_options unit_range(int layout)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.layout = layout;
    options.data_low = 0;
    options.data_high = 1;
    return options;
}

} // namespace

TEST_CASE("many blocks at once give the same state each time")
{
    if (skipped())
        return;
    const gpu_images images({8, 3, 1080, 1920});
    cudaStream_t stream = nullptr;
    REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
    {
        const context_pointer context = context_on(stream);
        std::vector<unsigned char> first;
        for (int round = 0; round < 10; ++round) {
            const metric_pointer metric = make_ssim(context, unit_range(IQA_LAYOUT_NCHW));
            REQUIRE(iqa_metric_update(metric.get(), &images.reference, &images.candidate, nullptr) == IQA_OK);
            const auto state = bytes_of(metric);
            if (round == 0)
                first = state;
            CHECK((state == first));
        }
    }
    cudaStreamDestroy(stream);
}

TEST_CASE("an update is captured into a graph, which counts at each launch")
{
    if (skipped())
        return;
    const gpu_images images({2, 3, 256, 256});
    cudaStream_t stream = nullptr;
    REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
    {
        const context_pointer context = context_on(stream);
        const metric_pointer metric = make_ssim(context, unit_range(IQA_LAYOUT_NCHW));
        const auto update = [&](const metric_pointer &target) {
            return iqa_metric_update(target.get(), &images.reference, &images.candidate, nullptr);
        };
        REQUIRE(update(metric) == IQA_OK); // allocates the memory
        cudaGraph_t graph = nullptr;
        cudaGraphExec_t executable = nullptr;
        REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed) == cudaSuccess);
        CHECK(update(metric) == IQA_OK);
        REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
        REQUIRE(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
        for (int i = 0; i < 4; ++i)
            REQUIRE(cudaGraphLaunch(executable, stream) == cudaSuccess);
        const metric_pointer expected = make_ssim(context, unit_range(IQA_LAYOUT_NCHW));
        for (int i = 0; i < 5; ++i)
            REQUIRE(update(expected) == IQA_OK);
        CHECK((bytes_of(metric) == bytes_of(expected)));
        cudaGraphExecDestroy(executable);
        cudaGraphDestroy(graph);
    }
    cudaStreamDestroy(stream);
}

TEST_CASE("the caller's device stays current, and no error is left behind")
{
    if (skipped())
        return;
    const gpu_images images({1, 1, 40, 40});
    int before = -1;
    REQUIRE(cudaGetDevice(&before) == cudaSuccess);
    const context_pointer context = make_context();
    const metric_pointer metric = make_ssim(context, unit_range(IQA_LAYOUT_NCHW));
    CHECK(iqa_metric_update(metric.get(), &images.reference, &images.candidate, nullptr) == IQA_OK);
    CHECK(read(metric) <= 1);
    int after = -1;
    REQUIRE(cudaGetDevice(&after) == cudaSuccess);
    CHECK(before == after);
    CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("the whole network has the CPU's features in all layers and batches")
{
    if (skipped())
        return;
    const recorded_pictures pictures;
    const auto context = make_context();
    const network_pointer network = make_network(context);
    constexpr int64_t picture_bytes = recorded_pictures::height * recorded_pictures::width * 3;
    for (const int64_t batch : {1, 2, 7, 32}) {
        CAPTURE(batch);
        const auto found = recorded_pictures::hashes_of(
            batch, [&](int64_t first, int64_t count, const std::vector<int64_t> &widths, const auto &outputs) {
                std::vector<void *> memory = {place::take(size_t(count * picture_bytes))};
                place::to_device(memory[0], pictures.bytes.data() + first * picture_bytes,
                                 size_t(count * picture_bytes));
                std::vector<std::unique_ptr<tensor>> views;
                std::vector<iqa_layer_features> entries;
                for (int layer = 0; layer < recorded_pictures::layers; ++layer) {
                    const int64_t columns = widths[size_t(layer)];
                    memory.push_back(place::take(size_t(count * columns) * sizeof(float)));
                    views.push_back(
                        std::make_unique<tensor>(memory.back(), IQA_FLOAT32, std::vector<int64_t>{count, columns}));
                    views.back()->view.device_type = IQA_CUDA;
                    entries.push_back({layer, *views.back()});
                }
                tensor all(memory[0], IQA_UINT8, {count, pictures.height, pictures.width, 3});
                all.view.device_type = IQA_CUDA;
                REQUIRE(iqa_network_features(network.get(), all, entries.data(), entries.size()) == IQA_OK);
                for (size_t layer = 0; layer < entries.size(); ++layer)
                    place::to_host(outputs[layer], memory[layer + 1], size_t(count * widths[layer]) * sizeof(float));
                for (void *block : memory)
                    place::give_back(block);
            });
        CHECK(found == recorded_pictures::recorded());
    }
}

TEST_CASE("FID of a thousand features: every block of every launch has its part")
{
    if (skipped())
        return;
    const fid_outcome expected = run_fid(1000, 3000, false);
    CHECK(expected.parts.size() == 4);
    for (int round = 0; round < 3; ++round)
        CHECK((run_fid(1000, 3000, true) == expected));
}
