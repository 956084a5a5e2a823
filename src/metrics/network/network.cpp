// SPDX-License-Identifier: MIT
#include "metrics/network/network.hpp"

#include <algorithm>
#include <limits>

#include "core/arena.hpp"
#include "metrics/image_options.hpp"
#include "metrics/network_options.hpp"

namespace iqa {

namespace {

constexpr int64_t most_at_once = 1024;
constexpr int64_t usual_at_once = 16;
constexpr int64_t usual_on_device = 64; // fills a large GPU

#define IQA_FIELD_OF_NETWORK(field) IQA_OPTION(iqa_network_options, field).new_in("0.2").outside_of_state()

constexpr option_row network_rows[] = {
    image_options::layout(IQA_FIELD_OF_NETWORK(layout)),
    IQA_FIELD_OF_NETWORK(resize)
        .word(network_options::resize_words)
        .says("Whose resizing brings the pictures to 299 x 299, and whose normalisation follows it"),
    IQA_FIELD_OF_NETWORK(at_once)
        .from(0, most_at_once)
        .says(
            "How many pictures are under way at once, each of which takes 11.3 MB; 0: as many as threads, but 2 to 16; "
            "on a CUDA device 64"),
    image_options::data_low(IQA_FIELD_OF_NETWORK(data_low)),
    image_options::data_high(IQA_FIELD_OF_NETWORK(data_high)),
};

constexpr iqa_network_options standard_network = IQA_NETWORK_OPTIONS_INIT;

constexpr int32_t layer_count = inception_layers;
static_assert(int(inception_layer::pool1) == IQA_LAYER_64 && int(inception_layer::pool2) == IQA_LAYER_192 &&
              int(inception_layer::mixed_6e) == IQA_LAYER_768 && int(inception_layer::pool3) == IQA_LAYER_2048 &&
              int(inception_layer::logits) == IQA_LAYER_LOGITS &&
              int(inception_layer::logits_unbiased) == IQA_LAYER_LOGITS_UNBIASED);
static_assert(network_options::layer_widths[IQA_LAYER_LOGITS] == inception_classes &&
              network_options::layer_widths[IQA_LAYER_LOGITS_UNBIASED] == inception_classes);

} // namespace

constinit const options_table<iqa_network_options> network_option_table("network", "iqa_network_options",
                                                                        standard_network, network_rows);

int32_t width_of_layer(int32_t layer)
{
    check_constant("layer", layer, layer_count - 1, "IQA_LAYER_");
    return network_options::layer_widths[layer];
}

memory_source &network_device::source(context &owner) const
{
    return ledger != nullptr ? static_cast<memory_source &>(*ledger) : owner;
}

namespace {

// Makes a device current while it lives.
class device_turn {
public:
    explicit device_turn(const network_device &device) : ledger_(device.ledger.get())
    {
        if (ledger_ != nullptr)
            ledger_->begin();
    }
    device_turn(const device_turn &) = delete;
    device_turn &operator=(const device_turn &) = delete;
    ~device_turn()
    {
        if (ledger_ != nullptr)
            ledger_->end(true);
    }

private:
    device_ledger *const ledger_;
};

} // namespace

network_device::network_device(context &owner, const backend &device, int32_t device_id,
                               std::span<const float> weights_on_host)
    : functions(device),
      id(device_id),
      ledger(device.open != nullptr ? device.open(owner, device_id, 0, false) : nullptr),
      memory(source(owner), owner),
      maps(source(owner)),
      copied_weights(source(owner))
{
    const device_turn turn(*this);
    weights = device.network_weights(owner, copied_weights, weights_on_host);
}

} // namespace iqa

using namespace iqa;

iqa_network::iqa_network(context &owner, const iqa_network_options &options, std::span<const iqa_named_tensor> tensors)
    : owner_(owner), options_(options), weights_memory_(owner), weights_(pack_weights(weights_memory_, tensors))
{
}

iqa_network *iqa_network::make(context &owner, const iqa_network_options &options,
                               std::span<const iqa_named_tensor> tensors)
{
    network_option_table.check(options);
    if (has_depth(options.layout))
        fail(IQA_ERROR_INVALID_ARGUMENT, "layout is one of volumes; expected a layout of pictures");
    void *memory = owner.allocate(sizeof(iqa_network), "a network");
    try {
        auto *const network = new (memory) iqa_network(owner, options, tensors);
        owner.retain(); // only now: a constructor that throws holds nothing
        return network;
    } catch (...) {
        owner.deallocate(memory, sizeof(iqa_network));
        throw;
    }
}

void iqa_network::destroy(iqa_network *network) noexcept
{
    if (network == nullptr)
        return;
    context &owner = network->owner_;
    network->~iqa_network();
    owner.deallocate(network, sizeof(iqa_network));
    owner.release();
}

network_device &iqa_network::device_for(const backend &functions, int32_t id)
{
    if (!device_ || !device_->serves(functions, id)) {
        device_.reset();
        device_.emplace(owner_, functions, id, weights_.all);
    }
    return *device_;
}

// The steps up to the last layer that is wanted, for so many pictures at once.
void iqa_network::place_maps(network_device &device, int64_t pictures, const bool (&wanted)[inception_layers])
{
    const auto there = [&](const float *weights) {
        return device.weights + (weights - weights_.all.data());
    };
    int64_t slots[inception_graph::slots] = {};
    for (int i = 0; i < inception.map_count; ++i) {
        const map_shape &shape = inception.maps[size_t(i)];
        slots[shape.slot] = std::max(slots[shape.slot], round_up(shape.samples(), 16));
    }
    float *memory[inception_graph::slots];
    float *features[inception_layers];
    place_in(device.maps, "the maps of a network", [&](arena &all) {
        for (int slot = 0; slot < inception_graph::slots; ++slot)
            memory[slot] = all.take<float>(slots[slot] * pictures);
        for (int layer = 0; layer < inception_layers; ++layer)
            features[layer] = all.take<float>(width_of_layer(layer) * pictures);
    });
    for (int i = 0; i < inception.map_count; ++i) {
        const map_shape &shape = inception.maps[size_t(i)];
        maps_[i] = {
            .data = memory[shape.slot] + shape.margin * (shape.row_samples() + shape.channels),
            .picture_stride = slots[shape.slot],
            .row_stride = shape.row_samples(),
            .pixel_stride = shape.channels,
            .height = shape.height,
            .width = shape.width,
            .channels = shape.channels,
            .margin = shape.margin,
        };
    }
    for (int layer = 0; layer < inception_layers; ++layer) {
        const int32_t width = width_of_layer(layer);
        outputs_[layer] = {.data = features[layer],
                           .picture_stride = width,
                           .row_stride = width,
                           .pixel_stride = width,
                           .height = 1,
                           .width = 1,
                           .channels = width,
                           .margin = 0};
    }

    const bool classified = wanted[IQA_LAYER_LOGITS] || wanted[IQA_LAYER_LOGITS_UNBIASED];
    const auto makes_features = [&](const graph_step &step) {
        return wanted[int(step.layer)] || (step.layer == inception_layer::pool3 && classified);
    };
    int last = 0;
    for (int i = 0; i < inception.step_count; ++i)
        if (inception.steps[size_t(i)].kind == step_kind::average_map && makes_features(inception.steps[size_t(i)]))
            last = i;
    step_count_ = 0;
    for (int i = 0; i <= last; ++i) {
        const graph_step &step = inception.steps[size_t(i)];
        if ((step.kind == step_kind::clear_margin && maps_[step.to].margin == 0) ||
            (step.kind == step_kind::average_map && !makes_features(step)))
            continue;
        network_step &placed = steps_[step_count_++];
        placed = {.kind = step.kind,
                  .from = maps_[step.from],
                  .to = step.layer != inception_layer::count ? outputs_[int(step.layer)] : maps_[step.to],
                  .reach = step.reach};
        placed.to.data += step.channel;
        if (step.kind != step_kind::clear_margin)
            placed.to.channels = step.channels;
        if (step.convolution >= 0) {
            placed.weights = there(weights_.convolutions[size_t(step.convolution)].weights);
            placed.bias = there(weights_.convolutions[size_t(step.convolution)].bias);
            placed.rectify = true;
        }
    }
    for (const int32_t layer : {IQA_LAYER_LOGITS, IQA_LAYER_LOGITS_UNBIASED})
        if (wanted[layer])
            steps_[step_count_++] = {.kind = step_kind::convolve,
                                     .from = outputs_[IQA_LAYER_2048],
                                     .to = outputs_[layer],
                                     .reach = {1, 1, 1, 0, 0},
                                     .weights = there(weights_.classes.weights),
                                     .bias =
                                         there(layer == IQA_LAYER_LOGITS ? weights_.classes.bias : weights_.no_bias)};
}

namespace {

void check_pictures(const image_view &pictures, const iqa_network_options &options)
{
    if (pictures.channels == 2 || pictures.channels == 4)
        fail(IQA_ERROR_SHAPE, "pictures has ", pictures.channels,
             " channels; expected 1 or 3: take the alpha channel off first");
    if (pictures.channels != 1 && pictures.channels != 3)
        fail(IQA_ERROR_SHAPE, "pictures has ", pictures.channels, " channels; expected 1 or 3");
    if (options.resize == IQA_RESIZE_NONE && (pictures.height != inception_side || pictures.width != inception_side))
        fail(IQA_ERROR_SHAPE, "pictures are ", pictures.width, " x ", pictures.height, "; expected ", inception_side,
             " x ", inception_side, ", or another resize than IQA_RESIZE_NONE");
}

// Without the map that the features come from.
feature_output view_features(const iqa_layer_features &output, const iqa_tensor &pictures, int64_t rows)
{
    const int32_t width = width_of_layer(output.layer);
    const iqa_tensor &tensor = *output.features;
    check_extents(tensor, "features");
    const int32_t type = dtype_of(tensor);
    if (type != IQA_FLOAT32 && type != IQA_FLOAT64)
        fail(IQA_ERROR_DTYPE, "features has element type ", dtype_text(tensor), "; expected float32 or float64");
    if (&backend_of(tensor, "features") != &backend_of(pictures, "pictures") || tensor.device_id != pictures.device_id)
        fail(IQA_ERROR_DEVICE, "features is on device ", tensor.device_type, ":", tensor.device_id,
             " but pictures is on ", pictures.device_type, ":", pictures.device_id);
    if (tensor.ndim != 2 || tensor.shape[0] != rows || tensor.shape[1] != width)
        fail(IQA_ERROR_SHAPE, "features has shape ", shape_text(tensor), "; expected [", rows, ", ", width, "]");
    if (tensor.data == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "features.data is NULL");
    return {.from = {},
            .data = static_cast<std::byte *>(tensor.data) + tensor.byte_offset,
            .is_double = type == IQA_FLOAT64,
            .row_stride = stride_of(tensor, 0),
            .column_stride = stride_of(tensor, 1)};
}

} // namespace

void iqa_network::features(const iqa_tensor *pictures, std::span<const iqa_layer_features> outputs)
{
    const image_view all = view_pictures(pictures, "pictures", options_.layout);
    const backend &functions = backend_of(*pictures, "pictures");
    check_pictures(all, options_);
    const data_range range = resolve_range({options_.data_low, options_.data_high}, all.type);
    if (outputs.empty() || outputs.size() > size_t(inception_layers))
        fail(IQA_ERROR_INVALID_ARGUMENT, "count is ", outputs.size(), "; expected 1 to ", inception_layers, " outputs");
    feature_output views[inception_layers];
    bool wanted[inception_layers] = {};
    for (size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i].features == nullptr)
            fail(IQA_ERROR_INVALID_ARGUMENT, "outputs[", i, "].features is NULL");
        views[i] = view_features(outputs[i], *pictures, all.images);
        wanted[outputs[i].layer] = true;
    }

    network_device &device = device_for(functions, pictures->device_id);
    if (device.ledger != nullptr) {
        device.ledger->check_place("pictures", *pictures);
        for (const iqa_layer_features &output : outputs)
            device.ledger->check_place("features", *output.features);
    }
    const device_turn turn(device);
    const int64_t usual =
        device.ledger != nullptr ? usual_on_device : std::clamp<int64_t>(owner_.threads(), 2, usual_at_once);
    const int64_t at_once = std::min(all.images, options_.at_once != 0 ? options_.at_once : usual);
    place_maps(device, at_once, wanted);
    for (size_t i = 0; i < outputs.size(); ++i)
        views[i].from = outputs_[outputs[i].layer];
    for (int64_t first = 0; first < all.images; first += at_once) {
        network_request request{
            .pictures = all,
            .range = range,
            .resize = static_cast<resize_rule>(options_.resize),
            .input = maps_[0],
            .steps = {steps_, size_t(step_count_)},
            .outputs = {views, outputs.size()},
            .done = first,
            .total = all.images,
        };
        request.pictures.images = std::min(at_once, all.images - first);
        request.pictures.data = all.at(first, 0, 0, 0, 0);
        functions.network(owner_, device.memory, request);
        if (request.faulty_picture >= 0)
            fail(IQA_ERROR_NUMERIC, "picture ", first + request.faulty_picture, " has samples that are not finite");
        const nonfinite_feature &fault = request.fault;
        if (fault.output >= 0) {
            // Devices make NaN of either sign.
            const double value = fault.value != fault.value ? std::numeric_limits<double>::quiet_NaN() : fault.value;
            fail(IQA_ERROR_NUMERIC, "feature ", fault.feature, " of picture ", first + fault.picture, " is ", value,
                 ": the weights are beyond float32's range");
        }
        for (feature_output &view : std::span(views, outputs.size()))
            view.data +=
                request.pictures.images * view.row_stride * int64_t(view.is_double ? sizeof(double) : sizeof(float));
    }
}
