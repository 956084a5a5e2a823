// SPDX-License-Identifier: MIT
// "Did you mean": the known word that is most like a mistyped one. Ignores case, and the difference between - and _.
// Needs no memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace iqa {

constexpr char canonical(char letter) noexcept
{
    if (letter >= 'A' && letter <= 'Z')
        return char(letter + ('a' - 'A'));
    return letter == '-' ? '_' : letter;
}

constexpr bool same_word(std::string_view a, std::string_view b) noexcept
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char left, char right) { return canonical(left) == canonical(right); });
}

class suggestion {
public:
    // A word that differs in more than two letters, and in more than a quarter of them, is no suggestion, unless one
    // word begins with the other.
    explicit suggestion(std::string_view typed) noexcept
        : typed_(typed), furthest_(std::max<size_t>(typed.size() / 4, 2)), least_(furthest_ + 1)
    {
    }

    void consider(std::string_view word) noexcept
    {
        if (typed_.size() > longest || word.size() > longest)
            return;
        size_t changes = distance(word);
        if (changes > furthest_ && begins(word, typed_))
            changes = furthest_;
        if (changes < least_) {
            least_ = changes;
            best_ = word;
        }
    }

    // Empty if no word is similar.
    std::string_view best() const noexcept { return best_; }

private:
    static constexpr size_t longest = 64; // longer text is no mistyped word

    // The number of letters to insert, drop or replace.
    size_t distance(std::string_view word) const noexcept
    {
        std::array<size_t, longest + 1> row{};
        for (size_t j = 0; j <= word.size(); ++j)
            row[j] = j;
        for (size_t i = 0; i < typed_.size(); ++i) {
            size_t diagonal = row[0];
            row[0] = i + 1;
            for (size_t j = 0; j < word.size(); ++j) {
                const size_t replaced = diagonal + (canonical(typed_[i]) != canonical(word[j]) ? 1 : 0);
                diagonal = row[j + 1];
                row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
            }
        }
        return row[word.size()];
    }

    static bool begins(std::string_view a, std::string_view b) noexcept
    {
        const size_t common = std::min(a.size(), b.size());
        return common > 2 && same_word({a.data(), common}, {b.data(), common});
    }

    std::string_view typed_;
    size_t furthest_, least_;
    std::string_view best_;
};

} // namespace iqa
