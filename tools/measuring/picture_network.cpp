// SPDX-License-Identifier: MIT
#include "measuring/picture_network.hpp"

#include "files/file_error.hpp"
#include "files/safetensors.hpp"

#include <atomic>
#include <cstring>
#include <optional>
#include <thread>

namespace iqa_tool {

namespace {

// A decoded picture, or what is wrong with its file.
struct decoded {
    std::optional<image> picture;
    std::string problem;
};

decoded decode(const std::string &path)
{
    try {
        return {blame(path,
                      [&] {
                          decode_options options;
                          options.layout = IQA_LAYOUT_NHWC;
                          options.orientation = orientation_policy::stored; // as the programs that FID is compared with
                          image picture = read_image(open_regular_file(path), options);
                          settle_orientation(picture, options.orientation);
                          apply_alpha_policy(picture, alpha_policy::opaque);
                          return picture;
                      }),
                ""};
    } catch (const file_error &problem) {
        return {std::nullopt, problem.what()};
    }
}

std::vector<decoded> decode_all(std::span<const std::string> paths, int threads)
{
    std::vector<decoded> pictures(paths.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t i = next++; i < paths.size(); i = next++)
            pictures[i] = decode(paths[i]);
    };
    std::vector<std::jthread> helpers;
    for (int helper = 1; helper < threads && helpers.size() + 1 < paths.size(); ++helper)
        helpers.emplace_back(work);
    work();
    helpers.clear();
    return pictures;
}

bool are_alike(const image &a, const image &b)
{
    return a.shape == b.shape && a.strides == b.strides && a.dtype == b.dtype && a.shape[axis_image] == 1 &&
           a.first_element == 0 && b.first_element == 0 && a.storage.size() == b.storage.size();
}

} // namespace

picture_network::picture_network(const iqa::context &owner, const std::string &weights_path,
                                 const iqa_network_options &options)
    : owner_(owner)
{
    blame(weights_path, [&] {
        const weight_file weights(weights_path);
        iqa_network *created = nullptr;
        owner_.check(
            iqa_network_create(owner_.get(), &options, weights.tensors().data(), weights.tensors().size(), &created));
        network_.reset(created);
    });
}

void picture_network::measure(std::span<const std::string> paths, const std::function<void(const iqa_tensor &)> &take,
                              const std::function<void(const std::string &)> &refuse)
{
    const std::vector<decoded> pictures = decode_all(paths, owner_.thread_count());
    for (std::size_t first = 0; first < pictures.size();) {
        if (!pictures[first].picture) {
            refuse(pictures[first++].problem);
            continue;
        }
        std::vector<const image *> alike{&*pictures[first].picture};
        std::size_t end = first + 1;
        while (end < pictures.size() && pictures[end].picture && are_alike(*alike.front(), *pictures[end].picture))
            alike.push_back(&*pictures[end++].picture);
        try {
            measure_alike(alike, take);
        } catch (const iqa::error &problem) {
            if (problem.status() == IQA_ERROR_OUT_OF_MEMORY || problem.status() == IQA_ERROR_CANCELLED)
                throw;
            for (std::size_t i = first; i < end; ++i)
                refuse(file_error(paths[i], text_of(problem)).what());
        }
        first = end;
    }
}

// Pictures of one size are one batch, so that threads find enough to do.
void picture_network::measure_alike(std::span<const image *const> pictures,
                                    const std::function<void(const iqa_tensor &)> &take)
{
    iqa_tensor batch = pictures.front()->tensor();
    std::array<int64_t, 4> shape = pictures.front()->shape;
    std::array<int64_t, 4> strides = pictures.front()->strides;
    const std::size_t bytes = pictures.front()->storage.size();
    byte_buffer together(pictures.size() > 1 ? pictures.size() * bytes : 0);
    if (pictures.size() > 1) {
        for (std::size_t i = 0; i < pictures.size(); ++i)
            std::memcpy(together.data() + i * bytes, pictures[i]->storage.data(), bytes);
        shape[axis_image] = static_cast<int64_t>(pictures.size());
        strides[axis_image] = static_cast<int64_t>(bytes / dtype_size(pictures.front()->dtype));
        batch.data = together.data();
        batch.byte_offset = 0;
        batch.shape = shape.data();
        batch.strides = strides.data();
    }
    std::vector<float> features(static_cast<std::size_t>(shape[axis_image]) * width);
    const int64_t rows[2] = {shape[axis_image], width};
    const iqa_tensor table = iqa_cpu_tensor(features.data(), IQA_FLOAT32, 2, rows);
    const iqa_layer_features output = {IQA_LAYER_2048, &table};
    owner_.check(iqa_network_features(network_.get(), &batch, &output, 1));
    take(table);
}

std::string picture_network::digest() const
{
    uint64_t digest = 0;
    owner_.check(iqa_network_digest(network_.get(), &digest));
    constexpr const char *digits = "0123456789abcdef";
    std::string text(16, '0');
    for (std::size_t i = text.size(); i-- > 0; digest >>= 4)
        text[i] = digits[digest & 15];
    return text;
}

} // namespace iqa_tool
