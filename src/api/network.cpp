// SPDX-License-Identifier: MIT
// Networks that make features of pictures.
#include "metrics/network/network.hpp"

#include <algorithm>

#include "api/guard.hpp"

extern "C" {

iqa_status iqa_network_options_init(iqa_network_options *options, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::network_option_table.init(options, size); });
}

iqa_status iqa_network_create(iqa_context *context, const iqa_network_options *options, const iqa_named_tensor *tensors,
                              size_t count, iqa_network **out)
{
    return iqa::guard(context, [&] {
        iqa::require(context, "context");
        iqa::require(out, "out");
        *out = nullptr;
        iqa::require(tensors, "tensors");
        *out = iqa_network::make(*context, iqa::network_option_table.copy(options), {tensors, count});
    });
}

const char *iqa_network_weight(int32_t index, int32_t *ndim, int64_t *shape)
{
    if (index < 0 || index >= iqa::weight_count)
        return nullptr;
    const iqa::weight_shape &weight = iqa::inception_weights[size_t(index)];
    if (ndim != nullptr)
        *ndim = weight.ndim;
    if (shape != nullptr)
        std::copy_n(weight.shape, weight.ndim, shape);
    return weight.name;
}

void iqa_network_destroy(iqa_network *network)
{
    iqa_network::destroy(network);
}

iqa_status iqa_network_layer_width(int32_t layer, int32_t *width)
{
    return iqa::guard(nullptr, [&] {
        iqa::require(width, "width");
        *width = iqa::width_of_layer(layer);
    });
}

iqa_status iqa_network_features(iqa_network *network, const iqa_tensor *pictures, const iqa_layer_features *outputs,
                                size_t count)
{
    return iqa::guard(network != nullptr ? &network->owner() : nullptr, [&] {
        iqa::require(network, "network");
        iqa::require(outputs, "outputs");
        network->features(pictures, {outputs, count});
    });
}

iqa_status iqa_network_digest(const iqa_network *network, uint64_t *digest)
{
    return iqa::guard(network != nullptr ? &network->owner() : nullptr, [&] {
        iqa::require(network, "network");
        iqa::require(digest, "digest");
        *digest = network->digest();
    });
}

} // extern "C"
