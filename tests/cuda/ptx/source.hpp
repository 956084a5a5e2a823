// SPDX-License-Identifier: MIT
// A file of PTX taken apart: its functions and their statements, still as text.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace test::ptx {

// What the machine refuses: PTX that it does not know, and kernels that do what they may not.
struct fault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// An instruction or directive without its semicolon, a label with its colon, or a brace of a scope.
struct statement {
    std::string text; // words one blank apart
    int line;
};

struct function_source {
    std::string name; // as the linker sees it
    std::string head; // from .entry or .func to the body
    bool is_kernel;
    std::vector<statement> body;
};

struct shared_variable {
    size_t alignment, bytes; // no bytes: the memory that a launch adds
};

struct module_source {
    int architecture = 0; // 90: sm_90
    std::vector<function_source> functions;
    std::map<std::string, shared_variable, std::less<>> shared;

    const function_source *find(std::string_view name) const;
};

module_source parse(const std::string &text);

// Parts between separators that are in no bracket, without blanks around them.
std::vector<std::string> split(std::string_view text, char separator);

} // namespace test::ptx
