// SPDX-License-Identifier: MIT
// Every reader of the command-line program on any bytes. The first byte chooses the layout of .npy axes, label map or
// picture, the page, and the orientation policy. A decoded picture must hold every sample of its shape and strides. The
// same bytes are read as a clip, with and without a format for raw YUV.
#include "files/clip.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

static void read_clip(const std::uint8_t *data, std::size_t size, const char *raw,
                      const iqa_tool::decode_options &options)
{
    using namespace iqa_tool;
    file_handle file(fmemopen(const_cast<std::uint8_t *>(data), size, "rb"));
    if (!file)
        return;
    try {
        clip_reader clip(std::move(file), parse_raw_format(raw), options);
        std::vector<image> planes;
        while (clip.read(planes))
            for (std::size_t plane = 0; plane < planes.size(); ++plane)
                if (compact_size(planes[plane]) != planes[plane].storage.size())
                    std::abort();
    } catch (const image_error &) {
    } catch (const std::bad_alloc &) {
    }
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    using namespace iqa_tool;
    if (size < 1)
        return 0;
    decode_options options;
    options.max_pixels = 1 << 16;
    options.layout = data[0] % 7 - 1;
    options.as_labels = data[0] >= 128;
    options.page = data[0] / 7 % 3;
    options.orientation = static_cast<orientation_policy>(data[0] / 21 % 3);
    read_clip(data + 1, size - 1, "", options);
    read_clip(data + 1, size - 1, "7x5:420p10", options);
    byte_buffer file(size - 1);
    if (size > 1)
        std::memcpy(file.data(), data + 1, size - 1);
    try {
        image picture = decode_image(std::move(file), options);
        if (check_pixel_count(picture.shape[axis_image], picture.height(), picture.width(), options) < 1)
            std::abort();
        apply_alpha_policy(picture, alpha_policy::black);
        volatile double sum = 0;
        for (int64_t image = 0; image < picture.shape[axis_image]; ++image)
            for (int64_t y = 0; y < picture.height(); ++y)
                for (int64_t x = 0; x < picture.width(); ++x)
                    for (int64_t channel = 0; channel < picture.channels(); ++channel)
                        sum = sum + picture.sample(image, y, x, channel);
    } catch (const image_error &) {
    } catch (const std::bad_alloc &) {
    }
    return 0;
}
