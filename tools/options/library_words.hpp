// SPDX-License-Identifier: MIT
//
// The library's errors in the words of the command line: it speaks of fields and constants, the user of options.
#pragma once

#include <iqa_c.h>

#include <string>

namespace iqa_tool {

/** "--size-y" of the field "size_y". */
std::string option_of_field(const std::string &field);

/** "as-ratio" of "as_ratio". */
std::string shown_word(const iqa_option_word &word);

/** Upper and lower case are the same, and so are - and _. */
bool is_same_word(const std::string &a, const std::string &b);

/** Notes that the program has an option, so that texts can speak of it; add_parsed() does so for each. */
void note_option(const std::string &option);

/** "set nonfinite to IQA_NONFINITE_MASK" as "set --nonfinite mask". */
std::string in_words(const std::string &text);

} // namespace iqa_tool
