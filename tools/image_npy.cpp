// SPDX-License-Identifier: MIT
//
// NumPy's .npy format, versions 1 to 3, as numpy.lib.format documents it. The samples stay where they are: C order,
// Fortran order and the layout of the axes become strides.
#include "image.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <vector>

namespace iqa_tool {

namespace {

constexpr const char *bad_header = "cannot be decoded: the .npy header is damaged";

/** The dictionary of the header: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }. */
class header_parser {
public:
    explicit header_parser(std::string_view text) : text_(text)
    {
        expect('{');
        while (!accept('}')) {
            const std::string_view key = quoted();
            expect(':');
            if (key == "descr")
                descr = read_descr();
            else if (key == "fortran_order")
                fortran_order = boolean();
            else if (key == "shape")
                shape = tuple();
            else
                throw image_error(bad_header);
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        if (!descr || !fortran_order || !shape)
            throw image_error(bad_header);
    }

    std::optional<std::string_view> descr;
    std::optional<bool> fortran_order;
    std::optional<std::vector<int64_t>> shape;

private:
    bool accept(char wanted)
    {
        text_.remove_prefix(std::min(text_.find_first_not_of(" \t\n"), text_.size()));
        if (text_.empty() || text_.front() != wanted)
            return false;
        text_.remove_prefix(1);
        return true;
    }

    void expect(char wanted)
    {
        if (!accept(wanted))
            throw image_error(bad_header);
    }

    std::string_view quoted()
    {
        const char quote = accept('\'') ? '\'' : '"';
        if (quote == '"')
            expect('"');
        const std::size_t end = text_.find(quote);
        if (end == std::string_view::npos)
            throw image_error(bad_header);
        const std::string_view content = text_.substr(0, end);
        text_.remove_prefix(end + 1);
        return content;
    }

    std::string_view read_descr()
    {
        if (accept('['))
            throw image_error("holds records, not numbers");
        return quoted();
    }

    bool boolean()
    {
        accept(' ');
        for (const auto &[word, value] : {std::pair("True", true), std::pair("False", false)})
            if (text_.starts_with(word)) {
                text_.remove_prefix(std::strlen(word));
                return value;
            }
        throw image_error(bad_header);
    }

    std::vector<int64_t> tuple()
    {
        std::vector<int64_t> extents;
        expect('(');
        while (!accept(')')) {
            accept(' ');
            int64_t extent = -1;
            const auto [end, status] = std::from_chars(text_.data(), text_.data() + text_.size(), extent);
            if (status != std::errc() || extent < 0)
                throw image_error(bad_header);
            text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
            extents.push_back(extent);
            if (!accept(',')) {
                expect(')');
                break;
            }
        }
        return extents;
    }

    std::string_view text_;
};

int32_t dtype_of(std::string_view descr)
{
    const std::string_view kind = descr.substr(std::min<std::size_t>(descr.size(), 1));
    if (kind == "u1")
        return IQA_UINT8;
    if (kind == "u2")
        return IQA_UINT16;
    if (kind == "i2")
        return IQA_INT16;
    if (kind == "f2")
        return IQA_FLOAT16;
    if (kind == "f4")
        return IQA_FLOAT32;
    if (kind == "f8")
        return IQA_FLOAT64;
    // Other bytes are no type at all, and not for a terminal.
    const auto is_printable = [](char character) {
        return character > ' ' && character <= '~';
    };
    if (!std::all_of(descr.begin(), descr.end(), is_printable))
        throw image_error(bad_header);
    throw image_error("holds elements of type " + std::string(descr) +
                      "; uint8, uint16, int16, float16, float32 and float64 are read");
}

bool is_foreign_order(std::string_view descr)
{
    const bool little = std::endian::native == std::endian::little;
    switch (descr.front()) {
    case '<':
        return !little;
    case '>':
        return little;
    case '|':
    case '=':
        return false;
    default:
        throw image_error(bad_header);
    }
}

/** Which of image, height, width and channel each axis of the array is. */
std::vector<axis> axes_of(int32_t layout, std::size_t count)
{
    static const std::vector<axis> axes[] = {{axis_height, axis_width},                            // IQA_LAYOUT_HW
                                             {axis_height, axis_width, axis_channel},              // IQA_LAYOUT_HWC
                                             {axis_channel, axis_height, axis_width},              // IQA_LAYOUT_CHW
                                             {axis_image, axis_height, axis_width},                // IQA_LAYOUT_NHW
                                             {axis_image, axis_height, axis_width, axis_channel},  // IQA_LAYOUT_NHWC
                                             {axis_image, axis_channel, axis_height, axis_width}}; // IQA_LAYOUT_NCHW
    if (layout < 0 && count > 2)
        throw image_error("has " + std::to_string(count) + " axes: state what they are with --layout");
    const std::vector<axis> &found = axes[layout < 0 ? IQA_LAYOUT_HW : layout];
    if (found.size() != count)
        throw image_error("has " + std::to_string(count) + " axes, but the layout has " + std::to_string(found.size()));
    return found;
}

struct header_span {
    std::string_view text;
    std::size_t samples_start;
};

header_span find_header(const byte_buffer &file)
{
    constexpr std::size_t magic_size = 6;
    const auto *bytes = reinterpret_cast<const unsigned char *>(file.data());
    if (file.size() < magic_size + 2)
        throw image_error(bad_header);
    const int version = bytes[magic_size];
    if (version < 1 || version > 3)
        throw image_error("is a .npy file of version " + std::to_string(version) + "; 1 to 3 are read");
    const std::size_t length_size = version == 1 ? 2 : 4;
    const std::size_t start = magic_size + 2 + length_size;
    if (file.size() < start)
        throw image_error(bad_header);
    std::size_t length = 0;
    for (std::size_t index = length_size; index-- > 0;)
        length = length << 8 | bytes[magic_size + 2 + index];
    if (length > file.size() - start)
        throw image_error(bad_header);
    return {{reinterpret_cast<const char *>(file.data()) + start, length}, start + length};
}

} // namespace

image read_npy(byte_buffer file, const decode_options &options)
{
    const auto [text, samples_start] = find_header(file);
    const header_parser header(text);
    const int32_t dtype = dtype_of(*header.descr);
    const bool foreign = is_foreign_order(*header.descr);
    const std::vector<int64_t> &extents = *header.shape;
    const std::vector<axis> axes = axes_of(options.layout, extents.size());

    std::array<int64_t, 4> shape{1, 1, 1, 1};
    for (std::size_t position = 0; position < axes.size(); ++position)
        shape[axes[position]] = extents[position];
    const int64_t pixels = check_pixel_count(shape[axis_image], shape[axis_height], shape[axis_width], options);
    const auto most_samples = static_cast<int64_t>((file.size() - samples_start) / dtype_size(dtype));
    if (shape[axis_channel] < 1 || shape[axis_channel] > most_samples / pixels)
        throw image_error(shape[axis_channel] < 1 ? "has no pixels" : "cannot be decoded: it ends too early");

    image picture = describe_image(dtype, shape, "NPY");
    int64_t stride = 1;
    for (std::size_t step = 0; step < axes.size(); ++step) {
        const std::size_t position = *header.fortran_order ? step : axes.size() - 1 - step;
        picture.strides[axes[position]] = stride;
        stride *= extents[position];
    }
    take_storage(picture, std::move(file), samples_start);
    if (foreign)
        reverse_bytes_of_elements({picture.storage.data(), picture.storage.size()}, dtype_size(dtype));
    return picture;
}

void write_npy(const std::string &path, const image &picture)
{
    const bool grey = picture.channels() == 1;
    const char order = std::endian::native == std::endian::little ? '<' : '>';
    const std::string kind = dtype_is_float(picture.dtype) ? "f" : picture.dtype == IQA_INT16 ? "i" : "u";
    std::string header = std::string("{'descr': '") + order + kind + std::to_string(dtype_size(picture.dtype)) +
                         "', 'fortran_order': False, 'shape': (" + std::to_string(picture.height()) + ", " +
                         std::to_string(picture.width()) +
                         (grey ? std::string() : ", " + std::to_string(picture.channels())) + "), }";
    constexpr std::size_t prefix = 10;
    header.resize((prefix + header.size() + 64) / 64 * 64 - prefix - 1, ' ');
    header += '\n';

    std::ofstream out(path, std::ios::binary);
    out.write("\x93NUMPY\x01\x00", 8);
    out.put(static_cast<char>(header.size() & 0xff));
    out.put(static_cast<char>(header.size() >> 8));
    out.write(header.data(), static_cast<std::streamsize>(header.size()));
    const std::size_t element_size = dtype_size(picture.dtype);
    for (int64_t y = 0; y < picture.height(); ++y)
        for (int64_t x = 0; x < picture.width(); ++x)
            for (int64_t channel = 0; channel < picture.channels(); ++channel) {
                const int64_t index = picture.first_element + y * picture.strides[axis_height] +
                                      x * picture.strides[axis_width] + channel * picture.strides[axis_channel];
                out.write(reinterpret_cast<const char *>(picture.storage.data()) +
                              static_cast<std::size_t>(index) * element_size,
                          static_cast<std::streamsize>(element_size));
            }
    out.close();
    if (!out)
        throw image_error("cannot be written");
}

} // namespace iqa_tool
