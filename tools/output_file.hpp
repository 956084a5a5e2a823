// SPDX-License-Identifier: MIT
//
// Files that commands write.
#pragma once

#include "file_error.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

namespace iqa_tool {

/** A file to write, or the standard output for "-". */
class output_file {
public:
    explicit output_file(const std::string &path) : path_(path)
    {
        if (path != "-") {
            file_.open(path, std::ios::binary);
            if (!file_)
                throw file_error(path, std::string("cannot be written: ") + std::strerror(errno));
        }
    }

    std::ostream &stream() { return path_ == "-" ? std::cout : file_; }

    void finish()
    {
        if (!stream().flush())
            throw file_error(path_, "cannot be written");
    }

private:
    std::string path_;
    std::ofstream file_;
};

/** A field of a line of CSV (RFC 4180), in quotes where it needs them. */
inline std::string csv_field(const std::string &text)
{
    if (text.find_first_of(",\"\r\n") == std::string::npos)
        return text;
    std::string quoted = "\"";
    for (const char character : text)
        quoted += character == '"' ? std::string("\"\"") : std::string(1, character);
    return quoted + "\"";
}

} // namespace iqa_tool
