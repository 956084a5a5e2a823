// SPDX-License-Identifier: MIT
#include "files/npz.hpp"

#include "files/image.hpp"
#include "files/npy_header.hpp"

#include <algorithm>
#include <unistd.h>
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
    const file_handle file = open_regular_file(path);
    int code = 0;
    const int descriptor = dup(fileno(file.get())); // the archive closes its own
    archive_.reset(zip_fdopen(descriptor, ZIP_CHECKCONS, &code));
    if (!archive_ && descriptor >= 0)
        close(descriptor);
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

namespace {

// Adds an array to an archive, whose source keeps pointing at its elements and at `header`.
bool add_array(zip_t *archive, const npz_array &array, const std::string &header)
{
    const iqa_tensor &elements = array.elements;
    std::size_t size = dtype_size(elements.dtype_code << 8 | elements.dtype_bits);
    for (int32_t position = 0; position < elements.ndim; ++position)
        size *= static_cast<std::size_t>(elements.shape[position]);
    zip_buffer_fragment_t parts[2] = {{}, {}};
    parts[0].data = reinterpret_cast<zip_uint8_t *>(const_cast<char *>(header.data())); // libzip only reads it
    parts[0].length = header.size();
    parts[1].data = static_cast<zip_uint8_t *>(elements.data);
    parts[1].length = size;
    zip_source_t *source = zip_source_buffer_fragment(archive, parts, std::size(parts), 0);
    const zip_int64_t index =
        zip_file_add(archive, (array.name + std::string(ending)).c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        return false;
    }
    const auto member = static_cast<zip_uint64_t>(index);
    constexpr zip_uint16_t first_day = (1 << 5) | 1; // 1 January 1980, so that files do not depend on the clock
    return zip_set_file_compression(archive, member, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(archive, member, 0, first_day, 0) == 0;
}

struct source_freer {
    void operator()(zip_source_t *source) const noexcept { zip_source_free(source); }
};

} // namespace

void write_npz(std::ostream &out, const std::vector<npz_array> &arrays)
{
    // libzip copies the bytes when it closes the archive into memory. It could write a file only under its own name.
    std::vector<std::string> headers;
    for (const npz_array &array : arrays)
        headers.push_back(encode_npy_header(array.elements.dtype_code << 8 | array.elements.dtype_bits,
                                            {array.elements.shape, static_cast<std::size_t>(array.elements.ndim)}));
    zip_error_t problem;
    zip_error_init(&problem);
    const std::unique_ptr<zip_source_t, source_freer> bytes(zip_source_buffer_create(nullptr, 0, 0, &problem));
    zip_t *archive = bytes ? zip_open_from_source(bytes.get(), ZIP_TRUNCATE, &problem) : nullptr;
    if (archive == nullptr)
        throw std::bad_alloc();
    zip_source_keep(bytes.get());
    bool fine = true;
    for (std::size_t index = 0; index < arrays.size(); ++index)
        fine = fine && add_array(archive, arrays[index], headers[index]);
    if (!fine || zip_close(archive) != 0) {
        const std::string text = zip_strerror(archive);
        zip_discard(archive);
        throw image_error("cannot be written: " + text);
    }
    if (zip_source_open(bytes.get()) != 0)
        throw std::bad_alloc();
    std::vector<char> part(std::size_t{1} << 16);
    for (zip_int64_t count = 1; count > 0;) {
        count = zip_source_read(bytes.get(), part.data(), part.size());
        out.write(part.data(), std::max<zip_int64_t>(count, 0));
    }
    zip_source_close(bytes.get());
}

} // namespace iqa_tool
