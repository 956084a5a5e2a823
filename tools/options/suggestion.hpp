// SPDX-License-Identifier: MIT
// "Did you mean": the known word that is most like a mistyped one. The program sees the C API alone, so the library's
// own src/core/suggestion.hpp is out of its reach.
#pragma once

#include <string>
#include <vector>

namespace iqa_tool {

// "; did you mean \"ffmpeg\"?", or "" without a similar word.
std::string suggestion(const std::string &text, const std::vector<std::string> &known);

} // namespace iqa_tool
