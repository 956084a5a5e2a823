// SPDX-License-Identifier: MIT
// Clips of uncompressed video, read frame by frame: YUV4MPEG2 (.y4m) and raw YUV.
#pragma once

#include "files/image.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace iqa_tool {

// The planes of every frame: luma, and two of chroma unless the clip is grey.
struct clip_format {
    int64_t width = 0, height = 0;
    const char *sampling = "420"; // of the chroma: "mono", "420", ...
    int chroma_shift_x = 1,
        chroma_shift_y = 1; // extents of chroma: luma's, divided by these powers of two and rounded up
    std::size_t planes = 3;
    int bits = 8; // of a sample; above 8 samples are 16-bit words, the least significant byte first

    // Height and width of a plane.
    std::array<int64_t, 2> extents(std::size_t plane) const noexcept;
    std::size_t frame_bytes() const noexcept;
    // The largest sample.
    int peak() const noexcept { return (1 << bits) - 1; }

    bool operator==(const clip_format &other) const noexcept;
};

// "width 352, height 288, 4:2:0, 8 bits"
std::string format_text(const clip_format &format);

// The sampling and bits of "420", "420p10", "mono12", and of YUV4MPEG2's "420jpeg" and its like; false for others.
bool parse_sampling(std::string_view text, clip_format &format);

// "WIDTHxHEIGHT:FORMAT" of raw YUV, e.g. "1920x1080:420p10"; no value for any other text.
std::optional<clip_format> parse_raw_format(std::string_view text);

// Whether the file may be YUV4MPEG2, by its first byte, which no picture has and which stays unread.
bool may_be_y4m(std::FILE *file);

class clip_reader {
public:
    // Reads the header. `raw` is the format of a file that has none. Throws image_error.
    clip_reader(file_handle file, const std::optional<clip_format> &raw, const decode_options &options);

    const clip_format &format() const noexcept { return format_; }
    const char *container() const noexcept { return has_header_ ? "YUV4MPEG2" : "raw YUV"; }
    // The number of frames by the size of the file; 0 if unknown, as for a pipe.
    std::size_t expected_frames() const noexcept;
    int64_t frames_read() const noexcept { return frames_; }

    // The next frame, a picture of one channel for each plane; false at the end. Throws image_error where the file ends
    // within a frame.
    bool read(std::vector<image> &planes);

private:
    [[noreturn]] void throw_no_format();
    bool read_frame_header();
    std::size_t take(std::span<std::byte> out);
    std::string line(std::size_t most, const char *what);

    file_handle file_;
    std::string start_; // first bytes of the file that are not consumed yet
    clip_format format_;
    bool has_header_ = false;
    int64_t frames_ = 0;
};

} // namespace iqa_tool
