// SPDX-License-Identifier: MIT
// Errors about a file, and their text on the terminal.
#pragma once

#include "files/image.hpp"
#include "options/library_words.hpp"

#include <iqa.hpp>

#include <new>
#include <stdexcept>
#include <string>

namespace iqa_tool {

// The text with a question mark for each control character: names and contents of files come from anywhere.
inline std::string one_line(std::string text)
{
    for (char &character : text)
        if (static_cast<unsigned char>(character) < ' ' || character == '\x7f')
            character = '?';
    return text;
}

// A fault of one file, printed as "iqa: <file>: <what>".
class file_error : public std::runtime_error {
public:
    file_error(const std::string &file, const std::string &what) : std::runtime_error(one_line(file + ": " + what)) {}
};

// The text of an error, in the words of the command line.
inline std::string text_of(const std::exception &problem)
{
    return dynamic_cast<const iqa::error *>(&problem) != nullptr ? in_words(problem.what()) : problem.what();
}

// Runs `work` and puts the name of the file before the text of an error.
template <typename function>
auto blame(const std::string &file, function work)
{
    try {
        return work();
    } catch (const image_error &problem) {
        throw file_error(file, problem.what());
    } catch (const iqa::error &problem) {
        throw file_error(file, text_of(problem));
    } catch (const std::bad_alloc &) {
        throw file_error(file, "out of memory");
    }
}

} // namespace iqa_tool
