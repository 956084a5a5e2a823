// SPDX-License-Identifier: MIT
#include "options/suggestion.hpp"

#include <algorithm>
#include <numeric>

namespace iqa_tool {

namespace {

// The number of letters to insert, drop or replace.
std::size_t distance(const std::string &from, const std::string &to)
{
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t replaced = diagonal + (from[i] != to[j]);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

} // namespace

std::string suggestion(const std::string &text, const std::vector<std::string> &known)
{
    constexpr std::size_t longest = 64; // longer text is no mistyped word
    std::string best;
    std::size_t least = std::max<std::size_t>(text.size() / 4, 2) + 1; // beyond it, a different word
    for (const std::string &word : known) {
        const std::size_t changes = text.size() > longest ? least : distance(text, word);
        if (changes < least) {
            least = changes;
            best = word;
        }
    }
    return best.empty() ? "" : "; did you mean \"" + best + "\"?";
}

} // namespace iqa_tool
