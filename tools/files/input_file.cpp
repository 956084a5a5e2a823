// SPDX-License-Identifier: MIT
#include "files/input_file.hpp"

#include "files/image.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace iqa_tool {

namespace {

[[noreturn]] void throw_errno()
{
    throw image_error(std::strerror(errno));
}

class descriptor {
public:
    explicit descriptor(int number) : number_(number)
    {
        if (number < 0)
            throw_errno();
    }
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;
    ~descriptor()
    {
        if (number_ >= 0)
            close(number_);
    }

    mode_t type() const
    {
        struct stat status {};
        if (fstat(number_, &status) != 0)
            throw_errno();
        return status.st_mode & S_IFMT;
    }

    // A stream whose reads block.
    file_handle stream()
    {
        if (fcntl(number_, F_SETFL, fcntl(number_, F_GETFL) & ~O_NONBLOCK) != 0)
            throw_errno();
        file_handle file(fdopen(number_, "rb"));
        if (!file)
            throw_errno();
        number_ = -1;
        return file;
    }

private:
    int number_;
};

file_handle open_named(const std::string &path, bool may_be_pipe)
{
    // O_NONBLOCK: opening a pipe does not wait for a writer.
    descriptor opened(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    switch (opened.type()) {
    case S_IFREG:
        return opened.stream();
    case S_IFDIR:
        throw image_error("is a folder, not a file");
    case S_IFIFO:
        // The second open waits for a writer. The first descriptor stays open, so that no writer loses its reader.
        if (may_be_pipe)
            return descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC)).stream();
        throw image_error("is a pipe, not a regular file");
    default:
        throw image_error("is no regular file");
    }
}

} // namespace

void file_closer::operator()(std::FILE *file) const noexcept
{
    if (file != stdin)
        std::fclose(file);
}

file_handle open_regular_file(const std::string &path)
{
    return open_named(path, false);
}

file_handle open_file(const std::string &path)
{
    return path == "-" ? file_handle(stdin) : open_named(path, true);
}

} // namespace iqa_tool
