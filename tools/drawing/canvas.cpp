// SPDX-License-Identifier: MIT
#include "drawing/canvas.hpp"

#include "files/output_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <png.h>

namespace iqa_tool {

namespace {

// libpng reports an error by longjmp: no object with a destructor lives in write().
class png_writer {
public:
    png_writer()
    {
        png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
        if (png_ != nullptr)
            info_ = png_create_info_struct(png_);
        if (info_ == nullptr) {
            png_destroy_write_struct(&png_, nullptr);
            throw std::bad_alloc();
        }
    }
    png_writer(const png_writer &) = delete;
    png_writer &operator=(const png_writer &) = delete;
    ~png_writer() { png_destroy_write_struct(&png_, &info_); }

    bool write(std::ostream &out, canvas &picture) noexcept
    {
        if (setjmp(png_jmpbuf(png_)) != 0)
            return false;
        png_set_write_fn(png_, &out, on_write, on_flush);
        png_set_IHDR(png_, info_, static_cast<png_uint_32>(picture.width()), static_cast<png_uint_32>(picture.height()),
                     8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png_write_info(png_, info_);
        for (int64_t y = 0; y < picture.height(); ++y)
            png_write_row(png_, picture.row(y));
        png_write_end(png_, info_);
        return true;
    }

    const char *message() const noexcept { return message_; }

private:
    static void on_error(png_structp png, png_const_charp text)
    {
        auto *writer = static_cast<png_writer *>(png_get_error_ptr(png));
        std::snprintf(writer->message_, sizeof writer->message_, "%s", text);
        png_longjmp(png, 1);
    }

    static void on_warning(png_structp, png_const_charp) {}

    static void on_write(png_structp png, png_bytep bytes, png_size_t size)
    {
        auto *out = static_cast<std::ostream *>(png_get_io_ptr(png));
        if (!out->write(reinterpret_cast<const char *>(bytes), static_cast<std::streamsize>(size)))
            png_error(png, std::strerror(errno));
    }

    static void on_flush(png_structp) {}

    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
    char message_[160] = "";
};

} // namespace

canvas::canvas(int64_t width, int64_t height, colour background)
    : width_(width), height_(height), rgb_(static_cast<std::size_t>(3 * width * height))
{
    fill({0, 0, width, height}, background);
}

void canvas::blend(int64_t x, int64_t y, colour ink, double coverage) noexcept
{
    if (x < 0 || x >= width_ || y < 0 || y >= height_)
        return;
    uint8_t *pixel = row(y) + 3 * x;
    const auto mix = [coverage](uint8_t below, uint8_t above) {
        return static_cast<uint8_t>(below + coverage * (above - below) + 0.5);
    };
    pixel[0] = mix(pixel[0], ink.red);
    pixel[1] = mix(pixel[1], ink.green);
    pixel[2] = mix(pixel[2], ink.blue);
}

void canvas::fill(const rectangle &area, colour ink) noexcept
{
    for (int64_t y = area.y; y < area.y + area.height; ++y)
        for (int64_t x = area.x; x < area.x + area.width; ++x)
            set(x, y, ink);
}

void write_png(const std::string &path, canvas &picture)
{
    output_file file(path);
    png_writer writer;
    if (!writer.write(file.stream(), picture))
        throw file_error(path, std::string("cannot be written: ") + writer.message());
    file.finish();
}

} // namespace iqa_tool
