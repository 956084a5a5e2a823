// SPDX-License-Identifier: MIT
// A file of PTX, parsed into functions and statements, which are text.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace test::ptx {

// Thrown for PTX that the machine does not know, and for faults of kernels.
struct fault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// An instruction or directive without semicolon, a label with colon, or a brace of a scope.
struct statement {
    std::string text; // words separated by one blank
    int line;
};

struct function_source {
    std::string name; // as the linker sees it
    std::string head; // from .entry or .func to the body
    bool is_kernel;
    std::vector<statement> body;
};

struct shared_variable {
    size_t alignment, bytes; // 0 bytes: dynamic memory
};

struct module_source {
    int architecture = 0; // 90: sm_90
    std::vector<function_source> functions;
    std::map<std::string, shared_variable, std::less<>> shared;

    const function_source *find(std::string_view name) const;
};

module_source parse(const std::string &text);

// Splits at separators outside brackets, and trims the parts.
std::vector<std::string> split(std::string_view text, char separator);

} // namespace test::ptx
