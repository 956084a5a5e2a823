// SPDX-License-Identifier: MIT
// Files that commands read.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

namespace iqa_tool {

struct file_closer {
    void operator()(std::FILE *file) const noexcept; // the standard input stays open
};
using file_handle = std::unique_ptr<std::FILE, file_closer>;

// Opens a regular file. Anything else is refused at once, since a pipe in a folder may never have a writer. Throws
// image_error.
file_handle open_regular_file(const std::string &path);

// Opens a file that the user named: also a pipe, for which it waits, or the standard input for "-". Throws image_error.
file_handle open_file(const std::string &path);

} // namespace iqa_tool
