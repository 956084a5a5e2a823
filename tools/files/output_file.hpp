// SPDX-License-Identifier: MIT
//
// Files that commands write.
#pragma once

#include "files/file_error.hpp"
#include "files/interrupt.hpp"

#include <fstream>
#include <optional>
#include <ostream>
#include <string>

namespace iqa_tool {

/** A file to write, or the standard output for "-". A file is written under a name beside its own and takes its place
 *  when it is finished: whatever happens before, what was there stays. Pipes and devices are written directly. */
class output_file {
public:
    /** Throws file_error. */
    explicit output_file(const std::string &path);
    output_file(const output_file &) = delete;
    output_file &operator=(const output_file &) = delete;
    /** Removes what is not finished. */
    ~output_file();

    std::ostream &stream();
    /** Throws file_error where something could not be written. */
    void flush();
    /** The same, and puts the file in its place. */
    void finish();

private:
    bool open_beside();

    std::string path_;
    std::string target_;                    // the file at the end of links
    std::optional<temporary_name> written_; // none: directly
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
