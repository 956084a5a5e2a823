// SPDX-License-Identifier: MIT
// Files that commands write.
#pragma once

#include "files/file_error.hpp"
#include "files/interrupt.hpp"

#include <fstream>
#include <optional>
#include <ostream>
#include <string>

namespace iqa_tool {

// A file to write, or the standard output for "-". A file is written under a temporary name beside its target, and
// replaces that only when it is finished. Pipes and devices are written directly.
class output_file {
public:
    // Throws file_error.
    explicit output_file(const std::string &path);
    output_file(const output_file &) = delete;
    output_file &operator=(const output_file &) = delete;
    // Removes an unfinished file.
    ~output_file();

    std::ostream &stream();
    // Throws file_error if a write failed.
    void flush();
    // Flushes, and renames the file to its target.
    void finish();

private:
    bool open_beside();

    std::string path_;
    std::string target_;                    // behind symbolic links
    std::optional<temporary_name> written_; // empty: written directly
    std::ofstream file_;
};

// A field of CSV (RFC 4180), in quotes if it needs them.
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
