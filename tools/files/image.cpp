// SPDX-License-Identifier: MIT
#include "files/image.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace iqa_tool {

namespace {

double half_to_double(uint16_t bits) noexcept
{
    const int exponent = (bits >> 10) & 0x1f;
    const int fraction = bits & 0x3ff;
    double magnitude = 0;
    if (exponent == 0x1f)
        magnitude = fraction == 0 ? HUGE_VAL : std::nan("");
    else if (exponent == 0)
        magnitude = std::ldexp(fraction, -24);
    else
        magnitude = std::ldexp(fraction + 1024, exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

template <typename element>
element load(const std::byte *address) noexcept
{
    element value;
    std::memcpy(&value, address, sizeof value);
    return value;
}

} // namespace

const char *dtype_name(int32_t dtype) noexcept
{
    switch (dtype) {
    case IQA_UINT8:
        return "uint8";
    case IQA_UINT16:
        return "uint16";
    case IQA_INT16:
        return "int16";
    case IQA_FLOAT16:
        return "float16";
    case IQA_FLOAT32:
        return "float32";
    case IQA_FLOAT64:
        return "float64";
    default:
        return "unknown";
    }
}

std::size_t dtype_size(int32_t dtype) noexcept
{
    return static_cast<std::size_t>(dtype & 0xff) / 8;
}

bool dtype_is_float(int32_t dtype) noexcept
{
    return (dtype >> 8) == (IQA_FLOAT32 >> 8);
}

iqa_tensor image::tensor() const noexcept
{
    iqa_tensor tensor = iqa_cpu_tensor(storage.data(), dtype, 4, shape.data());
    tensor.strides = strides.data();
    tensor.byte_offset = static_cast<uint64_t>(first_element) * dtype_size(dtype);
    return tensor;
}

iqa_tensor image::channel_tensor(int64_t channel, std::array<int64_t, 4> &channel_shape) const noexcept
{
    channel_shape = shape;
    channel_shape[axis_channel] = 1;
    iqa_tensor view = tensor();
    view.shape = channel_shape.data();
    view.byte_offset = static_cast<uint64_t>(first_element + channel * strides[axis_channel]) * dtype_size(dtype);
    return view;
}

double image::sample(int64_t picture, int64_t y, int64_t x, int64_t channel) const noexcept
{
    const int64_t index = first_element + picture * strides[axis_image] + y * strides[axis_height] +
                          x * strides[axis_width] + channel * strides[axis_channel];
    const std::byte *address = storage.data() + static_cast<std::size_t>(index) * dtype_size(dtype);
    switch (dtype) {
    case IQA_UINT8:
        return load<uint8_t>(address);
    case IQA_UINT16:
        return load<uint16_t>(address);
    case IQA_INT16:
        return load<int16_t>(address);
    case IQA_FLOAT16:
        return half_to_double(load<uint16_t>(address));
    case IQA_FLOAT32:
        return static_cast<double>(load<float>(address));
    default:
        return load<double>(address);
    }
}

image describe_image(int32_t dtype, const std::array<int64_t, 4> &shape, const char *format)
{
    image described;
    described.dtype = dtype;
    described.shape = shape;
    described.format = format;
    int64_t stride = 1;
    for (std::size_t position = shape.size(); position-- > 0; stride *= shape[position])
        described.strides[position] = stride;
    return described;
}

std::size_t compact_size(const image &picture) noexcept
{
    int64_t samples = 1;
    for (const int64_t extent : picture.shape)
        samples *= extent;
    return static_cast<std::size_t>(samples) * dtype_size(picture.dtype);
}

image make_image(int32_t dtype, const std::array<int64_t, 4> &shape, const char *format)
{
    image made = describe_image(dtype, shape, format);
    made.storage = byte_buffer(compact_size(made));
    return made;
}

void take_storage(image &picture, byte_buffer file, std::size_t start)
{
    const std::size_t size = file.size() - start;
    if (size < compact_size(picture))
        throw image_error("cannot be decoded: it ends too early");
    if (size > compact_size(picture))
        throw image_error("cannot be decoded: there is more after the picture");
    std::memmove(file.data(), file.data() + start, size);
    file.shrink(size);
    picture.storage = std::move(file);
}

int64_t check_pixel_count(int64_t images, int64_t height, int64_t width, const decode_options &options)
{
    if (images <= 0 || height <= 0 || width <= 0)
        throw image_error("has no pixels");
    int64_t pixels = 0;
    if (__builtin_mul_overflow(height, width, &pixels) || __builtin_mul_overflow(pixels, images, &pixels) ||
        pixels > options.max_pixels)
        throw image_error("is " + std::to_string(height) + " x " + std::to_string(width) +
                          (images > 1 ? " x " + std::to_string(images) + " images" : std::string()) +
                          " pixels, more than the limit of " + std::to_string(options.max_pixels) + " (--max-pixels)");
    return pixels;
}

void reverse_bytes_of_elements(std::span<std::byte> bytes, std::size_t element_size) noexcept
{
    for (std::size_t start = 0; start + element_size <= bytes.size(); start += element_size)
        for (std::size_t low = start, high = start + element_size - 1; low < high; ++low, --high)
            std::swap(bytes[low], bytes[high]);
}

} // namespace iqa_tool
