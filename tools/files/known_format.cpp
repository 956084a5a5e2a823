// SPDX-License-Identifier: MIT
#include "files/known_format.hpp"

#include <string_view>

namespace iqa_tool {

namespace {

using namespace std::string_view_literals;

struct known_format {
    std::string_view start; // the first bytes
    std::size_t at;         // offset of `second`
    std::string_view second;
    const char *name;
    bool is_clip;
};

// The first match counts: among files that begin with a box "ftyp", pictures come before clips.
constexpr known_format formats[] = {
    {"RIFF"sv, 8, "WEBP"sv, "WebP", false},
    {""sv, 4, "ftypavif"sv, "AVIF", false},
    {""sv, 4, "ftypavis"sv, "AVIF", false},
    {""sv, 4, "ftyphei"sv, "HEIF", false},
    {""sv, 4, "ftypmif1"sv, "HEIF", false},
    {"\xff\x0a"sv, 0, ""sv, "JPEG XL", false},
    {"\0\0\0\x0cJXL "sv, 0, ""sv, "JPEG XL", false},
    {"\0\0\0\x0cjP  "sv, 0, ""sv, "JPEG 2000", false},
    {"GIF8"sv, 0, ""sv, "GIF", false},
    {"BM"sv, 6, "\0\0\0\0"sv, "BMP", false},
    {"\x76\x2f\x31\x01"sv, 0, ""sv, "OpenEXR", false},
    {""sv, 4, "ftyp"sv, "MP4 or QuickTime", true},
    {"\x1a\x45\xdf\xa3"sv, 0, ""sv, "Matroska or WebM", true},
    {"RIFF"sv, 8, "AVI "sv, "AVI", true},
    {"FLV\x01"sv, 0, ""sv, "FLV", true},
    {"\0\0\x01\xba"sv, 0, ""sv, "MPEG", true},
    {"\x47\x40"sv, 188, "\x47"sv, "MPEG transport stream", true},
    {"DKIF"sv, 0, ""sv, "IVF", true},
    {"\0\0\0\x01"sv, 0, ""sv, "H.264 or H.265", true},
    {"OggS"sv, 0, ""sv, "Ogg", true},
};

} // namespace

std::string advice_on(std::span<const std::byte> start)
{
    const std::string_view text(reinterpret_cast<const char *>(start.data()), start.size());
    for (const known_format &known : formats)
        if (text.starts_with(known.start) && text.size() >= known.at &&
            text.substr(known.at).starts_with(known.second)) {
            const std::string is = std::string("is ") + known.name + ", which is not read: ";
            return known.is_clip ? is + "decode it with FFmpeg, ffmpeg -v error -i FILE -strict -1 -f yuv4mpegpipe - | "
                                        "iqa compare REF -"
                                 : is + "convert it to PNG first";
        }
    return "";
}

} // namespace iqa_tool
