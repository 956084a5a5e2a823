// SPDX-License-Identifier: MIT
// Features from a network's last maps to the caller's tensors, on a GPU. A block takes a picture.
#pragma once

#include "backend/network.hpp"
#include "cuda/machine/block.h"

namespace iqa::cuda {

struct store_features {
    struct arguments {
        feature_output output;
        uint64_t first;      // before all outputs' features come those of so many
        uint64_t *nonfinite; // complement of the place of the first feature that is not finite; 0: none
    };
    static constexpr int threads = 256;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const int64_t picture = block.index();
        const feature_map &from = args.output.from;
        const float *const features = from.at(picture, 0, 0);
        block.each(from.channels, [&](int i) {
            if (!is_finite(features[i]))
                keep_most(args.nonfinite, ~(args.first + uint64_t(picture * from.channels + i)));
            args.output.store(picture, i, features[i]);
        });
    }
};

} // namespace iqa::cuda
