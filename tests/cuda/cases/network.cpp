// SPDX-License-Identifier: MIT
// Networks small enough for slow machines: resizing, every kind of step and window, tiles that are not full, several
// outputs, and faults.
#include <cmath>
#include <limits>

#include "backend/backend.hpp"
#include "cuda/cases/cases.hpp"
#include "cuda/places/place.hpp"

namespace test {

namespace {

using iqa::feature_map;
using iqa::network_step;
using iqa::resize_rule;
using iqa::step_kind;
using iqa::window;

constexpr unsigned char poison = 0x5a;

// A block of memory on the CPU or on the device.
class placed_block {
public:
    placed_block(std::vector<std::byte> content, bool on_device) : content_(std::move(content))
    {
        if (!on_device)
            return;
        device_ = place::take(content_.size());
        place::to_device(device_, content_.data(), content_.size());
    }
    placed_block(const placed_block &) = delete;
    placed_block &operator=(const placed_block &) = delete;
    ~placed_block()
    {
        if (device_ != nullptr)
            place::give_back(device_);
    }

    std::byte *get() { return device_ != nullptr ? static_cast<std::byte *>(device_) : content_.data(); }
    std::vector<std::byte> content()
    {
        if (device_ != nullptr)
            place::to_host(content_.data(), device_, content_.size());
        return content_;
    }

private:
    std::vector<std::byte> content_;
    void *device_ = nullptr;
};

// A case while it is put together. Maps and weights are numbers of floats into a block until it is placed.
class network_builder {
public:
    explicit network_builder(int64_t pictures) : pictures_(pictures) {}

    int map(int height, int width, int channels, int margin = 0)
    {
        const int64_t row = int64_t(width + 2 * margin) * channels;
        const int64_t stride = iqa::round_up((height + 2 * margin) * row, 16);
        network_.maps.push_back({nullptr, stride, row, channels, height, width, channels, margin});
        network_.map_starts.push_back(network_.map_floats + margin * (row + channels));
        network_.map_floats += stride * pictures_;
        const int number = int(network_.maps.size()) - 1;
        if (margin != 0)
            network_.steps.push_back({step_kind::clear_margin, number, number, 0, 0, {}, 0, 0, false});
        return number;
    }

    // Into a new map.
    int convolve(int from, const window &reach, int channels, int margin = 0, bool rectify = true)
    {
        const int to =
            map(extent(network_.maps[size_t(from)].height, reach.rows, reach.above, reach.step),
                extent(network_.maps[size_t(from)].width, reach.columns, reach.left, reach.step), channels, margin);
        convolve_into(to, 0, from, reach, channels, rectify);
        return to;
    }

    void convolve_into(int to, int channel, int from, const window &reach, int channels, bool rectify = true)
    {
        const int64_t chain = int64_t(reach.rows) * reach.columns * network_.maps[size_t(from)].channels;
        const int64_t weights = take(chain * channels, scale / std::sqrt(double(chain)));
        const int64_t bias = take(channels, 0.5);
        network_.steps.push_back({step_kind::convolve, from, to, channel, channels, reach, weights, bias, rectify});
    }

    void pool_into(step_kind kind, int to, int channel, int from, const window &reach)
    {
        network_.steps.push_back({kind, from, to, channel, network_.maps[size_t(from)].channels, reach, 0, 0, false});
    }

    int mean_of(int from)
    {
        const feature_map &all = network_.maps[size_t(from)];
        const window whole = {all.height, all.width, 1, 0, 0};
        const int to = map(1, 1, all.channels);
        pool_into(step_kind::average_map, to, 0, from, whole);
        return to;
    }

    void output(int map) { network_.outputs.push_back(map); }

    network_case end(const std::string &name, case_tensor pictures, int32_t layout,
                     resize_rule resize = resize_rule::tensorflow)
    {
        network_.name = name;
        network_.pictures = std::move(pictures);
        network_.layout = layout;
        network_.resize = int32_t(resize);
        return network_;
    }

    double scale = 2.0; // of weights

private:
    static int extent(int from, int window_extent, int out, int step)
    {
        return (from + 2 * out - window_extent) / step + 1;
    }

    int64_t take(int64_t count, double spread)
    {
        const auto first = int64_t(network_.weights.size());
        for (int64_t i = 0; i < count; ++i)
            network_.weights.push_back(float((random_.uniform() * 2 - 1) * spread));
        return first;
    }

    const int64_t pictures_;
    random_numbers random_{5};
    network_case network_;
};

case_tensor pictures_of(int dtype, std::vector<int64_t> shape)
{
    auto random = std::make_shared<random_numbers>(uint64_t(dtype));
    const auto value = [=](int64_t) {
        return double(random->below(256));
    };
    switch (dtype) {
    case IQA_UINT8:
        return dense<uint8_t>(std::move(shape), value);
    case IQA_UINT16:
        return dense<uint16_t>(std::move(shape), value);
    case IQA_INT16:
        return dense<int16_t>(std::move(shape), value);
    case IQA_FLOAT16:
        return dense<iqa::float16>(std::move(shape), value);
    case IQA_BFLOAT16:
        return dense<iqa::bfloat16>(std::move(shape), value);
    case IQA_FLOAT32:
        return dense<float>(std::move(shape), value);
    default:
        return dense<double>(std::move(shape), value);
    }
}

constexpr window pixel = {1, 1, 1, 0, 0};

// All kinds of windows one after another, and two branches into one map.
network_case windows_case(int64_t pictures)
{
    network_builder build(pictures);
    const int input = build.map(19, 17, 3, 1);
    const int first = build.convolve(input, {3, 3, 2, 1, 1}, 32, 2);
    const int second = build.convolve(first, {5, 5, 1, 2, 2}, 48, 3);
    const int third = build.convolve(second, {1, 7, 1, 0, 3}, 96, 3);
    const int both = build.map(10, 9, 2 * 96);
    build.convolve_into(both, 0, third, {7, 1, 1, 3, 0}, 96);
    build.pool_into(step_kind::pool_average, both, 96, third, {3, 3, 1, 1, 1});
    const int pooled = build.map(4, 4, 2 * 96);
    build.pool_into(step_kind::pool_maximum, pooled, 0, both, {3, 3, 2, 0, 0});
    const int around = build.map(4, 4, 2 * 96);
    build.pool_into(step_kind::pool_maximum, around, 0, pooled, {3, 3, 1, 1, 1});
    const int features = build.mean_of(build.convolve(around, pixel, 64, 0, false));
    const int scores = build.convolve(features, pixel, 48, 0, false);
    build.output(build.mean_of(pooled));
    build.output(scores);
    build.output(features);
    return build.end("windows, " + std::to_string(pictures) + " pictures",
                     pictures_of(IQA_UINT8, {pictures, 23, 40, 3}), IQA_LAYOUT_NHWC);
}

// Outputs for which each of the tiles is chosen.
network_case tiles_case(int64_t pictures)
{
    network_builder build(pictures);
    const int input = build.map(12, 12, 3, 1);
    const int first = build.convolve(input, {3, 3, 1, 1, 1}, 32, 1);
    const int last = build.map(12, 12, 256 + 192 + 64 + 160);
    build.convolve_into(last, 0, first, pixel, 256);
    build.convolve_into(last, 256, first, {3, 3, 1, 1, 1}, 192);
    build.convolve_into(last, 256 + 192, first, pixel, 64, false);
    build.convolve_into(last, 256 + 192 + 64, first, {1, 3, 1, 0, 1}, 160);
    build.output(build.mean_of(last));
    return build.end("tiles, " + std::to_string(pictures) + " pictures", pictures_of(IQA_UINT8, {pictures, 12, 12, 3}),
                     IQA_LAYOUT_NHWC, resize_rule::none);
}

// One grey channel stands for any number of them, with which a chain is no whole number of steps.
network_case channels_case(int channels)
{
    network_builder build(2);
    const int input = build.map(6, 5, channels, 1);
    const int first = build.convolve(input, {3, 3, 1, 1, 1}, 64);
    build.output(build.mean_of(first));
    build.output(build.mean_of(build.convolve(input, pixel, 32, 0, false)));
    return build.end(std::to_string(channels) + " channels", pictures_of(IQA_UINT8, {2, 9, 9, 1}), IQA_LAYOUT_NHWC);
}

network_case resizing_case(resize_rule resize, int dtype, int64_t height, int64_t width, int32_t layout)
{
    network_builder build(2);
    const int input = build.map(13, 11, 3);
    build.output(build.mean_of(build.convolve(input, pixel, 32)));
    std::vector<int64_t> shape = {2, height, width, 3};
    if (layout == IQA_LAYOUT_NCHW)
        shape = {2, 3, height, width};
    return build.end("resizing " + std::to_string(int(resize)) + " of type " + std::to_string(dtype) + ", " +
                         std::to_string(width) + " x " + std::to_string(height),
                     pictures_of(dtype, shape), layout, resize);
}

network_case faulty_case(const std::string &name, double sample, double scale)
{
    network_builder build(3);
    build.scale = scale;
    const int input = build.map(7, 7, 3);
    const int first = build.convolve(input, pixel, 32);
    build.output(build.mean_of(first));
    build.output(build.mean_of(build.convolve(build.convolve(first, pixel, 80), pixel, 32)));
    return build.end(name, dense<float>({3, 7, 7, 3}, [=](int64_t i) { return i == 200 ? sample : double(i % 99); }),
                     IQA_LAYOUT_NHWC, resize_rule::clean);
}

} // namespace

std::vector<network_case> network_cases(bool few)
{
    std::vector<network_case> cases = {windows_case(1), tiles_case(3), channels_case(20)};
    cases.push_back(faulty_case("a sample that is not finite", std::numeric_limits<double>::infinity(), 2.0));
    cases.push_back(faulty_case("a feature that is not finite", 1.0, 1e20));
    cases.push_back(resizing_case(resize_rule::clean, IQA_UINT8, 41, 30, IQA_LAYOUT_NHWC));
    if (few)
        return cases;
    cases.push_back(windows_case(3));
    cases.push_back(tiles_case(1));
    for (const int channels : {1, 5, 6, 12})
        cases.push_back(channels_case(channels));
    for (const resize_rule rule :
         {resize_rule::tensorflow, resize_rule::pytorch, resize_rule::clean, resize_rule::torchmetrics}) {
        for (const int dtype : {IQA_UINT8, IQA_UINT16, IQA_INT16, IQA_FLOAT16, IQA_BFLOAT16, IQA_FLOAT32, IQA_FLOAT64})
            cases.push_back(resizing_case(rule, dtype, 31, 29, IQA_LAYOUT_NCHW));
        cases.push_back(resizing_case(rule, IQA_FLOAT32, 5, 6, IQA_LAYOUT_NHWC));
        cases.push_back(resizing_case(rule, IQA_UINT8, 1, 64, IQA_LAYOUT_NHWC));
    }
    return cases;
}

std::vector<network_case> network_cases_of(int64_t pictures)
{
    return {windows_case(pictures), tiles_case(pictures)};
}

network_outcome run_case(const network_case &each, bool on_device, const context_pointer &context)
{
    const iqa::backend &functions = on_device ? iqa::cuda_backend() : iqa::cpu_backend();
    struct closing {
        void operator()(iqa::device_ledger *ledger) const { ledger->close(); }
    };
    const std::unique_ptr<iqa::device_ledger, closing> ledger(on_device ? functions.open(*context, 0, 0, false)
                                                                        : nullptr);
    iqa::memory_source &source = on_device ? static_cast<iqa::memory_source &>(*ledger) : *context;
    iqa::workspace memory(source, *context);
    iqa::scratch weights_memory(source);

    const int64_t pictures = each.pictures.shape[0];
    placed_block images(each.pictures.bytes, on_device);
    placed_block maps(std::vector<std::byte>(size_t(each.map_floats) * sizeof(float), std::byte{poison}), on_device);
    std::vector<std::unique_ptr<placed_block>> outputs;
    std::vector<feature_map> placed = each.maps;
    for (size_t i = 0; i < placed.size(); ++i)
        placed[i].data = reinterpret_cast<float *>(maps.get()) + each.map_starts[i];
    std::vector<iqa::feature_output> views;
    for (const int map : each.outputs) {
        const bool is_double = views.size() % 2 == 1; // and transposed
        const int64_t width = each.maps[size_t(map)].channels;
        outputs.push_back(std::make_unique<placed_block>(
            std::vector<std::byte>(size_t(pictures * width) * (is_double ? 8 : 4), std::byte{poison}), on_device));
        views.push_back(
            {placed[size_t(map)], outputs.back()->get(), is_double, is_double ? 1 : width, is_double ? pictures : 1});
    }

    network_outcome outcome;
    const auto begin = [&] {
        if (ledger != nullptr)
            ledger->begin();
    };
    begin();
    const float *const weights = functions.network_weights(*context, weights_memory, each.weights);
    std::vector<network_step> steps;
    for (const network_case::step &from : each.steps) {
        network_step step = {.kind = from.kind,
                             .from = placed[size_t(from.from)],
                             .to = placed[size_t(from.to)],
                             .reach = from.reach,
                             .weights = weights + from.weights,
                             .bias = weights + from.bias,
                             .rectify = from.rectify};
        step.to.data += from.channel;
        if (from.kind != step_kind::clear_margin)
            step.to.channels = from.channels;
        steps.push_back(step);
    }
    iqa_tensor tensor = iqa_cpu_tensor(images.get(), each.pictures.dtype, 4, each.pictures.shape.data());
    tensor.device_type = on_device ? IQA_CUDA : IQA_CPU;
    iqa::network_request request{.pictures = iqa::view_pictures(&tensor, "pictures", each.layout),
                                 .range = {0, 255},
                                 .resize = static_cast<resize_rule>(each.resize),
                                 .input = placed[0],
                                 .steps = steps,
                                 .outputs = views,
                                 .done = 0,
                                 .total = pictures};
    functions.network(*context, memory, request);
    if (ledger != nullptr)
        ledger->end(true);
    const iqa::nonfinite_feature &fault = request.fault;
    outcome.faults = {request.faulty_picture, fault.output, fault.picture, fault.feature,
                      fault.value != fault.value ? 0 : int64_t(iqa::bits_of(fault.value))}; // NaN has any bits
    if (request.faulty_picture >= 0 || fault.output >= 0)
        return outcome; // what else there is, is not specified
    outcome.contents.push_back(maps.content());
    for (const auto &output : outputs)
        outcome.contents.push_back(output->content());
    return outcome;
}

} // namespace test
