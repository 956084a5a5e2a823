// SPDX-License-Identifier: MIT
// A network with its weights and the memory of the pictures that are under way, on one device at a time.
#pragma once

#include <memory>
#include <optional>

#include "backend/backend.hpp"
#include "core/context.hpp"
#include "core/option_table.hpp"
#include "metrics/network/inception.hpp"
#include "metrics/network/weights.hpp"

namespace iqa {

extern const options_table<iqa_network_options> network_option_table;

int32_t width_of_layer(int32_t layer); // throws for a number that no layer has

// What a network has on the device of the pictures.
struct network_device {
    // Copies the weights there.
    network_device(context &owner, const backend &device, int32_t device_id, std::span<const float> weights_on_host);

    bool serves(const backend &device, int32_t device_id) const { return &device == &functions && device_id == id; }
    memory_source &source(context &owner) const;

    struct closing {
        void operator()(device_ledger *open) const noexcept { open->close(); }
    };
    const backend &functions;
    const int32_t id;
    const std::unique_ptr<device_ledger, closing> ledger; // NULL on the CPU; ends after the memory that it gave
    workspace memory;
    scratch maps;
    scratch copied_weights;
    const float *weights;
};

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

    iqa::network_device &device_for(const iqa::backend &functions, int32_t id);
    void place_maps(iqa::network_device &device, int64_t pictures, const bool (&wanted)[iqa::inception_layers]);

    iqa::context &owner_;
    const iqa_network_options options_;
    iqa::scratch weights_memory_;
    const iqa::packed_weights weights_;
    std::optional<iqa::network_device> device_; // of the last call

    // Of the group that is under way.
    iqa::feature_map maps_[iqa::inception_graph::most_maps];
    iqa::feature_map outputs_[iqa::inception_layers]; // one pixel for each picture
    iqa::network_step steps_[iqa::inception_graph::most_steps];
    int step_count_ = 0;
};
