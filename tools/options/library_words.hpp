// SPDX-License-Identifier: MIT
// Translates the library's errors: it speaks of fields and constants, the user of options.
#pragma once

#include <iqa_c.h>

#include <string>

namespace iqa_tool {

// "--size-y" for the field "size_y".
std::string option_of_field(const std::string &field);

// "as-ratio" for "as_ratio".
std::string shown_word(const iqa_option_word &word);

// Ignores case, and the difference between - and _.
bool is_same_word(const std::string &a, const std::string &b);

// Makes an option known, so that error texts can name it; add_parsed() calls it.
void note_option(const std::string &option);

// "set nonfinite to IQA_NONFINITE_MASK" as "set --nonfinite mask".
std::string in_words(const std::string &text);

} // namespace iqa_tool
