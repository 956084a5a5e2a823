// SPDX-License-Identifier: MIT
#pragma once

#include "image.hpp"

#include <iqa.hpp>

#include <new>
#include <stdexcept>
#include <string>

namespace iqa_tool {

/** What is wrong with one file: printed as "iqa: <file>: <what>". */
class file_error : public std::runtime_error {
public:
    file_error(const std::string &file, const std::string &what) : std::runtime_error(file + ": " + what) {}
};

/** Runs `work` and puts the name of the file before what it says is wrong. */
template <typename function>
auto blame(const std::string &file, function work)
{
    try {
        return work();
    } catch (const image_error &problem) {
        throw file_error(file, problem.what());
    } catch (const iqa::error &problem) {
        throw file_error(file, problem.what());
    } catch (const std::bad_alloc &) {
        throw file_error(file, "out of memory");
    }
}

} // namespace iqa_tool
