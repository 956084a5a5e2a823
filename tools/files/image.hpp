// SPDX-License-Identifier: MIT
// A decoded picture in memory, and the readers that make one from the bytes of a file.
#pragma once

#include "files/input_file.hpp"

#include <iqa_c.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

namespace iqa_tool {

// A fault of a picture or a file. The text does not name the file.
class image_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Owned bytes, aligned for every element type. They are not cleared, so a header that promises a large picture costs
// no memory before its pixels arrive.
class byte_buffer {
public:
    byte_buffer() = default;
    explicit byte_buffer(std::size_t size) : data_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {}

    std::byte *data() noexcept { return data_.get(); }
    const std::byte *data() const noexcept { return data_.get(); }
    std::size_t size() const noexcept { return size_; }
    std::span<const std::byte> bytes() const noexcept { return {data_.get(), size_}; }
    void shrink(std::size_t size) noexcept { size_ = size; }

private:
    std::unique_ptr<std::byte[]> data_;
    std::size_t size_ = 0;
};

// The axes of `image::shape`: those of IQA_LAYOUT_NHWC.
enum axis { axis_image, axis_height, axis_width, axis_channel };

enum class alpha_kind { none, straight, premultiplied };

// One picture, or a batch from a .npy file, as images x height x width x channels.
struct image {
    byte_buffer storage;
    int64_t first_element = 0;           // index of the element [0, 0, 0, 0] in storage
    std::array<int64_t, 4> shape{};      // extents
    std::array<int64_t, 4> strides{};    // in elements
    int32_t dtype = IQA_UINT8;           // IQA_UINT8, ...
    alpha_kind alpha = alpha_kind::none; // whether the last channel is alpha
    int64_t stated_maximum = 0;          // PNM: a maximum below that of the element type, else 0
    int32_t orientation = 1;             // the turn that makes it upright: EXIF's 1 (none) to 8
    const char *format = "";             // "PNG", ...

    int64_t height() const noexcept { return shape[axis_height]; }
    int64_t width() const noexcept { return shape[axis_width]; }
    int64_t channels() const noexcept { return shape[axis_channel]; }

    // A view for the library; valid as long as this object is.
    iqa_tensor tensor() const noexcept;
    // One channel as a picture of its own.
    iqa_tensor channel_tensor(int64_t channel, std::array<int64_t, 4> &channel_shape) const noexcept;
    // One sample as a number.
    double sample(int64_t picture, int64_t y, int64_t x, int64_t channel) const noexcept;
};

// An image of compact samples, still without storage.
image describe_image(int32_t dtype, const std::array<int64_t, 4> &shape, const char *format);
// Likewise, with storage.
image make_image(int32_t dtype, const std::array<int64_t, 4> &shape, const char *format);

// Treatment of pictures whose EXIF orientation says to turn them.
enum class orientation_policy {
    unstated, // as stored; two pictures that differ in this are not compared
    apply,    // turn them upright
    stored    // as stored
};

struct decode_options {
    int64_t max_pixels = int64_t{1} << 28; // height x width x images of one file
    int32_t layout = -1;                   // IQA_LAYOUT_... of .npy arrays; -1: not stated
    bool as_labels = false;                // label maps: only PNG; numbers as stored, not as colours
    int32_t page = 0;                      // in files with several full pictures, from 1 on; 0: not stated
    orientation_policy orientation = orientation_policy::unstated;
};

// Reads and decodes a file. The content decides the format, not the name. Throws image_error.
image read_image(const file_handle &file, const decode_options &options);

// Decodes a file that is in memory. Throws image_error.
image decode_image(byte_buffer file, const decode_options &options);

// The bytes of the samples of a compact image.
std::size_t compact_size(const image &picture) noexcept;

// Makes the bytes of a file from `start` on the storage of the picture, without a second buffer.
void take_storage(image &picture, byte_buffer file, std::size_t start);

// Throws image_error unless 1 <= images x height x width <= max_pixels; returns the product.
int64_t check_pixel_count(int64_t images, int64_t height, int64_t width, const decode_options &options);

// The index of the picture to read from a file with `count` full pictures. Throws image_error if there are several and
// no page is chosen.
std::size_t choose_page(std::size_t count, const decode_options &options);

// Turns the picture, or forgets its orientation, by the policy.
void settle_orientation(image &picture, orientation_policy policy) noexcept;

// Throws image_error about `picture` unless both have the same orientation.
void check_orientation(const image &picture, const image &reference);

image read_png(std::span<const std::byte> file, const decode_options &options);
image read_jpeg(std::span<const std::byte> file, const decode_options &options);
image read_tiff(std::span<const std::byte> file, const decode_options &options);
image read_pnm(byte_buffer file, const decode_options &options);
image read_npy(byte_buffer file, const decode_options &options);

// Swaps the bytes of each element in place.
void reverse_bytes_of_elements(std::span<std::byte> bytes, std::size_t element_size) noexcept;

// Treatment of an alpha channel.
enum class alpha_policy {
    opaque,  // drop it where every pixel is opaque, refuse the picture otherwise
    drop,    // drop it
    channel, // compare it as one more channel
    black,   // put the picture on black
    white    // put the picture on white
};

// Throws image_error where the policy refuses the picture.
void apply_alpha_policy(image &picture, alpha_policy policy);

// "uint8", ...
const char *dtype_name(int32_t dtype) noexcept;
std::size_t dtype_size(int32_t dtype) noexcept;
bool dtype_is_float(int32_t dtype) noexcept;

// Writes the samples of the first image as an array of height x width (x channels), in C order.
void write_npy(std::ostream &out, const image &picture);

} // namespace iqa_tool
