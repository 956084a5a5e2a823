// SPDX-License-Identifier: MIT
#include "files/output_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace iqa_tool {

namespace {

[[noreturn]] void throw_errno(const std::string &path)
{
    throw file_error(path, std::string("cannot be written: ") + std::strerror(errno));
}

// Whether it is the file behind a standard descriptor, as /dev/stdout may be.
bool is_standard(const struct stat &status)
{
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        struct stat open_file {};
        if (fstat(descriptor, &open_file) == 0 && open_file.st_dev == status.st_dev &&
            open_file.st_ino == status.st_ino)
            return true;
    }
    return false;
}

} // namespace

output_file::output_file(const std::string &path) : path_(path)
{
    if (path == "-")
        return;
    errno = 0;
    file_.open(open_beside() ? written_->path() : path, std::ios::binary);
    if (!file_)
        throw_errno(path);
}

// Makes a temporary file beside the target, to be renamed later.
bool output_file::open_beside()
{
    struct stat status {};
    const bool exists = stat(path_.c_str(), &status) == 0;
    struct stat link {};
    const bool leads_nowhere = !exists && lstat(path_.c_str(), &link) == 0;
    if (leads_nowhere || (exists && (!S_ISREG(status.st_mode) || is_standard(status))))
        return false;
    target_ = path_;
    if (exists) {
        const std::unique_ptr<char, decltype(&std::free)> real(realpath(path_.c_str(), nullptr), &std::free);
        if (!real || access(real.get(), W_OK) != 0)
            throw_errno(path_);
        target_ = real.get();
    }
    for (int number = 0; number < 100; ++number) {
        temporary_name &name =
            written_.emplace(target_ + ".part" + std::to_string(getpid()) + "-" + std::to_string(number));
        const int descriptor = open(name.path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0) {
            if (exists && fchmod(descriptor, status.st_mode & 07777) != 0)
                errno = 0; // the rights of a new file suffice
            close(descriptor);
            return true;
        }
        const int problem = errno;
        written_.reset(); // no file of ours to remove
        errno = problem;
        if (problem != EEXIST)
            break;
    }
    // In a folder that takes no new file, an existing file can still be overwritten.
    if (exists && (errno == EACCES || errno == EPERM || errno == EROFS || errno == ENAMETOOLONG))
        return false;
    throw_errno(path_);
}

output_file::~output_file()
{
    if (written_)
        unlink(written_->path().c_str());
}

std::ostream &output_file::stream()
{
    return path_ == "-" ? std::cout : file_;
}

void output_file::flush()
{
    if (!stream().flush())
        throw file_error(path_, "cannot be written");
}

void output_file::finish()
{
    flush();
    if (path_ == "-")
        return;
    file_.close();
    if (!file_)
        throw file_error(path_, "cannot be written");
    if (written_ && std::rename(written_->path().c_str(), target_.c_str()) != 0)
        throw_errno(path_);
    written_.reset();
}

} // namespace iqa_tool
