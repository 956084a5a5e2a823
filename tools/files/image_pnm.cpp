// SPDX-License-Identifier: MIT
// PBM, PGM and PPM (P1 ... P6) and PFM (Pf, PF), as netpbm's manuals describe them. Samples stay as they are stored.
#include "files/image.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace iqa_tool {

namespace {

constexpr const char *ends_too_early = "cannot be decoded: it ends too early";

bool is_space(char character) noexcept
{
    return std::string_view(" \t\n\v\f\r").find(character) != std::string::npos;
}

// Reads the text of a header or of P1 ... P3.
class text_reader {
public:
    explicit text_reader(std::span<const std::byte> file)
        : text_(reinterpret_cast<const char *>(file.data()), file.size()), position_(2)
    {
    }

    // The next word; a comment runs from # to the end of the line.
    std::string_view word()
    {
        skip_space();
        const std::size_t start = position_;
        while (position_ < text_.size() && !is_space(text_[position_]) && text_[position_] != '#')
            ++position_;
        if (start == position_)
            throw image_error(ends_too_early);
        return text_.substr(start, position_ - start);
    }

    int64_t integer(const char *what, int64_t most)
    {
        const std::string_view digits = word();
        int64_t value = -1;
        const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (status != std::errc() || end != digits.data() + digits.size() || value < 0 || value > most)
            throw image_error("cannot be decoded: " + std::string(what) + " is not a number from 0 to " +
                              std::to_string(most));
        return value;
    }

    // One digit of P1, which needs no space after it.
    bool bit()
    {
        skip_space();
        if (position_ == text_.size())
            throw image_error(ends_too_early);
        const char digit = text_[position_++];
        if (digit != '0' && digit != '1')
            throw image_error("cannot be decoded: a bit is neither 0 nor 1");
        return digit == '1';
    }

    // The position of the samples, one space after the header.
    std::size_t start_of_samples()
    {
        if (position_ == text_.size() || !is_space(text_[position_]))
            throw image_error(ends_too_early);
        return position_ + 1;
    }

    void expect_end()
    {
        skip_space();
        if (position_ != text_.size())
            throw image_error("cannot be decoded: there is more after the picture");
    }

private:
    void skip_space() noexcept
    {
        bool comment = false;
        for (; position_ < text_.size(); ++position_) {
            const char character = text_[position_];
            if (comment)
                comment = character != '\n' && character != '\r';
            else if (character == '#')
                comment = true;
            else if (!is_space(character))
                break;
        }
    }

    std::string_view text_;
    std::size_t position_;
};

struct extents {
    int64_t width, height;
};

extents read_extents(text_reader &text, const decode_options &options)
{
    const int64_t width = text.integer("the width", INT32_MAX);
    const int64_t height = text.integer("the height", INT32_MAX);
    check_pixel_count(1, height, width, options);
    return {width, height};
}

// PBM: 1 is black. White is 255, as in a 1-bit PNG.
image read_bitmap(byte_buffer file, bool as_text, const decode_options &options)
{
    text_reader text(file.bytes());
    const extents size = read_extents(text, options);
    const auto height = static_cast<std::size_t>(size.height);
    const auto width = static_cast<std::size_t>(size.width);
    image packed = describe_image(IQA_UINT8, {1, size.height, (size.width + 7) / 8, 1}, "PNM");
    if (!as_text)
        take_storage(packed, std::move(file), text.start_of_samples());
    else if (file.size() < height * width)
        throw image_error(ends_too_early);

    image picture = make_image(IQA_UINT8, {1, size.height, size.width, 1}, "PNM");
    std::byte *out = picture.storage.data();
    for (std::size_t y = 0; y < height; ++y) {
        const std::byte *row = as_text ? nullptr : packed.storage.data() + y * static_cast<std::size_t>(packed.width());
        for (std::size_t x = 0; x < width; ++x) {
            const bool black = as_text ? text.bit() : ((row[x / 8] << (x % 8)) & std::byte{0x80}) != std::byte{0};
            *out++ = black ? std::byte{0} : std::byte{255};
        }
    }
    if (as_text)
        text.expect_end();
    return picture;
}

template <typename element>
void check_maximum(const image &picture, int64_t maximum)
{
    for (std::size_t start = 0; start < picture.storage.size(); start += sizeof(element)) {
        element value;
        std::memcpy(&value, picture.storage.data() + start, sizeof value);
        if (value > maximum)
            throw image_error("cannot be decoded: the sample " + std::to_string(value) +
                              " is above the stated maximum " + std::to_string(maximum));
    }
}

// PGM and PPM. Another maximum than 255 or 65535 is noted; samples are not scaled.
image read_samples(byte_buffer file, bool as_text, int64_t channels, const decode_options &options)
{
    text_reader text(file.bytes());
    const extents size = read_extents(text, options);
    const int64_t maximum = text.integer("the maximum", 65535);
    if (maximum == 0)
        throw image_error("cannot be decoded: the maximum is 0");
    const std::size_t start = text.start_of_samples();
    const auto count = static_cast<std::size_t>(size.height * size.width * channels);
    const int32_t dtype = maximum > 255 ? IQA_UINT16 : IQA_UINT8;
    image picture = describe_image(dtype, {1, size.height, size.width, channels}, "PNM");
    if (as_text) {
        if (file.size() - start < count)
            throw image_error(ends_too_early);
        picture.storage = byte_buffer(compact_size(picture));
        for (std::size_t index = 0; index < count; ++index) {
            const auto value = static_cast<uint16_t>(text.integer("a sample", maximum));
            if (picture.dtype == IQA_UINT8)
                picture.storage.data()[index] = static_cast<std::byte>(value);
            else
                std::memcpy(picture.storage.data() + index * sizeof value, &value, sizeof value);
        }
        text.expect_end();
    } else {
        take_storage(picture, std::move(file), start);
        if (picture.dtype == IQA_UINT16 && std::endian::native == std::endian::little)
            reverse_bytes_of_elements({picture.storage.data(), picture.storage.size()}, 2);
        picture.dtype == IQA_UINT8 ? check_maximum<uint8_t>(picture, maximum)
                                   : check_maximum<uint16_t>(picture, maximum);
    }
    picture.stated_maximum = maximum == 255 || maximum == 65535 ? 0 : maximum;
    return picture;
}

// PFM: rows from the bottom up; the sign of the scale is the byte order.
image read_pfm(byte_buffer file, int64_t channels, const decode_options &options)
{
    text_reader text(file.bytes());
    const extents size = read_extents(text, options);
    const std::string_view digits = text.word();
    double scale = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), scale);
    if (status != std::errc() || end != digits.data() + digits.size() || scale == 0 || !std::isfinite(scale))
        throw image_error("cannot be decoded: the scale is not a number other than 0");

    const std::size_t start = text.start_of_samples();
    image picture = describe_image(IQA_FLOAT32, {1, size.height, size.width, channels}, "PFM");
    take_storage(picture, std::move(file), start);
    if ((scale < 0) != (std::endian::native == std::endian::little))
        reverse_bytes_of_elements({picture.storage.data(), picture.storage.size()}, sizeof(float));
    picture.first_element = (size.height - 1) * picture.strides[axis_height];
    picture.strides[axis_height] = -picture.strides[axis_height];
    return picture;
}

// The size of the binary picture at the start of a file that may hold several, one behind another. No value without
// one, or for a damaged one, which its reader reports.
std::optional<std::size_t> binary_size(std::span<const std::byte> file, const decode_options &options)
{
    const std::string_view magic(reinterpret_cast<const char *>(file.data()), std::min<std::size_t>(file.size(), 2));
    if (magic != "P4" && magic != "P5" && magic != "P6")
        return std::nullopt;
    try {
        text_reader text(file);
        const extents size = read_extents(text, options);
        int64_t row_bytes = (size.width + 7) / 8;
        if (magic != "P4")
            row_bytes = size.width * (magic == "P6" ? 3 : 1) * (text.integer("the maximum", 65535) > 255 ? 2 : 1);
        const std::size_t end = text.start_of_samples() + static_cast<std::size_t>(size.height * row_bytes);
        return end <= file.size() ? std::optional(end) : std::nullopt;
    } catch (const image_error &) {
        return std::nullopt;
    }
}

// The picture to read from a file that may hold several, one behind another. Bytes behind the last one stay with it.
byte_buffer take_page(byte_buffer file, const decode_options &options)
{
    std::vector<std::size_t> starts{0};
    std::optional<std::size_t> size = binary_size(file.bytes(), options);
    while (size && binary_size(file.bytes().subspan(starts.back() + *size), options)) {
        starts.push_back(starts.back() + *size);
        size = binary_size(file.bytes().subspan(starts.back()), options);
    }
    const std::size_t page = choose_page(starts.size(), options);
    const std::size_t end = page + 1 < starts.size() ? starts[page + 1] : file.size();
    if (page > 0)
        std::memmove(file.data(), file.data() + starts[page], end - starts[page]);
    file.shrink(end - starts[page]);
    return file;
}

} // namespace

image read_pnm(byte_buffer whole_file, const decode_options &options)
{
    byte_buffer file = take_page(std::move(whole_file), options);
    const auto kind = static_cast<char>(file.data()[1]);
    switch (kind) {
    case '1':
    case '4':
        return read_bitmap(std::move(file), kind == '1', options);
    case '2':
    case '5':
        return read_samples(std::move(file), kind == '2', 1, options);
    case '3':
    case '6':
        return read_samples(std::move(file), kind == '3', 3, options);
    default:
        return read_pfm(std::move(file), kind == 'F' ? 3 : 1, options);
    }
}

} // namespace iqa_tool
