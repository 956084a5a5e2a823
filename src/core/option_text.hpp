// SPDX-License-Identifier: MIT
// Options as text, "layout=nchw,data_range=0:1,size=11", by the rows of their tables.
#pragma once

#include <algorithm>
#include <string_view>

#include "core/option_table.hpp"

namespace iqa {

struct option_target {
    const option_table &table;
    void *options;
};

// Sets the options that the text states: a preset first, then the others in their order. A key is the name of a field,
// or of a group, which takes one value for all its fields or values with colons between them. Returns the value of a
// list of classes, which needs memory to store; empty without one. Throws for unknown keys and unreadable values;
// check_options() checks the values.
std::string_view parse_options(std::string_view text, std::span<const option_target> targets);

std::string_view trimmed(std::string_view part) noexcept; // without surrounding blanks

// Calls `visit` with each part, trimmed.
template <class Visit>
void for_each_part(std::string_view whole, char separator, Visit &&visit)
{
    for (size_t start = 0; start <= whole.size();) {
        const size_t stop = std::min(whole.find(separator, start), whole.size());
        visit(trimmed({whole.data() + start, stop - start}));
        start = stop + 1;
    }
}

// A user's text in quotation marks, shortened for an error text.
text quoted(std::string_view written);

// ", did you mean ...?"; empty without a suggestion.
text suggestion_text(std::string_view best);

} // namespace iqa
