// SPDX-License-Identifier: MIT
// The caller's tensors as the weights of convolutions: found by name, checked, normalisation folded in, and packed.
#pragma once

#include <span>

#include "core/memory.hpp"
#include "metrics/network/inception.hpp"

namespace iqa {

// In one block of memory: of each convolution the weights and the bias, then those of the classes.
struct packed_weights {
    struct convolution {
        const float *weights; // [group][row, column, channel][network_group]
        const float *bias;
    };
    std::array<convolution, inception_graph::convolutions> convolutions;
    convolution classes;  // of 2048 features
    const float *no_bias; // of classes
    std::span<const float> all;
    uint64_t digest; // of all
};

packed_weights pack_weights(scratch &memory, std::span<const iqa_named_tensor> tensors);

} // namespace iqa
