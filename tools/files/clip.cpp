// SPDX-License-Identifier: MIT
// YUV4MPEG2 as yuv4mpeg(5) of the mjpegtools describes it, with the sample depths that FFmpeg adds: a line
// "YUV4MPEG2 W352 H288 F25:1 Ip C420jpeg", then for each frame a line "FRAME" and the planes. Interlacing, rates and
// aspect ratios do not concern samples and are ignored.
#include "files/clip.hpp"

#include "files/known_format.hpp"
#include "files/number.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <utility>

namespace iqa_tool {

namespace {

constexpr std::string_view stream_magic = "YUV4MPEG2";
constexpr std::string_view frame_magic = "FRAME";
// A longer line means a damaged file.
constexpr std::size_t longest_header = 4096;
constexpr std::size_t longest_frame_header = 256;

struct sampling {
    std::string_view name;
    const char *text; // in colon notation
    std::size_t planes;
    int shift_x, shift_y;
};

constexpr sampling samplings[] = {
    {"420jpeg", "420", 3, 1, 1}, {"420mpeg2", "420", 3, 1, 1}, {"420paldv", "420", 3, 1, 1},
    {"420", "420", 3, 1, 1},     {"422", "422", 3, 1, 0},      {"444", "444", 3, 0, 0},
    {"440", "440", 3, 0, 1},     {"411", "411", 3, 2, 0},      {"mono", "mono", 1, 0, 0},
};

// A word of a header in quotes, with a question mark for what is not ASCII.
std::string quoted(std::string_view word)
{
    std::string text(word);
    std::replace_if(
        text.begin(), text.end(), [](char character) { return character < ' ' || character > '~'; }, '?');
    return '"' + text + '"';
}

// "" is 8, "10" and "p10" are 10; no value outside 8 ... 16.
std::optional<int> parse_bits(std::string_view text)
{
    if (text.empty())
        return 8;
    if (text.starts_with('p'))
        text.remove_prefix(1);
    const std::optional<int> bits = parse_number<int>(text);
    return bits && *bits >= 8 && *bits <= 16 ? bits : std::nullopt;
}

int64_t parse_extent(std::string_view text)
{
    const std::optional<int64_t> value = parse_number<int64_t>(text);
    if (!value || *value < 1 || *value > INT32_MAX)
        throw image_error("cannot be decoded: " + quoted(text) + " is no width or height");
    return *value;
}

clip_format parse_stream_header(std::string_view line)
{
    clip_format format;
    line.remove_prefix(stream_magic.size());
    if (!line.empty() && line[0] != ' ')
        throw image_error("cannot be decoded: its header does not begin with YUV4MPEG2 and a space");
    while (!line.empty()) {
        line.remove_prefix(1); // the space
        const std::string_view word = line.substr(0, line.find(' '));
        line.remove_prefix(word.size());
        const std::string_view value = word.empty() ? word : word.substr(1);
        if (word.starts_with('W'))
            format.width = parse_extent(value);
        else if (word.starts_with('H'))
            format.height = parse_extent(value);
        else if (word.starts_with('C') && !parse_sampling(value, format))
            throw image_error("has the sampling " + quoted(value) + ", which is not read");
    }
    if (format.width == 0 || format.height == 0)
        throw image_error("cannot be decoded: its header states no width or no height");
    return format;
}

} // namespace

std::array<int64_t, 2> clip_format::extents(std::size_t plane) const noexcept
{
    const auto smaller = [plane](int64_t extent, int shift) {
        return plane == 0 ? extent : (extent + (int64_t{1} << shift) - 1) >> shift;
    };
    return {smaller(height, chroma_shift_y), smaller(width, chroma_shift_x)};
}

std::size_t clip_format::frame_bytes() const noexcept
{
    std::size_t samples = 0;
    for (std::size_t plane = 0; plane < planes; ++plane)
        samples += static_cast<std::size_t>(extents(plane)[0] * extents(plane)[1]);
    return bits > 8 ? 2 * samples : samples;
}

bool clip_format::operator==(const clip_format &other) const noexcept
{
    return width == other.width && height == other.height && bits == other.bits &&
           std::string_view(sampling) == other.sampling;
}

std::string format_text(const clip_format &format)
{
    std::string colours = format.sampling;
    if (format.planes > 1)
        colours = {colours[0], ':', colours[1], ':', colours[2]};
    return "width " + std::to_string(format.width) + ", height " + std::to_string(format.height) + ", " + colours +
           ", " + std::to_string(format.bits) + " bits";
}

bool parse_sampling(std::string_view text, clip_format &format)
{
    for (const sampling &known : samplings) {
        if (!text.starts_with(known.name))
            continue;
        const std::optional<int> bits = parse_bits(text.substr(known.name.size()));
        if (!bits)
            return false;
        format.sampling = known.text;
        format.planes = known.planes;
        format.chroma_shift_x = known.shift_x;
        format.chroma_shift_y = known.shift_y;
        format.bits = *bits;
        return true;
    }
    return false;
}

std::optional<clip_format> parse_raw_format(std::string_view text)
{
    const std::size_t by = text.find('x');
    const std::size_t colon = text.find(':');
    if (by == std::string_view::npos || colon == std::string_view::npos || colon < by)
        return std::nullopt;
    const auto width = parse_number<int32_t>(text.substr(0, by));
    const auto height = parse_number<int32_t>(text.substr(by + 1, colon - by - 1));
    clip_format format;
    if (!width || !height || *width < 1 || *height < 1 || !parse_sampling(text.substr(colon + 1), format))
        return std::nullopt;
    format.width = *width;
    format.height = *height;
    return format;
}

bool may_be_y4m(std::FILE *file)
{
    const int first = std::getc(file);
    if (first != EOF)
        std::ungetc(first, file);
    return first == stream_magic[0];
}

clip_reader::clip_reader(file_handle file, const std::optional<clip_format> &raw, const decode_options &options)
    : file_(std::move(file))
{
    start_.resize(stream_magic.size());
    start_.resize(take(std::as_writable_bytes(std::span(start_))));
    has_header_ = start_ == stream_magic;
    if (has_header_)
        format_ = parse_stream_header(line(longest_header, "the header"));
    else if (raw)
        format_ = *raw;
    else
        throw_no_format();
    check_pixel_count(1, format_.height, format_.width, options);
}

void clip_reader::throw_no_format()
{
    const std::size_t known = start_.size();
    start_.resize(256); // enough to know other formats
    start_.resize(known + take(std::as_writable_bytes(std::span(start_)).subspan(known)));
    const std::string advice = advice_on(std::as_bytes(std::span(start_)));
    throw image_error(advice.empty() ? "does not begin with YUV4MPEG2; state the format of raw YUV with --yuv"
                                     : advice);
}

std::size_t clip_reader::expected_frames() const noexcept
{
    struct stat status {};
    if (fstat(fileno(file_.get()), &status) != 0 || !S_ISREG(status.st_mode))
        return 0;
    const std::size_t header = has_header_ ? frame_magic.size() + 1 : 0;
    return static_cast<std::size_t>(status.st_size) / (format_.frame_bytes() + header);
}

// Takes the next bytes; fewer than asked for only at the end.
std::size_t clip_reader::take(std::span<std::byte> out)
{
    const std::size_t count = std::fread(out.data(), 1, out.size(), file_.get());
    if (std::ferror(file_.get()) != 0)
        throw image_error(std::strerror(errno));
    return count;
}

// A line without its end; "" at the end of the file.
std::string clip_reader::line(std::size_t most, const char *what)
{
    std::string text = std::exchange(start_, {});
    char next = 0;
    while (take(std::as_writable_bytes(std::span(&next, 1))) == 1) {
        if (next == '\n')
            return text;
        if (text.size() == most)
            throw image_error("cannot be decoded: " + std::string(what) + " has no end");
        text += next;
    }
    if (!text.empty())
        throw image_error("cannot be decoded: it ends within " + std::string(what));
    return text;
}

bool clip_reader::read_frame_header()
{
    const std::string what = "the header of frame " + std::to_string(frames_ + 1);
    const std::string header = line(longest_frame_header, what.c_str());
    if (header.empty() && std::feof(file_.get()) != 0)
        return false;
    if (header != frame_magic && !header.starts_with(std::string(frame_magic) + " "))
        throw image_error("cannot be decoded: " + what + " does not begin with FRAME");
    return true;
}

bool clip_reader::read(std::vector<image> &planes)
{
    if (has_header_ && !read_frame_header())
        return false;
    const int32_t dtype = format_.bits > 8 ? IQA_UINT16 : IQA_UINT8;
    planes.resize(format_.planes);
    for (std::size_t plane = 0; plane < format_.planes; ++plane) {
        image &picture = planes[plane];
        if (picture.storage.size() == 0)
            picture = make_image(dtype, {1, format_.extents(plane)[0], format_.extents(plane)[1], 1}, container());
        const std::span<std::byte> samples{picture.storage.data(), picture.storage.size()};
        // In raw YUV the bytes that were read to look for a header belong to the first frame.
        const std::size_t known = std::min(start_.size(), samples.size());
        std::memcpy(samples.data(), start_.data(), known);
        start_.erase(0, known);
        const std::size_t count = known + take(samples.subspan(known));
        if (count == 0 && plane == 0 && !has_header_)
            return false;
        if (count < samples.size())
            throw image_error("ends within frame " + std::to_string(frames_ + 1));
        if (dtype == IQA_UINT16 && std::endian::native == std::endian::big)
            reverse_bytes_of_elements(samples, sizeof(uint16_t));
    }
    ++frames_;
    return true;
}

} // namespace iqa_tool
