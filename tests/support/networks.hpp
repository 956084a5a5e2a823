// SPDX-License-Identifier: MIT
// Networks with weights from a seed, and their features.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arith/portable.h"
#include "support/catch.hpp"
#include "support/support.hpp"

namespace test {

struct network_deleter {
    void operator()(iqa_network *network) const { iqa_network_destroy(network); }
};
using network_pointer = std::unique_ptr<iqa_network, network_deleter>;

// Tensors by name, with statistics that keep maps in an ordinary range.
class seeded_weights {
public:
    explicit seeded_weights(uint64_t seed) : random_(seed)
    {
        const std::map<std::string, std::pair<double, double>> spreads = {
            {"bn.weight", {0.2, 1.0}},      {"bn.bias", {0.1, 0.0}},    {"bn.running_mean", {0.1, 0.0}},
            {"bn.running_var", {0.5, 1.0}}, {"fc.weight", {0.02, 0.0}}, {"fc.bias", {0.1, 0.0}}};
        int32_t ndim = 0;
        int64_t extents[4] = {};
        for (int index = 0; const char *name = iqa_network_weight(index, &ndim, extents); ++index) {
            const std::vector<int64_t> shape(extents, extents + ndim);
            const std::string text = name;
            if (ndim == 4)
                add(text, shape, std::sqrt(6.0 / double(extents[1] * extents[2] * extents[3])), 0.0);
            for (const auto &[end, spread] : spreads)
                if (text.size() >= end.size() && text.substr(text.size() - end.size()) == end)
                    add(text, shape, spread.first, spread.second);
        }
    }

    std::vector<iqa_named_tensor> tensors() const
    {
        std::vector<iqa_named_tensor> all;
        for (const auto &[name, weight] : entries_)
            all.push_back({name.c_str(), &weight->view.view});
        return all;
    }

    std::vector<float> &values(const std::string &name) { return entries_.at(name)->values; }

private:
    struct entry {
        std::vector<float> values;
        tensor view;
        entry(std::vector<float> numbers, std::vector<int64_t> shape)
            : values(std::move(numbers)), view(values.data(), IQA_FLOAT32, std::move(shape))
        {
            view.view.device_type = IQA_CPU;
        }
    };

    void add(const std::string &name, std::vector<int64_t> shape, double spread, double middle)
    {
        int64_t count = 1;
        for (const int64_t extent : shape)
            count *= extent;
        std::vector<float> numbers(static_cast<size_t>(count));
        for (float &number : numbers)
            number = float(middle + spread * (random_.uniform() * 2 - 1));
        entries_.emplace(name, std::make_unique<entry>(std::move(numbers), std::move(shape)));
    }

    random_numbers random_;
    std::map<std::string, std::unique_ptr<entry>> entries_;
};

inline const seeded_weights &standard_weights()
{
    static const seeded_weights weights(7);
    return weights;
}

inline iqa_status create(const context_pointer &context, const iqa_network_options &options,
                         const std::vector<iqa_named_tensor> &tensors, network_pointer &network)
{
    iqa_network *made = nullptr;
    const iqa_status status = iqa_network_create(context.get(), &options, tensors.data(), tensors.size(), &made);
    network.reset(made);
    return status;
}

inline network_pointer make_network(const context_pointer &context,
                                    const iqa_network_options &options = IQA_NETWORK_OPTIONS_INIT)
{
    network_pointer network;
    INFO(last_error(context));
    REQUIRE(create(context, options, standard_weights().tensors(), network) == IQA_OK);
    return network;
}

inline std::vector<uint8_t> random_bytes(uint64_t seed, size_t count)
{
    random_numbers random(seed);
    std::vector<uint8_t> bytes(count);
    for (uint8_t &byte : bytes)
        byte = uint8_t(random.next());
    return bytes;
}

inline std::vector<float> features(const network_pointer &network, const iqa_tensor *pictures, int64_t count, int layer)
{
    int32_t width = 0;
    REQUIRE(iqa_network_layer_width(layer, &width) == IQA_OK);
    std::vector<float> values(size_t(count * width));
    const tensor out(values.data(), IQA_FLOAT32, {count, width});
    const iqa_layer_features output = {layer, out};
    REQUIRE(iqa_network_features(network.get(), pictures, &output, 1) == IQA_OK);
    return values;
}

// Pictures whose features are on record for each layer, as hashes of their bits, made on a CPU.
struct recorded_pictures {
    static constexpr int64_t count = 32, height = 40, width = 50;
    static constexpr int layers = IQA_LAYER_LOGITS_UNBIASED + 1;
    static constexpr uint64_t hashes[layers] = {0x7d1701f828c4cc6bu, 0x6456c81104bed041u, 0x5a27a3a692dacebfu,
                                                0x512686e8611202e0u, 0x37062d8a08312e21u, 0xb0621632d3d83feeu};

    std::vector<uint8_t> bytes = random_bytes(31, count *height *width * 3);

    // Of all layers' features, in batches of so many pictures. `run(samples, pictures, outputs)` makes those of one.
    template <class Run>
    static std::vector<uint64_t> hashes_of(int64_t batch, Run &&run)
    {
        std::vector<std::vector<float>> values(layers);
        std::vector<int64_t> widths;
        for (int layer = 0; layer < layers; ++layer) {
            int32_t columns = 0;
            REQUIRE(iqa_network_layer_width(layer, &columns) == IQA_OK);
            widths.push_back(columns);
            values[size_t(layer)].resize(size_t(count * columns));
        }
        for (int64_t first = 0; first < count; first += batch) {
            std::vector<float *> outputs;
            for (int layer = 0; layer < layers; ++layer)
                outputs.push_back(values[size_t(layer)].data() + first * widths[size_t(layer)]);
            run(first, std::min(batch, count - first), widths, outputs);
        }
        std::vector<uint64_t> found;
        for (const std::vector<float> &numbers : values) {
            uint64_t hash = 0xcbf29ce484222325u;
            for (const float number : numbers)
                hash = (hash ^ iqa::bits_of(number)) * 0x100000001b3u;
            found.push_back(hash);
        }
        return found;
    }

    static std::vector<uint64_t> recorded() { return {hashes, hashes + layers}; }
};

} // namespace test
