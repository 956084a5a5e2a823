// SPDX-License-Identifier: MIT
// JPEG through libjpeg-turbo. Its errors and its warnings of damaged data (which would leave grey blocks in the
// picture) end in a longjmp: the two functions that call setjmp hold no object with a destructor.
#include "files/exif.hpp"
#include "files/image.hpp"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include <jpeglib.h>

namespace iqa_tool {

namespace {

using bytes = std::span<const std::byte>;

bool begins_with(bytes text, std::string_view start) noexcept
{
    return text.size() >= start.size() && std::memcmp(text.data(), start.data(), start.size()) == 0;
}

// The parts of one picture beside its pixels.
struct jpeg_outline {
    bytes exif, index; // content of the EXIF block and of the MPF index
    std::size_t end;   // position behind the picture
};

// Walks the markers.
jpeg_outline outline_of(bytes file) noexcept
{
    const auto at = [file](std::size_t position) {
        return position < file.size() ? std::to_integer<unsigned>(file[position]) : 0;
    };
    jpeg_outline found{{}, {}, file.size()};
    std::size_t position = 2;
    while (position + 1 < file.size()) {
        const void *next = std::memchr(file.data() + position, 0xff, file.size() - position); // behind a scan's data
        if (next == nullptr)
            break;
        position = static_cast<std::size_t>(static_cast<const std::byte *>(next) - file.data());
        const unsigned marker = at(position + 1);
        if (marker == 0xff) { // padding
            ++position;
        } else if (marker <= 1 || (marker >= 0xd0 && marker <= 0xd8)) { // a marker without a length
            position += 2;
        } else if (marker == 0xd9) {
            found.end = position + 2;
            break;
        } else {
            const std::size_t length = std::max(at(position + 2) << 8 | at(position + 3), 2U);
            const bytes rest = file.subspan(std::min(position + 4, file.size()));
            const bytes content = rest.first(std::min<std::size_t>(rest.size(), length - 2));
            constexpr std::string_view exif_name("Exif\0\0", 6), index_name("MPF\0", 4);
            if (marker == 0xe1 && found.exif.empty() && begins_with(content, exif_name))
                found.exif = content.subspan(exif_name.size());
            if (marker == 0xe2 && found.index.empty() && begins_with(content, index_name))
                found.index = content.subspan(index_name.size());
            position += 2 + length;
        }
    }
    return found;
}

// Adds the other pictures of the index, without thumbnails and truncated ones.
void add_indexed_pictures(bytes file, bytes index, std::vector<bytes> &found)
{
    constexpr uint16_t entries_tag = 0xb002;
    constexpr std::size_t entry_size = 16;
    constexpr uint32_t type_mask = 0xff0000, thumbnail_type = 0x010000;
    const exif_directory directory(index);
    const bytes entries = directory.content(entries_tag);
    for (std::size_t start = entry_size; start + entry_size <= entries.size(); start += entry_size) {
        if ((directory.read(entries, start, 4) & type_mask) == thumbnail_type)
            continue;
        const auto begin = static_cast<std::size_t>(index.data() - file.data()) + directory.read(entries, start + 8, 4);
        if (begin < file.size() && begins_with(file.subspan(begin), "\xff\xd8\xff"))
            found.push_back(file.subspan(begin));
    }
}

// The full pictures of a file: by its index, or one behind another.
std::vector<bytes> pictures_of(bytes file)
{
    std::vector<bytes> found{file};
    jpeg_outline outline = outline_of(file);
    if (!outline.index.empty()) {
        add_indexed_pictures(file, outline.index, found);
        return found;
    }
    while (true) {
        bytes tail = found.back().subspan(outline.end);
        while (!tail.empty() && tail.front() == std::byte{0})
            tail = tail.subspan(1);
        if (!begins_with(tail, "\xff\xd8\xff"))
            return found;
        found.push_back(tail);
        outline = outline_of(tail);
    }
}

// A progressive file may hold any number of scans, each of which costs a pass over the picture.
constexpr int most_scans = 500;

class jpeg_session {
public:
    explicit jpeg_session(std::span<const std::byte> file) : file_(file) {}
    jpeg_session(const jpeg_session &) = delete;
    jpeg_session &operator=(const jpeg_session &) = delete;
    ~jpeg_session()
    {
        if (created_)
            jpeg_destroy_decompress(&jpeg_);
    }

    bool read_header() noexcept
    {
        if (setjmp(escape_) != 0)
            return false;
        jpeg_.err = jpeg_std_error(&errors_);
        errors_.error_exit = on_error;
        errors_.emit_message = on_message;
        jpeg_.client_data = this;
        jpeg_create_decompress(&jpeg_);
        created_ = true;
        progress_.progress_monitor = on_progress;
        jpeg_.progress = &progress_;
        jpeg_mem_src(&jpeg_, reinterpret_cast<const unsigned char *>(file_.data()), file_.size());
        jpeg_read_header(&jpeg_, TRUE);
        jpeg_.out_color_space = jpeg_.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
        jpeg_calc_output_dimensions(&jpeg_);
        return true;
    }

    bool read_rows(unsigned char *out, std::size_t row_bytes) noexcept
    {
        if (setjmp(escape_) != 0)
            return false;
        jpeg_start_decompress(&jpeg_);
        while (jpeg_.output_scanline < jpeg_.output_height) {
            JSAMPROW row = out + jpeg_.output_scanline * row_bytes;
            jpeg_read_scanlines(&jpeg_, &row, 1);
        }
        jpeg_finish_decompress(&jpeg_);
        return true;
    }

    int64_t height() const noexcept { return jpeg_.output_height; }
    int64_t width() const noexcept { return jpeg_.output_width; }
    int64_t channels() const noexcept { return jpeg_.out_color_space == JCS_GRAYSCALE ? 1 : 3; }
    bool is_cmyk() const noexcept { return jpeg_.jpeg_color_space == JCS_CMYK || jpeg_.jpeg_color_space == JCS_YCCK; }
    std::string message() const { return std::string("cannot be decoded: ") + message_; }

private:
    static void on_error(j_common_ptr jpeg)
    {
        auto *session = static_cast<jpeg_session *>(jpeg->client_data);
        jpeg->err->format_message(jpeg, session->message_);
        std::longjmp(session->escape_, 1);
    }

    static void on_message(j_common_ptr jpeg, int level)
    {
        if (level < 0)
            on_error(jpeg);
    }

    static void on_progress(j_common_ptr jpeg)
    {
        auto *session = static_cast<jpeg_session *>(jpeg->client_data);
        if (session->jpeg_.input_scan_number > most_scans) {
            std::snprintf(session->message_, sizeof session->message_, "more than %d scans", most_scans);
            std::longjmp(session->escape_, 1);
        }
    }

    std::span<const std::byte> file_;
    jpeg_decompress_struct jpeg_{};
    jpeg_error_mgr errors_{};
    jpeg_progress_mgr progress_{};
    std::jmp_buf escape_{};
    bool created_ = false;
    char message_[JMSG_LENGTH_MAX] = "";
};

} // namespace

image read_jpeg(std::span<const std::byte> whole_file, const decode_options &options)
{
    const std::vector<bytes> pictures = pictures_of(whole_file);
    const bytes file = pictures[choose_page(pictures.size(), options)];
    jpeg_session session(file);
    if (!session.read_header())
        throw image_error(session.message());
    if (session.is_cmyk())
        throw image_error("is a CMYK JPEG; grey and colour (YCbCr, RGB) are read");
    check_pixel_count(1, session.height(), session.width(), options);
    image picture = make_image(IQA_UINT8, {1, session.height(), session.width(), session.channels()}, "JPEG");
    if (!session.read_rows(reinterpret_cast<unsigned char *>(picture.storage.data()),
                           static_cast<std::size_t>(picture.strides[axis_height])))
        throw image_error(session.message());
    picture.orientation = exif_orientation(outline_of(file).exif);
    return picture;
}

} // namespace iqa_tool
