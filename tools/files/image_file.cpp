// SPDX-License-Identifier: MIT
// Reads a file into memory and picks the reader by its first bytes.
#include "files/image.hpp"
#include "files/known_format.hpp"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>

namespace iqa_tool {

namespace {

// The most bytes of a picture within the limit: four channels of eight bytes, and a header.
std::size_t largest_useful_file(const decode_options &options) noexcept
{
    return static_cast<std::size_t>(options.max_pixels) * 32 + (std::size_t{1} << 20);
}

[[noreturn]] void throw_too_large(const decode_options &options)
{
    throw image_error("is larger than any picture of " + std::to_string(options.max_pixels) + " pixels (--max-pixels)");
}

byte_buffer read_file(const file_handle &file, const decode_options &options)
{
    struct stat status {};
    if (fstat(fileno(file.get()), &status) != 0)
        throw image_error(std::strerror(errno));
    const std::size_t limit = largest_useful_file(options);
    const std::size_t stated = S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) : 0;
    if (stated > limit)
        throw_too_large(options);
    // One byte more than stated, to see the end of the file without a second buffer.
    byte_buffer buffer(stated > 0 ? stated + 1 : std::size_t{1} << 16);
    std::size_t used = 0;
    while (true) {
        const std::size_t count = std::fread(buffer.data() + used, 1, buffer.size() - used, file.get());
        used += count;
        if (std::ferror(file.get()) != 0)
            throw image_error(std::strerror(errno));
        if (count == 0)
            break;
        if (used > limit)
            throw_too_large(options);
        if (used == buffer.size()) {
            byte_buffer larger(buffer.size() * 2);
            std::memcpy(larger.data(), buffer.data(), used);
            buffer = std::move(larger);
        }
    }
    buffer.shrink(used);
    return buffer;
}

bool starts_with(const byte_buffer &file, std::string_view magic) noexcept
{
    return file.size() >= magic.size() && std::memcmp(file.data(), magic.data(), magic.size()) == 0;
}

image decode_any(byte_buffer file, const decode_options &options)
{
    using namespace std::string_view_literals;
    if (file.size() == 0)
        throw image_error("is empty");
    if (starts_with(file, "\x89PNG\r\n\x1a\n"sv))
        return read_png(file.bytes(), options);
    if (options.as_labels)
        throw image_error("is not a PNG file, which a label map has to be");
    if (starts_with(file, "\xff\xd8\xff"sv))
        return read_jpeg(file.bytes(), options);
    for (const std::string_view magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
        if (starts_with(file, magic))
            return read_tiff(file.bytes(), options);
    if (starts_with(file, "\x93NUMPY"sv))
        return read_npy(std::move(file), options);
    for (const std::string_view magic : {"P1"sv, "P2"sv, "P3"sv, "P4"sv, "P5"sv, "P6"sv, "PF"sv, "Pf"sv})
        if (starts_with(file, magic))
            return read_pnm(std::move(file), options);
    const std::string advice = advice_on(file.bytes());
    throw image_error(advice.empty() ? "is not a PNG, JPEG, TIFF, PNM, PFM or .npy file" : advice);
}

} // namespace

image decode_image(byte_buffer file, const decode_options &options)
{
    image picture = decode_any(std::move(file), options);
    settle_orientation(picture, options.orientation);
    return picture;
}

image read_image(const file_handle &file, const decode_options &options)
{
    return decode_image(read_file(file, options), options);
}

} // namespace iqa_tool
