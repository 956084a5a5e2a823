// SPDX-License-Identifier: MIT
//
// The library's errors in the words of the command line: it speaks of fields and constants, the user of options.
#pragma once

#include <string>

namespace iqa_tool {

/** Notes that an option sets the field that is named like it; add_parsed() does so for each. */
void note_option(const std::string &option);

/** Notes the word by which an option means a constant. */
void note_word(const char *constant, const std::string &word);

/** "set nonfinite to IQA_NONFINITE_MASK" as "set --nonfinite mask". */
std::string in_words(const std::string &text);

} // namespace iqa_tool
