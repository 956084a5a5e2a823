// SPDX-License-Identifier: MIT
// PNG through libpng. libpng reports an error by longjmp: the two functions that call setjmp hold no object with a
// destructor, and memory is taken between them, not in them.
#include "files/exif.hpp"
#include "files/image.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <png.h>
#include <string_view>
#include <vector>

namespace iqa_tool {

namespace {

// The structure of a PNG, from its chunks.
struct png_outline {
    std::size_t end;       // position behind this PNG; another one may follow
    uint32_t pictures = 1; // frames of an animation, and the still picture if it is no frame
};

uint32_t big_endian(std::span<const std::byte> bytes) noexcept
{
    uint32_t value = 0;
    for (const std::byte byte : bytes.first(4))
        value = value << 8 | std::to_integer<uint32_t>(byte);
    return value;
}

// Walks the chunks.
png_outline outline_of(std::span<const std::byte> file) noexcept
{
    png_outline found{.end = file.size()};
    uint32_t frames = 0;
    bool is_frame = false; // whether the still picture is one
    bool before_pixels = true;
    for (std::size_t position = 8; position + 12 <= file.size();) {
        const std::size_t length = big_endian(file.subspan(position));
        const std::string_view type(reinterpret_cast<const char *>(file.data()) + position + 4, 4);
        const std::size_t room = file.size() - position - 12;
        if (type == "IDAT")
            before_pixels = false;
        if (type == "acTL" && before_pixels && std::min(length, room) >= 8)
            frames = big_endian(file.subspan(position + 8));
        if (type == "fcTL")
            is_frame = is_frame || before_pixels;
        position += 12 + std::min(length, room);
        if (type == "IEND") {
            found.end = position;
            break;
        }
    }
    if (frames > 0)
        found.pictures = frames + (is_frame || frames == UINT32_MAX ? 0 : 1);
    return found;
}

// The PNG to read from a file that may hold several, one behind another. An animation counts as one.
std::span<const std::byte> choose_png(std::span<const std::byte> file, const decode_options &options)
{
    std::vector<std::span<const std::byte>> found{file};
    png_outline outline = outline_of(file);
    if (outline.pictures > 1 && options.page != 1)
        throw image_error("is an animation of " + std::to_string(outline.pictures) +
                          " pictures: --page 1 takes the one that is shown without animation, others are not read");
    while (found.back().size() - outline.end >= 8 &&
           std::memcmp(found.back().data() + outline.end, file.data(), 8) == 0) {
        found.push_back(found.back().subspan(outline.end));
        outline = outline_of(found.back());
    }
    return found[choose_page(found.size(), options)];
}

class png_session {
public:
    explicit png_session(std::span<const std::byte> file) : remaining_(file)
    {
        png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
        if (png_ != nullptr)
            info_ = png_create_info_struct(png_);
        if (info_ == nullptr) {
            png_destroy_read_struct(&png_, nullptr, nullptr);
            throw std::bad_alloc();
        }
    }
    png_session(const png_session &) = delete;
    png_session &operator=(const png_session &) = delete;
    ~png_session() { png_destroy_read_struct(&png_, &info_, nullptr); }

    bool read_header(bool as_labels) noexcept
    {
        if (setjmp(png_jmpbuf(png_)) != 0)
            return false;
        png_set_read_fn(png_, this, on_read);
        png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
        png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
        png_read_info(png_, info_);
        if (as_labels) {
            png_set_packing(png_); // a byte for each sample, not scaled
        } else {
            png_set_palette_to_rgb(png_);
            png_set_expand_gray_1_2_4_to_8(png_);
            png_set_tRNS_to_alpha(png_);
        }
        if constexpr (std::endian::native == std::endian::little)
            png_set_swap(png_);
        png_set_interlace_handling(png_);
        png_read_update_info(png_, info_);
        return true;
    }

    bool read_rows(png_bytepp rows) noexcept
    {
        if (setjmp(png_jmpbuf(png_)) != 0)
            return false;
        png_read_image(png_, rows);
        png_read_end(png_, info_); // EXIF may stand behind the pixels
        return true;
    }

    int64_t height() const noexcept { return png_get_image_height(png_, info_); }
    int64_t width() const noexcept { return png_get_image_width(png_, info_); }
    int64_t channels() const noexcept { return png_get_channels(png_, info_); }
    bool has_alpha() const noexcept { return (png_get_color_type(png_, info_) & PNG_COLOR_MASK_ALPHA) != 0; }
    bool has_colours() const noexcept { return (png_get_color_type(png_, info_) & PNG_COLOR_MASK_COLOR) != 0; }
    bool has_palette() const noexcept { return png_get_color_type(png_, info_) == PNG_COLOR_TYPE_PALETTE; }
    int32_t dtype() const noexcept { return png_get_bit_depth(png_, info_) == 16 ? IQA_UINT16 : IQA_UINT8; }
    std::span<const std::byte> exif() const noexcept
    {
        png_uint_32 size = 0;
        png_bytep content = nullptr;
        if (png_get_eXIf_1(png_, info_, &size, &content) == 0)
            return {};
        return {reinterpret_cast<const std::byte *>(content), size};
    }
    std::string message() const { return std::string("cannot be decoded: ") + message_; }

private:
    static void on_error(png_structp png, png_const_charp text)
    {
        auto *session = static_cast<png_session *>(png_get_error_ptr(png));
        std::snprintf(session->message_, sizeof session->message_, "%s", text);
        png_longjmp(png, 1);
    }

    static void on_warning(png_structp, png_const_charp) {}

    static void on_read(png_structp png, png_bytep out, png_size_t size)
    {
        auto *session = static_cast<png_session *>(png_get_io_ptr(png));
        if (size > session->remaining_.size())
            png_error(png, "it ends too early");
        std::memcpy(out, session->remaining_.data(), size);
        session->remaining_ = session->remaining_.subspan(size);
    }

    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
    std::span<const std::byte> remaining_;
    char message_[160] = "";
};

} // namespace

image read_png(std::span<const std::byte> whole_file, const decode_options &options)
{
    png_session session(choose_png(whole_file, options));
    if (!session.read_header(options.as_labels))
        throw image_error(session.message());
    if (options.as_labels && !session.has_palette() && session.channels() != 1)
        throw image_error(std::string("holds ") + (session.has_colours() ? "RGB" : "grey") + " pixels" +
                          (session.has_alpha() ? " with alpha" : "") +
                          ", not labels: a label map is a PNG with a palette, or a grey one without alpha");
    check_pixel_count(1, session.height(), session.width(), options);
    image picture = make_image(session.dtype(), {1, session.height(), session.width(), session.channels()}, "PNG");
    picture.alpha = session.has_alpha() ? alpha_kind::straight : alpha_kind::none;

    const auto row_bytes = static_cast<std::size_t>(picture.strides[axis_height]) * dtype_size(picture.dtype);
    std::vector<png_bytep> rows(static_cast<std::size_t>(picture.height()));
    for (std::size_t y = 0; y < rows.size(); ++y)
        rows[y] = reinterpret_cast<png_bytep>(picture.storage.data() + y * row_bytes);
    if (!session.read_rows(rows.data()))
        throw image_error(session.message());
    picture.orientation = exif_orientation(session.exif());
    return picture;
}

} // namespace iqa_tool
