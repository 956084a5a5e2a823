// SPDX-License-Identifier: MIT
// Inception v3: each kernel against the chain that defines it, the whole network with the same bits whatever may vary,
// and what is refused. Peers' features are compared in bindings/python/tests/test_inception_peers.py.
#include <cmath>
#include <cstring>
#include <limits>

#include "arith/network.h"
#include "arith/resize.h"
#include "cpu/network/kernels.hpp"
#include "metrics/network/inception.hpp"
#include "support/catch.hpp"
#include "support/counting_allocator.hpp"
#include "support/networks.hpp"
#include "support/progress_watch.hpp"

using namespace test;

namespace {

std::vector<const iqa::network_kernels *> kernel_tables()
{
    std::vector<const iqa::network_kernels *> tables;
    for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512}) {
        const auto context = make_context(1, isa);
        const iqa::network_kernels *table = &iqa::network_kernels_for(*context);
        if (tables.empty() || table != tables.back())
            tables.push_back(table);
    }
    return tables;
}

std::vector<float> random_floats(random_numbers &random, size_t count)
{
    std::vector<float> numbers(count);
    for (float &number : numbers)
        number = float(random.uniform() * 2 - 1);
    return numbers;
}

bool same_bits(const std::vector<float> &a, const std::vector<float> &b)
{
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

} // namespace

TEST_CASE("a convolution is its chain in every instruction set", "[network]")
{
    random_numbers random(3);
    for (int trial = 0; trial < 60; ++trial) {
        const int rows = 1 + int(random.below(7)), columns = 1 + int(random.below(7));
        const int step = 1 + int(random.below(2));
        const int channels = trial % 4 == 0 ? 3 : 1 + int(random.below(150));
        const int groups = 1 + int(random.below(8));
        const int height = 1 + int(random.below(6)), width = 1 + int(random.below(9));
        const int64_t row_stride = int64_t((width - 1) * step + columns) * channels;
        const std::vector<float> input = random_floats(random, size_t(((height - 1) * step + rows) * row_stride));
        const int64_t chain = int64_t(rows) * columns * channels;
        const std::vector<float> weights = random_floats(random, size_t(groups * chain * iqa::network_group));
        const std::vector<float> bias = random_floats(random, size_t(groups * iqa::network_group));
        const bool rectify = trial % 2 == 0;
        const int64_t pixel_stride = groups * iqa::network_group;
        std::vector<float> expected(size_t(height * width * pixel_stride), -7.0f);
        const int64_t first = random.below(height * width);
        const int64_t count = 1 + random.below(height * width - first);
        for (int64_t pixel = first; pixel < first + count; ++pixel)
            for (int64_t output = 0; output < pixel_stride; ++output) {
                float sum = bias[size_t(output)];
                const float *const window =
                    input.data() + pixel / width * step * row_stride + pixel % width * step * channels;
                for (int64_t k = 0; k < chain; ++k) {
                    const int64_t row = k / (columns * channels);
                    sum = std::fma(weights[size_t((output / iqa::network_group * chain + k) * iqa::network_group +
                                                  output % iqa::network_group)],
                                   window[row * row_stride + k % (columns * channels)], sum);
                }
                expected[size_t(pixel * pixel_stride + output)] = rectify && !(sum > 0.0f) ? 0.0f : sum;
            }
        for (const iqa::network_kernels *kernels : kernel_tables()) {
            INFO(kernels->name << " trial " << trial);
            std::vector<float> output(expected.size(), -7.0f);
            kernels->convolve({
                .input = input.data(),
                .row_stride = row_stride,
                .down = step * row_stride,
                .across = int64_t(step) * channels,
                .window_rows = rows,
                .window_run = int64_t(columns) * channels,
                .width = width,
                .first = first,
                .count = count,
                .weights = weights.data(),
                .bias = bias.data(),
                .groups = groups,
                .rectify = rectify,
                .output = output.data(),
                .output_row_stride = width * pixel_stride,
                .output_pixel_stride = pixel_stride,
            });
            CHECK(same_bits(output, expected));
        }
    }
}

TEST_CASE("pools are what they say in every instruction set", "[network]")
{
    random_numbers random(4);
    for (int trial = 0; trial < 40; ++trial) {
        const int rows = 1 + int(random.below(8)), columns = 1 + int(random.below(8));
        const int channels = iqa::pooled_together * (1 + int(random.below(6)));
        std::vector<float> input = random_floats(random, size_t(rows * columns * channels));
        if (trial % 4 == 0)
            input[random.below(input.size())] = std::numeric_limits<float>::quiet_NaN();
        std::vector<float> largest, average;
        for (int channel = 0; channel < channels; ++channel) {
            float most = -2.0f;
            double sum = 0.0;
            for (int pixel = 0; pixel < rows * columns; ++pixel) {
                const float sample = input[size_t(pixel * channels + channel)];
                most = std::isnan(most) || std::isnan(sample) ? std::numeric_limits<float>::quiet_NaN()
                                                              : std::max(most, sample);
                sum += double(sample);
            }
            largest.push_back(most);
            average.push_back(float(sum / (rows * columns)));
        }
        for (const iqa::network_kernels *kernels : kernel_tables()) {
            INFO(kernels->name << " trial " << trial);
            std::vector<float> output(static_cast<size_t>(channels));
            const iqa::pooling_window window = {
                input.data(), int64_t(columns) * channels, channels, rows, columns, channels, output.data()};
            kernels->pool_maximum(window);
            CHECK(same_bits(output, largest));
            kernels->pool_average(window);
            CHECK(same_bits(output, average));
        }
    }
}

TEST_CASE("weights of resizing sum to 1 and stay inside", "[network]")
{
    using iqa::resize_rule;
    for (const resize_rule rule :
         {resize_rule::tensorflow, resize_rule::pytorch, resize_rule::clean, resize_rule::torchmetrics})
        for (const int64_t source : {1, 2, 3, 7, 64, 298, 299, 300, 512, 1023, 4096}) {
            const int64_t most = iqa::most_resize_taps(rule, source, 299);
            std::vector<double> weights(size_t(most) + 1, 99.0);
            for (int64_t i = 0; i < 299; ++i) {
                const iqa::resize_taps taps = iqa::resize_weights(rule, source, 299, i, weights.data());
                CHECK((taps.first >= 0 && taps.count >= 1 && taps.count <= most && taps.first + taps.count <= source));
                double sum = 0.0;
                for (int tap = 0; tap < taps.count; ++tap)
                    sum += weights[size_t(tap)];
                CHECK(std::abs(sum - 1.0) < 1e-12);
                if (source == 299)
                    CHECK(weights[size_t(i - taps.first)] == 1.0);
            }
            CHECK(weights.back() == 99.0);
        }
}

TEST_CASE("the graph is the published one", "[network]")
{
    CHECK(iqa::inception.shape_count == 94);
    int64_t multiply_adds = 0;
    for (int i = 0; i < iqa::inception.step_count; ++i) {
        const iqa::graph_step &step = iqa::inception.steps[size_t(i)];
        if (step.kind != iqa::step_kind::convolve) {
            CHECK((step.kind == iqa::step_kind::clear_margin || step.channels % iqa::pooled_together == 0));
            continue;
        }
        const iqa::map_shape &to = iqa::inception.maps[size_t(step.to)];
        CHECK(to.slot != iqa::inception.maps[size_t(step.from)].slot);
        CHECK(step.channel + step.channels <= to.channels);
        multiply_adds += iqa::inception.shapes[size_t(step.convolution)].chain() * step.channels * to.height * to.width;
    }
    CHECK(multiply_adds == 5711168096);
}

TEST_CASE("features have the same bits whatever may vary", "[network][host]")
{
    constexpr int64_t count = 7, height = 61, width = 83;
    const std::vector<uint8_t> bytes = random_bytes(11, count * height * width * 3);
    const tensor pictures(bytes.data(), IQA_UINT8, {count, height, width, 3});
    const auto usual = make_context(2);
    const network_pointer network = make_network(usual);
    const std::vector<float> expected = features(network, pictures, count, IQA_LAYER_2048);

    SECTION("threads, batches, pictures under way")
    {
        struct {
            int threads, at_once;
            int64_t batch;
        } const ways[] = {{1, 0, 1}, {3, 1, count}, {8, 5, 2}};
        for (const auto &[threads, at_once, batch] : ways) {
            const auto context = make_context(threads);
            iqa_network_options options = IQA_NETWORK_OPTIONS_INIT;
            options.at_once = at_once;
            const network_pointer other = make_network(context, options);
            std::vector<float> all;
            for (int64_t first = 0; first + batch <= count; first += batch) {
                const tensor some(bytes.data() + first * height * width * 3, IQA_UINT8, {batch, height, width, 3});
                const std::vector<float> part = features(other, some, batch, IQA_LAYER_2048);
                all.insert(all.end(), part.begin(), part.end());
            }
            CHECK(same_bits(all, {expected.begin(), expected.begin() + int64_t(all.size())}));
        }
    }
    SECTION("instruction sets")
    {
        const tensor one(bytes.data(), IQA_UINT8, {1, height, width, 3});
        for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2}) {
            const auto context = make_context(2, isa);
            const network_pointer other = make_network(context);
            for (const int layer : {IQA_LAYER_64, IQA_LAYER_192, IQA_LAYER_2048, IQA_LAYER_LOGITS_UNBIASED})
                if (isa != IQA_ISA_BASELINE || layer == IQA_LAYER_64) // multiply-adds are emulated there
                    CHECK(same_bits(features(other, one, 1, layer), features(network, one, 1, layer)));
        }
    }
    SECTION("layouts, strides, element types")
    {
        std::vector<float> planar(bytes.size());
        for (int64_t n = 0; n < count; ++n)
            for (int64_t pixel = 0; pixel < height * width; ++pixel)
                for (int64_t channel = 0; channel < 3; ++channel)
                    planar[size_t((n * 3 + channel) * height * width + pixel)] =
                        float(bytes[size_t((n * height * width + pixel) * 3 + channel)]);
        iqa_network_options options = IQA_NETWORK_OPTIONS_INIT;
        options.layout = IQA_LAYOUT_NCHW;
        options.data_high = 255.0;
        const network_pointer other = make_network(usual, options);
        const tensor view(planar.data(), IQA_FLOAT32, {count, 3, height, width});
        CHECK(same_bits(features(other, view, count, IQA_LAYER_2048), expected));
    }
    SECTION("all layers come from one pass")
    {
        std::vector<std::vector<double>> values;
        std::vector<std::unique_ptr<tensor>> views;
        std::vector<iqa_layer_features> outputs;
        for (int layer = IQA_LAYER_64; layer <= IQA_LAYER_LOGITS_UNBIASED; ++layer) {
            int32_t columns = 0;
            REQUIRE(iqa_network_layer_width(layer, &columns) == IQA_OK);
            values.emplace_back(size_t(count * columns));
            views.push_back(std::make_unique<tensor>(values.back().data(), IQA_FLOAT64,
                                                     std::vector<int64_t>{count, columns},
                                                     std::vector<int64_t>{1, count}));
            outputs.push_back({layer, *views.back()});
        }
        REQUIRE(iqa_network_features(network.get(), pictures, outputs.data(), outputs.size()) == IQA_OK);
        for (int layer = IQA_LAYER_64; layer <= IQA_LAYER_LOGITS_UNBIASED; ++layer) {
            const std::vector<float> alone = features(network, pictures, count, layer);
            const auto columns = int64_t(alone.size()) / count;
            bool same = true;
            for (int64_t n = 0; n < count; ++n)
                for (int64_t i = 0; i < columns; ++i)
                    same =
                        same && double(alone[size_t(n * columns + i)]) == values[size_t(layer)][size_t(i * count + n)];
            CHECK(same);
        }
    }
}

TEST_CASE("recorded features stay", "[network][host]")
{
    const std::vector<uint8_t> bytes = random_bytes(12, 2 * 40 * 50 * 3);
    const tensor pictures(bytes.data(), IQA_UINT8, {2, 40, 50, 3});
    const auto context = make_context(2);
    uint64_t sums[IQA_RESIZE_TORCHMETRICS + 1] = {};
    for (const int resize : {IQA_RESIZE_TENSORFLOW, IQA_RESIZE_PYTORCH, IQA_RESIZE_CLEAN, IQA_RESIZE_TORCHMETRICS}) {
        iqa_network_options options = IQA_NETWORK_OPTIONS_INIT;
        options.resize = resize;
        uint64_t hash = 0xcbf29ce484222325u;
        for (const float value : features(make_network(context, options), pictures, 2, IQA_LAYER_2048))
            hash = (hash ^ iqa::bits_of(value)) * 0x100000001b3u;
        sums[resize] = hash;
    }
    CHECK(sums[IQA_RESIZE_TENSORFLOW] == 0xce0899b938cf9cb4u);
    CHECK(sums[IQA_RESIZE_PYTORCH] == 0x1b3ecb69978abb21u);
    CHECK(sums[IQA_RESIZE_CLEAN] == 0x953136596494ffc1u);
    CHECK(sums[IQA_RESIZE_TORCHMETRICS] == 0x16703a9737cc6ccu);
    uint64_t digest = 0;
    CHECK(iqa_network_digest(make_network(context).get(), &digest) == IQA_OK);
    CHECK(digest == 0x650ccd45537b92d6u);
}

TEST_CASE("features of all layers are those on record", "[network][host][bits]")
{
    const auto [isa, threads] = GENERATE(table<int, int>({{IQA_ISA_AVX2, 3}, {IQA_ISA_AVX512, 2}}));
    const recorded_pictures pictures;
    const auto context = make_context(threads, isa);
    const network_pointer network = make_network(context);
    const auto found = recorded_pictures::hashes_of(
        pictures.count, [&](int64_t, int64_t count, const std::vector<int64_t> &widths, const auto &outputs) {
            std::vector<std::unique_ptr<tensor>> views;
            std::vector<iqa_layer_features> entries;
            for (int layer = 0; layer < recorded_pictures::layers; ++layer) {
                views.push_back(std::make_unique<tensor>(outputs[size_t(layer)], IQA_FLOAT32,
                                                         std::vector<int64_t>{count, widths[size_t(layer)]}));
                entries.push_back({layer, *views.back()});
            }
            const tensor all(pictures.bytes.data(), IQA_UINT8, {count, pictures.height, pictures.width, 3});
            REQUIRE(iqa_network_features(network.get(), all, entries.data(), entries.size()) == IQA_OK);
        });
    CAPTURE(isa, threads);
    CHECK(found == recorded_pictures::recorded());
}

// Of the layer that takes least. Where multiply-adds are emulated, small networks have as many pictures:
// tests/cuda/test_cases.cpp.
TEST_CASE("features have the same bits in any batch, with any threads and instruction set", "[network][host][bits]")
{
    const recorded_pictures pictures;
    const auto of_first = [&](const network_pointer &network, int64_t count) {
        const tensor some(pictures.bytes.data(), IQA_UINT8, {count, pictures.height, pictures.width, 3});
        return features(network, some, count, IQA_LAYER_64);
    };
    const auto usual = make_context(2);
    const std::vector<float> expected = of_first(make_network(usual), pictures.count);
    for (const int isa : {IQA_ISA_AVX2, IQA_ISA_AVX512})
        for (const int threads : {1, 2, 3, 8}) {
            const auto context = make_context(threads, isa);
            const network_pointer network = make_network(context);
            for (const int64_t count : {1, 2, 7, 32}) {
                CAPTURE(isa, threads, count);
                const std::vector<float> found = of_first(network, count);
                CHECK(same_bits(found, {expected.begin(), expected.begin() + int64_t(found.size())}));
            }
        }
}

TEST_CASE("grey pictures stand for three equal channels", "[network]")
{
    const std::vector<uint8_t> grey = random_bytes(13, 30 * 31);
    std::vector<uint8_t> colour;
    for (const uint8_t value : grey)
        colour.insert(colour.end(), 3, value);
    const auto context = make_context(1);
    const network_pointer network = make_network(context);
    const tensor one(grey.data(), IQA_UINT8, {1, 30, 31, 1});
    const tensor three(colour.data(), IQA_UINT8, {1, 30, 31, 3});
    CHECK(same_bits(features(network, one, 1, IQA_LAYER_192), features(network, three, 1, IQA_LAYER_192)));
}

TEST_CASE("weights that do not fit are refused in words", "[network]")
{
    const auto context = make_context(1);
    network_pointer network;
    std::vector<iqa_named_tensor> tensors = standard_weights().tensors();
    const auto refused = [&](iqa_status status, const std::string &text) {
        CHECK(create(context, IQA_NETWORK_OPTIONS_INIT, tensors, network) == status);
        CHECK(network == nullptr);
        CHECK(last_error(context) == text);
    };
    const auto index_of = [&](const std::string &name) {
        for (size_t i = 0; i < tensors.size(); ++i)
            if (name == tensors[i].name)
                return i;
        FAIL(name);
        return size_t(0);
    };
    const size_t at = index_of("Mixed_6b.branch7x7_2.conv.weight");
    SECTION("missing")
    {
        tensors.erase(tensors.begin() + int64_t(at));
        refused(IQA_ERROR_INVALID_ARGUMENT, "tensors lacks Mixed_6b.branch7x7_2.conv.weight");
    }
    SECTION("unknown")
    {
        tensors[at].name = "Mixed_6b.branch7x7_9.conv.weight";
        refused(IQA_ERROR_INVALID_ARGUMENT, "tensors[" + std::to_string(at) +
                                                "] is \"Mixed_6b.branch7x7_9.conv.weight\", which Inception v3 does "
                                                "not have");
    }
    SECTION("twice")
    {
        tensors.push_back(tensors[at]);
        refused(IQA_ERROR_INVALID_ARGUMENT, "tensors has Mixed_6b.branch7x7_2.conv.weight twice");
    }
    SECTION("shape")
    {
        std::swap(tensors[at].tensor, tensors[index_of("Mixed_6b.branch7x7_3.conv.weight")].tensor);
        refused(IQA_ERROR_SHAPE, "Mixed_6b.branch7x7_2.conv.weight has shape [192, 128, 7, 1]; expected [128, 128, 1, "
                                 "7]");
    }
    SECTION("type")
    {
        iqa_tensor integers = *tensors[at].tensor;
        integers.dtype_code = 0;
        tensors[at].tensor = &integers;
        refused(IQA_ERROR_DTYPE, "Mixed_6b.branch7x7_2.conv.weight has element type int32; expected a floating-point "
                                 "type");
    }
    SECTION("not finite")
    {
        seeded_weights weights(7);
        tensors = weights.tensors();
        weights.values("fc.bias")[3] = std::numeric_limits<float>::infinity();
        refused(IQA_ERROR_NUMERIC, "fc.bias has inf; expected finite weights");
    }
    SECTION("variance")
    {
        seeded_weights weights(7);
        tensors = weights.tensors();
        weights.values("Conv2d_1a_3x3.bn.running_var")[2] = -1.0f;
        refused(IQA_ERROR_NUMERIC, "Conv2d_1a_3x3.bn.running_var[2] is -1; expected a variance");
    }
    SECTION("what features do without is passed over")
    {
        const float zero = 0.0f;
        const tensor scalar(&zero, IQA_FLOAT32, {});
        tensors.push_back({"Mixed_5b.branch1x1.bn.num_batches_tracked", scalar});
        CHECK(create(context, IQA_NETWORK_OPTIONS_INIT, tensors, network) == IQA_OK);
    }
}

TEST_CASE("pictures that do not fit are refused in words", "[network]")
{
    const auto context = make_context(1);
    iqa_network_options options = IQA_NETWORK_OPTIONS_INIT;
    const std::vector<float> samples(40 * 40 * 4, 0.5f);
    std::vector<float> values(2048);
    const tensor out(values.data(), IQA_FLOAT32, {1, 2048});
    const auto refused = [&](const network_pointer &network, const iqa_tensor *pictures, const iqa_tensor *features_out,
                             iqa_status status, const std::string &text) {
        const iqa_layer_features output = {IQA_LAYER_2048, features_out};
        CHECK(iqa_network_features(network.get(), pictures, &output, 1) == status);
        CHECK(last_error(context) == text);
    };
    const tensor floats(samples.data(), IQA_FLOAT32, {1, 40, 40, 3});
    {
        const network_pointer network = make_network(context);
        refused(network, tensor(samples.data(), IQA_UINT8, {1, 40, 40, 4}), out, IQA_ERROR_SHAPE,
                "pictures has 4 channels; expected 1 or 3: take the alpha channel off first");
        refused(network, tensor(samples.data(), IQA_UINT8, {40, 40, 3}), out, IQA_ERROR_SHAPE,
                "pictures has shape [40, 40, 3] but the layout IQA_LAYOUT_NHWC has 4 axes; set layout to what the axes "
                "are");
        refused(network, tensor(samples.data(), IQA_UINT8, {1, 40, 40, 3}), tensor(values.data(), IQA_FLOAT32, {1, 64}),
                IQA_ERROR_SHAPE, "features has shape [1, 64]; expected [1, 2048]");
        CHECK(iqa_network_features(network.get(), floats, nullptr, 0) == IQA_ERROR_INVALID_ARGUMENT);
    }
    options.resize = IQA_RESIZE_NONE;
    options.data_high = 1.0;
    const network_pointer exact = make_network(context, options);
    refused(exact, floats, out, IQA_ERROR_SHAPE,
            "pictures are 40 x 40; expected 299 x 299, or another resize than IQA_RESIZE_NONE");
    options.resize = IQA_RESIZE_CLEAN;
    const network_pointer network = make_network(context, options);
    std::vector<float> bad = samples;
    bad[100] = std::numeric_limits<float>::quiet_NaN();
    refused(network, tensor(bad.data(), IQA_FLOAT32, {1, 40, 40, 3}), out, IQA_ERROR_NUMERIC,
            "picture 0 has samples that are not finite");
    options.layout = IQA_LAYOUT_NDHWC;
    network_pointer none;
    CHECK(create(context, options, standard_weights().tensors(), none) == IQA_ERROR_INVALID_ARGUMENT);
}

TEST_CASE("each allocation may fail, and memory stays within what is stated", "[network][host]")
{
    counting_allocator memory;
    {
        const auto context = memory.make_context(1);
        const std::vector<uint8_t> bytes = random_bytes(14, 2 * 20 * 20 * 3);
        const tensor pictures(bytes.data(), IQA_UINT8, {2, 20, 20, 3});
        std::vector<float> values(2 * 64);
        const tensor out(values.data(), IQA_FLOAT32, {2, 64});
        const iqa_layer_features output = {IQA_LAYER_64, out};
        network_pointer network;
        for (int64_t allowed = 0;; ++allowed) {
            memory.refuse_from = memory.made + allowed;
            const iqa_status status = create(context, IQA_NETWORK_OPTIONS_INIT, standard_weights().tensors(), network);
            if (status == IQA_OK)
                break;
            CHECK(status == IQA_ERROR_OUT_OF_MEMORY);
        }
        const int64_t weights = memory.bytes;
        CHECK(weights < 96'000'000);
        for (int64_t allowed = 0;; ++allowed) {
            memory.refuse_from = memory.made + allowed;
            const iqa_status status = iqa_network_features(network.get(), pictures, &output, 1);
            if (status == IQA_OK)
                break;
            CHECK(status == IQA_ERROR_OUT_OF_MEMORY);
        }
        CHECK(memory.most - weights < 2 * 11'400'000 + 500'000);
        const int64_t made = memory.made;
        CHECK(iqa_network_features(network.get(), pictures, &output, 1) == IQA_OK);
        CHECK(memory.made == made);
    }
    CHECK(memory.bytes == 0);
}

TEST_CASE("a network can be cancelled and goes on afterwards", "[network][host]")
{
    progress_watch watch;
    const auto context = watch.make_context(2);
    watch.stop_after = 2;
    const network_pointer network = make_network(context);
    const std::vector<uint8_t> bytes = random_bytes(15, 3 * 20 * 20 * 3);
    const tensor pictures(bytes.data(), IQA_UINT8, {3, 20, 20, 3});
    std::vector<float> values(3 * 2048);
    const tensor out(values.data(), IQA_FLOAT32, {3, 2048});
    const iqa_layer_features output = {IQA_LAYER_2048, out};
    CHECK(iqa_network_features(network.get(), pictures, &output, 1) == IQA_ERROR_CANCELLED);
    CHECK(watch.total == 3);
    watch.stop_after = INT64_MAX;
    const auto usual = make_context(1);
    CHECK(same_bits(features(network, pictures, 3, IQA_LAYER_2048),
                    features(make_network(usual), pictures, 3, IQA_LAYER_2048)));
}
