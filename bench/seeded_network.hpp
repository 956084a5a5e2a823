// SPDX-License-Identifier: MIT
// FID's network with weights from a seed: maps stay finite and of an ordinary range, so that no arithmetic is slow.
#pragma once

#include <cstdint>
#include <vector>

#include "iqa_c.h"

namespace bench {

// `at_once`: of its options.
inline iqa_status make_network(iqa_context *context, int32_t at_once, iqa_network **network)
{
    struct weight {
        const char *name;
        std::vector<int64_t> shape;
        std::vector<float> numbers;
        iqa_tensor tensor;
    };
    std::vector<weight> weights;
    uint64_t state = 1;
    int32_t ndim = 0;
    int64_t shape[4] = {};
    for (int32_t i = 0; const char *const name = iqa_network_weight(i, &ndim, shape); ++i) {
        int64_t count = 1;
        for (int32_t axis = 0; axis < ndim; ++axis)
            count *= shape[axis];
        std::vector<float> numbers(size_t(count), 1.0f);
        if (ndim > 1) // a filter, whose outputs are means
            for (float &number : numbers) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                number = float(state >> 40) * 0x1p-24f * float(shape[0]) / float(count);
            }
        weights.push_back({name, {shape, shape + ndim}, std::move(numbers), {}});
    }
    std::vector<iqa_named_tensor> named;
    for (weight &each : weights) {
        each.tensor = iqa_cpu_tensor(each.numbers.data(), IQA_FLOAT32, int32_t(each.shape.size()), each.shape.data());
        named.push_back({each.name, &each.tensor});
    }
    iqa_network_options options = IQA_NETWORK_OPTIONS_INIT;
    options.at_once = at_once;
    return iqa_network_create(context, &options, named.data(), named.size(), network);
}

} // namespace bench
