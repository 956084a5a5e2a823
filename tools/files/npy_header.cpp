// SPDX-License-Identifier: MIT
#include "files/npy_header.hpp"

#include "files/image.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

namespace iqa_tool {

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr const char *bad_header = "cannot be decoded: the .npy header is damaged";

// The dictionary of the header: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
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
    // Other bytes name no type, and must not reach a terminal.
    const auto is_printable = [](char character) {
        return character > ' ' && character <= '~';
    };
    if (!std::all_of(descr.begin(), descr.end(), is_printable))
        throw image_error(bad_header);
    throw image_error("holds elements of type " + std::string(descr) +
                      "; uint8, uint16, int16, float16, float32 and float64 are read");
}

std::size_t length_size_of(int version)
{
    return version == 1 ? 2 : 4;
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

} // namespace

std::size_t npy_header_size(std::span<const std::byte> prefix)
{
    if (prefix.size() < magic.size() + 2 || std::memcmp(prefix.data(), magic.data(), magic.size()) != 0)
        throw image_error(bad_header);
    const auto *bytes = reinterpret_cast<const unsigned char *>(prefix.data()) + magic.size();
    const int version = bytes[0];
    if (version < 1 || version > 3)
        throw image_error("is a .npy file of version " + std::to_string(version) + "; 1 to 3 are read");
    const std::size_t length_size = length_size_of(version);
    const std::size_t start = magic.size() + 2 + length_size;
    if (prefix.size() < start)
        throw image_error(bad_header);
    std::size_t length = 0;
    for (std::size_t index = length_size; index-- > 0;)
        length = length << 8 | bytes[2 + index];
    return start + length;
}

npy_header decode_npy_header(std::span<const std::byte> file)
{
    const std::size_t size = npy_header_size(file);
    if (size > file.size())
        throw image_error(bad_header);
    const std::size_t start = magic.size() + 2 + length_size_of(std::to_integer<int>(file[magic.size()]));
    header_parser parser({reinterpret_cast<const char *>(file.data()) + start, size - start});
    return {dtype_of(*parser.descr), is_foreign_order(*parser.descr), *parser.fortran_order, std::move(*parser.shape),
            size};
}

std::string encode_npy_header(int32_t dtype, std::span<const int64_t> shape)
{
    const char order = std::endian::native == std::endian::little ? '<' : '>';
    const char *kind = dtype_is_float(dtype) ? "f" : dtype == IQA_INT16 ? "i" : "u";
    std::string text = std::string("{'descr': '") + order + kind + std::to_string(dtype_size(dtype)) +
                       "', 'fortran_order': False, 'shape': (";
    for (const int64_t extent : shape)
        text += std::to_string(extent) + ", "; // Python also writes a comma behind the last one
    text += "), }";
    constexpr std::size_t prefix = 10;
    text.resize((prefix + text.size() + 64) / 64 * 64 - prefix - 1, ' ');
    text += '\n';
    std::string header(magic);
    header += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
    return header + text;
}

} // namespace iqa_tool
