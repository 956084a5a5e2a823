// SPDX-License-Identifier: MIT
// TIFF through libtiff. Samples of 8, 16, 32 and 64 bits are read as stored; palettes, fewer bits and YCbCr go through
// libtiff's conversion to 8-bit RGB. libtiff reports an error by a callback and a return value. Past 400 lines: the two
// paths share the description of a directory.
#include "files/image.hpp"

#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <tiffio.h>
#include <vector>

namespace iqa_tool {

namespace {

// The bytes of the file, and the first message that matters.
struct tiff_source {
    std::span<const std::byte> file;
    uint64_t position = 0;
    bool warnings_matter = false;
    char message[200] = "";

    void note(const char *format, va_list arguments) noexcept
    {
        if (message[0] == '\0')
            std::vsnprintf(message, sizeof message, format, arguments);
    }
};

tsize_t on_read(thandle_t handle, void *out, tsize_t size)
{
    auto *source = static_cast<tiff_source *>(handle);
    if (size <= 0 || source->position >= source->file.size())
        return 0;
    const auto count = std::min<uint64_t>(static_cast<uint64_t>(size), source->file.size() - source->position);
    std::memcpy(out, source->file.data() + source->position, static_cast<std::size_t>(count));
    source->position += count;
    return static_cast<tsize_t>(count);
}

tsize_t on_write(thandle_t, void *, tsize_t)
{
    return 0;
}

toff_t on_seek(thandle_t handle, toff_t offset, int origin)
{
    auto *source = static_cast<tiff_source *>(handle);
    const uint64_t start = origin == SEEK_CUR ? source->position : origin == SEEK_END ? source->file.size() : 0;
    source->position = start + offset;
    return source->position;
}

int on_close(thandle_t)
{
    return 0;
}

toff_t on_size(thandle_t handle)
{
    return static_cast<tiff_source *>(handle)->file.size();
}

int on_map(thandle_t, void **, toff_t *)
{
    return 0;
}

void on_unmap(thandle_t, void *, toff_t)
{
}

// Since 4.5 each open file has its own handlers and memory limit. Older versions have one handler for all files, which
// also gets the file's source, and no limit but the size of the file.
#if TIFFLIB_VERSION >= 20221213

int on_error(TIFF *, void *user, const char *, const char *format, va_list arguments)
{
    static_cast<tiff_source *>(user)->note(format, arguments);
    return 1;
}

int on_warning(TIFF *, void *user, const char *, const char *format, va_list arguments)
{
    auto *source = static_cast<tiff_source *>(user);
    if (source->warnings_matter)
        source->note(format, arguments);
    return 1;
}

struct options_deleter {
    void operator()(TIFFOpenOptions *options) const noexcept { TIFFOpenOptionsFree(options); }
};

TIFF *open_source(tiff_source &source, const decode_options &options)
{
    const std::unique_ptr<TIFFOpenOptions, options_deleter> open_options(TIFFOpenOptionsAlloc());
    if (!open_options)
        throw std::bad_alloc();
    const int64_t most_bytes = std::min<int64_t>(options.max_pixels, std::numeric_limits<tmsize_t>::max() / 64) * 64;
    TIFFOpenOptionsSetMaxSingleMemAlloc(open_options.get(), most_bytes);
    TIFFOpenOptionsSetErrorHandlerExtR(open_options.get(), on_error, &source);
    TIFFOpenOptionsSetWarningHandlerExtR(open_options.get(), on_warning, &source);
    return TIFFClientOpenExt("", "rm", &source, on_read, on_write, on_seek, on_close, on_size, on_map, on_unmap,
                             open_options.get());
}

#else

void on_error(thandle_t handle, const char *, const char *format, va_list arguments)
{
    static_cast<tiff_source *>(handle)->note(format, arguments);
}

void on_warning(thandle_t handle, const char *, const char *format, va_list arguments)
{
    auto *source = static_cast<tiff_source *>(handle);
    if (source->warnings_matter)
        source->note(format, arguments);
}

TIFF *open_source(tiff_source &source, const decode_options &)
{
    static std::once_flag once;
    std::call_once(once, [] {
        TIFFSetErrorHandler(nullptr);
        TIFFSetWarningHandler(nullptr);
        TIFFSetErrorHandlerExt(on_error);
        TIFFSetWarningHandlerExt(on_warning);
    });
    return TIFFClientOpen("", "rm", &source, on_read, on_write, on_seek, on_close, on_size, on_map, on_unmap);
}

#endif

struct tiff_closer {
    void operator()(TIFF *tiff) const noexcept { TIFFClose(tiff); }
};

using tiff_handle = std::unique_ptr<TIFF, tiff_closer>;

[[noreturn]] void throw_damaged(const tiff_source &source)
{
    throw image_error(std::string("cannot be decoded: ") +
                      (source.message[0] != '\0' ? source.message : "libtiff gives no reason"));
}

template <typename value>
value field(TIFF *tiff, uint32_t tag) noexcept
{
    value content{};
    TIFFGetFieldDefaulted(tiff, tag, &content);
    return content;
}

// The tags of a directory.
struct description {
    int64_t height, width;
    uint16_t bits, samples, sample_format, photometric, planar, orientation;

    explicit description(TIFF *tiff)
        : height(field<uint32_t>(tiff, TIFFTAG_IMAGELENGTH)),
          width(field<uint32_t>(tiff, TIFFTAG_IMAGEWIDTH)),
          bits(field<uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE)),
          samples(field<uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL)),
          sample_format(field<uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT)),
          photometric(field<uint16_t>(tiff, TIFFTAG_PHOTOMETRIC)),
          planar(field<uint16_t>(tiff, TIFFTAG_PLANARCONFIG)),
          orientation(field<uint16_t>(tiff, TIFFTAG_ORIENTATION))
    {
        if (sample_format == SAMPLEFORMAT_VOID) // unknown to the writer: the standard says unsigned integers
            sample_format = SAMPLEFORMAT_UINT;
    }

    bool is_grey() const noexcept
    {
        return photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
    }
    int colours() const noexcept { return is_grey() ? 1 : 3; }

    // The element type, or -1 if libtiff has to convert.
    int32_t dtype() const noexcept
    {
        if (!is_grey() && photometric != PHOTOMETRIC_RGB)
            return -1;
        if (sample_format == SAMPLEFORMAT_UINT && (bits == 8 || bits == 16))
            return bits == 8 ? IQA_UINT8 : IQA_UINT16;
        if (sample_format == SAMPLEFORMAT_INT && bits == 16)
            return IQA_INT16;
        if (sample_format == SAMPLEFORMAT_IEEEFP && (bits == 16 || bits == 32 || bits == 64))
            return bits == 16 ? IQA_FLOAT16 : bits == 32 ? IQA_FLOAT32 : IQA_FLOAT64;
        return -1;
    }

    // Whether libtiff's conversion keeps the pixels: it takes all samples for unsigned, and drops extra samples.
    bool can_be_converted() const noexcept
    {
        const bool few_bits = bits == 1 || bits == 2 || bits == 4;
        if (sample_format != SAMPLEFORMAT_UINT)
            return false;
        if (is_grey())
            return samples == 1 && few_bits;
        if (photometric == PHOTOMETRIC_PALETTE)
            return samples == 1 && (few_bits || bits == 8);
        return photometric == PHOTOMETRIC_YCBCR && samples == 3 && bits == 8;
    }

    std::string text() const
    {
        constexpr const char *kinds[] = {"",        "unsigned",        "signed", "floating-point",
                                         "untyped", "complex integer", "complex"};
        const bool is_known = sample_format < std::size(kinds);
        return std::to_string(samples) + " " + (is_known ? kinds[sample_format] : "unknown") +
               (samples == 1 ? " sample of " : " samples of ") + std::to_string(bits) + " bits (photometric " +
               std::to_string(photometric) + ")";
    }
};

alpha_kind read_alpha_kind(TIFF *tiff)
{
    uint16_t count = 0;
    const uint16_t *kinds = nullptr;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds);
    return count == 1 && kinds[0] == EXTRASAMPLE_ASSOCALPHA ? alpha_kind::premultiplied : alpha_kind::straight;
}

// Strips are consecutive rows of the picture.
void read_strips(TIFF *tiff, const tiff_source &source, std::byte *plane, std::size_t row_bytes, int64_t height,
                 uint16_t plane_number)
{
    const int64_t strip_rows = std::min<int64_t>(field<uint32_t>(tiff, TIFFTAG_ROWSPERSTRIP), height);
    if (strip_rows <= 0)
        throw_damaged(source);
    for (int64_t y = 0; y < height; y += strip_rows) {
        const auto expected = static_cast<tsize_t>(row_bytes) * std::min(strip_rows, height - y);
        const uint32_t strip = TIFFComputeStrip(tiff, static_cast<uint32_t>(y), plane_number);
        std::byte *out = plane + static_cast<std::size_t>(y) * row_bytes;
        if (TIFFReadEncodedStrip(tiff, strip, out, expected) != expected || source.message[0] != '\0')
            throw_damaged(source);
    }
}

// Tiles may reach beyond the right and lower edge.
void read_tiles(TIFF *tiff, const tiff_source &source, std::byte *plane, std::size_t row_bytes, std::size_t pixel_bytes,
                const description &tags, uint16_t plane_number, const decode_options &options)
{
    const int64_t tile_height = field<uint32_t>(tiff, TIFFTAG_TILELENGTH);
    const int64_t tile_width = field<uint32_t>(tiff, TIFFTAG_TILEWIDTH);
    check_pixel_count(1, tile_height, tile_width, options);
    const std::size_t tile_row_bytes = static_cast<std::size_t>(tile_width) * pixel_bytes;
    byte_buffer tile(tile_row_bytes * static_cast<std::size_t>(tile_height));
    if (TIFFTileSize(tiff) != static_cast<tsize_t>(tile.size()))
        throw_damaged(source);
    for (int64_t y = 0; y < tags.height; y += tile_height)
        for (int64_t x = 0; x < tags.width; x += tile_width) {
            const uint32_t number =
                TIFFComputeTile(tiff, static_cast<uint32_t>(x), static_cast<uint32_t>(y), 0, plane_number);
            const auto size = static_cast<tsize_t>(tile.size());
            if (TIFFReadEncodedTile(tiff, number, tile.data(), size) != size || source.message[0] != '\0')
                throw_damaged(source);
            const auto used_bytes = static_cast<std::size_t>(std::min(tile_width, tags.width - x)) * pixel_bytes;
            for (int64_t row = 0; row < std::min(tile_height, tags.height - y); ++row)
                std::memcpy(plane + static_cast<std::size_t>(y + row) * row_bytes +
                                static_cast<std::size_t>(x) * pixel_bytes,
                            tile.data() + static_cast<std::size_t>(row) * tile_row_bytes, used_bytes);
        }
}

image read_as_stored(TIFF *tiff, const tiff_source &source, const description &tags, const decode_options &options)
{
    const int64_t planes = tags.planar == PLANARCONFIG_SEPARATE ? tags.samples : 1;
    const int64_t interleaved = tags.samples / planes;
    image picture = make_image(tags.dtype(), {planes, tags.height, tags.width, interleaved}, "TIFF");
    const std::size_t pixel_bytes = static_cast<std::size_t>(interleaved) * dtype_size(picture.dtype);
    const std::size_t row_bytes = static_cast<std::size_t>(tags.width) * pixel_bytes;
    for (int64_t plane_number = 0; plane_number < planes; ++plane_number) {
        std::byte *plane = picture.storage.data() + static_cast<std::size_t>(plane_number * tags.height) * row_bytes;
        if (TIFFIsTiled(tiff) != 0)
            read_tiles(tiff, source, plane, row_bytes, pixel_bytes, tags, static_cast<uint16_t>(plane_number), options);
        else
            read_strips(tiff, source, plane, row_bytes, tags.height, static_cast<uint16_t>(plane_number));
    }
    if (planes > 1) {
        picture.strides[axis_channel] = picture.strides[axis_image];
        picture.shape = {1, tags.height, tags.width, planes};
    }
    return picture;
}

// MinIsWhite: white is 0.
template <typename element>
void invert(byte_buffer &storage) noexcept
{
    for (std::size_t start = 0; start + sizeof(element) <= storage.size(); start += sizeof(element)) {
        element value;
        std::memcpy(&value, storage.data() + start, sizeof value);
        value = static_cast<element>(std::numeric_limits<element>::max() - value);
        std::memcpy(storage.data() + start, &value, sizeof value);
    }
}

image read_converted(TIFF *tiff, const tiff_source &source, const description &tags)
{
    char reason[1024] = "";
    if (TIFFRGBAImageOK(tiff, reason) == 0)
        throw image_error(std::string("cannot be read: ") + reason);
    byte_buffer raster(static_cast<std::size_t>(tags.height * tags.width) * sizeof(uint32_t));
    // Pixels are compared as they are stored; the conversion would turn the picture upright.
    TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    if (TIFFReadRGBAImageOriented(tiff, static_cast<uint32_t>(tags.width), static_cast<uint32_t>(tags.height),
                                  reinterpret_cast<uint32_t *>(raster.data()), ORIENTATION_TOPLEFT, 1) == 0 ||
        source.message[0] != '\0')
        throw_damaged(source);
    image picture = make_image(IQA_UINT8, {1, tags.height, tags.width, tags.colours()}, "TIFF");
    std::byte *out = picture.storage.data();
    for (std::size_t start = 0; start < raster.size(); start += sizeof(uint32_t)) {
        uint32_t pixel;
        std::memcpy(&pixel, raster.data() + start, sizeof pixel);
        for (int channel = 0; channel < tags.colours(); ++channel)
            *out++ = static_cast<std::byte>(pixel >> (8 * channel));
    }
    return picture;
}

// The directories of the full pictures: the main chain, then their subdirectories. Reduced copies and masks count only
// if there is nothing else.
std::vector<toff_t> find_pictures(TIFF *tiff, const tiff_source &source)
{
    constexpr std::size_t most_directories = 10000;
    std::vector<toff_t> full, reduced;
    std::vector<toff_t> chains{TIFFCurrentDirOffset(tiff)};
    std::set<toff_t> known;
    for (std::size_t chain = 0; chain < chains.size(); ++chain) {
        if (known.contains(chains[chain]))
            continue;
        if (chain > 0 && TIFFSetSubDirectory(tiff, chains[chain]) == 0)
            throw_damaged(source);
        while (known.insert(TIFFCurrentDirOffset(tiff)).second) {
            if (known.size() > most_directories)
                throw image_error("has more than " + std::to_string(most_directories) + " directories");
            const auto kind = field<uint32_t>(tiff, TIFFTAG_SUBFILETYPE);
            ((kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0 ? full : reduced)
                .push_back(TIFFCurrentDirOffset(tiff));
            uint16_t count = 0;
            const toff_t *below = nullptr;
            if (TIFFGetField(tiff, TIFFTAG_SUBIFD, &count, &below) != 0)
                chains.insert(chains.end(), below, below + count);
            if (TIFFLastDirectory(tiff) != 0)
                break;
            if (TIFFReadDirectory(tiff) == 0)
                throw_damaged(source);
        }
    }
    return full.empty() ? reduced : full;
}

tiff_handle open(tiff_source &source, const decode_options &options)
{
    tiff_handle tiff(open_source(source, options));
    if (!tiff)
        throw_damaged(source);
    return tiff;
}

} // namespace

image read_tiff(std::span<const std::byte> file, const decode_options &options)
{
    tiff_source source{file};
    const tiff_handle tiff = open(source, options);
    const std::vector<toff_t> pictures = find_pictures(tiff.get(), source);
    if (TIFFSetSubDirectory(tiff.get(), pictures[choose_page(pictures.size(), options)]) == 0)
        throw_damaged(source);
    if (field<uint16_t>(tiff.get(), TIFFTAG_COMPRESSION) == COMPRESSION_OJPEG)
        throw image_error("holds old-style JPEG, which is not read");
    const description tags(tiff.get());
    check_pixel_count(1, tags.height, tags.width, options);
    if (field<uint32_t>(tiff.get(), TIFFTAG_IMAGEDEPTH) > 1)
        throw image_error("holds a volume, not a picture");
    // A warning about an unknown tag is ignored; one while pixels are decoded means damage.
    source.message[0] = '\0';
    source.warnings_matter = true;

    const bool has_extra = tags.samples == tags.colours() + 1;
    const bool is_stored = tags.dtype() >= 0 && (has_extra || tags.samples == tags.colours());
    if (!is_stored && !tags.can_be_converted())
        throw image_error("holds " + tags.text() + ", which is not read");
    image picture =
        is_stored ? read_as_stored(tiff.get(), source, tags, options) : read_converted(tiff.get(), source, tags);
    picture.orientation = tags.orientation >= 1 && tags.orientation <= 8 ? tags.orientation : 1;
    if (!is_stored)
        return picture;
    if (has_extra)
        picture.alpha = read_alpha_kind(tiff.get());
    if (tags.photometric == PHOTOMETRIC_MINISWHITE) {
        if (has_extra || dtype_is_float(picture.dtype) || picture.dtype == IQA_INT16)
            throw image_error("counts from white with " + std::string(dtype_name(picture.dtype)) +
                              " samples or alpha, which is not read");
        picture.dtype == IQA_UINT8 ? invert<uint8_t>(picture.storage) : invert<uint16_t>(picture.storage);
    }
    return picture;
}

} // namespace iqa_tool
