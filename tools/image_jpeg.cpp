// SPDX-License-Identifier: MIT
//
// JPEG through libjpeg-turbo. Its errors and its warnings of damaged data (which would leave grey blocks in the
// picture) end in a longjmp: the two functions that call setjmp hold no object with a destructor.
#include "image.hpp"

#include <csetjmp>
#include <cstdio>

#include <jpeglib.h>

namespace iqa_tool {

namespace {

/** A progressive file may hold any number of scans, each of which costs a pass over the picture. */
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

image read_jpeg(std::span<const std::byte> file, const decode_options &options)
{
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
    return picture;
}

} // namespace iqa_tool
