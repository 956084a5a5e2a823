// SPDX-License-Identifier: MIT
//
// "Did you mean": the known word that is most like a mistyped one.
#pragma once

#include <string>
#include <vector>

namespace iqa_tool {

/** "; did you mean \"ffmpeg\"?", or "" where none is like it. */
std::string suggestion(const std::string &text, const std::vector<std::string> &known);

} // namespace iqa_tool
