// SPDX-License-Identifier: MIT
// Names of classes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace iqa_tool {

// The names by class; "" for a class without one. A file has one name on each line, in the order of the classes, or
// lines of CSV "id,name"; a first line "id,name" is skipped. A line whose id is `ignored` is skipped too. Throws
// file_error.
std::vector<std::string> read_class_names(const std::string &path, const std::optional<int64_t> &ignored);

// The class with a number or a name. Throws std::runtime_error, which names the option.
int32_t find_class(const std::string &option, const std::string &text, const std::vector<std::string> &names);

} // namespace iqa_tool
