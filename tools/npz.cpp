// SPDX-License-Identifier: MIT
#include "npz.hpp"

#include "image.hpp"
#include "npy_header.hpp"

#include <zip.h>

namespace iqa_tool {

namespace {

constexpr std::string_view ending = ".npy";

std::string text_of(int code)
{
    zip_error_t problem;
    zip_error_init_with_code(&problem, code);
    std::string text = zip_error_strerror(&problem);
    zip_error_fini(&problem);
    return text;
}

class member_source : public byte_source {
public:
    member_source(zip_t *archive, zip_uint64_t index) : file_(zip_fopen_index(archive, index, 0))
    {
        zip_stat_t status;
        if (!file_ || zip_stat_index(archive, index, 0, &status) != 0 || (status.valid & ZIP_STAT_SIZE) == 0)
            throw image_error(std::string("cannot be unpacked: ") + zip_strerror(archive));
        size_ = status.size;
    }

    uint64_t size() const override { return size_; }

    std::size_t read(std::span<std::byte> out) override
    {
        std::size_t used = 0;
        while (used < out.size()) {
            const zip_int64_t count = zip_fread(file_.get(), out.data() + used, out.size() - used);
            if (count < 0)
                throw image_error(std::string("cannot be unpacked: ") + zip_file_strerror(file_.get()));
            if (count == 0)
                break;
            used += static_cast<std::size_t>(count);
        }
        return used;
    }

private:
    struct closer {
        void operator()(zip_file_t *file) const noexcept { zip_fclose(file); }
    };

    std::unique_ptr<zip_file_t, closer> file_;
    uint64_t size_ = 0;
};

} // namespace

void npz_archive::closer::operator()(zip *archive) const noexcept
{
    zip_discard(archive);
}

npz_archive::npz_archive(const std::string &path)
{
    int code = 0;
    archive_.reset(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
    if (!archive_)
        throw image_error("is no readable .npz file: " + text_of(code));
}

std::vector<std::string> npz_archive::names() const
{
    std::vector<std::string> found;
    const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
    for (zip_int64_t index = 0; index < count; ++index) {
        const char *name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(index), ZIP_FL_ENC_RAW);
        if (name != nullptr && std::string_view(name).ends_with(ending))
            found.emplace_back(name, std::string_view(name).size() - ending.size());
    }
    return found;
}

std::unique_ptr<byte_source> npz_archive::open(const std::string &name) const
{
    const zip_int64_t index = zip_name_locate(archive_.get(), (name + std::string(ending)).c_str(), ZIP_FL_ENC_RAW);
    if (index < 0)
        throw image_error("has no array \"" + name + "\"");
    return std::make_unique<member_source>(archive_.get(), static_cast<zip_uint64_t>(index));
}

void write_npz(const std::string &path, const std::vector<npz_array> &arrays)
{
    int code = 0;
    zip_t *archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (archive == nullptr)
        throw image_error("cannot be written: " + text_of(code));
    std::vector<std::vector<std::byte>> files; // libzip takes the bytes when it closes the archive
    const auto add = [&](const npz_array &array) {
        const iqa_tensor &elements = array.elements;
        const int32_t dtype = elements.dtype_code << 8 | elements.dtype_bits;
        const std::span<const int64_t> shape(elements.shape, static_cast<std::size_t>(elements.ndim));
        const std::string header = encode_npy_header(dtype, shape);
        std::size_t size = dtype_size(dtype);
        for (const int64_t extent : shape)
            size *= static_cast<std::size_t>(extent);
        std::vector<std::byte> &bytes = files.emplace_back();
        const auto append = [&bytes](std::span<const std::byte> part) {
            bytes.insert(bytes.end(), part.begin(), part.end());
        };
        append(std::as_bytes(std::span(header)));
        append({static_cast<const std::byte *>(elements.data), size});
        zip_source_t *source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
        const zip_int64_t index =
            zip_file_add(archive, (array.name + std::string(ending)).c_str(), source, ZIP_FL_ENC_UTF_8);
        if (index < 0) {
            zip_source_free(source);
            return false;
        }
        const auto member = static_cast<zip_uint64_t>(index);
        constexpr zip_uint16_t first_day = (1 << 5) | 1; // 1 January 1980: the clock shall not be in the file
        return zip_set_file_compression(archive, member, ZIP_CM_STORE, 0) == 0 &&
               zip_file_set_dostime(archive, member, 0, first_day, 0) == 0;
    };
    bool fine = true;
    for (const npz_array &array : arrays)
        fine = fine && add(array);
    if (!fine || zip_close(archive) != 0) {
        const std::string problem = zip_strerror(archive);
        zip_discard(archive);
        throw image_error("cannot be written: " + problem);
    }
}

} // namespace iqa_tool
