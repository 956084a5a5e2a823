// SPDX-License-Identifier: MIT
#include "measuring/picture_network.hpp"

#include "files/file_error.hpp"
#include "files/safetensors.hpp"
#include "measuring/picture_reader.hpp"

#include <cstring>

namespace iqa_tool {

namespace {

constexpr std::size_t usual_at_once = 16;

} // namespace

// Pictures of one size, one behind the other: the network's threads find enough to do.
struct picture_network::batch {
    image like; // the first picture, without its storage
    byte_buffer storage;
    std::size_t first = 0, count = 0;

    bool takes(const image &picture) const
    {
        const bool is_alone = picture.shape[axis_image] != 1 || picture.first_element != 0 || like.first_element != 0;
        return count == 0 || (!is_alone && picture.shape == like.shape && picture.strides == like.strides &&
                              picture.dtype == like.dtype && picture.storage.size() == bytes_of_one());
    }

    void add(image picture, std::size_t number, std::size_t most)
    {
        if (count == 0) {
            storage = byte_buffer(picture.storage.size() * most);
            bytes_ = picture.storage.size();
            first = number;
        }
        std::memcpy(storage.data() + count * bytes_, picture.storage.data(), bytes_);
        picture.storage = {};
        like = std::move(picture);
        ++count;
    }

    std::size_t bytes_of_one() const { return bytes_; }

private:
    std::size_t bytes_ = 0;
};

picture_network::picture_network(const iqa::context &owner, const std::string &weights_path,
                                 const iqa_network_options &options)
    : owner_(owner), at_once_(options.at_once > 0 ? static_cast<std::size_t>(options.at_once) : usual_at_once)
{
    blame(weights_path, [&] {
        const weight_file weights(weights_path);
        iqa_network *created = nullptr;
        owner_.check(
            iqa_network_create(owner_.get(), &options, weights.tensors().data(), weights.tensors().size(), &created));
        network_.reset(created);
    });
}

void picture_network::measure(std::span<const std::string> paths, std::span<const int32_t> layers, const taker &take,
                              const std::function<void(const std::string &)> &refuse)
{
    picture_reader reader(paths, at_once_, owner_.thread_count());
    batch pictures;
    const auto finish = [&] {
        if (pictures.count == 0)
            return;
        try {
            measure(pictures, layers, take);
        } catch (const image_error &problem) {
            for (std::size_t i = 0; i < pictures.count; ++i)
                refuse(file_error(paths[pictures.first + i], problem.what()).what());
        }
        pictures = {};
    };
    for (std::size_t i = 0; i < paths.size(); ++i) {
        decoded_picture next = reader.next();
        if (!next.picture || !pictures.takes(*next.picture) || pictures.count == at_once_)
            finish();
        if (!next.picture)
            refuse(next.problem);
        else
            pictures.add(std::move(*next.picture), i, std::min(at_once_, paths.size() - i));
    }
    finish();
}

void picture_network::measure(const batch &pictures, std::span<const int32_t> layers, const taker &take)
{
    iqa_tensor view = pictures.like.tensor();
    std::array<int64_t, 4> shape = pictures.like.shape;
    std::array<int64_t, 4> strides = pictures.like.strides;
    if (pictures.count > 1) { // a file alone may hold several
        shape[axis_image] = static_cast<int64_t>(pictures.count);
        strides[axis_image] = static_cast<int64_t>(pictures.bytes_of_one() / dtype_size(pictures.like.dtype));
    }
    view.data = const_cast<std::byte *>(pictures.storage.data());
    view.shape = shape.data();
    view.strides = strides.data();

    std::vector<std::vector<float>> features;
    std::vector<std::array<int64_t, 2>> shapes;
    std::vector<iqa_tensor> tables;
    std::vector<iqa_layer_features> outputs;
    shapes.reserve(layers.size());
    tables.reserve(layers.size());
    for (const int32_t layer : layers) {
        shapes.push_back({shape[axis_image], width_of(layer)});
        features.emplace_back(static_cast<std::size_t>(shapes.back()[0] * shapes.back()[1]));
        tables.push_back(iqa_cpu_tensor(features.back().data(), IQA_FLOAT32, 2, shapes.back().data()));
        outputs.push_back({layer, &tables.back()});
    }
    const iqa_status status = iqa_network_features(network_.get(), &view, outputs.data(), outputs.size());
    const bool is_of_pictures = status != IQA_ERROR_OUT_OF_MEMORY && status != IQA_ERROR_CANCELLED;
    if (status != IQA_OK && is_of_pictures)
        throw image_error(in_words(iqa_context_error(owner_.get())));
    owner_.check(status);
    take(pictures.first, pictures.count, tables);
}

uint64_t picture_network::digest() const
{
    uint64_t digest = 0;
    owner_.check(iqa_network_digest(network_.get(), &digest));
    return digest;
}

int32_t picture_network::width_of(int32_t layer)
{
    int32_t width = 0;
    if (iqa_network_layer_width(layer, &width) != IQA_OK)
        throw std::runtime_error(iqa_context_error(nullptr));
    return width;
}

} // namespace iqa_tool
