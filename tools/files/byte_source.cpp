// SPDX-License-Identifier: MIT
#include "files/byte_source.hpp"

#include "files/image.hpp"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace iqa_tool {

namespace {

constexpr const char *ends_too_early = "cannot be read: it ends too early";

[[noreturn]] void throw_errno()
{
    throw image_error(std::strerror(errno));
}

} // namespace

void byte_source::fill(std::span<std::byte> out)
{
    if (read(out) < out.size())
        throw image_error(ends_too_early);
}

void byte_source::expect_end()
{
    std::byte next;
    if (read({&next, 1}) > 0)
        throw image_error("goes on behind its last element");
}

file_source::file_source(file_handle file) : file_(std::move(file))
{
    struct stat status {};
    if (fstat(fileno(file_.get()), &status) != 0)
        throw_errno();
    size_ = static_cast<uint64_t>(status.st_size);
}

file_source::file_source(const std::string &path) : file_source(open_regular_file(path))
{
}

std::unique_ptr<file_source> file_source::copy_of(byte_source &from, uint64_t most_bytes)
{
    file_handle file(std::tmpfile());
    if (!file)
        throw image_error(std::string("needs a temporary file: ") + std::strerror(errno));
    uint64_t copied = 0;
    byte_buffer buffer(std::size_t{1} << 20);
    std::size_t count = buffer.size();
    while (count == buffer.size()) {
        count = from.read({buffer.data(), buffer.size()});
        if ((copied += count) > most_bytes)
            throw image_error("is unpacked to more than " + std::to_string(most_bytes) + " bytes");
        if (std::fwrite(buffer.data(), 1, count, file.get()) < count)
            throw image_error(std::string("needs a temporary file: ") + std::strerror(errno));
    }
    if (std::fflush(file.get()) != 0)
        throw image_error(std::string("needs a temporary file: ") + std::strerror(errno));
    std::rewind(file.get());
    return std::unique_ptr<file_source>(new file_source(std::move(file)));
}

std::size_t file_source::read(std::span<std::byte> out)
{
    const std::size_t count = std::fread(out.data(), 1, out.size(), file_.get());
    if (std::ferror(file_.get()) != 0)
        throw_errno();
    return count;
}

void file_source::fill_at(uint64_t position, std::span<std::byte> out)
{
    while (!out.empty()) {
        const ssize_t count = pread(fileno(file_.get()), out.data(), out.size(), static_cast<off_t>(position));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            throw_errno();
        if (count == 0)
            throw image_error(ends_too_early);
        position += static_cast<uint64_t>(count);
        out = out.subspan(static_cast<std::size_t>(count));
    }
}

} // namespace iqa_tool
