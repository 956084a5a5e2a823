// SPDX-License-Identifier: MIT
// A network with its weights and the memory of the pictures that are under way.
#pragma once

#include "core/context.hpp"
#include "core/option_table.hpp"
#include "metrics/network/inception.hpp"
#include "metrics/network/weights.hpp"

namespace iqa {

extern const options_table<iqa_network_options> network_option_table;

int32_t width_of_layer(int32_t layer); // throws for a number that no layer has

} // namespace iqa

struct iqa_network {
public:
    iqa_network(const iqa_network &) = delete;
    iqa_network &operator=(const iqa_network &) = delete;

    static iqa_network *make(iqa::context &owner, const iqa_network_options &options,
                             std::span<const iqa_named_tensor> tensors);
    static void destroy(iqa_network *network) noexcept;

    void features(const iqa_tensor *pictures, std::span<const iqa_layer_features> outputs);

    iqa::context &owner() const noexcept { return owner_; }
    uint64_t digest() const noexcept { return weights_.digest; }

private:
    iqa_network(iqa::context &owner, const iqa_network_options &options, std::span<const iqa_named_tensor> tensors);
    ~iqa_network() = default;

    void place_maps(int64_t pictures, const bool (&wanted)[iqa::inception_layers]);

    iqa::context &owner_;
    const iqa_network_options options_;
    iqa::scratch weights_memory_;
    const iqa::packed_weights weights_;
    iqa::workspace memory_;
    iqa::scratch maps_memory_;

    // Of the group that is under way.
    iqa::feature_map maps_[iqa::inception_graph::most_maps];
    iqa::feature_map outputs_[iqa::inception_layers]; // one pixel for each picture
    iqa::network_step steps_[iqa::inception_graph::most_steps];
    int step_count_ = 0;
};
